package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"konto/eventstore"
)

const (
	usersStream     = "$users" // who there may be; an event for each, its data the login
	userPrefix      = "$user-" // what each is; the newest event counts
	defaultPassword = "changeit"

	maxLogin, maxPassword, maxFullName, maxGroups = 100, 1000, 500, 100 // in bytes; bound what one call can store
)

// User is a user without the password.
type User struct {
	Login    string
	FullName string
	Groups   []string
	Disabled bool
	Updated  time.Time // UTC
}

// record is a user as an event has it.
type record struct {
	Login    string   `json:"loginName"`
	FullName string   `json:"fullName"`
	Groups   []string `json:"groups"`
	Disabled bool     `json:"disabled"`
	secret

	revision eventstore.Revision
	at       time.Time
}

func (r record) user() User {
	return User{Login: r.Login, FullName: r.FullName, Groups: r.Groups, Disabled: r.Disabled, Updated: r.at}
}

// Users returns all users by login. Errors: the store's, ctx's.
func (c *Control) Users(ctx context.Context) ([]User, error) {
	logins := map[string]bool{}
	for event, err := range c.cfg.Store.Read(ctx, usersStream, eventstore.ReadStream{}) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		logins[string(event.Data)] = true
	}
	var all []User
	for login := range logins {
		r, err := c.read(ctx, login)
		if errors.Is(err, ErrUserNotFound) {
			continue // deleted, or never finished
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r.user())
	}
	slices.SortFunc(all, func(a, b User) int { return cmp.Compare(a.Login, b.Login) })
	return all, nil
}

// User returns one user. Errors: [ErrUserNotFound], the store's, ctx's.
func (c *Control) User(ctx context.Context, login string) (User, error) {
	r, err := c.read(ctx, login)
	if err != nil {
		return User{}, err
	}
	return r.user(), nil
}

// CreateUser adds a user. Doing so again with the same password succeeds and
// changes nothing. Errors: [ErrInvalid], [ErrUserConflict] if the login is
// taken, the store's, ctx's.
func (c *Control) CreateUser(ctx context.Context, u User, password string) error {
	if err := errors.Join(validLogin(u.Login), validPassword(password), validDetails(u.FullName, u.Groups)); err != nil {
		return err
	}
	info, err := c.cfg.Store.Stream(ctx, userPrefix+u.Login) // before read: who comes between is found there
	if err != nil {
		return fmt.Errorf("look for user: %w", err)
	}
	found, err := c.read(ctx, u.Login)
	switch {
	case errors.Is(err, ErrUserNotFound):
	case err != nil:
		return err
	case found.matches(password, c.cfg.Iterations):
		return nil
	default:
		return ErrUserConflict
	}
	r := record{Login: u.Login, FullName: u.FullName, Groups: u.Groups, Disabled: u.Disabled, revision: info.Last}
	if r.secret, err = newSecret(password, c.cfg.Iterations); err != nil {
		return err
	}
	// The name goes first: a name without a user is passed over, a user without
	// a name would be listed nowhere.
	name := eventstore.Event{ID: c.cfg.NewID(), Type: "$User", Data: []byte(u.Login), Binary: true}
	if _, err := c.cfg.Store.Append(ctx, usersStream, eventstore.Any, name); err != nil {
		return fmt.Errorf("append user's name: %w", err)
	}
	return c.write(ctx, r, "$UserCreated")
}

// UpdateUser replaces the name and groups of a user. Errors: [ErrInvalid],
// [ErrUserNotFound], [ErrUserConflict], the store's, ctx's.
func (c *Control) UpdateUser(ctx context.Context, login, fullName string, groups []string) error {
	if err := validDetails(fullName, groups); err != nil {
		return err
	}
	return c.update(ctx, login, func(r *record) error {
		r.FullName, r.Groups = fullName, groups
		return nil
	})
}

// EnableUser lets a user sign in, or no longer. Errors: [ErrUserNotFound],
// [ErrUserConflict], the store's, ctx's.
func (c *Control) EnableUser(ctx context.Context, login string, enabled bool) error {
	return c.update(ctx, login, func(r *record) error {
		r.Disabled = !enabled
		return nil
	})
}

// SetPassword gives a user another password. Errors: [ErrInvalid],
// [ErrUserNotFound], [ErrUserConflict], the store's, ctx's.
func (c *Control) SetPassword(ctx context.Context, login, password string) error {
	if err := validPassword(password); err != nil {
		return err
	}
	return c.update(ctx, login, func(r *record) (err error) {
		r.secret, err = newSecret(password, c.cfg.Iterations)
		return err
	})
}

