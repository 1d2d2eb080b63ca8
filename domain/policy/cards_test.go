package policy_test

import (
	"maps"
	"testing"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
)

// The people of own: a global admin, a billing admin with both roles, an
// auditor, and one who was billing admin. Ann owns the cards and has no role.
func people() []domain.Recorded[any] {
	elsewhere := event("zoe", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}})
	elsewhere.Tenant = other
	return []domain.Recorded[any]{
		event("gus", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin, domain.Auditor}}),
		event("bea", admin.EmployeeAdded{}),
		event("bea", admin.RoleAssigned{Role: domain.BillingAdmin}),
		event("bea", admin.RoleAssigned{Role: domain.GlobalAdmin}),
		event("bea", admin.RoleRemoved{Role: domain.GlobalAdmin}),
		event("aud", admin.EmployeeAdded{Roles: []domain.Role{domain.Auditor}}),
		event("old", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
		event("old", admin.RoleRemoved{Role: domain.BillingAdmin}),
		event("ann", admin.EmployeeAdded{}),
		elsewhere,
	}
}

func declined(class collection.Class, retry collection.Retry, show collection.Show) collection.ChargeDeclined {
	return collection.ChargeDeclined{
		SubscriptionID: "sub", CardID: "c1", AmountMinor: 9900, Currency: "SEK", Code: "the_code", Class: class, Retry: retry,
		WhoFixes: collection.Customer, ChecklistItem: collection.ItemExpiry, ShowCode: show, Attempt: 2, At: noon,
		Owner: "ann", Last4: "4242", Brand: "visa", ExpMonth: 4, ExpYear: 2027,
	}
}

func decline(class, item, code string, owner bool) object {
	return object{
		"brand": "visa", "last4": "4242", "expMonth": 4, "expYear": 2027, "amountMinor": 9900, "currency": "SEK",
		"class": class, "checklistItem": item, "code": code, "subscriptionId": "sub", "invoiceId": "inv", "cardId": "c1",
		"attempt": 2, "ownerIsRecipient": owner,
	}
}

func declinedTo(class, item, code string) []domain.Effect {
	var effects []domain.Effect
	for _, p := range []string{"ann", "bea", "gus"} {
		effects = append(effects, mail("card_declined", decline(class, item, code, p == "ann"), p)...)
	}
	return effects
}

func TestDeclines(t *testing.T) {
	late := declined(collection.DataExpiry, collection.Never, collection.ShowCode)
	late.AfterPayment = true
	byAdmin := declined(collection.DataExpiry, collection.Never, collection.ShowCode)
	byAdmin.Owner = "gus"
	const tell, promote = "tell-of-declined-charge", "promote-backup-card"
	promotion := func(reason string) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: "sub", Command: billing.PromoteBackupCard{Reason: reason, FailedCardID: "c1"}}}
	}
	run(t, []reactionCase{
		{
			name: "one notice for each of owner, global and billing admins", reaction: tell, given: people(),
			when: event("inv", declined(collection.DataExpiry, collection.Never, collection.ShowCode)),
			then: declinedTo("data-expiry", "expiry", "the_code"),
		},
		{
			name: "stolen card looks like any other no", reaction: tell, given: people(),
			when: event("inv", declined(collection.FraudMasked, collection.Never, collection.ShowMasked)),
			then: declinedTo("issuer-soft", "bank", "generic_decline"),
		},
		{
			name: "owner who is an admin is told once", reaction: tell, given: people()[:1], when: event("inv", byAdmin),
			then: mail("card_declined", decline("data-expiry", "expiry", "the_code", true), "gus"),
		},
		{name: "after the payment", reaction: tell, given: people(), when: event("inv", late)},

		{name: "never again", reaction: promote, when: event("inv", declined(collection.DataExpiry, collection.Never, collection.ShowCode)), then: promotion("data-expiry")},
		{name: "the reason is masked", reaction: promote, when: event("inv", declined(collection.FraudMasked, collection.Never, collection.ShowMasked)), then: promotion("issuer-soft")},
		{name: "may be tried again", reaction: promote, when: event("inv", declined(collection.Funds, collection.Spaced, collection.ShowCode))},
		{name: "only with the customer", reaction: promote, when: event("inv", declined(collection.Auth, collection.WithCustomer, collection.ShowCode))},
		{name: "a duplicate says nothing against the card", reaction: promote, when: event("inv", declined(collection.Duplicate, collection.Never, collection.ShowCode))},
		{name: "never again, after the payment", reaction: promote, when: event("inv", late)},
	})
}

