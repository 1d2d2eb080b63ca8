package offboarding_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/offboarding"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// A world is what surrounds a decision about what ann left behind.
type world struct {
	after  time.Duration // since start
	leaver Leaver
	people map[string]Person
	access []domain.Version[AccessTerms]
}

func usual() world {
	return world{
		leaver: Leaver{Tenant: "contoso", Former: true},
		people: map[string]Person{
			"gina": {Tenant: "contoso", Active: true}, "bo": {Tenant: "contoso", Active: true}, "hans": {Tenant: "contoso"},
			"saga": {Tenant: "fabrikam", Active: true}, "ann": {Tenant: "contoso"},
		},
	}
}

func (w world) at(d time.Duration) world { w.after = d; return w }

func (w world) meta(cmd any) Meta {
	m := Meta{
		ID: "ann", Tenant: "contoso", At: start.Add(w.after), Command: "c",
		Actor: domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.GlobalAdmin}},
	}
	if needer, ok := cmd.(domain.Needer); ok {
		for _, n := range needer.Needs(m) {
			switch n.Type {
			case reflect.TypeFor[Leaver]():
				m.Facts = m.Facts.Knows(n, w.leaver)
			case reflect.TypeFor[Person]():
				m.Facts = m.Facts.Knows(n, w.people[n.Key])
			default:
				m.Facts = m.Facts.Knows(n, domain.Terms[AccessTerms]{Name: n.Key, Versions: w.access})
			}
		}
	}
	return m
}

type row struct {
	name  string
	world world
	given []Event
	when  domain.Command[Offboarding]
	then  []Event
	err   error
}

func run(t *testing.T, rows []row) {
	t.Helper()
	t.Parallel()
	var cases []domaintest.Case[Offboarding]
	for _, r := range rows {
		cases = append(cases, domaintest.Case[Offboarding]{Name: r.name, Given: r.given, When: r.when, Meta: r.world.meta(r.when), Then: r.then, Err: r.err})
	}
	domaintest.Run(t, Aggregate, cases)
}

func then(given []Event, more ...Event) []Event {
	return append(slices.Clip(given), more...)
}

// found is what ann left behind: a card, what it pays for, and what she bought.
func found() []Event {
	return []Event{OrphanedItemsFound{
		Offboarding: "o1", Cards: []string{"c1"}, Subscriptions: []string{"s1"}, Bought: []string{"s2"}, DueAt: start.Add(30 * day), At: start,
	}}
}

func settled(id string, how How, by string) []Event {
	return []Event{OrphanedItemSettled{ItemID: id, How: how, By: by, At: start}}
}

func granted(grant, to string, until time.Duration) Event {
	return FormerUserDataAccessGranted{
		Grant: grant, GranteeID: to, ExpiresAt: start.Add(until), Reason: domain.About("ann", "handover"), GrantedBy: "gina", At: start,
	}
}

