// Package session says whether a token that is good by itself still counts:
// not if the person has been off-boarded since, and not if their sessions were
// ended after it was issued (S13).
//
// # What is guaranteed
//
// A token is refused as soon as this process has seen the event that ends it,
// wherever the command was carried out. Its own commands it sees before they
// are answered; those of other processes on the same store with the next
// events that the store sends it. A person who was restored is let in again,
// with a token that was issued after the end of the earlier sessions.
//
// It fails closed: who is not known while the event store is away is not let
// in, and who is known is for [trust] at most after the store was last there,
// the time for which the signature of a token is believed, too.
//
// # What it costs
//
// Nothing but a look into memory for everybody who was asked about before. An
// account is read once, when its person is first seen, and again after it
// changed.
//
// # What is not here
//
// Who has no account, such as Konto's own staff, is whom the issuer says. An
// account of another organization that has a person's ID says nothing of them.
package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"konto/domain"
	"konto/domain/admin"
	"konto/eventstore"
	"konto/internal/envelope"
)

// ErrEnded reports a token of a session that was ended. The caller signs in
// again, if they may.
var ErrEnded = errors.New("the session was ended")

// trust is how long an account is believed to be as it was, while nobody can
// tell whether it changed.
const trust = 5 * time.Minute

// people is how many are remembered: a person takes about 200 bytes.
const people = 1 << 16

// Accounts show an account's state; [konto/internal/command.Handler] does.
type Accounts interface {
	View(ctx context.Context, category, id string, see func(state any, at eventstore.Revision, tenant string)) error
}

// Config is what sessions are judged by. All fields are required.
type Config struct {
	Accounts Accounts
	Now      func() time.Time
}

// Sessions judges tokens. It is safe for concurrent use.
type Sessions struct {
	cfg   Config
	known *lru.Cache[string, standing]

	mu      sync.Mutex
	changes uint64    // counts what was heard of
	heard   time.Time // when changes were last heard of
	follows bool      // they are
}

// standing is what counts of an account.
type standing struct {
	tenant  string // empty: there is no account
	out     bool   // it cannot be used
	revoked time.Time
}

// New returns sessions that know nobody yet. Whoever has no [Sessions.Heard]
// is read again with every request, once [trust] is over.
func New(cfg Config) (*Sessions, error) {
	if cfg.Accounts == nil || cfg.Now == nil {
		return nil, errors.New("session: Accounts and Now must be set")
	}
	known, err := lru.New[string, standing](people)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return &Sessions{cfg: cfg, known: known, heard: cfg.Now()}, nil
}

// Check returns nil if a token that was issued to actor at a time counts,
// [ErrEnded] if it does not, and the store's error if nobody knows. A zero
// time is that of a token that does not say.
func (s *Sessions) Check(ctx context.Context, actor domain.Actor, issued time.Time) error {
	if actor.Kind != domain.KindPerson {
		return nil // a service has no account
	}
	p, ok := s.known.Get(actor.ID)
	if !ok || !s.trusted() {
		var err error
		if p, err = s.look(ctx, actor.ID); err != nil {
			return fmt.Errorf("session: %w", err)
		}
	}
	if p.tenant == actor.Tenant && (p.out || issued.Before(p.revoked)) {
		return ErrEnded
	}
	return nil
}

// trusted reports whether what is known can be believed.
func (s *Sessions) trusted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.follows || s.cfg.Now().Sub(s.heard) < trust
}

// look reads an account. It is remembered unless an account has changed
// meanwhile, which may have been this one.
func (s *Sessions) look(ctx context.Context, id string) (standing, error) {
	s.mu.Lock()
	before := s.changes
	s.mu.Unlock()
	var p standing
	err := s.cfg.Accounts.View(ctx, admin.Aggregate.Category(), id, func(state any, _ eventstore.Revision, tenant string) {
		a := state.(*admin.Admin)
		p = standing{tenant: tenant, out: a.Exists() && !a.CanSignIn(), revoked: a.SessionsRevokedAt}
	})
	if err != nil {
		return standing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == before {
		s.known.Add(id, p)
	}
	return p, nil
}

// Forget drops what is known of the account that a stream holds: the stream has
// got events. Whoever carries a command out calls it before the answer.
func (s *Sessions) Forget(stream string) {
	category, id, ok := envelope.Split(stream)
	if !ok || category != admin.Aggregate.Category() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.known.Remove(id)
}

// Heard says that from now on [Sessions.Forget] is told of every change, also
// of those that other processes make. What was known is dropped: what happened
// before was not heard of.
func (s *Sessions) Heard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.known.Purge()
	s.follows = true
}

// Unheard says that nobody tells of changes any more.
func (s *Sessions) Unheard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follows, s.heard = false, s.cfg.Now()
}
