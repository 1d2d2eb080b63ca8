package policy_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/delivery"
	"konto/domain/exposure"
	"konto/domain/invoiceswitch"
	"konto/domain/offboarding"
	"konto/domain/organization"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/domain/postal"
	"konto/domain/recovery"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/domain/subject"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

// library are the facts that are no aggregate's state.
var library = []reflect.Type{
	reflect.TypeFor[tenant.Country](), reflect.TypeFor[tenant.Currency](), reflect.TypeFor[tenant.Locale](),
	reflect.TypeFor[tenant.DomainName](), reflect.TypeFor[admin.Address](), reflect.TypeFor[admin.Locale](),
	reflect.TypeFor[customer.Locale](), reflect.TypeFor[customer.Country](), reflect.TypeFor[customer.PhoneNumber](),
	reflect.TypeFor[customer.MailAddress](), reflect.TypeFor[customer.DomainName](),
	reflect.TypeFor[card.PhoneNumber](), reflect.TypeFor[billing.PhoneNumber](),
	reflect.TypeFor[invoiceswitch.PhoneNumber](), reflect.TypeFor[invoiceswitch.Currency](), reflect.TypeFor[relationship.Currency](),
	reflect.TypeFor[postal.Verdict](),
	reflect.TypeFor[admin.Phone](),
	reflect.TypeFor[organization.Phone](), reflect.TypeFor[organization.MailAddress](), reflect.TypeFor[organization.Locale](),
	reflect.TypeFor[webhook.Site](),
	reflect.TypeFor[securityinfo.PhoneNumber](), reflect.TypeFor[securityinfo.MailAddress](),
}

// kinds are the facts that the table of readers knows.
var kinds = reflect.TypeFor[audit.Kinds]()

// judged are the facts that the list of policies knows.
var judged = reflect.TypeFor[policyversion.Verdict]()

