package billing_test

import (
	"strings"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/billing"
	"konto/domain/domaintest"
	"konto/domain/postal"
)

// later is what a decision of actor's knows at another time.
func later(actor string, at time.Time) Meta {
	m := meta(actor)
	m.At = at
	return m
}

// as is what a decision knows when somebody of other roles asks.
func as(m Meta, kind domain.ActorKind, roles ...domain.Role) Meta {
	m.Actor.Kind, m.Actor.Roles = kind, roles
	return m
}

func withDomains(m Meta, domains ...string) Meta {
	m.Facts = m.Facts.Knows(domain.Of[Organization](tenant), Organization{CustomDomains: domains})
	return m
}

func withTerms(m Meta, terms CancelTerms) Meta {
	m.Facts = CancelPolicy.Known(m.Facts, domain.Version[CancelTerms]{Number: 2, Rules: terms})
	return m
}

var (
	access = now.AddDate(0, 0, 90)
	data   = now.AddDate(0, 0, 180)
	ended  = SubscriptionCanceled{At: now, AdminAccessUntil: access, DataUntil: data, Credit: NextCycle}
	asked  = SubscriptionCancellationRequested{Reason: domain.About(ann, "too dear"), By: ann, At: now}
)

func TestCancelSubscription(t *testing.T) {
	t.Parallel()
	when := CancelSubscription{Reason: "too dear"}
	licensed := func(n int) []Event { return events(registered, AssignedLicencesRecorded{n, now}) }
	cancelled := events(registered, asked, ended)
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C11: cancel", Given: events(registered), When: when, Meta: meta(ann), Then: events(asked, ended)},
		{
			Name: "C11: another admin cancels", Given: events(registered), When: when, Meta: meta(bob),
			Then: events(SubscriptionCancellationRequested{Reason: domain.About(bob, "too dear"), By: bob, At: now}, ended),
		},
		{Name: "C11: again", Given: cancelled, When: when, Meta: meta(ann)},
		{Name: "C11: no reason", Given: events(registered), When: CancelSubscription{Reason: " "}, Meta: meta(ann), Err: ErrReason},
		{Name: "C11: endless reason", Given: events(registered), When: CancelSubscription{Reason: strings.Repeat("å", 256)}, Meta: meta(ann), Err: ErrReason},
		{Name: "C11: reason of two lines", Given: events(registered), When: CancelSubscription{Reason: "too\ndear"}, Meta: meta(ann), Err: ErrReason},
		{Name: "C11: reason that nobody sees", Given: events(registered), When: CancelSubscription{Reason: "\u3164"}, Meta: meta(ann), Err: ErrReason},
		{
			Name: "C11: 24 licences", Given: licensed(24), When: when, Meta: meta(ann),
			Then: events(SubscriptionCancellationRequested{Reason: domain.About(ann, "too dear"), By: ann, Licences: 24, At: now}, ended),
		},
		{Name: "C11: 25 licences need billing support", Given: licensed(25), When: when, Meta: meta(ann), Err: ErrTooManyLicences},
		{
			Name: "C11: billing support cancels 25 licences", Given: licensed(25), When: when, Meta: as(meta(ann), domain.KindPerson, domain.BillingSupport),
			Then: events(SubscriptionCancellationRequested{Reason: domain.About(ann, "too dear"), By: ann, Licences: 25, At: now}, ended),
		},
		{
			Name: "C11: 10 licences need billing support where the policy says 10", Given: licensed(10), When: when,
			Meta: withTerms(meta(ann), CancelTerms{SelfServiceBelowLicences: 10, AdminAccessDays: 90, DataDays: 180}), Err: ErrTooManyLicences,
		},
		{
			Name: "C11: the policy's days", Given: events(registered), When: when,
			Meta: withTerms(meta(ann), CancelTerms{SelfServiceBelowLicences: 10, AdminAccessDays: 30, DataDays: 60}),
			Then: events(asked, SubscriptionCanceled{At: now, AdminAccessUntil: now.AddDate(0, 0, 30), DataUntil: now.AddDate(0, 0, 60), Credit: NextCycle}),
		},
		{Name: "C11: own domains are on it", Given: events(registered), When: when, Meta: withDomains(meta(ann), "contoso.example"), Err: ErrCustomDomain},
		{
			Name: "C11: own domains are off it", Given: events(registered), When: CancelSubscription{"too dear", true}, Meta: withDomains(meta(ann), "contoso.example"),
			Then: events(SubscriptionCancellationRequested{Reason: domain.About(ann, "too dear"), By: ann, CustomDomainRemoved: true, At: now}, ended),
		},
		{
			Name: "C11: own domains are no matter where the policy says so", Given: events(registered), When: when,
			Meta: withTerms(withDomains(meta(ann), "contoso.example"), CancelTerms{SelfServiceBelowLicences: 1, AdminAccessDays: 90, DataDays: 180}),
			Then: events(asked, ended),
		},
		{
			Name: "C11: Konto itself cancels by another way, and gives reasons here like others", Given: events(registered), When: CancelSubscription{},
			Meta: as(meta("konto"), domain.KindSystem), Err: ErrReason,
		},
		{Name: "C11: no subscription", When: when, Meta: meta(ann), Err: ErrNotFound},
		{Name: "C11: deleted", Given: append(cancelled, SubscriptionDeleted{At: data}), When: when, Meta: meta(ann), Err: ErrDeleted},

		{Name: "C11: no backup card for a cancelled one", Given: cancelled, When: AddBackupCard{"bob-1"}, Meta: meta(bob), Err: ErrCancelled},
		{Name: "C11: no new order for a cancelled one", Given: cancelled, When: ReorderBackupCards{}, Meta: meta(bob), Err: ErrCancelled},
		{Name: "C11: no invoice for a cancelled one", Given: cancelled, When: ChangePaymentMethodKind{Kind: KindInvoice}, Meta: meta("konto"), Err: ErrCancelled},
		{Name: "C11: a cancelled one stays where it is used", Given: cancelled, When: ChangeServiceUsageAddress{Address: road}, Meta: abroad(ann), Err: ErrCancelled},
		{
			Name: "C6: the card of a cancelled one is replaced", Given: cancelled, When: ApplyCardReplacement{"ann-1", "bob-2", "requested"}, Meta: meta("konto"),
			Then: events(PrimaryCardChanged{"ann-1", "bob-2", "requested"}),
		},
	})
}

