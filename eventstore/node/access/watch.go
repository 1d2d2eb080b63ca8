package access

import (
	"context"
	"strings"
	"sync"
	"time"

	"konto/eventstore"
)

// watch knows who wants to hear of changes. While somebody does, one
// goroutine follows the store.
type watch struct {
	sync.Mutex
	watchers map[string]map[chan struct{}]struct{} // by stream
	stop     context.CancelFunc                    // nil if nobody follows
	running  sync.WaitGroup
	closed   bool
}

// again is how long is waited after reading the store failed.
const again = time.Second

// Watch tells when a decision about a stream may have become another one,
// because its metadata or `$settings` changed: changed then holds a token, and
// one stands for any number of changes. Ask [Control.Allow] after Watch and
// whenever a token comes. A token may come later than events that were appended
// after the change. Call stop when nobody listens any more.
func (c *Control) Watch(stream string) (changed <-chan struct{}, stop func()) {
	w := &c.watch
	w.Lock()
	defer w.Unlock()
	stream = strings.TrimPrefix(stream, "$$")
	ch := make(chan struct{}, 1)
	if w.watchers[stream] == nil {
		w.watchers[stream] = make(map[chan struct{}]struct{})
	}
	w.watchers[stream][ch] = struct{}{}
	if w.stop == nil && !w.closed && !c.cfg.Insecure {
		ctx, cancel := context.WithCancel(context.Background())
		w.stop = cancel
		w.running.Add(1)
		go c.follow(ctx, c.cfg.Store.Head())
	}
	return ch, func() { w.remove(stream, ch) }
}

func (w *watch) remove(stream string, ch chan struct{}) {
	w.Lock()
	defer w.Unlock()
	delete(w.watchers[stream], ch)
	if len(w.watchers[stream]) == 0 {
		delete(w.watchers, stream)
	}
	if len(w.watchers) == 0 && w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

func (c *Control) stopWatching() {
	w := &c.watch
	w.Lock()
	w.closed = true
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
	w.Unlock()
	w.running.Wait()
}

// follow wakes watchers until ctx ends or the store is closed.
func (c *Control) follow(ctx context.Context, after eventstore.Position) {
	defer c.watch.running.Done()
	timer := time.NewTimer(again)
	defer timer.Stop()
	for {
		for events, err := range c.cfg.Store.Subscribe(ctx, after) {
			if err != nil {
				break
			}
			for i := range events {
				c.watch.wake(events[i].Stream)
			}
			after = events[len(events)-1].Position
		}
		// Nothing is known of what changed meanwhile, or the store is closed.
		c.watch.wake(settingsStream)
		timer.Reset(again)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

// wake tells those who are concerned by an event in stream.
func (w *watch) wake(stream string) {
	original, isMeta := strings.CutPrefix(stream, "$$")
	if !isMeta && stream != settingsStream {
		return
	}
	w.Lock()
	defer w.Unlock()
	if isMeta {
		wake(w.watchers[original])
		return
	}
	for _, all := range w.watchers {
		wake(all)
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
