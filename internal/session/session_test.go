package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"konto/domain"
	"konto/domain/admin"
	"konto/eventstore"
	. "konto/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// accounts are what the store would say, how often it was asked, and whether
// it is away.
type accounts struct {
	mu    sync.Mutex
	all   map[string]admin.Admin
	asked int
	away  bool
}

func (a *accounts) View(_ context.Context, category, id string, see func(any, eventstore.Revision, string)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	if a.away {
		return eventstore.ErrUnavailable
	}
	state, ok := a.all[category+"-"+id]
	if !ok {
		see(&admin.Admin{}, eventstore.NoStream, "")
		return nil
	}
	see(&state, 0, state.Tenant)
	return nil
}

func (a *accounts) set(id string, state admin.Admin) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all["admin-"+id] = state
}

func (a *accounts) leave(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

func (a *accounts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newSessions(t *testing.T) (*Sessions, *accounts, *clock) {
	t.Helper()
	a, c := &accounts{all: map[string]admin.Admin{}}, &clock{now: start}
	s, err := New(Config{Accounts: a, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s, a, c
}

func person(id string) domain.Actor {
	return domain.Actor{ID: id, Kind: domain.KindPerson, Tenant: "contoso"}
}

func TestWhoseTokenCounts(t *testing.T) {
	t.Parallel()
	ended := start.Add(-time.Hour)
	before, after := ended.Add(-time.Second), ended.Add(time.Second)
	gateway := domain.Actor{ID: "ann", Kind: domain.KindGateway, Tenant: "contoso"}
	for name, c := range map[string]struct {
		account admin.Admin
		actor   domain.Actor
		issued  time.Time
		want    error
	}{
		"S13: an account in use":                        {admin.Admin{Tenant: "contoso"}, person("ann"), before, nil},
		"S13: blocked":                                  {admin.Admin{Tenant: "contoso", Status: admin.Blocked, SessionsRevokedAt: ended}, person("ann"), before, ErrEnded},
		"S13: blocked, a token that came later":         {admin.Admin{Tenant: "contoso", Status: admin.Blocked, SessionsRevokedAt: ended}, person("ann"), after, ErrEnded},
		"S13: off-boarded":                              {admin.Admin{Tenant: "contoso", Status: admin.Offboarded}, person("ann"), after, ErrEnded},
		"S13: gone":                                     {admin.Admin{Tenant: "contoso", Status: admin.Gone}, person("ann"), after, ErrEnded},
		"S13: restored, a token from before":            {admin.Admin{Tenant: "contoso", SessionsRevokedAt: ended}, person("ann"), before, ErrEnded},
		"S13: restored, a token of the same moment":     {admin.Admin{Tenant: "contoso", SessionsRevokedAt: ended}, person("ann"), ended, nil},
		"S13: restored, a new token":                    {admin.Admin{Tenant: "contoso", SessionsRevokedAt: ended}, person("ann"), after, nil},
		"S13: restored, a token that does not say when": {admin.Admin{Tenant: "contoso", SessionsRevokedAt: ended}, person("ann"), time.Time{}, ErrEnded},
		"S13: never ended, a token that does not say":   {admin.Admin{Tenant: "contoso"}, person("ann"), time.Time{}, nil},
		"S13: no account":                               {admin.Admin{}, person("otto"), before, nil},
		"S13: somebody else's account of that ID":       {admin.Admin{Tenant: "fabrikam", Status: admin.Blocked}, person("ann"), before, nil},
		"S13: a service has no account":                 {admin.Admin{Tenant: "contoso", Status: admin.Blocked}, gateway, before, nil},
	} {
		s, a, _ := newSessions(t)
		if c.account.Tenant != "" {
			a.set("ann", c.account)
		}
		if err := s.Check(t.Context(), c.actor, c.issued); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAnAccountIsReadOnce(t *testing.T) {
	t.Parallel()
	s, a, _ := newSessions(t)
	check := func() error { return s.Check(t.Context(), person("ann"), start) }
	a.set("ann", admin.Admin{Tenant: "contoso"})
	for range 100 {
		if err := check(); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.count(); n != 1 {
		t.Errorf("S13: a hundred requests read the account %d times, want once", n)
	}
	a.set("ann", admin.Admin{Tenant: "contoso", Status: admin.Blocked})
	s.Forget("card-ann")
	s.Forget("admin-bo")
	if err := check(); err != nil || a.count() != 1 {
		t.Errorf("S13: other accounts changed: %v after %d reads, want no second one", err, a.count())
	}
	s.Forget("admin-ann")
	if err := check(); !errors.Is(err, ErrEnded) || a.count() != 2 {
		t.Errorf("S13: the account changed: %v after %d reads, want %v after two", err, a.count(), ErrEnded)
	}
}

// TestAnotherProcessEndsASession tells of changes as they come from the store.
func TestAnotherProcessEndsASession(t *testing.T) {
	t.Parallel()
	s, a, c := newSessions(t)
	a.set("ann", admin.Admin{Tenant: "contoso"})
	check := func(want error, why string) {
		t.Helper()
		if err := s.Check(t.Context(), person("ann"), start.Add(time.Hour)); !errors.Is(err, want) {
			t.Errorf("S13: %s: %v, want %v", why, err, want)
		}
	}
	check(nil, "before")
	a.set("ann", admin.Admin{Tenant: "contoso", Status: admin.Blocked, SessionsRevokedAt: start})
	s.Heard()
	check(ErrEnded, "blocked before anybody told of it")
	a.set("ann", admin.Admin{Tenant: "contoso", SessionsRevokedAt: start})
	s.Forget("admin-ann")
	check(nil, "restored")
	a.leave(true)
	c.move(24 * time.Hour)
	check(nil, "changes are told of: what is known stays true")
	s.Unheard()
	check(nil, "they were a moment ago")
	c.move(5*time.Minute - time.Second)
	check(nil, "not long ago")
	c.move(time.Second)
	check(eventstore.ErrUnavailable, "too long ago: nobody knows")
	a.leave(false)
	check(nil, "the store is back")
}

func TestNobodyKnows(t *testing.T) {
	t.Parallel()
	s, a, _ := newSessions(t)
	a.leave(true)
	if err := s.Check(t.Context(), person("ann"), start); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("S13: the store is away: %v, want %v", err, eventstore.ErrUnavailable)
	}
}
