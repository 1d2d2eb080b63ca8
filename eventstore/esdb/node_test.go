package esdb_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	rpc "google.golang.org/grpc"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/grpc"
)

// lonely is set in the process of a test that is alone in it.
const lonely = "KONTO_TEST_ALONE"

func TestMain(m *testing.M) {
	if os.Getenv(lonely) != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}

// alone runs a test in a process of its own, where nobody looks for what is
// left: the client never closes its connection to a leader that was named and
// not there. It reports whether this is that process.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(lonely) != "" {
		return true
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	c.Env = append(os.Environ(), lonely+"=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// node is an embedded node that a test can stop, start again and make
// misbehave.
type node struct {
	testing.TB
	store *engine.Store
	addr  string
	// fault is asked about each call; nil lets all through.
	fault atomic.Pointer[fault]

	mu     sync.Mutex
	server *rpc.Server
	served chan struct{}
	conns  []net.Conn
}

// tracked is a listener whose connections a test can break.
type tracked struct {
	net.Listener
	node *node
}

func (l tracked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.node.mu.Lock()
		l.node.conns = append(l.node.conns, c)
		l.node.mu.Unlock()
	}
	return c, err
}

// cut breaks all connections. The node goes on.
func (n *node) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close() // perhaps broken already
	}
	n.conns = nil
}

// fault stands between a call and the node: it carries the call out, or not,
// and says what the client hears.
type fault func(ctx context.Context, method string, call func() error) error

// newNode returns a node that is not serving yet; nothing listens at its address.
func newNode(tb testing.TB) *node {
	tb.Helper()
	store, err := engine.Open("store", engine.Config{FS: vfs.NewMem(), Indexes: true})
	if err != nil {
		tb.Fatal(err)
	}
	n := &node{TB: tb, store: store, addr: freeAddr(tb)}
	tb.Cleanup(func() {
		n.stop()
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return n
}

// startNode returns a node that serves.
func startNode(tb testing.TB) *node {
	tb.Helper()
	n := newNode(tb)
	n.start()
	return n
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	l := listen(tb, "127.0.0.1:0")
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func listen(tb testing.TB, addr string) net.Listener {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func (n *node) start() {
	n.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	service := grpc.New(grpc.Config{Store: n.store, Now: time.Now, NewID: newID, Log: zerolog.Nop()})
	options := []rpc.ServerOption{
		rpc.ChainStreamInterceptor(func(srv any, ss rpc.ServerStream, info *rpc.StreamServerInfo, next rpc.StreamHandler) error {
			return n.guard(ss.Context(), info.FullMethod, func() error { return next(srv, ss) })
		}),
		rpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *rpc.UnaryServerInfo, next rpc.UnaryHandler) (res any, err error) {
			err = n.guard(ctx, info.FullMethod, func() (err error) {
				res, err = next(ctx, req)
				return err
			})
			return res, err
		}),
	}
	n.server = rpc.NewServer(append(options, service.Options()...)...)
	service.Register(n.server)
	l := listen(n, n.addr)
	n.served = make(chan struct{})
	go func(server *rpc.Server, served chan struct{}) {
		defer close(served)
		if err := server.Serve(tracked{l, n}); err != nil && !errors.Is(err, rpc.ErrServerStopped) {
			n.Error(err)
		}
	}(n.server, n.served)
}

func (n *node) guard(ctx context.Context, method string, call func() error) error {
	if f := n.fault.Load(); f != nil {
		return (*f)(ctx, method, call)
	}
	return call()
}

// misbehave sets the fault; nil is none.
func (n *node) misbehave(f fault) {
	if f == nil {
		n.fault.Store(nil)
		return
	}
	n.fault.Store(&f)
}

// stop breaks all connections, as a process that is killed does.
func (n *node) stop() { n.end((*rpc.Server).Stop) }

// leave ends like a process that is told to: no call is broken off.
func (n *node) leave() { n.end((*rpc.Server).GracefulStop) }

func (n *node) end(how func(*rpc.Server)) {
	n.mu.Lock()
	server, served := n.server, n.served
	n.server = nil
	n.mu.Unlock()
	if server != nil {
		how(server)
		<-served
	}
}

func (n *node) connection() string { return "esdb://" + n.addr + "?tls=false" }

// open connects to the node; the store is closed with the test.
func (n *node) open(tune ...func(*esdb.Config)) *esdb.Store {
	n.Helper()
	cfg := esdb.Config{ConnectionString: n.connection(), Now: time.Now, Log: zerolog.Nop()}
	for _, f := range tune {
		f(&cfg)
	}
	return open(n, cfg)
}

func open(tb testing.TB, cfg esdb.Config) *esdb.Store {
	tb.Helper()
	s, err := esdb.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func patience(d time.Duration) func(*esdb.Config) {
	return func(c *esdb.Config) { c.Patience = d }
}

func newID() eventstore.ID { return eventstore.ID(uuid.New()) }

// within returns a context that ends before the test would.
func within(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), d)
	tb.Cleanup(cancel)
	return ctx
}
