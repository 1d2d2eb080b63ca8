package projector

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"konto/eventstore"
	"konto/internal/relay"
)

// State is what a projection is doing.
type State string

// The states.
const (
	Live       State = "live"
	CatchingUp State = "catching-up"
	Failed     State = "failed" // is tried again after a while
)

// Categories of failure.
const (
	FailureApply       = "apply"        // a handler failed
	FailureDecode      = "decode"       // the event is not its type's JSON
	FailureUnknownType = "unknown-type" // the event's type is not registered
)

// Failure says why a projection stands still.
type Failure struct {
	Category string              `json:"category"`
	EventID  string              `json:"eventId"`
	Type     string              `json:"type"` // of the event
	Position eventstore.Position `json:"position"`
	Detail   string              `json:"detail"`
	Attempts int                 `json:"attempts"`
}

// Status is where a projection is.
type Status struct {
	Projection string
	Version    int
	State      State
	Position   eventstore.Position // of its checkpoint
	Head       eventstore.Position // of the store
	// LagEvents is how many events it has yet to apply, counted up to
	// [MaxLag]; LagSeconds is the age of the first of them.
	LagEvents  int
	LagSeconds float64
	Failure    *Failure // nil unless State is Failed
}

// MaxLag is where counting the lag ends, in events.
const MaxLag = 10_000

// Status says where each projection is, in the order of Projections.
func (p *Projector) Status(ctx context.Context) ([]Status, error) {
	head, err := eventstore.Head(ctx, p.Store)
	if err != nil {
		return nil, fmt.Errorf("projector status: %w", err)
	}
	type lag struct {
		events  int
		seconds float64
	}
	lags := map[eventstore.Position]lag{}
	out := make([]Status, 0, len(p.Projections))
	for _, x := range p.Projections {
		c, _ := p.DB.Checkpoint(x.Name)
		s := Status{Projection: x.Name, Version: x.Version, Position: c.Position, Head: head}
		s.State, s.Failure = p.board().read(x.Name)
		l, ok := lags[c.Position]
		if !ok {
			n, first, err := relay.Behind(ctx, p.Store, c.Position, MaxLag)
			if err != nil {
				return nil, fmt.Errorf("projector status: %w", err)
			}
			if l.events = n; n > 0 {
				l.seconds = max(0, p.Now().Sub(first).Seconds())
			}
			lags[c.Position] = l
		}
		s.LagEvents, s.LagSeconds = l.events, l.seconds
		out = append(out, s)
	}
	return out, nil
}

// Ready is closed when every projection has been live or has failed once:
// waiting longer would not help.
func (p *Projector) Ready() <-chan struct{} { return p.board().ready }

// board is what Status shows of a run. It is safe for concurrent use.
type board struct {
	mu       sync.Mutex
	waiting  map[string]bool // neither live nor failed yet
	live     map[string]bool
	failures map[string]Failure
	ready    chan struct{}
}

func (p *Projector) board() *board {
	p.once.Do(func() {
		p.state = &board{waiting: map[string]bool{}, live: map[string]bool{}, failures: map[string]Failure{}, ready: make(chan struct{})}
		for _, x := range p.Projections {
			p.state.waiting[x.Name] = true
		}
		if len(p.state.waiting) == 0 {
			close(p.state.ready)
		}
	})
	return p.state
}

func (b *board) lives(r *runner) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[r.Name] = true
	b.settled(r.Name)
}

func (b *board) fails(r *runner, f *fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[r.Name] = false
	b.failures[r.Name] = Failure{
		Category: f.category, EventID: f.eventID(), Type: f.event.Type, Position: f.event.Position,
		Detail: f.Error(), Attempts: r.attempts,
	}
	b.settled(r.Name)
}

func (b *board) recovered(r *runner) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failures, r.Name)
}

func (b *board) settled(name string) {
	if !b.waiting[name] {
		return
	}
	if delete(b.waiting, name); len(b.waiting) == 0 {
		close(b.ready)
	}
}

func (b *board) of(name string) Failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures[name]
}

func (b *board) read(name string) (State, *Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f, ok := b.failures[name]; ok {
		return Failed, &f
	}
	if b.live[name] {
		return Live, nil
	}
	return CatchingUp, nil
}

// jitter returns between half of d and d. The board's lock guards r.
func (b *board) jitter(r *rand.Rand, d time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r == nil {
		return d
	}
	return d/2 + time.Duration(r.Int64N(int64(d/2)+1))
}
