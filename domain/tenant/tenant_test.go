package tenant_test

import (
	"errors"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/domaintest"
	"konto/domain/recovery"
	. "konto/domain/tenant"
)

// knowing returns what a decision about cmd may know, with lists that hold
// what these tests need, of an organization without people.
func knowing(cmd any) Meta {
	return domaintest.Gather(Meta{ID: "contoso", Tenant: "contoso"}, cmd, func(n domain.Need) any {
		switch n {
		case domain.Of[Country](n.Key):
			return Country{OK: n.Key == "SE" || n.Key == "DK", Code: n.Key}
		case domain.Of[Currency](n.Key):
			return Currency{OK: n.Key == "SEK" || n.Key == "DKK", Code: n.Key}
		case domain.Of[Locale](n.Key):
			return Locale{OK: n.Key != "und", Tag: n.Key}
		case domain.Of[DomainName](n.Key):
			return DomainName{OK: strings.Contains(n.Key, "."), Name: strings.ToLower(n.Key)}
		case domain.Of[Own](n.Key):
			return Own{Country: "SE", Domains: []string{"contoso.example", "contoso.nu"}}
		}
		return domain.Terms[recovery.Terms]{Name: n.Key}
	})
}

func TestTenant(t *testing.T) {
	t.Parallel()
	register := RegisterTenant{Name: " Contoso AB ", Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: "Contoso.example"}
	registered := []Event{TenantRegistered{Name: "Contoso AB", Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: "contoso.example"}}
	both := append(registered, DomainVerified{Domain: "contoso.se"})
	with := func(change func(*RegisterTenant)) RegisterTenant {
		c := register
		change(&c)
		return c
	}
	var cases []domaintest.Case[Tenant]
	add := func(name string, given []Event, when interface {
		domain.Command[Tenant]
		domain.Needer
	}, then []Event, err error,
	) {
		cases = append(cases, domaintest.Case[Tenant]{Name: name, Given: given, When: when, Meta: knowing(when), Then: then, Err: err})
	}
	add("S8: register", nil, register, registered, nil)
	add("S8: register again", registered, register, nil, nil)
	add("S8: register again after another domain", both, register, nil, nil)
	add("S8: register with another country", registered, with(func(c *RegisterTenant) { c.Country = "DK" }), nil, ErrCountryImmutable)
	add("S8: register with another name", registered, with(func(c *RegisterTenant) { c.Name = "Fabrikam" }), nil, ErrRegistered)
	add("S8: register with another currency", registered, with(func(c *RegisterTenant) { c.Currency = "DKK" }), nil, ErrRegistered)
	add("S8: register with another locale", registered, with(func(c *RegisterTenant) { c.Locale = "da-DK" }), nil, ErrRegistered)
	add("S8: register with another domain", registered, with(func(c *RegisterTenant) { c.Domain = "fabrikam.example" }), nil, ErrRegistered)
	add("S8: no name", nil, with(func(c *RegisterTenant) { c.Name = " " }), nil, ErrName)
	add("S8: long name", nil, with(func(c *RegisterTenant) { c.Name = strings.Repeat("å", 257) }), nil, ErrName)
	add("S8: name with line break", nil, with(func(c *RegisterTenant) { c.Name = "Contoso\nAB" }), nil, ErrName)
	add("S8: name that nobody sees", nil, with(func(c *RegisterTenant) { c.Name = "\u00ad" }), nil, ErrName)
	add("S8: name that turns what follows", nil, with(func(c *RegisterTenant) { c.Name = "Contoso\u202eAB" }), nil, ErrName)
	add("S8: unknown country", nil, with(func(c *RegisterTenant) { c.Country = "ZZ" }), nil, ErrCountry)
	add("S8: unknown currency", nil, with(func(c *RegisterTenant) { c.Currency = "ZZZ" }), nil, ErrCurrency)
	add("S8: unknown locale", nil, with(func(c *RegisterTenant) { c.Locale = "und" }), nil, ErrLocale)
	add("S3: bad domain", nil, with(func(c *RegisterTenant) { c.Domain = "contoso" }), nil, ErrDomain)
	add("S3: verify domain", registered, VerifyDomain{Domain: "CONTOSO.se"}, []Event{DomainVerified{Domain: "contoso.se", TwoProofs: true}}, nil)
	add("S3: verify domain again", both, VerifyDomain{Domain: "contoso.SE"}, nil, nil)
	add("S3: verify the initial domain", registered, VerifyDomain{Domain: "contoso.example"}, nil, nil)
	add("S3: verify bad domain", registered, VerifyDomain{Domain: "contoso"}, nil, ErrDomain)
	add("S3: verify domain of nobody", nil, VerifyDomain{Domain: "contoso.se"}, nil, ErrNotFound)
	domaintest.Run(t, Aggregate, cases)
}

func TestEverythingWrongIsListed(t *testing.T) {
	t.Parallel()
	c := RegisterTenant{Country: "ZZ", Currency: "ZZZ", Locale: "und", Domain: "contoso"}
	_, err := c.Decide(Tenant{}, knowing(c))
	for _, want := range []error{ErrName, ErrCountry, ErrCurrency, ErrLocale, ErrDomain} {
		if !errors.Is(err, want) {
			t.Errorf("Decide = %v, want it to include %v", err, want)
		}
	}
}

func TestDomainIsReservedForAllTenants(t *testing.T) {
	t.Parallel()
	register, verify := RegisterTenant{Domain: "Contoso.se"}, VerifyDomain{Domain: "contoso.SE"}
	for _, m := range []Meta{{ID: "contoso"}, knowing(verify), knowing(register)} {
		for _, got := range [][]domain.Reservation{register.Reserves(m), verify.Reserves(m)} {
			if len(got) != 1 || got[0].Kind != "domain" || got[0].Scope != "" || got[0].Key != "contoso.se" {
				t.Fatalf("Reserves = %+v, want the domain contoso.se of all tenants", got)
			}
			err := got[0].Taken("fabrikam")
			if !errors.Is(err, ErrDomainTaken) || len(err.Facts) != 0 {
				t.Errorf("Taken = %v with %v, want %v and not whose it is", err, err.Facts, ErrDomainTaken)
			}
		}
	}
}
