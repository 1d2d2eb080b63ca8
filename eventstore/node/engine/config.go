package engine

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
)

// Config tunes a [Store]. The zero value has good defaults: with them a process
// stays under 300 MB with 5,000,000 events under load.
type Config struct {
	// FS is where the files are. Nil means the operating system's.
	FS vfs.FS
	// Now gives the time of an append. Nil means the system clock.
	Now func() time.Time
	// NewID gives the IDs of the engine's own events, such as tombstones. Nil
	// means random ones (RFC 9562, version 4).
	NewID func() eventstore.ID

	// CacheBytes bounds the cache of blocks that were read. 0 means 80 MiB.
	CacheBytes int64
	// MemTableBytes is how much is gathered in memory before it is written as
	// a sorted table. Up to five such tables may exist. At least 1 MiB; 0 means
	// 8 MiB. It also bounds what must be replayed at start.
	MemTableBytes int
	// TailBytes bounds the newest events that are kept in memory for
	// subscribers. 0 means 8 MiB.
	TailBytes int
	// MaxAppendBytes bounds the data, metadata and types of one append, at most
	// 16 MiB. 0 means 1 MiB, EventStoreDB's default (MaxAppendSize).
	MaxAppendBytes int
	// CachedHeads bounds the stream ends kept in memory; the others are looked
	// up on disk. 0 means 65,536.
	CachedHeads int
	// RememberedIDs is how many of the newest event IDs are known to appends
	// that expect Any or StreamExists. 0 means 65,536. (EventStoreDB keeps
	// 8 MiB of them and forgets them at a restart; this store does not.)
	RememberedIDs int

	// Indexes keeps lists of events by stream, category, type and correlation,
	// which read like EventStoreDB's $streams, $ce-, $et-, $bc- and $category-
	// streams; nobody may append to streams with such names then. Open indexes
	// what was written while it was off before it returns, which takes about as
	// long as reading that.
	Indexes bool

	// Listener hears what the store does.
	Listener Listener
}

// Listener hears what a store does. Any field may be nil. The functions are
// called from the store's own goroutines and must return soon; they must not
// call the store.
type Listener struct {
	// Committed is called after each group of appends.
	Committed func(Group)
	// Failed is called once, when the store turns read-only.
	Failed func(error)
	// Slowed is called when appends begin (true) and end (false) to wait for
	// the disk to catch up with earlier ones.
	Slowed func(bool)
	// Background is called when flushing or compacting went wrong in a way that
	// is tried again.
	Background func(error)
}

// Group says what one synced write held.
type Group struct {
	Appends int           // answered, refused and repeated ones included
	Events  int           // stored
	Bytes   int           // stored, without the index
	Took    time.Duration // from the first append taken to all durable
}

// Validate reports the first field that is out of range.
func (c Config) Validate() error {
	for _, f := range []struct {
		name           string
		value, lo, top int64
	}{
		{"CacheBytes", c.CacheBytes, 0, 1 << 40},
		{"MemTableBytes", int64(c.MemTableBytes), 1 << 20, 1 << 30},
		{"TailBytes", int64(c.TailBytes), 0, 1 << 40},
		{"MaxAppendBytes", int64(c.MaxAppendBytes), 0, 16 << 20},
		{"CachedHeads", int64(c.CachedHeads), 0, 1 << 30},
		{"RememberedIDs", int64(c.RememberedIDs), 0, 1 << 30},
	} {
		if f.value != 0 && (f.value < f.lo || f.value > f.top) {
			return fmt.Errorf("engine: %s is %d, want 0 (default) or %d to %d", f.name, f.value, f.lo, f.top)
		}
	}
	return nil
}

func randomID() (id eventstore.ID) {
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

func (c Config) withDefaults() Config {
	if c.FS == nil {
		c.FS = vfs.Default
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default of the clock field
	}
	if c.NewID == nil {
		c.NewID = randomID
	}
	orElse := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = 80 << 20
	}
	orElse(&c.MemTableBytes, 8<<20)
	orElse(&c.TailBytes, 8<<20)
	orElse(&c.MaxAppendBytes, 1<<20)
	orElse(&c.CachedHeads, 1<<16)
	orElse(&c.RememberedIDs, 1<<16)
	if c.Listener.Committed == nil {
		c.Listener.Committed = func(Group) {}
	}
	if c.Listener.Failed == nil {
		c.Listener.Failed = func(error) {}
	}
	if c.Listener.Slowed == nil {
		c.Listener.Slowed = func(bool) {}
	}
	if c.Listener.Background == nil {
		c.Listener.Background = func(error) {}
	}
	return c
}
