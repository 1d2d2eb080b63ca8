// Package system is a whole Konto: every part made, started in order and
// stopped in reverse. `konto dev`, `konto serve` and the tests that kill the
// system run this and nothing else, so that what is tested is what runs.
//
// The order of a start: lock of the data directory, keys, event store, bus,
// read database, HTTP API, relay, projectors, reactor with its workers. A part
// that fails later than its start ends the system with its error.
//
// An event store that is not embedded may be away at the start, and later.
// The start does not wait for it: requests are taken, those that need it are
// answered with 503, /readyz says what is missing, and the parts that begin by
// reading it begin when it is there.
//
// A stop begins by saying so: /readyz fails, and answers that wait for events
// or read models end. Then the parts stop in reverse. Commands are taken until
// the API's turn, since what they need stops after it; what follows from the
// last of them follows at the next start.
package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/bus"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/identity"
	"konto/internal/mailbox"
	"konto/internal/obs"
	"konto/internal/privacy"
	"konto/internal/projector"
	"konto/internal/reactor"
	"konto/internal/readdb"
	"konto/internal/relay"
	"konto/internal/session"
	"konto/projections"
)

// ErrInUse says that another process has the data directory.
var ErrInUse = errors.New("the data directory is in use by another konto")

// System is a running Konto.
type System struct {
	cfg     Config
	stops   []stop          // in the order of the start
	running context.Context //nolint:containedctx // ends when a part fails or Stop is called; owned by the system
	fail    context.CancelCauseFunc

	listener   net.Listener
	keys       *privacy.Keys
	store      eventstore.Store
	bus        *bus.Bus
	read       *readdb.DB
	mailbox    *mailbox.Mailbox // nil but in development
	issuer     *identity.Issuer // nil but in development
	verifier   *identity.Verifier
	sessions   *session.Sessions
	recovery   *identity.RecoverySigner
	metrics    *obs.Metrics
	declines   zerolog.Logger
	tracer     trace.Tracer
	commands   *command.Handler
	rejections *command.Rejections
	contracts  envelope.Contracts
	relay      *relay.Relay
	projector  *projector.Projector
	reactor    *reactor.Reactor
	lineage    lineage
	shown      string     // see Shown
	moving     sync.Mutex // held while the test clock is moved

	ending   chan struct{} // closed when a stop begins
	stopping sync.Once
	stopErr  error
}

// stop ends one part; it waits until the part has ended or ctx has.
type stop struct {
	name string
	f    func(ctx context.Context) error
}

// Start starts everything and returns when requests are served. What had been
// started is stopped again if a later part does not start.
func Start(ctx context.Context, cfg Config) (*System, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &System{cfg: cfg, contracts: envelope.Index(policy.Contracts), ending: make(chan struct{})}
	s.running, s.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, part := range []struct {
		name  string
		start func(context.Context) error
	}{
		{"memory", s.tuneMemory},
		{"data directory", s.lock},
		{"listener", s.listen},
		{"keys", s.openKeys},
		{"event store", s.openStore},
		{"bus", s.startBus},
		{"read database", s.openRead},
		{"mailbox", s.startMailbox},
		{"identity", s.openIdentity},
		{"commands", s.wire},
		{"watch", s.startWatch},
		{"rejections", s.startRejections},
		{"http api", s.serve},
		{"event store protocol", s.show},
		{"origin", s.startOrigin},
		{"relay", s.startRelay},
		{"projectors", s.startProjector},
		{"reactor", s.startReactor},
	} {
		if err := part.start(ctx); err != nil {
			err = fmt.Errorf("start %s: %w", part.name, err)
			return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}
	return s, nil
}

// URL is where the API is for this machine, without a trailing slash. A
// listener on all addresses is at 127.0.0.1, too.
func (s *System) URL() string {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	return "http://" + s.listener.Addr().String()
}

// Issuer is the local issuer of development, or nil.
func (s *System) Issuer() *identity.Issuer { return s.issuer }

// Mailbox is the mailbox of development, or nil.
func (s *System) Mailbox() *mailbox.Mailbox { return s.mailbox }

// Store is the event store. Whoever appends to it directly bypasses every rule.
func (s *System) Store() eventstore.Store { return s.store }

// Read is the read database.
func (s *System) Read() *readdb.DB { return s.read }

// Projector keeps the read models.
func (s *System) Projector() *projector.Projector { return s.projector }

// Failed is closed when a part has failed; Stop then returns why.
func (s *System) Failed() <-chan struct{} { return s.running.Done() }

// Stop stops everything in reverse order and returns the first failure, also
// one of a part that had failed before. It may be called more than once.
func (s *System) Stop(ctx context.Context) error {
	s.stopping.Do(func() {
		close(s.ending)
		failure := context.Cause(s.running)
		var errs []error
		if failure != nil {
			errs = append(errs, failure)
		}
		for _, part := range slices.Backward(s.stops) {
			if err := part.f(ctx); err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", part.name, err))
			}
		}
		s.fail(nil)
		s.stopErr = errors.Join(errs...)
	})
	return s.stopErr
}

