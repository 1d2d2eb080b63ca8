package securityinfo

import (
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// Account is what must be known of the person's account: state of the admin
// whose ID is the key.
type Account struct {
	Exists     bool
	Tenant     string // that the account belongs to
	SignInName string // a mail address; empty if erased
	Aliases    []string
	Roles      []domain.Role
	Blocked    bool // may not sign in, so there is nothing to recover
}

// Organization is what must be known of the tenant whose ID is the key.
type Organization struct {
	Country string   // ISO 3166-1 alpha-2: where a number without a country code is read
	Domains []string // A-labels, the initial one first
	// TrialSince is when the organization began a trial; zero if it is on none.
	TrialSince time.Time
}

// PhoneNumber is what the numbering plans say of the phone number in the key,
// "<region> <raw>".
type PhoneNumber struct {
	Possible bool   // its length fits its country
	Valid    bool   // its digits are a range in use
	E164     string // such as "+46701740605"
	Ext      string
	Type     PhoneType
	Region   string // ISO 3166-1 alpha-2; empty if unknown
	// MetadataVersion says which release of the numbering plans answered. It
	// is recorded, because a later release may answer differently (F4).
	MetadataVersion string
}

// PhoneType is what kind of line a number is.
type PhoneType string

// The kinds of line, as libphonenumber tells them apart.
const (
	Mobile            PhoneType = "mobile"
	FixedLine         PhoneType = "fixed-line"
	FixedLineOrMobile PhoneType = "fixed-line-or-mobile" // where the plan does not tell, as in North America
	TollFree          PhoneType = "toll-free"
	PremiumRate       PhoneType = "premium-rate"
	SharedCost        PhoneType = "shared-cost"
	VoIP              PhoneType = "voip"
	PersonalNumber    PhoneType = "personal-number"
	Pager             PhoneType = "pager"
	CompanyNumber     PhoneType = "company-number"
	Voicemail         PhoneType = "voicemail"
	UnknownType       PhoneType = "unknown"
)

// MailAddress is what the rules of mail addresses say of the key.
type MailAddress struct {
	OK         bool
	Normalized string // domain as A-label; the local part keeps its case
	Domain     string // A-label
	Reason     string // for people, if not OK; does not repeat the input
}

// PhoneKey is the key of the fact [PhoneNumber]: raw, read in region.
func PhoneKey(region, raw string) string { return region + " " + raw }

// owns reports whether address signs in to the account.
func (a Account) owns(address string) bool {
	same := func(s string) bool { return s != "" && strings.EqualFold(s, address) }
	return same(a.SignInName) || slices.ContainsFunc(a.Aliases, same)
}

// runs reports whether the organization runs the mail domain name: one of its
// domains or a name below one.
func (o Organization) runs(name string) bool {
	return slices.ContainsFunc(o.Domains, func(d string) bool {
		return domain.Within(name, d)
	})
}

// own returns the account that the decision is about. An account of another
// tenant does not exist for the caller.
func own(m Meta) (Account, error) {
	a := domain.Fact[Account](m, m.ID)
	if !a.Exists || a.Tenant != m.Tenant {
		return Account{}, ErrNoAccount
	}
	return a, nil
}
