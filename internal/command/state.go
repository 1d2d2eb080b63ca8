package command

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
)

// entry is the folded state of one stream. Its fields are owned by whoever
// holds the lock.
type entry struct {
	stream   string
	contract domain.Contract
	turn     chan struct{} // holds a token while somebody has the lock

	state    any
	revision eventstore.Revision
	tenant   string
	// commands maps each command that left an event in the stream to the
	// revision of its last event. Keys are half of a UUID that hashes the
	// caller's key: 62 bits to clash within one stream.
	commands map[uint64]eventstore.Revision
	// cached says that the state was not read in this turn: the stream may
	// have moved on.
	cached bool
	// behind says that the stream has, or may have, events that are not folded.
	behind bool
	// begun counts the reads of the stream; anybody may look at it. The last one
	// that came through was number through.
	begun   atomic.Uint64
	through uint64
}

func (e *entry) lock(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *entry) unlock() { <-e.turn }

const defaultCacheStates = 1 << 16

// cache holds entries, least recently used first to go. A stream whose entry
// went while somebody held it gets a second entry; the two then meet at the
// store's revision check.
type cache struct{ entries *lru.Cache[string, *entry] }

func newCache(size int) *cache {
	if size <= 0 {
		size = defaultCacheStates
	}
	entries, err := lru.New[string, *entry](size)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &cache{entries}
}

func (c *cache) entry(contract domain.Contract, id string) *entry {
	stream := envelope.Stream(contract.Category(), id)
	if e, ok := c.entries.Get(stream); ok {
		return e
	}
	e := &entry{stream: stream, contract: contract, turn: make(chan struct{}, 1), behind: true}
	e.restart()
	if other, ok, _ := c.entries.PeekOrAdd(stream, e); ok {
		return other
	}
	return e
}

// Forget drops all folded states. It follows the destruction of a person's
// keys: what was opened before must not be there to be read any more. Commands
// that are under way keep theirs until they end.
func (h *Handler) Forget() { h.states.entries.Purge() }

// restart makes e what it is before the first event.
func (e *entry) restart() {
	e.state, e.revision, e.tenant = e.contract.New(), eventstore.NoStream, ""
	e.commands = map[uint64]eventstore.Revision{}
}

// moved says that e is no longer where it was when somebody looked at it.
func (e *entry) moved(from eventstore.Revision) error {
	return &eventstore.WrongRevisionError{Stream: e.stream, Expected: from, Current: e.revision}
}

// load folds what e lacks. Unless fresh is asked for, a state that nobody knows
// to be behind is taken as it is.
func (h *Handler) load(ctx context.Context, e *entry, fresh bool) error {
	if !e.behind && !fresh {
		e.cached = true
		return nil
	}
	e.behind = true // until the read has come through
	number := e.begun.Add(1)
	records := h.Store.Read(ctx, e.stream, eventstore.ReadStream{From: e.revision + 1})
	if err := h.foldAll(ctx, e, records); err != nil && !errors.Is(err, eventstore.ErrStreamNotFound) {
		return fmt.Errorf("load %s: %w", e.stream, err)
	}
	e.behind, e.cached, e.through = false, false, number
	return nil
}

// View calls see with the current state of an aggregate, the revision that it
// was folded to ([eventstore.NoStream] without history) and its owner. See
// must not keep the state or change it. View reads what the stream has gained
// since the state was cached, and blocks while a command on it is carried out.
// Those who wait for the same stream, such as a policy's, share a read that
// began after they came: each sees whatever was appended before it called.
func (h *Handler) View(ctx context.Context, category, id string, see func(state any, at eventstore.Revision, tenant string)) error {
	contract, ok := h.Contracts[category]
	if !ok {
		return fmt.Errorf("category %q: %w", category, domain.ErrUnknownType)
	}
	e := h.states.entry(contract, id)
	came := e.begun.Load()
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if err := h.load(ctx, e, e.through <= came); err != nil {
		return err
	}
	see(e.state, e.revision, e.tenant)
	return nil
}
