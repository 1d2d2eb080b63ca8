package policy_test

import (
	"slices"
	"testing"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/collection"
	"konto/domain/invoiceswitch"
	"konto/domain/tenant"
)

func TestSwitchToInvoice(t *testing.T) {
	const name, id = "switch-to-invoice", "switch-1"
	judge := func(unpaid ...string) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: id, Command: invoiceswitch.EvaluateEligibility{CustomerSince: noon, Unpaid: unpaid}}}
	}
	asked := []domain.Recorded[any]{
		event(own, tenant.TenantRegistered{}),
		event(bill, collection.CollectionOpened{SubscriptionID: "sub"}),
		event(bill2, collection.CollectionOpened{SubscriptionID: "other"}),
		event(id, invoiceswitch.InvoiceSwitchRequested{SubscriptionID: "sub"}),
	}
	approved := func(covers bool) []domain.Recorded[any] {
		return append(slices.Clip(asked), event(id, invoiceswitch.InvoiceSwitchApproved{SubscriptionID: "sub", PONumber: "PO 7", CoversBalance: covers}))
	}
	change := domain.Dispatch{To: "sub", Command: billing.ChangePaymentMethodKind{Kind: billing.KindInvoice, PONumber: "PO 7", CaseID: id}}
	confirm := domain.Dispatch{To: id, Command: invoiceswitch.ConfirmSwitchApplied{}}
	changed := event("sub", billing.PaymentMethodKindChanged{Old: billing.KindCard, New: billing.KindInvoice})
	run(t, []reactionCase{
		{name: "C10: a case hears what is owed", reaction: name, given: asked[:3], when: asked[3], then: judge(bill)},
		{name: "C10: and what is paid", reaction: name, given: asked, when: event(bill, collection.AccountRecovered{SubscriptionID: "sub"}), then: judge()},
		{name: "C10: and what becomes due", reaction: name, given: asked, when: event("bill-0", collection.CollectionOpened{SubscriptionID: "sub"}), then: judge("bill-0", bill)},
		{name: "C10: a case that was denied hears nothing", reaction: name, given: append(slices.Clip(asked), event(id, invoiceswitch.InvoiceSwitchDenied{})), when: event(bill, collection.AccountRecovered{SubscriptionID: "sub"})},
		{name: "C10: a case hears that its subscription has ended", reaction: name, given: asked, when: event("sub", billing.SubscriptionCanceled{}), then: judge(bill)},
		{name: "C10: also once it is approved", reaction: name, given: approved(true), when: event("sub", billing.SubscriptionCanceled{}), then: judge(bill)},
		{name: "C10: and not of another's end", reaction: name, given: asked, when: event("other", billing.SubscriptionCanceled{})},
		{name: "C10: what was cancelled is still owed", reaction: name, given: asked, when: event(bill, collection.CollectionClosed{Outcome: collection.OutcomeCanceled})},
		{name: "C10: an approval changes how the subscription is paid for", reaction: name, given: asked, when: approved(false)[4], then: []domain.Effect{change}},
		{name: "C10: the case hears that it holds", reaction: name, given: approved(false), when: changed, then: []domain.Effect{confirm}},
		{
			name: "C10: the balance goes along where the rules say so", reaction: name, given: approved(true), when: changed,
			then: []domain.Effect{confirm, domain.Dispatch{To: bill, Command: collection.CoverByInvoice{CaseID: id}}},
		},
		{name: "C10: once", reaction: name, given: append(approved(true), changed), when: changed},
	})
}
