package projections_test

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"konto/domain/customer"
	"konto/domain/relationship"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestCustomer(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.CustomerAccounts)
	db.apply(h.events...)
	who := customerOf(northwind)
	got, err := projections.Customer(t.Context(), db, who)
	if err != nil {
		t.Fatal(err)
	}
	want := projections.CustomerAccount{
		ID: who, RegisteredBy: northwind, CompanyName: "Åkes Bageri AB", OrganizationRegistrationNumber: "556000-0000",
		Country: "SE", Domain: "akes.example", Language: "sv",
		BillingInfo: customer.BillingInfo{
			Contact: sealedValue[customer.BillingContact](who, "contact"), Culture: "sv-SE",
			DefaultAddress: sealedValue[customer.Address](who, "address"),
		},
		Partners: []string{northwind}, RegisteredAt: start, UpdatedAt: got.UpdatedAt, Revision: 2,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Customer (-want +got):\n%s", d)
	}
	seen, err := projections.CustomerOf(t.Context(), db, northwind, who)
	if err != nil || !cmp.Equal(seen, want) {
		t.Errorf("CustomerOf = %+v, %v, want what the customer sees", seen, err)
	}
	for _, stranger := range []string{contoso, "8" + northwind[1:], who, ""} {
		if _, err := projections.CustomerOf(t.Context(), db, stranger, who); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("CustomerOf(%q) = %v, want %v", stranger, err, sql.ErrNoRows)
		}
	}
}

func TestCustomerFieldsAreKept(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	who := customerOf(northwind)
	h.then(who, customer.CustomerCompanyDetailsUpdated{Changed: []string{"organizationRegistrationNumber"}})
	h.then(who, customer.CustomerCompanyDetailsUpdated{Changed: []string{"phone"}, Phone: sealedValue[string](who, "phone")})
	h.then(who, customer.CustomerBillingInfoUpdated{Changed: []string{"language", "companyName"}, Language: "da", CompanyName: "Åkes"})
	db := open(t, projections.CustomerAccounts)
	db.apply(h.events...)
	c, err := projections.Customer(t.Context(), db, who)
	if err != nil {
		t.Fatal(err)
	}
	if c.Phone.Subject != "" || !strings.Contains(string(c.Phone.Sealed), "phone") {
		t.Errorf("P7: the company's phone = %+v, want it sealed", c.Phone)
	}
	db.apply(h.then(who, customer.CustomerCompanyDetailsUpdated{Changed: []string{"phone"}}))
	if none, err := projections.Customer(t.Context(), db, who); err != nil || !none.Phone.IsZero() {
		t.Errorf("P7: a phone that was removed = %+v, %v, want none", none.Phone, err)
	}
	b := c.BillingInfo
	if c.CompanyName != "Åkes Bageri AB" || c.OrganizationRegistrationNumber != "" {
		t.Errorf("company %q with number %q, want the name kept and the number removed", c.CompanyName, c.OrganizationRegistrationNumber)
	}
	if b.Language != "da" || b.CompanyName != "Åkes" || b.Culture != "sv-SE" || b.Contact.IsZero() || b.DefaultAddress.IsZero() {
		t.Errorf("billing info = %+v, want what did not change kept", b)
	}
}

// book registers companies as customers of northwind, in order.
func book(h *history, companies ...string) {
	for i, name := range companies {
		who := id(9, i)
		h.then(who, customer.CustomerRegistered{PartnerID: northwind, CompanyName: name, Country: "SE", At: start})
		h.then(relationship.ID(northwind, who), relationship.RelationshipEstablished{
			PartnerID: northwind, CustomerID: who, Type: relationship.Reseller, At: start,
		})
	}
}

