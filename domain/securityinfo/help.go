package securityinfo

import (
	"errors"
	"fmt"
	"slices"

	"konto/domain"
)

// HelpTerms say who may change other people's contacts. Roles that are not
// named are those of version 1.
type HelpTerms struct {
	// Roles may change the contacts of people without a role.
	Roles []domain.Role `json:"roles,omitempty"`
	// AdminsRoles, of Roles, may change the phones of admins, too.
	AdminsRoles []domain.Role `json:"adminsRoles,omitempty"`
	// AdminsAlternateEmail lets AdminsRoles change the alternate address, too.
	AdminsAlternateEmail bool `json:"adminsAlternateEmail"`
	// AlternateEmailRoles may change the alternate address of admins, and by
	// this alone nothing else; none named is nobody.
	AlternateEmailRoles []domain.Role `json:"alternateEmailRoles,omitempty"`
}

// HelpPolicy is what is in force for changing another person's contacts. Since
// 2021 Microsoft 365 lets everybody change their own alternate address alone,
// which is version 1 here.
var HelpPolicy = domain.Policy[HelpTerms]{
	Name: "contact-help",
	First: HelpTerms{
		Roles:       []domain.Role{domain.GlobalAdmin, domain.AuthAdmin, domain.PrivilegedAuthAdmin},
		AdminsRoles: []domain.Role{domain.GlobalAdmin, domain.PrivilegedAuthAdmin},
	},
}

// BillingNotifications2020 are the terms of 2020: a page named Billing
// notifications let global and billing admins change the alternate address of
// each other and of all other admins (Microsoft 365 admin help, "Change your
// organization's billing addresses", 2020).
func BillingNotifications2020() HelpTerms {
	t := HelpPolicy.First
	t.AlternateEmailRoles = []domain.Role{domain.GlobalAdmin, domain.BillingAdmin}
	return t
}

// Validate reports roles that there are not, and an admin's helper who is not
// everybody's.
func (t HelpTerms) Validate() error {
	err := errors.Join(
		distinctRoles("roles", t.Roles), distinctRoles("adminsRoles", t.AdminsRoles),
		distinctRoles("alternateEmailRoles", t.AlternateEmailRoles),
	)
	helpers := t.Helpers()
	for _, r := range t.adminsHelpers() {
		if !slices.Contains(helpers, r) {
			err = errors.Join(err, fmt.Errorf("adminsRoles: %s is not among roles", r))
		}
	}
	return err
}

// Helpers are the roles that may change anything for anybody else.
func (t HelpTerms) Helpers() []domain.Role {
	if len(t.Roles) == 0 {
		return HelpPolicy.First.Roles
	}
	return t.Roles
}

// AddressHelpers are the roles that may change anybody else's alternate address.
func (t HelpTerms) AddressHelpers() []domain.Role {
	roles := slices.Clone(t.Helpers())
	for _, r := range t.AlternateEmailRoles {
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

func (t HelpTerms) adminsHelpers() []domain.Role {
	if len(t.AdminsRoles) == 0 {
		return HelpPolicy.First.AdminsRoles
	}
	return t.AdminsRoles
}

// ChangeNeeds is what [BarredFromPhones], [BarredFromAddress] and [BarredFromAll]
// ask for.
func ChangeNeeds(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), SessionPolicy.Need(), HelpPolicy.Need()}
}

// BarredFromPhones returns why the actor may not change the phones that m is
// about, whatever they would become, or nil.
func BarredFromPhones(m Meta) *domain.Error { return barred(single(SlotMobile, ""), m) }

// BarredFromAddress returns why the actor may not change the alternate address
// that m is about, or nil.
func BarredFromAddress(m Meta) *domain.Error { return barred(single(SlotAlternateEmail, ""), m) }

// BarredFromAll returns why the actor may change nothing of what m is about, or nil.
func BarredFromAll(m Meta) *domain.Error {
	phones := BarredFromPhones(m)
	if phones == nil || BarredFromAddress(m) == nil {
		return nil
	}
	return phones
}

// barred refuses c for who sends it, whatever it says beside what is to change.
func barred(c UpdateSecurityInfo, m Meta) *domain.Error {
	if err := privileged(m); err != nil {
		return err
	}
	return helping(domain.Fact[Account](m, m.ID), c, m)
}

// helping refuses somebody who changes another person's contacts and may not.
// Who may change nobody's has been refused by the authorization table, which
// reads the same terms.
func helping(account Account, c UpdateSecurityInfo, m Meta) *domain.Error {
	terms := HelpPolicy.In(m)
	if !byAnother(m) {
		return nil
	}
	isAdmin, address := len(account.Roles) > 0, c.AlternateEmail != nil
	phones := !address || slices.ContainsFunc(c.phones(), func(f field) bool { return !f.kept() })
	addressHelper := m.Actor.Has(terms.AlternateEmailRoles...)
	helpers := terms.Helpers()
	if isAdmin {
		helpers = terms.adminsHelpers()
	}
	switch helper := m.Actor.Has(helpers...); {
	case addressHelper && isAdmin && address && (helper || !phones):
		return nil
	case !helper && addressHelper && !m.Actor.Has(terms.Helpers()...):
		return ErrAddressAlone.For(withSelf(helpers)...)
	case !helper:
		return ErrAdminsContacts.For(withSelf(helpers)...)
	case isAdmin && address && !terms.AdminsAlternateEmail:
		return ErrOwnEmailOnly
	}
	return nil
}

// withSelf adds the person whose contacts they are, who always may.
func withSelf(helpers []domain.Role) []domain.Role {
	return append([]domain.Role{domain.WhoSelf}, helpers...)
}

// distinctRoles reports what is no role, or named twice.
func distinctRoles(field string, roles []domain.Role) error {
	for i, r := range roles {
		if !slices.Contains(domain.Roles(), r) {
			return fmt.Errorf("%s: there is no role %q", field, r)
		}
		if slices.Contains(roles[:i], r) {
			return fmt.Errorf("%s: %s is named twice", field, r)
		}
	}
	return nil
}
