package persistent

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// Busy reports whether the subscription's group has something to read or to
// write, for tests that want to see that something does not happen.
func (s *Subscription) Busy(ctx context.Context) (busy bool, err error) {
	g := s.group
	end, err := s.end(ctx)
	if err != nil {
		return false, nil //nolint:nilerr // a group whose store is closed is not busy
	}
	err = g.do(ctx, func() {
		seen := g.state.seen.revision >= end.revision
		if g.all() {
			seen = g.state.seen.position.Compare(end.position) >= 0
		}
		busy = g.active > 0 || g.reads == following && g.state.room() && !seen
	})
	return busy, err
}

// end is where the last event is that the group may see.
func (s *Subscription) end(ctx context.Context) (place, error) {
	g := s.group
	if !g.all() {
		info, err := g.store.Stream(ctx, g.Stream)
		return place{revision: info.Last}, err
	}
	newest := eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}
	for e, err := range g.store.ReadAll(ctx, newest) {
		if err != nil || !filter.Hidden(&e) {
			return at(&e), err
		}
	}
	return place{}, nil
}

// Fetch is Next without waiting.
func (s *Subscription) Fetch(ctx context.Context) (messages []Message, err error) {
	err = s.group.do(ctx, func() { messages = s.consumer.fetch(s.group.now()) })
	return messages, err
}

// Definitions reads stored definitions and stores them again, sorted.
func Definitions(data []byte) (defs []Definition, again []byte, err error) {
	all, err := parseConfig(eventstore.Recorded{Event: eventstore.Event{Type: configType, Data: data}})
	if err != nil {
		return nil, nil, err
	}
	file := configFile{Version: configVersion, Entries: []entry{}}
	for _, d := range all {
		defs, file.Entries = append(defs, d.Definition), append(file.Entries, d.entry())
	}
	byName := func(a, b Key) int { return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Group, b.Group)) }
	slices.SortFunc(defs, func(a, b Definition) int { return byName(a.Key, b.Key) })
	slices.SortFunc(file.Entries, func(a, b entry) int { return byName(Key{a.Stream, a.Group}, Key{b.Stream, b.Group}) })
	again, err = json.Marshal(file)
	return defs, again, err
}

// Validate is exported for tests.
func (d Definition) Validate() error { return d.validate() }

// Checkpoint reads a checkpoint and returns it as it is written.
func Checkpoint(data []byte, all bool) (string, error) {
	p, err := parseCheckpoint(data, all)
	if err != nil {
		return "", err
	}
	return p.text(all), nil
}
