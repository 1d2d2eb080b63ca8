package policy

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/domain/subject"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

// Sources say where facts about other aggregates come from. What libraries
// know, such as numbering plans, comes from elsewhere.
var Sources = append([]domain.Source{
	domain.FromState(tenant.Aggregate, func(_ string, t tenant.Tenant) card.Organization {
		return card.Organization{Country: t.Country}
	}),
	domain.FromState(tenant.Aggregate, func(_ string, t tenant.Tenant) securityinfo.Organization {
		return securityinfo.Organization{Country: t.Country, Domains: slices.Clone(t.Domains), TrialSince: t.TrialSince}
	}),
	domain.FromState(tenant.Aggregate, func(_ string, t tenant.Tenant) admin.Organization {
		return admin.Organization{
			Country: t.Country, Domains: slices.Clone(t.Domains), TrialSince: t.TrialSince,
			ManagedBy: t.ManagedBy, GlobalAdmins: slices.Clone(t.GlobalAdmins),
		}
	}),
	domain.FromState(securityinfo.Aggregate, securityinfo.ContactsOf),
	domain.FromState(tenant.Aggregate, ofItself),
	domain.FromState(tenant.Aggregate, func(_ string, t tenant.Tenant) exposure.Organization {
		return exposure.Organization{
			Exists: t.Exists(), CustomDomain: len(t.Domains) > 1, TrialSince: t.TrialSince, GlobalAdmins: slices.Clone(t.GlobalAdmins),
		}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) exposure.GlobalAdmin {
		return exposure.GlobalAdmin{Tenant: a.Tenant, Is: a.Has(domain.GlobalAdmin)}
	}),
	domain.FromState(exposure.Aggregate, exposure.ExposuresOf),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) tenant.GlobalAdmin {
		return tenant.GlobalAdmin{Tenant: a.Tenant, Is: a.Has(domain.GlobalAdmin)}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) tenant.Officer {
		return tenant.Officer{Tenant: a.Tenant, Is: a.CanSignIn() && len(a.Roles) > 0}
	}),
	domain.FromState(securityinfo.Aggregate, alternate),
	domain.FromState(securityinfo.Aggregate, func(id string, s securityinfo.SecurityInfo) admin.Alternate {
		if !securityinfo.ContactsOf(id, s).Mail {
			return admin.Alternate{}
		}
		return admin.Alternate{Email: s.AlternateEmail.Verified}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) admin.Colleague {
		return admin.Colleague{Tenant: a.Tenant, GlobalAdmin: a.Has(domain.GlobalAdmin)}
	}),
	domain.FromState(tenant.Aggregate, func(_ string, t tenant.Tenant) organization.Tenant {
		return organization.Tenant{Exists: t.Exists(), Country: t.Country}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) offboarding.Leaver {
		return offboarding.Leaver{Tenant: a.Tenant, Former: a.Status == admin.Blocked || a.Status == admin.Offboarded}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) offboarding.Person {
		return offboarding.Person{Tenant: a.Tenant, Active: a.CanSignIn()}
	}),
	domain.FromState(offboarding.Aggregate, entrusted),
	domain.FromState(audit.Aggregate, audited),
	domain.FromState(collection.Aggregate, func(_ string, i collection.Invoice) Unpaid {
		return Unpaid{SupportCase{Open: i.Case.Phase.Open(), Subscription: i.SubscriptionID, CardID: i.LastCardID}}
	}),
	domain.FromState(invoiceswitch.Aggregate, func(_ string, c invoiceswitch.Case) Switching {
		open := c.Status == invoiceswitch.Requested || c.Status == invoiceswitch.Approved
		return Switching{SupportCase{Open: open, Subscription: c.SubscriptionID}}
	}),
	domain.FromState(admin.Aggregate, account),
	domain.FromState(card.Aggregate, func(_ string, c card.Card) card.Replacement {
		return card.Replacement{
			Exists: c.Exists(), Tenant: c.Tenant, Owner: c.Owner, ExpMonth: c.ExpMonth, ExpYear: c.ExpYear,
			Removed: c.Removed, Blocked: c.Blocked, Expired: c.Expired, Last4: c.Last4, Brand: c.Brand,
			Subscriptions: slices.Clone(c.Subscriptions),
		}
	}),
	domain.FromState(card.Aggregate, func(_ string, c card.Card) billing.Card {
		return billing.Card{
			Exists: c.Exists(), Tenant: c.Tenant, Owner: c.Owner, Expiry: c.ValidUntil(),
			Expired: c.Expired, Blocked: c.Blocked, Removed: c.Removed,
		}
	}),
	domain.FromState(admin.Aggregate, cardOwner),
	domain.FromState(tenant.Aggregate, func(_ string, t tenant.Tenant) billing.Organization {
		return billing.Organization{CustomDomains: slices.Clone(t.Domains[min(1, len(t.Domains)):])}
	}),
	domain.FromState(billing.Aggregate, billing.BackupsOf),
	domain.FromState(billing.Aggregate, billing.SizeOf),
	domain.FromState(card.Aggregate, func(_ string, c card.Card) collection.Card {
		return collection.Card{
			Exists: c.Exists(), Tenant: c.Tenant, Owner: c.Owner, Last4: c.Last4, Brand: c.Brand,
			ExpMonth: c.ExpMonth, ExpYear: c.ExpYear, ValidUntil: c.ValidUntil(), Removed: c.Removed, Blocked: c.Blocked, GatewayToken: c.GatewayToken,
			BillTo: c.BillTo.Value, ManualAboveMinor: c.ManualAboveMinor, ManualAboveCurrency: c.ManualAboveCurrency,
		}
	}),
	domain.FromState(billing.Aggregate, purse),
	domain.FromState(collection.Aggregate, collection.BillOf),
	domain.FromState(invoiceswitch.Aggregate, invoiceswitch.OwnOf),
	domain.FromState(invoiceswitch.Aggregate, recipient),
	domain.FromState(billing.Aggregate, func(_ string, s billing.Subscription) invoiceswitch.Subscription {
		return invoiceswitch.Subscription{
			Exists: s.Exists(), Invoiced: s.Invoiced, Ended: s.Deleted || !s.CancelledAt.IsZero(), BoughtBy: s.BoughtBy, RegisteredAt: s.RegisteredAt,
		}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) invoiceswitch.Buyer { return invoiceswitch.Buyer{Tenant: a.Tenant} }),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) invoiceswitch.Asker {
		return invoiceswitch.Asker{Tenant: a.Tenant, MayAsk: a.CanSignIn() && mayBill(a)}
	}),
	domain.FromState(relationship.Aggregate, func(_ string, r relationship.Relationship) customer.Relationship {
		return customer.Relationship{Type: string(r.Type), Active: r.Active()}
	}),
	domain.FromState(customer.Aggregate, func(_ string, c customer.Customer) customer.Current {
		return customer.Current{Country: c.Country, Address: c.BillingInfo.DefaultAddress.Value.Address}
	}),
	domain.FromState(relationship.Aggregate, func(_ string, r relationship.Relationship) Relation {
		return Relation{Active: r.Active()}
	}),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) subject.Account {
		return subject.Account{
			Exists: a.Exists(), Active: a.CanSignIn(), Gone: a.Status == admin.Gone,
			KeptUntil: a.Leaving.RetainedUntil, Offboarding: a.Leaving.Offboarding,
		}
	}),
	domain.FromState(subject.Aggregate, func(_ string, s subject.Subject) admin.Erasure {
		return admin.Erasure{Begun: s.Begun()}
	}),
	domain.FromState(delivery.Aggregate, delivery.OwnOf),
	domain.FromState(webhook.Aggregate, func(_ string, e webhook.Endpoint) delivery.Endpoint { return delivery.Endpoint{Active: e.Active()} }),
	domain.FromState(admin.Aggregate, func(_ string, a admin.Admin) Home { return Home{Tenant: a.Tenant} }),
	domain.FromInput(func(string) audit.Kinds { return audit.Kinds{Known: Kinds()} }),
}, policySources()...)

