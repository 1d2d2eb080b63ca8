package esdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/status"

	"konto/eventstore"
)

const (
	minRedial = 50 * time.Millisecond
	maxRedial = 2 * time.Second
	// The first reminder that the store is away comes after firstReminder, each
	// further one after twice as long, up to maxReminder.
	firstReminder = 10 * time.Second
	maxReminder   = 10 * time.Minute
)

// connect keeps the store connected until it is closed.
func (s *Store) connect() {
	pause := minRedial
	for {
		c := s.search()
		if c == nil {
			return
		}
		s.set(c, nil)
		select {
		case <-c.over:
		case <-s.running.Done():
			c.retire()
			return
		}
		s.set(nil, nil)
		// A node that takes connections and no calls is not asked all the time.
		if c.proved.Load() {
			pause = minRedial
		} else if s.pause(s.running, pause) == nil {
			pause = min(2*pause, maxRedial)
		}
	}
}

// set says what there is: a connection, or why there is none.
func (s *Store) set(c *connection, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && c == nil {
		s.since = s.now()
	}
	s.current, s.failure = c, failure
	close(s.changed)
	s.changed = make(chan struct{})
}

// search returns a connection, however long that takes, or nil when the store
// was closed.
func (s *Store) search() *connection {
	began, remind, every := s.now(), firstReminder, firstReminder
	for pause, failures := minRedial, 0; ; pause, failures = min(2*pause, maxRedial), failures+1 {
		c, err := s.dial()
		waited := s.now().Sub(began)
		switch {
		case s.closed():
			if c != nil {
				c.retire()
			}
			return nil
		case err == nil:
			s.log.Info().Str("store", s.address).Dur("after", waited).Msg("connected to the event store")
			return c
		case failures == 0:
			s.log.Warn().Str("store", s.address).Err(reason(err)).Msg("the event store cannot be reached; waiting for it")
		case waited >= remind:
			s.log.Warn().Str("store", s.address).Err(reason(err)).Dur("waited", waited).Msg("still waiting for the event store")
			every = min(2*every, maxReminder)
			remind += every
		}
		s.set(nil, err)
		if s.pause(s.running, pause) != nil {
			return nil
		}
	}
}

// dial makes a client and lets it discover a node. When the store is closed
// meanwhile it returns at once; the client is closed when it is done.
func (s *Store) dial() (*connection, error) {
	c, err := newConnection(s.config, s.log)
	if err != nil {
		return nil, err
	}
	done := make(chan error)
	go func() {
		err := c.discover()
		if err != nil {
			c.retire()
		}
		select {
		case done <- err:
		case <-s.running.Done():
			c.retire()
		}
	}()
	select {
	case err := <-done:
		return c, err
	case <-s.running.Done():
		return nil, eventstore.ErrClosed
	}
}

// errNoAnswer: the first attempt to connect is still under way.
var errNoAnswer = errors.New("no answer yet")

// enter begins a call of the client. Without a connection it waits: as long as
// it takes if patient, and otherwise until the connection was gone for the
// store's patience.
func (s *Store) enter(ctx context.Context, patient bool) (*call, error) {
	for {
		if err := s.ended(ctx); err != nil {
			return nil, err
		}
		s.mu.Lock()
		c, failure, left, changed := s.current, s.failure, s.patience-s.now().Sub(s.since), s.changed
		s.mu.Unlock()
		switch {
		case c != nil:
			if x, ok := c.enter(ctx); ok {
				return x, nil
			}
			left = s.patience // the connector is about to say that it is lost
		case !patient && left <= 0:
			if failure == nil {
				failure = errNoAnswer
			}
			return nil, fmt.Errorf("%w: event store at %s: %w", eventstore.ErrUnavailable, s.address, reason(failure))
		case patient:
			left = maxReminder // no limit; it looks again
		}
		s.waitFor(ctx, changed, left)
	}
}

// waitFor returns when changed is closed, or nothing goes on, or after limit.
func (s *Store) waitFor(ctx context.Context, changed <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	case <-s.running.Done():
	}
}

// reason is the innermost text of a client's error: the layers around it
// repeat each other.
func reason(err error) error {
	if st, ok := status.FromError(rpcError(err)); ok && err != nil {
		return errors.New(st.Message())
	}
	return err
}
