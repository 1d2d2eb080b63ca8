package storecopy

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"math"
	"strings"

	"konto/eventstore"
)

// Filler is the type of events that stand, in the target, for events that a
// scavenge has removed from the source.
const Filler = "$scavenged"

// kind is what an event is to a copy.
type kind int

const (
	ordinary  kind = iota
	metadata       // of a stream that is carried
	tombstone      // of a stream that is carried
	filler
	system // of the node's own streams
)

const tombstoneType = "$streamDeleted"

func kindOf(r *eventstore.Recorded) kind {
	name, isMeta := strings.CutPrefix(r.Stream, "$$")
	switch {
	case strings.HasPrefix(r.Stream, "$") && (!isMeta || strings.HasPrefix(name, "$")):
		return system
	case r.Type == Filler:
		return filler
	case isMeta:
		return metadata
	case r.Type == tombstoneType && r.Revision == math.MaxInt64:
		return tombstone
	}
	return ordinary
}

// inOrder reports whether the target has events of this kind exactly where the
// source has them.
func (c *copier) inOrder(k kind) bool {
	return k == ordinary || c.importer != nil && (k == metadata || k == tombstone)
}

// sameMetadata compares JSON by what it says: a store that rewrites metadata
// may order and space it as it likes.
func sameMetadata(a, b []byte) bool { return bytes.Equal(canonical(a), canonical(b)) }

// canonical orders the keys of JSON; what is no JSON stays as it is.
func canonical(data []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return data
	}
	out, err := json.Marshal(v)
	if err != nil {
		return data
	}
	return out
}

// source yields the events of the source after a position, up to the end that
// it had when the copy began. Some are read ahead.
func (c *copier) source(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return ahead(ctx, func(ctx context.Context) iter.Seq2[eventstore.Recorded, error] {
		return func(yield func(eventstore.Recorded, error) bool) {
			for r, err := range c.From.ReadAll(ctx, eventstore.ReadAll{From: after}) {
				if err == nil && r.Position.Compare(c.report.Head) > 0 || !yield(r, err) {
					return
				}
			}
		}
	})
}

// How many events are read ahead: pages of this many.
const (
	aheadPage  = 512
	aheadPages = 4
)

type page struct {
	events []eventstore.Recorded
	err    error // after the events
}

// ahead reads in a goroutine of its own, which ends with the loop.
func ahead(ctx context.Context, read func(context.Context) iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages, ended := make(chan page, aheadPages), make(chan struct{})
		defer func() {
			cancel()
			<-ended
		}()
		go func() {
			defer close(ended)
			defer close(pages)
			send(ctx, read(ctx), pages)
		}()
		for p := range pages {
			for _, r := range p.events {
				if !yield(r, nil) {
					return
				}
			}
			if p.err != nil {
				yield(eventstore.Recorded{}, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(eventstore.Recorded{}, err)
		}
	}
}

func send(ctx context.Context, events iter.Seq2[eventstore.Recorded, error], pages chan<- page) {
	p := page{events: make([]eventstore.Recorded, 0, aheadPage)}
	flush := func() bool {
		select {
		case pages <- p:
			p = page{events: make([]eventstore.Recorded, 0, aheadPage)}
			return true
		case <-ctx.Done():
			return false
		}
	}
	for r, err := range events {
		if err != nil {
			p.err = err
			flush()
			return
		}
		if p.events = append(p.events, r); len(p.events) == aheadPage && !flush() {
			return
		}
	}
	flush()
}
