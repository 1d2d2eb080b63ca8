package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"
	rpc "google.golang.org/grpc"

	"konto/eventstore/node/access"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/grpc"
	"konto/eventstore/node/persistent"
)

// Node is an event store that clients of EventStoreDB can call. Open it with
// [Open].
type Node struct {
	cfg      Config
	started  time.Time
	certFile string // of the certificate for development
	stops    []func() error

	store    *engine.Store
	access   *access.Control    // nil if nothing is to be written
	groups   *persistent.Groups // nil if nothing may be written
	server   *grpc.Server
	calls    *rpc.Server // of connections that speak gRPC and nothing else
	others   *rpc.Server // of those that net/http serves
	http     *http.Server
	split    *splitter
	scavenge *scavenger
	counters counters
	failed   atomic.Pointer[error] // why the store is read-only

	told    chan struct{} // closed when somebody told the node to shut down
	tell    sync.Once
	closing sync.Once
	closed  error
}

// Open opens the store, creating it if there is none, and listens. Clients are
// served once Serve is called. Errors: those of [Config.Validate],
// [engine.ErrLocked] and others of [engine.Open], and of the network.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, started: cfg.Now(), told: make(chan struct{})}
	for _, part := range []func(context.Context) error{n.openStore, n.openAccess, n.openGroups, n.serveCalls, n.listen} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, n.release())
		}
	}
	return n, nil
}

// Addr is where the node listens.
func (n *Node) Addr() net.Addr { return n.split.listener.Addr() }

// URL is where the pages are for this machine, without a trailing slash. A
// listener on all addresses is at 127.0.0.1, too.
func (n *Node) URL() string {
	scheme := "https"
	if n.cfg.Insecure {
		scheme = "http"
	}
	return scheme + "://" + n.localAddr()
}

