package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
)

// Errors of [Open].
var (
	// ErrLocked: another process (or another Store of this one) has the
	// directory open.
	ErrLocked = errors.New("engine: store is in use")
	// ErrFormat: the directory was written by a newer version of this program.
	ErrFormat = errors.New("engine: store has a newer format")
)

// format is the version of the layout in record.go. A store with a higher one is refused.
const format = 1

// Store is an event store on local disk. Open it with [Open].
type Store struct {
	config Config
	fence  *fence
	lock   *pebble.Lock
	cache  *pebble.Cache
	db     *pebble.DB

	// queue is where appends wait for the writer.
	queue struct {
		sync.Mutex
		waiting []*request
		closed  bool
		filled  chan struct{} // holds a token when waiting may not be empty
	}
	writer  writer
	durable atomic.Uint64 // position of the newest durable event
	tail    tail

	reading   sync.RWMutex // read-held while db is read outside the writer
	isClosed  atomic.Bool
	closed    chan struct{}
	closeOnce sync.Once
	closeErr  error
	running   sync.WaitGroup
}

var _ eventstore.Store = (*Store)(nil)

// Open opens the store in dir, which is created if it does not exist. It
// recovers what was durable when the store was last in use; this takes well
// under a second whatever the size of the store. Errors: [ErrLocked],
// [ErrFormat], [ErrCorrupt], those of Config.Validate and of the file system.
func Open(dir string, c Config) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := &Store{config: c, closed: make(chan struct{})}
	s.queue.filled = make(chan struct{}, 1)
	s.fence = newFence(c.FS, c.Listener.Failed)
	s.tail.limit = c.TailBytes
	if err := s.open(dir); err != nil {
		s.release()
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s.fence.armed.Store(true)
	s.running.Add(2)
	go s.write()
	go s.acknowledge()
	return s, nil
}

func (s *Store) open(dir string) error {
	if err := s.fence.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	lock, err := pebble.LockDirectory(dir, s.fence)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLocked, err)
	}
	s.lock = lock
	s.cache = pebble.NewCache(s.config.CacheBytes)
	db, err := pebble.Open(dir, s.options())
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "unknown format major version"): // pebble has no sentinel for it
		return fmt.Errorf("%w: %w", ErrFormat, err)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	default:
		return err
	}
	s.db = db
	if err := s.checkFormat(); err != nil {
		return err
	}
	return s.startWriter()
}

// options are what measuring found; the package comment has the figures.
func (s *Store) options() *pebble.Options {
	o := &pebble.Options{
		FS:                 s.fence,
		Lock:               s.lock,
		Cache:              s.cache,
		Logger:             silent{s.fence},
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       uint64(s.config.MemTableBytes), //nolint:gosec // validated: positive
		// The writer slows appends itself (writer.pace): pebble would block
		// inside a commit, where a failing disk could hold it for ever.
		MemTableStopWritesThreshold: 1 << 10,
		L0StopWritesThreshold:       1 << 20,
		L0CompactionThreshold:       4,
		LBaseMaxBytes:               64 << 20,
		FlushSplitBytes:             8 << 20,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	for i := range o.TargetFileSizes {
		o.TargetFileSizes[i] = 16 << 20
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].EnsureL0Defaults()
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	o.EventListener = &pebble.EventListener{
		BackgroundError: func(err error) {
			s.fence.hurt.Store(true)
			s.config.Listener.Background(err)
		},
		DataCorruption: func(pebble.DataCorruptionInfo) {}, // the read that meets it returns an error
	}
	return o
}

func (s *Store) checkFormat() error {
	key := []byte{metaPrefix, 'f', 'o', 'r', 'm', 'a', 't'}
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return s.db.Set(key, binary.BigEndian.AppendUint32(nil, format), pebble.Sync)
	}
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // always nil
	if len(value) != 4 {
		return corrupt("format of %d bytes", len(value))
	}
	if found := binary.BigEndian.Uint32(value); found > format {
		return fmt.Errorf("%w: %d, this program knows %d", ErrFormat, found, format)
	}
	return nil
}

// Close implements [eventstore.Store]. Appends that the writer has taken are
// finished; the others end with [eventstore.ErrClosed].
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.isClosed.Store(true)
		close(s.closed)
		s.queue.Lock()
		s.queue.closed = true
		s.queue.Unlock()
		s.wakeWriter()
		s.running.Wait()
		s.closeErr = s.release()
	})
	return s.closeErr
}

// release gives back what open has taken.
func (s *Store) release() error {
	s.reading.Lock() // no read is under way
	defer s.reading.Unlock()
	var errs []error
	if s.db != nil && s.fence.failure() == nil && s.fence.armed.Load() {
		errs = append(errs, s.db.Flush()) // so that the next start has nothing to replay
	}
	close(s.fence.closing)
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.cache != nil {
		s.cache.Unref()
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if cause := s.fence.failure(); cause != nil {
		return nil //nolint:nilerr // every append since has returned the cause
	}
	return errors.Join(errs...)
}

// failure returns why the store is read-only, or nil.
func (s *Store) failure() error { return s.fence.failure() }

// silent is pebble's logger. pebble ends the process where it sees no way on;
// this store turns read-only instead.
type silent struct{ fence *fence }

// Infof implements [pebble.Logger].
func (silent) Infof(string, ...any) {}

// Errorf implements [pebble.Logger].
func (silent) Errorf(string, ...any) {}

// Fatalf implements [pebble.Logger].
func (l silent) Fatalf(format string, args ...any) { l.fence.fail(fmt.Errorf(format, args...)) }

func (s *Store) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

var _ vfs.FS = (*fence)(nil)
