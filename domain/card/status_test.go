package card_test

import (
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/card"
	"konto/domain/domaintest"
	"konto/domain/postal"
)

// at is what a decision knows at a time, of a card whose owner is ann.
func at(t time.Time, changes ...func(*Owner)) Meta {
	m := meta("konto")
	m.At = t
	owner := Owner{Active: true, MayAct: true}
	for _, change := range changes {
		change(&owner)
	}
	m.Facts = m.Facts.Knows(domain.Of[Owner](ann), owner)
	return m
}

func TestCardExpiry(t *testing.T) {
	t.Parallel()
	end := ValidUntil(11, 2026) // 1 December, noon UTC
	soon := func(days int, next time.Time, at time.Time, changes ...func(*CardExpiringSoon)) []Event {
		e := CardExpiringSoon{
			Days: days, ExpMonth: 11, ExpYear: 2026, Subscriptions: []string{sub1}, OwnerCanAct: true, AskOthers: days <= 15, ExpiryCheckAt: next, At: at,
		}
		for _, change := range changes {
			change(&e)
		}
		return events(e)
	}
	expired := func(canAct bool) []Event {
		return events(CardExpired{ExpMonth: 11, ExpYear: 2026, Subscriptions: []string{sub1}, OwnerCanAct: canAct, At: end})
	}
	due := func(day time.Time) []Event {
		return events(added(func(e *CardAdded) { e.ExpiryCheckAt = day }), CardAttached{sub1})
	}
	blind := added(func(e *CardAdded) { e.ExpMonth, e.ExpYear, e.ExpiryCheckAt = 0, 0, time.Time{} })
	published := func(m Meta, terms ExpiryTerms) Meta {
		m.Facts = ExpiryPolicy.Known(m.Facts, domain.Version[ExpiryTerms]{Number: 2, Rules: terms})
		return m
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "C3: 60 days before", Given: due(day(10, 2)), When: CheckCardExpiry{day(10, 2)}, Meta: at(day(10, 2)), Then: soon(60, day(11, 1), day(10, 2))},
		{Name: "C3: 30 days before", Given: due(day(11, 1)), When: CheckCardExpiry{day(11, 1)}, Meta: at(day(11, 1)), Then: soon(30, day(11, 16), day(11, 1))},
		{Name: "C3: 15 days before, others are asked", Given: due(day(11, 16)), When: CheckCardExpiry{day(11, 16)}, Meta: at(day(11, 16)), Then: soon(15, day(11, 24), day(11, 16))},
		{Name: "C3: 7 days before", Given: due(day(11, 24)), When: CheckCardExpiry{day(11, 24)}, Meta: at(day(11, 24)), Then: soon(7, day(11, 30), day(11, 24))},
		{Name: "C3: 1 day before", Given: due(day(11, 30)), When: CheckCardExpiry{day(11, 30)}, Meta: at(day(11, 30)), Then: soon(1, end, day(11, 30))},
		{Name: "C3: a look that comes late tells once, of the days that are left", Given: due(day(10, 2)), When: CheckCardExpiry{day(10, 2)}, Meta: at(day(11, 25)), Then: soon(7, day(11, 30), day(11, 25))},
		{Name: "C3: a moment before the end", Given: due(day(11, 30)), When: CheckCardExpiry{day(11, 30)}, Meta: at(end.Add(-1)), Then: soon(1, end, end.Add(-1))},
		{Name: "K3: at the end it has expired", Given: due(end), When: CheckCardExpiry{end}, Meta: at(end), Then: expired(true)},
		{Name: "K3: it expires once", Given: append(due(end), expired(true)...), When: CheckCardExpiry{end}, Meta: at(end)},
		{
			Name: "N6: the owner's account is closed", Given: due(day(10, 2)), When: CheckCardExpiry{day(10, 2)},
			Meta: at(day(10, 2), func(o *Owner) { o.Active = false }),
			Then: soon(60, day(11, 1), day(10, 2), func(e *CardExpiringSoon) { e.OwnerCanAct = false }),
		},
		{
			Name: "N6: the owner may no longer edit cards", Given: due(end), When: CheckCardExpiry{end},
			Meta: at(end, func(o *Owner) { o.MayAct = false }), Then: expired(false),
		},
		{Name: "C3: too early", Given: due(day(10, 2)), When: CheckCardExpiry{day(10, 2)}, Meta: at(day(10, 1))},
		{Name: "C3: a look that another has taken the place of", Given: due(day(11, 1)), When: CheckCardExpiry{day(10, 2)}, Meta: at(day(11, 1))},
		{Name: "C3: a look at no time", Given: events(blind), When: CheckCardExpiry{}, Meta: at(day(11, 1))},
		{
			Name: "C3: the holder gave a new expiry", Meta: at(day(11, 24)), When: CheckCardExpiry{day(11, 24)},
			Given: append(due(day(11, 24)), CardDetailsUpdated{Changed: []string{"expYear"}, ExpYear: 2030, ExpiryCheckAt: day(12, 1)}),
		},
		{Name: "C3: removed", Given: append(due(day(10, 2)), CardRemoved{}), When: CheckCardExpiry{day(10, 2)}, Meta: at(day(10, 2))},
		{Name: "C3: no card", When: CheckCardExpiry{day(10, 2)}, Meta: at(day(10, 2)), Err: ErrNotFound},
		{
			Name: "C3: the policy changed to fewer days", Given: due(day(10, 2)), When: CheckCardExpiry{day(10, 2)},
			Meta: published(at(day(10, 2)), ExpiryTerms{WarnDays: []int{10}, AskOthersDays: 5}), Then: events(ExpiryCheckPostponed{day(11, 21)}),
		},
		{
			Name: "C3: and others are asked when it says so", Given: append(due(day(10, 2)), ExpiryCheckPostponed{day(11, 21)}), When: CheckCardExpiry{day(11, 21)},
			Meta: published(at(day(11, 21)), ExpiryTerms{WarnDays: []int{10}, AskOthersDays: 5}),
			Then: soon(10, end, day(11, 21), func(e *CardExpiringSoon) { e.AskOthers = false }),
		},
		{
			Name: "K4: the network's expiry is past", Given: due(day(11, 24)), Meta: at(now),
			When: RecordCardAutoUpdate{Last4: "4242", ExpMonth: 10, ExpYear: 2026, Brand: "visa", Source: "account-updater"},
			Then: events(CardAutomaticallyUpdated{
				Source: "account-updater", Changed: []string{"expMonth"}, Last4: "4242", ExpMonth: 10, ExpYear: 2026, Brand: "visa", At: now, ExpiryCheckAt: now,
			}),
		},
	})
}

