package system

import (
	"context"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/organization"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/notify"
)

// people finds addresses in the accounts themselves, at the moment that a
// message leaves: only verified contacts, and none of an erased person.
// Somebody who has left has none but for what concerns leavers.
type people struct{ commands *command.Handler }

// Person implements [notify.Directory].
func (p people) Person(ctx context.Context, owner, id string) (notify.Person, error) {
	found, left, err := p.find(ctx, owner, id)
	if left {
		return notify.Person{}, err
	}
	return found, err
}

// Leaver implements [notify.Directory].
func (p people) Leaver(ctx context.Context, owner, id string) (notify.Person, error) {
	found, _, err := p.find(ctx, owner, id)
	return found, err
}

// find returns how somebody can be reached, and whether they have left. Who has
// left is reached at their alternate address alone: whoever looks after the
// organization's mailboxes reads the others now, and may have taken the phone
// back.
func (p people) find(ctx context.Context, owner, id string) (found notify.Person, left bool, err error) {
	if id == domain.OrganizationContact || id == domain.TechnicalContact {
		found, err = p.contact(ctx, owner, id)
		return found, false, err
	}
	known := false
	err = p.commands.View(ctx, admin.Aggregate.Category(), id, func(state any, _ eventstore.Revision, tenant string) {
		a := state.(*admin.Admin)
		if tenant != owner || !a.Exists() {
			return // somebody else's, or nobody
		}
		found.Locale, found.Name = a.Locale, a.DisplayName.Value
		if left = !a.CanSignIn(); !left {
			found.Addresses = appendReadable(found.Addresses, a.Mail())
		}
		known = left || len(found.Addresses) > 0
	})
	if err != nil || !known {
		return notify.Person{}, false, err
	}
	err = p.commands.View(ctx, securityinfo.Aggregate.Category(), id, func(state any, _ eventstore.Revision, tenant string) {
		s := state.(*securityinfo.SecurityInfo)
		if tenant != owner {
			return
		}
		found.Addresses = appendReadable(found.Addresses, s.AlternateEmail.Verified)
		if !left && s.Mobile.Verified.Readable() {
			found.Mobile = s.Mobile.Verified.Value.E164
		}
	})
	return found, left, err
}

// contact is an address of the organization's profile, in its language. It is
// nobody's, so it has no name.
func (p people) contact(ctx context.Context, owner, which string) (found notify.Person, err error) {
	err = p.commands.View(ctx, organization.Aggregate.Category(), owner, func(state any, _ eventstore.Revision, _ string) {
		profile := state.(*organization.Profile)
		address := profile.ContactEmail
		if which == domain.TechnicalContact {
			address = profile.TechnicalContact
		}
		found.Addresses, found.Locale = appendReadable(nil, address), profile.Language
	})
	return found, err
}

func appendReadable(to []string, p domain.Personal[string]) []string {
	if p.Readable() {
		return append(to, p.Value)
	}
	return to
}

// Names implements [notify.Directory]. A partner is told what it is called who
// has let it in, and nobody else; who is asked to let a partner in must know
// which it is.
func (p people) Names(ctx context.Context, owner string, s notify.Subjects) (map[string]string, error) {
	names := map[string]string{}
	known := owner == s.CustomerID
	if s.PartnerID != "" && owner == s.PartnerID {
		err := p.commands.View(ctx, relationship.Aggregate.Category(), relationship.ID(s.PartnerID, s.CustomerID), func(state any, _ eventstore.Revision, _ string) {
			known = state.(*relationship.Relationship).Active()
		})
		if err != nil {
			return nil, err
		}
	}
	for id, may := range map[string]bool{s.PartnerID: s.PartnerID != "", s.CustomerID: s.CustomerID != "" && known} {
		if !may {
			continue
		}
		name, err := p.organization(ctx, id)
		if err != nil {
			return nil, err
		}
		names[id] = name
	}
	if s.SubscriptionID == "" {
		return names, nil
	}
	err := p.commands.View(ctx, billing.Aggregate.Category(), s.SubscriptionID, func(state any, _ eventstore.Revision, tenant string) {
		if tenant == owner {
			names[s.SubscriptionID] = state.(*billing.Subscription).Product
		}
	})
	return names, err
}

// organization returns what an organization calls itself: in its profile, and
// before that was saved, as it was registered.
func (p people) organization(ctx context.Context, id string) (name string, err error) {
	err = p.commands.View(ctx, organization.Aggregate.Category(), id, func(state any, _ eventstore.Revision, _ string) {
		name = state.(*organization.Profile).Name
	})
	if err != nil || name != "" {
		return name, err
	}
	err = p.commands.View(ctx, tenant.Aggregate.Category(), id, func(state any, _ eventstore.Revision, _ string) {
		name = state.(*tenant.Tenant).Name
	})
	return name, err
}

// Locale returns the language that a person is written to in, or their
// organization if they never chose one; empty if they are not the tenant's.
func (p people) Locale(ctx context.Context, owner, id string) (locale string, err error) {
	err = p.commands.View(ctx, admin.Aggregate.Category(), id, func(state any, _ eventstore.Revision, tenant string) {
		if tenant == owner {
			locale = state.(*admin.Admin).Locale
		}
	})
	if err != nil || locale != "" {
		return locale, err
	}
	return p.TenantLocale(ctx, owner)
}

// TenantLocale implements [notify.Directory]. The profile says in which language
// the organization is written to; before it was saved, the registration does.
func (p people) TenantLocale(ctx context.Context, id string) (locale string, err error) {
	err = p.commands.View(ctx, organization.Aggregate.Category(), id, func(state any, _ eventstore.Revision, _ string) {
		locale = state.(*organization.Profile).Language
	})
	if err != nil || locale != "" {
		return locale, err
	}
	err = p.commands.View(ctx, tenant.Aggregate.Category(), id, func(state any, _ eventstore.Revision, _ string) {
		locale = state.(*tenant.Tenant).Locale
	})
	return locale, err
}
