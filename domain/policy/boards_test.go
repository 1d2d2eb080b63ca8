package policy_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/collection"
	"konto/domain/invoiceswitch"
	"konto/domain/organization"
)

// besides is one mail to a contact of the profile, and who else gets it.
func besides(template, contact string, data any, people ...string) domain.Effect {
	return domain.Notice{To: contact, Channel: domain.Mail, Template: template, Data: data, Besides: people}
}

func TestContactsAreTold(t *testing.T) {
	ann := event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}})
	mailbox := event(own, organization.OrganizationContactEmailChanged{New: about("billing@own.example")})
	noMailbox := event(own, organization.OrganizationContactEmailChanged{Old: about("billing@own.example")})
	technician := event(own, organization.TechnicalContactChanged{New: about("it@own.example")})
	theirs := mailbox
	theirs.Tenant = other
	const org, it = domain.OrganizationContact, domain.TechnicalContact

	declines := declined(collection.Funds, collection.Spaced, collection.ShowCode)
	declines.Owner, declines.ChecklistItem = "ann", collection.ItemBank
	toAnn, toOther := decline("funds", "bank", "the_code", true), decline("funds", "bank", "the_code", false)
	later := noon.Add(time.Hour)
	face := collection.Face{Owner: "ann", Last4: "4242", Brand: "visa"}
	pastDue := collection.PaymentPastDue{SubscriptionID: "sub", CardID: "k", AmountMinor: 5, Currency: "SEK", Attempts: 3, GraceUntil: later, At: noon, Face: face}
	final := object{
		"brand": "visa", "last4": "4242", "amountMinor": 5, "currency": "SEK", "subscriptionId": "sub", "invoiceId": bill,
		"cardId": "k", "attempts": 3, "graceUntil": later,
	}
	off := collection.ServiceSuspended{SubscriptionID: "sub", Reason: collection.Unpaid, AmountMinor: 5, Currency: "SEK", At: noon, DataUntil: later, Owner: "ann"}
	isOff := object{
		"subscriptionId": "sub", "invoiceId": bill, "amountMinor": 5, "currency": "SEK", "at": noon, "dataUntil": later, "reason": "unpaid",
	}
	back := collection.AccountRecovered{SubscriptionID: "sub", From: collection.Suspended, By: collection.ByCharge, At: noon, Owner: "ann"}
	from := func(p collection.Phase) object {
		return object{"subscriptionId": "sub", "invoiceId": bill, "at": noon, "from": string(p), "by": "charge"}
	}
	recovered := func(p collection.Phase, reminded bool) domain.Recorded[any] {
		e := back
		e.From, e.Reminded = p, reminded
		return event(bill, e)
	}
	isBack := from(collection.Suspended)
	both := []domain.Recorded[any]{ann, mailbox, technician}
	all := func(template string, toAnn, toOthers any) []domain.Effect {
		return append(mail(template, toAnn, "ann"), besides(template, org, toOthers, "ann"), besides(template, it, toOthers, "ann", org))
	}
	const tell, collecting = "tell-of-declined-charge", "tell-of-collection"
	run(t, []reactionCase{
		{
			name: "S5: a decline is told to the organization's address, too", reaction: tell, given: both, when: event("inv", declines),
			then: append(mail("card_declined", toAnn, "ann"), besides("card_declined", org, toOther, "ann")),
		},
		{name: "S5: no address, no message", reaction: tell, given: []domain.Recorded[any]{ann, technician}, when: event("inv", declines), then: mail("card_declined", toAnn, "ann")},
		{name: "S5: the address was taken away", reaction: tell, given: []domain.Recorded[any]{ann, mailbox, noMailbox}, when: event("inv", declines), then: mail("card_declined", toAnn, "ann")},
		{name: "S5: another tenant's address", reaction: tell, given: []domain.Recorded[any]{ann, theirs}, when: event("inv", declines), then: mail("card_declined", toAnn, "ann")},
		{name: "C9: the technical contact hears that the last attempt failed", reaction: collecting, given: both, when: event(bill, pastDue), then: all("card_declined_final", final, final)},
		{name: "C9: the technical contact hears that the service is off", reaction: collecting, given: both, when: event(bill, off), then: all("service_suspended", isOff, isOff)},
		{name: "D5: the technical contact hears that the service is back", reaction: collecting, given: both, when: event(bill, back), then: all("service_restored", isBack, isBack)},
		{
			name: "D5: a decline that was paid the next day is nothing to the technical contact", reaction: collecting, given: both, when: recovered(collection.Retrying, false),
			then: append(mail("service_restored", from(collection.Retrying), "ann"), besides("service_restored", org, from(collection.Retrying), "ann")),
		},
		{
			name: "D5: nor is a hard one", reaction: collecting, given: both, when: recovered(collection.Accelerated, false),
			then: append(mail("service_restored", from(collection.Accelerated), "ann"), besides("service_restored", org, from(collection.Accelerated), "ann")),
		},
		{
			name: "D5: but whoever was reminded hears that it is paid", reaction: collecting, given: both, when: recovered(collection.Accelerated, true),
			then: all("service_restored", from(collection.Accelerated), from(collection.Accelerated)),
		},
		{
			name: "D5: and so does who heard that no attempt is planned", reaction: collecting, given: both, when: recovered(collection.PastDue, false),
			then: all("service_restored", from(collection.PastDue), from(collection.PastDue)),
		},
		{
			name: "D7: and who heard of a chargeback", reaction: collecting, given: both, when: recovered(collection.ChargedBack, false),
			then: all("service_restored", from(collection.ChargedBack), from(collection.ChargedBack)),
		},
		{
			name: "S8: an organization with a technical contact alone", reaction: collecting, given: []domain.Recorded[any]{ann, technician}, when: event(bill, back),
			then: append(mail("service_restored", isBack, "ann"), besides("service_restored", it, isBack, "ann")),
		},
	})
}