func TestAfterCancellation(t *testing.T) {
	t.Parallel()
	cancelled := events(registered, BackupCardAdded{"bob-1", 1, bob}, asked, ended)
	back := SubscriptionReactivated{bob, now, access.Add(-1)}
	again := now.AddDate(0, 1, 0)
	twice := append(cancelled, SubscriptionReactivated{bob, now, again}, SubscriptionCanceled{At: again, AdminAccessUntil: again.AddDate(0, 0, 90), DataUntil: again.AddDate(0, 0, 180)})
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C11: taken back at the last moment", Given: cancelled, When: ReactivateSubscription{}, Meta: later(bob, access.Add(-1)), Then: events(back)},
		{Name: "C11: taken back a moment too late", Given: cancelled, When: ReactivateSubscription{}, Meta: later(bob, access), Err: ErrWindowOver},
		{Name: "C11: taken back again", Given: append(cancelled, back), When: ReactivateSubscription{}, Meta: later(bob, access)},
		{Name: "C11: one that was never cancelled is taken back", Given: events(registered), When: ReactivateSubscription{}, Meta: meta(ann)},
		{Name: "C11: none is taken back", When: ReactivateSubscription{}, Meta: meta(ann), Err: ErrNotFound},
		{Name: "C11: a deleted one is taken back", Given: append(cancelled, SubscriptionDeleted{At: data}), When: ReactivateSubscription{}, Meta: later(ann, data), Err: ErrDeleted},
		{
			Name: "C5: taken back, it takes backup cards again", Given: append(cancelled, back), When: AddBackupCard{"bob-2"}, Meta: meta(bob),
			Then: events(BackupCardAdded{"bob-2", 2, bob}),
		},

		{Name: "C11: its data is gone, its cards are free", Given: cancelled, When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", data), Then: events(SubscriptionDeleted{[]string{"ann-1", "bob-1"}, data})},
		{Name: "C11: a moment before, it is not", Given: cancelled, When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", data.Add(-1))},
		{Name: "C11: it was taken back", Given: append(cancelled, back), When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", data)},
		{Name: "C11: it was cancelled again since", Given: twice, When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", data)},
		{
			Name: "C11: and the second time counts", Given: twice, When: DeleteSubscription{CancelledAt: again}, Meta: later("konto", again.AddDate(0, 0, 180)),
			Then: events(SubscriptionDeleted{[]string{"ann-1", "bob-1"}, again.AddDate(0, 0, 180)}),
		},
		{Name: "C11: deleted again", Given: append(cancelled, SubscriptionDeleted{At: data}), When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", data)},
		{Name: "C11: none is deleted", When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", data), Err: ErrNotFound},
		{Name: "C11: no card comes to a deleted one", Given: append(cancelled, SubscriptionDeleted{At: data}), When: AddBackupCard{"bob-2"}, Meta: meta(bob), Err: ErrDeleted},
	})
}

func TestLicences(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C11: licences", Given: events(registered), When: RecordAssignedLicences{30}, Meta: meta("konto"), Then: events(AssignedLicencesRecorded{30, now})},
		{Name: "C11: as many as before", Given: events(registered, AssignedLicencesRecorded{30, now}), When: RecordAssignedLicences{30}, Meta: meta("konto")},
		{Name: "C11: none any more", Given: events(registered, AssignedLicencesRecorded{30, now}), When: RecordAssignedLicences{0}, Meta: meta("konto"), Then: events(AssignedLicencesRecorded{0, now})},
		{Name: "C11: fewer than none", Given: events(registered), When: RecordAssignedLicences{-1}, Meta: meta("konto"), Err: ErrLicences},
		{Name: "C11: more than people", Given: events(registered), When: RecordAssignedLicences{10_000_001}, Meta: meta("konto"), Err: ErrLicences},
		{Name: "C11: of no subscription", When: RecordAssignedLicences{1}, Meta: meta("konto"), Err: ErrNotFound},
		{Name: "C11: of a deleted one", Given: events(registered, asked, ended, SubscriptionDeleted{At: data}), When: RecordAssignedLicences{1}, Meta: meta("konto"), Err: ErrDeleted},
	})
}

func TestBackupOrder(t *testing.T) {
	t.Parallel()
	two := events(registered, BackupCardAdded{"bob-1", 2, bob}, BackupCardAdded{"ann-2", 5, ann})
	turned := BackupCardsReordered{[]string{"ann-2", "bob-1"}}
	promote := PromoteBackupCard{"expired", "ann-1"}
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C5: another order", Given: two, When: ReorderBackupCards{[]string{"ann-2", "bob-1"}}, Meta: meta(bob), Then: events(turned)},
		{Name: "C5: the same order", Given: two, When: ReorderBackupCards{[]string{"bob-1", "ann-2"}}, Meta: meta(bob)},
		{Name: "C5: one is missing", Given: two, When: ReorderBackupCards{[]string{"ann-2"}}, Meta: meta(bob), Err: ErrOrder},
		{Name: "C5: one is there twice", Given: two, When: ReorderBackupCards{[]string{"ann-2", "ann-2"}}, Meta: meta(bob), Err: ErrOrder},
		{Name: "C5: one too many", Given: two, When: ReorderBackupCards{[]string{"ann-2", "bob-1", "bob-2"}}, Meta: meta(bob), Err: ErrOrder},
		{Name: "C5: the primary card is no backup", Given: two, When: ReorderBackupCards{[]string{"ann-1", "bob-1"}}, Meta: meta(bob), Err: ErrOrder},
		{Name: "C5: nothing to order", Given: events(registered), When: ReorderBackupCards{}, Meta: meta(bob)},
		{Name: "C5: no subscription to order", When: ReorderBackupCards{}, Meta: meta(bob), Err: ErrNotFound},
		{Name: "C5: the new order counts", Given: append(two, turned), When: promote, Meta: meta("konto", "ann-2", "bob-1"), Then: events(CardPromotedToPrimary{"ann-2", "ann-1", "expired"})},
		{
			Name: "C5: the next backup comes after those in the new order", Given: append(two, turned), When: AddBackupCard{"bob-2"}, Meta: meta(bob),
			Then: events(BackupCardAdded{"bob-2", 3, bob}),
		},

		{Name: "C5: remove a backup card", Given: two, When: RemoveBackupCard{"bob-1"}, Meta: meta(bob), Then: events(BackupCardRemoved{"bob-1"})},
		{Name: "C5: remove another admin's", Given: two, When: RemoveBackupCard{"bob-1"}, Meta: meta(ann), Then: events(BackupCardRemoved{"bob-1"})},
		{Name: "C5: remove again", Given: append(two, BackupCardRemoved{"bob-1"}), When: RemoveBackupCard{"bob-1"}, Meta: meta(bob)},
		{Name: "C5: a removed one does not step in", Given: append(two, BackupCardRemoved{"bob-1"}), When: promote, Meta: meta("konto", "ann-2"), Then: events(CardPromotedToPrimary{"ann-2", "ann-1", "expired"})},
		{Name: "C6: the primary card is replaced, not removed", Given: two, When: RemoveBackupCard{"ann-1"}, Meta: meta(ann), Err: ErrPrimary},
		{Name: "C5: remove nothing from an invoiced one", Given: append(two, PaymentMethodKindChanged{New: KindInvoice}), When: RemoveBackupCard{}, Meta: meta(ann)},
		{Name: "C5: remove from a cancelled one", Given: append(two, asked, ended), When: RemoveBackupCard{"bob-1"}, Meta: meta(bob), Then: events(BackupCardRemoved{"bob-1"})},
		{Name: "C5: remove from a deleted one", Given: append(two, asked, ended, SubscriptionDeleted{At: data}), When: RemoveBackupCard{"bob-1"}, Meta: meta(bob), Err: ErrDeleted},
		{Name: "C5: remove from none", When: RemoveBackupCard{"bob-1"}, Meta: meta(bob), Err: ErrNotFound},
	})
}

