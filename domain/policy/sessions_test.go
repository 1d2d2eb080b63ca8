package policy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/collection"
	"konto/domain/policy"
	"konto/domain/relationship"
)

const account = "66666666-6666-4666-8666-666666666666" // whose history is read

// An auditor sees in a session what it covers, until it ends; what others may
// see of the same account needs none.
func TestReadingInASession(t *testing.T) {
	t.Parallel()
	session := func(s audit.Scope) audit.Session {
		return audit.Session{ID: "s", Scope: s, Since: noon, Until: noon.Add(time.Hour)}
	}
	whole, opened := session(audit.Scope{Whole: true}), session(audit.Scope{Whole: true, Personal: true})
	closed := opened
	closed.EndedAt = noon
	masked, shown := domain.Sight{Session: "s", Until: whole.Until}, domain.Sight{Personal: true, Session: "s", Until: whole.Until}
	for _, c := range []struct {
		name, category string
		roles          []domain.Role
		session        audit.Session
		at             time.Time
		want           domain.Sight
		err            error
	}{
		{"N20: everything is covered", "secinfo", nil, whole, noon, masked, nil},
		{"N20: personal values, too", "secinfo", nil, opened, noon, shown, nil},
		{"N20: the kind is covered", "card", nil, session(audit.Scope{Kinds: []string{"card"}}), noon, masked, nil},
		{"N20: another kind is not", "billing", nil, session(audit.Scope{Kinds: []string{"card"}}), noon, domain.Sight{}, audit.ErrOutOfScope},
		{"N20: the account is covered", "card", nil, session(audit.Scope{Accounts: []string{"card-" + account}}), noon, masked, nil},
		{"N20: an account of the same ID is not", "billing", nil, session(audit.Scope{Accounts: []string{"card-" + account}}), noon, domain.Sight{}, audit.ErrOutOfScope},
		{"N20: the last moment", "card", nil, whole, noon.Add(time.Hour - 1), masked, nil},
		{"N20: the end", "card", nil, whole, noon.Add(time.Hour), domain.Sight{}, audit.ErrNoSession},
		{"N20: before it was opened", "card", nil, whole, noon.Add(-1), domain.Sight{}, audit.ErrNoSession},
		{"N20: closed", "card", nil, closed, noon, domain.Sight{}, audit.ErrNoSession},
		{"N20: no session", "card", nil, audit.Session{}, noon, domain.Sight{}, audit.ErrNoSession},
		{"N20: other auditors' sessions are history, too", "audit", nil, whole, noon, masked, nil},
		{"N20: a global admin needs none", "card", []domain.Role{domain.GlobalAdmin, domain.Auditor}, audit.Session{}, noon, domain.Sight{Personal: true}, nil},
		{"N20: a billing admin needs none for what they see", "collection", []domain.Role{domain.BillingAdmin, domain.Auditor}, whole, noon, domain.Sight{}, nil},
		{"N20: a billing admin needs one for what they do not see", "secinfo", []domain.Role{domain.BillingAdmin, domain.Auditor}, audit.Session{}, noon, domain.Sight{}, audit.ErrNoSession},
		{"N20: a billing admin sees more in one", "collection", []domain.Role{domain.BillingAdmin, domain.Auditor}, opened, noon, shown, nil},
		{"N20: a session gives nobody else anything", "secinfo", []domain.Role{domain.BillingAdmin}, opened, noon, domain.Sight{}, policy.NotFound("secinfo")},
		{"N20: feedback is not the organization's history", "feedback", nil, opened, noon, domain.Sight{}, policy.NotFound("feedback")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := domain.Look{Category: c.category, ID: account, Owner: own, Past: true, At: c.at}
			l.Actor = domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: own, Roles: append([]domain.Role{}, c.roles...)}
			if c.roles == nil {
				l.Actor.Roles = []domain.Role{domain.Auditor}
			}
			check(t, l, c.want, c.err, known(domain.Of[policy.Audited](person), policy.Audited{Session: c.session}))
		})
	}
}

type knowledge struct {
	need domain.Need
	fact any
}

func known(n domain.Need, fact any) knowledge { return knowledge{n, fact} }

// check reads l with the facts that it needs. What is not among all is as of
// nothing.
func check(t *testing.T, l domain.Look, want domain.Sight, refused error, all ...knowledge) {
	t.Helper()
	for asked := true; asked; {
		asked = false
		for _, n := range policy.Table.ReadNeeds(l) {
			if l.Facts.Has(n) {
				continue
			}
			asked = true
			l.Facts = l.Facts.Knows(n, nothing(t, n))
			for _, k := range all {
				if k.need == n {
					l.Facts = l.Facts.Knows(n, k.fact)
				}
			}
		}
	}
	got, err := policy.Table.Read(l)
	if !cmp.Equal(got, want) || !errors.Is(err, refused) {
		t.Errorf("Read = %+v, %v, want %+v, %v", got, err, want, refused)
	}
}

