package customer_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/customer"
	"konto/domain/domaintest"
	"konto/domain/postal"
)

const (
	id      = "01936c2e-0000-7000-8000-0000000000bb"
	partner = "01936c2e-0000-7000-8000-0000000000aa"
	ann     = "01936c2e-0000-7000-8000-0000000000a1"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// meta is what a decision knows when somebody of the partner asks.
func meta(r Relationship) Meta {
	return Meta{
		ID: id, Tenant: partner, At: now,
		Actor: domain.Actor{ID: ann, Kind: domain.KindPerson, Tenant: partner, Roles: []domain.Role{domain.SalesAgent}},
		Facts: RegistrationNumbers.Known(libraries()).Knows(domain.Of[Relationship](partner+"-"+id), r).
			Knows(domain.Of[Current](id), Current{Country: "DK"}),
	}
}

// libraries is what they say of the inputs of these tests.
func libraries() domain.Facts {
	var f domain.Facts
	for _, tag := range []string{"da", "sv", "kk", "da-DK", "sv-SE"} {
		f = f.Knows(domain.Of[Locale](tag), Locale{true, tag})
	}
	for _, tag := range []string{"", "dansk", "da-", "xx"} {
		f = f.Knows(domain.Of[Locale](tag), Locale{})
	}
	f = f.Knows(domain.Of[Locale]("sv_se"), Locale{true, "sv-SE"}).Knows(domain.Of[Locale]("SV"), Locale{true, "sv"})
	f = f.Knows(domain.Of[Locale]("DA"), Locale{true, "da"}).Knows(domain.Of[Locale]("zh-Hant"), Locale{true, "zh-Hant"})
	for code := range RegistrationNumbers.First.Digits {
		f = f.Knows(domain.Of[Country](code), Country{true})
	}
	for _, code := range []string{"DK", "SE"} {
		f = f.Knows(domain.Of[Country](code), Country{true})
	}
	for _, code := range []string{"", "dk", "Danmark", "XX"} {
		f = f.Knows(domain.Of[Country](code), Country{})
	}
	for name, label := range map[string]string{
		"nordlys.example": "nordlys.example", "dala.example": "dala.example", "Blå-Nordlys.Example.": "xn--bl-nordlys-25a.example",
		"Nordlys.Example": "nordlys.example", "nordlys": "", "https://nordlys.example": "", "-nordlys.example": "", "❤.example": "",
	} {
		f = f.Knows(domain.Of[DomainName](name), DomainName{label != "", label})
	}
	for raw, address := range map[string]string{
		"bo@nordlys.example": "bo@nordlys.example", "bill@nordlys.example": "bill@nordlys.example", " Bo.Holm+faktura@Blå.Example": "Bo.Holm+faktura@xn--bl-zia.example",
		"ｂｏ@Nordlys.example": "bo@nordlys.example", "bo@": "", "b o@nordlys.example": "", "N": "", "x": "", "": "", "b\u200bo@nordlys.example": "", "אבo@nordlys.example": "",
	} {
		a := MailAddress{OK: address != "", Normalized: address}
		if !a.OK {
			a.Reason = "it is none"
		}
		f = f.Knows(domain.Of[MailAddress](raw), a)
	}
	return f
}

// given is what a decision knows of a customer that is somewhere.
func given(country string, a postal.Address, more ...func(*Meta)) Meta {
	m := reseller()
	m.Facts = m.Facts.Knows(domain.Of[Current](id), Current{country, a})
	for _, f := range more {
		f(&m)
	}
	return m
}

func knows(n domain.Need, fact any) func(*Meta) {
	return func(m *Meta) { m.Facts = m.Facts.Knows(n, fact) }
}

func calls(country, number string, p PhoneNumber) func(*Meta) {
	return knows(domain.Of[PhoneNumber](country+" "+number), p)
}

// read is what the numbering plans say of a number with its country code.
func read(number string) PhoneNumber {
	return PhoneNumber{Possible: true, Valid: true, Number: strings.ReplaceAll(number, " ", ""), Data: "plans/1"}
}

func says(a postal.Address, v postal.Verdict) func(*Meta) { return knows(a.Need(), v) }

func reseller() Meta { return meta(Relationship{Type: "reseller", Active: true}) }

// elsewhere is a tenant that is neither the customer nor its partner.
const elsewhere = "01936c2e-0000-7000-8000-0000000000cc"

func from(tenant string, more ...func(*Meta)) Meta {
	m := reseller()
	m.Actor.Tenant = tenant
	m.Facts = m.Facts.Knows(domain.Of[Relationship](tenant+"-"+id), Relationship{})
	for _, f := range more {
		f(&m)
	}
	return m
}

func events(e ...Event) []Event { return e }

var registered = CustomerRegistered{
	PartnerID: partner, CompanyName: "Nordlys A/S", Country: "DK", Domain: "nordlys.example", Language: "da", At: now,
}

// kazakh is a company in a country that asks for registration numbers.
var kazakh = CustomerRegistered{
	PartnerID: partner, CompanyName: "Dala TOO", Country: "KZ", Domain: "dala.example", Language: "kk", At: now,
	OrganizationRegistrationNumber: "123456789012", Phone: domain.About(id, "+77172123456"), PhoneData: "plans/1",
}

var found = postal.Verdict{Grade: postal.FormatOK, DataVersion: "tables/1"}

var checked = postal.Checked{Grade: postal.FormatOK, DataVersion: "tables/1"}

func TestRegisterCustomer(t *testing.T) {
	t.Parallel()
	with := func(change func(*RegisterCustomer)) RegisterCustomer {
		c := RegisterCustomer{CompanyName: "Nordlys A/S", Country: "DK", Domain: "nordlys.example", Language: "da"}
		change(&c)
		return c
	}
	when := with(func(*RegisterCustomer) {})
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{Name: "P1: register", When: when, Meta: reseller(), Then: events(registered)},
		{Name: "P1: the language in its canonical form", When: with(func(c *RegisterCustomer) { c.Language = "DA" }), Meta: reseller(), Then: events(registered)},
		{Name: "X2: again", Given: events(registered), When: when, Meta: reseller()},
		{Name: "P2: again with another name", Given: events(registered), When: with(func(c *RegisterCustomer) { c.CompanyName = "Other" }), Meta: reseller(), Err: ErrExists},
		{Name: "P1: another reseller's", Given: events(registered), When: when, Meta: from(elsewhere, knows(domain.Of[Relationship](elsewhere+"-"+id), Relationship{"reseller", true})), Err: ErrExists},
		{Name: "P1: a stranger learns nothing of another partner's", Given: events(registered), When: when, Meta: from(elsewhere), Err: ErrNoRelationship},
		{Name: "P1: register as an advisor", When: when, Meta: meta(Relationship{"advisor", true}), Err: ErrNoRelationship},
		{Name: "P1: register as a syndicator", When: when, Meta: meta(Relationship{"syndication", true}), Err: ErrNoRelationship},
		{Name: "P1: register as support", When: when, Meta: meta(Relationship{"support", true}), Err: ErrNoRelationship},
		{Name: "P1, X6: register before the customer has accepted, or after the end", When: when, Meta: meta(Relationship{Type: "reseller"}), Err: ErrNoRelationship},
		{Name: "P1: again, when one has become an advisor", Given: events(registered), When: when, Meta: meta(Relationship{"advisor", true}), Err: ErrNoRelationship},
		{Name: "P1: an advisor is not told what is wrong with the rest", When: with(func(c *RegisterCustomer) { c.Country = "XX" }), Meta: meta(Relationship{"advisor", true}), Err: ErrNoRelationship},
		{Name: "P1: oneself", When: when, Meta: from(id), Err: ErrOwnTenant},
		{Name: "P1: without a tenant", When: when, Meta: from(""), Err: ErrOwnTenant},
		{Name: "P3: no name", When: with(func(c *RegisterCustomer) { c.CompanyName = "" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: name of a country", When: with(func(c *RegisterCustomer) { c.Country = "Danmark" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: country in small letters", When: with(func(c *RegisterCustomer) { c.Country = "dk" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: no such country", When: with(func(c *RegisterCustomer) { c.Country = "XX" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: no country", When: with(func(c *RegisterCustomer) { c.Country = "" }), Meta: reseller(), Err: ErrField},
		{Name: "E1: the domain in other letters", When: with(func(c *RegisterCustomer) { c.Domain = "Nordlys.Example" }), Meta: reseller(), Then: events(registered)},
		{
			Name: "E1: the domain as its people write it", When: with(func(c *RegisterCustomer) { c.Domain = "Blå-Nordlys.Example." }), Meta: reseller(),
			Then: events(CustomerRegistered{PartnerID: partner, CompanyName: "Nordlys A/S", Country: "DK", Domain: "xn--bl-nordlys-25a.example", Language: "da", At: now}),
		},
		{Name: "E1: again, with the domain in other letters", Given: events(registered), When: with(func(c *RegisterCustomer) { c.Domain = "Nordlys.Example" }), Meta: reseller()},
		{Name: "E1: a symbol as domain", When: with(func(c *RegisterCustomer) { c.Domain = "❤.example" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: no domain", When: with(func(c *RegisterCustomer) { c.Domain = "nordlys" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: URL as domain", When: with(func(c *RegisterCustomer) { c.Domain = "https://nordlys.example" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: domain with a dash at its edge", When: with(func(c *RegisterCustomer) { c.Domain = "-nordlys.example" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: name of a language", When: with(func(c *RegisterCustomer) { c.Language = "dansk" }), Meta: reseller(), Err: ErrField},
		{Name: "P3: language with an empty part", When: with(func(c *RegisterCustomer) { c.Language = "da-" }), Meta: reseller(), Err: ErrField},
		{Name: "P7: a registration number where none is asked for", When: with(func(c *RegisterCustomer) { c.OrganizationRegistrationNumber = "12345678" }), Meta: reseller(), Err: ErrRegistrationRefused},
		{
			Name: "P7: a phone number where none is asked for", When: with(func(c *RegisterCustomer) { c.Phone = "+45 32 12 34 56" }),
			Meta: given("", postal.Address{}, calls("DK", "+45 32 12 34 56", read("+45 32 12 34 56"))), Err: ErrRegistrationRefused,
		},
	})
}

// Each of the countries asks for both, and for its own number of digits.
func TestObligations(t *testing.T) {
	t.Parallel()
	lengths := map[string][]int{
		"AM": {8}, "AZ": {10}, "BY": {9}, "HU": {8, 11}, "KZ": {12}, "KG": {14}, "MD": {13}, "RU": {10, 12}, "TJ": {9}, "UZ": {9}, "UA": {8, 10},
	}
	const phone = "+7 717 212 34 56"
	var cases []domaintest.Case[Customer]
	for _, country := range slices.Sorted(maps.Keys(lengths)) {
		meta := given("", postal.Address{}, calls(country, phone, read(phone)))
		register := func(number, phone string) RegisterCustomer {
			return RegisterCustomer{"Dala", country, "dala.example", "kk", number, phone}
		}
		for n := 7; n <= 15; n++ {
			number := "123456789012345"[:n]
			c := domaintest.Case[Customer]{Name: fmt.Sprintf("P7: %s, %d digits", country, n), When: register(number, phone), Meta: meta, Err: ErrRegistrationFormat}
			if slices.Contains(lengths[country], n) {
				c.Err = nil
				c.Then = events(CustomerRegistered{partner, "Dala", country, "dala.example", "kk", now, number, domain.About(id, read(phone).Number), "plans/1"})
			}
			cases = append(cases, c)
		}
		number := "123456789012345"[:lengths[country][0]]
		cases = append(
			cases,
			domaintest.Case[Customer]{Name: "P7: " + country + ", no number", When: register("", phone), Meta: meta, Err: ErrRegistrationRequired},
			domaintest.Case[Customer]{Name: "P7: " + country + ", no phone number", When: register(number, ""), Meta: meta, Err: ErrRegistrationRequired},
			domaintest.Case[Customer]{Name: "P7: " + country + ", letters", When: register("A"+number[1:], phone), Meta: meta, Err: ErrRegistrationFormat},
			domaintest.Case[Customer]{
				Name: "P7: " + country + ", a phone number that nobody has", When: register(number, phone), Err: ErrField,
				Meta: given("", postal.Address{}, calls(country, phone, PhoneNumber{Possible: true})),
			},
		)
	}
	domaintest.Run(t, Aggregate, cases)
}

func TestObligationsArePolicy(t *testing.T) {
	t.Parallel()
	m := reseller()
	m.Facts = RegistrationNumbers.Known(m.Facts, domain.Version[RegistrationTerms]{
		Number: 2, EffectiveAt: now, Rules: RegistrationTerms{Digits: map[string][]int{"DK": {8}}},
	})
	when := RegisterCustomer{CompanyName: "Nordlys A/S", Country: "DK", Domain: "nordlys.example", Language: "da"}
	before := m
	before.At = now.Add(-time.Second)
	first := registered
	first.At = before.At
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{Name: "P7: a later version asks another country", When: when, Meta: m, Err: ErrRegistrationRequired},
		{Name: "P7: not before it is in force", When: when, Meta: before, Then: events(first)},
	})
	for name, terms := range map[string]RegistrationTerms{
		"no object": {}, "no code": {map[string][]int{"Danmark": {8}}}, "no digits": {map[string][]int{"DK": {}}}, "too many": {map[string][]int{"DK": {21}}},
	} {
		if terms.Validate() == nil {
			t.Errorf("terms with %s are valid", name)
		}
	}
	if err := RegistrationNumbers.First.Validate(); err != nil {
		t.Errorf("version 1: %v", err)
	}
}

func TestUpdateCompanyDetails(t *testing.T) {
	t.Parallel()
	const phone, other = "+7 717 212 34 56", "+7 727 212 34 56"
	here := events(kazakh)
	meta1 := func(more ...func(*Meta)) Meta {
		return given("KZ", postal.Address{}, append(more, calls("KZ", other, read(other)), calls("KZ", "12", PhoneNumber{}))...)
	}
	longAgo := kazakh
	longAgo.Phone, longAgo.PhoneData = domain.About(id, "12"), ""
	update := func(c CompanyDetails) UpdateCustomerAccount { return UpdateCustomerAccount{CompanyDetails: &c} }
	old := events(registered, CustomerCompanyDetailsUpdated{Changed: []string{"organizationRegistrationNumber"}, OrganizationRegistrationNumber: "12345678"})
	erased := kazakh
	erased.Phone = domain.Personal[string]{Subject: id, Erased: true}
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{
			Name: "P2: everything, with what it was", Given: here, Meta: meta1(), When: update(CompanyDetails{new("Dala Group"), new("210987654321"), new(other)}),
			Then: events(CustomerCompanyDetailsUpdated{
				partner,
				[]string{"companyName", "organizationRegistrationNumber", "phone"},
				"Dala Group", "210987654321", domain.About(id, read(other).Number),
				CompanyBefore{"Dala TOO", "123456789012", domain.About(id, read(phone).Number)},
				"plans/1",
			}),
		},
		{
			Name: "P2: one stays", Given: here, Meta: meta1(), When: update(CompanyDetails{CompanyName: new("Dala Group")}),
			Then: events(CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "Dala Group", Before: CompanyBefore{CompanyName: "Dala TOO"}}),
		},
		{Name: "P2: the same", Given: here, Meta: meta1(), When: update(CompanyDetails{CompanyName: new("Dala TOO"), OrganizationRegistrationNumber: new("123456789012")})},
		{Name: "P2: nothing", Given: here, Meta: meta1(), When: UpdateCustomerAccount{}},
		{Name: "P3: no name", Given: here, Meta: meta1(), When: update(CompanyDetails{CompanyName: new(" ")}), Err: ErrField},
		{Name: "P7: the number is not removed", Given: here, Meta: meta1(), When: update(CompanyDetails{OrganizationRegistrationNumber: new("")}), Err: ErrRegistrationRequired},
		{Name: "P7: the phone number is not removed", Given: here, Meta: meta1(), When: update(CompanyDetails{Phone: new("")}), Err: ErrRegistrationRequired},
		{Name: "P7: a number of another length", Given: here, Meta: meta1(), When: update(CompanyDetails{OrganizationRegistrationNumber: new("12345678")}), Err: ErrRegistrationFormat},
		{Name: "P7: no phone number", Given: here, Meta: meta1(), When: update(CompanyDetails{Phone: new("12")}), Err: ErrField},
		{Name: "F1: the same number written in another way", Given: here, Meta: meta1(calls("KZ", "8 717 212-34-56", read(phone))), When: update(CompanyDetails{Phone: new("8 717 212-34-56")})},
		{
			Name: "F4: which plans read the phone number", Given: here, Meta: meta1(), When: update(CompanyDetails{Phone: new(other)}),
			Then: events(CustomerCompanyDetailsUpdated{
				PartnerID: partner, Changed: []string{"phone"}, Phone: domain.About(id, read(other).Number), Before: CompanyBefore{Phone: domain.About(id, read(phone).Number)}, PhoneData: "plans/1",
			}),
		},
		{Name: "F4: a number that was there before is not judged again", Given: events(longAgo), Meta: meta1(), When: update(CompanyDetails{Phone: new("12")})},
		{
			Name: "P7: an erased phone number was there", Given: events(erased), Meta: meta1(), When: update(CompanyDetails{CompanyName: new("D")}),
			Then: events(CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "D", Before: CompanyBefore{CompanyName: "Dala TOO"}}),
		},
		{Name: "P7: a number where none is asked for", Given: events(registered), Meta: reseller(), When: update(CompanyDetails{OrganizationRegistrationNumber: new("12345678")}), Err: ErrRegistrationRefused},
		{
			Name: "P7: one from before the rule stays", Given: old, Meta: reseller(), When: update(CompanyDetails{CompanyName: new("N")}),
			Then: events(CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "N", Before: CompanyBefore{CompanyName: "Nordlys A/S"}}),
		},
		{
			Name: "P7: and is removed", Given: old, Meta: reseller(), When: update(CompanyDetails{OrganizationRegistrationNumber: new("")}),
			Then: events(CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"organizationRegistrationNumber"}, Before: CompanyBefore{OrganizationRegistrationNumber: "12345678"}}),
		},
		{Name: "P1: relationship not active", Given: here, Meta: meta(Relationship{Type: "reseller"}), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "X6: a queued command after the end", Given: here, Meta: meta(Relationship{Type: "reseller"}), When: update(CompanyDetails{CompanyName: new("N")}), Err: ErrNoRelationship},
		{Name: "P1: an advisor", Given: here, Meta: meta(Relationship{Type: "advisor", Active: true}), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: a syndicator", Given: here, Meta: meta(Relationship{Type: "syndication", Active: true}), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: support", Given: here, Meta: meta(Relationship{Type: "support", Active: true}), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: the customer's own admin", Given: here, Meta: from(id), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: a stranger learns nothing of customers", Meta: from(elsewhere), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: no customer", Meta: reseller(), When: UpdateCustomerAccount{}, Err: ErrNotFound},
	})
}