func TestItems(t *testing.T) {
	find := FindOrphanedItems{Offboarding: "o1", Cards: []string{"c1"}, Subscriptions: []string{"s1"}, Bought: []string{"s2"}, DueAt: start.Add(30 * day)}
	more := FindOrphanedItems{Offboarding: "o1", Cards: []string{"c1", "c2"}, DueAt: start.Add(30 * day)}
	other := FindOrphanedItems{Offboarding: "o2", DueAt: start.Add(60 * day)}
	closed := then(found(), OffboardingClosed{Offboarding: "o1", Why: Restored, At: start})
	run(t, []row{
		{"S13: cards and subscriptions are found", usual(), nil, find, found(), nil},
		{"S13: nothing is found, and that is known", usual(), nil, other, []Event{OrphanedItemsFound{Offboarding: "o2", DueAt: start.Add(60 * day), At: start}}, nil},
		{"S13: the same is found again", usual(), found(), find, nil, nil},
		{"S13: one more is found", usual(), found(), more, []Event{OrphanedItemsFound{Offboarding: "o1", Cards: []string{"c2"}, DueAt: start.Add(30 * day), At: start}}, nil},
		{"S13: the account ends anew", usual(), closed, other, []Event{OrphanedItemsFound{Offboarding: "o2", DueAt: start.Add(60 * day), At: start}}, nil},

		{"S13: the card is removed", usual(), found(), SettleOrphanedItem{"c1", CardRemoved}, settled("c1", CardRemoved, ""), nil},
		{"S13: another's card pays", usual(), found(), SettleOrphanedItem{"s1", CardReplaced}, settled("s1", CardReplaced, ""), nil},
		{"S13: it is settled already", usual(), then(found(), settled("s1", CardReplaced, "")...), SettleOrphanedItem{"s1", CardReplaced}, nil, nil},
		{"S13: what was never found", usual(), found(), SettleOrphanedItem{"s9", CardReplaced}, nil, nil},
		{"S13: it is settled of nobody", usual(), nil, SettleOrphanedItem{"s1", CardReplaced}, nil, ErrNotFound},

		{"S13: somebody looks after what the leaver bought", usual(), found(), TakeOverSubscription{"s2"}, settled("s2", TakenOver, "gina"), nil},
		{"S13: somebody looks after it already", usual(), then(found(), settled("s2", TakenOver, "bo")...), TakeOverSubscription{"s2"}, nil, ErrNoItem},
		{"S13: the leaver's card pays for it", usual(), found(), TakeOverSubscription{"s1"}, nil, ErrPaying},
		{"S13: a card is not looked after", usual(), found(), TakeOverSubscription{"c1"}, nil, ErrNoItem},
		{"S13: a subscription that was never found", usual(), found(), TakeOverSubscription{"s9"}, nil, ErrNoItem},
		{"S13: a subscription of nobody", usual(), nil, TakeOverSubscription{"s2"}, nil, ErrNotFound},

		{"S13: the employee is back", usual(), found(), CloseOffboarding{"o1", Restored}, []Event{OffboardingClosed{"o1", Restored, start}}, nil},
		{
			"S14: access ends when the employee is back", usual(), then(found(), granted("g1", "bo", day), granted("g2", "gina", 2*day)),
			CloseOffboarding{"o1", Restored},
			[]Event{
				FormerUserDataAccessRevoked{Grant: "g1", GranteeID: "bo", ExpiresAt: start.Add(day), Why: "restored", At: start},
				FormerUserDataAccessRevoked{Grant: "g2", GranteeID: "gina", ExpiresAt: start.Add(2 * day), Why: "restored", At: start},
				OffboardingClosed{"o1", Restored, start},
			},
			nil,
		},
		{
			"S14: access ends when the data is gone", usual(), then(found(), granted("g1", "bo", day)),
			CloseOffboarding{"o1", RetentionOver},
			[]Event{
				FormerUserDataAccessRevoked{Grant: "g1", GranteeID: "bo", ExpiresAt: start.Add(day), Why: "retention-over", At: start},
				OffboardingClosed{"o1", RetentionOver, start},
			},
			nil,
		},
		{"S13: it is over already", usual(), closed, CloseOffboarding{"o1", Restored}, nil, nil},
		{"S13: an earlier end is over", usual(), found(), CloseOffboarding{"o0", Restored}, nil, nil},
		{"S13: the end of nobody", usual(), nil, CloseOffboarding{"o1", Restored}, nil, ErrNotFound},
	})
}

