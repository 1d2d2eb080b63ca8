package node_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"konto/eventstore/node"
	"konto/eventstore/node/engine"
)

// browser is an HTTP client of its own, with or without HTTP/2.
func browser(t *testing.T, n *node.Node, http2 bool) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: http2}
	if n.CertFile() != "" {
		transport.TLSClientConfig = trusting(t, n)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// get returns the status and the body.
func get(t *testing.T, c *http.Client, url, authorization string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestOnePort serves the official client and HTTP on one port, over plain text
// and over TLS with either version of HTTP.
func TestOnePort(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		cfg  node.Config
		http []bool
	}{
		"plain": {node.Config{Memory: true, Insecure: true}, []bool{false}},
		"TLS":   {node.Config{Dir: t.TempDir(), DevTLS: true}, []bool{false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, _ := serve(t, row.cfg)
			db := client(t, n.ConnectionString())
			if _, err := db.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event(), event()); err != nil {
				t.Fatalf("AppendToStream() = %v, want nil", err)
			}
			for _, http2 := range row.http {
				if status, body := get(t, browser(t, n, http2), n.URL()+"/health/live", ""); status != http.StatusNoContent || body != "" {
					t.Errorf("GET /health/live = %d %q, want 204", status, body)
				}
				status, body := get(t, browser(t, n, http2), n.URL()+"/stats", basic("admin", "changeit"))
				var stats struct {
					ES struct{ Writer struct{ Events int } }
				}
				if err := json.Unmarshal([]byte(body), &stats); err != nil || status != http.StatusOK || stats.ES.Writer.Events < 2 {
					t.Errorf("GET /stats = %d %s, want at least 2 events", status, body)
				}
				if status, _ := get(t, browser(t, n, http2), n.URL()+"/streams", ""); status != http.StatusNotFound {
					t.Errorf("GET /streams = %d, want 404", status)
				}
			}
		})
	}
}

func TestStatsNeedALogin(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, DevTLS: true})
	for _, row := range []struct {
		authorization string
		want          int
	}{
		{"", http.StatusUnauthorized},
		{basic("admin", "wrong"), http.StatusUnauthorized},
		{basic("ops", "changeit"), http.StatusOK},
	} {
		if got, _ := get(t, browser(t, n, false), n.URL()+"/stats", row.authorization); got != row.want {
			t.Errorf("GET /stats with %q = %d, want %d", row.authorization, got, row.want)
		}
	}
}

// TestStrangers connects with what is neither gRPC nor HTTP: the node goes on.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]node.Config{
		"plain": {Memory: true, Insecure: true},
		"TLS":   {Memory: true, DevTLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, stop := serve(t, cfg)
			for _, say := range []string{"", "P", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense", "PROPFIND / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00", strings.Repeat("x", 1<<17)} {
				conn := connect(t, n)
				_, _ = io.WriteString(conn, say) // the node may have hung up
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.CloseWrite() // likewise
				}
				_, _ = io.Copy(io.Discard, conn) // until the node hangs up
			}
			silent := connect(t, n)
			if status, _ := get(t, browser(t, n, false), n.URL()+"/health/live", ""); status != http.StatusNoContent {
				t.Errorf("GET /health/live = %d, want 204", status)
			}
			stop() // does not wait for who says nothing
			if _, err := silent.Read(make([]byte, 1)); err == nil {
				t.Error("a connection that said nothing is still open")
			}
		})
	}
}

func connect(t *testing.T, n *node.Node) net.Conn {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it was used
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestProtocols checks which server a TLS client gets by what it offers.
func TestProtocols(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, DevTLS: true})
	for _, row := range []struct {
		offers []string
		want   string
	}{
		{nil, ""}, {[]string{"h2"}, "h2"}, {[]string{"http/1.1"}, "http/1.1"}, {[]string{"h2", "http/1.1"}, "h2"},
	} {
		c := trusting(t, n)
		c.NextProtos = row.offers
		conn := tls.Client(connect(t, n), c)
		c.ServerName = "localhost"
		if err := conn.HandshakeContext(t.Context()); err != nil {
			t.Fatalf("a client that offers %q: %v", row.offers, err)
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != row.want {
			t.Errorf("a client that offers %q gets %q, want %q", row.offers, got, row.want)
		}
		if row.want == "h2" {
			continue
		}
		_, _ = io.WriteString(conn, "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n") // the answer says whether it came
		line, err := bufio.NewReader(conn).ReadString('\n')
		if !strings.Contains(line, "204") {
			t.Errorf("a client that offers %q is answered %q, %v, want 204", row.offers, line, err)
		}
	}
}

