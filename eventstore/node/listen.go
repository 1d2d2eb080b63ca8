package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// helloTimeout is how long a connection may take to say what it speaks.
const helloTimeout = 10 * time.Second

// splitter accepts connections and hands each to the server that speaks its
// protocol: gRPC's own transport, which is several times as fast as serving it
// through net/http, or net/http.
//
// A client without TLS that begins with HTTP/2's preface speaks gRPC. With TLS
// it is one that offers HTTP/2 and nothing else: whoever offers HTTP/1.1, too,
// such as a browser or curl, may ask for a page, and net/http serves both.
type splitter struct {
	listener net.Listener
	tls      *tls.Config // nil is plain text
	grpc     *queue
	http     *queue
	greeting greeting
}

// greeting are the connections that have not said what they speak.
type greeting struct {
	sync.Mutex
	all    map[net.Conn]struct{}
	closed bool
	wait   sync.WaitGroup
}

func newSplitter(l net.Listener, c *tls.Config) *splitter {
	s := &splitter{listener: l, grpc: newQueue(l.Addr()), http: newQueue(l.Addr())}
	s.greeting.all = make(map[net.Conn]struct{})
	if c != nil {
		s.tls = c.Clone()
		s.tls.NextProtos = []string{"h2", "http/1.1"}
		s.tls.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if conn, ok := hello.Conn.(*accepted); ok {
				conn.onlyH2 = slices.Contains(hello.SupportedProtos, "h2") && !slices.Contains(hello.SupportedProtos, "http/1.1")
			}
			return nil, nil
		}
	}
	return s
}

// accepted is a connection as the listener gave it.
type accepted struct {
	net.Conn
	onlyH2 bool // by what its client offered
}

// run accepts until close is called.
func (s *splitter) run() error {
	delay := time.NewTimer(0)
	defer delay.Stop()
	for {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil && isTemporary(err):
			delay.Reset(50 * time.Millisecond) // such as no more file descriptors: some will be given back
			<-delay.C
			continue
		case err != nil:
			return err
		}
		if s.greeting.add(conn) {
			go s.greet(conn)
		}
	}
}

// isTemporary reports whether accepting may work again. The method is
// deprecated for other errors; for Accept there is nothing else.
func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (s *splitter) close() error {
	err := s.listener.Close()
	s.greeting.close()
	s.grpc.stop()
	s.http.stop()
	return err
}

// greet finds out what a connection speaks.
func (s *splitter) greet(raw net.Conn) {
	defer s.greeting.done(raw)
	patience := time.AfterFunc(helloTimeout, func() { _ = raw.Close() }) // ends what reads from it
	to, conn, err := s.sort(raw)
	patience.Stop()
	if err != nil || !to.put(conn) {
		_ = raw.Close() // nobody was served
	}
}

func (s *splitter) sort(raw net.Conn) (*queue, net.Conn, error) {
	if s.tls == nil {
		return s.peek(raw)
	}
	hello := &accepted{Conn: raw}
	conn := tls.Server(hello, s.tls)
	if err := conn.HandshakeContext(context.Background()); err != nil { // greet bounds it
		return nil, nil, err
	}
	switch {
	case conn.ConnectionState().NegotiatedProtocol == "":
		return s.peek(conn)
	case hello.onlyH2:
		return s.grpc, conn, nil
	}
	return s.http, conn, nil
}

// preface is how HTTP/2 begins, as far as no request of HTTP/1.1 can begin so
// (RFC 9113 section 3.4).
var preface = []byte("PRI * HTTP/2.0\r\n")

// peek reads as much as tells the protocols apart.
func (s *splitter) peek(conn net.Conn) (*queue, net.Conn, error) {
	begin := make([]byte, len(preface))
	n := 0
	for n < len(begin) && bytes.HasPrefix(preface, begin[:n]) {
		m, err := conn.Read(begin[n:])
		n += m
		if err != nil && (n == 0 || !errors.Is(err, io.EOF)) {
			return nil, nil, err
		}
		if err != nil {
			break
		}
	}
	to := s.http
	if bytes.Equal(begin[:n], preface) {
		to = s.grpc
	}
	return to, &begun{Conn: conn, begin: begin[:n]}, nil
}

// begun is a connection of which the beginning was read.
type begun struct {
	net.Conn
	begin []byte // not yet read by whoever serves it
}

// Read implements [net.Conn].
func (c *begun) Read(b []byte) (int, error) {
	if len(c.begin) > 0 {
		n := copy(b, c.begin)
		c.begin = c.begin[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

func (g *greeting) add(conn net.Conn) bool {
	g.Lock()
	defer g.Unlock()
	if g.closed {
		_ = conn.Close()
		return false
	}
	g.all[conn] = struct{}{}
	g.wait.Add(1)
	return true
}

func (g *greeting) done(conn net.Conn) {
	g.Lock()
	delete(g.all, conn)
	g.Unlock()
	g.wait.Done()
}

func (g *greeting) close() {
	g.Lock()
	g.closed = true
	for conn := range g.all {
		_ = conn.Close() // ends what waits for it
	}
	g.Unlock()
	g.wait.Wait()
}

// queue is a listener of connections that another one has accepted.
type queue struct {
	addr    net.Addr
	conns   chan net.Conn
	stopped chan struct{}
	once    sync.Once
}

func newQueue(addr net.Addr) *queue {
	return &queue{addr: addr, conns: make(chan net.Conn), stopped: make(chan struct{})}
}

// put hands over a connection, unless nobody takes it any more.
func (q *queue) put(conn net.Conn) bool {
	select {
	case q.conns <- conn:
		return true
	case <-q.stopped:
		return false
	}
}

func (q *queue) stop() { q.once.Do(func() { close(q.stopped) }) }

// Accept implements [net.Listener].
func (q *queue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.stopped:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (q *queue) Close() error {
	q.stop()
	return nil
}

// Addr implements [net.Listener].
func (q *queue) Addr() net.Addr { return q.addr }
