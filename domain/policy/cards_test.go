package policy_test

import (
	"maps"
	"slices"
	"testing"
	"time"

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
	o := object{
		"brand": "visa", "last4": "4242", "expMonth": 4, "expYear": 2027, "amountMinor": 9900, "currency": "SEK",
		"class": class, "checklistItem": item, "code": code, "subscriptionId": "sub", "invoiceId": "inv", "cardId": "c1",
		"attempt": 2, "ownerIsRecipient": owner,
	}
	if item == "expiry" { // N5: what is wrong is named
		o["wrong"] = []any{object{"name": "expiry", "status": "issuer-mismatch", "fix": "UpdateCardDetails"}}
	}
	return o
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
		{name: "C5: backup removed", reaction: name, when: event("s1", billing.BackupCardRemoved{CardID: "c1"}), then: []domain.Effect{detach("c1")}},
		{
			name: "C11: deleted", reaction: name, when: event("s1", billing.SubscriptionDeleted{Released: []string{"c1", "c2"}}),
			then: []domain.Effect{detach("c1"), detach("c2")},
		},
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

func TestExpiry(t *testing.T) {
	const watch, promote = "watch-card-expiry", "promote-over-unusable-card"
	look := func(after time.Duration) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: "c1", Command: card.CheckCardExpiry{DueAt: noon.Add(after)}, After: max(0, after)}}
	}
	at := noon.Add(48 * time.Hour)
	over := func(reason string) []domain.Effect {
		return []domain.Effect{
			domain.Dispatch{To: "s1", Command: billing.PromoteBackupCard{Reason: reason, FailedCardID: "c1"}},
			domain.Dispatch{To: "s2", Command: billing.PromoteBackupCard{Reason: reason, FailedCardID: "c1"}},
		}
	}
	lost := []domain.Effect{domain.Dispatch{To: "c1", Command: card.RecordCardStatus{Status: card.StatusReportedLost, Source: "decline"}}}
	declinedFor := func(code string) collection.ChargeDeclined {
		d := declined(collection.FraudMasked, collection.Never, collection.ShowMasked)
		d.Code = code
		return d
	}
	run(t, []reactionCase{
		{name: "C3: a new card is looked at in time", reaction: watch, when: event("c1", card.CardAdded{ExpiryCheckAt: at}), then: look(48 * time.Hour)},
		{name: "C3: a new expiry is", reaction: watch, when: event("c1", card.CardDetailsUpdated{ExpiryCheckAt: at}), then: look(48 * time.Hour)},
		{name: "C3: the network's expiry is", reaction: watch, when: event("c1", card.CardAutomaticallyUpdated{ExpiryCheckAt: at}), then: look(48 * time.Hour)},
		{name: "C3: after a warning comes the next", reaction: watch, when: event("c1", card.CardExpiringSoon{Days: 7, ExpiryCheckAt: at}), then: look(48 * time.Hour)},
		{name: "C3: after a look that found nothing comes the next", reaction: watch, when: event("c1", card.ExpiryCheckPostponed{ExpiryCheckAt: at}), then: look(48 * time.Hour)},
		{name: "C3: a moment that is past is at once", reaction: watch, when: event("c1", card.CardAutomaticallyUpdated{ExpiryCheckAt: noon.Add(-1)}), then: look(-1)},
		{name: "C3: a card added before anybody looked", reaction: watch, when: event("c1", card.CardAdded{})},
		{name: "C3: an edit that changes no expiry", reaction: watch, when: event("c1", card.CardDetailsUpdated{Changed: []string{"phone"}})},
		{name: "C5: backups step in for an expired card", reaction: promote, when: event("c1", card.CardExpired{Subscriptions: []string{"s1", "s2"}}), then: over("expired")},
		{name: "C5: backups step in for a lost card, and nobody reads that it is lost", reaction: promote, when: event("c1", card.CardReportedLost{Subscriptions: []string{"s1", "s2"}}), then: over("issuer-soft")},
		{name: "C7: a lost card is blocked", reaction: "note-lost-card", when: event("inv", declinedFor("lost_card")), then: lost},
		{name: "C7: a stolen card is blocked", reaction: "note-lost-card", when: event("inv", declinedFor("stolen_card")), then: lost},
		{name: "C7: a fraudulent charge says nothing of the card", reaction: "note-lost-card", when: event("inv", declinedFor("fraudulent"))},
		{
			name: "C11: what is cancelled is deleted in time", reaction: "delete-cancelled-subscription",
			when: event("s1", billing.SubscriptionCanceled{At: noon, DataUntil: at}),
			then: []domain.Effect{domain.Dispatch{To: "s1", Command: billing.DeleteSubscription{CancelledAt: noon}, After: 48 * time.Hour}},
		},
	})
}

