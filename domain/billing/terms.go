package billing

import (
	"errors"
	"fmt"

	"konto/domain"
)

// UsePolicy says who may put a card on a subscription. Its first version is
// the page of 2020: only who added the card.
var UsePolicy = domain.Policy[UseTerms]{Name: "card-use", First: UseTerms{Users: UsersAdder}}

// UseTerms are the values of [UsePolicy].
type UseTerms struct {
	Users string `json:"users"` // [UsersAdder] or [UsersProfileRoles]
}

// Who may put a card on a subscription.
const (
	UsersAdder        = "adder"         // only the admin who added it
	UsersProfileRoles = "profile-roles" // also owners and contributors of the billing profile
)

// Validate says which values there are none of.
func (t UseTerms) Validate() error {
	if t.Users != UsersAdder && t.Users != UsersProfileRoles {
		return fmt.Errorf("users must be %s or %s", UsersAdder, UsersProfileRoles)
	}
	return nil
}

// users are those who may put a card on a subscription.
func (t UseTerms) users() []domain.Role {
	if t.Users == UsersProfileRoles {
		return []domain.Role{domain.WhoOwner, domain.ProfileOwner, domain.ProfileContributor}
	}
	return []domain.Role{domain.WhoOwner}
}

func (t UseTerms) allow(m Meta, owner string) bool {
	return m.Actor.ID == owner ||
		t.Users == UsersProfileRoles && m.Actor.Has(domain.ProfileOwner, domain.ProfileContributor)
}

// CancelPolicy says how a subscription is cancelled and what is left of it
// (rule C11).
var CancelPolicy = domain.Policy[CancelTerms]{Name: "subscription-cancel", First: CancelTerms{
	SelfServiceBelowLicences: 25, CustomDomainFirst: true, AdminAccessDays: 90, DataDays: 180,
}}

// CancelTerms are the values of [CancelPolicy].
type CancelTerms struct {
	// SelfServiceBelowLicences is how many assigned licences are too many for
	// an admin to cancel without billing support.
	SelfServiceBelowLicences int `json:"selfServiceBelowLicences"`
	// CustomDomainFirst says that the organization's own domains must be off
	// the subscription before.
	CustomDomainFirst bool `json:"customDomainFirst"`
	AdminAccessDays   int  `json:"adminAccessDays"` // admins keep access, and may take it back
	DataDays          int  `json:"dataDays"`        // then its data is gone
}

// Validate says which values cannot be.
func (t CancelTerms) Validate() error {
	switch {
	case t.SelfServiceBelowLicences < 0:
		return errors.New("selfServiceBelowLicences must not be negative")
	case t.AdminAccessDays < 0 || t.AdminAccessDays > 3650:
		return errors.New("adminAccessDays must be 0 to 3650")
	case t.DataDays < t.AdminAccessDays || t.DataDays > 3650:
		return errors.New("dataDays must be adminAccessDays to 3650")
	}
	return nil
}
