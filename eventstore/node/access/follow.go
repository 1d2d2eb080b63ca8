package access

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// again is how long is waited after reading the store failed.
const again = time.Second

// rememberedStreams bounds the streams and users whose newest events need not
// be looked for, at some 200 bytes each.
const rememberedStreams = 1 << 14

// memory is what the store's newest events say of streams, users and settings.
// One goroutine follows the store and forgets what changes. What is remembered
// counts only while that goroutine has seen everything: a decision is made by
// what is durable when it is asked for, and looking it up costs some ten
// microseconds.
type memory struct {
	store *engine.Store
	seen  atomic.Uint64 // all changes up to this position are forgotten

	sync.Mutex
	changes  uint64                                  // that were seen; what was read before one may be old
	lists    *lru.Cache[string, *engine.ACL]         // of streams; nil if they have none
	users    *lru.Cache[string, eventstore.Revision] // see userRevision
	defaults *defaults
	watchers map[string]map[chan struct{}]struct{} // by stream
}

func newMemory(store *engine.Store) (*memory, error) {
	m := &memory{store: store, watchers: make(map[string]map[chan struct{}]struct{})}
	var err error
	if m.lists, err = lru.New[string, *engine.ACL](rememberedStreams); err != nil {
		return nil, err
	}
	m.users, err = lru.New[string, eventstore.Revision](rememberedStreams)
	return m, err
}

// current reports whether what is remembered is what is durable.
func (m *memory) current() bool { return m.seen.Load() == m.store.Head().Commit }

// recall returns what remembered returns if that is current, else what read
// returns, and lets keep remember it.
func recall[V any](m *memory, remembered func() (V, bool), read func() (V, error), keep func(V)) (V, error) {
	m.Lock()
	changes := m.changes
	v, ok := remembered()
	m.Unlock()
	if ok && m.current() {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	m.Lock()
	defer m.Unlock()
	if m.changes == changes {
		keep(v)
	}
	return v, nil
}

// Watch tells when a decision about a stream may have become another one,
// because its metadata or `$settings` changed: changed then holds a token, and
// one stands for any number of changes. Ask [Control.Allow] after Watch and
// whenever a token comes. A token may come later than events that were appended
// after the change. Call stop when nobody listens any more.
func (c *Control) Watch(stream string) (changed <-chan struct{}, stop func()) {
	m := c.memory
	m.Lock()
	defer m.Unlock()
	stream = strings.TrimPrefix(stream, "$$")
	ch := make(chan struct{}, 1)
	if m.watchers[stream] == nil {
		m.watchers[stream] = make(map[chan struct{}]struct{})
	}
	m.watchers[stream][ch] = struct{}{}
	return ch, func() {
		m.Lock()
		defer m.Unlock()
		delete(m.watchers[stream], ch)
		if len(m.watchers[stream]) == 0 {
			delete(m.watchers, stream)
		}
	}
}

// follow forgets what changes after a position, and wakes watchers, until ctx
// ends.
func (m *memory) follow(ctx context.Context, after eventstore.Position) {
	m.seen.Store(after.Commit)
	timer := time.NewTimer(again)
	defer timer.Stop()
	for {
		for events, err := range m.store.Subscribe(ctx, after) {
			if err != nil {
				break
			}
			for i := range events {
				m.changed(events[i].Stream)
			}
			after = events[len(events)-1].Position
			m.seen.Store(after.Commit)
		}
		timer.Reset(again) // the store is closed, or reading it failed
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

// changed forgets what an event in stream may have changed.
func (m *memory) changed(stream string) {
	if !strings.HasPrefix(stream, "$") {
		return
	}
	described, isMeta := strings.CutPrefix(stream, "$$")
	login, isUser := strings.CutPrefix(described, userPrefix) // also metadata: it may delete the user
	isSettings := described == settingsStream
	if !isMeta && !isUser && !isSettings {
		return
	}
	m.Lock()
	defer m.Unlock()
	m.changes++
	if isUser {
		m.users.Remove(login)
	}
	if isMeta {
		m.lists.Remove(described)
		wake(m.watchers[described])
	}
	if isSettings {
		m.defaults = nil
		for _, all := range m.watchers {
			wake(all)
		}
	}
}

func wake(all map[chan struct{}]struct{}) {
	for ch := range all {
		select {
		case ch <- struct{}{}:
		default: // a token waits already
		}
	}
}
