package persistent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// Errors, tested with [errors.Is]. There is also [*InvalidError]; any other
// error is the store's or the context's.
var (
	// ErrNotFound: there is no such group.
	ErrNotFound = errors.New("persistent: no such group")
	// ErrExists: there is such a group already.
	ErrExists = errors.New("persistent: the group exists")
	// ErrSubscriberLimit: the group has as many consumers as it may have.
	ErrSubscriberLimit = errors.New("persistent: too many subscribers")
	// ErrDropped: the group was updated, deleted or restarted, or its source
	// cannot be read. Subscribe again.
	ErrDropped = errors.New("persistent: subscription dropped")
	// ErrNotReady: the groups are being restarted, or were closed.
	ErrNotReady = errors.New("persistent: not ready")
)

// Config says where groups live.
type Config struct {
	Store *engine.Store        // required
	Now   func() time.Time     // required
	NewID func() eventstore.ID // of the events that are written; required
	Log   zerolog.Logger
	// Tick is when time-outs, checkpoints and rates are looked at. Nil: each
	// second, as EventStoreDB does it.
	Tick <-chan time.Time
}

// Groups are all persistent subscriptions of a store. There must be one of them
// for a store. All methods are safe for concurrent use. Close it before the store.
type Groups struct {
	config   Config
	changing chan struct{} // holds a token while definitions change
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu      sync.RWMutex
	ready   bool
	running map[Key]*group
	defined map[Key]stored // those that could not be started included
}

// Open loads all groups and runs them.
func Open(ctx context.Context, c Config) (*Groups, error) {
	ticking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	g := &Groups{config: c, changing: make(chan struct{}, 1), cancel: cancel}
	if err := g.startAll(ctx); err != nil {
		cancel()
		return nil, err
	}
	g.wg.Go(func() { g.tick(ticking) })
	return g, nil
}

// Close stops all groups and drops their consumers. What was finished since the
// last checkpoints is written.
func (g *Groups) Close() error {
	g.changing <- struct{}{}
	defer func() { <-g.changing }()
	g.cancel()
	g.wg.Wait()
	return g.stopAll(context.Background())
}

// Restart stops all groups, drops their consumers, and loads all groups anew.
func (g *Groups) Restart(ctx context.Context) error {
	unlock, err := g.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	ctx = context.WithoutCancel(ctx) // half a restart would be worse than a long one
	if err := g.stopAll(ctx); err != nil {
		g.config.Log.Warn().Err(err).Msg("a checkpoint was not written, events will come again")
	}
	if err := g.startAll(ctx); err != nil {
		return err
	}
	g.config.Log.Info().Int("groups", len(g.running)).Msg("persistent subscriptions restarted")
	return nil
}

func (g *Groups) startAll(ctx context.Context) error {
	defs, err := g.readConfig(ctx)
	if err != nil {
		return err
	}
	running := map[Key]*group{}
	for key, d := range defs {
		r, err := g.start(ctx, d)
		if err != nil {
			for _, r := range running {
				r.stop()
			}
			return err
		}
		running[key] = r
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running, g.defined, g.ready = running, defs, true
	return nil
}

// stopAll returns the first error of the last checkpoints.
func (g *Groups) stopAll(ctx context.Context) error {
	g.mu.Lock()
	running := g.running
	g.running, g.ready = nil, false
	g.mu.Unlock()
	for _, r := range running {
		r.cancel() // all at once
	}
	var first error
	for _, r := range running {
		r.stop()
		if p := r.state.resume(); r.state.finished > 0 && p != r.state.resumed {
			first = cmp.Or(first, r.writeCheckpoint(ctx, p, !r.state.stored))
		}
	}
	return first
}

// tick passes time on to all groups.
func (g *Groups) tick(ctx context.Context) {
	tick := g.config.Tick
	if tick == nil {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-tick:
		case <-ctx.Done():
			return
		}
		for _, r := range g.all() {
			_ = r.do(ctx, func() { r.tick(ctx) }) // or it has stopped
		}
	}
}

func (g *Groups) all() []*group {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return slices.SortedFunc(maps.Values(g.running), func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Group, b.Group))
	})
}

// lock keeps others from changing groups.
func (g *Groups) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case g.changing <- struct{}{}:
		return func() { <-g.changing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *Groups) find(key Key) (*group, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	switch r := g.running[key]; {
	case !g.ready:
		return nil, ErrNotReady
	case r == nil:
		return nil, ErrNotFound
	default:
		return r, nil
	}
}

// put says that a group is defined, and runs as r unless that is nil.
func (g *Groups) put(s stored, r *group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.defined[s.Key] = s
	if r == nil {
		delete(g.running, s.Key)
	} else {
		g.running[s.Key] = r
	}
}

func (g *Groups) remove(key Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.defined, key)
	delete(g.running, key)
}

func (g *Groups) definitions() map[Key]stored {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return maps.Clone(g.defined)
}

// Create makes a group. Its source need not exist. Errors: [ErrExists],
// [ErrNotReady], [*InvalidError], the store's, ctx's.
func (g *Groups) Create(ctx context.Context, d Definition) error {
	unlock, err := g.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := g.check(ctx, d); err != nil {
		return err
	}
	switch _, err := g.find(d.Key); {
	case err == nil:
		return ErrExists
	case !errors.Is(err, ErrNotFound):
		return err
	}
	if err := g.forget(ctx, d.Key); err != nil { // what a crash during Delete left
		return fmt.Errorf("create %v: %w", d.Key, err)
	}
	if err := g.define(ctx, d); err != nil {
		return fmt.Errorf("create %v: %w", d.Key, err)
	}
	g.config.Log.Info().Str("stream", d.Stream).Str("group", d.Group).Msg("persistent subscription created")
	return nil
}

