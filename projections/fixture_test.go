package projections_test

import (
	"encoding/json"
	"fmt"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/delivery"
	"konto/domain/feedback"
	"konto/domain/inlet"
	"konto/domain/invoiceswitch"
	"konto/domain/notification"
	"konto/domain/offboarding"
	"konto/domain/organization"
	"konto/domain/policyversion"
	"konto/domain/postal"
	"konto/domain/relationship"
	"konto/domain/reservation"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

// contracts are those whose events the read models know.
func contracts() []domain.Contract {
	return []domain.Contract{
		webhook.Aggregate, delivery.Aggregate,
		tenant.Aggregate, admin.Aggregate, securityinfo.Aggregate, card.Aggregate, billing.Aggregate, collection.Aggregate, invoiceswitch.Aggregate,
		customer.Aggregate, relationship.Aggregate, reservation.Aggregate, notification.Aggregate, inlet.Aggregate, policyversion.Aggregate, audit.Aggregate,
		tenant.Aggregate, admin.Aggregate, securityinfo.Aggregate, card.Aggregate, billing.Aggregate, collection.Aggregate,
		customer.Aggregate, offboarding.Aggregate, organization.Aggregate, feedback.Aggregate, relationship.Aggregate, reservation.Aggregate, notification.Aggregate, inlet.Aggregate, policyversion.Aggregate,
	}
}

// id returns a UUID that says what it is for.
func id(kind, n int) string { return fmt.Sprintf("%08d-0000-7000-8000-%012d", kind, n) }

// IDs of the fixtures.
var (
	northwind  = id(1, 1)
	contoso    = id(1, 2)
	anna       = id(2, 1)
	bo         = id(2, 2)
	cleo       = id(2, 3)
	visa       = id(3, 1)
	mastercard = id(3, 2)
	amex       = id(3, 3)
	mail       = id(4, 1)
	phones     = id(4, 2)
	licences   = id(4, 3) // paid for by invoice
	invoice    = id(5, 1)
)

// customerOf returns the ID of a customer of partner.
func customerOf(partner string) string { return "9" + partner[1:] }

// recoveryEvents are of a person without an account here, so that no list changes.
func recoveryEvents(h *history) {
	gone := id(2, 99)
	h.then(gone, securityinfo.ContactChangeUndone{Slot: securityinfo.SlotMobile, Change: "c", Contact: sealedValue[string](gone, "old"), VerifiedAt: start, At: start})
	h.then(gone, securityinfo.SecurityInfoReconfirmed{At: start, DueAt: start.AddDate(0, 0, 180)})
	h.then(gone, securityinfo.ReconfirmationPostponed{DueAt: start.AddDate(0, 0, 360), At: start})
	h.then(gone, securityinfo.ReconfirmationRequested{DueAt: start.AddDate(0, 0, 360), At: start})
	h.then("customer-editors", policyversion.PolicyVersionPublished{
		Name: "customer-editors", Version: 2, EffectiveAt: start, Rules: json.RawMessage(`{"roles":["global-admin"]}`), PublishedAt: start,
	})
	h.then("customer-editors", policyversion.PolicyVersionPostponed{
		Name: "customer-editors", Version: 2, From: start, EffectiveAt: start.AddDate(0, 0, 7), PostponedAt: start,
	})
}

func startHistory(tenant string) *history {
	return &history{tenant: tenant, actor: domain.Actor{ID: anna, Kind: domain.KindPerson, Tenant: tenant}}
}

// auditEvents are of a person without an account here, so that no list changes.
func auditEvents(h *history) {
	eva, scope := id(2, 98), audit.Scope{Kinds: []string{"card"}, Personal: true}
	grant := func(session string) audit.AuditAccessGranted {
		return audit.AuditAccessGranted{
			Session: session, Auditor: eva, Purpose: sealedValue[string](eva, "purpose"), Scope: scope, Until: start.Add(time.Hour), At: start,
		}
	}
	h.then(eva, grant(id(6, 1)))
	h.then(eva, audit.AuditHistoryRead{
		Session: id(6, 1), Auditor: eva, At: start, Checkpoint: "C:7/P:7",
		Query: audit.Query{Kind: audit.ReadDiff, Account: "card-" + visa, From: "0", To: "2"},
	})
	h.then(eva, audit.AuditHistoryRead{Session: id(6, 1), Auditor: eva, Query: audit.Query{Kind: audit.ReadEvents, Type: "T"}, Checkpoint: "C:8/P:8", At: start})
	h.then(eva, audit.AuditBundleExported{Session: id(6, 1), Auditor: eva, Scope: scope, Checkpoint: "C:9/P:9", Events: 3, Kinds: map[string]int64{"card": 3}, Digest: "ab", At: start})
	h.then(eva, audit.AuditAccessEnded{Session: id(6, 1), Auditor: eva, EndedBy: anna, Until: start.Add(time.Hour), At: start})
	h.then(eva, grant(id(6, 2)))
	h.then(eva, audit.AuditAccessExpired{Session: id(6, 2), Auditor: eva, At: start.Add(time.Hour)})
	h.then(eva, grant(id(6, 3)))
}

// everything is a history that has every event that a read model handles, and
// some that none does.
func everything(owner string) *history {
	h := startHistory(owner)
	h.then(owner, tenant.TenantRegistered{Name: "Northwind", Country: "SE", Currency: "SEK", Locale: "sv"})
	h.then(owner, tenant.DomainVerified{Domain: "northwind.se"})
	recoveryEvents(h)
	auditEvents(h)
	h.then(anna, admin.EmployeeAdded{
		Tenant: owner, SignInName: sealedValue[string](anna, "anna-mail"), DisplayName: sealedValue[string](anna, "anna-name"),
		Locale: "sv", Roles: []domain.Role{domain.GlobalAdmin, domain.BillingAdmin},
	})
	h.then(anna, admin.EmailAliasAdded{Email: sealedValue[string](anna, "anna-alias")})
	h.then(bo, admin.EmployeeAdded{
		Tenant: owner, SignInName: sealedValue[string](bo, "bo-mail"), DisplayName: sealedValue[string](bo, "bo-name"),
	})
	h.then(bo, admin.RoleAssigned{Role: domain.BillingAdmin})
	h.then(bo, admin.RoleAssigned{Role: domain.Auditor})
	h.then(bo, admin.RoleRemoved{Role: domain.Auditor})
	h.then(bo, admin.DisplayNameChanged{DisplayName: sealedValue[string](bo, "bo-new-name")})
	leaver(h)
	hooks(h)
	profile(h)
	contacts(h)
	cards(h)
	charges(h)
	cases(h)
	switches(h)
	partners(h)
	h.then(id(6, 1), notification.NotificationSent{
		Message: message(anna), RecipientDigests: []string{"d1", "d2"}, TextHash: "hash", MessageID: "m-1", Attempts: 1, At: start,
	})
	h.then(id(6, 2), notification.NotificationFailed{Message: message(bo), Reason: "refused", Attempts: 5, At: start})
	h.then(id(6, 3), notification.NotificationSuppressed{Message: message(bo), Why: "no verified contact", At: start})
	h.then(id(7, 1), inlet.GatewayEventReceived{Provider: "stripe", GatewayEventID: "evt_1", Type: "charge.failed", Outcome: "accepted", At: start})
	return h
}

// profile saves the organization's profile, and finds what cleo left behind.
func profile(h *history) {
	its := func(what string) domain.Personal[string] { return sealedValue[string](h.tenant, what) }
	h.then(h.tenant, organization.OrganizationProfileUpdated{Changed: []string{"name", "phone"}, Name: "Northwind", Phone: its("org-phone")})
	h.then(h.tenant, organization.SoldToAddressChanged{
		New: sealedValue[postal.Address](h.tenant, "org-address"), Checked: postal.Checked{Grade: postal.FormatOK},
	})
	h.then(h.tenant, organization.TechnicalContactChanged{New: its("org-it")})
	h.then(h.tenant, organization.PreferredLanguageChanged{New: "sv"})
	h.then(h.tenant, organization.OrganizationContactEmailChanged{New: its("org-mail")})
	h.then(h.tenant, organization.InvoiceAttachmentSet{On: true})
	h.then(cleo, offboarding.OrphanedItemsFound{Offboarding: "o1", Cards: []string{"c1"}, Subscriptions: []string{"s1"}, Bought: []string{"s2"}, DueAt: start})
	h.then(cleo, offboarding.OrphanedItemSettled{ItemID: "s2", How: offboarding.TakenOver, By: anna})
	h.then(cleo, offboarding.OffboardingClosed{Offboarding: "o1", Why: offboarding.Restored})
	h.then(cleo, offboarding.OrphanedItemsFound{Offboarding: "o2", Cards: []string{"c1"}, DueAt: start})
}

// leaver lets cleo come and go, come back and go for good.
func leaver(h *history) {
	h.then(cleo, admin.EmployeeAdded{
		Tenant: h.tenant, SignInName: sealedValue[string](cleo, "cleo-mail"), DisplayName: sealedValue[string](cleo, "cleo-name"),
	})
	h.then(cleo, admin.UserNameChanged{Old: sealedValue[string](cleo, "cleo-mail"), New: sealedValue[string](cleo, "cleo-mail2")})
	h.then(cleo, admin.PrimaryEmailChanged{Old: sealedValue[string](cleo, "cleo-mail2"), New: sealedValue[string](cleo, "cleo-mail")})
	h.then(cleo, admin.LanguageSwitched{New: "nl"})
	for _, offboarding := range []string{"o1", "o2"} {
		h.then(cleo, admin.EmployeeBlocked{Offboarding: offboarding, At: start})
		h.then(cleo, admin.SessionsRevoked{At: start})
		h.then(cleo, admin.EmployeeOffboarded{Offboarding: offboarding, At: start, RetainedUntil: start.AddDate(0, 0, 30)})
		if offboarding == "o1" {
			h.then(cleo, admin.EmployeeRestored{Offboarding: offboarding, At: start})
		}
	}
	h.then(cleo, admin.EmployeeDataRetentionExpired{Offboarding: "o2", At: start})
}

func message(person string) notification.Message {
	return notification.Message{
		Template: "card_declined", TemplateVersion: "1", Locale: "sv", Channel: domain.Mail, Person: person, CauseEventID: "cause-1",
	}
}

// contacts gives anna a verified mobile with a change waiting and an address
// that was invalidated, and takes her office phone away again.
func contacts(h *history) {
	waits := func(slot securityinfo.Slot, what, verification string) {
		if slot == securityinfo.SlotAlternateEmail {
			h.then(anna, securityinfo.AlternateEmailAdded{Email: sealedValue[string](anna, what), Verification: verification, At: start})
		} else {
			h.then(anna, securityinfo.PhoneMethodAdded{
				Slot: slot, Phone: sealedValue[securityinfo.Phone](anna, what), Type: securityinfo.Mobile, Verification: verification, At: start,
			})
		}
		h.then(anna, requested(slot, what, verification))
	}
	waits(securityinfo.SlotMobile, "mobile", "v1")
	h.then(anna, securityinfo.ContactVerificationFailed{Slot: securityinfo.SlotMobile, Verification: "v1", Attempt: 1})
	h.then(anna, verified(securityinfo.SlotMobile, "mobile"))
	waits(securityinfo.SlotAlternateEmail, "mail", "v2")
	h.then(anna, verified(securityinfo.SlotAlternateEmail, "mail"))
	h.then(anna, securityinfo.AlternateEmailChanged{
		AlternateEmailAdded: securityinfo.AlternateEmailAdded{Email: sealedValue[string](anna, "mail2"), Verification: "v3", At: start},
		Old:                 sealedValue[string](anna, "mail"),
	})
	h.then(anna, requested(securityinfo.SlotAlternateEmail, "mail2", "v3"))
	h.then(anna, securityinfo.AlternateEmailInvalidated{Reason: securityinfo.BecameTenantAddress, Waiting: true, At: start})
	h.then(anna, securityinfo.AlternateEmailInvalidated{Reason: securityinfo.BecameTenantAddress, At: start})
	waits(securityinfo.SlotOffice, "office", "v4")
	h.then(anna, securityinfo.ContactVerificationExpired{Slot: securityinfo.SlotOffice, Verification: "v4"})
	h.then(anna, securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotOffice, At: start})
	h.then(anna, securityinfo.PhoneMethodChanged{PhoneMethodAdded: securityinfo.PhoneMethodAdded{
		Slot: securityinfo.SlotMobile, Phone: sealedValue[securityinfo.Phone](anna, "mobile2"), Type: securityinfo.FixedLineOrMobile,
		Verification: "v5", At: start,
	}})
	h.then(anna, securityinfo.ContactChangeWithdrawn{Slot: securityinfo.SlotMobile, Verification: "v5"})
	h.then(bo, securityinfo.AlternateEmailAdded{Email: sealedValue[string](bo, "bo-mail"), Verification: "v6", At: start})
	h.then(bo, securityinfo.AlternateEmailRemoved{At: start})
	h.then(bo, securityinfo.PasswordResetStarted{Reset: "r1", Gate: securityinfo.GateTwo, Tries: 5, At: start})
	h.then(bo, securityinfo.RecoveryCodeRequested{Reset: "r1", Slot: securityinfo.SlotMobile, Contact: sealedValue[string](bo, "bo-mobile"), At: start})
	h.then(bo, securityinfo.RecoveryProofRejected{Reset: "r1", Method: securityinfo.SlotMobile, Attempt: 1, At: start})
	h.then(bo, securityinfo.RecoveryProofAccepted{Reset: "r1", Method: securityinfo.SlotMobile, At: start})
	h.then(bo, securityinfo.PasswordResetCompleted{Reset: "r1", Gate: securityinfo.GateTwo, At: start})
}

