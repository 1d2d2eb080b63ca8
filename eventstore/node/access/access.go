package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// Errors, tested with [errors.Is]. Any other error is the store's.
var (
	// ErrBadCredentials: the login is unknown, disabled, or the password is wrong.
	ErrBadCredentials = errors.New("access: bad credentials")
	// ErrDenied: the caller may not do this.
	ErrDenied = errors.New("access: denied")
	// ErrUserNotFound: there is no user of this login.
	ErrUserNotFound = errors.New("access: no such user")
	// ErrUserConflict: the login is taken, or the user was changed meanwhile.
	ErrUserConflict = errors.New("access: user conflict")
	// ErrInvalid: a login or password that cannot be.
	ErrInvalid = errors.New("access: invalid user")
)

// Groups and roles with a meaning of their own.
const (
	Admins   = "$admins"
	Ops      = "$ops"
	Everyone = "$all"
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

// In reports whether p is a member of a group.
func (p Principal) In(group string) bool { return slices.Contains(p.Groups, group) }

type key struct{}

// With returns a context that carries who calls.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// From returns who calls; [Anonymous] if ctx does not say.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(key{}).(Principal)
	return p
}

// Operation is what somebody wants to do.
type Operation int

// The operations. Those of streams go with the stream's name; ReadStream and
// WriteStream of "$$s" are ReadMetadata and WriteMetadata of "s".
const (
	ReadStream          Operation = iota + 1
	WriteStream                   // append; of events without a stream's deletion
	DeleteStream                  // delete and tombstone
	ReadMetadata                  // of the stream named
	WriteMetadata                 // of the stream named
	ReadAll                       // ReadStream of $all
	ManagePersistent              // create, update, delete, replay parked, restart: $ops or $admins
	ReadPersistent                // consume a group: a login that may read the stream
	InspectPersistent             // info and list: any login
	Operate                       // scavenge, shut down and the like: $ops or $admins
	ManageUsers                   // all but one's own password: $admins
	ChangeOwnPassword             // the stream is the login: its owner, who proves it with the old password
	ReadUser                      // the stream is the login: $admins, or its owner
	Monitor                       // statistics: everybody
	ReadGossip                    // everybody
	ReadServerFeatures            // everybody
)

// Config says whose users they are.
type Config struct {
	Store *engine.Store        // required
	Now   func() time.Time     // required
	NewID func() eventstore.ID // of the events that are written; required
	Log   zerolog.Logger

	// AllowAnonymous gives callers without credentials what $all gives.
	AllowAnonymous bool
	// Insecure believes everybody and allows everything, also to nobody.
	Insecure bool
	// Iterations of PBKDF2 with HMAC-SHA-256 for new passwords; 0 means
	// 600,000, what OWASP's Password Storage Cheat Sheet asks for.
	Iterations int
}

var errSoon = errors.New("soon")

// Control decides. All methods are safe for concurrent use. Close it.
type Control struct{ cfg Config }

// Open creates, in a store without users, admin and ops with the password
// changeit and the default lists in `$settings`. While a default password is in
// use it logs a warning.
func Open(ctx context.Context, cfg Config) (*Control, error) { return &Control{cfg: cfg}, nil }

// Close ends what watches the store. It does not close the store.
func (c *Control) Close() error { return nil }

// Authenticate returns whom the value of an authorization header stands for:
// [Anonymous] if it is empty. Errors: [ErrBadCredentials], the store's, ctx's.
func (c *Control) Authenticate(ctx context.Context, header string) (Principal, error) {
	return Anonymous(), errSoon
}

// Allow returns nil if p may do op with stream, which is "" for operations
// that concern no stream. Errors: [ErrDenied], the store's, ctx's.
func (c *Control) Allow(ctx context.Context, p Principal, op Operation, stream string) error {
	return errSoon
}

// Watch tells when a decision about a stream may have become another one,
// because its metadata or `$settings` changed: changed then holds a token. Ask
// Allow again. The token may come later than events that were appended after
// the change. Call stop when nobody listens any more.
func (c *Control) Watch(stream string) (changed <-chan struct{}, stop func()) {
	return make(chan struct{}, 1), func() {}
}
