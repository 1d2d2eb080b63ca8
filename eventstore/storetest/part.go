package storetest

import (
	"context"
	"errors"
	"iter"
	"strings"

	"konto/eventstore"
)

// part is the streams of a store whose names begin with a prefix, under their
// names without it.
type part struct {
	eventstore.Store
	prefix string
}

// Append implements [eventstore.Store].
func (p *part) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	if stream != "" {
		stream = p.prefix + stream
	}
	at, err := p.Store.Append(ctx, stream, expected, events...)
	if wrong, ok := errors.AsType[*eventstore.WrongRevisionError](err); ok {
		wrong.Stream = strings.TrimPrefix(wrong.Stream, p.prefix)
	}
	return at, err
}

// Read implements [eventstore.Store].
func (p *part) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range p.Store.Read(ctx, p.prefix+stream, o) {
			p.mine(&r)
			if !yield(r, err) {
				return
			}
		}
	}
}

// ReadAll implements [eventstore.Store].
func (p *part) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		left := o.Limit
		o.Limit = 0
		for r, err := range p.Store.ReadAll(ctx, o) {
			if err == nil && !p.mine(&r) {
				continue
			}
			if !yield(r, err) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
	}
}

// Subscribe implements [eventstore.Store].
func (p *part) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {
		for events, err := range p.Store.Subscribe(ctx, after) {
			var mine []eventstore.Recorded
			for _, r := range events {
				if p.mine(&r) {
					mine = append(mine, r)
				}
			}
			if (err != nil || len(mine) > 0) && !yield(mine, err) {
				return
			}
		}
	}
}

// mine takes the prefix away and reports whether it was there.
func (p *part) mine(r *eventstore.Recorded) bool {
	name, ok := strings.CutPrefix(r.Stream, p.prefix)
	r.Stream = name
	return ok
}
