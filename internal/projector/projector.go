// Package projector keeps the read models up to date with the events.
//
// Each projection sees each event once and in the order of the store: its rows
// and its checkpoint move in one transaction. Projections that are at the same
// point share a transaction per batch, each behind a savepoint of its own. One
// that cannot apply an event is taken out, says so in [Projector.Status], and
// is tried again while the others go on.
//
// A projection that is behind, because it is new, has a new version or had
// failed, reads the event store in large transactions until it has caught up,
// and then joins those that follow the feed.
//
// # What is not skipped
//
// An event of a registered category whose type no contract knows was written
// by a newer program. Passing over it would leave read models wrong for ever
// without a trace, so every projection stops there until the program is
// replaced. Events of unknown categories are somebody else's and are passed
// over.
package projector

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/readdb"
	"konto/internal/relay"
	"konto/internal/relay/typed"
	"konto/projections"
)

// Projector applies events to projections. Set the fields before Run; they
// are all needed unless their comment says otherwise.
type Projector struct {
	Feed        *relay.Feed
	Store       eventstore.Store
	DB          *readdb.DB
	Projections []projections.Projection
	Contracts   envelope.Contracts
	// Annotate adds to each sealed value in data what is needed to open it
	// outside its event; nil leaves data as it is.
	Annotate func(data []byte, tenant, stream, eventID, typ string) []byte
	Now      func() time.Time
	Rand     *rand.Rand // jitter of retries; nil means none
	Metrics  Metrics
	Log      zerolog.Logger

	once  sync.Once
	state *board
}

// Metrics are told what a projector does; a nil function is not called.
type Metrics struct {
	// Applied: a transaction took a projection so many events on.
	Applied func(projection string, events int, took time.Duration)
	// Visible: the live projections have applied these events.
	Visible func(events []eventstore.Recorded)
	// Failed: a projection could not apply an event; see the Failure constants.
	Failed func(projection, category string)
}

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 30 * time.Second
)

// Run keeps the projections up to date until ctx ends, and returns nil then.
// It returns an error only if it cannot start: if the tables cannot be made or
// the checkpoints cannot be read. Whoever waits for projections before Run has
// begun calls [readdb.DB.Migrate] first; Run calls it in any case.
func (p *Projector) Run(ctx context.Context) error {
	cohorts, err := p.cohorts(ctx)
	if err != nil {
		return unlessEnded(ctx, fmt.Errorf("projector: %w", err))
	}
	e := &engine{Projector: p, board: p.board(), joined: make(chan struct{})}
	for _, cohort := range cohorts {
		e.group.Go(func() { e.chase(ctx, cohort, 0) })
	}
	e.group.Go(func() { e.follow(ctx) })
	e.group.Wait()
	return nil
}

// unlessEnded returns err, or nil if ctx has ended and err comes from that.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// cohorts returns the projections by where they are. One that has seen what
// the store does not hold belongs to another store and starts over.
func (p *Projector) cohorts(ctx context.Context) (map[eventstore.Position][]*runner, error) {
	if err := p.DB.Migrate(ctx, p.Projections); err != nil {
		return nil, err
	}
	head, err := eventstore.Head(ctx, p.Store)
	if err != nil {
		return nil, err
	}
	cohorts := map[eventstore.Position][]*runner{}
	for _, x := range p.Projections {
		c, _ := p.DB.Checkpoint(x.Name)
		if c.Position.Compare(head) > 0 {
			p.Log.Warn().Str("projection", x.Name).Stringer("position", c.Position).Stringer("head", head).
				Msg("read model is ahead of the store, which was replaced")
			if err := p.DB.Reset(ctx, x); err != nil {
				return nil, err
			}
			c.Position = eventstore.Position{}
		}
		cohorts[c.Position] = append(cohorts[c.Position], newRunner(x, c.Position))
	}
	return cohorts, nil
}

