// Package demo is the small world that `konto dev` begins with: a Swedish
// company with three people and an identity provider, its partner in Denmark,
// billing support and an operator. Its people are invented; its domains and
// numbers are reserved for examples (RFC 2606; the Swedish PTS's range for
// fiction).
//
// The world is made through the command API, as anybody would make it, so that
// it shows nothing that the API does not allow. Every command has its own key:
// making the world again changes nothing.
package demo

import (
	"context"
	"fmt"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/customer"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/internal/client"
	"konto/internal/identity"
)

// IDs of the world. They are the same in every world, so that a command that
// is copied from a page works.
const (
	Norrsken     = "01930000-0000-7000-8000-000000000001" // the company: a tenant
	Nordvind     = "01930000-0000-7000-8000-000000000002" // the partner: a tenant
	Staff        = "01930000-0000-7000-8000-000000000003" // Konto's own people
	Subscription = "01930000-0000-7000-8000-000000000020"
	AnnasCard    = "01930000-0000-7000-8000-000000000030"
	MikkelsCard  = "01930000-0000-7000-8000-000000000031"
	Relationship = Nordvind + "-" + Norrsken
)

// Tokens that a payment gateway would have given for the cards.
const (
	AnnasToken   = "pm_demo_anna_visa"         //nolint:gosec // a gateway's name for a card that does not exist
	MikkelsToken = "pm_demo_mikkel_mastercard" //nolint:gosec // the same
)

// Person is somebody in the world, or a service that speaks for people.
type Person struct {
	Name   string           `json:"name"` // what the command line calls them: konto cmd --as NAME
	ID     string           `json:"id"`
	Tenant string           `json:"tenant"`
	Roles  []domain.Role    `json:"roles"`
	Title  string           `json:"title"`          // who they are, for people
	Kind   domain.ActorKind `json:"kind,omitempty"` // empty: a person
}

// Identity is whom p's token is for. People sign in with a password and a code.
func (p Person) Identity() identity.Person {
	i := identity.Person{ID: p.ID, Tenant: p.Tenant, Roles: p.Roles, Kind: p.Kind}
	if p.Kind == "" || p.Kind == domain.KindPerson {
		i.Methods = []string{"pwd", "otp"}
	}
	return i
}

// People are all people of the world.
func People() []Person {
	id := func(n int) string { return fmt.Sprintf("01930000-0000-7000-8000-%012d", 10+n) }
	return []Person{
		{Name: "anna", ID: id(0), Tenant: Norrsken, Roles: []domain.Role{domain.GlobalAdmin}, Title: "owner and global admin of Norrsken Trädgård AB (Swedish)"},
		{Name: "mikkel", ID: id(1), Tenant: Norrsken, Roles: []domain.Role{domain.BillingAdmin}, Title: "second admin of Norrsken, billing (Danish)"},
		{Name: "eva", ID: id(2), Tenant: Norrsken, Roles: []domain.Role{domain.Auditor}, Title: "auditor of Norrsken (Dutch)"},
		{Name: "saga", ID: id(3), Tenant: Nordvind, Roles: []domain.Role{domain.SalesAgent}, Title: "sales agent of the partner Nordvind ApS"},
		{Name: "bo", ID: id(4), Tenant: Nordvind, Roles: []domain.Role{domain.GlobalAdmin}, Title: "global admin of the partner Nordvind ApS"},
		{Name: "ida", ID: id(8), Tenant: Nordvind, Roles: []domain.Role{domain.AdminAgent}, Title: "admin agent of the partner Nordvind ApS"},
		{Name: "support", ID: id(5), Tenant: Staff, Roles: []domain.Role{domain.BillingSupport}, Title: "billing support"},
		{Name: "operator", ID: id(6), Tenant: Staff, Roles: []domain.Role{domain.Operator}, Title: "operator of this Konto"},
		{Name: "login", ID: id(7), Tenant: Norrsken, Kind: domain.KindIdentity, Title: "Norrsken's identity provider, for people who cannot sign in"},
	}
}

// Find returns the person called name.
func Find(name string) (Person, bool) {
	for _, p := range People() {
		if p.Name == name {
			return p, true
		}
	}
	return Person{}, false
}

// World makes the world.
type World struct {
	// As returns a client that calls as a person.
	As func(Person) (*client.Client, error)
	// Code waits for the newest one-time code that was sent to a recipient.
	Code func(ctx context.Context, recipient string) (string, error)
}

// Make makes the world, or what is missing of it.
func (w World) Make(ctx context.Context) error {
	for _, s := range w.script() {
		if _, err := w.send(ctx, s); err != nil {
			return err
		}
	}
	return w.verifyAnna(ctx)
}

// step is one command of one person.
type step struct {
	by         string
	collection string
	id         string
	name       string
	body       any
	saw        *int64 // the account's revision, where what is there is answered
	nth        string // tells commands of one name on one account apart
}

