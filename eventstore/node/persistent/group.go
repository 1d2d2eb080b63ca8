package persistent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/filter"
)

// group runs a [state].
type group struct {
	stored
	store *engine.Store
	now   func() time.Time
	newID func() eventstore.ID
	log   zerolog.Logger

	state  state       // run's
	inbox  chan func() // what others ask run to do
	source chan chunk  // what was read
	ended  chan func() // what jobs have come to
	jobs   [kinds]job  // run's
	active int         // jobs that run; run's
	reads  reading     // run's

	cancel context.CancelFunc
	wg     sync.WaitGroup
	done   chan struct{} // closed when run has ended
}

// kind is a kind of work that is done beside run, one of each at a time.
type kind int

const (
	parkKind kind = iota
	checkpointKind
	replayKind
	truncateKind
	kinds
)

func (k kind) String() string {
	return [...]string{"park", "checkpoint", "replay", "truncate"}[k]
}

// job says whether there is work of a kind.
type job struct {
	busy   bool
	failed bool // it begins again with the next tick
}

// reading says whether the source is read.
type reading int

const (
	notReading reading = iota
	following
	over // the stream has a tombstone
)

// start loads what is known of a group and runs it until stop.
func (g *Groups) start(ctx context.Context, d stored) (*group, error) {
	s, err := g.load(ctx, d)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &group{
		stored: d, store: g.config.Store, now: g.config.Now, newID: g.config.NewID,
		log:   g.config.Log.With().Str("stream", d.Stream).Str("group", d.Group).Logger(),
		state: s, inbox: make(chan func()), source: make(chan chunk), ended: make(chan func()),
		cancel: cancel, done: make(chan struct{}),
	}
	r.wg.Go(func() { r.run(running) })
	return r, nil
}

// run owns the state.
func (g *group) run(ctx context.Context) {
	defer close(g.done)
	g.read(ctx)
	for ctx.Err() == nil {
		source := g.source
		if !g.state.room() {
			source = nil // the reader waits
		}
		select {
		case f := <-g.inbox:
			f()
		case f := <-g.ended:
			f()
		case c := <-source:
			g.accept(c)
		case <-ctx.Done():
		}
		g.state.pump(g.now())
		g.work(ctx)
	}
	for g.active > 0 {
		(<-g.ended)()
	}
}

// do has run call f, and waits. Errors: [ErrDropped] if the group has stopped,
// ctx's.
func (g *group) do(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case g.inbox <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-g.done:
		return ErrDropped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the group: consumers are dropped, writes under way are awaited.
func (g *group) stop() {
	g.cancel()
	g.wg.Wait()
}

// tick is time passing.
func (g *group) tick(ctx context.Context) {
	now := g.now()
	g.state.expire(now)
	g.state.meter.tick(now)
	for _, c := range g.state.consumers {
		c.meter.tick(now)
	}
	for k := range g.jobs {
		if g.jobs[k].failed {
			g.jobs[k] = job{}
		}
	}
	if g.reads == notReading {
		g.read(ctx)
	}
	g.checkpoint(ctx, true)
	g.truncate(ctx)
}

// work starts what is due.
func (g *group) work(ctx context.Context) {
	for _, c := range g.state.consumers {
		if len(c.outbox) > 0 {
			c.wake()
		}
	}
	g.park(ctx)
	g.checkpoint(ctx, false)
	g.replay(ctx)
	if len(g.state.reopened) == 0 && !g.state.replaying() {
		g.truncate(ctx)
	}
}

// begin has do run beside the group, and then done, if it succeeds, by run. Work
// that has begun is finished even if the group stops.
func (g *group) begin(ctx context.Context, k kind, do func(context.Context) error, done func()) {
	if ctx.Err() != nil {
		return
	}
	g.jobs[k].busy = true
	g.active++
	g.wg.Go(func() {
		err := do(context.WithoutCancel(ctx))
		g.ended <- func() {
			g.active--
			if err != nil {
				g.jobs[k].failed = true
				g.log.Warn().Err(err).Stringer("work", k).Msg("persistent subscription will try again")
				return
			}
			g.jobs[k].busy = false
			done()
		}
	})
}

// accept takes a chunk from the source.
func (g *group) accept(c chunk) {
	switch {
	case c.err == nil:
		g.state.accept(c)
	case errors.Is(c.err, eventstore.ErrStreamDeleted):
		g.reads, g.state.caughtUp = over, true
	default:
		g.reads, g.state.caughtUp = notReading, false
		g.log.Warn().Err(c.err).Msg("persistent subscription cannot read, its consumers are dropped")
		now := g.now()
		for _, consumer := range g.state.consumers {
			g.state.leave(consumer, now)
			close(consumer.dropped)
		}
	}
}

// read follows the source from where the state is.
func (g *group) read(ctx context.Context) {
	g.reads = following
	after := g.state.seen
	follow := engine.Follow{Stream: g.Stream, After: after.revision, ResolveLinks: g.Settings.ResolveLinks}
	if g.all() {
		follow = engine.Follow{AfterAll: after.position, ResolveLinks: g.Settings.ResolveLinks}
	}
	var wanted *filter.Filter
	if g.Filter != nil {
		wanted, _ = filter.Compile(*g.Filter) // it was compiled when it was validated
	}
	r := reader{group: g, filter: wanted, seen: after}
	g.wg.Go(func() {
		for step, err := range g.store.Follow(ctx, follow) {
			if err != nil {
				r.offer(ctx, chunk{err: err})
				return
			}
			if !r.step(ctx, step) {
				return
			}
		}
	})
}