var (
	road   = postal.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}
	street = postal.Address{Line1: "Gade 1", City: "København", PostalCode: "1566", Country: "DK"}
)

// abroad is what a decision knows of some addresses.
func abroad(actor string) Meta {
	m := meta(actor)
	good := postal.Verdict{Grade: postal.FormatOK, DataVersion: "tables/1"}
	for key, number := range map[string]string{
		"DK 070 174 06 05": "", "DK 32 12 34 56": "+4532123456", "DK +45 32123456": "+4532123456", "DK +46701740605": "+46701740605", "SE 32 12 34 56": "",
		"SE 070-174 06 05": "+46701740605", "DK 1": "", "DK nonsense": "", "DK 32123456x7": "+4532123456;ext=7",
	} {
		m.Facts = m.Facts.Knows(domain.Of[PhoneNumber](key), PhoneNumber{number != "", number, "plans/1"})
	}
	m.Facts = m.Facts.Knows(road.Need(), good).Knows(street.Need(), good).
		Knows(road.With(postal.PostalCode, "9").Need(), postal.Verdict{Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Malformed}}}).
		Knows(road.With(postal.PostalCode, "90326").Need(), postal.Verdict{Grade: postal.FormatOK, Suggestions: []postal.Address{road}})
	return m
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	checked := postal.Checked{Grade: postal.FormatOK, DataVersion: "tables/1"}
	used := ServiceUsageAddressChanged{
		Address: domain.About(tenant, road), Country: "SE", Changed: []string{"line1", "city", "postalCode", "country"}, AddressValidation: checked, At: now,
	}
	invoiced := events(registered, PaymentMethodKindChanged{New: KindInvoice})
	bill := ChangeBillToAddress{Name: "Ann Bok", Phone: "32 12 34 56", Address: street}
	annBok := domain.About(tenant, BillTo{"Ann Bok", "+4532123456", street})
	billed := BillToAddressChanged{
		BillTo: annBok, Country: "DK", Changed: []string{"name", "phone", "line1", "city", "postalCode", "country"}, AddressValidation: checked, At: now, PhoneData: "plans/1",
	}
	longAgo := billed
	longAgo.BillTo, longAgo.PhoneData = domain.About(tenant, BillTo{"Ann Bok", "nonsense", street}), ""
	phone := func(s string) ChangeBillToAddress {
		return ChangeBillToAddress{Name: "Ann Bok", Phone: s, Address: street}
	}
	to := func(to BillTo, data string, changed ...string) []Event {
		return events(BillToAddressChanged{annBok, domain.About(tenant, to), to.Address.Country, changed, checked, now, data})
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "S9: service usage address, the first", Given: events(registered), When: ChangeServiceUsageAddress{Address: road}, Meta: abroad(ann), Then: events(used)},
		{Name: "S9: the same service usage address", Given: events(registered, used), When: ChangeServiceUsageAddress{Address: road}, Meta: abroad(ann)},
		{
			Name: "S9: part of it, with what was there before", Given: events(registered, used), When: ChangeServiceUsageAddress{road.With(postal.PostalCode, "90326"), true}, Meta: abroad(ann),
			Then: events(ServiceUsageAddressChanged{
				domain.About(tenant, road), domain.About(tenant, road.With(postal.PostalCode, "90326")), "SE", []string{"postalCode"}, postal.Checked{Grade: postal.FormatOK, Confirmed: true}, now,
			}),
		},
		{Name: "A2: a better spelling of it", Given: events(registered), When: ChangeServiceUsageAddress{Address: road.With(postal.PostalCode, "90326")}, Meta: abroad(ann), Err: postal.ErrConfirm},
		{Name: "A1: not as the country writes it", Given: events(registered), When: ChangeServiceUsageAddress{Address: road.With(postal.PostalCode, "9")}, Meta: abroad(ann), Err: postal.ErrAddress},
		{Name: "S9: of no subscription", When: ChangeServiceUsageAddress{Address: road}, Meta: abroad(ann), Err: ErrNotFound},

		{Name: "S9: bill-to address of an invoice", Given: invoiced, When: bill, Meta: abroad(ann), Then: events(billed)},
		{Name: "S9: the same bill-to address", Given: append(invoiced, billed), When: bill, Meta: abroad(ann)},
		{
			Name: "S9: another name, with the one before", Given: append(invoiced, billed), When: ChangeBillToAddress{Name: "Bo Ek", Phone: "32 12 34 56", Address: street}, Meta: abroad(ann),
			Then: to(BillTo{"Bo Ek", "+4532123456", street}, "", "name"),
		},
		{Name: "F1: the same number written in another way", Given: append(invoiced, billed), When: phone("+45 32123456"), Meta: abroad(ann)},
		{
			Name: "F1: a number of another country", Given: append(invoiced, billed), When: phone("+46701740605"), Meta: abroad(ann),
			Then: to(BillTo{"Ann Bok", "+46701740605", street}, "plans/1", "phone"),
		},
		{
			Name: "F1: an extension is kept", Given: append(invoiced, billed), When: phone("32123456x7"), Meta: abroad(ann),
			Then: to(BillTo{"Ann Bok", "+4532123456;ext=7", street}, "plans/1", "phone"),
		},
		{
			Name: "F1, F4: a national number is one of the address's country, read by plans that are named", Given: append(invoiced, billed), Meta: abroad(ann),
			When: ChangeBillToAddress{Name: "Ann Bok", Phone: "070-174 06 05", Address: road},
			Then: to(BillTo{"Ann Bok", "+46701740605", road}, "plans/1", "phone", "line1", "city", "postalCode", "country"),
		},
		{Name: "F1: a national number of another country", Given: invoiced, When: phone("070 174 06 05"), Meta: abroad(ann), Err: ErrPhone},
		{
			Name: "S9: without a phone number", Given: append(invoiced, billed), When: phone(""), Meta: abroad(ann),
			Then: to(BillTo{"Ann Bok", "", street}, "", "phone"),
		},
		{Name: "F4: a number that was there before is not judged again", Given: append(invoiced, longAgo), When: phone("nonsense"), Meta: abroad(ann)},
		{
			Name: "F4: nor does it stand in the way of others", Given: append(invoiced, longAgo), When: ChangeBillToAddress{Name: "Bo Ek", Phone: "nonsense", Address: street}, Meta: abroad(ann),
			Then: events(BillToAddressChanged{longAgo.BillTo, domain.About(tenant, BillTo{"Bo Ek", "nonsense", street}), "DK", []string{"name"}, checked, now, ""}),
		},
		{Name: "F2: no phone number", Given: invoiced, When: phone("nonsense"), Meta: abroad(ann), Err: ErrPhone},
		{Name: "S9: the card has its own bill-to address", Given: events(registered), When: bill, Meta: abroad(ann), Err: ErrPaidByCard},
		{Name: "S9: no name", Given: invoiced, When: ChangeBillToAddress{Address: street}, Meta: abroad(ann), Err: ErrLine},
		{Name: "S9: name of two lines", Given: invoiced, When: ChangeBillToAddress{Name: "a\nb", Address: street}, Meta: abroad(ann), Err: ErrLine},
		{Name: "S9: name that nobody sees", Given: invoiced, When: ChangeBillToAddress{Name: "\u3164", Address: street}, Meta: abroad(ann), Err: ErrLine},
		{Name: "F2: one digit", Given: invoiced, When: phone("1"), Meta: abroad(ann), Err: ErrPhone},
		{Name: "A1: a bill-to address that there is not", Given: invoiced, When: ChangeBillToAddress{Name: "a", Address: road.With(postal.PostalCode, "9")}, Meta: abroad(ann), Err: postal.ErrAddress},
		{Name: "S9: bill-to address of no subscription", When: bill, Meta: abroad(ann), Err: ErrNotFound},
	})
}

func TestTermsValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		terms interface{ Validate() error }
		ok    bool
	}{
		{"C4: first terms of use", UsePolicy.First, true},
		{"C4: no users", UseTerms{"everybody"}, false},
		{"C11: first terms", CancelPolicy.First, true},
		{"C11: at once", CancelTerms{}, true},
		{"C11: fewer licences than none", CancelTerms{SelfServiceBelowLicences: -1}, false},
		{"C11: access before the end", CancelTerms{AdminAccessDays: -1}, false},
		{"C11: access for longer than data", CancelTerms{AdminAccessDays: 2, DataDays: 1}, false},
		{"C11: data for ever", CancelTerms{DataDays: 3651}, false},
	} {
		if err := test.terms.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: Validate = %v, want ok %v", test.name, err, test.ok)
		}
	}
}

// The size that somebody is asked about before they say why they cancel.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		of   Subscription
		as   domain.Role
		want error
	}{
		{"C11: 24 licences are cancelled by the customer's admins", Subscription{Licences: 24}, domain.BillingAdmin, nil},
		{"C11: 25 licences are not", Subscription{Licences: 25}, domain.BillingAdmin, ErrTooManyLicences},
		{"C11: 25 licences are by billing support", Subscription{Licences: 25}, domain.BillingSupport, nil},
		{"C11: cancelled, it is no matter", Subscription{Licences: 25, CancelledAt: now}, domain.BillingAdmin, nil},
		{"C11: deleted, it is no matter", Subscription{Licences: 25, Deleted: true}, domain.BillingAdmin, nil},
	} {
		m := as(meta(ann), domain.KindPerson, c.as)
		m.ID = "sub"
		m.Facts = m.Facts.Knows(domain.Of[Size]("sub"), SizeOf("sub", c.of))
		got := TooLarge(m)
		if (got != nil) != (c.want != nil) || got != nil && !got.Is(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
