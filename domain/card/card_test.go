package card_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	. "konto/domain/card"
	"konto/domain/domaintest"
	"konto/domain/postal"
)

const (
	id     = "01936c2e-0000-7000-8000-000000000001"
	other  = "01936c2e-0000-7000-8000-000000000002"
	tenant = "01936c2e-0000-7000-8000-0000000000aa"
	ann    = "01936c2e-0000-7000-8000-0000000000a1"
	bob    = "01936c2e-0000-7000-8000-0000000000b2"
	sub1   = "01936c2e-0000-7000-8000-0000000000c1"
	sub2   = "01936c2e-0000-7000-8000-0000000000c2"
)

var (
	now  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	home = Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}
)

// meta is what a decision knows when actor asks: an account in Sweden, and
// other as a card of bob's.
func meta(actor string, changes ...func(*Replacement)) Meta {
	by := Replacement{Exists: true, Tenant: tenant, Owner: bob, ExpMonth: 6, ExpYear: 2029, Last4: "4444", Brand: "mastercard"}
	for _, change := range changes {
		change(&by)
	}
	return Meta{
		ID: id, Tenant: tenant, At: now, Command: "cmd",
		Actor: domain.Actor{ID: actor, Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.GlobalAdmin, domain.BillingAdmin}},
		MAC:   func(purpose, value string) string { return purpose + ":" + value },
		Facts: numbers(addresses(EditPolicy.Known(ExpiryPolicy.Known(IssuerPolicy.Known(domain.Facts{}))))).
			Knows(domain.Of[Organization](tenant), Organization{Country: "SE"}).
			Knows(domain.Of[Replacement](id), Replacement{Exists: true, Tenant: tenant, Owner: bob, ExpMonth: 6, ExpYear: 2029}).
			Knows(domain.Of[Replacement](other), by).
			Knows(domain.Of[Owner](ann), Owner{Active: true, MayAct: true, Masked: "a***@contoso.example"}).
			Knows(domain.Of[Owner](bob), Owner{Masked: "b***@contoso.example"}),
	}
}

// numbers adds what a library says of the phone numbers of the tests.
func numbers(f domain.Facts) domain.Facts {
	for _, s := range []string{"call me", "12", "0000", "112", "+46 8", "4242 4242 4242 4242", "3714 496353 98431"} {
		f = f.Knows(domain.Of[PhoneNumber]("SE "+s), PhoneNumber{Data: "plans/1"})
	}
	for s, number := range map[string]string{
		"+46 70 174 06 05": "+46701740605", "070-174 06 05": "+46701740605", "+46701740605": "+46701740605",
		"090-10 00 00 ext. 12": "+4690100000;ext=12", "070 123 45": "+467012345",
	} {
		f = f.Knows(domain.Of[PhoneNumber]("SE "+s), PhoneNumber{true, number, "plans/1"})
	}
	return f
}

// addresses adds what a library says of the addresses of the tests.
func addresses(f domain.Facts) domain.Facts {
	for _, line := range []string{"Storgatan 1", "Kungsgatan 9", "Gatan 2"} {
		for _, city := range []string{"Umeå", "Luleå"} {
			a := home.With(postal.Line1, line).With(postal.City, city)
			f = f.Knows(a.Need(), checkedAs)
		}
	}
	wrong := home.With(postal.PostalCode, "9032")
	f = f.Knows(wrong.Need(), postal.Verdict{Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Malformed}}})
	better := home.With(postal.PostalCode, "90326")
	return f.Knows(better.Need(), postal.Verdict{Grade: postal.FormatOK, Suggestions: []postal.Address{home}})
}

// judged is what a decision knows when the tables say something else of a.
func judged(a Address, v postal.Verdict) Meta {
	m := meta(ann)
	m.Facts = m.Facts.Knows(a.Need(), v)
	return m
}

var badCode = postal.Verdict{Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Malformed}}}

var checkedAs = postal.Verdict{Grade: postal.FormatOK, DataVersion: "tables/1"}

