package projector

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"konto/eventstore"
	"konto/internal/readdb"
	"konto/internal/relay/typed"
)

const (
	// chunkEvents is how many events a transaction takes while catching up.
	// Above some thousand nothing is gained; below, each transaction's fixed
	// cost shows.
	chunkEvents = 4000
	// chunksAhead is how many chunks are decoded ahead of the writer.
	chunksAhead = 4
)

// chunk is a run of events on its way through the pipeline.
type chunk struct {
	events []eventstore.Recorded
	items  []typed.Event
	ready  chan struct{} // closed when items are there
	to     eventstore.Position
	err    error // ends the pipeline
}

// readThrough takes the cohort over all that the store holds: one goroutine
// reads, some decode, the caller's writes. Members that fail are given to
// part, which takes them out of the cohort.
func (p *Projector) readThrough(ctx context.Context, db *readdb.DB, cohort []*runner, part func([]*runner), progress func(int, eventstore.Position)) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	order := make(chan *chunk, chunksAhead)
	work := make(chan *chunk, chunksAhead)
	from := lowest(cohort)
	group.Go(func() { p.read(ctx, from, order, work) })
	d := p.decoder()
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for c := range work {
				c.items = d.Batch(c.events)
				close(c.ready)
			}
		})
	}
	done := 0
	for c := range order {
		<-c.ready
		if c.err != nil {
			return c.err
		}
		failed, err := p.commit(ctx, db, cohort, c.items, c.to)
		if err != nil {
			return err
		}
		if len(failed) > 0 {
			part(failed)
			if cohort = without(cohort, failed); len(cohort) == 0 {
				return nil
			}
		}
		done += len(c.items)
		if progress != nil {
			progress(done, c.to)
		}
	}
	return ctx.Err()
}

// read cuts the store into chunks. System events only move the checkpoint.
func (p *Projector) read(ctx context.Context, from eventstore.Position, order, work chan<- *chunk) {
	defer close(order)
	defer close(work)
	// First to those who decode: what is in order is sure to become ready.
	send := func(c *chunk) bool {
		for _, to := range []chan<- *chunk{work, order} {
			select {
			case to <- c:
			case <-ctx.Done():
				return false
			}
		}
		return true
	}
	next := func() *chunk { return &chunk{ready: make(chan struct{})} }
	c := next()
	for e, err := range p.Store.ReadAll(ctx, eventstore.ReadAll{From: from}) {
		if err != nil {
			c.err = fmt.Errorf("read events: %w", err)
			break
		}
		c.to = e.Position
		if e.System() {
			continue
		}
		if c.events = append(c.events, e); len(c.events) >= chunkEvents {
			if !send(c) {
				return
			}
			c = next()
		}
	}
	if c.err != nil || c.to != (eventstore.Position{}) {
		send(c)
	}
}

// Rebuild empties db and builds all projections in it, from the first event to
// the last that the store holds when it gets there. After each transaction it
// tells progress, if that is not nil, how many events are done and how many
// there probably are: positions have gaps, so the total is an estimate until
// the end. A projection that fails ends it.
func (p *Projector) Rebuild(ctx context.Context, db *readdb.DB, progress func(done, total int)) error {
	head, err := eventstore.Head(ctx, p.Store)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	cohort := make([]*runner, len(p.Projections))
	for i, x := range p.Projections {
		if err := db.Reset(ctx, x); err != nil {
			return fmt.Errorf("rebuild: %w", err)
		}
		cohort[i] = newRunner(x, eventstore.Position{})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	part := func(failed []*runner) {
		s := p.board().of(failed[0].Name)
		cancel(fmt.Errorf("rebuild: projection %s: %s", failed[0].Name, s.Detail))
	}
	done := 0
	err = p.readThrough(ctx, db, cohort, part, func(n int, at eventstore.Position) {
		done = n
		if progress != nil && at.Commit > 0 {
			progress(n, max(n, int(float64(n)*float64(head.Commit)/float64(at.Commit))))
		}
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if progress != nil {
		progress(done, done)
	}
	return nil
}
