package storecopy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"time"

	"konto/eventstore"
)

// comparison reads both stores side by side. In the order of $all the target
// must have what the source has; other events may lie between.
type comparison struct {
	*copier
	phase  Phase
	whole  bool      // to the end of the source, not only of what the target has
	digest hash.Hash // of the source; nil: not wanted
	seed   maphash.Seed

	matched int64
	upTo    eventstore.Position // of the source: all that comes before is in the target
	streams map[uint64]struct{} // of the source
	// What has no place in the order, of source and target: the newest metadata
	// of each stream, and the streams with a tombstone.
	here, there extras
	// foreign has the target's other events, by stream, until the source ended.
	foreign map[uint64]*foreign
	missing int64
	first   eventstore.Recorded // of the missing ones
}

type extras struct {
	metadata map[string][]byte
	deleted  map[string]bool
}

type foreign struct {
	name   string
	events int64
}

func (c *copier) comparison(p Phase) *comparison {
	none := func() extras { return extras{map[string][]byte{}, map[string]bool{}} }
	return &comparison{
		copier: c, phase: p, seed: maphash.MakeSeed(), streams: map[uint64]struct{}{},
		here: none(), there: none(), foreign: map[uint64]*foreign{},
	}
}

// find compares until the target ends.
func (c *copier) find(ctx context.Context) (*comparison, error) {
	x := c.comparison(Finding)
	if err := x.run(ctx); err != nil {
		return nil, fmt.Errorf("compare what is there: %w", err)
	}
	if c.report.Different > 0 {
		return nil, fmt.Errorf("%w: %s", ErrOtherData, c.report.Differences[0])
	}
	return x, nil
}

// check compares all of it and completes the report.
func (c *copier) check(ctx context.Context) error {
	c.done = 0
	c.report.Foreign, c.report.Later, c.report.Fillers, c.report.LeftOut, c.report.Times = 0, 0, 0, 0, 0
	x := c.comparison(Checking)
	x.whole, x.digest = true, sha256.New()
	if err := x.run(ctx); err != nil {
		return err
	}
	for key, f := range x.foreign {
		if _, known := x.streams[key]; known {
			c.differ("stream %s: the target has %d events that the source has not, or not there", f.name, f.events)
		} else {
			c.report.Foreign += f.events
		}
	}
	if x.missing > 0 {
		c.differ("%d events are missing, or in another order, from %s@%d on", x.missing, x.first.Stream, x.first.Revision)
		c.report.Different += x.missing - 1
	}
	x.compareExtras()
	c.report.Events, c.report.Streams = c.done, int64(len(x.streams))
	c.report.Metadata, c.report.Deleted = int64(len(x.here.metadata)), int64(len(x.here.deleted))
	c.report.Digest = hex.EncodeToString(x.digest.Sum(nil))
	return nil
}

// maxDifferences is how many are described.
const maxDifferences = 20

func (c *copier) differ(format string, args ...any) {
	if c.report.Different++; len(c.report.Differences) < maxDifferences {
		c.report.Differences = append(c.report.Differences, fmt.Sprintf(format, args...))
	}
}

func (x *comparison) run(ctx context.Context) error {
	next, stop := iter.Pull2(x.source(ctx, eventstore.Position{}))
	defer stop()
	want, more, err := x.next(next)
	if err != nil {
		return err
	}
	target := func(ctx context.Context) iter.Seq2[eventstore.Recorded, error] {
		return x.To.ReadAll(ctx, eventstore.ReadAll{})
	}
	for have, err := range ahead(ctx, target) {
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		if !x.target(&have) {
			continue
		}
		if !more || have.Stream != want.Stream || have.Revision != want.Revision {
			x.other(&have, !more)
			continue
		}
		x.match(&want, &have)
		if want, more, err = x.next(next); err != nil {
			return err
		}
	}
	if more {
		x.first = want
	}
	for more && x.whole {
		x.missing++
		if want, more, err = x.next(next); err != nil {
			return err
		}
	}
	return nil
}

