package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"konto/internal/httpapi"
	"konto/internal/reactor"
	"konto/internal/testclock"
)

// clockPath is where the test clock of development is served.
const clockPath = "/dev/clock"

// settleEvery is how often a clock that is being moved looks whether what
// follows from the last step has happened.
const settleEvery = 2 * time.Millisecond

// Clocked is where the test clock stands.
type Clocked struct {
	Now time.Time `json:"now"`
	// Steps is how often it stopped on its way, for something whose time had come.
	Steps int `json:"steps,omitempty"`
}

// move asks for a time: after a while, or at a moment.
type move struct {
	Advance string    `json:"advance,omitempty"` // a Go duration
	To      time.Time `json:"to,omitzero"`
}

// AdvanceTo moves the test clock to a time. It stops at every moment for which
// something is scheduled, and waits until that and all that follows from it has
// happened: a deadline that sets the next one finds its own time, not the end
// of the journey. It blocks until then; one call at a time. It fails if there
// is no test clock, and with [testclock.ErrBackward].
func (s *System) AdvanceTo(ctx context.Context, to time.Time) (steps int, err error) {
	if s.cfg.Clock == nil {
		return 0, errors.New("there is no test clock")
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	if to.Before(s.cfg.Clock.Now()) {
		return 0, s.cfg.Clock.Set(to)
	}
	for {
		if err := s.settle(ctx); err != nil {
			return steps, err
		}
		due, ok, err := s.reactor.NextDue(ctx)
		if err != nil {
			return steps, err
		}
		if !ok || due.After(to) {
			break
		}
		if err := s.moveTo(due); err != nil {
			return steps, err
		}
		steps++
	}
	if err := s.moveTo(to); err != nil {
		return steps, err
	}
	if s.cfg.Moved != nil {
		if err := s.cfg.Moved(s); err != nil {
			return steps, err
		}
	}
	return steps, s.settle(ctx)
}

// moveTo moves the clock unless it has got there by itself.
func (s *System) moveTo(t time.Time) error {
	if err := s.cfg.Clock.Set(t); err != nil && !errors.Is(err, testclock.ErrBackward) {
		return err
	}
	s.reactor.Wake()
	return nil
}

// settle waits until read models and reactor have seen everything and no
// effect is due. It believes what it sees twice, as the parts are not asked at
// the same moment.
func (s *System) settle(ctx context.Context) error {
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	for last := ""; ; {
		at, err := s.settledAt(ctx)
		if err != nil {
			return fmt.Errorf("wait for what follows: %w", err)
		}
		if at != "" && at == last {
			return nil
		}
		last = at
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for what follows: %w", context.Cause(ctx))
		case <-s.ending:
			return errors.New("wait for what follows: stopping")
		}
	}
}

// settledAt returns the store's head if nothing waits, else "".
func (s *System) settledAt(ctx context.Context) (string, error) {
	o, err := s.outbox(ctx)
	if errors.Is(err, reactor.ErrNotRunning) {
		return "", nil // the system has just started
	}
	if err != nil {
		return "", err
	}
	models, err := s.projections(ctx)
	if err != nil {
		return "", err
	}
	lag := o.Waiting + o.LagEvents
	for _, m := range models {
		lag += m.LagEvents
	}
	if lag > 0 {
		return "", nil
	}
	return o.Head.String(), nil
}

// clock serves the test clock: GET says what time it is, POST moves it. A body
// that is not declared as JSON is refused, so that no page of another origin
// can move it unasked.
func (s *System) clock(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	var at Clocked
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		to, err := s.wanted(w, r)
		if err == nil {
			at.Steps, err = s.AdvanceTo(r.Context(), to)
		}
		if err != nil {
			httpapi.WriteProblem(w, r, http.StatusUnprocessableEntity, "clock-not-moved", err.Error())
			return
		}
	default:
		w.Header().Set("Allow", "GET, POST")
		httpapi.WriteProblem(w, r, http.StatusMethodNotAllowed, "method-not-allowed", "the clock takes GET and POST")
		return
	}
	at.Now = s.cfg.Now().UTC()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(at) // the caller has gone if this fails
}

func (s *System) wanted(w http.ResponseWriter, r *http.Request) (time.Time, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return time.Time{}, errors.New("want Content-Type: application/json")
	}
	var m move
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return time.Time{}, fmt.Errorf(`want {"advance": "36h"} or {"to": "2026-03-01T00:00:00Z"}: %w`, err)
	}
	if (m.Advance == "") == m.To.IsZero() {
		return time.Time{}, errors.New(`want either "advance" or "to"`)
	}
	if m.Advance == "" {
		return m.To, nil
	}
	by, err := time.ParseDuration(m.Advance)
	return s.cfg.Now().Add(by), err
}
