package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/errors/oserror"
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
const format = 2

// Store is an event store on local disk. Open it with [Open].
type Store struct {
	config Config
	fence  *fence
	lock   *pebble.Lock
	cache  *pebble.Cache
	db     *pebble.DB
	path   string      // of db
	mark   [8]byte     // what chunks begin with
	whole  atomic.Bool // tables hold no event that was removed

	scavenging sync.Mutex
	compacting sync.WaitGroup // for a scavenge

	// queue is where appends wait for the writer.
	queue struct {
		sync.Mutex
		waiting []*request
		closed  bool
		filled  chan struct{} // holds a token when waiting may not be empty
	}
	writer   writer
	durable  atomic.Uint64 // position of the newest durable event
	logGuard logGuard
	facts    atomic.Bool // there are facts about at least one stream
	tail     tail
	watch    watch

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
		if cause := s.failure(); cause != nil {
			err = cause // what followed from it says less
		}
		_ = s.release() // err is what matters
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s.running.Add(3)
	go s.write()
	go s.acknowledge()
	go s.guardEnd()
	return s, nil
}

func (s *Store) open(dir string) error {
	if err := makeDir(s.fence, dir); err != nil {
		return err
	}
	lock, err := pebble.LockDirectory(dir, s.fence)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLocked, err)
	}
	s.lock = lock
	s.cache = pebble.NewCache(s.config.CacheBytes)
	path := s.fence.PathJoin(dir, "db")
	if err := s.create(dir, path); err != nil {
		return err
	}
	if s.db, err = s.openPebble(path); err != nil {
		return err
	}
	s.path = path
	s.fence.armed.Store(true)
	if err := s.checkFormat(); err != nil {
		return err
	}
	if err := s.readMark(); err != nil {
		return err
	}
	facts, err := s.anyFact()
	if err != nil {
		return err
	}
	s.facts.Store(facts)
	if err := s.startWriter(); err != nil {
		return err
	}
	if err := s.checkEnd(); err != nil {
		return err
	}
	if err := s.startIndexes(); err != nil {
		return err
	}
	return s.failure()
}

// create makes an empty database at path unless there is one. It does so under
// another name: a database whose creation the power cut interrupted cannot be
// opened, and must not be mistaken for a damaged one.
func (s *Store) create(dir, path string) error {
	if _, err := s.fence.Stat(path); !oserror.IsNotExist(err) {
		return err
	}
	unfinished := s.fence.PathJoin(dir, "db.new")
	if err := s.fence.RemoveAll(unfinished); err != nil {
		return err
	}
	db, err := s.openPebble(unfinished)
	if err != nil {
		return err
	}
	s.db = db
	err = errors.Join(s.checkFormat(), s.drawMark(), s.failure(), db.Close())
	s.db = nil
	if err != nil {
		return err
	}
	if err := s.fence.Rename(unfinished, path); err != nil {
		return err
	}
	return syncDir(s.fence, dir)
}

// makeDir makes dir and its parents, durably.
func makeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); !oserror.IsNotExist(err) {
		return err
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return syncDir(fs, parent)
}

func syncDir(fs vfs.FS, dir string) error {
	f, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// openPebble opens the database and translates errors. pebble panics where it
// cannot sync the directory; at start there is somebody to tell.
func (s *Store) openPebble(dir string) (db *pebble.DB, err error) {
	if s.fence.tables, err = openTableGuard(s.fence.FS, dir); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			cause, ok := p.(error)
			if !ok {
				panic(p)
			}
			err = cause
		}
	}()
	db, err = pebble.Open(dir, s.options())
	switch {
	case err == nil:
		return db, nil
	case strings.Contains(err.Error(), "unknown format major version"): // pebble has no sentinel for it
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	case pebble.IsCorruptionError(err):
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil, err
}

// options are what measuring found; the package comment has the figures.
func (s *Store) options() *pebble.Options {
	o := &pebble.Options{
		FS:                 s.fence,
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
	// Events come in the order of their keys. Kept apart from the index, whose
	// keys come in any order, their tables overlap nothing, and a compaction
	// moves them to a lower level without rewriting them.
	o.Experimental.SpanPolicyFunc = func(start []byte) (pebble.SpanPolicy, []byte, error) {
		if end := []byte{eventPrefix + 1}; bytes.Compare(start, end) < 0 {
			return pebble.SpanPolicy{}, end, nil
		}
		return pebble.SpanPolicy{}, nil, nil
	}
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
		s.noteEnd()
		s.scavenging.Lock() // one that was under way ends soon
		defer s.scavenging.Unlock()
		s.closeErr = s.release()
	})
	return s.closeErr
}

// release gives back what open has taken.
func (s *Store) release() error {
	s.reading.Lock() // no read is under way
	defer s.reading.Unlock()
	close(s.fence.closing)
	s.compacting.Wait()
	var errs []error
	if s.db != nil && s.failure() == nil {
		errs = append(errs, s.flush())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.cache != nil {
		s.cache.Unref()
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.fence.broken() {
		return nil // every append since has returned the cause
	}
	return errors.Join(errs...)
}

// flush writes what is in memory to tables, so that the next start has no log to
// replay.
func (s *Store) flush() error {
	flushed, err := s.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-s.fence.closed: // pebble would try again for ever
	}
	return nil
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
func (l silent) Fatalf(format string, args ...any) {
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			l.fence.fail(fmt.Errorf("pebble stopped: %w", err))
		}
	}
	l.fence.fail(fmt.Errorf(format, args...)) // the first failure is what counts
}

func (s *Store) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

var _ vfs.FS = (*fence)(nil)