// ChangePassword is SetPassword for somebody who knows the current password;
// [ErrDenied] if it is another.
func (c *Control) ChangePassword(ctx context.Context, login, current, password string) error {
	if err := validPassword(password); err != nil {
		return err
	}
	select {
	case c.known.slots <- struct{}{}:
		defer func() { <-c.known.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.update(ctx, login, func(r *record) (err error) {
		if !r.matches(current, c.cfg.Iterations) {
			return ErrDenied
		}
		r.secret, err = newSecret(password, c.cfg.Iterations)
		return err
	})
}

// DeleteUser removes a user; the login may be given again. Errors:
// [ErrUserNotFound], [ErrUserConflict], the store's, ctx's.
func (c *Control) DeleteUser(ctx context.Context, login string) error {
	r, err := c.read(ctx, login)
	if err != nil {
		return err
	}
	_, err = c.cfg.Store.Delete(ctx, userPrefix+login, r.revision)
	return conflict(err, "delete user")
}

func (c *Control) update(ctx context.Context, login string, change func(*record) error) error {
	r, err := c.read(ctx, login)
	if err != nil {
		return err
	}
	if err := change(&r); err != nil {
		return err
	}
	return c.write(ctx, r, "$UserUpdated")
}

// read returns a user. If there is none, the record returned with
// [ErrUserNotFound] has the revision that userRevision returns.
func (c *Control) read(ctx context.Context, login string) (record, error) {
	missing := record{revision: eventstore.NoStream}
	if validLogin(login) != nil {
		return missing, ErrUserNotFound
	}
	event, err := c.newest(ctx, userPrefix+login)
	switch {
	case errors.Is(err, eventstore.ErrStreamNotFound), errors.Is(err, eventstore.ErrStreamDeleted):
		return missing, ErrUserNotFound
	case err != nil:
		return missing, fmt.Errorf("read user: %w", err)
	}
	r := record{revision: event.Revision, at: event.At}
	if json.Unmarshal(event.Data, &r) == nil && r.Login == login {
		return r, nil
	}
	// Nobody signs in with what is there; an admin may delete or replace it.
	return record{Login: login, Disabled: true, revision: event.Revision, at: event.At}, nil
}

// userRevision returns where a user's stream is, NoStream if there is no such user.
func (c *Control) userRevision(ctx context.Context, login string) (eventstore.Revision, error) {
	m := c.memory
	return recall(m,
		func() (eventstore.Revision, bool) { return m.users.Get(login) },
		func() (eventstore.Revision, error) {
			info, err := c.cfg.Store.Stream(ctx, userPrefix+login)
			if err != nil || info.First == eventstore.NoStream {
				return eventstore.NoStream, err
			}
			return info.Last, nil
		},
		func(r eventstore.Revision) { m.users.Add(login, r) })
}

// write appends what a user is from now on.
func (c *Control) write(ctx context.Context, r record, kind string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write user: %w", err)
	}
	event := eventstore.Event{ID: c.cfg.NewID(), Type: kind, Data: data}
	_, err = c.cfg.Store.Append(ctx, userPrefix+r.Login, r.revision, event)
	return conflict(err, "write user")
}

func conflict(err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, eventstore.ErrWrongRevision), errors.Is(err, eventstore.ErrStreamDeleted):
		return ErrUserConflict
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// createDefaults makes admin and ops unless their streams were ever written.
func (c *Control) createDefaults(ctx context.Context) error {
	for _, u := range []User{
		{Login: adminLogin, FullName: "Event Store Administrator", Groups: []string{Admins}},
		{Login: opsLogin, FullName: "Event Store Operations", Groups: []string{Ops}},
	} {
		info, err := c.cfg.Store.Stream(ctx, userPrefix+u.Login)
		if err != nil {
			return err
		}
		if info.Last != eventstore.NoStream {
			continue
		}
		if err := c.CreateUser(ctx, u, defaultPassword); err != nil && !errors.Is(err, ErrUserConflict) {
			return err
		}
	}
	return c.createSettings(ctx)
}

// warnOfDefaults says so if a default password is still in use. Only hashes
// that take no time are looked at; newSecret sees to it that they are enough.
func (c *Control) warnOfDefaults(ctx context.Context) error {
	for _, login := range []string{adminLogin, opsLogin} {
		r, err := c.read(ctx, login)
		if errors.Is(err, ErrUserNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !r.Disabled && r.Iterations <= weakIterations && r.matches(defaultPassword, weakIterations) {
			c.weak = c.weak || login == adminLogin
			c.warn(r)
		}
	}
	return nil
}

func (c *Control) warn(r record) {
	if c.cfg.Insecure {
		return // nobody needs it
	}
	event := c.cfg.Log.Warn()
	if r.Login == adminLogin || r.Login == opsLogin {
		event = event.Str("login", r.Login)
	}
	event.Msg("a default password is in use: everybody knows it")
}

// validLogin refuses what would mean something else in a header, a stream's
// name or a list.
func validLogin(login string) error {
	switch {
	case login == "" || len(login) > maxLogin:
		return fmt.Errorf("%w: a login has 1 to %d bytes", ErrInvalid, maxLogin)
	case strings.HasPrefix(login, "$"):
		return fmt.Errorf("%w: a login does not begin with $, groups and roles do", ErrInvalid)
	case strings.Contains(login, ":") || !printable(login):
		return fmt.Errorf("%w: a login has no colon and nothing that cannot be printed", ErrInvalid)
	}
	return nil
}

func validPassword(password string) error {
	if password == "" || len(password) > maxPassword {
		return fmt.Errorf("%w: a password has 1 to %d bytes", ErrInvalid, maxPassword)
	}
	return nil
}

func validDetails(fullName string, groups []string) error {
	if len(fullName) > maxFullName || !printable(fullName) {
		return fmt.Errorf("%w: a full name has at most %d bytes, all printable", ErrInvalid, maxFullName)
	}
	if len(groups) > maxGroups {
		return fmt.Errorf("%w: more than %d groups", ErrInvalid, maxGroups)
	}
	for _, group := range groups {
		if group == "" || len(group) > maxLogin || !printable(group) {
			return fmt.Errorf("%w: a group has 1 to %d bytes, all printable", ErrInvalid, maxLogin)
		}
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