func TestRecordCardStatus(t *testing.T) {
	t.Parallel()
	on1 := events(added(), CardAttached{sub1})
	blind := events(added(func(e *CardAdded) { e.ExpMonth, e.ExpYear, e.ExpiryCheckAt = 0, 0, time.Time{} }))
	lost := CardReportedLost{[]string{sub1}, "stripe", now}
	expired := CardExpired{ExpMonth: 11, ExpYear: 2026, Subscriptions: []string{sub1}, OwnerCanAct: true, Source: "stripe", At: now}
	soon := CardExpiringSoon{Days: 15, ExpMonth: 11, ExpYear: 2026, Subscriptions: []string{sub1}, OwnerCanAct: true, AskOthers: true, Source: "stripe", At: now}
	when := func(status string) RecordCardStatus { return RecordCardStatus{status, "stripe"} }
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "C7: reported lost", Given: on1, When: when(StatusReportedLost), Meta: at(now), Then: events(lost)},
		{Name: "C7: reported lost again", Given: append(on1, lost), When: when(StatusReportedLost), Meta: at(now)},
		{Name: "C7: a lost card got a new number and is lost again", Given: append(on1, lost, CardAutomaticallyUpdated{Last4: "1881", ExpMonth: 11, ExpYear: 2026}), When: when(StatusReportedLost), Meta: at(now), Then: events(lost)},
		{Name: "C7: a lost card got another number that ends as the old one", Given: append(on1, lost, CardAutomaticallyUpdated{Last4: "4242", ExpMonth: 11, ExpYear: 2026, Fingerprint: "other"}), When: when(StatusReportedLost), Meta: at(now), Then: events(lost)},
		{Name: "C7: a lost card that got a new expiry alone is still lost", Given: append(on1, lost, CardAutomaticallyUpdated{Last4: "4242", ExpMonth: 11, ExpYear: 2030}), When: when(StatusReportedLost), Meta: at(now)},
		{Name: "K5: expired, says the gateway", Given: on1, When: when(StatusExpired), Meta: at(now), Then: events(expired)},
		{Name: "K5: expired again", Given: append(on1, expired), When: when(StatusExpired), Meta: at(now)},
		{Name: "K5: expired where the expiry is not kept", Given: blind, When: when(StatusExpired), Meta: at(now), Then: events(CardExpired{OwnerCanAct: true, Source: "stripe", At: now})},
		{Name: "C3: expiring, says the gateway", Given: on1, When: when(StatusExpiring), Meta: at(now), Then: events(soon)},
		{Name: "C3: expiring, which is known", Given: append(on1, soon), When: when(StatusExpiring), Meta: at(now)},
		{Name: "C3: expiring, after a nearer warning", Given: append(on1, CardExpiringSoon{Days: 7}), When: when(StatusExpiring), Meta: at(now)},
		{Name: "C3: expiring, after it expired", Given: append(on1, expired), When: when(StatusExpiring), Meta: at(now)},
		{Name: "C3: expiring, at its end", Given: on1, When: when(StatusExpiring), Meta: at(ValidUntil(11, 2026))},
		{
			Name: "K5: expiring where the expiry is not kept", Given: blind, When: when(StatusExpiring), Meta: at(now),
			Then: events(CardExpiringSoon{Days: 30, OwnerCanAct: true, Source: "stripe", At: now}),
		},
		{Name: "C7: no such status", Given: on1, When: when("fine"), Meta: at(now), Err: ErrField},
		{Name: "C7: nobody says so", Given: on1, When: RecordCardStatus{Status: StatusExpired}, Meta: at(now), Err: ErrField},
		{Name: "C7: a removed card", Given: events(added(), CardRemoved{}), When: when(StatusExpired), Meta: at(now), Err: ErrRemoved},
		{Name: "C7: no card", When: when(StatusExpired), Meta: at(now), Err: ErrNotFound},

		{Name: "C7: a blocked card replaces none", Given: on1, When: ReplaceCard{NewCardID: other, Scope: ScopeAll}, Meta: meta(bob, func(r *Replacement) { r.Blocked = true }), Err: ErrBlocked},
		{Name: "K5: a card that has expired, says the gateway, replaces none", Given: on1, When: ReplaceCard{NewCardID: other, Scope: ScopeAll}, Meta: meta(bob, func(r *Replacement) { r.ExpMonth, r.ExpYear, r.Expired = 0, 0, true }), Err: ErrExpired},
		{
			Name: "K5: a card whose expiry is not kept replaces another", Given: on1, When: ReplaceCard{NewCardID: other, Scope: ScopeAll},
			Meta: meta(bob, func(r *Replacement) { r.ExpMonth, r.ExpYear = 0, 0 }),
			Then: events(CardReplaced{id, other, ScopeAll, []string{sub1}, ReasonRequested, now}),
		},
	})
}