func TestExpiryNotices(t *testing.T) {
	const name = "tell-of-card-change"
	added := func(id, owner string) domain.Recorded[any] {
		return event(id, card.CardAdded{Brand: "visa", Last4: "4242", ExpMonth: 4, ExpYear: 2027, AddedBy: owner, At: noon})
	}
	given := append(people(), added("c1", "gus"), added("c2", "bea"),
		event("s1", billing.SubscriptionRegistered{CardID: "c1"}), event("s2", billing.SubscriptionRegistered{CardID: "c1"}),
		event("s2", billing.BackupCardAdded{CardID: "c2"}))
	both := []string{"s1", "s2"}
	face := object{"cardId": "c1", "brand": "visa", "last4": "4242", "expMonth": 4, "expYear": 2027}
	with := func(more object) object {
		o := maps.Clone(face)
		maps.Copy(o, more)
		return o
	}
	soon := func(days int, canAct, ask bool) domain.Recorded[any] {
		return event("c1", card.CardExpiringSoon{Days: days, ExpMonth: 4, ExpYear: 2027, Subscriptions: both, OwnerCanAct: canAct, AskOthers: ask})
	}
	warning := func(days int, owner bool) object {
		return with(object{"days": days, "subscriptionIds": both, "ownerIsRecipient": owner})
	}
	request := func(subscriptions ...string) []domain.Effect {
		return mail("backup_card_requested", with(object{"subscriptionIds": subscriptions, "reason": "expiring"}), "bea")
	}
	ended := func(owner bool) object { return with(object{"subscriptionIds": both, "ownerIsRecipient": owner}) }
	after := func(e ...domain.Recorded[any]) []domain.Recorded[any] { return append(slices.Clone(given), e...) }
	run(t, []reactionCase{
		{name: "C3: the owner is told", reaction: name, given: given, when: soon(60, true, false), then: mail("card_expiring", warning(60, true), "gus")},
		{
			name: "C5: others are asked for a backup where there is none", reaction: name, given: given, when: soon(15, true, true),
			then: slices.Concat(mail("card_expiring", warning(15, true), "gus"), request("s1")),
		},
		{
			name: "N6: others are told and asked if the owner can do nothing", reaction: name, given: given, when: soon(60, false, false),
			then: slices.Concat(mail("card_expiring", warning(60, false), "bea"), request("s1")),
		},
		{
			name: "C5: a backup that went away is asked for again", reaction: name, given: after(event("s2", billing.BackupCardRemoved{CardID: "c2"})), when: soon(7, true, true),
			then: slices.Concat(mail("card_expiring", warning(7, true), "gus"), request("s1", "s2")),
		},
		{
			name: "C5: nobody is asked for what another card pays", reaction: name, when: soon(7, true, true),
			given: after(event("s1", billing.PrimaryCardChanged{Old: "c1", New: "c2"})), then: mail("card_expiring", warning(7, true), "gus"),
		},
		{
			name: "C5: nobody is asked for what is paid by invoice", reaction: name, when: soon(7, true, true),
			given: after(event("s1", billing.PaymentMethodKindChanged{New: billing.KindInvoice})), then: mail("card_expiring", warning(7, true), "gus"),
		},
		{
			name: "C5: nobody is asked for what is gone", reaction: name, when: soon(7, true, true),
			given: after(event("s1", billing.SubscriptionDeleted{})), then: mail("card_expiring", warning(7, true), "gus"),
		},
		{
			name: "C5: a backup in another's place is a backup", reaction: name, when: soon(7, true, true),
			given: after(added("c3", "bea"), event("s2", billing.BackupCardChanged{Old: "c2", New: "c3"})),
			then:  slices.Concat(mail("card_expiring", warning(7, true), "gus"), request("s1")),
		},
		{name: "K3: the owner is told of the end", reaction: name, given: given, when: event("c1", card.CardExpired{Subscriptions: both, OwnerCanAct: true}), then: mail("card_expired", ended(true), "gus")},
		{name: "N6: others are told of the end", reaction: name, given: given, when: event("c1", card.CardExpired{Subscriptions: both}), then: mail("card_expired", ended(false), "bea")},
		{name: "C3: a card that was never added", reaction: name, given: people(), when: soon(7, false, true)},
		{
			name: "N6: a leaver's card is all that pays", reaction: name, given: given, when: event("gus", admin.EmployeeOffboarded{}),
			then: mail("backup_card_requested", with(object{"subscriptionIds": []string{"s1"}, "reason": "owner-left"}), "bea"),
		},
		{name: "N6: a leaver without cards that pay", reaction: name, given: given, when: event("bea", admin.EmployeeOffboarded{})},
		{
			name: "C5: a backup takes over from an expired card", reaction: name, given: given,
			when: event("s2", billing.CardPromotedToPrimary{CardID: "c2", Old: "c1", Reason: "expired"}),
			then: mail("card_changed", with(object{
				"change": "expired-promoted", "newCardId": "c2", "newBrand": "visa", "newLast4": "4242", "subscriptionId": "s2", "subscriptions": []string{"s2"},
			}), "bea", "gus"),
		},
		{name: "C5: a backup takes over after a decline, which was told", reaction: name, given: given, when: event("s2", billing.CardPromotedToPrimary{CardID: "c2", Old: "c1", Reason: "funds"})},
		{
			name: "S9: a new billing address is told once", reaction: name, given: given,
			when: event("c1", card.CardDetailsUpdated{Changed: []string{"billingAddress.city"}}),
			then: mail("billing_address_changed", object{"kind": "bill-to", "cardId": "c1"}, "bea", "gus"),
		},
	})
}

