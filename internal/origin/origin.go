// Package origin notices that a data directory has got another event store.
//
// Read models, the outbox and the bus keep positions of the store that they
// were made from. A copy of that store has the same events at other positions,
// and so has a cluster that a laptop's history was moved to: whoever went on
// from an old position there would leave events out or see them twice, and
// nothing would show it. Positions alone do not tell one store from another,
// but the ID of an event at a position does.
//
// So the directory remembers one event of its store with its position, the
// newest of a moment ago. At the start [Keeper.Same] looks for it. If the store
// has another event there, everything that was derived from the old one is made
// anew: it takes time and loses nothing, since read models are functions of
// the events and effects keep their IDs.
//
// It does not notice a store that has the same events at the same positions,
// which needs no notice, nor one that differs only in what came after the
// remembered event: that is at most [Every] old when the process is killed.
package origin

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"konto/eventstore"
)

// Every is how old the remembered event may be while others come.
const Every = 10 * time.Second

// Keeper remembers for one directory. Set the fields before use.
type Keeper struct {
	Store eventstore.Store
	Path  string        // of the file that remembers
	Every time.Duration // 0 means [Every]

	written mark
}

// mark is what is remembered: an event, and the position of the one before it,
// from which it can be found.
type mark struct {
	Previous string `json:"previous"`
	Position string `json:"position"`
	ID       string `json:"id"`
}

// Same reports whether the store is the one that was remembered. It is if
// nothing was. Errors are the store's and the file system's.
func (k *Keeper) Same(ctx context.Context) (bool, error) {
	m, err := k.read()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("origin: %w", err)
	}
	previous, err := eventstore.ParsePosition(m.Previous)
	if err != nil {
		return false, nil // a damaged file remembers nothing that could be trusted
	}
	for r, err := range k.Store.ReadAll(ctx, eventstore.ReadAll{From: previous, Limit: 1}) {
		if err != nil {
			return false, fmt.Errorf("origin: %w", err)
		}
		return markOf(previous, r) == m, nil
	}
	return false, nil
}

// Forget removes what is remembered, for when all that was derived is gone.
func (k *Keeper) Forget() error {
	k.written = mark{}
	if err := os.Remove(k.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("origin: %w", err)
	}
	return nil
}

// Run remembers the newest event, now and then and once more when ctx ends. It
// returns nil then. A failure is told to failed and tried again.
func (k *Keeper) Run(ctx context.Context, failed func(error)) error {
	every := k.Every
	if every == 0 {
		every = Every
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := k.remember(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, eventstore.ErrClosed) {
			failed(err)
		}
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// readLimit bounds how long the store may take to name its newest event.
const readLimit = 5 * time.Second

// remember writes down the newest event, unless it is.
func (k *Keeper) remember(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	var newest []eventstore.Recorded
	for r, err := range k.Store.ReadAll(ctx, eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward, Limit: 2}) {
		if err != nil {
			return fmt.Errorf("origin: %w", err)
		}
		newest = append(newest, r)
	}
	var m mark
	switch len(newest) {
	case 0:
		return nil
	case 1:
		m = markOf(eventstore.Position{}, newest[0])
	default:
		m = markOf(newest[1].Position, newest[0])
	}
	if m == k.written {
		return nil
	}
	if err := k.write(m); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	k.written = m
	return nil
}

func markOf(previous eventstore.Position, r eventstore.Recorded) mark {
	return mark{previous.String(), r.Position.String(), hex.EncodeToString(r.ID[:])}
}

func (k *Keeper) read() (m mark, err error) {
	b, err := os.ReadFile(k.Path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return mark{}, nil //nolint:nilerr // as one that was never written whole
	}
	return m, nil
}

// write replaces the file. It is not synced: an older one is as good.
func (k *Keeper) write(m mark) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	unfinished := k.Path + ".new"
	if err := os.WriteFile(unfinished, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, k.Path)
}