func requested(slot securityinfo.Slot, what, verification string) securityinfo.ContactVerificationRequested {
	return securityinfo.ContactVerificationRequested{
		Verification: verification, Slot: slot, Channel: slot.Channel(), Contact: sealedValue[string](anna, what),
		Attempt: 1, At: start, ExpiresAt: start.Add(10 * time.Minute),
	}
}

func verified(slot securityinfo.Slot, what string) securityinfo.ContactVerified {
	return securityinfo.ContactVerified{Slot: slot, Contact: sealedValue[string](anna, what), At: start.Add(time.Minute)}
}

func addCard(h *history, card_, owner, brand string, month, year int) {
	h.then(card_, card.CardAdded{
		Tenant: h.tenant, GatewayToken: "tok-" + card_, Brand: brand, Last4: "4242", ExpMonth: month, ExpYear: year,
		Funding: "credit", IssuerCountry: "SE", Fingerprint: "f", Holder: sealedValue[string](owner, "holder"),
		BillTo: sealedValue[card.Address](owner, "bill-to"), Country: "SE", Checks: card.Checks{Line1: "pass", Postal: "pass"},
		AddedBy: owner, At: start,
	})
}

func cards(h *history) {
	addCard(h, visa, anna, "visa", 1, 2027)
	addCard(h, mastercard, bo, "mastercard", 12, 2026)
	addCard(h, amex, bo, "amex", 10, 2026)
	h.then(mail, billing.SubscriptionRegistered{Product: "Mail", BoughtBy: anna, CardID: visa, At: start})
	h.then(visa, card.CardAttached{SubscriptionID: mail})
	h.then(phones, billing.SubscriptionRegistered{Product: "Phones", BoughtBy: bo, CardID: mastercard, At: start})
	h.then(mail, billing.BackupCardAdded{CardID: mastercard, Priority: 1, AddedBy: bo})
	h.then(mail, billing.BackupCardAdded{CardID: amex, Priority: 2, AddedBy: bo})
	h.then(mail, billing.CardPromotedToPrimary{CardID: mastercard, Old: visa, Reason: "funds"})
	h.then(mail, billing.BackupCardChanged{Old: amex, New: visa, Reason: "requested"})
	h.then(phones, billing.PrimaryCardChanged{Old: mastercard, New: visa, Reason: "requested"})
	h.then(visa, card.CardDetailsUpdated{
		Changed: []string{"holderName", "expMonth", "phone"}, Holder: sealedValue[string](anna, "new-holder"),
		ExpMonth: 2, Phone: sealedValue[string](anna, "phone"),
	})
	h.then(mastercard, card.CardAutomaticallyUpdated{
		Source: "account-updater", Changed: []string{"expYear"}, Last4: "4444", ExpMonth: 12, ExpYear: 2029, Brand: "mastercard",
		At: start.Add(time.Minute),
	})
	h.then(amex, card.CardReplaced{OldCardID: amex, NewCardID: visa, Scope: card.ScopeAll, Subscriptions: []string{mail}, At: start})
	h.then(amex, card.CardDetached{SubscriptionID: mail})
	h.then(licences, billing.SubscriptionRegistered{Product: "Licences", BoughtBy: anna, CardID: visa, At: start})
	h.then(licences, billing.BackupCardAdded{CardID: mastercard, Priority: 1, AddedBy: bo})
	h.then(licences, billing.PaymentMethodKindChanged{
		Old: billing.KindCard, New: billing.KindInvoice, PONumber: "PO 7", Released: []string{visa, mastercard}, At: start,
	})
	h.then(licences, billing.BillToAddressChanged{BillTo: sealedValue[billing.BillTo](anna, "bill"), At: start})
	h.then(licences, billing.ServiceUsageAddressChanged{Address: sealedValue[postal.Address](anna, "usage"), At: start})
	h.then(licences, billing.AssignedLicencesRecorded{Licences: 30, At: start})
	h.then(licences, billing.SubscriptionCancellationRequested{By: anna, At: start})
	h.then(licences, billing.SubscriptionCanceled{At: start, AdminAccessUntil: start.AddDate(0, 0, 90), DataUntil: start.AddDate(0, 0, 180)})
	h.then(licences, billing.SubscriptionReactivated{By: anna, CancelledAt: start, At: start})
	h.then(licences, billing.SubscriptionCanceled{At: start, AdminAccessUntil: start.AddDate(0, 0, 90), DataUntil: start.AddDate(0, 0, 180)})
	h.then(licences, billing.SubscriptionDeleted{At: start.AddDate(0, 0, 180)})
	h.then(amex, card.CardExpiringSoon{Days: 30, ExpMonth: 10, ExpYear: 2026, At: start})
	h.then(amex, card.ExpiryCheckPostponed{ExpiryCheckAt: start})
	h.then(amex, card.CardExpired{ExpMonth: 10, ExpYear: 2026, At: start})
	h.then(amex, card.CardReportedLost{Source: "stripe", At: start})
	h.then(mail, billing.BackupCardsReordered{CardIDs: []string{visa}})
	h.then(mail, billing.BackupCardRemoved{CardID: amex})
	h.then(amex, card.CardRemoved{Reason: "requested", Owner: bo})
}

