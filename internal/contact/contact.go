// Package contact knows what libraries say of how people and organizations
// are reached: phone numbers, mail addresses, domain names, languages
// and countries, and, by package place, postal addresses. Aggregates import
// only the standard library; they state as facts what they must know of such an
// input, and [Sources] answers, also for package money about currencies.
//
// Every answer is a pure function of its key and of the libraries' tables.
// Decisions record what they took from an answer, so tables of a later release
// change new decisions and no old ones. Answers never repeat the input in
// their reasons, since refusals are logged and inputs are personal.
package contact

import (
	"strings"

	"golang.org/x/text/language"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/customer"
	"konto/domain/invoiceswitch"
	"konto/domain/organization"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/internal/money"
	"konto/internal/place"
)

// Sources returns the sources of all facts that this package knows. They are
// safe for concurrent use.
func Sources() []domain.Source {
	return append(place.Sources(),
		domain.FromInput(func(key string) securityinfo.PhoneNumber {
			return numbered(key)
		}),
		domain.FromInput(func(key string) securityinfo.MailAddress {
			return securityinfo.MailAddress(Mail(key))
		}),
		domain.FromInput(func(key string) admin.Address {
			return admin.Address(Mail(key))
		}),
		domain.FromInput(func(key string) admin.Locale {
			tag, ok := Locale(key)
			return admin.Locale{OK: ok, Tag: tag}
		}),
		domain.FromInput(func(key string) organization.Phone {
			n := numbered(key)
			return organization.Phone{OK: n.Possible, Number: full(n), Data: n.MetadataVersion}
		}),
		domain.FromInput(func(key string) organization.MailAddress {
			a := Mail(key)
			return organization.MailAddress{OK: a.OK, Normalized: a.Normalized, Reason: a.Reason}
		}),
		domain.FromInput(func(key string) organization.Locale {
			tag, ok := Locale(key)
			return organization.Locale{OK: ok, Tag: tag}
		}),
		domain.FromInput(func(key string) admin.Phone {
			n := numbered(key)
			return admin.Phone{OK: n.Possible, Number: full(n), Data: n.MetadataVersion}
		}),
		domain.FromInput(func(key string) tenant.Locale {
			tag, ok := Locale(key)
			return tenant.Locale{OK: ok, Tag: tag}
		}),
		domain.FromInput(func(key string) customer.Locale {
			tag, ok := Locale(key)
			return customer.Locale{OK: ok, Tag: tag}
		}),
		domain.FromInput(func(key string) customer.Country {
			code, ok := Country(key)
			return customer.Country{OK: ok && code == key}
		}),
		domain.FromInput(func(key string) customer.PhoneNumber {
			n := numbered(key)
			return customer.PhoneNumber{Possible: n.Possible, Valid: n.Valid, Number: full(n), Data: n.MetadataVersion}
		}),
		domain.FromInput(func(key string) customer.MailAddress {
			a := Mail(key)
			return customer.MailAddress{OK: a.OK, Normalized: a.Normalized, Reason: a.Reason}
		}),
		domain.FromInput(func(key string) customer.DomainName {
			name, err := Domain(key)
			return customer.DomainName{OK: err == nil, Name: name}
		}),
		domain.FromInput(func(key string) card.PhoneNumber {
			n := numbered(key)
			return card.PhoneNumber{OK: n.Possible, Number: full(n), Data: n.MetadataVersion}
		}),
		domain.FromInput(func(key string) billing.PhoneNumber {
			n := numbered(key)
			return billing.PhoneNumber{OK: n.Possible, Number: full(n), Data: n.MetadataVersion}
		}),
		domain.FromInput(func(key string) invoiceswitch.PhoneNumber {
			n := numbered(key)
			return invoiceswitch.PhoneNumber{OK: n.Possible, Number: full(n), Data: n.MetadataVersion}
		}),
		domain.FromInput(func(key string) invoiceswitch.Currency {
			code, ok := money.Code(key)
			return invoiceswitch.Currency{OK: ok && code == key}
		}),
		domain.FromInput(func(key string) relationship.Currency {
			code, ok := money.Code(key)
			return relationship.Currency{OK: ok && code == key}
		}),
		domain.FromInput(func(key string) tenant.Country {
			code, ok := Country(key)
			return tenant.Country{OK: ok, Code: code}
		}),
		domain.FromInput(func(key string) tenant.Currency {
			code, ok := money.Code(key)
			return tenant.Currency{OK: ok, Code: code}
		}),
		domain.FromInput(func(key string) tenant.DomainName {
			name, err := Domain(key)
			if err != nil {
				return tenant.DomainName{Reason: err.Error()}
			}
			return tenant.DomainName{OK: true, Name: name}
		}),
	)
}

// numbered reads the key of a fact about a phone number: the country that it is
// read in, a space, and the number.
func numbered(key string) securityinfo.PhoneNumber {
	region, raw, _ := strings.Cut(key, " ")
	return Phone(region, raw)
}

// full returns a number with its extension, as RFC 3966 writes it, without the
// scheme; empty if it is none.
func full(n securityinfo.PhoneNumber) string {
	return securityinfo.Phone{E164: n.E164, Ext: n.Ext}.String()
}

// Locale returns the canonical form of a BCP 47 tag, and whether it names a
// language that the registry knows.
func Locale(tag string) (string, bool) {
	const longest = 35 // RFC 5646 §4.4.1: what software must at least handle
	if len(tag) > longest {
		return "", false
	}
	t, err := language.Parse(strings.TrimSpace(tag))
	if base, _, _ := t.Raw(); err != nil || base.String() == "und" {
		return "", false
	}
	return t.String(), true
}

// Country returns code in upper case, and whether it is the ISO 3166-1
// alpha-2 code of a country in use: one that has a numbering plan, which
// leaves out those that ceased to be, such as SU.
func Country(code string) (string, bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if len(code) != 2 {
		return "", false
	}
	r, err := language.ParseRegion(code)
	if err != nil || !r.IsCountry() || r.Canonicalize() != r || r.String() != code || !hasNumberingPlan(code) {
		return "", false
	}
	return code, true
}