func TestUpdateBillingInfo(t *testing.T) {
	t.Parallel()
	const number = "+45 32 12 34 56"
	contact := BillingContact{"Bo", "Holm", "bo@nordlys.example"}
	at := postal.Address{Line1: "Gade 1", Line2: "2. tv.", City: "Aarhus", PostalCode: "8000", Country: "DK"}
	address := Address{"Bo", "Holm", read(number).Number, at}
	whole := BillingInfoUpdate{
		new("Bo"), new("Holm"), new("bo@nordlys.example"), new("da-DK"), new("da"), new("Nordlys A/S"),
		&AddressUpdate{
			FirstName: new("Bo"), LastName: new("Holm"), Phone: new(number), Line1: new("Gade 1"), Line2: new("2. tv."),
			City: new("Aarhus"), PostalCode: new("8000"), Country: new("DK"),
		},
	}
	updated := CustomerBillingInfoUpdated{
		PartnerID: partner,
		Changed: []string{
			"firstName", "lastName", "email", "culture", "language", "companyName",
			"defaultAddress.firstName", "defaultAddress.lastName", "defaultAddress.phone", "defaultAddress.line1",
			"defaultAddress.line2", "defaultAddress.city", "defaultAddress.postalCode", "defaultAddress.country",
		},
		Contact: domain.About(id, contact), Address: domain.About(id, address),
		Culture: "da-DK", Language: "da", CompanyName: "Nordlys A/S", AddressChecked: checked, PhoneData: "plans/1",
	}
	moved, silent, renamed := address, address, contact
	silent.Phone = ""
	moved.City, moved.PostalCode = "København", "1050"
	renamed.Email = "bill@nordlys.example"
	badCode := postal.Verdict{Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Malformed}}}
	better := postal.Verdict{Grade: postal.FormatOK, DataVersion: "tables/1", Suggestions: []postal.Address{at}}
	phone := calls("DK", number, read(number))
	first := given("DK", postal.Address{}, says(at, found), phone)
	now := func(more ...func(*Meta)) Meta { return given("DK", at, append(more, says(at, found), phone)...) }
	bare := postal.Address{Line1: "", City: "Aarhus"}
	missing := func(fields ...postal.Field) (v postal.Verdict) {
		for _, f := range fields {
			v.Problems = append(v.Problems, postal.Problem{Field: f, Fault: postal.Missing})
		}
		return v
	}
	done := events(registered, updated)
	update := func(b BillingInfoUpdate) UpdateCustomerAccount { return UpdateCustomerAccount{BillingInfo: &b} }
	to := func(a AddressUpdate) UpdateCustomerAccount {
		return update(BillingInfoUpdate{DefaultAddress: &a})
	}
	move := AddressUpdate{City: new("København"), PostalCode: new("1050")}
	// longAgo is what nobody would take today.
	old := updated
	old.Contact, old.PhoneData = domain.About(id, BillingContact{"Bo", "Holm", "x"}), ""
	old.Address = domain.About(id, Address{"Bo", "Holm", "call me", at})
	longAgo := events(registered, old)
	mailed := func(name, raw, kept string) domaintest.Case[Customer] {
		return domaintest.Case[Customer]{
			Name: name, Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new(raw)}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"email"}, Contact: domain.About(id, BillingContact{"Bo", "Holm", kept}),
				Before: BillingInfo{Contact: domain.About(id, contact)},
			}),
		}
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{Name: "P3: everything", Given: events(registered), Meta: first, When: update(whole), Then: events(updated)},
		{Name: "P2: the same", Given: done, Meta: now(), When: update(whole)},
		{
			Name: "P2: two fields of the address, with what it was", Given: done, Meta: now(says(moved.Address, found)), When: to(move),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.city", "defaultAddress.postalCode"}, Address: domain.About(id, moved),
				AddressChecked: checked, Before: BillingInfo{DefaultAddress: domain.About(id, address)},
			}),
		},
		{
			Name: "P2: one field of the contact", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("bill@nordlys.example")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"email"}, Contact: domain.About(id, renamed), Before: BillingInfo{Contact: domain.About(id, contact)},
			}),
		},
		{
			Name: "P2: language and culture", Given: done, Meta: now(), When: update(BillingInfoUpdate{Culture: new("sv-SE"), Language: new("sv")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"culture", "language"}, Culture: "sv-SE", Language: "sv",
				Before: BillingInfo{Culture: "da-DK", Language: "da"},
			}),
		},
		{
			Name: "S7: company and billing at once", Given: done, Meta: now(),
			When: UpdateCustomerAccount{CompanyDetails: &CompanyDetails{CompanyName: new("N")}, BillingInfo: &BillingInfoUpdate{CompanyName: new("N")}},
			Then: events(
				CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "N", Before: CompanyBefore{CompanyName: "Nordlys A/S"}},
				CustomerBillingInfoUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "N", Before: BillingInfo{CompanyName: "Nordlys A/S"}},
			),
		},
		{
			Name: "S7: all or nothing", Given: done, Meta: now(), Err: ErrField,
			When: UpdateCustomerAccount{CompanyDetails: &CompanyDetails{CompanyName: new("N")}, BillingInfo: &BillingInfoUpdate{Email: new("N")}},
		},
		{
			Name: "A1: an erased address is not mixed with a new part", When: to(AddressUpdate{City: new("Aarhus")}), Err: postal.ErrAddress,
			Meta:  given("DK", postal.Address{}, says(bare, missing(postal.Line1, postal.Country))),
			Given: events(registered, CustomerBillingInfoUpdated{Address: domain.Personal[Address]{Subject: id, Erased: true}}),
		},
		{
			Name: "A1: a postal code of another country", Given: done, Meta: now(says(moved.Address, badCode)), When: to(move), Err: postal.ErrAddress,
		},
		{Name: "A2: a better spelling", Given: done, Meta: now(says(moved.Address, better)), When: to(move), Err: postal.ErrConfirm},
		{
			Name: "A2: the spelling is confirmed", Given: done, Meta: now(says(moved.Address, better)),
			When: UpdateCustomerAccount{BillingInfo: &BillingInfoUpdate{DefaultAddress: &move}, ConfirmAddress: true},
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.city", "defaultAddress.postalCode"}, Address: domain.About(id, moved),
				AddressChecked: postal.Checked{Grade: postal.FormatOK, DataVersion: "tables/1", Confirmed: true},
				Before:         BillingInfo{DefaultAddress: domain.About(id, address)},
			}),
		},
		{Name: "A1: an address that was there before is not judged again", Given: done, Meta: given("DK", at, says(at, badCode), phone), When: to(AddressUpdate{City: new("Aarhus")})},
		{
			Name: "A1: a name without an address", Given: events(registered), When: to(AddressUpdate{FirstName: new("Bo")}), Err: postal.ErrAddress,
			Meta: given("DK", postal.Address{}, says(postal.Address{}, missing(postal.Country))),
		},
		{Name: "X1: the address changed meanwhile", Given: done, Meta: given("DK", moved.Address, says(moved.Address, found)), When: to(move), Err: ErrMeanwhile},
		{Name: "X1: the name does not mind", Given: done, Meta: given("DK", moved.Address), When: update(BillingInfoUpdate{CompanyName: new("Nordlys A/S")})},
		{Name: "P3: no phone number", Given: done, Meta: now(calls("DK", "call me", PhoneNumber{})), When: to(AddressUpdate{Phone: new("call me")}), Err: ErrField},
		{
			Name: "P3: phone number removed", Given: done, Meta: now(), When: to(AddressUpdate{Phone: new("")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.phone"}, Address: domain.About(id, silent),
				Before: BillingInfo{DefaultAddress: domain.About(id, address)},
			}),
		},
		{Name: "F1: the same number written in another way", Given: done, Meta: now(calls("DK", "32 12 34 56", read(number))), When: to(AddressUpdate{Phone: new("32 12 34 56")})},
		{
			Name: "F1, F4: a number of another country, read by plans that are named", Given: done, Meta: now(calls("DK", "+46 8 123456", read("+46 8 123456"))), When: to(AddressUpdate{Phone: new("+46 8 123456")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.phone"}, Address: domain.About(id, Address{"Bo", "Holm", "+468123456", at}), PhoneData: "plans/1",
				Before: BillingInfo{DefaultAddress: domain.About(id, address)},
			}),
		},
		{
			Name: "F4: a number that was there before is not judged again", Given: longAgo, Meta: now(calls("DK", "call me", PhoneNumber{})), When: to(AddressUpdate{Phone: new("call me"), FirstName: new("Ida")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.firstName"}, Address: domain.About(id, Address{"Ida", "Holm", "call me", at}),
				Before: BillingInfo{DefaultAddress: domain.About(id, Address{"Bo", "Holm", "call me", at})},
			}),
		},
		mailed("E1: trimmed, the domain as A-label, the local part as it is", " Bo.Holm+faktura@Blå.Example", "Bo.Holm+faktura@xn--bl-zia.example"),
		{Name: "E1: the same mail address written in another way", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("ｂｏ@Nordlys.example")})},
		{Name: "E1: a mail address that was there before is not judged again", Given: longAgo, Meta: now(), When: update(BillingInfoUpdate{Email: new("x")})},
		{Name: "E1: an invisible character", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("b\u200bo@nordlys.example")}), Err: ErrField},
		{Name: "E1: mixed directions", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("אבo@nordlys.example")}), Err: ErrField},
		{Name: "E1: no mail address any more", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("")}), Err: ErrField},
		{Name: "P3: mail address without a domain", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("bo@")}), Err: ErrField},
		{Name: "P3: mail address with a space", Given: done, Meta: now(), When: update(BillingInfoUpdate{Email: new("b o@nordlys.example")}), Err: ErrField},
		{
			Name: "P3: language and culture in their canonical form", Given: done, Meta: now(), When: update(BillingInfoUpdate{Culture: new("sv_se"), Language: new("SV")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"culture", "language"}, Culture: "sv-SE", Language: "sv", Before: BillingInfo{Culture: "da-DK", Language: "da"},
			}),
		},
		{Name: "P3: the same language in another spelling", Given: append(slices.Clone(done), CustomerBillingInfoUpdated{Changed: []string{"culture", "language"}, Culture: "sv-SE", Language: "sv"}), Meta: now(), When: update(BillingInfoUpdate{Culture: new("sv_se"), Language: new("SV")})},
		{Name: "P3: culture without a region", Given: done, Meta: now(), When: update(BillingInfoUpdate{Culture: new("da")}), Err: ErrField},
		{Name: "P3: culture with a script alone", Given: done, Meta: now(), When: update(BillingInfoUpdate{Culture: new("zh-Hant")}), Err: ErrField},
		{Name: "P3: culture of no language", Given: done, Meta: now(), When: update(BillingInfoUpdate{Culture: new("xx")}), Err: ErrField},
		{Name: "P3: no language", Given: done, Meta: now(), When: update(BillingInfoUpdate{Language: new("")}), Err: ErrField},
		{Name: "P3: two lines", Given: done, Meta: now(), When: update(BillingInfoUpdate{FirstName: new("Bo\nHolm")}), Err: ErrField},
		{Name: "P3: a name that nobody sees", Given: done, Meta: now(), When: update(BillingInfoUpdate{CompanyName: new("\u3164")}), Err: ErrField},
		{Name: "P3: what turns what follows", Given: done, Meta: now(), When: update(BillingInfoUpdate{FirstName: new("Bo\u202eHolm")}), Err: ErrField},
		{Name: "P3: endless name", Given: done, Meta: now(), When: update(BillingInfoUpdate{LastName: new(strings.Repeat("å", 201))}), Err: ErrField},
	})
}