func addCard(changes ...func(*AddCard)) AddCard {
	c := AddCard{
		GatewayToken: "pm_1PabcDEF", Brand: "visa", Last4: "4242", ExpMonth: 11, ExpYear: 2026, Funding: "credit",
		IssuerCountry: "SE", Fingerprint: "Xt5EWLLDS7FJjR1c", HolderName: "Ann Bok", BillTo: home,
		Checks: Checks{Line1: "pass", Postal: "pass", CVC: "pass"},
	}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func added(changes ...func(*CardAdded)) CardAdded {
	e := CardAdded{
		Tenant: tenant, GatewayToken: "pm_1PabcDEF", Brand: "visa", Last4: "4242", ExpMonth: 11, ExpYear: 2026,
		Funding: "credit", IssuerCountry: "SE", Fingerprint: "card-fingerprint:Xt5EWLLDS7FJjR1c",
		Holder: domain.About(ann, "Ann Bok"), BillTo: domain.About(ann, home), Country: "SE",
		Checks: Checks{Line1: "pass", Postal: "pass", CVC: "pass"}, AddedBy: ann, At: now,
		BillToChecked: postal.Checked{Grade: postal.FormatOK, DataVersion: "tables/1"}, ExpiryCheckAt: day(11, 24),
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

// day is noon UTC of a day of 2026: the hour at which the last place on Earth
// begins it.
func day(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 12, 0, 0, 0, time.UTC)
}

func events(e ...Event) []Event { return e }

func TestAddCard(t *testing.T) {
	t.Parallel()
	add := func(change func(*AddCard)) AddCard { return addCard(change) }
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "add", When: addCard(), Meta: meta(ann), Then: events(added())},
		{
			Name: "funding is not told", When: add(func(c *AddCard) { c.Funding = "" }), Meta: meta(ann),
			Then: events(added(func(e *CardAdded) { e.Funding = "unknown" })),
		},
		{Name: "again", Given: events(added()), When: addCard(), Meta: meta(ann)},
		{
			Name: "again after erasure", When: addCard(), Meta: meta(ann),
			Given: events(added(func(e *CardAdded) {
				e.Holder = domain.Personal[string]{Subject: ann, Erased: true}
				e.BillTo = domain.Personal[Address]{Subject: ann, Erased: true}
			})),
		},
		{Name: "another under the ID", Given: events(added()), When: add(func(c *AddCard) { c.Last4 = "1881" }), Meta: meta(ann), Err: ErrExists},
		{Name: "somebody else's under the ID", Given: events(added()), When: addCard(), Meta: meta(bob), Err: ErrExists},
		{Name: "after removal", Given: events(added(), CardRemoved{}), When: addCard(), Meta: meta(ann), Err: ErrRemoved},

		{Name: "K1: number as token", When: add(func(c *AddCard) { c.GatewayToken = "4242424242424242" }), Meta: meta(ann), Err: ErrCardNumber},
		{Name: "K1: number in token", When: add(func(c *AddCard) { c.GatewayToken = "tok_5555555555554444" }), Meta: meta(ann), Err: ErrCardNumber},
		{Name: "K1: number as fingerprint", When: add(func(c *AddCard) { c.Fingerprint = "378282246310005" }), Meta: meta(ann), Err: ErrCardNumber},
		{Name: "K1: number as name", When: add(func(c *AddCard) { c.HolderName = "Ann 4242 4242 4242 4242" }), Meta: meta(ann), Err: ErrCardNumber},
		{Name: "K1: number after another", When: add(func(c *AddCard) { c.HolderName = "No 1 4242 4242 4242 4242" }), Meta: meta(ann), Err: ErrCardNumber},
		{Name: "K1: number before another", When: add(func(c *AddCard) { c.HolderName = "4242-4242-4242-4242 123" }), Meta: meta(ann), Err: ErrCardNumber},
		{Name: "K1: number in address", When: add(func(c *AddCard) { c.BillTo.Line2 = "6011-1111-1111-1117" }), Meta: meta(ann), Err: ErrCardNumber},
		{
			Name: "K1: sixteen digits that are no card number", Meta: meta(ann),
			When: add(func(c *AddCard) { c.GatewayToken = "tok_4242424242424241" }),
			Then: events(added(func(e *CardAdded) { e.GatewayToken = "tok_4242424242424241" })),
		},
		{
			Name: "K1: a token made of a UUID", Meta: meta(ann),
			When: add(func(c *AddCard) { c.GatewayToken = "tok-01920000-0000-7000-8000-000000000001" }),
			Then: events(added(func(e *CardAdded) { e.GatewayToken = "tok-01920000-0000-7000-8000-000000000001" })),
		},

		{Name: "K3: month 0", When: add(func(c *AddCard) { c.ExpMonth = 0 }), Meta: meta(ann), Err: ErrExpiry},
		{Name: "K3: month 13", When: add(func(c *AddCard) { c.ExpMonth = 13 }), Meta: meta(ann), Err: ErrExpiry},
		{Name: "K3: two-digit year", When: add(func(c *AddCard) { c.ExpYear = 26 }), Meta: meta(ann), Err: ErrExpiry},
		{Name: "K3: 21 years ahead", When: add(func(c *AddCard) { c.ExpYear = 2047 }), Meta: meta(ann), Err: ErrExpiry},
		{
			Name: "K3: 20 years ahead", When: add(func(c *AddCard) { c.ExpYear = 2046 }), Meta: meta(ann),
			Then: events(added(func(e *CardAdded) { e.ExpYear, e.ExpiryCheckAt = 2046, time.Date(2046, 10, 2, 12, 0, 0, 0, time.UTC) })),
		},
		{Name: "K3: last month", When: add(func(c *AddCard) { c.ExpMonth = 10 }), Meta: meta(ann), Err: ErrExpired},

		{Name: "K6: issued abroad", When: add(func(c *AddCard) { c.IssuerCountry = "NO" }), Meta: meta(ann), Err: ErrIssuedAbroad},
		{Name: "K6: issuer's country not told", When: add(func(c *AddCard) { c.IssuerCountry = "" }), Meta: meta(ann), Err: ErrIssuedAbroad},
		{Name: "A3: billed abroad", When: add(func(c *AddCard) { c.BillTo.Country = "DK" }), Meta: meta(ann), Err: ErrBilledAbroad},
		{Name: "K6: no such tenant", When: addCard(), Meta: func() Meta {
			m := meta(ann)
			m.Facts = m.Facts.Knows(domain.Of[Organization](tenant), Organization{})
			return m
		}(), Err: ErrIssuedAbroad},

		{Name: "no token", When: add(func(c *AddCard) { c.GatewayToken = "" }), Meta: meta(ann), Err: ErrField},
		{Name: "token with a space", When: add(func(c *AddCard) { c.GatewayToken = "pm 1" }), Meta: meta(ann), Err: ErrField},
		{Name: "brand in capitals", When: add(func(c *AddCard) { c.Brand = "Visa" }), Meta: meta(ann), Err: ErrField},
		{Name: "three last digits", When: add(func(c *AddCard) { c.Last4 = "424" }), Meta: meta(ann), Err: ErrField},
		{Name: "letters as last digits", When: add(func(c *AddCard) { c.Last4 = "42x2" }), Meta: meta(ann), Err: ErrField},
		{Name: "unknown funding", When: add(func(c *AddCard) { c.Funding = "gold" }), Meta: meta(ann), Err: ErrField},
		{Name: "no name", When: add(func(c *AddCard) { c.HolderName = " " }), Meta: meta(ann), Err: ErrField},
		{Name: "name of two lines", When: add(func(c *AddCard) { c.HolderName = "Ann\nBok" }), Meta: meta(ann), Err: ErrField},
		{Name: "name that nobody sees", When: add(func(c *AddCard) { c.HolderName = "\u3164" }), Meta: meta(ann), Err: ErrField},
		{Name: "name that turns what follows", When: add(func(c *AddCard) { c.HolderName = "Ann\u202eBok" }), Meta: meta(ann), Err: ErrField},
		{Name: "endless name", When: add(func(c *AddCard) { c.HolderName = strings.Repeat("å", 201) }), Meta: meta(ann), Err: ErrField},
		{Name: "A1: the postal code is not as the country writes it", When: add(func(c *AddCard) { c.BillTo.PostalCode = "9032" }), Meta: meta(ann), Err: postal.ErrAddress},
		{Name: "A2: a better spelling", When: add(func(c *AddCard) { c.BillTo.PostalCode = "90326" }), Meta: meta(ann), Err: postal.ErrConfirm},
		{
			Name: "A2: the spelling is confirmed", Meta: meta(ann),
			When: add(func(c *AddCard) { c.BillTo.PostalCode, c.ConfirmAddress = "90326", true }),
			Then: events(added(func(e *CardAdded) {
				e.BillTo = domain.About(ann, home.With(postal.PostalCode, "90326"))
				e.BillToChecked = postal.Checked{Grade: postal.FormatOK, Confirmed: true}
			})),
		},
		{Name: "unknown check", When: add(func(c *AddCard) { c.Checks.CVC = "123" }), Meta: meta(ann), Err: ErrField},
	})
}

func TestAddCardTellsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := addCard(func(c *AddCard) { c.Last4, c.ExpMonth, c.IssuerCountry = "x", 0, "NO" }).Decide(Card{}, meta(ann))
	var refused *domain.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Decide: err = %v, want a refusal", err)
	}
	var got []string
	for _, cause := range refused.Causes {
		got = append(got, cause.Pointer)
	}
	if want := []string{"/last4", "/expMonth", "/issuerCountry"}; !slices.Equal(got, want) {
		t.Errorf("pointers of the causes = %v, want %v", got, want)
	}
}

// Rule C2: there is no field for a security code, and none for a number.
func TestNoFieldForSecrets(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"AddCard", "UpdateCardDetails"} {
		for _, name := range []string{"cvv", "cvc", "securityCode", "number", "cardNumber", "pan"} {
			raw := domain.Raw{Type: command, Data: json.RawMessage(`{"` + name + `":"123"}`)}
			var refused *domain.Error
			if _, err := Aggregate.DecodeCommand(raw); !errors.As(err, &refused) || refused.Kind != domain.KindMalformed {
				t.Errorf("DecodeCommand(%s with %s): err = %v, want a malformed command", command, name, err)
			}
		}
	}
}

func TestK2Reservations(t *testing.T) {
	t.Parallel()
	type key struct{ Kind, Scope, Key string }
	of := func(c AddCard, m Meta) (keys []key) {
		for _, r := range c.Reserves(m) {
			keys = append(keys, key{r.Kind, r.Scope, r.Key})
		}
		return keys
	}
	want := []key{
		{"card-token", "", "pm_1PabcDEF"},
		{"card-fingerprint", tenant, "card-fingerprint:Xt5EWLLDS7FJjR1c|" + ann},
	}
	if diff := cmp.Diff(want, of(addCard(), meta(ann))); diff != "" {
		t.Errorf("Reserves (-want +got):\n%s", diff)
	}
	if a, b := of(addCard(), meta(ann)), of(addCard(), meta(bob)); a[0] != b[0] || a[1] == b[1] {
		t.Errorf("Reserves for two owners = %v, %v, want the same token and different numbers", a, b)
	}
	if got := of(addCard(func(c *AddCard) { c.GatewayToken = "" }), meta(ann)); got != nil {
		t.Errorf("Reserves without a token = %v, want none", got)
	}
	token, number := addCard().Reserves(meta(ann))[0], addCard().Reserves(meta(ann))[1]
	if err := token.Taken(other); !errors.Is(err, ErrDuplicate) || err.Facts != nil {
		t.Errorf("token taken: %v with %v, want %v with nothing of another tenant's", err, err.Facts, ErrDuplicate)
	}
	if err := number.Taken(other); !errors.Is(err, ErrDuplicate) || err.Facts["card"] != other || err.Rule != "K2" {
		t.Errorf("number taken: %v with %v by %s, want %v with the card by K2", err, err.Facts, err.Rule, ErrDuplicate)
	}
}

