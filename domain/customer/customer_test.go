package customer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/customer"
	"konto/domain/domaintest"
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
		Facts: domain.Facts{}.Knows(domain.Of[Relationship](partner+"-"+id), r),
	}
}

func reseller() Meta { return meta(Relationship{Type: "reseller", Active: true}) }

func from(tenant string) Meta {
	m := reseller()
	m.Actor.Tenant = tenant
	m.Facts = m.Facts.Knows(domain.Of[Relationship](tenant+"-"+id), Relationship{})
	return m
}

func events(e ...Event) []Event { return e }

var registered = CustomerRegistered{partner, "Nordlys A/S", "DK", "nordlys.example", "da", now}

func TestRegisterCustomer(t *testing.T) {
	t.Parallel()
	with := func(change func(*RegisterCustomer)) RegisterCustomer {
		c := RegisterCustomer{"Nordlys A/S", "DK", "nordlys.example", "da"}
		change(&c)
		return c
	}
	when := with(func(*RegisterCustomer) {})
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{Name: "register", When: when, Meta: reseller(), Then: events(registered)},
		{Name: "again", Given: events(registered), When: when, Meta: reseller()},
		{Name: "with another name", Given: events(registered), When: with(func(c *RegisterCustomer) { c.CompanyName = "Other" }), Meta: reseller(), Err: ErrExists},
		{Name: "another partner's", Given: events(registered), When: when, Meta: from("01936c2e-0000-7000-8000-0000000000cc"), Err: ErrExists},
		{Name: "oneself", When: when, Meta: from(id), Err: ErrOwnTenant},
		{Name: "without a tenant", When: when, Meta: from(""), Err: ErrOwnTenant},
		{Name: "no name", When: with(func(c *RegisterCustomer) { c.CompanyName = "" }), Meta: reseller(), Err: ErrField},
		{Name: "name of a country", When: with(func(c *RegisterCustomer) { c.Country = "Danmark" }), Meta: reseller(), Err: ErrField},
		{Name: "country in small letters", When: with(func(c *RegisterCustomer) { c.Country = "dk" }), Meta: reseller(), Err: ErrField},
		{Name: "no domain", When: with(func(c *RegisterCustomer) { c.Domain = "nordlys" }), Meta: reseller(), Err: ErrField},
		{Name: "URL as domain", When: with(func(c *RegisterCustomer) { c.Domain = "https://nordlys.example" }), Meta: reseller(), Err: ErrField},
		{Name: "domain with a dash at its edge", When: with(func(c *RegisterCustomer) { c.Domain = "-nordlys.example" }), Meta: reseller(), Err: ErrField},
		{Name: "name of a language", When: with(func(c *RegisterCustomer) { c.Language = "dansk" }), Meta: reseller(), Err: ErrField},
		{Name: "language with an empty part", When: with(func(c *RegisterCustomer) { c.Language = "da-" }), Meta: reseller(), Err: ErrField},
	})
}

func TestUpdateCompanyDetails(t *testing.T) {
	t.Parallel()
	given := events(registered, CustomerCompanyDetailsUpdated{Changed: []string{"organizationRegistrationNumber"}, OrganizationRegistrationNumber: "12345678"})
	update := func(c CompanyDetails) UpdateCustomerAccount { return UpdateCustomerAccount{CompanyDetails: &c} }
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{
			Name: "P3: both", Given: given, Meta: reseller(), When: update(CompanyDetails{new("Nordlys ApS"), new("87654321")}),
			Then: events(CustomerCompanyDetailsUpdated{partner, []string{"companyName", "organizationRegistrationNumber"}, "Nordlys ApS", "87654321"}),
		},
		{
			Name: "one stays", Given: given, Meta: reseller(), When: update(CompanyDetails{CompanyName: new("Nordlys ApS")}),
			Then: events(CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "Nordlys ApS"}),
		},
		{
			Name: "number removed", Given: given, Meta: reseller(), When: update(CompanyDetails{OrganizationRegistrationNumber: new("")}),
			Then: events(CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"organizationRegistrationNumber"}}),
		},
		{
			Name:  "number stays removed",
			Given: append(slices.Clone(given), CustomerCompanyDetailsUpdated{Changed: []string{"organizationRegistrationNumber"}}),
			Meta:  reseller(), When: update(CompanyDetails{OrganizationRegistrationNumber: new("")}),
		},
		{
			Name:  "the same after a change",
			Given: append(slices.Clone(given), CustomerCompanyDetailsUpdated{Changed: []string{"companyName"}, CompanyName: "Nordlys ApS"}),
			Meta:  reseller(), When: update(CompanyDetails{CompanyName: new("Nordlys ApS")}),
		},
		{Name: "the same", Given: given, Meta: reseller(), When: update(CompanyDetails{new("Nordlys A/S"), new("12345678")})},
		{Name: "nothing", Given: given, Meta: reseller(), When: UpdateCustomerAccount{}},
		{Name: "no name", Given: given, Meta: reseller(), When: update(CompanyDetails{CompanyName: new(" ")}), Err: ErrField},
		{Name: "P1: relationship not active", Given: given, Meta: meta(Relationship{Type: "reseller"}), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: no reseller", Given: given, Meta: meta(Relationship{Type: "advisor", Active: true}), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: the customer's own admin", Given: given, Meta: from(id), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "P1: a stranger learns nothing of customers", Meta: from("01936c2e-0000-7000-8000-0000000000cc"), When: UpdateCustomerAccount{}, Err: ErrNoRelationship},
		{Name: "no customer", Meta: reseller(), When: UpdateCustomerAccount{}, Err: ErrNotFound},
	})
}