// engine is one run of a projector.
type engine struct {
	*Projector
	*board
	group sync.WaitGroup

	// turn is held while the live projections apply a batch and while others
	// join them.
	turn   sync.Mutex
	live   []*runner
	at     eventstore.Position // all events up to here were given to live
	joined chan struct{}       // closed when live has had its first member
}

// follow gives what the feed has to the live projections.
func (e *engine) follow(ctx context.Context) {
	select {
	case <-e.joined:
	case <-ctx.Done():
		return
	}
	d := e.decoder()
	for backoff := minBackoff; ctx.Err() == nil; {
		err := e.followFrom(ctx, d, &backoff)
		if ctx.Err() != nil {
			return
		}
		e.Log.Warn().Err(err).Dur("retryIn", backoff).Msg("projector interrupted")
		e.pause(ctx, backoff)
		backoff = min(2*backoff, maxBackoff)
	}
}

func (e *engine) followFrom(ctx context.Context, d *typed.Decoder, backoff *time.Duration) error {
	e.turn.Lock()
	at := e.at
	e.turn.Unlock()
	for events, err := range e.Feed.From(ctx, at) {
		if err != nil {
			return err
		}
		if len(events) == 0 {
			continue
		}
		if err := e.apply(ctx, d, events); err != nil {
			return err
		}
		*backoff = minBackoff
	}
	return errors.New("projector: the feed ended")
}

// apply takes the live projections over events.
func (e *engine) apply(ctx context.Context, d *typed.Decoder, events []eventstore.Recorded) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	to := events[len(events)-1].Position
	failed, err := e.commit(ctx, e.DB, e.live, d.Batch(events), to)
	if err != nil {
		return err
	}
	e.at = to
	e.live = without(e.live, failed)
	if e.Metrics.Visible != nil {
		e.Metrics.Visible(events)
	}
	for _, r := range failed {
		e.group.Go(func() { e.chase(ctx, []*runner{r}, e.delay(r)) })
	}
	return nil
}

// chase takes a cohort through the store, after a delay, until it can join the
// live projections. A member that fails goes on alone.
func (e *engine) chase(ctx context.Context, cohort []*runner, delay time.Duration) {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		if !e.pause(ctx, delay) {
			return
		}
		done, err := e.catchUp(ctx, &cohort)
		if ctx.Err() != nil || done {
			return
		}
		if err != nil {
			e.Log.Warn().Err(err).Dur("retryIn", backoff).Msg("projector interrupted")
			delay = backoff
		}
	}
}

// catchUp takes the cohort to the store's end and lets it join. It reports
// whether nothing is left to do for the caller.
func (e *engine) catchUp(ctx context.Context, cohort *[]*runner) (done bool, err error) {
	part := func(failed []*runner) {
		*cohort = without(*cohort, failed)
		for _, r := range failed {
			e.group.Go(func() { e.chase(ctx, []*runner{r}, e.delay(r)) })
		}
	}
	if err := e.readThrough(ctx, e.DB, *cohort, part, nil); err != nil || len(*cohort) == 0 {
		return err == nil, err
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	// Since the end was reached the others may have gone on, by what little
	// has come since.
	if lowest(*cohort).Compare(e.at) < 0 {
		if err := e.readThrough(ctx, e.DB, *cohort, part, nil); err != nil || len(*cohort) == 0 {
			return err == nil, err
		}
	}
	select {
	case <-e.joined:
	default:
		e.at = lowest(*cohort)
		close(e.joined)
	}
	e.live = append(e.live, *cohort...)
	for _, r := range *cohort {
		e.lives(r)
		e.Log.Info().Str("projection", r.Name).Stringer("position", r.at).Msg("projection is live")
	}
	return true, nil
}

// delay is how long to leave a failed projection alone.
func (e *engine) delay(r *runner) time.Duration {
	return min(minBackoff<<min(r.attempts-1, 20), maxBackoff)
}

// pause waits for about d and reports whether ctx still lives.
func (e *engine) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(e.jitter(e.Rand, d))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
