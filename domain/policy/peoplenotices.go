package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/offboarding"
	"konto/domain/organization"
)

func peopleNotices() []domain.Reaction {
	same := func(t *team) *team { return t }
	return []domain.Reaction{
		domain.Process("tell-of-user-name",
			domain.On(aggregateOf[admin.UserNameChanged], tellOfName),
			domain.On(aggregateOf[admin.PrimaryEmailChanged], tellOfMailbox),
		),
		domain.Process("tell-of-organization", knowing(same,
			domain.On(tenantOf[organization.OrganizationProfileUpdated], func(t *team, e domain.Recorded[organization.OrganizationProfileUpdated]) []domain.Effect {
				return t.tellOfProfile(e.Data.Changed...)
			}),
			domain.On(tenantOf[organization.TechnicalContactChanged], func(t *team, _ domain.Recorded[organization.TechnicalContactChanged]) []domain.Effect {
				return t.tellOfProfile("technicalContact")
			}),
			domain.On(tenantOf[organization.PreferredLanguageChanged], func(t *team, _ domain.Recorded[organization.PreferredLanguageChanged]) []domain.Effect {
				return t.tellOfProfile("preferredLanguage")
			}),
			domain.On(tenantOf[organization.OrganizationContactEmailChanged], func(t *team, _ domain.Recorded[organization.OrganizationContactEmailChanged]) []domain.Effect {
				return t.tellOfProfile("contactEmail")
			}),
			domain.On(tenantOf[organization.InvoiceAttachmentSet], func(t *team, _ domain.Recorded[organization.InvoiceAttachmentSet]) []domain.Effect {
				return t.tellOfProfile("invoiceAttachment")
			}),
			domain.On(tenantOf[organization.SoldToAddressChanged], func(t *team, _ domain.Recorded[organization.SoldToAddressChanged]) []domain.Effect {
				return tell(t.and(), billingAddressChanged, func(string) any { return movedAddress{"sold-to"} })
			}),
		)...),
		domain.Process("tell-of-off-boarding", knowing(same,
			domain.On(tenantOf[offboarding.OrphanedItemsFound], tellOfOrphans),
			domain.On(tenantOf[offboarding.FormerUserDataAccessGranted], func(t *team, e domain.Recorded[offboarding.FormerUserDataAccessGranted]) []domain.Effect {
				return t.tellOfAccess(access{e.ID, e.Data.GranteeID, e.Data.ExpiresAt, "granted"})
			}),
			domain.On(tenantOf[offboarding.FormerUserDataAccessRevoked], func(t *team, e domain.Recorded[offboarding.FormerUserDataAccessRevoked]) []domain.Effect {
				return t.tellOfAccess(access{e.ID, e.Data.GranteeID, e.Data.ExpiresAt, "revoked"})
			}),
		)...),
	}
}

// mailbox is what tell-of-user-name remembers of a person: whether their mail
// goes to an address that was chosen for it, and not to the name.
type mailbox struct {
	Chosen bool `json:"chosen,omitzero"`
}

// newName is what user_name_changed shows: a new name, or where mail goes from
// now on.
type newName struct {
	UserName     domain.Personal[string] `json:"userName,omitzero"`
	PrimaryEmail domain.Personal[string] `json:"primaryEmail,omitzero"`
	At           time.Time               `json:"at"`
}

// tellOfName tells the person, and the old name if mail went there until now:
// whoever reads it at the new name need not be the one who read it before.
func tellOfName(m *mailbox, e domain.Recorded[admin.UserNameChanged]) []domain.Effect {
	shown := newName{UserName: e.Data.New, At: e.At}
	if m.Chosen {
		return tell([]string{e.ID}, userNameChanged, func(string) any { return shown })
	}
	return tellThereToo(e.ID, e.Data.Old, shown)
}

func tellOfMailbox(m *mailbox, e domain.Recorded[admin.PrimaryEmailChanged]) []domain.Effect {
	m.Chosen = true
	return tellThereToo(e.ID, e.Data.Old, newName{PrimaryEmail: e.Data.New, At: e.At})
}

// tellThereToo tells the person at the addresses in use, and at old.
func tellThereToo(person string, old domain.Personal[string], shown newName) []domain.Effect {
	effects := tell([]string{person}, userNameChanged, func(string) any { return shown })
	if old.IsZero() {
		return effects
	}
	return append(effects, domain.Notice{To: person, Address: old, Channel: domain.Mail, Template: userNameChanged, Data: shown})
}

// profileChange is what org_profile_changed shows: names of fields, never what
// they say.
type profileChange struct {
	Changed []string `json:"changed"`
}

// movedAddress is what billing_address_changed shows of the sold-to address.
type movedAddress struct {
	Kind string `json:"kind"`
}

// orphans is what offboarding_items shows.
type orphans struct {
	AdminID         string    `json:"adminId"`
	CardIDs         []string  `json:"cardIds"`
	SubscriptionIDs []string  `json:"subscriptionIds"`
	DueAt           time.Time `json:"dueAt"`
}

// access is what former_user_access shows.
type access struct {
	AdminID   string    `json:"adminId"`
	GranteeID string    `json:"granteeId"`
	ExpiresAt time.Time `json:"expiresAt"`
	Change    string    `json:"change"` // "granted" or "revoked"
}

func (t *team) tellOfProfile(changed ...string) []domain.Effect {
	return tell(t.and(), orgProfileChanged, func(string) any { return profileChange{changed} })
}

// tellOfOrphans tells the global admins, who alone can find somebody to look
// after what was left. Nothing left is no news.
func tellOfOrphans(t *team, e domain.Recorded[offboarding.OrphanedItemsFound]) []domain.Effect {
	d := e.Data
	if len(d.Cards)+len(d.Subscriptions)+len(d.Bought) == 0 {
		return nil
	}
	shown := orphans{e.ID, d.Cards, slices.Concat(d.Subscriptions, d.Bought), d.DueAt}
	return tell(t.globalAdmins(), offboardingItems, func(string) any { return shown })
}

// tellOfAccess tells the global admins and the one whose access it is.
func (t *team) tellOfAccess(a access) []domain.Effect {
	people := append(t.globalAdmins(), a.GranteeID)
	slices.Sort(people)
	return tell(slices.Compact(people), formerUserAccess, func(string) any { return a })
}

func (t *team) globalAdmins() []string {
	return slices.DeleteFunc(t.and(), func(id string) bool { return !slices.Contains(t.Admins[id], domain.GlobalAdmin) })
}