func TestIndia(t *testing.T) {
	t.Parallel()
	delhi := Address{Line1: "1 Janpath", City: "New Delhi", State: "DL", PostalCode: "110001", Country: "IN"}
	add := func(change func(*AddCard)) AddCard {
		return addCard(func(c *AddCard) {
			c.IssuerCountry, c.BillTo, c.ExpMonth, c.ExpYear, c.OneTimePassword = "IN", delhi, 0, 0, true
			change(c)
		})
	}
	m := meta(ann)
	m.Facts = m.Facts.Knows(domain.Of[Organization](tenant), Organization{Country: "IN"}).Knows(delhi.Need(), checkedAs)
	free := m
	free.Facts = IssuerPolicy.Known(m.Facts, domain.Version[IssuerTerms]{Number: 2})
	blind := added(func(e *CardAdded) {
		e.IssuerCountry, e.Country, e.BillTo, e.ExpMonth, e.ExpYear = "IN", "IN", domain.About(ann, delhi), 0, 0
		e.OneTimePassword, e.ManualAboveMinor, e.ManualAboveCurrency, e.ExpiryCheckAt = true, 500_000, "INR", time.Time{}
	})
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "K5: the expiry is not kept, and what is above 5,000 INR is paid by hand", When: add(func(*AddCard) {}), Meta: m, Then: events(blind)},
		{Name: "K5: no one-time password", When: add(func(c *AddCard) { c.OneTimePassword = false }), Meta: m, Err: ErrOneTimePassword},
		{Name: "K5: with the expiry", When: add(func(c *AddCard) { c.ExpMonth, c.ExpYear = 11, 2030 }), Meta: m, Err: ErrExpiryNotKept},
		{Name: "K5: with the year", When: add(func(c *AddCard) { c.ExpYear = 2030 }), Meta: m, Err: ErrExpiryNotKept},
		{Name: "K5: before the rule, an expiry is needed", When: add(func(*AddCard) {}), Meta: free, Err: ErrExpiry},
		{Name: "K5: elsewhere, an expiry is needed", When: addCard(func(c *AddCard) { c.ExpMonth, c.ExpYear = 0, 0 }), Meta: meta(ann), Err: ErrExpiry},
		{
			Name: "K5: elsewhere, a one-time password is noted", When: addCard(func(c *AddCard) { c.OneTimePassword = true }), Meta: meta(ann),
			Then: events(added(func(e *CardAdded) { e.OneTimePassword = true })),
		},
		{Name: "K5: the holder gives an expiry", Given: events(blind), When: UpdateCardDetails{ExpYear: new(2030)}, Meta: m, Err: ErrExpiryNotKept},
		{
			Name: "K5: the holder gives another name", Given: events(blind), When: UpdateCardDetails{HolderName: new("Ann Berg")}, Meta: m,
			Then: events(CardDetailsUpdated{Changed: []string{"holderName"}, Holder: domain.About(ann, "Ann Berg"), PolicyVersion: 1}),
		},
		{
			Name: "K5: the network's expiry is not kept either", Given: events(blind), When: RecordCardAutoUpdate{Last4: "1881", ExpMonth: 1, ExpYear: 2030, Brand: "visa", Source: "account-updater"}, Meta: m,
			Then: events(CardAutomaticallyUpdated{Source: "account-updater", Changed: []string{"last4"}, Last4: "1881", Brand: "visa", At: now}),
		},
		{Name: "K5: the network has nothing else", Given: events(blind), When: RecordCardAutoUpdate{Last4: "4242", ExpMonth: 1, ExpYear: 2030, Brand: "visa", Source: "account-updater"}, Meta: m},
	})
}

