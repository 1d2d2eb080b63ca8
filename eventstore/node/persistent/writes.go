package persistent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"konto/eventstore"
)

// Types of the events that groups write.
const (
	checkpointType = "$SubscriptionCheckpoint"
	linkType       = "$>"
	metadataType   = "$metadata"
)

// load reads what is known of a group: its checkpoint and its parked stream.
func (g *Groups) load(ctx context.Context, d stored) (state, error) {
	s := state{all: d.all(), settings: d.Settings, strategy: newStrategy(d.Settings.Strategy), storedAt: g.config.Now()}
	s.resumed = d.Start.first()
	if d.Start.End {
		s.resumed = d.Origin
	}
	if err := g.loadCheckpoint(ctx, d, &s); err != nil {
		return s, fmt.Errorf("load %v: %w", d.Key, err)
	}
	s.seen = s.resumed
	info, err := g.config.Store.Stream(ctx, d.parked())
	if err != nil {
		return s, fmt.Errorf("load %v: %w", d.Key, err)
	}
	s.parkedEnd, s.truncated = info.Last+1, info.First
	if info.First == eventstore.NoStream || info.Deleted || info.Tombstoned {
		s.truncated = s.parkedEnd
	}
	s.replayAt, s.replayTo = s.truncated, s.truncated
	return s, nil
}

// loadCheckpoint finds the newest checkpoint that can be understood: as for
// definitions, nonsense must not keep the node from starting.
func (g *Groups) loadCheckpoint(ctx context.Context, d stored, s *state) error {
	newest := eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward}
	for e, err := range g.config.Store.Read(ctx, d.checkpoints(), newest) {
		switch {
		case errors.Is(err, eventstore.ErrStreamNotFound), errors.Is(err, eventstore.ErrStreamDeleted):
			return nil
		case err != nil:
			return err
		}
		p, err := parseCheckpoint(e.Data, d.all())
		if err == nil {
			s.resumed, s.stored = p, true
			return nil
		}
		g.config.Log.Warn().Err(err).Str("stream", e.Stream).Int64("revision", int64(e.Revision)).Msg("a checkpoint is not understood, an older one is used")
	}
	return nil
}

// checkpoint writes one if it is due.
func (g *group) checkpoint(ctx context.Context, timer bool) {
	if g.jobs[checkpointKind].busy {
		return
	}
	now := g.now()
	p, due := g.state.due(now, timer)
	if !due {
		return
	}
	finished, first := g.state.finished, !g.state.stored
	g.begin(ctx, checkpointKind, func(ctx context.Context) error {
		return g.writeCheckpoint(ctx, p, first)
	}, func() {
		g.state.checkpointed(p, finished, now)
	})
}

func (g *group) writeCheckpoint(ctx context.Context, p place, first bool) error {
	data := strconv.AppendQuote(nil, p.text(g.all()))
	written, err := g.store.Append(ctx, g.checkpoints(), eventstore.Any,
		eventstore.Event{ID: g.newID(), Type: checkpointType, Data: data})
	if err != nil || !first {
		return err
	}
	// Two, so that there is one also while the next is written. What an earlier
	// group of this name left behind stays hidden.
	return g.setMetadata(ctx, g.checkpoints(), map[string]int64{"$maxCount": 2, "$tb": int64(written.Revision)})
}

func (g *group) setMetadata(ctx context.Context, stream string, values map[string]int64) error {
	data, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("metadata of %s: %w", stream, err)
	}
	_, err = g.store.Append(ctx, "$$"+stream, eventstore.Any, eventstore.Event{ID: g.newID(), Type: metadataType, Data: data})
	return err
}

// parkBatch bounds what is parked with one append, and reasonBytes what
// somebody may say about it: an append must stay below the store's limit.
const (
	parkBatch   = 128
	reasonBytes = 4 << 10
)

// park writes what consumers have refused to the parked stream.
func (g *group) park(ctx context.Context) {
	if g.jobs[parkKind].busy {
		return
	}
	batch := g.state.beginPark(parkBatch)
	if len(batch) == 0 {
		return
	}
	events := make([]eventstore.Event, len(batch))
	for i := range batch {
		if batch[i].id == (eventstore.ID{}) {
			batch[i].id = g.newID()
		}
		events[i] = batch[i].link()
	}
	var last eventstore.Revision
	g.begin(ctx, parkKind, func(ctx context.Context) error {
		written, err := g.store.Append(ctx, g.parked(), eventstore.Any, events...)
		last = written.Revision
		return err
	}, func() {
		g.state.endPark(last)
	})
}