func TestUpdateBillingInfo(t *testing.T) {
	t.Parallel()
	contact := BillingContact{"Bo", "Holm", "bo@nordlys.example"}
	address := Address{"Bo", "Holm", "+45 32 12 34 56", "Gade 1", "2. tv.", "Aarhus", "", "8000", "DK"}
	whole := BillingInfoUpdate{
		new("Bo"), new("Holm"), new("bo@nordlys.example"), new("da-DK"), new("da"), new("Nordlys A/S"),
		&AddressUpdate{new("Bo"), new("Holm"), new("+45 32 12 34 56"), new("Gade 1"), new("2. tv."), new("Aarhus"), nil, new("8000"), new("DK")},
	}
	updated := CustomerBillingInfoUpdated{
		PartnerID: partner,
		Changed: []string{
			"firstName", "lastName", "email", "culture", "language", "companyName",
			"defaultAddress.firstName", "defaultAddress.lastName", "defaultAddress.phone", "defaultAddress.line1",
			"defaultAddress.line2", "defaultAddress.city", "defaultAddress.postalCode", "defaultAddress.country",
		},
		Contact: domain.About(id, contact), Address: domain.About(id, address),
		Culture: "da-DK", Language: "da", CompanyName: "Nordlys A/S",
	}
	moved, silent, renamed := address, address, contact
	silent.Phone = ""
	moved.City, moved.PostalCode = "København", "1050"
	renamed.Email = "bill@nordlys.example"
	given := events(registered, updated)
	update := func(b BillingInfoUpdate) UpdateCustomerAccount { return UpdateCustomerAccount{BillingInfo: &b} }
	to := func(a AddressUpdate) UpdateCustomerAccount {
		return update(BillingInfoUpdate{DefaultAddress: &a})
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Customer]{
		{Name: "P3: everything", Given: events(registered), Meta: reseller(), When: update(whole), Then: events(updated)},
		{Name: "the same", Given: given, Meta: reseller(), When: update(whole)},
		{
			Name: "two fields of the address", Given: given, Meta: reseller(), When: to(AddressUpdate{City: new("København"), PostalCode: new("1050")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.city", "defaultAddress.postalCode"}, Address: domain.About(id, moved),
			}),
		},
		{
			Name: "one field of the contact", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{Email: new("bill@nordlys.example")}),
			Then: events(CustomerBillingInfoUpdated{PartnerID: partner, Changed: []string{"email"}, Contact: domain.About(id, renamed)}),
		},
		{
			Name: "language and culture", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{Culture: new("sv-SE"), Language: new("sv")}),
			Then: events(CustomerBillingInfoUpdated{PartnerID: partner, Changed: []string{"culture", "language"}, Culture: "sv-SE", Language: "sv"}),
		},
		{
			Name: "company and billing at once", Given: given, Meta: reseller(),
			When: UpdateCustomerAccount{&CompanyDetails{CompanyName: new("N")}, &BillingInfoUpdate{CompanyName: new("N")}},
			Then: events(
				CustomerCompanyDetailsUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "N"},
				CustomerBillingInfoUpdated{PartnerID: partner, Changed: []string{"companyName"}, CompanyName: "N"},
			),
		},
		{
			Name: "all or nothing", Given: given, Meta: reseller(), Err: ErrField,
			When: UpdateCustomerAccount{&CompanyDetails{CompanyName: new("N")}, &BillingInfoUpdate{Email: new("N")}},
		},
		{
			Name: "erased address is not mixed with a new part", Meta: reseller(), When: to(AddressUpdate{City: new("Aarhus")}), Err: ErrField,
			Given: events(registered, CustomerBillingInfoUpdated{Address: domain.Personal[Address]{Subject: id, Erased: true}}),
		},
		{Name: "address without a street", Given: events(registered), Meta: reseller(), When: to(AddressUpdate{Country: new("DK")}), Err: ErrField},
		{Name: "address without a country", Given: events(registered), Meta: reseller(), When: to(AddressUpdate{Line1: new("Gade 1")}), Err: ErrField},
		{Name: "unknown country", Given: given, Meta: reseller(), When: to(AddressUpdate{Country: new("Danmark")}), Err: ErrField},
		{Name: "no phone number", Given: given, Meta: reseller(), When: to(AddressUpdate{Phone: new("call me")}), Err: ErrField},
		{
			Name: "phone number removed", Given: given, Meta: reseller(), When: to(AddressUpdate{Phone: new("")}),
			Then: events(CustomerBillingInfoUpdated{
				PartnerID: partner, Changed: []string{"defaultAddress.phone"}, Address: domain.About(id, silent),
			}),
		},
		{Name: "mail address without a domain", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{Email: new("bo@")}), Err: ErrField},
		{Name: "mail address with a space", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{Email: new("b o@nordlys.example")}), Err: ErrField},
		{Name: "culture without a region", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{Culture: new("da")}), Err: ErrField},
		{Name: "no language", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{Language: new("")}), Err: ErrField},
		{Name: "two lines", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{FirstName: new("Bo\nHolm")}), Err: ErrField},
		{Name: "endless name", Given: given, Meta: reseller(), When: update(BillingInfoUpdate{LastName: new(strings.Repeat("å", 201))}), Err: ErrField},
	})
}