func (w World) send(ctx context.Context, s step) (client.Accepted, error) {
	p, ok := Find(s.by)
	if !ok {
		return client.Accepted{}, fmt.Errorf("demo: nobody is called %s", s.by)
	}
	c, err := w.As(p)
	if err != nil {
		return client.Accepted{}, fmt.Errorf("demo: token for %s: %w", s.by, err)
	}
	accepted, err := c.Send(ctx, client.Command{
		Collection: s.collection, ID: s.id, Name: s.name, Body: s.body, IfMatch: s.saw,
		Key: "demo/" + s.collection + "/" + s.id + "/" + s.name + s.nth, Reason: "demo world",
	})
	if err != nil {
		return accepted, fmt.Errorf("demo: %s by %s: %w", s.name, s.by, err)
	}
	return accepted, nil
}

func (w World) script() []step {
	steps := []step{
		{by: "operator", collection: "tenants", id: Norrsken, name: "RegisterTenant", body: tenant.RegisterTenant{
			Name: "Norrsken Trädgård AB", Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: "norrsken.example",
		}},
		{by: "operator", collection: "tenants", id: Nordvind, name: "RegisterTenant", body: tenant.RegisterTenant{
			Name: "Nordvind ApS", Country: "DK", Currency: "DKK", Locale: "da-DK", Domain: "nordvind.example",
		}},
	}
	steps = append(steps, staff()...)
	return append(steps, billing()...)
}

func staff() []step {
	var steps []step
	for _, e := range []struct{ by, who, signIn, name, locale string }{
		{"anna", "anna", "anna.lindqvist@norrsken.example", "Anna Lindqvist", "sv-SE"},
		{"anna", "mikkel", "mikkel.sorensen@norrsken.example", "Mikkel Sørensen", "da-DK"},
		{"anna", "eva", "eva.jansen@norrsken.example", "Eva Jansen", "nl-NL"},
		{"bo", "bo", "bo.friis@nordvind.example", "Bo Friis", "da-DK"},
		{"bo", "saga", "saga.holm@nordvind.example", "Saga Holm", "en-GB"},
		{"bo", "ida", "ida.krogh@nordvind.example", "Ida Krogh", "da-DK"},
	} {
		p, _ := Find(e.who)
		steps = append(steps, step{by: e.by, collection: "admins", id: p.ID, name: "AddEmployee", body: map[string]any{
			"signInName": e.signIn, "displayName": e.name, "locale": e.locale, "roles": p.Roles,
		}})
	}
	return steps
}

func billing() []step {
	address := card.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}
	return []step{
		{by: "anna", collection: "cards", id: AnnasCard, name: "AddCard", body: card.AddCard{
			GatewayToken: AnnasToken, Brand: "visa", Last4: "4242", ExpMonth: 9, ExpYear: 2029, Funding: "credit",
			IssuerCountry: "SE", Fingerprint: "demo-fingerprint-anna", HolderName: "Anna Lindqvist", BillTo: address,
		}},
		{by: "mikkel", collection: "cards", id: MikkelsCard, name: "AddCard", body: card.AddCard{
			GatewayToken: MikkelsToken, Brand: "mastercard", Last4: "4444", ExpMonth: 3, ExpYear: 2028, Funding: "debit",
			IssuerCountry: "SE", Fingerprint: "demo-fingerprint-mikkel", HolderName: "Mikkel Sørensen", BillTo: address,
		}},
		{by: "anna", collection: "subscriptions", id: Subscription, name: "RegisterSubscription", body: map[string]any{
			"product": "Business Standard, 12 seats", "cardId": AnnasCard,
		}},
		{by: "saga", collection: "relationships", id: Relationship, name: "RequestRelationship", body: map[string]any{"type": "reseller"}},
		{by: "anna", collection: "relationships", id: Relationship, name: "AcceptRelationship", body: map[string]any{}, saw: new(int64(0))},
		{by: "saga", collection: "customers", id: Norrsken, name: "RegisterCustomer", body: customer.RegisterCustomer{
			CompanyName: "Norrsken Trädgård AB", Country: "SE", Domain: "norrsken.example", Language: "sv",
		}},
	}
}

// Anna's contacts.
const (
	annasMobile = "070-174 06 05"
	annasPhone  = "46701740605"
	annasEmail  = "anna@privat.example"
)

// verifyAnna gives Anna a phone and an address that recover her account, with
// the codes that are sent to them.
func (w World) verifyAnna(ctx context.Context) error {
	anna, _ := Find("anna")
	mobile, email := annasMobile, annasEmail
	accepted, err := w.send(ctx, step{
		by: "anna", collection: "security-info", id: anna.ID, name: "UpdateSecurityInfo",
		body: securityinfo.UpdateSecurityInfo{Mobile: &mobile, AlternateEmail: &email},
	})
	if err != nil || accepted.Replayed {
		return err
	}
	for _, contact := range []struct {
		slot      securityinfo.Slot
		recipient string
	}{{securityinfo.SlotMobile, annasPhone}, {securityinfo.SlotAlternateEmail, annasEmail}} {
		code, err := w.Code(ctx, contact.recipient)
		if err != nil {
			return fmt.Errorf("demo: code for %s: %w", contact.slot, err)
		}
		_, err = w.send(ctx, step{
			by: "anna", collection: "security-info", id: anna.ID, name: "ConfirmContactVerification",
			body: securityinfo.ConfirmContactVerification{Slot: contact.slot, Code: code}, nth: "/" + string(contact.slot),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