func TestUpdateTellsAllProblems(t *testing.T) {
	t.Parallel()
	when := UpdateCustomerAccount{
		CompanyDetails: &CompanyDetails{CompanyName: new("")},
		BillingInfo:    &BillingInfoUpdate{Email: new("x"), DefaultAddress: &AddressUpdate{Line1: new(""), City: new("Aarhus"), Country: new("x")}},
	}
	m := given("DK", postal.Address{}, says(postal.Address{City: "Aarhus", Country: "x"}, postal.Verdict{
		Problems: []postal.Problem{{Field: postal.Country, Fault: postal.Unknown}, {Field: postal.Line1, Fault: postal.Missing}},
	}))
	_, err := when.Decide(Customer{PartnerID: partner, CompanyName: "N", Country: "DK"}, m)
	var refused *domain.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Decide: err = %v, want a refusal", err)
	}
	var got []string
	for _, cause := range refused.Causes {
		got = append(got, cause.Pointer)
	}
	want := []string{"/companyDetails/companyName", "/billingInfo/email", "/billingInfo/defaultAddress/line1", "/billingInfo/defaultAddress/country"}
	if !slices.Equal(got, want) {
		t.Errorf("pointers of the causes = %v, want %v", got, want)
	}
}

// A command gets no facts but those that it declares.
func TestNeeds(t *testing.T) {
	t.Parallel()
	m := reseller()
	here := postal.Address{Line1: "Gade 1", City: "Aarhus", PostalCode: "8000", Country: "DK"}
	there := here.With(postal.City, "Odense")
	all := map[domain.Need]any{
		domain.Of[Relationship](partner + "-" + id): Relationship{"reseller", true},
		RegistrationNumbers.Need():                  domain.Terms[RegistrationTerms]{},
		domain.Of[Current](id):                      Current{"DK", here},
		there.Need():                                found,
		domain.Of[PhoneNumber]("DK 1"):              read("+4532123456"),
		domain.Of[Locale]("da"):                     Locale{true, "da"},
		domain.Of[MailAddress]("Bo@X.example"):      MailAddress{OK: true, Normalized: "Bo@x.example"},
	}
	when := UpdateCustomerAccount{BillingInfo: &BillingInfoUpdate{
		Language: new("da"), Email: new("Bo@X.example"), DefaultAddress: &AddressUpdate{City: new("Odense"), Phone: new("1")},
	}}
	m.Facts = domain.Facts{}
	for range 2 {
		for _, n := range when.Needs(m) {
			fact, ok := all[n]
			if !ok {
				t.Fatalf("Needs %v", n)
			}
			m.Facts = m.Facts.Knows(n, fact)
		}
	}
	s := Customer{PartnerID: partner, Country: "DK", BillingInfo: BillingInfo{DefaultAddress: domain.About(id, Address{Address: here})}}
	if got, err := when.Decide(s, m); err != nil || len(got) != 1 {
		t.Errorf("Decide with what it needs = %v, %v, want one event", got, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, err := UpdateCustomerAccount{}.Decide(Customer{PartnerID: partner}, meta(Relationship{}))
	var got *domain.Error
	if !errors.As(err, &got) || got.Kind != domain.KindForbidden || got.Rule != "P1" || got.Instead != "RequestRelationship" ||
		!slices.Equal(got.InsteadBy, []domain.Role{domain.GlobalAdmin, domain.SalesAgent}) {
		t.Errorf("update without a relationship: %+v, want forbidden by P1, for a global admin or a sales agent, instead RequestRelationship", err)
	}
}