func TestSubscriptionNotices(t *testing.T) {
	const name = "tell-of-subscription-change"
	access, data := noon.Add(time.Hour), noon.Add(2*time.Hour)
	run(t, []reactionCase{
		{
			name: "C11: cancelled", reaction: name, given: people(), when: event("s1", billing.SubscriptionCanceled{At: noon, AdminAccessUntil: access, DataUntil: data}),
			then: mail("subscription_cancelled", object{
				"subscriptionId": "s1", "endsAt": noon.Format(time.RFC3339), "adminAccessUntil": access.Format(time.RFC3339), "dataUntil": data.Format(time.RFC3339),
			}, "bea", "gus"),
		},
		{
			name: "C11: days not used are credited in the next cycle", reaction: name, given: people(),
			when: event("s1", billing.SubscriptionCanceled{At: noon, AdminAccessUntil: access, DataUntil: data, Credit: billing.NextCycle}),
			then: mail("subscription_cancelled", object{
				"subscriptionId": "s1", "endsAt": noon.Format(time.RFC3339), "adminAccessUntil": access.Format(time.RFC3339), "dataUntil": data.Format(time.RFC3339),
				"credit": true,
			}, "bea", "gus"),
		},
		{
			name: "C9: cancelled because nobody paid", reaction: name, given: people(),
			when: event("s1", billing.SubscriptionCanceled{At: noon, AdminAccessUntil: noon, DataUntil: data, UnpaidInvoice: bill}),
			then: mail("subscription_cancelled", object{
				"subscriptionId": "s1", "endsAt": noon.Format(time.RFC3339), "adminAccessUntil": noon.Format(time.RFC3339), "dataUntil": data.Format(time.RFC3339),
				"unpaidInvoice": bill,
			}, "bea", "gus"),
		},
		{name: "C11: taken back", reaction: name, given: people(), when: event("s1", billing.SubscriptionReactivated{At: noon}), then: mail("subscription_reactivated", object{"subscriptionId": "s1"}, "bea", "gus")},
		{name: "S9: used elsewhere", reaction: name, given: people(), when: event("s1", billing.ServiceUsageAddressChanged{}), then: mail("billing_address_changed", object{"kind": "service-usage", "subscriptionId": "s1"}, "bea", "gus")},
		{name: "S9: billed elsewhere", reaction: name, given: people(), when: event("s1", billing.BillToAddressChanged{}), then: mail("billing_address_changed", object{"kind": "bill-to", "subscriptionId": "s1"}, "bea", "gus")},
	})
}