// link is a link to the event itself, not to the link that led to it, so that
// a message that is replayed and parked again still leads there.
func (p parked) link() eventstore.Event {
	target := &p.event
	data := fmt.Appendf(nil, "%d@%s", target.Revision, target.Stream)
	if unresolved(target) {
		data = target.Link.Data
	}
	reason := p.reason
	if len(reason) > reasonBytes {
		reason = strings.ToValidUTF8(reason[:reasonBytes], "")
	}
	meta, err := json.Marshal(struct {
		Added  time.Time           `json:"added"`
		Reason string              `json:"reason"`
		Number eventstore.Revision `json:"subscriptionEventNumber"`
	}{p.at.UTC(), reason, p.original().Revision})
	if err != nil {
		meta = nil // a year of five digits
	}
	return eventstore.Event{ID: p.id, Type: linkType, Binary: true, Data: data, Meta: meta}
}

// replay reads a page of parked messages if there is room for it.
func (g *group) replay(ctx context.Context) {
	if g.jobs[replayKind].busy || !g.state.wantsReplayed() {
		return
	}
	next, end := g.state.replayAt, g.state.replayTo
	var page []*message
	g.begin(ctx, replayKind, func(ctx context.Context) (err error) {
		page, next, err = g.readParked(ctx, next, end)
		return err
	}, func() {
		g.state.replayed(page, next)
	})
}

// readParked reads a page of the parked messages from revision next to end.
func (g *group) readParked(ctx context.Context, next, end eventstore.Revision) ([]*message, eventstore.Revision, error) {
	o := eventstore.ReadStream{From: next, Limit: g.Settings.ReadBatchSize, ResolveLinks: true}
	var page []*message
	for e, err := range g.store.Read(ctx, g.parked(), o) {
		switch {
		case errors.Is(err, eventstore.ErrStreamNotFound), errors.Is(err, eventstore.ErrStreamDeleted):
			return nil, end, nil // somebody has thrown them away
		case err != nil:
			return nil, next, err
		}
		raw := original(&e)
		if raw.Revision >= end {
			return page, end, nil
		}
		if unresolved(&e) {
			if e, err = g.lookUp(ctx, e); err != nil {
				return nil, next, err
			}
		}
		page = append(page, &message{event: e, seq: uint64(raw.Revision)}) //nolint:gosec // not negative
		next = raw.Revision + 1
	}
	if len(page) < o.Limit {
		next = end
	}
	return page, next, nil
}

// lookUp finds what a parked link leads to if that is an entry of an index,
// which the store does not follow links to.
func (g *group) lookUp(ctx context.Context, r eventstore.Recorded) (eventstore.Recorded, error) {
	number, stream, _ := strings.Cut(string(r.Link.Data), "@")
	revision, err := strconv.ParseInt(number, 10, 64)
	if err != nil || revision < 0 || !strings.HasPrefix(stream, "$") {
		return r, nil // it is no link, and is passed on as it is
	}
	for found, err := range g.store.Read(ctx, stream, eventstore.ReadStream{From: eventstore.Revision(revision), Limit: 1}) {
		switch {
		case errors.Is(err, eventstore.ErrStreamNotFound), errors.Is(err, eventstore.ErrStreamDeleted):
			return r, nil
		case err != nil:
			return r, err
		case found.Revision == eventstore.Revision(revision):
			found.Link = r.Link
			return found, nil
		}
	}
	return r, nil
}

// truncate hides parked messages that were replayed and finished.
func (g *group) truncate(ctx context.Context) {
	before := g.state.finishedParked()
	if g.jobs[truncateKind].busy || before <= g.state.truncated {
		return
	}
	g.begin(ctx, truncateKind, func(ctx context.Context) error {
		return g.setMetadata(ctx, g.parked(), map[string]int64{"$tb": int64(before)})
	}, func() {
		g.state.truncated = before
	})
}