// ofItself shares no slice with the state.
func ofItself(_ string, t tenant.Tenant) tenant.Own {
	t.Domains, t.GlobalAdmins = slices.Clone(t.Domains), slices.Clone(t.GlobalAdmins)
	return tenant.Own(t)
}

// alternate leaves out whose address it is.
func alternate(id string, s securityinfo.SecurityInfo) tenant.Alternate {
	if !securityinfo.ContactsOf(id, s).Mail {
		return tenant.Alternate{}
	}
	_, host, _ := strings.Cut(s.AlternateEmail.Verified.Value, "@")
	return tenant.Alternate{Host: strings.ToLower(host)}
}

// purse returns the cards in the order in which they step in.
func purse(_ string, s billing.Subscription) collection.Wallet {
	w := collection.Wallet{Known: s.Exists()}
	if s.Primary != "" {
		w.Cards = append(w.Cards, s.Primary)
	}
	for _, b := range s.Backups {
		w.Cards = append(w.Cards, b.CardID)
	}
	return w
}

// recipient leaves out what was erased.
func recipient(_ string, c invoiceswitch.Case) billing.Recipient {
	if !c.Contact.Readable() {
		return billing.Recipient{}
	}
	to := c.Contact.Value
	return billing.Recipient{BillTo: billing.BillTo{Name: to.Name, Phone: to.Phone, Address: to.Address}, Check: c.AddressCheck, PhoneData: c.PhoneData}
}