func TestUpdateTellsAllProblems(t *testing.T) {
	t.Parallel()
	when := UpdateCustomerAccount{
		&CompanyDetails{CompanyName: new("")},
		&BillingInfoUpdate{Email: new("x"), DefaultAddress: &AddressUpdate{Line1: new(""), City: new("Aarhus"), Country: new("x")}},
	}
	_, err := when.Decide(Customer{PartnerID: partner, CompanyName: "N"}, reseller())
	var refused *domain.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Decide: err = %v, want a refusal", err)
	}
	var got []string
	for _, cause := range refused.Causes {
		got = append(got, cause.Pointer)
	}
	want := []string{"/companyDetails/companyName", "/billingInfo/email", "/billingInfo/defaultAddress/country", "/billingInfo/defaultAddress/line1"}
	if !slices.Equal(got, want) {
		t.Errorf("pointers of the causes = %v, want %v", got, want)
	}
}

// A command gets no facts but those that it declares.
func TestNeeds(t *testing.T) {
	t.Parallel()
	m, need := reseller(), domain.Of[Relationship](partner+"-"+id)
	when := UpdateCustomerAccount{CompanyDetails: &CompanyDetails{CompanyName: new("N")}}
	if got := when.Needs(m); !slices.Equal(got, []domain.Need{need}) {
		t.Errorf("Needs = %v, want %v", got, need)
	}
	m.Facts = domain.Facts{}.Knows(need, Relationship{Type: "reseller", Active: true})
	if got, err := when.Decide(Customer{PartnerID: partner}, m); err != nil || len(got) != 1 {
		t.Errorf("Decide with what it needs = %v, %v, want one event", got, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, err := UpdateCustomerAccount{}.Decide(Customer{PartnerID: partner}, meta(Relationship{}))
	var got *domain.Error
	if !errors.As(err, &got) || got.Kind != domain.KindForbidden || got.Rule != "P1" || got.Instead != "RequestRelationship" ||
		!slices.Equal(got.WhoMay, []domain.Role{domain.GlobalAdmin, domain.SalesAgent}) {
		t.Errorf("update without a relationship: %+v, want forbidden by P1, for a global admin or a sales agent, instead RequestRelationship", err)
	}
}
