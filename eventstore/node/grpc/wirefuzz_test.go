package grpc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// FuzzWire writes any bytes after HTTP/2's preface: nothing panics, and the
// server leaves the connection when it ends.
func FuzzWire(f *testing.F) {
	busy := &underWay{settled: make(chan struct{}, 1)}
	w := serveEverything(f, rpc.StatsHandler(busy))
	f.Cleanup(func() { w.close(f) })
	connections := startWire(f, w.server)
	for _, b := range sessions(f) {
		f.Add(b, false)
	}
	f.Add([]byte(nil), true)
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), true)
	f.Add([]byte("\xff\xff\xff\x04\x00\x00\x00\x00\x00GET / HTTP/1.1\r\n\r\n"), true)
	calls := 0
	f.Fuzz(func(t *testing.T, b []byte, bare bool) {
		if calls++; calls%renewAfter == 0 {
			w.close(t)
			w = serveEverything(t, rpc.StatsHandler(busy))
			connections = startWire(t, w.server)
		}
		begin := http2.ClientPreface
		if !bare {
			begin += "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // no settings, which must come first
		}
		c := &wireConn{input: append([]byte(begin), b...), read: busy.wait, closed: make(chan struct{})}
		connections <- c
		timer := time.NewTimer(20 * time.Second)
		defer timer.Stop()
		select {
		case <-c.closed:
		case <-timer.C:
			t.Fatalf("after %x the server does not leave", b)
		}
		if err := w.complaint(); err != nil {
			t.Errorf("after %x: %v", b, err)
		}
	})
}

// wireListener hands connections to a server.
type wireListener struct {
	connections chan net.Conn
	once        *sync.Once
	closed      chan struct{}
}

// startWire lets a server, until it is stopped, serve what is sent to the channel.
func startWire(tb testing.TB, server *rpc.Server) chan<- net.Conn {
	tb.Helper()
	l := wireListener{make(chan net.Conn), new(sync.Once), make(chan struct{})}
	go func() { _ = server.Serve(l) }() // ends when the server stops
	return l.connections
}

func (l wireListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l wireListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l wireListener) Addr() net.Addr { return &net.UnixAddr{Name: "wire", Net: "unix"} }

// wireConn is the server's end of a connection whose client has written all it
// will, takes whatever comes and leaves when the server has read all.
type wireConn struct {
	input  []byte
	read   func() // all is
	once   sync.Once
	closed chan struct{}
}

func (c *wireConn) Read(b []byte) (int, error) {
	if len(c.input) == 0 {
		c.read()
		return 0, io.EOF
	}
	n := copy(b, c.input)
	c.input = c.input[n:]
	return n, nil
}

func (c *wireConn) Write(b []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
		return len(b), nil
	}
}

func (c *wireConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *wireConn) LocalAddr() net.Addr { return &net.UnixAddr{Name: "wire", Net: "unix"} }

func (c *wireConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "client", Net: "unix"} }

func (c *wireConn) SetDeadline(time.Time) error { return nil }

func (c *wireConn) SetReadDeadline(time.Time) error { return nil }

func (c *wireConn) SetWriteDeadline(time.Time) error { return nil }

// underWay counts calls that have begun and not ended.
type underWay struct {
	calls   atomic.Int64
	settled chan struct{} // has a token after the last one ended
}

func (u *underWay) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (u *underWay) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (u *underWay) HandleConn(context.Context, stats.ConnStats) {}

func (u *underWay) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s.(type) {
	case *stats.Begin:
		u.calls.Add(1)
	case *stats.End:
		if u.calls.Add(-1) == 0 {
			select {
			case u.settled <- struct{}{}:
			default:
			}
		}
	}
}

// wait gives calls that need no more from the client time to end. Others need
// not, so it is not long.
func (u *underWay) wait() {
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-u.settled:
	case <-timer.C:
	}
}

// session writes what a client does on one connection.
type session struct {
	*http2.Framer
	tb      testing.TB
	headers bytes.Buffer
	encoder *hpack.Encoder
	stream  uint32
}

// call begins a call. fields are more headers, or others.
func (s *session) call(path string, ends bool, fields ...string) {
	s.headers.Reset()
	s.stream += 2
	all := []string{":method", "POST", ":scheme", "http", ":path", path, ":authority", "localhost", "content-type", "application/grpc", "te", "trailers"}
	all = append(all, fields...)
	for i := 0; i < len(all); i += 2 {
		s.must(s.encoder.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]}))
	}
	s.must(s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.stream, BlockFragment: s.headers.Bytes(), EndHeaders: true, EndStream: ends}))
}

func (s *session) must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
}

// message sends a message, flagged as compressed or not.
func (s *session) message(ends bool, compressed byte, b []byte) {
	frame := binary.BigEndian.AppendUint32([]byte{compressed}, uint32(len(b)))
	s.must(s.WriteData(s.stream, ends, append(frame, b...)))
}

// sessions are what clients may do, and some things that they may not.
func sessions(tb testing.TB) (list [][]byte) {
	tb.Helper()
	add := func(do func(*session)) {
		var out bytes.Buffer
		s := &session{Framer: http2.NewFramer(&out, nil), tb: tb}
		s.AllowIllegalWrites = true
		s.encoder, s.stream = hpack.NewEncoder(&s.headers), ^uint32(0)
		do(s)
		list = append(list, out.Bytes())
	}
	for _, c := range conversations() {
		add(func(s *session) {
			s.call(c.method, false)
			for i, m := range c.sends {
				s.message(i == len(c.sends)-1, 0, encoded(tb, m))
			}
		})
	}
	read := encoded(tb, conversations()[0].sends[0])
	add(func(s *session) { s.call("/event_store.client.gossip.Gossip/Read", true) })
	add(func(s *session) { s.call("/x", true, "authorization", "Basic YWRtaW46Y2hhbmdlaXQ=") })
	add(func(s *session) { s.call(readStream, false, "grpc-encoding", "gzip"); s.message(true, 1, read) })
	add(func(s *session) {
		s.call(readStream, false, "grpc-encoding", "gzip")
		s.message(true, 1, []byte("\x1f\x8b\x08"))
	})
	add(func(s *session) {
		s.call(readStream, false)
		s.message(false, 0, read)
		s.must(s.WriteData(s.stream, true, []byte{0, 0, 0, 0, 9, 1})) // cut off
	})
	add(func(s *session) { s.call(readStream, false, "grpc-timeout", "1n"); s.message(false, 7, read) })
	add(func(s *session) {
		s.call(appends, false, "grpc-timeout", "99999999H")
		s.must(s.WriteData(s.stream, false, []byte{0, 255, 255, 255, 255}))
	})
	add(func(s *session) {
		s.call(appends, false)
		s.message(false, 0, encoded(tb, conversations()[len(conversations())-3].sends[0]))
		s.must(s.WriteRSTStream(s.stream, http2.ErrCodeCancel))
		s.must(s.WriteWindowUpdate(0, 1<<20))
		s.must(s.WritePing(false, [8]byte{1}))
		s.call(readStream, false)
		s.message(true, 0, read)
		s.must(s.WriteGoAway(s.stream, http2.ErrCodeNo, nil))
	})
	add(func(s *session) {
		s.must(s.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1}))
		s.must(s.WriteSettingsAck())
		s.must(s.WritePriority(7, http2.PriorityParam{StreamDep: 7}))
		s.must(s.WriteContinuation(1, true, []byte{0x82}))
		s.must(s.WriteWindowUpdate(1, 0))
		s.must(s.WriteRawFrame(0xfe, 0xff, 9, []byte("x")))
	})
	return list
}
