package memory

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"strconv"
	"strings"

	"konto/eventstore"
)

// Read implements [eventstore.Store].
func (s *Store) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	if stream == "" {
		return func(yield func(eventstore.Recorded, error) bool) {
			yield(eventstore.Recorded{}, fmt.Errorf("%w: stream name %q", eventstore.ErrInvalid, stream))
		}
	}
	at, step := int(max(o.From, 0)), 1
	if o.Direction == eventstore.Backward {
		at, step = int(o.From), -1
	}
	return s.walk(ctx, o.Limit, o.ResolveLinks, func(first bool) (eventstore.Recorded, bool, error) {
		have := s.streams[stream]
		if len(have) == 0 {
			return eventstore.Recorded{}, false, fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, stream)
		}
		if first && step < 0 {
			at = min(at, len(have)-1)
		}
		if at < 0 || at >= len(have) {
			return eventstore.Recorded{}, false, nil
		}
		r := s.all[have[at]]
		at += step
		return r, true, nil
	})
}

// ReadAll implements [eventstore.Store].
func (s *Store) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	at, step := 0, 1
	if o.Direction == eventstore.Backward {
		step = -1
	}
	return s.walk(ctx, o.Limit, o.ResolveLinks, func(first bool) (eventstore.Recorded, bool, error) {
		if first {
			at = s.after(o.From)
			if step < 0 {
				at = sort.Search(len(s.all), func(i int) bool { return s.all[i].Position.Compare(o.From) >= 0 }) - 1
			}
		}
		if at < 0 || at >= len(s.all) {
			return eventstore.Recorded{}, false, nil
		}
		r := s.all[at]
		at += step
		return r, true, nil
	})
}

// after returns the index of the first event after p. The caller holds mu.
func (s *Store) after(p eventstore.Position) int {
	return sort.Search(len(s.all), func(i int) bool { return s.all[i].Position.Compare(p) > 0 })
}

// walk yields what next gives, which runs under mu, until it gives no more.
func (s *Store) walk(ctx context.Context, limit int, links bool, next func(first bool) (eventstore.Recorded, bool, error)) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for n := 0; limit <= 0 || n < limit; n++ {
			r, ok, err := s.step(ctx, n == 0, links, next)
			if err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
			if !ok || !yield(r, nil) {
				return
			}
		}
	}
}

func (s *Store) step(ctx context.Context, first, links bool, next func(bool) (eventstore.Recorded, bool, error)) (eventstore.Recorded, bool, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Recorded{}, false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return eventstore.Recorded{}, false, eventstore.ErrClosed
	}
	r, ok, err := next(first)
	if links && ok && r.Type == eventstore.LinkType {
		r = s.resolve(r)
	}
	return r, ok, err
}

// resolve returns what a link stands for. The caller holds mu.
func (s *Store) resolve(link eventstore.Recorded) eventstore.Recorded {
	number, stream, ok := strings.Cut(string(link.Data), "@")
	revision, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok {
		return link
	}
	var target eventstore.Recorded
	if have := s.streams[stream]; revision >= 0 && revision < int64(len(have)) {
		target = s.all[have[revision]]
	}
	target.Link = &link
	return target
}

// Subscribe implements [eventstore.Store].
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {
		pos := after
		for {
			batch, grown, err := s.more(pos)
			switch {
			case ctx.Err() != nil:
				yield(nil, ctx.Err())
				return
			case err != nil:
				yield(nil, err)
				return
			case len(batch) > 0:
				pos = batch[len(batch)-1].Position
				if !yield(batch, nil) {
					return
				}
				continue
			}
			select {
			case <-ctx.Done():
			case <-grown:
			}
		}
	}
}

// more returns the events after p, or what to wait for when there is none.
func (s *Store) more(p eventstore.Position) ([]eventstore.Recorded, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, eventstore.ErrClosed
	}
	if i := s.after(p); i < len(s.all) {
		return s.all[i:len(s.all):len(s.all)], nil, nil
	}
	if s.grown == nil {
		s.grown = make(chan struct{})
	}
	return nil, s.grown, nil
}