func TestEditPolicy(t *testing.T) {
	t.Parallel()
	in := func(editors, cvv string, roles ...domain.Role) Meta {
		m := meta(bob, func(r *Replacement) { r.Owner = ann })
		m.Actor.Roles = roles
		m.Facts = EditPolicy.Known(m.Facts, domain.Version[EditTerms]{Number: 2, EffectiveAt: now, Rules: EditTerms{editors, cvv}})
		return m
	}
	before := in(EditorsProfileRoles, CVVNever, domain.ProfileOwner)
	before.At = now.Add(-1)
	mine := meta(ann)
	mine.Facts = EditPolicy.Known(mine.Facts, domain.Version[EditTerms]{Number: 2, EffectiveAt: now, Rules: EditTerms{EditorsAdder, CVVGatewayOnly}})
	given := events(added(), CardAttached{sub1})
	edit := UpdateCardDetails{Phone: new("070 123 45")}
	edited := CardDetailsUpdated{Changed: []string{"phone"}, Phone: domain.About(ann, "+467012345"), PhoneData: "plans/1", PolicyVersion: 2}
	withCheck := func(check string) UpdateCardDetails {
		return UpdateCardDetails{Phone: new("070 123 45"), CVCCheck: check}
	}
	checked := func(check string) []Event {
		e := edited
		e.CVCCheck = check
		return events(e)
	}
	replace := ReplaceCard{NewCardID: other, Scope: ScopeAll}
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "C4: the profile's owner edits another's card", Given: given, When: edit, Meta: in(EditorsProfileRoles, CVVNever, domain.ProfileOwner), Then: events(edited)},
		{Name: "C4: a contributor does", Given: given, When: edit, Meta: in(EditorsProfileRoles, CVVNever, domain.ProfileContributor), Then: events(edited)},
		{Name: "C4: a global admin does not, even then", Given: given, When: edit, Meta: in(EditorsProfileRoles, CVVNever, domain.GlobalAdmin, domain.BillingAdmin), Err: ErrNotOwner},
		{Name: "C4: the profile's owner does not, before that version", Given: given, When: edit, Meta: before, Err: ErrNotOwner},
		{Name: "C4: nor under the page of 2020", Given: given, When: edit, Meta: in(EditorsAdder, CVVNever, domain.ProfileOwner), Err: ErrNotOwner},
		{
			Name: "C4: the profile's owner removes another's card", Given: events(added()), When: RemoveCard{}, Meta: in(EditorsProfileRoles, CVVNever, domain.ProfileOwner),
			Then: events(CardRemoved{"requested", ann, "pm_1PabcDEF", "card-fingerprint:Xt5EWLLDS7FJjR1c"}),
		},
		{
			Name: "C6: the profile's owner replaces by another's card", Given: given, When: replace, Meta: in(EditorsProfileRoles, CVVNever, domain.ProfileOwner),
			Then: events(CardReplaced{id, other, ScopeAll, []string{sub1}, ReasonRequested, now}),
		},
		{Name: "C6: a billing admin does not", Given: given, When: replace, Meta: in(EditorsProfileRoles, CVVNever, domain.BillingAdmin), Err: ErrNotOwner},

		{Name: "C2: the gateway's check must come with an edit", Given: given, When: edit, Meta: mine, Err: ErrCVCNeeded},
		{Name: "C2: the security code was right", Given: given, When: withCheck("pass"), Meta: mine, Then: checked("pass")},
		{Name: "C2: the bank could not check it", Given: given, When: withCheck("unavailable"), Meta: mine, Then: checked("unavailable")},
		{Name: "C2: it was not checked", Given: given, When: withCheck("unchecked"), Meta: mine, Then: checked("unchecked")},
		{Name: "C2: the security code was wrong", Given: given, When: withCheck("fail"), Meta: mine, Err: ErrCVCFailed},
		{Name: "C2: the security code itself", Given: given, When: withCheck("123"), Meta: mine, Err: ErrField},
		{Name: "C2: no check is asked for under the page of 2020", Given: given, When: withCheck("pass"), Meta: meta(ann), Err: ErrCVCNotAsked},
		{Name: "A1: the new address is not as the country writes it", Given: given, When: UpdateCardDetails{BillingAddress: new(home.With(postal.PostalCode, "9032"))}, Meta: meta(ann), Err: postal.ErrAddress},
		{Name: "A2: there is a better spelling of the new address", Given: given, When: UpdateCardDetails{BillingAddress: new(home.With(postal.PostalCode, "90326"))}, Meta: meta(ann), Err: postal.ErrConfirm},
	})
}

func TestTermsValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		terms interface{ Validate() error }
		ok    bool
	}{
		{"C4: first edit terms", EditPolicy.First, true},
		{"C4: no editors", EditTerms{"everybody", CVVNever}, false},
		{"C2: no such rule of the security code", EditTerms{EditorsAdder, "always"}, false},
		{"C3: first expiry terms", ExpiryPolicy.First, true},
		{"C3: no days", ExpiryTerms{}, false},
		{"C3: days that rise", ExpiryTerms{WarnDays: []int{7, 15}}, false},
		{"C3: a day twice", ExpiryTerms{WarnDays: []int{7, 7}}, false},
		{"C3: day 0", ExpiryTerms{WarnDays: []int{7, 0}}, false},
		{"C3: two years", ExpiryTerms{WarnDays: []int{730}}, false},
		{"C3: others are asked too early", ExpiryTerms{WarnDays: []int{7}, AskOthersDays: 366}, false},
		{"K5: first issuer terms", IssuerPolicy.First, true},
		{"K5: no country", IssuerTerms{map[string]IssuerRules{"in": {}}}, false},
		{"K5: a limit without currency", IssuerTerms{map[string]IssuerRules{"IN": {ManualAboveMinor: 1}}}, false},
		{"K5: a negative limit", IssuerTerms{map[string]IssuerRules{"IN": {ManualAboveMinor: -1}}}, false},
	} {
		if err := test.terms.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: Validate = %v, want ok %v", test.name, err, test.ok)
		}
	}
}