func TestUpdateCardDetails(t *testing.T) {
	t.Parallel()
	given := events(added())
	moved := home
	moved.Line1, moved.City = "Kungsgatan 9", "Luleå"
	called := CardDetailsUpdated{Changed: []string{"phone"}, Phone: domain.About(ann, "+46701740605"), PhoneData: "plans/1", PolicyVersion: 1}
	longAgo := CardDetailsUpdated{Changed: []string{"phone"}, Phone: domain.About(ann, "0000"), PolicyVersion: 1}
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{
			Name: "C1: everything", Given: given, Meta: meta(ann),
			When: UpdateCardDetails{HolderName: new("Ann Berg"), ExpMonth: new(2), ExpYear: new(2030), BillingAddress: &moved, Phone: new("+46 70 174 06 05")},
			Then: events(CardDetailsUpdated{
				Changed: []string{"holderName", "expMonth", "expYear", "billingAddress.line1", "billingAddress.city", "phone"},
				Holder:  domain.About(ann, "Ann Berg"), ExpMonth: 2, ExpYear: 2030, BillTo: domain.About(ann, moved),
				Phone: domain.About(ann, "+46701740605"), PhoneData: "plans/1", PolicyVersion: 1,
				BillToChecked: postal.Checked{Grade: postal.FormatOK, DataVersion: "tables/1"},
				ExpiryCheckAt: time.Date(2029, 12, 31, 12, 0, 0, 0, time.UTC),
			}),
		},
		{
			Name: "C1: one field", Given: given, Meta: meta(ann), When: UpdateCardDetails{ExpYear: new(2028)},
			Then: events(CardDetailsUpdated{Changed: []string{"expYear"}, ExpYear: 2028, PolicyVersion: 1, ExpiryCheckAt: time.Date(2028, 10, 2, 12, 0, 0, 0, time.UTC)}),
		},
		{
			Name: "remove the phone number", Meta: meta(ann), When: UpdateCardDetails{Phone: new("")},
			Given: events(added(), CardDetailsUpdated{Changed: []string{"phone"}, Phone: domain.About(ann, "070123")}),
			Then:  events(CardDetailsUpdated{Changed: []string{"phone"}, PolicyVersion: 1}),
		},
		{
			Name: "removed phone number stays removed", Meta: meta(ann), When: UpdateCardDetails{Phone: new("")},
			Given: events(added(), CardDetailsUpdated{Changed: []string{"phone"}, Phone: domain.About(ann, "070123")}, CardDetailsUpdated{Changed: []string{"phone"}}),
		},
		{
			Name: "F1, F4: a national number is one of the billing address's country, read by plans that are named", Given: given, Meta: meta(ann),
			When: UpdateCardDetails{Phone: new("070-174 06 05")}, Then: events(called),
		},
		{
			Name: "F1: an extension is kept", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("090-10 00 00 ext. 12")},
			Then: events(CardDetailsUpdated{Changed: []string{"phone"}, Phone: domain.About(ann, "+4690100000;ext=12"), PhoneData: "plans/1", PolicyVersion: 1}),
		},
		{Name: "F1: the same number written in another way", Given: events(added(), called), Meta: meta(ann), When: UpdateCardDetails{Phone: new("+46 70 174 06 05")}},
		{Name: "F4: a number that was there before is not judged again", Given: events(added(), longAgo), Meta: meta(ann), When: UpdateCardDetails{Phone: new("0000")}},
		{
			Name: "F4: nor does it stand in the way of others", Given: events(added(), longAgo), Meta: meta(ann), When: UpdateCardDetails{Phone: new("0000"), HolderName: new("Ann Berg")},
			Then: events(CardDetailsUpdated{Changed: []string{"holderName"}, Holder: domain.About(ann, "Ann Berg"), PolicyVersion: 1}),
		},
		{
			Name: "F4: removing a number takes no plans", Given: events(added(), longAgo), Meta: meta(ann), When: UpdateCardDetails{Phone: new("")},
			Then: events(CardDetailsUpdated{Changed: []string{"phone"}, PolicyVersion: 1}),
		},
		{Name: "F2: four zeros", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("0000")}, Err: ErrField},
		{Name: "F2: a number that is dialled locally only", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("112")}, Err: ErrField},
		{Name: "F2: a country and little else", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("+46 8")}, Err: ErrField},
		{Name: "nothing", Given: given, Meta: meta(ann), When: UpdateCardDetails{}},
		{Name: "the same", Given: given, Meta: meta(ann), When: UpdateCardDetails{HolderName: new("Ann Bok"), ExpMonth: new(11), ExpYear: new(2026), BillingAddress: &home}},
		{
			Name: "the same after a change", Meta: meta(ann), When: UpdateCardDetails{HolderName: new("Ann Berg"), ExpMonth: new(2), ExpYear: new(2030), BillingAddress: &moved},
			Given: events(added(), CardDetailsUpdated{Holder: domain.About(ann, "Ann Berg"), ExpMonth: 2, ExpYear: 2030, BillTo: domain.About(ann, moved)}),
		},
		{Name: "C4: somebody else", Given: given, Meta: meta(bob), When: UpdateCardDetails{ExpYear: new(2028)}, Err: ErrNotOwner},
		{Name: "no card", Meta: meta(ann), When: UpdateCardDetails{}, Err: ErrNotFound},
		{Name: "removed", Given: events(added(), CardRemoved{}), Meta: meta(ann), When: UpdateCardDetails{}, Err: ErrRemoved},
		{Name: "K3: into the past", Given: given, Meta: meta(ann), When: UpdateCardDetails{ExpMonth: new(10)}, Err: ErrExpired},
		{Name: "K3: no month", Given: given, Meta: meta(ann), When: UpdateCardDetails{ExpMonth: new(13)}, Err: ErrExpiry},
		{Name: "K3: too far", Given: given, Meta: meta(ann), When: UpdateCardDetails{ExpYear: new(2047)}, Err: ErrExpiry},
		{Name: "A3: billed abroad", Given: given, Meta: meta(ann), When: UpdateCardDetails{BillingAddress: &Address{Line1: "Gade 1", Country: "DK"}}, Err: ErrBilledAbroad},
		{Name: "A1: an address that was there before is not judged again", Given: given, Meta: judged(home, badCode), When: UpdateCardDetails{BillingAddress: &home}},
		{Name: "A1: confirming an address that is none of its country", Given: given, Meta: judged(moved, badCode), When: UpdateCardDetails{BillingAddress: &moved, ConfirmAddress: true}, Err: postal.ErrAddress},
		{Name: "K1: number as name", Given: given, Meta: meta(ann), When: UpdateCardDetails{HolderName: new("4000056655665556")}, Err: ErrCardNumber},
		{Name: "K1: number as phone number", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("4242 4242 4242 4242")}, Err: ErrCardNumber},
		{Name: "K1: short number as phone number", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("3714 496353 98431")}, Err: ErrCardNumber},
		{Name: "F2: no phone number", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("call me")}, Err: ErrField},
		{Name: "F2: short phone number", Given: given, Meta: meta(ann), When: UpdateCardDetails{Phone: new("12")}, Err: ErrField},
		{Name: "no name", Given: given, Meta: meta(ann), When: UpdateCardDetails{HolderName: new("")}, Err: ErrField},
	})
}

