package contact_test

import (
	"errors"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/securityinfo"
	"konto/internal/contact"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// decide decides cmd with the facts of this package's sources, in an
// organization of country.
func decide(country string, cmd securityinfo.UpdateSecurityInfo) ([]securityinfo.Event, error) {
	m := domain.Meta{
		ID: "ann", Tenant: "t", Actor: domain.Actor{ID: "ann", Kind: domain.KindPerson, AuthenticatedAt: noon},
		At: noon, Command: "c",
	}
	m.Facts = m.Facts.
		Knows(domain.Of[securityinfo.Account]("ann"), securityinfo.Account{Exists: true, Tenant: "t", SignInName: "ann@bücher.example"}).
		Knows(domain.Of[securityinfo.Organization]("t"), securityinfo.Organization{Country: country, Domains: []string{"xn--bcher-kva.example"}})
	m.Facts = securityinfo.HelpPolicy.Known(securityinfo.SessionPolicy.Known(m.Facts))
	m.Facts = securityinfo.RecoveryPolicy.Known(securityinfo.CodePolicy.Known(m.Facts))
	for range 2 {
		for _, n := range cmd.Needs(m) {
			for _, s := range contact.Sources() {
				if s.Type == n.Type {
					m.Facts = m.Facts.Knows(n, s.Input(n.Key))
				}
			}
		}
	}
	return cmd.Decide(securityinfo.SecurityInfo{}, m)
}

func TestF1NumbersAreReadInTheOrganizationsCountry(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ country, raw, want string }{
		{"SE", "070-174 06 05", "+46701740605"},
		{"DK", "20 12 34 56", "+4520123456"},
		{"NL", "06 12345678", "+31612345678"},
		{"GB", "07400 123456", "+447400123456"},
		{"US", "(201) 555-0123", "+12015550123"},
		{"SE", "+1 4251234567", "+14251234567"},
	} {
		events, err := decide(test.country, securityinfo.UpdateSecurityInfo{Mobile: &test.raw})
		if err != nil {
			t.Errorf("mobile %q in %s: %v", test.raw, test.country, err)
			continue
		}
		added, ok := events[0].(securityinfo.PhoneMethodAdded)
		if !ok || added.Phone.Value.E164 != test.want || added.MetadataVersion != contact.MetadataVersion {
			t.Errorf("mobile %q in %s = %+v, want %s", test.raw, test.country, events[0], test.want)
		}
	}
}

func TestE1SpellingHidesNoTenantDomain(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"ann@Bücher.example", "x@XN--BCHER-KVA.example", "x@mail.bücher.example", "x@ｂücher.example"} {
		_, err := decide("SE", securityinfo.UpdateSecurityInfo{AlternateEmail: &raw})
		if !errors.Is(err, securityinfo.ErrTenantEmail) {
			t.Errorf("alternate address %q: err = %v, want %v", raw, err, securityinfo.ErrTenantEmail)
		}
	}
}