// declinedWith returns what the domain makes of a decline.
func declinedWith(code, advice string, checks collection.Checks, attempt int, at time.Time) collection.ChargeDeclined {
	d := collection.Classify(code, advice, checks)
	return collection.ChargeDeclined{
		SubscriptionID: mail, CardID: mastercard, AmountMinor: 12900, Currency: "SEK", Code: code, AdviceCode: advice, Checks: checks,
		Class: d.Class, Retry: d.Retry, WhoFixes: d.WhoFixes, ChecklistItem: d.ChecklistItem, ShowCode: d.Show,
		Accelerated: d.Accelerated, Attempt: attempt, At: at, Owner: bo, Last4: "4444", Brand: "mastercard",
		ExpMonth: 12, ExpYear: 2029, ValidUntil: card.ValidUntil(12, 2029),
	}
}

func charges(h *history) {
	later := start.Add(time.Hour)
	h.then(invoice, declinedWith("incorrect_zip", "", collection.Checks{Line1: "pass", Postal: "fail"}, 1, later))
	h.then(invoice, declinedWith("stolen_card", "", collection.Checks{}, 2, later.Add(time.Hour)))
	h.then(id(5, 2), collection.ChargeSucceeded{
		SubscriptionID: phones, CardID: visa, AmountMinor: 100, Currency: "SEK", Attempt: 1, At: later,
	})
}