func TestCardChanges(t *testing.T) {
	const name, template = "tell-of-card-change", "card_changed"
	added := func(id, owner, last4 string) domain.Recorded[any] {
		return event(id, card.CardAdded{
			Tenant: own, GatewayToken: "tok", Brand: "visa", Last4: last4, ExpMonth: 4, ExpYear: 2027,
			Fingerprint: "fp", Holder: about("Ann"), AddedBy: owner, At: noon,
		})
	}
	given := append(people(), added("c1", "ann", "4242"), added("c2", "gus", "4444"))
	change := func(what string, more object) object {
		o := object{"change": what, "cardId": "c1", "brand": "visa", "last4": "4242", "expMonth": 4, "expYear": 2027}
		maps.Copy(o, more)
		return o
	}
	three := []string{"ann", "bea", "gus"}
	run(t, []reactionCase{
		{name: "added", reaction: name, given: people(), when: added("c1", "ann", "4242"), then: mail(template, change("added", nil), three...)},
		{
			name: "edited", reaction: name, given: given,
			when: event("c1", card.CardDetailsUpdated{Changed: []string{"holderName", "expYear"}, Holder: about("Bo"), ExpYear: 2031}),
			then: mail(template, change("edited", object{"expYear": 2031, "changed": []string{"holderName", "expYear"}}), three...),
		},
		{
			name: "replaced on one subscription", reaction: name, given: given,
			when: event("c1", card.CardReplaced{OldCardID: "c1", NewCardID: "c2", Scope: card.ScopeSubscription, Subscriptions: []string{"s1"}, Reason: "requested", At: noon}),
			then: mail(template, change("replaced", object{
				"newCardId": "c2", "newBrand": "visa", "newLast4": "4444", "subscriptionId": "s1", "subscriptions": []string{"s1"},
			}), three...),
		},
		{
			name: "replaced by a card of somebody without a role", reaction: name,
			given: []domain.Recorded[any]{added("c1", "ann", "4242"), added("c2", "dan", "4444")},
			when:  event("c1", card.CardReplaced{OldCardID: "c1", NewCardID: "c2", Scope: card.ScopeAll, Subscriptions: []string{"s1", "s2"}, Reason: "requested", At: noon}),
			then: mail(template, change("replaced", object{
				"newCardId": "c2", "newBrand": "visa", "newLast4": "4444", "subscriptions": []string{"s1", "s2"},
			}), "ann", "dan"),
		},
		{name: "removed", reaction: name, given: given, when: event("c1", card.CardRemoved{Reason: "requested", Owner: "ann"}), then: mail(template, change("removed", nil), three...)},
		{
			name: "updated by the network", reaction: name, given: given,
			when: event("c1", card.CardAutomaticallyUpdated{Source: "account-updater", Changed: []string{"last4"}, Last4: "1881", ExpMonth: 5, ExpYear: 2029, Brand: "visa", At: noon}),
			then: mail(template, change("auto-updated", object{"last4": "1881", "expMonth": 5, "expYear": 2029, "changed": []string{"last4"}}), three...),
		},
		{
			name: "backup added", reaction: name, given: given, when: event("s1", billing.BackupCardAdded{CardID: "c1", Priority: 1, AddedBy: "ann"}),
			then: mail(template, change("backup-added", object{"subscriptionId": "s1"}), three...),
		},
		{
			name: "a removed card is forgotten", reaction: name, given: append(given, event("c1", card.CardRemoved{Owner: "ann"})),
			when: event("c1", card.CardRemoved{Owner: "ann"}),
		},
		{name: "a card that was never added", reaction: name, given: people(), when: event("c9", card.CardRemoved{Owner: "ann"})},
	})
}