func TestReplaceCard(t *testing.T) {
	t.Parallel()
	on2 := events(added(), CardAttached{sub1}, CardAttached{sub2})
	all := ReplaceCard{NewCardID: other, Scope: ScopeAll}
	one := ReplaceCard{NewCardID: other, Scope: ScopeSubscription, SubscriptionID: sub2}
	replaced := func(scope string, subs ...string) CardReplaced {
		return CardReplaced{OldCardID: id, NewCardID: other, Scope: scope, Subscriptions: subs, Reason: "requested", At: now}
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "C6: all", Given: on2, Meta: meta(bob), When: all, Then: events(replaced(ScopeAll, sub1, sub2))},
		{Name: "C6: one", Given: on2, Meta: meta(bob), When: one, Then: events(replaced(ScopeSubscription, sub2))},
		{Name: "the same again", Given: slices.Concat(on2, events(replaced(ScopeAll, sub1, sub2))), Meta: meta(bob), When: all},
		{Name: "the rest", Given: slices.Concat(on2, events(replaced(ScopeSubscription, sub2))), Meta: meta(bob), When: all, Then: events(replaced(ScopeAll, sub1))},
		{
			Name: "while it moves to a third card", Meta: meta(bob), When: one, Err: ErrNothingToReplace,
			Given: slices.Concat(on2, events(CardReplaced{NewCardID: "third", Subscriptions: []string{sub2}, At: now.Add(time.Second - 5*time.Minute)})),
		},
		{
			Name: "when it did not get to a third card", Meta: meta(bob), When: one, Then: events(replaced(ScopeSubscription, sub2)),
			Given: slices.Concat(on2, events(CardReplaced{NewCardID: "third", Subscriptions: []string{sub2}, At: now.Add(-5 * time.Minute)})),
		},
		{
			Name: "when it has moved", Meta: meta(bob), When: one, Err: ErrNothingToReplace,
			Given: slices.Concat(on2, events(replaced(ScopeSubscription, sub2), CardDetached{sub2})),
		},
		{
			Name: "when it came back", Meta: meta(bob), When: one, Then: events(replaced(ScopeSubscription, sub2)),
			Given: slices.Concat(on2, events(replaced(ScopeSubscription, sub2), CardDetached{sub2}, CardAttached{sub2})),
		},
		{Name: "nothing attached", Given: events(added()), Meta: meta(bob), When: all, Err: ErrNothingToReplace},
		{Name: "not attached to that one", Given: events(added(), CardAttached{sub1}), Meta: meta(bob), When: one, Err: ErrNothingToReplace},
		{Name: "no old card", Meta: meta(bob), When: all, Err: ErrNotFound},
		{Name: "old card removed", Given: events(added(), CardRemoved{}), Meta: meta(bob), When: all, Err: ErrRemoved},
		{Name: "by itself", Given: on2, Meta: meta(bob), When: ReplaceCard{NewCardID: id, Scope: ScopeAll}, Err: ErrSameCard},
		{Name: "by no card", Given: on2, Meta: meta(bob, func(r *Replacement) { *r = Replacement{} }), When: all, Err: ErrReplacement},
		{Name: "by another tenant's", Given: on2, Meta: meta(bob, func(r *Replacement) { r.Tenant = "theirs" }), When: all, Err: ErrReplacement},
		{Name: "by a removed one", Given: on2, Meta: meta(bob, func(r *Replacement) { r.Removed = true }), When: all, Err: ErrRemoved},
		{Name: "K3: by an expired one", Given: on2, Meta: meta(bob, func(r *Replacement) { r.ExpMonth, r.ExpYear = 10, 2026 }), When: all, Err: ErrExpired},
		{Name: "C4: by somebody else's", Given: on2, Meta: meta(ann), When: all, Err: ErrNotOwner},
		{Name: "unknown scope", Given: on2, Meta: meta(bob), When: ReplaceCard{NewCardID: other, Scope: "some"}, Err: ErrField},
		{Name: "no subscription", Given: on2, Meta: meta(bob), When: ReplaceCard{NewCardID: other, Scope: ScopeSubscription}, Err: ErrField},
		{Name: "all and one", Given: on2, Meta: meta(bob), When: ReplaceCard{NewCardID: other, Scope: ScopeAll, SubscriptionID: sub1}, Err: ErrField},
	})
}