// cases are invoices in each phase of collecting.
func cases(h *history) {
	bill := func(n int) string { return id(5, n) }
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	face := collection.Face{Owner: anna, Last4: "4242", Brand: "visa"}
	visas := collection.Budget{Network: "visa", Used: 1, Limit: 15, Days: 30}
	open := func(n int, mode collection.Mode) {
		h.then(bill(n), collection.CollectionOpened{
			Mode: mode, PolicyVersion: 1, CardID: visa, SubscriptionID: mail, AmountMinor: 12900, Currency: "SEK", Attempts: 1,
			Face: face, GraceUntil: day(30), Budget: visas, At: start,
		})
		h.then(bill(n), collection.GraceStarted{SubscriptionID: mail, Until: day(30), Reason: collection.Unpaid})
	}
	ask := func(n int, request string, reason collection.Reason) {
		h.then(bill(n), collection.ChargeRequested{
			RequestID: request, SubscriptionID: mail, CardID: visa, GatewayToken: "tok", AmountMinor: 12900, Currency: "SEK",
			Reason: reason, Owner: anna, Budget: visas, At: day(1), Until: day(2),
		})
	}
	open(11, collection.ModeRegular)
	h.then(bill(11), collection.RetryScheduled{SubscriptionID: mail, At: day(1), CardID: visa})
	ask(11, "r1", collection.ForSchedule)
	h.then(bill(11), collection.ChargeSucceeded{SubscriptionID: mail, CardID: id(3, 9), Attempt: 2, At: day(1), Brand: "visa", RequestID: "r1", GatewayEventID: "evt_11"})
	h.then(bill(11), collection.BalanceSettled{SubscriptionID: mail, CardID: visa})
	h.then(bill(11), collection.AccountRecovered{SubscriptionID: mail, From: collection.Retrying, By: collection.ByCharge, At: day(1)})
	h.then(bill(11), collection.CollectionClosed{SubscriptionID: mail, Outcome: collection.OutcomeRecovered, At: day(1)})
	open(12, collection.ModeAccelerated)
	ask(12, "r2", collection.ForBackup)
	h.then(bill(12), collection.ChargeLapsed{RequestID: "r2", CardID: visa, At: day(2)})
	h.then(bill(12), collection.PaymentPastDue{SubscriptionID: mail, CardID: visa, At: day(7), Face: face})
	h.then(bill(12), collection.ServiceSuspended{SubscriptionID: mail, Reason: collection.Unpaid, At: day(7), CancelAt: day(97), DataUntil: day(187)})
	h.then(bill(12), collection.CollectionClosed{SubscriptionID: mail, Outcome: collection.OutcomeCanceled, At: day(97)})
	open(13, collection.ModeRegular)
	h.then(bill(13), collection.ManualPaymentRequested{SubscriptionID: mail, CardID: visa, AmountMinor: 12900, Currency: "SEK", LimitMinor: 100, At: day(1)})
	ask(13, "r3", collection.ForBalance)
	open(14, collection.ModeRegular)
	ask(14, "r4", collection.ForChange)
	h.then(bill(14), collection.ChargebackOpened{SubscriptionID: mail, CardID: visa, At: day(1)})
	h.then(bill(14), collection.ChargebackWon{SubscriptionID: mail, CardID: visa, At: day(2)})
	h.then(bill(14), collection.RetryScheduled{SubscriptionID: mail, At: day(3), CardID: visa})
	h.then(bill(14), collection.RetryWithdrawn{SubscriptionID: mail, At: day(3)})
	h.then(bill(14), collection.RetryBudgetExhausted{SubscriptionID: mail, Why: collection.CardsSpent})
	h.then(bill(14), collection.ChargebackAccepted{SubscriptionID: mail, CardID: visa, At: day(4)})
	open(14, collection.ModeChargeback)
}