// TestCloseEndsSubscriptions stops a node with a subscription open: the client
// learns it at once, and what was appended is there after a start.
func TestCloseEndsSubscriptions(t *testing.T) {
	t.Parallel()
	cfg := node.Config{Dir: t.TempDir(), Insecure: true, Grace: patience}
	n, stop := serve(t, cfg)
	db := client(t, n.ConnectionString())
	if _, err := db.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event()); err != nil {
		t.Fatal(err)
	}
	sub, err := db.SubscribeToStream(t.Context(), "any", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Close() }() // it has ended
	if e := sub.Recv(); e.EventAppeared == nil {
		t.Fatalf("Recv() = %v, want the event", e)
	}
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("Close() took %v, want it not to wait for subscriptions", took)
	}
	for {
		e := sub.Recv()
		if e.SubscriptionDropped == nil {
			continue
		}
		if got := status.Code(e.SubscriptionDropped.Error); got != codes.Unavailable {
			t.Errorf("the subscription ends with %v, want Unavailable", e.SubscriptionDropped.Error)
		}
		break
	}
	again, _ := serve(t, cfg)
	stream, err := client(t, again.ConnectionString()).ReadStream(t.Context(), "any", esdb.ReadStreamOptions{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Recv(); err != nil {
		t.Errorf("after a start Recv() = %v, want the event", err)
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	cfg := node.Config{Dir: t.TempDir(), Insecure: true}
	serve(t, cfg)
	if _, err := node.Open(t.Context(), config(t, cfg)); !errors.Is(err, engine.ErrLocked) {
		t.Errorf("Open() of a directory in use = %v, want ErrLocked", err)
	}
}

// TestReadOnly serves a store of somebody else without writing to it.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	own, _ := serve(t, node.Config{Memory: true, Insecure: true})
	db := client(t, own.ConnectionString())
	if _, err := db.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event()); err != nil {
		t.Fatal(err)
	}
	head := own.Store().Head()
	n, stop := serve(t, node.Config{Store: own.Store(), ReadOnly: true, Insecure: true})
	shown := client(t, n.ConnectionString())
	stream, err := shown.ReadStream(t.Context(), "any", esdb.ReadStreamOptions{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Recv(); err != nil {
		t.Errorf("Recv() = %v, want the event", err)
	}
	for name, change := range map[string]func() error{
		"append": func() error {
			_, err := shown.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event())
			return err
		},
		"delete": func() error {
			_, err := shown.DeleteStream(t.Context(), "any", esdb.DeleteStreamOptions{})
			return err
		},
		"tombstone": func() error {
			_, err := shown.TombstoneStream(t.Context(), "any", esdb.TombstoneStreamOptions{})
			return err
		},
		"metadata": func() error {
			_, err := shown.SetStreamMetadata(t.Context(), "any", esdb.AppendToStreamOptions{}, esdb.StreamMetadata{})
			return err
		},
	} {
		var e *esdb.Error
		if err := change(); !errors.As(err, &e) || e.Code() != esdb.ErrorCodeAccessDenied {
			t.Errorf("%s = %v, want access denied", name, err)
		}
	}
	stop()
	if own.Store().Head() != head {
		t.Errorf("the store is at %v, want %v", own.Store().Head(), head)
	}
	if _, err := db.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event()); err != nil {
		t.Errorf("after the end of who showed it AppendToStream() = %v, want nil", err)
	}
}

// TestReadOnlyWritesNothing opens an empty store: no user gets in, and none is
// created.
func TestReadOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, DevTLS: true, ReadOnly: true})
	if got, _ := get(t, browser(t, n, false), n.URL()+"/stats", basic("admin", "changeit")); got != http.StatusUnauthorized {
		t.Errorf("GET /stats as admin = %d, want 401", got)
	}
	if head := n.Store().Head(); head.Commit != 0 {
		t.Errorf("the store is at %v, want nothing in it", head)
	}
}

// TestReadOnlyAfterFailure breaks the disk: the node says that it does not
// live, and goes on to show what it has.
func TestReadOnlyAfterFailure(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errorfs.ErrInjected
		}
		return nil
	}))
	n, _ := serve(t, node.Config{Dir: "node", FS: disk, Insecure: true})
	db := client(t, n.ConnectionString())
	if _, err := db.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event()); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if _, err := db.AppendToStream(t.Context(), "any", esdb.AppendToStreamOptions{}, event()); err == nil {
		t.Fatal("AppendToStream() on a broken disk = nil, want an error")
	}
	if got, _ := get(t, browser(t, n, false), n.URL()+"/health/live", ""); got != http.StatusServiceUnavailable {
		t.Errorf("GET /health/live = %d, want 503", got)
	}
	if _, body := get(t, browser(t, n, false), n.URL()+"/stats", ""); !strings.Contains(body, `"readOnly": true`) {
		t.Errorf("GET /stats = %s, want readOnly", body)
	}
	stream, err := client(t, n.ConnectionString()).ReadStream(t.Context(), "any", esdb.ReadStreamOptions{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Recv(); err != nil {
		t.Errorf("Recv() = %v, want the event", err)
	}
}
