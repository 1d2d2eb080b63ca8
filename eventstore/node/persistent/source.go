package persistent

import (
	"context"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/filter"
)

// reader makes messages of what is read of the source.
type reader struct {
	group  *group
	filter *filter.Filter
	seen   place
	chunk  chunk
}

// step passes events on in pieces of read_batch_size. It reports whether to go on.
func (r *reader) step(ctx context.Context, step engine.Step) bool {
	for i := range step.Events {
		r.take(&step.Events[i])
		if len(r.chunk.messages) >= r.group.Settings.ReadBatchSize && !r.flush(ctx) {
			return false
		}
	}
	r.chunk.live = step.Live
	return r.flush(ctx)
}

func (r *reader) take(e *eventstore.Recorded) {
	raw := original(e)
	before := r.seen
	r.seen = at(raw)
	r.chunk.seen = r.seen
	switch {
	case r.group.all() && filter.Hidden(raw):
		// It counts for nothing: it may be a checkpoint of this group.
	case r.group.all() && (raw.ID == r.group.CreatedBy || !r.filter.Matches(raw)):
		r.chunk.skipped++
	default:
		m := &message{event: *e, before: before}
		if e.Link != nil { // the step's events are valid until the next step
			link := *e.Link
			m.event.Link = &link
		}
		r.chunk.messages = append(r.chunk.messages, m)
	}
}

func (r *reader) flush(ctx context.Context) bool {
	c := r.chunk
	r.chunk = chunk{}
	if len(c.messages) == 0 && c.skipped == 0 && !c.live {
		return true
	}
	return r.offer(ctx, c)
}

func (r *reader) offer(ctx context.Context, c chunk) bool {
	select {
	case r.group.source <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