func TestSupportIsAsked(t *testing.T) {
	const name = "ask-support-to-decide"
	at := func(tenant string, e domain.Recorded[any]) domain.Recorded[any] {
		e.Tenant = tenant
		return e
	}
	sue := at(partner, event("sue", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingSupport}}))
	sam := []domain.Recorded[any]{
		at(partner, event("sam", admin.EmployeeAdded{})), at(partner, event("sam", admin.RoleAssigned{Role: domain.BillingSupport})),
	}
	ann := event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}})
	asked := func(by string) domain.Recorded[any] {
		return event("case", invoiceswitch.InvoiceSwitchRequested{SubscriptionID: "sub", By: by})
	}
	opened := func(by, opener string) domain.Recorded[any] {
		return event("case", invoiceswitch.InvoiceSwitchRequested{SubscriptionID: "sub", By: by, OpenedBy: opener})
	}
	tells := func(people ...string) []domain.Effect {
		var all []domain.Effect
		for _, p := range people {
			all = append(all, domain.Notice{
				To: p, Tenant: partner, Channel: domain.Mail, Template: "invoice_switch_status",
				Data: object{"caseId": "case", "subscriptionId": "sub", "status": "to-review", "customerId": own},
			})
		}
		return all
	}
	history := func(more ...domain.Recorded[any]) []domain.Recorded[any] {
		return append(append([]domain.Recorded[any]{ann, sue}, sam...), more...)
	}
	run(t, []reactionCase{
		{name: "C10: billing support is asked, of whichever tenant", reaction: name, given: history(), when: asked("ann"), then: tells("sam", "sue")},
		{name: "C10: who opened the case knows of it", reaction: name, given: history(), when: asked("sue"), then: tells("sam")},
		{name: "C10: who opened the case for a customer knows of it", reaction: name, given: history(), when: opened("ann", "sue"), then: tells("sam")},
		{name: "C10: who lost the role is not asked", reaction: name, given: history(at(partner, event("sam", admin.RoleRemoved{Role: domain.BillingSupport}))), when: asked("ann"), then: tells("sue")},
		{name: "C10: another role lost changes nothing", reaction: name, given: history(at(partner, event("sam", admin.RoleRemoved{Role: domain.Auditor}))), when: asked("ann"), then: tells("sam", "sue")},
		{name: "S13: who has left is not asked", reaction: name, given: history(at(partner, event("sue", admin.EmployeeBlocked{}))), when: asked("ann"), then: tells("sam")},
		{
			name: "S13: who came back is asked", reaction: name, when: asked("ann"), then: tells("sam", "sue"),
			given: history(at(partner, event("sue", admin.EmployeeBlocked{})), at(partner, event("sue", admin.EmployeeRestored{Roles: []domain.Role{domain.BillingSupport}}))),
		},
		{name: "C10: without billing support nobody is asked", reaction: name, given: []domain.Recorded[any]{ann}, when: asked("ann")},
	})
}