func TestRemoveCard(t *testing.T) {
	t.Parallel()
	removed := CardRemoved{"requested", ann, "pm_1PabcDEF", "card-fingerprint:Xt5EWLLDS7FJjR1c"}
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "remove", Given: events(added()), Meta: meta(ann), When: RemoveCard{}, Then: events(removed)},
		{Name: "again", Given: events(added(), removed), Meta: meta(ann), When: RemoveCard{}},
		{Name: "C6: in use", Given: events(added(), CardAttached{sub1}), Meta: meta(ann), When: RemoveCard{}, Err: ErrInUse},
		{
			Name: "C6: while a replacement is under way", Meta: meta(ann), When: RemoveCard{}, Err: ErrInUse,
			Given: events(added(), CardAttached{sub1}, CardReplaced{NewCardID: other, Subscriptions: []string{sub1}}),
		},
		{
			Name: "C6: after replacement", Meta: meta(ann), When: RemoveCard{}, Then: events(removed),
			Given: events(added(), CardAttached{sub1}, CardReplaced{NewCardID: other, Subscriptions: []string{sub1}}, CardDetached{sub1}),
		},
		{Name: "C4: somebody else's", Given: events(added()), Meta: meta(bob), When: RemoveCard{}, Err: ErrNotOwner},
		{Name: "no card", Meta: meta(ann), When: RemoveCard{}, Err: ErrNotFound},
	})
}