func TestAccess(t *testing.T) {
	grant := func(to string, until time.Duration, reason string) GrantFormerUserDataAccess {
		return GrantFormerUserDataAccess{GranteeID: to, ExpiresAt: start.Add(until), Reason: reason}
	}
	gone := usual()
	gone.leaver.Former = false
	foreign := usual()
	foreign.leaver.Tenant = "fabrikam"
	week := usual()
	week.access = []domain.Version[AccessTerms]{{Number: 2, Rules: AccessTerms{MaxDays: 7}}}
	closed := then(found(), OffboardingClosed{"o1", Restored, start})
	bo := then(found(), granted("g1", "bo", day))
	run(t, []row{
		{"S14: somebody may read for a week", usual(), found(), grant("bo", 7*day, " handover "), []Event{granted("c", "bo", 7*day)}, nil},
		{"S14: the actor may read, too", usual(), found(), grant("gina", 7*day, "handover"), []Event{granted("c", "gina", 7*day)}, nil},
		{"S14: thirty days", usual(), found(), grant("bo", 30*day, "handover"), []Event{granted("c", "bo", 30*day)}, nil},
		{"S14: more than thirty days", usual(), found(), grant("bo", 30*day+time.Microsecond, "handover"), nil, ErrExpiry},
		{"S14: more than a later version allows", week, found(), grant("bo", 8*day, "handover"), nil, ErrExpiry},
		{"S14: without an end", usual(), found(), GrantFormerUserDataAccess{GranteeID: "bo", Reason: "handover"}, nil, ErrExpiry},
		{"S14: an end that is now", usual(), found(), grant("bo", 0, "handover"), nil, ErrExpiry},
		{"S14: no reason", usual(), found(), grant("bo", day, " \t"), nil, ErrReason},
		{"S14: the longest reason", usual(), found(), grant("bo", day, strings.Repeat("å", 501)), nil, ErrReason},
		{"S14: a reason with a control character", usual(), found(), grant("bo", day, "a\x00b"), nil, ErrReason},
		{"S14: a reason that nobody sees", usual(), found(), grant("bo", day, "\u200b"), nil, ErrReason},
		{"S14: a reason that turns what follows", usual(), found(), grant("bo", day, "a\u202eb"), nil, ErrReason},
		{"S14: the leaver", usual(), found(), grant("ann", day, "handover"), nil, ErrGrantee},
		{"S14: another leaver", usual(), found(), grant("hans", day, "handover"), nil, ErrGrantee},
		{"S14: somebody of another organization", usual(), found(), grant("saga", day, "handover"), nil, ErrGrantee},
		{"S14: nobody", usual(), found(), grant("", day, "handover"), nil, ErrGrantee},
		{"S14: an account that is in use", gone, found(), grant("bo", day, "handover"), nil, ErrNotFormer},
		{"S14: another organization's account", foreign, found(), grant("bo", day, "handover"), nil, ErrNotFormer},
		{"S14: an employee who is back", usual(), closed, grant("bo", day, "handover"), nil, ErrNotFormer},
		{"S14: nobody's account", usual(), nil, grant("bo", day, "handover"), nil, ErrNotFound},
		{"S14: a longer time takes the place of a shorter", usual(), bo, grant("bo", 3*day, "handover"), []Event{granted("c", "bo", 3*day)}, nil},

		{"S14: access is taken", usual(), bo, RevokeFormerUserDataAccess{"bo"}, []Event{FormerUserDataAccessRevoked{Grant: "g1", GranteeID: "bo", ExpiresAt: start.Add(day), Why: "revoked", At: start}}, nil},
		{"S14: access is taken twice", usual(), then(bo, FormerUserDataAccessRevoked{Grant: "g1", GranteeID: "bo"}), RevokeFormerUserDataAccess{"bo"}, nil, ErrNoGrant},
		{"S14: access that nobody has is taken", usual(), bo, RevokeFormerUserDataAccess{"gina"}, nil, ErrNoGrant},
		{"S14: access to nobody is taken", usual(), nil, RevokeFormerUserDataAccess{"bo"}, nil, ErrNotFound},

		{"S14: whoever reads has left themselves", usual(), bo, EndFormerUserDataAccess{"bo"}, []Event{FormerUserDataAccessRevoked{Grant: "g1", GranteeID: "bo", ExpiresAt: start.Add(day), Why: GranteeLeft, At: start}}, nil},
		{"S14: who left had lost the access before", usual(), then(bo, FormerUserDataAccessRevoked{Grant: "g1", GranteeID: "bo"}), EndFormerUserDataAccess{"bo"}, nil, nil},
		{"S14: somebody without access has left", usual(), bo, EndFormerUserDataAccess{"gina"}, nil, nil},
		{"S14: whoever reads nobody has left", usual(), nil, EndFormerUserDataAccess{"bo"}, nil, ErrNotFound},

		{"S14: its time is over", usual().at(day), bo, ExpireFormerUserDataAccess{"g1"}, []Event{FormerUserDataAccessExpired{Grant: "g1", GranteeID: "bo", At: start.Add(day)}}, nil},
		{"S14: its time is not over", usual().at(day - time.Microsecond), bo, ExpireFormerUserDataAccess{"g1"}, nil, nil},
		{"S14: its time was extended", usual().at(day), then(bo, granted("g2", "bo", 3*day)), ExpireFormerUserDataAccess{"g1"}, nil, nil},
		{"S14: it ended before", usual().at(day), then(bo, FormerUserDataAccessRevoked{Grant: "g1"}), ExpireFormerUserDataAccess{"g1"}, nil, nil},
		{"S14: the time of nobody is over", usual(), nil, ExpireFormerUserDataAccess{"g1"}, nil, ErrNotFound},
	})
}

func TestEverythingWrongIsListed(t *testing.T) {
	t.Parallel()
	c := GrantFormerUserDataAccess{}
	var o Offboarding
	found()[0].Evolve(&o)
	_, err := c.Decide(o, usual().meta(c))
	for _, want := range []error{ErrGrantee, ErrExpiry, ErrReason} {
		if !errors.Is(err, want) {
			t.Errorf("Decide = %v, want it to include %v", err, want)
		}
	}
}

func TestTermsHaveRanges(t *testing.T) {
	t.Parallel()
	if err := AccessPolicy.First.Validate(); err != nil {
		t.Error(err)
	}
	for _, days := range []int{-1, 0, 366} {
		if (AccessTerms{MaxDays: days}).Validate() == nil {
			t.Errorf("S14: %d days are taken", days)
		}
	}
}