func TestEveryFactHasOneSource(t *testing.T) {
	t.Parallel()
	known := map[reflect.Type]int{}
	for _, s := range policy.Sources {
		known[s.Type]++
		if s.Contract == nil && s.Type != judged && s.Type != kinds {
			t.Errorf("%v comes from no aggregate", s.Type)
		}
	}
	for _, l := range library {
		known[l]++
	}
	for typ, n := range known {
		if n != 1 {
			t.Errorf("%v has %d sources", typ, n)
		}
	}
	for _, contract := range policy.Contracts {
		for _, c := range contract.Commands() {
			needer, ok := reflect.TypeAssert[domain.Needer](reflect.New(c.Type).Elem())
			if !ok {
				continue
			}
			for _, n := range needer.Needs(domain.Meta{}) {
				if known[n.Type] == 0 {
					t.Errorf("%s needs %v, which has no source", c.Name, n.Type)
				}
			}
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	expiry := time.Date(2030, 3, 1, 12, 0, 0, 0, time.UTC)
	home := postal.Address{Line1: "Storgatan 1", Country: "SE"}
	states := []any{
		&tenant.Tenant{Country: "SE", Domains: []string{"contoso.example", "fabrikam.example"}, TrialSince: noon, ManagedBy: partner, GlobalAdmins: []string{person}},
		&admin.Admin{
			Tenant: own, SignInName: domain.About(person, "a@contoso.example"), Roles: []domain.Role{domain.GlobalAdmin},
			Aliases: []domain.Personal[string]{domain.About(person, "b@contoso.example"), {Subject: person, Erased: true}},
		},
		&securityinfo.SecurityInfo{
			Office:         securityinfo.Method[securityinfo.Phone]{Verified: domain.About(person, securityinfo.Phone{E164: "+4681234"}), VerifiedAt: noon, UsableFrom: noon.AddDate(9, 0, 0)},
			AlternateEmail: securityinfo.Method[string]{Verified: domain.Personal[string]{Subject: person, Erased: true}, VerifiedAt: noon},
		},
		&subject.Subject{Status: subject.StatusStarted},
		&offboarding.Offboarding{Grants: []offboarding.Grant{{GranteeID: person, ExpiresAt: noon}}},
		&card.Card{Tenant: own, Owner: person, Last4: "4242", Brand: "visa", ExpMonth: 2, ExpYear: 2030, Removed: true, Subscriptions: []string{"s"}, GatewayToken: "tok", ManualAboveMinor: 5, ManualAboveCurrency: "INR", BillTo: domain.About(person, home)},
		&invoiceswitch.Case{
			Status: invoiceswitch.Requested, SubscriptionID: "sub", AddressCheck: postal.Checked{Grade: postal.FormatOK},
			Contact: domain.About(person, invoiceswitch.Contact{Name: "Ann", Phone: "1", Address: home}),
		},
		&collection.Invoice{SubscriptionID: "sub", LastCardID: "last"},
		&billing.Subscription{Licences: 3, Product: "Suite", BoughtBy: person, Primary: "p", Backups: []billing.Backup{{CardID: "b1"}, {CardID: "b2"}}},
		&policyversion.Policy{Versions: []policyversion.Version{
			{Number: 2, EffectiveAt: expiry, Rules: json.RawMessage(`{"roles":["auditor"]}`)},
			{Number: 3, EffectiveAt: expiry, Rules: json.RawMessage(`{"roles":7}`)},
		}},
		&exposure.Register{Tenants: map[string]exposure.Entry{own: {CustomDomain: true, TrialSince: noon}}},
		&audit.Access{Session: audit.Session{ID: "s", Scope: audit.Scope{Kinds: []string{"card"}}}},
		&delivery.Delivery{Message: delivery.Message{EndpointID: "hook"}},
		&webhook.Endpoint{Secret: "s"},
		&relationship.Relationship{Type: relationship.Reseller, Status: relationship.StatusActive},
	}
	want := []any{
		card.Organization{Country: "SE"},
		securityinfo.Organization{Country: "SE", Domains: []string{"contoso.example", "fabrikam.example"}, TrialSince: noon},
		securityinfo.Account{
			Exists: true, Tenant: own, SignInName: "a@contoso.example", Aliases: []string{"b@contoso.example"},
			Roles: []domain.Role{domain.GlobalAdmin},
		},
		admin.Organization{Country: "SE", Domains: []string{"contoso.example", "fabrikam.example"}, TrialSince: noon, ManagedBy: partner, GlobalAdmins: []string{person}},
		recovery.Contacts{Phone: true},
		admin.Colleague{Tenant: own, GlobalAdmin: true},
		tenant.Own{Country: "SE", Domains: []string{"contoso.example", "fabrikam.example"}, TrialSince: noon, ManagedBy: partner, GlobalAdmins: []string{person}},
		tenant.GlobalAdmin{Tenant: own, Is: true},
		tenant.Officer{Tenant: own, Is: true},
		tenant.Alternate{},
		admin.Alternate{},
		exposure.Organization{Exists: true, CustomDomain: true, TrialSince: noon, GlobalAdmins: []string{person}},
		exposure.GlobalAdmin{Tenant: own, Is: true},
		recovery.Exposures{Of: map[string]recovery.Standing{own: {Domains: 2, TrialSince: noon}}},
		organization.Tenant{Exists: true, Country: "SE"},
		offboarding.Leaver{Tenant: own},
		offboarding.Person{Tenant: own, Active: true},
		policy.Entrusted{Until: map[string]time.Time{person: noon}},
		card.Replacement{Exists: true, Tenant: own, Owner: person, ExpMonth: 2, ExpYear: 2030, Removed: true, Last4: "4242", Brand: "visa", Subscriptions: []string{"s"}},
		billing.Card{Exists: true, Tenant: own, Owner: person, Expiry: expiry, Removed: true},
		card.Owner{Active: true, MayAct: true, Masked: "a***@contoso.example"},
		billing.Organization{CustomDomains: []string{"fabrikam.example"}},
		billing.Backups{Cards: []string{"b1", "b2"}},
		billing.Size{Licences: 3},
		collection.Card{Exists: true, Tenant: own, Owner: person, Last4: "4242", Brand: "visa", ExpMonth: 2, ExpYear: 2030, ValidUntil: expiry, Removed: true, GatewayToken: "tok", ManualAboveMinor: 5, ManualAboveCurrency: "INR", BillTo: home},
		collection.Wallet{Known: true, Cards: []string{"p", "b1", "b2"}},
		collection.Bill{SubscriptionID: "sub", CardID: "last"},
		invoiceswitch.Own{SubscriptionID: "sub"},
		billing.Recipient{BillTo: billing.BillTo{Name: "Ann", Phone: "1", Address: home}, Check: postal.Checked{Grade: postal.FormatOK}},
		invoiceswitch.Subscription{Exists: true, BoughtBy: person},
		invoiceswitch.Buyer{Tenant: own},
		invoiceswitch.Asker{Tenant: own, MayAsk: true},
		customer.Relationship{Type: "reseller", Active: true},
		policy.Relation{Active: true},
		delivery.Own{EndpointID: "hook"},
		delivery.Endpoint{Active: true},
		policy.Home{Tenant: own},
		admin.Erasure{Begun: true},
		policy.Audited{Session: audit.Session{ID: "s", Scope: audit.Scope{Kinds: []string{"card"}}}},
		policy.Unpaid{SupportCase: policy.SupportCase{Subscription: "sub", CardID: "last"}},
		policy.Switching{SupportCase: policy.SupportCase{Open: true, Subscription: "sub"}},
		subject.Account{Exists: true, Active: true},
		domain.Terms[domain.RoleTerms]{Name: "id", Versions: []domain.Version[domain.RoleTerms]{
			{Number: 2, EffectiveAt: expiry, Rules: domain.RoleTerms{Roles: []domain.Role{domain.Auditor}}},
		}},
	}
	got := map[reflect.Type]any{}
	for _, s := range policy.Sources {
		for _, state := range states {
			if s.Contract != nil && reflect.TypeOf(s.Contract.New()) == reflect.TypeOf(state) {
				got[s.Type] = s.State("id", state)
			}
		}
	}
	for _, d := range policy.Policies {
		if d.Source.Type != reflect.TypeFor[domain.Terms[domain.RoleTerms]]() {
			delete(got, d.Source.Type) // read in the same way as that one
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d facts, want %d", len(got), len(want))
	}
	for _, w := range want {
		if g := got[reflect.TypeOf(w)]; !reflect.DeepEqual(g, w) {
			t.Errorf("fact = %+v, want %+v", g, w)
		}
	}
}

// TestErasedRecipient keeps what was erased from coming back on an invoice.
func TestErasedRecipient(t *testing.T) {
	t.Parallel()
	for _, s := range policy.Sources {
		if s.Type != reflect.TypeFor[billing.Recipient]() {
			continue
		}
		state := &invoiceswitch.Case{Contact: domain.Personal[invoiceswitch.Contact]{Subject: person, Erased: true}, AddressCheck: postal.Checked{Confirmed: true}}
		if got := s.State("id", state); got != (billing.Recipient{}) {
			t.Errorf("N4: recipient of an erased contact = %+v, want none", got)
		}
		return
	}
	t.Error("there is no source of billing.Recipient")
}

func TestFactsShareNothingWithStates(t *testing.T) {
	t.Parallel()
	state := &tenant.Tenant{Country: "SE", Domains: []string{"contoso.example"}}
	for _, s := range policy.Sources {
		if s.Type == reflect.TypeFor[securityinfo.Organization]() {
			s.State(own, state).(securityinfo.Organization).Domains[0] = "changed.example"
		}
	}
	if state.Domains[0] != "contoso.example" {
		t.Errorf("the state has %v after a fact was changed", state.Domains)
	}
}

// An account's alternate address matters to it while it recovers the account.
func TestAnAlternateAddressCountsOnceItIsVerified(t *testing.T) {
	t.Parallel()
	address := domain.About(person, "ann@home.example")
	for name, c := range map[string]struct {
		email securityinfo.Method[string]
		want  admin.Alternate
	}{
		"I8: verified":      {securityinfo.Method[string]{Verified: address, VerifiedAt: noon}, admin.Alternate{Email: address}},
		"I8: not yet":       {securityinfo.Method[string]{Pending: address}, admin.Alternate{}},
		"I8: erased":        {securityinfo.Method[string]{Verified: domain.Personal[string]{Subject: person, Erased: true}, VerifiedAt: noon}, admin.Alternate{}},
		"I8: there is none": {},
	} {
		for _, s := range policy.Sources {
			if s.Type != reflect.TypeFor[admin.Alternate]() {
				continue
			}
			if got := s.State(person, &securityinfo.SecurityInfo{AlternateEmail: c.email}); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %+v, want %+v", name, got, c.want)
			}
		}
	}
}

// What an organization is told of an alternate address is where it is.
func TestAnAlternateAddressIsKnownByItsHost(t *testing.T) {
	t.Parallel()
	at := func(e securityinfo.Method[string]) tenant.Alternate {
		for _, s := range policy.Sources {
			if s.Type == reflect.TypeFor[tenant.Alternate]() {
				return s.State(person, &securityinfo.SecurityInfo{AlternateEmail: e}).(tenant.Alternate)
			}
		}
		return tenant.Alternate{Host: "no source"}
	}
	address := domain.About(person, "ann@Home.example")
	for name, c := range map[string]struct {
		email securityinfo.Method[string]
		want  string
	}{
		"I8: one in use":     {securityinfo.Method[string]{Verified: address, VerifiedAt: noon}, "home.example"},
		"I8: one that waits": {securityinfo.Method[string]{Pending: address}, ""},
		"I8: one erased":     {securityinfo.Method[string]{Verified: domain.Personal[string]{Subject: person, Erased: true}, VerifiedAt: noon}, ""},
		"I8: none":           {securityinfo.Method[string]{}, ""},
	} {
		if got := at(c.email).Host; got != c.want {
			t.Errorf("%s: host %q, want %q", name, got, c.want)
		}
	}
}

func TestFactsOfNothing(t *testing.T) {
	t.Parallel()
	for _, s := range policy.Sources {
		if s.Contract == nil {
			continue
		}
		fact := s.State("id", s.Contract.New())
		if exists := reflect.ValueOf(fact).FieldByName("Exists"); exists.IsValid() && exists.Bool() {
			t.Errorf("%T of no history says that it exists", fact)
		}
	}
}

func TestWhoCannotSignInHasNothingToRecover(t *testing.T) {
	t.Parallel()
	for status, want := range map[admin.Status]bool{admin.Active: false, admin.Blocked: true, admin.Offboarded: true, admin.Gone: true} {
		for _, s := range policy.Sources {
			if s.Type != reflect.TypeFor[securityinfo.Account]() {
				continue
			}
			got := s.State(person, &admin.Admin{Tenant: own, Status: status}).(securityinfo.Account)
			if got.Blocked != want || !got.Exists {
				t.Errorf("S13: an account that is %q is blocked = %v, want %v", status, got.Blocked, want)
			}
		}
	}
}

// A leaver's account says which departure it is, and until when its data is
// kept: an erasure asks for both.
func TestAccountOfALeaver(t *testing.T) {
	t.Parallel()
	i := slices.IndexFunc(policy.Sources, func(s domain.Source) bool { return s.Type == reflect.TypeFor[subject.Account]() })
	leaving := admin.Leaving{Offboarding: "o1", At: noon, RetainedUntil: noon.AddDate(0, 0, 30)}
	for status, gone := range map[admin.Status]bool{admin.Blocked: false, admin.Offboarded: false, admin.Gone: true} {
		got := policy.Sources[i].State("id", &admin.Admin{Tenant: own, Status: status, Leaving: leaving})
		want := subject.Account{Exists: true, Gone: gone, KeptUntil: leaving.RetainedUntil, Offboarding: "o1"}
		if got != any(want) {
			t.Errorf("S13: %s: account = %+v, want %+v", status, got, want)
		}
	}
}