func TestRecordCardAutoUpdate(t *testing.T) {
	t.Parallel()
	update := RecordCardAutoUpdate{Last4: "1881", ExpMonth: 1, ExpYear: 2030, Brand: "visa", Source: "account-updater"}
	updated := CardAutomaticallyUpdated{
		Source: "account-updater", Changed: []string{"last4", "expMonth", "expYear"}, Last4: "1881", ExpMonth: 1, ExpYear: 2030, Brand: "visa",
		At: now, ExpiryCheckAt: time.Date(2029, 12, 3, 12, 0, 0, 0, time.UTC),
	}
	known := update
	known.Fingerprint = "fp_new"
	renumbered := updated
	renumbered.Fingerprint, renumbered.OldFingerprint, renumbered.Owner = "card-fingerprint:fp_new", added().Fingerprint, added().AddedBy
	sameEnd := RecordCardAutoUpdate{Last4: added().Last4, ExpMonth: added().ExpMonth, ExpYear: added().ExpYear, Brand: "visa", Source: "x", Fingerprint: "fp_new"}
	wrong := known
	wrong.Fingerprint = "fp new"
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "K4: new number", Given: events(added()), Meta: meta("gateway"), When: update, Then: events(updated)},
		{Name: "again", Given: events(added(), updated), Meta: meta("gateway"), When: update},
		{Name: "no card", Meta: meta("gateway"), When: update, Err: ErrNotFound},
		{Name: "removed", Given: events(added(), CardRemoved{}), Meta: meta("gateway"), When: update, Err: ErrRemoved},
		{Name: "whole number", Given: events(added()), Meta: meta("gateway"), When: RecordCardAutoUpdate{Last4: "4242424242424242", ExpMonth: 1, ExpYear: 2030, Brand: "visa", Source: "x"}, Err: ErrField},
		{Name: "no expiry", Given: events(added()), Meta: meta("gateway"), When: RecordCardAutoUpdate{Last4: "1881", ExpYear: 2030, Brand: "visa", Source: "x"}, Err: ErrExpiry},
		{Name: "no source", Given: events(added()), Meta: meta("gateway"), When: RecordCardAutoUpdate{Last4: "1881", ExpMonth: 1, ExpYear: 2030, Brand: "visa"}, Err: ErrField},
		{Name: "K2: the new number's fingerprint is kept, hashed", Given: events(added()), Meta: meta("gateway"), When: known, Then: events(renumbered)},
		{Name: "K2: the same number again", Given: events(added(), renumbered), Meta: meta("gateway"), When: known},
		{Name: "K2: the gateway no longer says which number it is", Given: events(added(), renumbered), Meta: meta("gateway"), When: update},
		{
			Name: "K2: a new number that ends as the old one", Given: events(added()), Meta: meta("gateway"), When: sameEnd,
			Then: events(CardAutomaticallyUpdated{
				Source: "x", Changed: []string{"number"}, Last4: added().Last4, ExpMonth: added().ExpMonth, ExpYear: added().ExpYear, Brand: "visa", At: now,
				Fingerprint: "card-fingerprint:fp_new", OldFingerprint: added().Fingerprint, Owner: added().AddedBy,
			}),
		},
		{
			Name: "K2: a removed card gives back the number that it had last", Given: events(added(), renumbered), Meta: meta(ann), When: RemoveCard{},
			Then: events(CardRemoved{"requested", added().AddedBy, added().GatewayToken, "card-fingerprint:fp_new"}),
		},
		{Name: "K2: what cannot be a fingerprint", Given: events(added()), Meta: meta("gateway"), When: wrong, Err: ErrField},
	})
}

