package policy_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/collection"
	"konto/domain/invoiceswitch"
)

func TestTellOfCollection(t *testing.T) {
	const name = "tell-of-collection"
	given := []domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("bob", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
	}
	later := noon.Add(time.Hour)
	face := collection.Face{Owner: "owner", Last4: "4242", Brand: "visa"}
	final := object{
		"brand": "visa", "last4": "4242", "amountMinor": 5, "currency": "SEK", "subscriptionId": "sub", "invoiceId": bill,
		"cardId": "k", "attempts": 3, "graceUntil": later,
	}
	pastDue := collection.PaymentPastDue{SubscriptionID: "sub", CardID: "k", AmountMinor: 5, Currency: "SEK", Attempts: 3, GraceUntil: later, At: noon, Face: face}
	over := pastDue
	over.At = later
	opened := collection.CollectionOpened{
		Mode: collection.ModeChargeback, CardID: "k", SubscriptionID: "sub", AmountMinor: 5, Currency: "SEK", Attempts: 3, Face: face, GraceUntil: later,
	}
	by := func(from collection.Phase, by string) collection.AccountRecovered {
		return collection.AccountRecovered{SubscriptionID: "sub", From: from, By: by, At: noon, Owner: "ann"}
	}
	back := func(from, by string) object {
		return object{"subscriptionId": "sub", "invoiceId": bill, "at": noon, "from": from, "by": by}
	}
	moved := by(collection.Retrying, collection.ByCharge)
	moved.Invoiced = true
	isMoved := back("retrying", "charge")
	isMoved["invoiced"] = true
	inMode := func(mode string) object {
		f := maps.Clone(final)
		f["mode"] = mode
		return f
	}
	waits := pastDue
	waits.WaitsFor = collection.CardUpdated
	regular := opened
	regular.Mode = collection.ModeRegular
	off := func(invoices ...string) []domain.Recorded[any] {
		events := slices.Clip(given)
		for _, invoice := range invoices {
			events = append(events, event(invoice, collection.ServiceSuspended{SubscriptionID: "sub", Reason: collection.Unpaid, AmountMinor: 5, Currency: "SEK", At: noon, DataUntil: later, Owner: "ann"}))
		}
		return events
	}
	settled := func(invoice string) domain.Recorded[any] {
		return event(invoice, by(collection.Suspended, collection.BySettlement))
	}
	told := func(invoice, stillOff string) []domain.Effect {
		data := back("suspended", "settlement")
		if data["invoiceId"] = invoice; stillOff != "" {
			data["stillOff"] = stillOff
		}
		return mail("service_restored", data, "ann", "bob")
	}
	run(t, []reactionCase{
		{name: "C9: past due", reaction: name, given: given, when: event(bill, pastDue), then: mail("card_declined_final", final, "ann", "bob", "owner")},
		{name: "C9: past due, and the card waits for its network", reaction: name, given: given, when: event(bill, waits), then: mail("card_declined_final", inMode("updated"), "ann", "bob", "owner")},
		{name: "C9: past due and off at once", reaction: name, given: given, when: event(bill, over)},
		{
			name: "D2: a reminder", reaction: name, given: given,
			when: event(bill, collection.PaymentReminded{SubscriptionID: "sub", CardID: "k", AmountMinor: 5, Currency: "SEK", Attempts: 3, GraceUntil: later, Face: face}),
			then: mail("card_declined_final", final, "ann", "bob", "owner"),
		},
		{
			name: "D2: a reminder while the card waits for an edit says so", reaction: name, given: given,
			when: event(bill, collection.PaymentReminded{SubscriptionID: "sub", CardID: "k", AmountMinor: 5, Currency: "SEK", Attempts: 3, GraceUntil: later, Face: face, WaitsFor: collection.CardEdited}),
			then: mail("card_declined_final", inMode("edited"), "ann", "bob", "owner"),
		},
		{name: "C9: a chargeback is told of at once, and is no decline", reaction: name, given: given, when: event(bill, opened), then: mail("card_declined_final", inMode("chargeback"), "ann", "bob", "owner")},
		{
			name: "K5: what must be paid by hand", reaction: name, given: given,
			when: event(bill, collection.ManualPaymentRequested{SubscriptionID: "sub", CardID: "k", AmountMinor: 6, Currency: "INR", LimitMinor: 5, GraceUntil: later, Face: collection.Face{Owner: "ann", Last4: "4242", Brand: "visa"}}),
			then: append(mail("payment_by_hand", byHand(later, true), "ann"), mail("payment_by_hand", byHand(later, false), "bob")...),
		},
		{name: "D5: a decline tells of itself", reaction: name, given: given, when: event(bill, regular)},
		{
			name: "C9: suspended", reaction: name, given: given,
			when: event(bill, collection.ServiceSuspended{SubscriptionID: "sub", Reason: collection.Unpaid, AmountMinor: 5, Currency: "SEK", At: noon, DataUntil: later, Owner: "ann"}),
			then: mail("service_suspended", object{
				"subscriptionId": "sub", "invoiceId": bill, "amountMinor": 5, "currency": "SEK", "at": noon, "dataUntil": later, "reason": "unpaid",
			}, "ann", "bob"),
		},
		{
			name: "D5: recovered when the service was off", reaction: name, given: given, when: event(bill, by(collection.Suspended, collection.BySettlement)),
			then: mail("service_restored", back("suspended", "settlement"), "ann", "bob"),
		},
		{name: "C9: another invoice stops nothing that has not stopped", reaction: name, given: off(bill), when: off(bill2)[len(given)]},
		{name: "C9: the second of two is paid, and the service stays off", reaction: name, given: off(bill, bill2), when: settled(bill2), then: told(bill2, bill)},
		{name: "C9: the first of two is paid, and the service stays off", reaction: name, given: off(bill, bill2), when: settled(bill), then: told(bill, bill2)},
		{name: "C9: both are paid", reaction: name, given: append(off(bill, bill2), settled(bill)), when: settled(bill2), then: told(bill2, "")},
		{name: "C9: one for which the service was not off is paid, and it stays off", reaction: name, given: off(bill), when: settled(bill2), then: told(bill2, bill)},
		{
			name: "C9: the other one was cancelled", reaction: name, when: settled(bill2), then: told(bill2, ""),
			given: append(off(bill, bill2), event(bill, collection.CollectionClosed{SubscriptionID: "sub", Outcome: collection.OutcomeCanceled})),
		},
		{
			name: "C10: both go on an invoice", reaction: name, given: off(bill, bill2), when: event(bill, by(collection.Suspended, collection.ByInvoiceSwitch)),
			then: mail("service_restored", back("suspended", "invoice-switch"), "ann", "bob"),
		},
		{
			name: "C10: what went on an invoice was not paid", reaction: name, given: given, when: event(bill, by(collection.Retrying, collection.ByInvoiceSwitch)),
			then: mail("service_restored", back("retrying", "invoice-switch"), "ann", "bob"),
		},
		{
			name: "C10: who pays by invoice by now needs no backup card", reaction: name, given: given, when: event(bill, moved),
			then: mail("service_restored", isMoved, "ann", "bob"),
		},
	})
}

