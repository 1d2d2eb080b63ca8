package engine

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"konto/eventstore"
)

// parseLink splits the data of a link, "<revision>@<stream>". Data without a
// number is no link's.
func parseLink(data []byte) (stream string, revision int64, ok bool) {
	number, stream, ok := strings.Cut(string(data), "@")
	revision, err := strconv.ParseInt(number, 10, 64)
	return stream, revision, ok && err == nil
}

// resolved replaces the links that a read yields by what they link to.
func (s *Store) resolved(ctx context.Context, read iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range read {
			if err == nil {
				r, err = s.resolve(ctx, r)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// resolvedSteps does the same for a follower. The events it gets are shared
// with others, so they stay as they are.
func (s *Store) resolvedSteps(ctx context.Context, follow iter.Seq2[Step, error]) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		var buf []eventstore.Recorded
		for step, err := range follow {
			buf = buf[:0]
			for _, r := range step.Events {
				if r, err = s.resolve(ctx, r); err != nil {
					break
				}
				buf = append(buf, r)
			}
			step.Events = buf
			if err != nil {
				step = Step{}
			}
			if !yield(step, err) || err != nil {
				return
			}
		}
	}
}

// resolve returns what r links to. What cannot be seen, because it is not there
// or hidden, is an event without an ID. An event that is no link is returned as
// it is.
func (s *Store) resolve(ctx context.Context, r eventstore.Recorded) (eventstore.Recorded, error) {
	if r.Type != eventstore.LinkType || r.Link != nil {
		return r, nil
	}
	stream, revision, ok := parseLink(r.Data)
	if !ok {
		return r, nil
	}
	target, link := eventstore.Recorded{}, r
	err := s.look(ctx, func() (err error) {
		target, err = s.target(stream, revision)
		return err
	})
	target.Link = &link
	return target, err
}

// target returns an event if it is durable and visible, and a zero one if not.
func (s *Store) target(stream string, revision int64) (eventstore.Recorded, error) {
	visible := s.durable.Load()
	w, err := s.window(stream, visible)
	if err != nil || w.tombstone != 0 || revision < w.first || revision < 0 {
		return eventstore.Recorded{}, err
	}
	p := newPage()
	defer p.free()
	p.want(1, pageBytes, 1)
	_, err = s.scanStream(p, stream, revision, 0, visible, true)
	if err != nil || len(p.events) == 0 || int64(p.events[0].Revision) != revision {
		return eventstore.Recorded{}, err
	}
	return p.events[0], nil
}