func TestAttachDetach(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "attach", Given: events(added()), When: AttachCard{sub1}, Then: events(CardAttached{sub1})},
		{Name: "attach again", Given: events(added(), CardAttached{sub1}), When: AttachCard{sub1}},
		{Name: "attach no card", When: AttachCard{sub1}, Err: ErrNotFound},
		{Name: "attach a removed card", Given: events(added(), CardRemoved{}), When: AttachCard{sub1}, Err: ErrRemoved},
		{Name: "attach to nothing", Given: events(added()), When: AttachCard{}, Err: ErrField},
		{Name: "detach", Given: events(added(), CardAttached{sub1}), When: DetachCard{sub1}, Then: events(CardDetached{sub1})},
		{Name: "detach what is not attached", Given: events(added(), CardAttached{sub1}), When: DetachCard{sub2}},
		{Name: "detach no card", When: DetachCard{sub1}, Err: ErrNotFound},
	})
}

// A refusal says by which rule, who could, what instead, and what to know.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inUse := Card{Owner: ann, Tenant: tenant, Subscriptions: []string{sub1, sub2}}
	for _, test := range []struct {
		name    string
		when    domain.Command[Card]
		by      string
		rule    string
		instead string
		facts   map[string]any
	}{
		{"edit another's", UpdateCardDetails{}, bob, "C4", "AddBackupCard", map[string]any{"owner": ann, "ownerActive": true, "ownerMasked": "a***@contoso.example", "subscriptions": []string{sub1, sub2}}},
		{"remove one in use", RemoveCard{}, ann, "C6", "ReplaceCard", map[string]any{"subscriptions": []string{sub1, sub2}}},
		{"replace by another's", ReplaceCard{NewCardID: other, Scope: ScopeAll}, ann, "C4", "AddCard", map[string]any{"owner": bob, "ownerActive": false, "ownerMasked": "b***@contoso.example"}},
	} {
		_, err := test.when.Decide(inUse, meta(test.by))
		var got *domain.Error
		if !errors.As(err, &got) {
			t.Errorf("%s: err = %v, want a refusal", test.name, err)
			continue
		}
		if got.Rule != test.rule || got.Instead != test.instead || len(got.InsteadBy) == 0 {
			t.Errorf("%s: rule %s, instead %s, who may %v, want %s, %s, somebody", test.name, got.Rule, got.Instead, got.WhoMay, test.rule, test.instead)
		}
		if diff := cmp.Diff(test.facts, got.Facts); diff != "" {
			t.Errorf("%s: facts (-want +got):\n%s", test.name, diff)
		}
	}
}