// atStop registers how a started part is stopped.
func (s *System) atStop(name string, f func(ctx context.Context) error) {
	s.stops = append(s.stops, stop{name, f})
}

// run keeps a part going until the system stops. A part that ends before that
// has failed.
func (s *System) run(name string, part func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(s.running)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := part(ctx)
		if ctx.Err() == nil {
			s.fail(fmt.Errorf("%s ended: %w", name, errors.Join(err, errEnded)))
		}
	}()
	s.atStop(name, func(stopping context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-stopping.Done():
			return stopping.Err()
		}
	})
}

var errEnded = errors.New("it runs until the system stops")

// lock makes the data directory and takes it. The file says who has it.
func (s *System) lock(context.Context) error {
	if err := os.MkdirAll(s.cfg.Data, 0o700); err != nil {
		return err
	}
	path := filepath.Join(s.cfg.Data, "konto.lock")
	l := flock.New(path, flock.SetPermissions(0o600))
	got, err := l.TryLock()
	if err != nil {
		return err
	}
	if !got {
		holder, _ := os.ReadFile(path) //nolint:gosec // our own file; what it says is a courtesy
		return fmt.Errorf("%w: %s (%s); stop it, or use another --data", ErrInUse, s.cfg.Data, strings.TrimSpace(string(holder)))
	}
	s.atStop("data directory", func(context.Context) error { return l.Unlock() })
	return os.WriteFile(path, fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0o600)
}

func (s *System) listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return err
	}
	s.listener = l
	if s.cfg.PublicURL == "" {
		s.cfg.PublicURL = s.URL()
	}
	s.atStop("listener", func(context.Context) error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

func (s *System) openKeys(ctx context.Context) error {
	k, err := privacy.Open(ctx, privacy.Config{
		Path: filepath.Join(s.cfg.Data, "keys.db"), RootKeyFile: s.cfg.Keys.RootFile, Now: s.cfg.Now,
	})
	if err != nil {
		return err
	}
	s.keys = k
	s.atStop("keys", func(context.Context) error { return k.Close() })
	return nil
}

func (s *System) startBus(ctx context.Context) error {
	b, err := bus.Start(ctx, bus.Config{
		URL: s.cfg.NATS.URL, Credentials: s.cfg.NATS.Credentials,
		Dir: filepath.Join(s.cfg.Data, "bus"), Log: s.cfg.Log.With().Str("component", "bus").Logger(),
	})
	if err != nil {
		return err
	}
	s.bus = b
	s.atStop("bus", func(context.Context) error { return b.Close() })
	return nil
}

func (s *System) openRead(ctx context.Context) error {
	db, err := readdb.Open(ctx, readdb.Config{
		Path: filepath.Join(s.cfg.Data, "read.db"), Now: s.cfg.Now, Log: s.cfg.Log.With().Str("component", "readdb").Logger(),
	})
	if err != nil {
		return err
	}
	s.read = db
	s.atStop("read database", func(context.Context) error { return db.Close() })
	if s.cfg.WriteOnly {
		return nil
	}
	return db.Migrate(ctx, projections.All) // queries are answered before the projector begins
}

// serve answers requests. On stop, requests under way are answered first;
// those that would go on for ever end at once.
func (s *System) serve(context.Context) error {
	server := &http.Server{
		Handler:           s.api(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return s.running },
	}
	go func() {
		if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("http api ended: %w", err))
		}
	}()
	s.atStop("http api", func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	})
	return nil
}

func newID() uuid.UUID {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // the system has no randomness left
	}
	return id
}

// Idle returns [ErrInUse] if a process has the data directory.
func Idle(data string) error {
	l := flock.New(filepath.Join(data, "konto.lock"))
	got, err := l.TryRLock()
	if errors.Is(err, os.ErrNotExist) || got {
		return errors.Join(l.Unlock())
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrInUse, data)
}