func nothing(t *testing.T, n domain.Need) any {
	t.Helper()
	for _, s := range policy.Sources {
		if s.Type == n.Type {
			return s.State(n.Key, s.Contract.New())
		}
	}
	t.Fatalf("no source of %v", n)
	return nil
}

// The auditor of either side of a relationship reads it in a session.
func TestBothSidesAuditARelationship(t *testing.T) {
	t.Parallel()
	id := relationship.ID(partner, own)
	for tenant, want := range map[string]domain.Sight{
		partner: {Personal: true, Session: "s", Until: noon.Add(time.Hour)},
		own:     {Session: "s", Until: noon.Add(time.Hour)}, // what partners keep is theirs to show
	} {
		l := domain.Look{Category: "rel", ID: id, Owner: partner, Past: true, At: noon}
		l.Actor = domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.Auditor}}
		session := audit.Session{ID: "s", Scope: audit.Scope{Kinds: []string{"rel"}, Personal: true}, Since: noon, Until: noon.Add(time.Hour)}
		check(t, l, want, nil, known(domain.Of[policy.Audited](person), policy.Audited{Session: session}))
	}
	l := domain.Look{Category: "rel", ID: id, Owner: partner, Past: true, At: noon}
	l.Actor = domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: other, Roles: []domain.Role{domain.Auditor}}
	check(t, l, domain.Sight{}, policy.NotFound("rel"))
}

// Billing support reads the history of what an open case is about, and of
// nothing else; what is so now it sees as before.
func TestBillingSupportReadsByCase(t *testing.T) {
	t.Parallel()
	const invoice, wish, sub, card, spare = "invoice", "wish", "sub", "card", "spare"
	about := policy.SupportCase{Open: true, Subscription: sub, CardID: card}
	closed := about
	closed.Open = false
	facts := func(c policy.SupportCase) []knowledge {
		return []knowledge{
			known(domain.Of[policy.Unpaid](invoice), policy.Unpaid{SupportCase: c}),
			known(domain.Of[policy.Switching](wish), policy.Switching{SupportCase: c}),
			known(domain.Of[collection.Wallet](sub), collection.Wallet{Known: true, Cards: []string{spare}}),
		}
	}
	for _, c := range []struct {
		name, category, id, of string
		about                  policy.SupportCase
		now, may               bool
	}{
		{"N20: an unpaid invoice", "collection", invoice, "", about, false, true},
		{"N20: a wish to pay by invoice", "invswitch", wish, "", about, false, true},
		{"N20: an invoice that is paid", "collection", invoice, "", closed, false, false},
		{"N20: an invoice that is paid, as it is now", "collection", invoice, "", closed, true, true},
		{"N20: a wish that was decided", "invswitch", wish, "", closed, false, false},
		{"N20: the subscription of a case", "billing", sub, "collection-" + invoice, about, false, true},
		{"N20: the subscription of a wish", "billing", sub, "invswitch-" + wish, about, false, true},
		{"N20: another subscription", "billing", "other", "collection-" + invoice, about, false, false},
		{"N20: a subscription without a case", "billing", sub, "", about, false, false},
		{"N20: a subscription, as it is now", "billing", sub, "", about, true, true},
		{"N20: the card that was charged", "card", card, "collection-" + invoice, about, false, true},
		{"N20: a backup card", "card", spare, "collection-" + invoice, about, false, true},
		{"N20: another card", "card", "other", "collection-" + invoice, about, false, false},
		{"N20: a card of a closed case", "card", card, "collection-" + invoice, closed, false, false},
		{"N20: no card", "card", "", "collection-" + invoice, policy.SupportCase{Open: true, Subscription: sub}, false, false},
		{"N20: another invoice than the case's", "collection", "other", "collection-" + invoice, about, false, false},
		{"N20: a case that is none", "billing", sub, "secinfo-" + sub, about, false, false},
		{"N20: people's contacts are no part of a case", "secinfo", sub, "collection-" + invoice, about, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := domain.Look{Category: c.category, ID: c.id, Owner: own, Past: !c.now, Case: c.of, At: noon}
			l.Actor = domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: other, Roles: []domain.Role{domain.BillingSupport}}
			var refused error
			if !c.may {
				refused = policy.NotFound(c.category)
			}
			check(t, l, domain.Sight{}, refused, facts(c.about)...)
		})
	}
}
