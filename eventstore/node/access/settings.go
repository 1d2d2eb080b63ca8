package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json" // unlike encoding/json it minds the case of names

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

const settingsStream = "$settings"

// defaults are the lists of streams that have none of their own. Every role
// list is set.
type defaults struct{ user, system engine.ACL }

// everybodyOf gives all to the same roles.
func everybodyOf(roles ...string) engine.ACL {
	return engine.ACL{Read: roles, Write: roles, Delete: roles, MetaRead: roles, MetaWrite: roles}
}

// defaults returns what applies now. Settings that cannot be read leave
// everything to admins: they may hold a restriction.
func (c *Control) defaults(ctx context.Context) (*defaults, error) {
	m := c.memory
	return recall(m,
		func() (*defaults, bool) { return m.defaults, m.defaults != nil },
		func() (*defaults, error) {
			d := &defaults{user: everybodyOf(Everyone), system: everybodyOf(Admins)}
			event, err := c.newest(ctx, settingsStream)
			switch {
			case errors.Is(err, eventstore.ErrStreamNotFound), errors.Is(err, eventstore.ErrStreamDeleted):
				return d, nil
			case err != nil:
				return nil, err
			}
			d.apply(event.Data)
			return d, nil
		},
		func(d *defaults) { m.defaults = d })
}

// newest returns the newest event of a stream.
func (c *Control) newest(ctx context.Context, stream string) (eventstore.Recorded, error) {
	newest := eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward, Limit: 1}
	for event, err := range c.cfg.Store.Read(ctx, stream, newest) {
		return event, err
	}
	return eventstore.Recorded{}, eventstore.ErrStreamNotFound
}

func (d *defaults) apply(data []byte) {
	var lists struct {
		User   *list `json:"$userStreamAcl"`
		System *list `json:"$systemStreamAcl"`
	}
	if json.Unmarshal(data, &lists) != nil {
		d.user, d.system = everybodyOf(Admins), everybodyOf(Admins)
		return
	}
	lists.User.over(&d.user)
	lists.System.over(&d.system)
}

// list is a list as JSON has it.
type list struct {
	Read      roles `json:"$r"`
	Write     roles `json:"$w"`
	Delete    roles `json:"$d"`
	MetaRead  roles `json:"$mr"`
	MetaWrite roles `json:"$mw"`
}

// over replaces in acl what l says.
func (l *list) over(acl *engine.ACL) {
	if l == nil {
		return
	}
	for _, r := range []struct {
		from roles
		to   *[]string
	}{
		{l.Read, &acl.Read},
		{l.Write, &acl.Write},
		{l.Delete, &acl.Delete},
		{l.MetaRead, &acl.MetaRead},
		{l.MetaWrite, &acl.MetaWrite},
	} {
		if r.from != nil {
			*r.to = r.from
		}
	}
}

// roles is one role or an array of them; null is as good as nothing.
type roles []string

// UnmarshalJSON implements json.Unmarshaler.
func (r *roles) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	var one string
	if json.Unmarshal(b, &one) == nil {
		*r = roles{one}
		return nil
	}
	many := []string{}
	if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	*r = many
	return nil
}

// defaultSettings says what applies anyway, so that operators find a place to
// change it. The event's type is what EventStoreDB's documentation has.
func (c *Control) createSettings(ctx context.Context) error {
	kind := func(role string) map[string]string {
		return map[string]string{"$r": role, "$w": role, "$d": role, "$mr": role, "$mw": role}
	}
	data, err := json.Marshal(map[string]any{"$userStreamAcl": kind(Everyone), "$systemStreamAcl": kind(Admins)})
	if err != nil {
		return err
	}
	event := eventstore.Event{ID: c.cfg.NewID(), Type: "update-default-acl", Data: data}
	_, err = c.cfg.Store.Append(ctx, settingsStream, eventstore.NoStream, event)
	if err != nil && !errors.Is(err, eventstore.ErrWrongRevision) {
		return fmt.Errorf("append: %w", err)
	}
	return nil
}