// next returns the source's next event that has a place in the order.
func (x *comparison) next(pull func() (eventstore.Recorded, error, bool)) (eventstore.Recorded, bool, error) {
	for {
		r, err, ok := pull()
		if err != nil {
			return r, false, fmt.Errorf("source: %w", err)
		}
		if !ok {
			x.upTo = x.report.Head
			return r, false, nil
		}
		k := kindOf(&r)
		if k == system {
			x.report.LeftOut++
		} else {
			x.step(x.phase, r.Position)
			x.streams[maphash.String(x.seed, r.Stream)] = struct{}{}
			x.here.note(&r, k)
		}
		if x.inOrder(k) || k == filler { // a filler in the source is an event like others
			x.add(&r)
			return r, true, nil
		}
	}
}

// target reports whether r, of the target, has a place in the order.
func (x *comparison) target(r *eventstore.Recorded) bool {
	k := kindOf(r)
	if k == filler {
		x.report.Fillers++
	}
	x.there.note(r, k)
	return x.inOrder(k) || k == filler
}

func (e *extras) note(r *eventstore.Recorded, k kind) {
	switch k {
	case metadata:
		e.metadata[r.Stream] = bytes.Clone(r.Data)
	case tombstone:
		e.deleted[r.Stream] = true
	case ordinary, filler, system:
	}
}

// match compares two events at the same place.
func (x *comparison) match(want, have *eventstore.Recorded) {
	x.matched++
	x.upTo = want.Position
	what := ""
	switch {
	case want.ID != have.ID:
		what = "another event"
	case want.Type != have.Type || want.Binary != have.Binary:
		what = "another type or content type"
	case !bytes.Equal(want.Data, have.Data):
		what = "other data"
	case !bytes.Equal(want.Meta, have.Meta):
		what = "other metadata"
	}
	if !want.At.Truncate(time.Microsecond).Equal(have.At.Truncate(time.Microsecond)) {
		x.report.Times++
	}
	if what != "" {
		x.differ("stream %s: the target has %s at revision %d", want.Stream, what, want.Revision)
	}
}

// other notes an event of the target that is not the one expected.
func (x *comparison) other(r *eventstore.Recorded, sourceEnded bool) {
	key := maphash.String(x.seed, r.Stream)
	if r.Type == Filler {
		return
	}
	if _, known := x.streams[key]; known && sourceEnded {
		x.report.Later++
		return
	}
	f := x.foreign[key]
	if f == nil {
		f = &foreign{name: r.Stream}
		x.foreign[key] = f
	}
	f.events++
}

// add takes an event of the source into the digest.
func (x *comparison) add(r *eventstore.Recorded) {
	if x.digest == nil || kindOf(r) != ordinary {
		return // what has no place in the order comes at the end
	}
	var head [8 + 16 + 1]byte
	binary.BigEndian.PutUint64(head[:], uint64(r.Revision)) //nolint:gosec // bits
	copy(head[8:], r.ID[:])
	if r.Binary {
		head[24] = 1
	}
	x.put([]byte(r.Stream), head[:], []byte(r.Type), r.Meta, r.Data)
}

func (x *comparison) put(fields ...[]byte) {
	var length [4]byte
	for _, f := range fields {
		binary.BigEndian.PutUint32(length[:], uint32(len(f))) //nolint:gosec // an event has at most 16 MiB
		_, _ = x.digest.Write(length[:])                      // never fails
		_, _ = x.digest.Write(f)
	}
}

// compareExtras compares what has no place in the order.
func (x *comparison) compareExtras() {
	for _, stream := range slices.Sorted(maps.Keys(x.here.metadata)) {
		want := x.here.metadata[stream]
		x.put([]byte(stream), canonical(want))
		if have, ok := x.there.metadata[stream]; !ok || !sameMetadata(want, have) {
			x.differ("stream %s: the target's newest metadata is another", stream)
		}
	}
	for _, stream := range slices.Sorted(maps.Keys(x.here.deleted)) {
		x.put([]byte(stream), []byte(tombstoneType))
		if !x.there.deleted[stream] {
			x.differ("stream %s: the target has no tombstone", stream)
		}
	}
}