func (n *Node) localAddr() string {
	host, port, err := net.SplitHostPort(n.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// ConnectionString is what clients on this machine connect with. It names a
// user and password only as long as those are the defaults.
func (n *Node) ConnectionString() string {
	at := n.localAddr()
	if n.cfg.Advertise != "" {
		at = n.cfg.Advertise
	}
	switch {
	case n.cfg.Insecure:
		return "esdb://" + at + "?tls=false"
	case n.access.HasDefaults():
		at = "admin:changeit@" + at
	default:
		at = "USER:PASSWORD@" + at
	}
	if n.certFile != "" {
		return "esdb://" + at + "?tlsCAFile=" + n.certFile
	}
	return "esdb://" + at
}

// CertFile is the certificate for development that clients must trust; "" if
// the node uses none.
func (n *Node) CertFile() string { return n.certFile }

// Store is the store. It takes appends beside those of clients.
func (n *Node) Store() *engine.Store { return n.store }

// ShutDown is closed when a client with the right to has told the node to shut
// down. Call Close then.
func (n *Node) ShutDown() <-chan struct{} { return n.told }

// Serve serves clients until Close is called; then it returns nil. It returns
// an error if listening fails. Call it once.
func (n *Node) Serve() error {
	var parts errgroup.Group
	parts.Go(n.split.run)
	parts.Go(func() error {
		return unlessClosed(n.calls.Serve(n.split.grpc), rpc.ErrServerStopped)
	})
	parts.Go(func() error {
		return unlessClosed(n.http.Serve(n.split.http), http.ErrServerClosed)
	})
	return parts.Wait()
}

func unlessClosed(err, closed error) error {
	if errors.Is(err, closed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Close stops the node: new calls are refused, reads and subscriptions end,
// and appends under way are answered, within ctx and [Config.Grace]. Then the
// store is closed. It may be called more than once.
func (n *Node) Close(ctx context.Context) error {
	n.closing.Do(func() {
		n.server.End()
		ctx, cancel := context.WithTimeout(ctx, n.cfg.Grace)
		defer cancel()
		var parts errgroup.Group
		parts.Go(n.split.close)
		parts.Go(func() error {
			stopCalls(ctx, n.calls)
			return nil
		})
		parts.Go(func() error {
			if err := n.http.Shutdown(ctx); err != nil {
				return n.http.Close() // Grace is over
			}
			return nil
		})
		n.closed = errors.Join(parts.Wait(), n.release())
	})
	return n.closed
}

// stopCalls lets calls under way end until ctx does.
func stopCalls(ctx context.Context, s *rpc.Server) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.GracefulStop()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.Stop()
		<-done
	}
}

// atEnd registers how a part is given back.
func (n *Node) atEnd(f func() error) { n.stops = append(n.stops, f) }

// release gives back what Open has taken.
func (n *Node) release() error {
	var errs []error
	for _, stop := range slices.Backward(n.stops) {
		errs = append(errs, stop())
	}
	n.stops = nil
	return errors.Join(errs...)
}

func (n *Node) openStore(context.Context) error {
	if n.cfg.Store != nil {
		n.store = n.cfg.Store
		return nil
	}
	// Indexes: other clients expect $ce-, $et- and their like.
	c := engine.Config{FS: n.cfg.FS, Now: n.cfg.Now, NewID: n.cfg.NewID, Indexes: true, Listener: n.listener()}
	c.MaxAppendBytes = max(n.cfg.MaxAppendBytes, 1<<20) // clients may be kept shorter than the node's own writes
	dir := filepath.Join(n.cfg.Dir, "events")           // where konto dev and konto serve have theirs
	if n.cfg.Memory {
		c.FS, dir = vfs.NewMem(), "events"
	}
	store, err := engine.Open(dir, c)
	if err != nil {
		return err
	}
	n.store = store
	n.atEnd(store.Close)
	return nil
}

func (n *Node) listener() engine.Listener {
	log := n.cfg.Log.With().Str("component", "store").Logger()
	return engine.Listener{
		Committed: n.counters.committed,
		Failed: func(err error) {
			n.failed.Store(&err)
			log.Error().Err(err).Msg("store is read-only")
		},
		Slowed:     func(slow bool) { log.Warn().Bool("slow", slow).Msg("disk is behind") },
		Background: func(err error) { log.Warn().Err(err).Msg("store background work") },
	}
}

// openAccess also keeps users if nobody is asked who they are: clients expect
// the stream of users not to be empty.
func (n *Node) openAccess(ctx context.Context) error {
	c, err := access.Open(ctx, access.Config{
		Store: n.store, Now: n.cfg.Now, NewID: n.cfg.NewID, Log: n.cfg.Log.With().Str("component", "access").Logger(),
		AllowAnonymous: n.cfg.AllowAnonymous, Insecure: n.cfg.Insecure, ReadOnly: n.cfg.ReadOnly, Iterations: n.cfg.PasswordIterations,
	})
	if err != nil {
		return err
	}
	n.access = c
	n.atEnd(c.Close)
	return nil
}

// openGroups runs the persistent subscriptions. They write where they are, so a
// node that must not write has none.
func (n *Node) openGroups(ctx context.Context) error {
	if n.cfg.ReadOnly {
		return nil
	}
	g, err := persistent.Open(ctx, persistent.Config{
		Store: n.store, Now: n.cfg.Now, NewID: n.cfg.NewID, Log: n.cfg.Log.With().Str("component", "persistent").Logger(),
	})
	if err != nil {
		return err
	}
	n.groups = g
	n.atEnd(g.Close)
	return nil
}

func (n *Node) serveCalls(context.Context) error {
	n.scavenge = newScavenger(n.store, n.cfg)
	n.atEnd(n.scavenge.close)
	n.server = grpc.New(grpc.Config{
		Store: n.store, Access: n.access, Groups: n.groups, ReadOnly: n.cfg.ReadOnly, Operator: operator{n}, Stats: n.flatStats,
		Advertise: n.advertise(), Limits: grpc.Limits{AppendBytes: n.cfg.MaxAppendBytes, EventBytes: n.cfg.MaxEventBytes},
		Now: n.cfg.Now, NewID: n.cfg.NewID, Log: n.cfg.Log.With().Str("component", "grpc").Logger(),
	})
	n.calls, n.others = rpc.NewServer(n.server.Options()...), rpc.NewServer(n.server.Options()...)
	n.atEnd(func() error {
		n.calls.Stop() // they have goroutines from the start
		n.others.Stop()
		return nil
	})
	n.server.Register(n.calls)
	n.server.Register(n.others)
	n.http = &http.Server{
		Handler:           n.pages(),
		ReadHeaderTimeout: helloTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	return nil
}

// advertise returns what clients are told to dial; nil if that is where they
// have reached the node.
func (n *Node) advertise() func() (string, int) {
	if n.cfg.Advertise == "" {
		return nil
	}
	host, text, _ := net.SplitHostPort(n.cfg.Advertise) // validated
	port, _ := strconv.Atoi(text)
	return func() (string, int) { return host, port }
}

func (n *Node) listen(ctx context.Context) error {
	c, err := n.loadTLS()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", n.cfg.Addr)
	if err != nil {
		return err
	}
	n.split = newSplitter(l, c)
	if host, _, _ := net.SplitHostPort(l.Addr().String()); n.cfg.Insecure && !isLoopback(host) {
		n.cfg.Log.Warn().Stringer("addr", l.Addr()).Msg("insecure: whoever reaches this address may do everything")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// loadTLS returns nil for plain text.
func (n *Node) loadTLS() (*tls.Config, error) {
	switch {
	case n.cfg.Insecure:
		return nil, nil
	case n.cfg.CertFile != "":
		return loadTLS(n.cfg.CertFile, n.cfg.KeyFile)
	}
	dir := n.cfg.Dir
	if dir == "" { // nothing else of the node is on disk
		var err error
		if dir, err = os.MkdirTemp("", "konto-node-"); err != nil {
			return nil, fmt.Errorf("tls-dev: %w", err)
		}
		n.atEnd(func() error { return os.RemoveAll(dir) })
	}
	c, err := developTLS(dir, n.cfg.Now())
	if err != nil {
		return nil, err
	}
	n.certFile, err = filepath.Abs(filepath.Join(dir, devCert))
	return c, err
}
