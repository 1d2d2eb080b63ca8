package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// Errors, tested with [errors.Is]. Any other error is the store's or ctx's.
var (
	// ErrBadCredentials: the login is unknown or disabled, or the password is wrong.
	ErrBadCredentials = errors.New("access: bad credentials")
	// ErrDenied: the caller may not do this.
	ErrDenied = errors.New("access: denied")
	// ErrUserNotFound: there is no user of this login.
	ErrUserNotFound = errors.New("access: no such user")
	// ErrUserConflict: the login is taken, or the user was changed meanwhile.
	ErrUserConflict = errors.New("access: user conflict")
	// ErrInvalid: a login, password or group that cannot be.
	ErrInvalid = errors.New("access: invalid user")
)

// Names with a meaning of their own, which are EventStoreDB's.
const (
	Admins   = "$admins" // the group that may everything
	Ops      = "$ops"    // the group that may operate the node
	Everyone = "$all"    // the role of everybody who is signed in
)

// Principal is who calls.
type Principal struct {
	Login  string   // "" is nobody in particular
	Groups []string // shared: must not be changed
}

// Anonymous is a caller without credentials.
func Anonymous() Principal { return Principal{} }

// Known reports whether the caller signed in.
func (p Principal) Known() bool { return p.Login != "" }

// Has reports whether p has a role, as login or as group.
func (p Principal) Has(role string) bool {
	return p.Known() && (p.Login == role || slices.Contains(p.Groups, role))
}

type contextKey struct{}

// With returns a context that carries who calls.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns who calls; [Anonymous] if ctx does not say.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(contextKey{}).(Principal)
	return p
}

// Operation is what somebody wants to do.
type Operation int

// The operations. With those of streams goes the stream's name. ReadStream and
// WriteStream of "$$s" are ReadMetadata and WriteMetadata of "s".
const (
	ReadStream         Operation = iota + 1
	WriteStream                  // append
	DeleteStream                 // delete or tombstone
	ReadMetadata                 // of the stream named
	WriteMetadata                // of the stream named
	ReadAll                      // ReadStream of $all
	ReadPersistent               // consume a group: a login that may read the stream
	InspectPersistent            // info and list: any login
	ManagePersistent             // create, update, delete, replay, restart: $ops or $admins
	Operate                      // scavenge, shut down and the like: $ops or $admins
	ReadUser                     // the stream is the login: its owner, or $admins
	ChangePassword               // the stream is the login: its owner, who must prove it
	ManageUsers                  // all else about users: $admins
	Monitor                      // statistics: any login
	ReadGossip                   // everybody
	ReadServerFeatures           // everybody
)

// Config says whose users they are. Store, Now and NewID are required.
type Config struct {
	Store *engine.Store
	Now   func() time.Time
	NewID func() eventstore.ID // of the events that are written
	Log   zerolog.Logger

	// AllowAnonymous gives callers without credentials what the role $all gives.
	AllowAnonymous bool
	// Insecure believes nobody and allows everything to everybody. Users are
	// kept all the same.
	Insecure bool
	// ReadOnly creates nothing in a store that has no users: then there are none.
	ReadOnly bool
	// Iterations of PBKDF2 with HMAC-SHA-256 for new passwords, at least 1,000.
	// 0 means 600,000: OWASP, Password Storage Cheat Sheet.
	Iterations int
}

// Control decides. All methods are safe for concurrent use. Close it.
type Control struct {
	cfg    Config
	known  *verified
	memory *memory
	weak   bool // admin had the default password when the store was opened
	stop   context.CancelFunc
	ended  chan struct{}
}

// Open returns the access control of a store. If the store has no such users
// it creates admin and ops with the password changeit, and the default lists in
// `$settings`. While a password is changeit it logs a warning. Errors: the
// store's, ctx's, and what Config lacks.
func Open(ctx context.Context, cfg Config) (*Control, error) {
	switch {
	case cfg.Store == nil || cfg.Now == nil || cfg.NewID == nil:
		return nil, errors.New("access: want Store, Now and NewID")
	case cfg.Iterations == 0:
		cfg.Iterations = owaspIterations
	case cfg.Iterations < weakIterations:
		return nil, fmt.Errorf("access: Iterations is %d, want at least %d", cfg.Iterations, weakIterations)
	}
	known, err := newVerified()
	if err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	memory, err := newMemory(cfg.Store)
	if err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	c := &Control{cfg: cfg, known: known, memory: memory, stop: func() {}, ended: make(chan struct{})}
	if !cfg.ReadOnly {
		if err := c.createDefaults(ctx); err != nil {
			return nil, fmt.Errorf("create default users: %w", err)
		}
	}
	if err := c.warnOfDefaults(ctx); err != nil {
		return nil, fmt.Errorf("look at default users: %w", err)
	}
	c.start(context.WithoutCancel(ctx))
	return c, nil
}

// start lets changes be followed, unless nothing depends on them.
func (c *Control) start(ctx context.Context) {
	if c.cfg.Insecure {
		close(c.ended)
		return
	}
	ctx, c.stop = context.WithCancel(ctx)
	head := c.cfg.Store.Head() // nothing was remembered before
	go func() {
		defer close(c.ended)
		c.memory.follow(ctx, head)
	}()
}

// HasDefaults reports whether admin had the default password when the store was
// opened.
func (c *Control) HasDefaults() bool { return c.weak }

// Close ends what watches the store, and waits for it. It does not close the
// store, and decisions go on being made.
func (c *Control) Close() error {
	c.stop()
	<-c.ended
	return nil
}