// switches are wishes to pay by invoice: one that came true, one that did not.
func switches(h *history) {
	for n := 1; n <= 2; n++ {
		opener := []string{"", "", bo}[n]
		h.then(id(8, n), invoiceswitch.InvoiceSwitchRequested{
			SubscriptionID: phones, Reason: invoiceswitch.AmountRises, AmountMinor: 700000, Currency: "SEK", Country: "SE", PONumber: "PO 7",
			Contact: sealedValue[invoiceswitch.Contact](anna, "contact"), CreditDue: start.AddDate(0, 0, 2), By: anna, OpenedBy: opener, At: start,
		})
		h.then(id(8, n), invoiceswitch.EligibilityEvaluated{Checks: []invoiceswitch.Check{{Name: invoiceswitch.CheckAge, Passed: n == 1}}, At: start})
		h.then(id(8, n), invoiceswitch.SupportCaseRecorded{CaseRef: "CASE-1", By: bo})
		h.then(id(8, n), invoiceswitch.CreditCheckRecorded{Passed: n == 1, Reference: "CR-1", By: bo, At: start})
	}
	h.then(id(8, 1), invoiceswitch.InvoiceSwitchApproved{SubscriptionID: phones, By: bo, RequestedBy: anna, At: start})
	h.then(id(8, 1), invoiceswitch.InvoiceSwitchApplied{SubscriptionID: phones, RequestedBy: anna, At: start})
	h.then(id(8, 2), invoiceswitch.InvoiceSwitchDenied{SubscriptionID: phones, Why: invoiceswitch.CheckAge, By: bo, RequestedBy: anna, At: start})
}