// account leaves out addresses that were erased.
func account(_ string, a admin.Admin) securityinfo.Account {
	fact := securityinfo.Account{Exists: a.Exists(), Tenant: a.Tenant, SignInName: a.SignInName.Value, Roles: slices.Clone(a.Roles), Blocked: !a.CanSignIn()}
	for _, alias := range a.Aliases {
		if alias.Readable() {
			fact.Aliases = append(fact.Aliases, alias.Value)
		}
	}
	return fact
}

// cardOwner masks the sign-in name: enough to tell colleagues apart.
func cardOwner(_ string, a admin.Admin) card.Owner {
	fact := card.Owner{
		Active: a.Exists() && a.Status == admin.Active,
		MayAct: mayBill(a),
	}
	if !a.SignInName.Readable() {
		return fact
	}
	local, at, _ := strings.Cut(a.SignInName.Value, "@")
	_, size := utf8.DecodeRuneInString(local)
	fact.Masked = local[:size] + "***@" + at
	return fact
}

// mayBill reports whether an account has a role of those who look after cards
// and what they pay for.
func mayBill(a admin.Admin) bool {
	return slices.ContainsFunc([]domain.Role{ga, ba, po, pc}, func(r domain.Role) bool { return slices.Contains(a.Roles, r) })
}

// Entrusted is the fact of who may read a former employee's account, and until
// when. Its key is the account's ID.
type Entrusted struct {
	Until map[string]time.Time // by grantee
}

func entrusted(_ string, o offboarding.Offboarding) Entrusted {
	e := Entrusted{Until: map[string]time.Time{}}
	for _, g := range o.Grants {
		e.Until[g.GranteeID] = g.ExpiresAt
	}
	return e
}

// audited shares no slice with the state.
func audited(_ string, a audit.Access) Audited {
	s := a.Session
	s.Scope.Kinds, s.Scope.Accounts = slices.Clone(s.Scope.Kinds), slices.Clone(s.Scope.Accounts)
	return Audited{s}
}

// Relation is the fact of whether a partner acts for a customer. Its key is
// the relationship's ID.
type Relation struct {
	Active bool
}

// Home is the fact of which tenant an account belongs to. Its key is the
// admin's ID.
type Home struct {
	Tenant string // empty if there is no such account
}