func TestCardsFollowSubscriptions(t *testing.T) {
	attach := func(id string) domain.Effect {
		return domain.Dispatch{To: id, Command: card.AttachCard{SubscriptionID: "s1"}}
	}
	detach := func(id string) domain.Effect {
		return domain.Dispatch{To: id, Command: card.DetachCard{SubscriptionID: "s1"}}
	}
	apply := billing.ApplyCardReplacement{OldCardID: "c1", NewCardID: "c2", Reason: "requested"}
	const name = "attach-cards"
	run(t, []reactionCase{
		{name: "registered", reaction: name, when: event("s1", billing.SubscriptionRegistered{CardID: "c1"}), then: []domain.Effect{attach("c1")}},
		{name: "backup added", reaction: name, when: event("s1", billing.BackupCardAdded{CardID: "c2"}), then: []domain.Effect{attach("c2")}},
		{name: "primary changed", reaction: name, when: event("s1", billing.PrimaryCardChanged{Old: "c1", New: "c2"}), then: []domain.Effect{attach("c2"), detach("c1")}},
		{name: "backup changed", reaction: name, when: event("s1", billing.BackupCardChanged{Old: "c1", New: "c2"}), then: []domain.Effect{attach("c2"), detach("c1")}},
		{name: "backup promoted", reaction: name, when: event("s1", billing.CardPromotedToPrimary{CardID: "c2", Old: "c1"}), then: []domain.Effect{attach("c2"), detach("c1")}},
		{
			name: "C10: paid for by invoice", reaction: name, when: event("s1", billing.PaymentMethodKindChanged{New: billing.KindInvoice, Released: []string{"c1", "c2"}}),
			then: []domain.Effect{detach("c1"), detach("c2")},
		},
		{
			name: "replaced", reaction: "apply-card-replacement",
			when: event("c1", card.CardReplaced{OldCardID: "c1", NewCardID: "c2", Subscriptions: []string{"s1", "s2"}, Reason: "requested"}),
			then: []domain.Effect{domain.Dispatch{To: "s1", Command: apply}, domain.Dispatch{To: "s2", Command: apply}},
		},
	})
}

func TestCustomerChanges(t *testing.T) {
	const name, template = "tell-of-customer-change", "customer_account_changed"
	byPartner := func(data any) domain.Recorded[any] {
		e := event(own, data)
		e.Actor = domain.Actor{ID: "pat", Kind: domain.KindPerson, Tenant: partner}
		return e
	}
	details := customer.CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "Contoso AB"}
	bill := customer.CustomerBillingInfoUpdated{
		PartnerID: partner, Changed: []string{"firstName", "defaultAddress.city"},
		Contact: domain.About(own, customer.BillingContact{FirstName: "Ann"}),
	}
	given := append(people(), byPartner(customer.CustomerRegistered{PartnerID: partner, CompanyName: "Contoso"}))
	told := func(company string, changed ...string) []domain.Effect {
		data := object{"changed": changed, "companyName": company, "partnerId": partner, "customerId": own}
		return append(mail(template, data, "bea", "gus"),
			domain.Notice{To: "pat", Tenant: partner, Channel: domain.Mail, Template: template, Data: data})
	}
	bySystem := event(own, details)
	bySystem.Actor = domain.Actor{ID: "konto", Kind: domain.KindSystem}
	run(t, []reactionCase{
		{name: "registered", reaction: name, given: people(), when: byPartner(customer.CustomerRegistered{PartnerID: partner})},
		{name: "details: the customer's team and the partner's person", reaction: name, given: given, when: byPartner(details), then: told("Contoso AB", "companyName")},
		{name: "billing info: the fields, not what they say", reaction: name, given: given, when: byPartner(bill), then: told("Contoso", "firstName", "defaultAddress.city")},
		{name: "billing info after a new name", reaction: name, given: append(given, byPartner(details)), when: byPartner(bill), then: told("Contoso AB", "firstName", "defaultAddress.city")},
		{name: "not by a person", reaction: name, given: given, when: bySystem, then: told("Contoso AB", "companyName")[:2]},
	})
}
