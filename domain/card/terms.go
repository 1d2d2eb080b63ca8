package card

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"konto/domain"
)

// EditPolicy says who may edit a card, and whether an edit takes the security
// code. Its first version is the page of 2020; both rules changed later.
var EditPolicy = domain.Policy[EditTerms]{Name: "card-edit", First: EditTerms{Editors: EditorsAdder, CVVOnEdit: CVVNever}}

// EditTerms are the values of [EditPolicy].
type EditTerms struct {
	Editors   string `json:"editors"`   // [EditorsAdder] or [EditorsProfileRoles]
	CVVOnEdit string `json:"cvvOnEdit"` // [CVVNever] or [CVVGatewayOnly]
}

// Who may edit, replace by and remove a card.
const (
	EditorsAdder        = "adder"         // only the admin who added it
	EditorsProfileRoles = "profile-roles" // also owners and contributors of the billing profile
)

// What an edit asks of the security code.
const (
	CVVNever       = "never"        // it is not asked for
	CVVGatewayOnly = "gateway_only" // the gateway takes and checks it, and its answer comes with the edit
)

// Validate says which values there are none of.
func (t EditTerms) Validate() error {
	switch {
	case t.Editors != EditorsAdder && t.Editors != EditorsProfileRoles:
		return fmt.Errorf("editors must be %s or %s", EditorsAdder, EditorsProfileRoles)
	case t.CVVOnEdit != CVVNever && t.CVVOnEdit != CVVGatewayOnly:
		return fmt.Errorf("cvvOnEdit must be %s or %s", CVVNever, CVVGatewayOnly)
	}
	return nil
}

// allow reports whether the actor may do with owner's card what owner may.
func (t EditTerms) allow(m Meta, owner string) bool {
	return m.Actor.ID == owner ||
		t.Editors == EditorsProfileRoles && m.Actor.Has(domain.ProfileOwner, domain.ProfileContributor)
}

// editors are those who may do with a card what its owner may.
func (t EditTerms) editors() []domain.Role {
	if t.Editors == EditorsProfileRoles {
		return []domain.Role{domain.WhoOwner, domain.ProfileOwner, domain.ProfileContributor}
	}
	return []domain.Role{domain.WhoOwner}
}

// Editors returns who may edit and remove a card: by the version of
// [EditPolicy] in force if m knows it, else by the first.
func Editors(m Meta) []domain.Role {
	if !m.Facts.Has(EditPolicy.Need()) {
		return EditPolicy.First.editors()
	}
	return EditPolicy.In(m).editors()
}

// ExpiryPolicy says when people are told that a card is about to expire.
var ExpiryPolicy = domain.Policy[ExpiryTerms]{Name: "card-expiry", First: ExpiryTerms{WarnDays: []int{60, 30, 15, 7, 1}, AskOthersDays: 15}}

// ExpiryTerms are the values of [ExpiryPolicy].
type ExpiryTerms struct {
	WarnDays []int `json:"warnDays"` // days before the expiry, the most first
	// AskOthersDays is how many days before the expiry other admins are asked
	// for a backup card, whatever the owner does.
	AskOthersDays int `json:"askOthersDays"`
}

// Validate says which days cannot be.
func (t ExpiryTerms) Validate() error {
	if len(t.WarnDays) == 0 || len(t.WarnDays) > 12 {
		return errors.New("warnDays must be 1 to 12 numbers")
	}
	for i, d := range t.WarnDays {
		if d < 1 || d > 365 || i > 0 && d >= t.WarnDays[i-1] {
			return errors.New("warnDays must fall, from 365 at most to 1 at least")
		}
	}
	if t.AskOthersDays < 0 || t.AskOthersDays > 365 {
		return errors.New("askOthersDays must be 0 to 365")
	}
	return nil
}

// next returns when the card has to be looked at again: at the first warning
// that is ahead, at its end, or at once if that is past.
func (t ExpiryTerms) next(end, now time.Time) time.Time {
	for _, d := range t.WarnDays {
		if at := end.AddDate(0, 0, -d); now.Before(at) {
			return at
		}
	}
	if now.Before(end) {
		return end
	}
	return now
}

// stage returns the least of the days that are left at most, or 0 if so many
// are left that nobody needs to know.
func (t ExpiryTerms) stage(end, now time.Time) int {
	stage := 0
	for _, d := range t.WarnDays {
		if !now.Before(end.AddDate(0, 0, -d)) {
			stage = d
		}
	}
	return stage
}

// IssuerPolicy says what differs for cards that are issued in some countries.
//
// In India nobody but networks and issuers may keep card data since 1 October
// 2022 (Reserve Bank of India, CoFT circulars of 2021 and 2022), so the expiry
// is not known here, adding one takes the issuer's one-time password, and
// what is above 5,000 INR is paid by hand.
var IssuerPolicy = domain.Policy[IssuerTerms]{Name: "card-issuer-countries", First: IssuerTerms{Countries: map[string]IssuerRules{
	"IN": {ExpiryUnknown: true, OneTimePassword: true, ManualAboveMinor: 500_000, Currency: "INR"},
}}}

// IssuerTerms are the values of [IssuerPolicy], by ISO 3166-1 alpha-2 code.
// No country has the rules that most have.
type IssuerTerms struct {
	Countries map[string]IssuerRules `json:"countries"`
}

// IssuerRules are what differs for cards of a country.
type IssuerRules struct {
	ExpiryUnknown    bool   `json:"expiryUnknown"`    // the expiry may not be kept
	OneTimePassword  bool   `json:"oneTimePassword"`  // adding takes the issuer's one-time password
	ManualAboveMinor int64  `json:"manualAboveMinor"` // what is more is paid by hand; 0 for no such limit
	Currency         string `json:"currency"`         // of the limit; ISO 4217
}

// Validate says which rules cannot be.
func (t IssuerTerms) Validate() error {
	for code, r := range t.Countries {
		switch {
		case !capitals(code, 2):
			return errors.New("countries are ISO 3166-1 codes of two capital letters")
		case r.ManualAboveMinor < 0:
			return errors.New("manualAboveMinor must not be negative")
		case r.ManualAboveMinor > 0 && !capitals(r.Currency, 3):
			return errors.New("a limit needs a currency of three capital letters")
		}
	}
	return nil
}

func capitals(s string, n int) bool {
	return len(s) == n && !slices.ContainsFunc([]byte(s), func(b byte) bool { return b < 'A' || b > 'Z' })
}