func partners(h *history) {
	who := customerOf(h.tenant)
	rel := relationship.ID(h.tenant, who)
	h.then(who, customer.CustomerRegistered{
		PartnerID: h.tenant, CompanyName: "Åkes Bröd AB", Country: "SE", Domain: "akes.example", Language: "sv", At: start,
	})
	h.then(rel, relationship.RelationshipRequested{PartnerID: h.tenant, CustomerID: who, Type: relationship.Reseller, At: start})
	h.then(rel, relationship.RelationshipEstablished{PartnerID: h.tenant, CustomerID: who, Type: relationship.Reseller, At: start})
	h.then(who, customer.CustomerCompanyDetailsUpdated{
		PartnerID: h.tenant, Changed: []string{"companyName", "organizationRegistrationNumber"},
		CompanyName: "Åkes Bageri AB", OrganizationRegistrationNumber: "556000-0000",
	})
	h.then(who, customer.CustomerBillingInfoUpdated{
		PartnerID: h.tenant, Changed: []string{"firstName", "culture", "defaultAddress.city"},
		Contact: sealedValue[customer.BillingContact](who, "contact"), Address: sealedValue[customer.Address](who, "address"), Culture: "sv-SE",
	})
	other := "8" + h.tenant[1:]
	ended := relationship.ID(other, who)
	h.then(ended, relationship.RelationshipRequested{PartnerID: other, CustomerID: who, Type: relationship.Advisor, At: start})
	h.then(ended, relationship.RelationshipEnded{
		PartnerID: other, CustomerID: who, Type: relationship.Advisor, EndedBy: who, Reason: sealedValue[string](anna, "why"), At: start,
	})
	permissions(h)
}

