// Package esdb is the event store port over EventStoreDB's official client: a
// cluster, a single node, or Konto's own embedded node behind its port.
//
// # What is guaranteed
//
// What the port says, and: no call outlives its context by more than an
// instant, whatever the client does. A subscription that loses its connection
// goes on behind the last event that it has given out, so that nothing is left
// out and nothing comes twice. An append that may or may not have been stored
// is sent again under the same event IDs, which the server recognizes, until
// it is known or ctx or [Config.Patience] ends; only then is it an
// [eventstore.ErrUnknownOutcome].
//
// # Away and back
//
// [Open] does not wait: the store may be away at the start, or later. A
// connection is looked for in the background for as long as it takes, which
// the log says once and then ever more rarely. Meanwhile a call waits for
// Patience since the connection was lost, which is longer than a cluster needs
// to elect a leader; after that calls fail at once with
// [eventstore.ErrUnavailable]. Subscriptions wait.
//
// # Why the client is wrapped so closely
//
// The client (v4.2.0) has one goroutine that gives out its connection. After
// a failed discovery this goroutine ends: the client is closed for good, and
// calls that had queued up for the connection hang, deaf to their contexts.
// So the client is never left to discover anything while calls are under way:
// one is made anew for each connection, its first discovery is a call by
// itself, and from the first sign of a lost connection no call enters it any
// more; see client.go. Should one hang after all, its caller is released
// by a watchdog.
//
// # What is not used
//
// Server-side filters: the port promises every event of $all, and a filter
// would leave a reader's position behind the end for ever, so that it would
// seem to lag. Credentials per call: the connection string's are used.
package esdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
)

// Config says which store, and how to treat it.
type Config struct {
	// ConnectionString is EventStoreDB's: esdb://host:2113?tls=false,
	// esdb://user:password@a,b,c for gossip seeds, esdb+discover://name; required.
	// The file names in it (tlsCaFile, userCertFile, userKeyFile) are relative
	// to where the program was started. maxDiscoverAttempts has no effect,
	// since the search does not end.
	ConnectionString string
	// Patience is how long a call waits for a connection that was lost, and how
	// long an append whose outcome is unknown is repeated; 0 means 3 s.
	Patience time.Duration
	Log      zerolog.Logger
	Now      func() time.Time // required
}

// Store is a connection to an event store. It implements [eventstore.Store].
type Store struct {
	settings
	patience time.Duration
	log      zerolog.Logger
	now      func() time.Time

	running context.Context //nolint:containedctx // ends with Close; owned by the store
	stop    context.CancelFunc
	tasks   sync.WaitGroup // the connector and the readers' pumps

	mu      sync.Mutex
	current *connection   // nil while there is none
	failure error         // of the last attempt to connect, nil after none
	since   time.Time     // when the connection was lost, or first looked for
	changed chan struct{} // closed and made anew when the fields above change
}

// Open returns a store that is connected in the background. It returns an
// error only for a connection string that cannot work.
func Open(cfg Config) (*Store, error) {
	if cfg.Now == nil {
		return nil, errors.New("esdb: want a clock")
	}
	settings, err := parse(cfg.ConnectionString)
	if err != nil {
		return nil, fmt.Errorf("esdb: connection string: %w", err)
	}
	s := &Store{settings: settings, patience: cfg.Patience, log: cfg.Log, now: cfg.Now, since: cfg.Now(), changed: make(chan struct{})}
	if s.patience == 0 {
		s.patience = defaultPatience
	}
	if settings.unsent {
		s.log.Warn().Str("store", s.address).Msg("without TLS the event store's client sends no credentials: those in the connection string have no effect")
	}
	s.running, s.stop = context.WithCancel(context.Background())
	s.tasks.Go(s.connect)
	return s, nil
}

const (
	// defaultPatience is longer than an election takes: EventStoreDB's members
	// miss a leader after 1 to 2 s.
	defaultPatience = 3 * time.Second
	// grace is how long a call under way has to notice that its context has
	// ended. gRPC needs microseconds.
	grace = time.Second
)

// Ready blocks until there is a connection. Errors: [eventstore.ErrClosed], ctx's.
func (s *Store) Ready(ctx context.Context) error {
	x, err := s.enter(ctx, true)
	if err != nil {
		return err
	}
	x.leave()
	return nil
}

// Close ends what is under way with [eventstore.ErrClosed] and lets go of the
// connection. It blocks for at most a second, also if the store is away.
func (s *Store) Close() error {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.tasks.Wait()
		close(ended)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C: // a reader hangs in the client, and ends when that is closed
	}
	return nil
}

// spawn runs f in a goroutine that Close waits for. It reports false, and does
// not, when the store is closed.
func (s *Store) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.tasks.Go(f)
	return true
}

// closed reports whether Close has been called.
func (s *Store) closed() bool { return s.running.Err() != nil }

// during returns a context that ends with ctx or with the store.
func (s *Store) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.running, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// ended returns why nothing goes on: the store was closed, or ctx has ended.
// Nil means that neither is so.
func (s *Store) ended(ctx context.Context) error {
	if s.closed() {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

// pause waits for d and returns what [Store.ended] does.
func (s *Store) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.running.Done():
	}
	return s.ended(ctx)
}

var _ eventstore.Store = (*Store)(nil)