// Update changes a group. Its consumers are dropped. It keeps its checkpoint,
// and its filter; the new start counts only if it never had a checkpoint.
// Errors: [ErrNotFound] and those of Create.
func (g *Groups) Update(ctx context.Context, d Definition) error {
	unlock, err := g.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := g.find(d.Key)
	if err != nil {
		return err
	}
	d.Filter = old.Filter
	if err := g.check(ctx, d); err != nil {
		return err
	}
	if err := g.define(ctx, d); err != nil {
		return fmt.Errorf("update %v: %w", d.Key, err)
	}
	g.config.Log.Info().Str("stream", d.Stream).Str("group", d.Group).Msg("persistent subscription updated")
	return nil
}

// check looks at what somebody wants a group to be.
func (g *Groups) check(ctx context.Context, d Definition) error {
	if err := d.validate(); err != nil {
		return err
	}
	if !d.all() || d.Start.End {
		return nil
	}
	is, err := g.config.Store.IsBoundary(ctx, d.Start.Position)
	if err == nil && !is {
		return invalid("no event begins at %v", d.Start.Position)
	}
	return err
}

// define stores a definition and runs the group, in the place of an older one
// if there is one.
func (g *Groups) define(ctx context.Context, d Definition) error {
	s := stored{Definition: d}
	if d.Start.End {
		end, err := g.end(ctx, d.Key)
		if err != nil {
			return err
		}
		s.Origin = end
	}
	event := g.config.NewID()
	if d.Start.End {
		s.CreatedBy = event
	}
	defs := g.definitions()
	defs[d.Key] = s
	if err := g.writeConfig(ctx, event, defs); err != nil {
		return err
	}
	if old, err := g.find(d.Key); err == nil {
		old.stop()
	}
	r, err := g.start(context.WithoutCancel(ctx), s) // it is stored, so it must run
	g.put(s, r)
	return err
}

// end is where the source of a group ends.
func (g *Groups) end(ctx context.Context, key Key) (place, error) {
	if key.all() {
		return place{position: g.config.Store.Head()}, nil
	}
	info, err := g.config.Store.Stream(ctx, key.Stream)
	return place{revision: info.Last}, err
}

// Delete ends a group. Its consumers are dropped; its checkpoints and parked
// messages are soft-deleted. Errors: [ErrNotFound], [ErrNotReady], the store's,
// ctx's.
func (g *Groups) Delete(ctx context.Context, key Key) error {
	unlock, err := g.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	r, err := g.find(key)
	if err != nil {
		return err
	}
	defs := g.definitions()
	delete(defs, key)
	if err := g.writeConfig(ctx, g.config.NewID(), defs); err != nil {
		return fmt.Errorf("delete %v: %w", key, err)
	}
	g.remove(key)
	r.stop()
	if err := g.forget(context.WithoutCancel(ctx), key); err != nil {
		return fmt.Errorf("delete %v: %w", key, err)
	}
	g.config.Log.Info().Str("stream", key.Stream).Str("group", key.Group).Msg("persistent subscription deleted")
	return nil
}

// forget deletes what a group has written.
func (g *Groups) forget(ctx context.Context, key Key) error {
	for _, stream := range []string{key.checkpoints(), key.parked()} {
		info, err := g.config.Store.Stream(ctx, stream)
		if err != nil {
			return err
		}
		if info.Last == eventstore.NoStream || info.Deleted || info.Tombstoned {
			continue
		}
		if _, err := g.config.Store.Delete(ctx, stream, eventstore.Any); err != nil {
			return err
		}
	}
	return nil
}

// maxSlots bounds what one consumer can make the node hold in memory.
const maxSlots = 1 << 15

// Subscribe adds a consumer to a group; it gets at most 32,768 slots. Errors: [ErrNotFound],
// [ErrSubscriberLimit], [ErrNotReady], [ErrDropped] if the group changes at this
// moment, [*InvalidError], ctx's.
func (g *Groups) Subscribe(ctx context.Context, key Key, c Consumer) (*Subscription, error) {
	if c.Slots <= 0 {
		return nil, invalid("the buffer size must be positive")
	}
	r, err := g.find(key)
	if err != nil {
		return nil, err
	}
	c.Slots = min(c.Slots, maxSlots)
	s := &Subscription{group: r, consumer: newConsumer(c)}
	var refused error
	if err := r.do(ctx, func() { refused = r.state.join(s.consumer) }); err != nil {
		return nil, err
	}
	return s, refused
}

// ReplayParked brings the parked messages of a group back, those before revision
// stopAt of the parked stream, [eventstore.Last] for all. It does not wait for
// them. Errors: [ErrNotFound], [ErrNotReady], [ErrDropped] if the group changes
// at this moment, [*InvalidError], ctx's.
func (g *Groups) ReplayParked(ctx context.Context, key Key, stopAt eventstore.Revision) error {
	r, err := g.find(key)
	if err != nil {
		return err
	}
	if stopAt < 0 {
		return invalid("cannot stop replaying parked messages at a negative version")
	}
	return r.do(ctx, func() { r.state.startReplay(stopAt) })
}