// permissions are a partner's whose relationship is nobody's here.
func permissions(h *history) {
	who, other := customerOf(h.tenant), "7"+h.tenant[1:]
	rel := relationship.ID(other, who)
	bounded := relationship.Allowance{
		Resource: "azure-reserved-instances", Action: "purchase", CapMinor: 1000, Currency: "EUR", ExpiresAt: start.AddDate(1, 0, 0),
		Products: []string{"vm-small"},
	}
	plain := relationship.Allowance{Resource: "licences", Action: "purchase"}
	h.then(rel, relationship.PurchasePermissionProposed{PartnerID: other, CustomerID: who, Allowance: bounded, ProposedBy: anna, At: start})
	h.then(rel, relationship.PurchasePermissionGranted{PartnerID: other, CustomerID: who, Allowance: bounded, ProposedBy: anna, GrantedBy: bo, At: start})
	h.then(rel, relationship.CustomerPurchaseRecorded{
		PartnerID: other, CustomerID: who, PurchaseID: "p1", Resource: bounded.Resource, Action: bounded.Action, Product: "vm-small",
		AmountMinor: 400, Currency: "EUR", At: start,
	})
	h.then(rel, relationship.PurchasePermissionGranted{PartnerID: other, CustomerID: who, Allowance: plain, ProposedBy: bo, GrantedBy: bo, At: start})
	h.then(rel, relationship.CustomerPurchaseRecorded{
		PartnerID: other, CustomerID: who, PurchaseID: "p2", Resource: plain.Resource, Action: plain.Action, Product: "e5",
		AmountMinor: 70, Currency: "SEK", At: start,
	})
	h.then(rel, relationship.PurchasePermissionRevoked{
		PartnerID: other, CustomerID: who, Resource: plain.Resource, Action: plain.Action, Reason: relationship.ReasonRevoked, Granted: true, At: start,
	})
}