func TestCustomersOf(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	book(h, "Zebra", "alpha 100%", "Alpha_1", "Alphabet", "Ålesund Fisk", "alpha 1000", `Back\slash`, "Alphabet")
	// Somebody else's customer, one that only asks, and one that has ended.
	for i, event := range []any{
		relationship.RelationshipEstablished{PartnerID: contoso, CustomerID: id(9, 20), Type: relationship.Reseller, At: start},
		relationship.RelationshipRequested{PartnerID: northwind, CustomerID: id(9, 21), Type: relationship.Reseller, At: start},
		relationship.RelationshipEnded{PartnerID: northwind, CustomerID: id(9, 22), Type: relationship.Reseller, EndedBy: northwind, At: start},
	} {
		h.then(id(9, 20+i), customer.CustomerRegistered{PartnerID: contoso, CompanyName: "Alpha Hidden", At: start})
		h.then("rel", event)
	}
	db := open(t, projections.CustomerAccounts)
	db.apply(h.events...)
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"", []string{"alpha 100%", "alpha 1000", "Alpha_1", "Alphabet", "Alphabet", `Back\slash`, "Zebra", "Ålesund Fisk"}},
		{"ALPHA", []string{"alpha 100%", "alpha 1000", "Alpha_1", "Alphabet", "Alphabet"}},
		{" alpha 100% ", []string{"alpha 100%"}},
		{"alpha_", []string{"Alpha_1"}},
		{"%", nil},
		{`back\`, []string{`Back\slash`}},
		{"ål", []string{"Ålesund Fisk"}},
		{"lpha", nil},
	} {
		checkPages(t, c.want, func(cursor string) ([]string, string, error) {
			rows, next, err := projections.CustomersOf(t.Context(), db, northwind, c.prefix, cursor, 1)
			return keys(rows, func(c projections.CustomerAccount) string { return c.CompanyName }), next, err
		})
	}
}

func TestCustomersOfFollowsNames(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	// The relationship may come before the registration.
	h.then("rel", relationship.RelationshipEstablished{PartnerID: northwind, CustomerID: id(9, 9), At: start})
	book(h, "B", "C")
	db := open(t, projections.CustomerAccounts)
	list := func() []string {
		t.Helper()
		rows, _, err := projections.CustomersOf(t.Context(), db, northwind, "", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		return keys(rows, func(c projections.CustomerAccount) string { return c.CompanyName })
	}
	db.apply(h.events...)
	if d := cmp.Diff([]string{"B", "C"}, list()); d != "" {
		t.Errorf("before the registration (-want +got):\n%s", d)
	}
	db.apply(h.then(id(9, 9), customer.CustomerRegistered{PartnerID: northwind, CompanyName: "A", At: start}))
	if d := cmp.Diff([]string{"A", "B", "C"}, list()); d != "" {
		t.Errorf("after the registration (-want +got):\n%s", d)
	}
	db.apply(h.then(id(9, 9), customer.CustomerCompanyDetailsUpdated{Changed: []string{"companyName"}, CompanyName: "D"}))
	if d := cmp.Diff([]string{"B", "C", "D"}, list()); d != "" {
		t.Errorf("after the change of name (-want +got):\n%s", d)
	}
}

func TestCustomerCursorHoldsNoName(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	book(h, "Anna Ek", "Bo Ek")
	db := open(t, projections.CustomerAccounts)
	db.apply(h.events...)
	_, next, err := projections.CustomersOf(t.Context(), db, northwind, "", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := base64.RawURLEncoding.DecodeString(next)
	if err != nil || strings.Contains(strings.ToLower(string(b)), "anna") {
		t.Errorf("cursor = %s, %v, want no company name in it", b, err)
	}
}

func TestRelationships(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.CustomerAccounts)
	db.apply(h.events...)
	who, other := customerOf(northwind), "8"+northwind[1:]
	active := projections.Relationship{
		PartnerID: northwind, CustomerID: who, Type: relationship.Reseller, Status: relationship.StatusActive, Since: start, Revision: 1,
	}
	ended := projections.Relationship{
		PartnerID: other, CustomerID: who, Type: relationship.Advisor, Status: relationship.StatusEnded, Since: start,
		EndedBy: who, Reason: sealedValue[string](anna, "why"), Revision: 1,
	}
	for tenant, want := range map[string][]projections.Relationship{
		who: {active, ended}, northwind: {active}, other: {ended}, contoso: nil,
	} {
		var got []projections.Relationship
		for cursor := ""; ; {
			rows, next, err := projections.Relationships(t.Context(), db, tenant, cursor, 1)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rows...)
			if cursor = next; next == "" {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Relationships(%s) (-want +got):\n%s", tenant, d)
		}
	}
	if got, want := active.ID(), relationship.ID(northwind, who); got != want {
		t.Errorf("ID() = %s, want %s", got, want)
	}
}