func byHand(until time.Time, owner bool) object {
	return object{
		"brand": "visa", "last4": "4242", "amountMinor": 6, "limitMinor": 5, "currency": "INR", "subscriptionId": "sub",
		"invoiceId": bill, "cardId": "k", "graceUntil": until, "ownerIsRecipient": owner,
	}
}

func TestTellOfInvoiceSwitch(t *testing.T) {
	const name = "tell-of-invoice-switch"
	given := []domain.Recorded[any]{event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}})}
	status := func(s, reason string) []domain.Effect {
		data := object{"caseId": "case", "subscriptionId": "sub", "status": s}
		if reason != "" {
			data["reason"] = reason
		}
		return mail("invoice_switch_status", data, "ann", "cleo")
	}
	run(t, []reactionCase{
		{name: "C10: asked for", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchRequested{SubscriptionID: "sub", By: "cleo"}), then: status("requested", "")},
		{name: "C10: billing support has opened it for her: all hear that, and she does", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchRequested{SubscriptionID: "sub", By: "cleo", OpenedBy: "sue"}), then: status("opened-by-support", "")},
		{name: "C10: billing support has opened it for one of those who hear of it", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchRequested{SubscriptionID: "sub", By: "ann", OpenedBy: "sue"}), then: mail("invoice_switch_status", object{"caseId": "case", "subscriptionId": "sub", "status": "opened-by-support"}, "ann")},
		{name: "C10: approved", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchApproved{SubscriptionID: "sub", RequestedBy: "cleo"}), then: status("approved", "")},
		{name: "C10: denied", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchDenied{SubscriptionID: "sub", RequestedBy: "cleo", Why: "cost"}), then: status("denied", "cost")},
		{name: "C10: it ended with the subscription, which nobody has refused", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchDenied{SubscriptionID: "sub", RequestedBy: "cleo", Why: invoiceswitch.WhyEnded}), then: status("subscription-ended", "")},
		{name: "C10: another case was first", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchDenied{SubscriptionID: "sub", RequestedBy: "cleo", Why: invoiceswitch.WhyInvoiced}), then: status("paid-by-invoice", "")},
		{name: "C10: it holds", reaction: name, given: given, when: event("case", invoiceswitch.InvoiceSwitchApplied{SubscriptionID: "sub", RequestedBy: "cleo"}), then: status("applied", "")},
	})
}
