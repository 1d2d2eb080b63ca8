package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// EngineReport is about the embedded event store in process, events of about
// 600 bytes, not decoded.
type EngineReport struct {
	Sync    Rate         `json:"sync"` // the ceiling of one writer: 600 bytes and a sync at a time
	Appends []EngineCell `json:"appends"`
	// Events per second, read by one goroutine.
	ReadAll    float64 `json:"readAllPerSecond"`
	ReadStream float64 `json:"readStreamPerSecond"`
	ReadShort  float64 `json:"readShortStreamsPerSecond"` // of 30 events
}

// EngineCell is appends of one event each, to streams of the writer's own, with
// the exact revision.
type EngineCell struct {
	Writers int `json:"writers"`
	Rate
	PerSync float64 `json:"perSync"` // appends for each sync of the ceiling
}

// The shape of what is read.
const (
	longStream   = 100_000
	shortStreams = 2_000
	shortStream  = 30
)

func (b *bench) engine(ctx context.Context, dir string) (_ *EngineReport, err error) {
	r := &EngineReport{}
	b.step("engine: one writer, a sync at a time")
	if r.Sync, err = b.syncs(ctx, filepath.Join(dir, "ceiling")); err != nil {
		return nil, err
	}
	for _, n := range b.Callers {
		b.step("engine: %d writers", n)
		c, err := b.appends(ctx, filepath.Join(dir, fmt.Sprint("writers-", n)), n)
		if err != nil {
			return nil, err
		}
		c.PerSync = round(c.PerSecond / r.Sync.PerSecond)
		r.Appends = append(r.Appends, c)
	}
	b.step("engine: filling a store to read from")
	s, err := engine.Open(filepath.Join(dir, "read"), engine.Config{Now: b.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := fill(ctx, s); err != nil {
		return nil, err
	}
	b.step("engine: reading")
	return r, b.reads(ctx, s, r)
}

var record = []byte(`{"amountCents":1234,"currency":"EUR","sealed":"` + string(bytes.Repeat([]byte("x"), 463)) + `"}`)

func event(n uint64) eventstore.Event {
	e := eventstore.Event{Type: "PaymentMade", Data: record, Meta: []byte(`{"tenant":"t1"}`)}
	binary.BigEndian.PutUint64(e.ID[:], n*0x9e3779b97f4a7c15|1)
	binary.BigEndian.PutUint64(e.ID[8:], n+1)
	return e
}

func (b *bench) syncs(ctx context.Context, path string) (_ Rate, err error) {
	f, err := os.Create(path) //nolint:gosec // in our own directory
	if err != nil {
		return Rate{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	bytes := make([]byte, 600)
	return b.closed(ctx, b.Duration, []loop{func(context.Context) (time.Duration, error) {
		began := b.Now()
		if _, err := f.Write(bytes); err != nil {
			return 0, err
		}
		err := f.Sync()
		return b.Now().Sub(began), err
	}})
}

// streamsEach is how many streams a writer takes turns with.
const streamsEach = 40

func (b *bench) appends(ctx context.Context, dir string, writers int) (_ EngineCell, err error) {
	s, err := engine.Open(dir, engine.Config{Now: b.Now})
	if err != nil {
		return EngineCell{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	runtime.GC()
	loops := make([]loop, writers)
	for w := range writers {
		var names [streamsEach]string
		for i := range names {
			names[i] = fmt.Sprintf("account-%d-%d", w, i)
		}
		n := 0
		loops[w] = func(ctx context.Context) (time.Duration, error) {
			expected := eventstore.Revision(n/streamsEach) - 1
			e := event(uint64(w)<<40 + uint64(n)) //nolint:gosec // small
			began := b.Now()
			_, err := s.Append(ctx, names[n%streamsEach], expected, e)
			n++
			return b.Now().Sub(began), err
		}
	}
	rate, err := b.closed(ctx, b.Duration, loops)
	return EngineCell{Writers: writers, Rate: rate}, err
}

func fill(ctx context.Context, s eventstore.Store) error {
	const batch = 500
	for n := uint64(0); n < longStream; n += batch {
		events := make([]eventstore.Event, batch)
		for i := range events {
			events[i] = event(n + uint64(i))
		}
		if _, err := s.Append(ctx, "long", eventstore.Any, events...); err != nil {
			return err
		}
	}
	// Event by event, so that the streams lie mixed, as those of a life do.
	return each(ctx, shortStreams, func(ctx context.Context, i int) error {
		for n := range uint64(shortStream) {
			if _, err := s.Append(ctx, short(i), eventstore.Any, event(uint64(i+1)<<40+n)); err != nil { //nolint:gosec // small
				return err
			}
		}
		return nil
	})
}

func short(i int) string { return fmt.Sprintf("account-%d", i) }

func (b *bench) reads(ctx context.Context, s eventstore.Store, r *EngineReport) (err error) {
	rate := func(read func(n int) iter.Seq2[eventstore.Recorded, error]) float64 {
		began, events := b.Now(), 0
		for n := 0; err == nil && b.Now().Sub(began) < b.Duration/3; n++ {
			for _, e := range read(n) {
				if e != nil {
					err = e
					break
				}
				events++
			}
		}
		return float64(int(float64(events) / b.Now().Sub(began).Seconds()))
	}
	r.ReadAll = rate(func(int) iter.Seq2[eventstore.Recorded, error] { return s.ReadAll(ctx, eventstore.ReadAll{}) })
	r.ReadStream = rate(func(int) iter.Seq2[eventstore.Recorded, error] {
		return s.Read(ctx, "long", eventstore.ReadStream{})
	})
	r.ReadShort = rate(func(n int) iter.Seq2[eventstore.Recorded, error] {
		return s.Read(ctx, short(n*7919%shortStreams), eventstore.ReadStream{})
	})
	return err
}
