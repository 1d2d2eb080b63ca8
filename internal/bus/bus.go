// Package bus runs or reaches the NATS server that carries events from the
// store to those who derive something from them.
//
// Embedded, the server lives in this process and listens on no port. It keeps
// JetStream's files in a directory that is a cache: [Start] throws it away
// when the server cannot use it, and package relay fills it again.
//
// # Why JetStream's lazy sync is enough
//
// By default JetStream acknowledges a message before it is on disk. The relay
// takes its start from what the stream really holds and the feed fills every
// gap from the event store, so a lost tail is sent again and costs nothing.
// Nothing that exists only here is of record.
package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// MaxPayload is the largest message that the embedded server takes, in bytes:
// headers and data. EventStoreDB's default limit for an append is 1 MiB, so
// that whole events travel; what is larger travels by reference.
const MaxPayload = 8 << 20

// startTimeout is how long the embedded server may take to accept its first
// connection. It takes some 20 ms; recovering large files takes longer.
const startTimeout = 30 * time.Second

// Config says where the bus is.
type Config struct {
	// URL of NATS servers, comma-separated. Empty means the embedded server.
	URL string
	// Credentials is a NATS credentials file for URL; empty for none.
	Credentials string
	// Dir holds the embedded server's files. It is created if need be.
	Dir string
	// MaxStore bounds the embedded server's files, in bytes; 0 leaves it to
	// the server, which takes part of the disk's free space.
	MaxStore int64
	// Name is shown in the server's list of connections. Empty means "konto".
	Name string
	Log  zerolog.Logger
}

// Validate reports the first field that cannot work.
func (c Config) Validate() error {
	if c.URL == "" && c.Dir == "" {
		return errors.New("bus: Dir is empty; it must name a directory when URL is empty")
	}
	if c.MaxStore < 0 {
		return fmt.Errorf("bus: MaxStore is %d; it must be 0 or more", c.MaxStore)
	}
	return nil
}

// Bus is a running connection, with its server if that is embedded. All
// methods are safe for concurrent use.
type Bus struct {
	config Config
	conn   *nats.Conn

	mu     sync.Mutex
	server *server.Server // nil if external or down
	closed bool
}

// Start starts the embedded server or connects to Config.URL, and returns when
// messages can flow. Close releases what it holds.
func Start(ctx context.Context, c Config) (*Bus, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Name == "" {
		c.Name = "konto"
	}
	b := &Bus{config: c}
	if c.URL == "" {
		if err := b.startServer(ctx); err != nil {
			return nil, err
		}
	}
	conn, err := b.Connect(c.Name)
	if err != nil {
		b.stopServer()
		return nil, err
	}
	b.conn = conn
	return b, nil
}

// Conn is the shared connection.
func (b *Bus) Conn() *nats.Conn { return b.conn }

// Connect makes a further connection, which its caller closes. It reconnects
// for ever when the server goes away.
func (b *Bus) Connect(name string) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.config.Log.Warn().Err(err).Msg("bus connection lost")
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { b.config.Log.Info().Msg("bus connection back") }),
		// A slow reader loses messages, notices the gap and reads the store.
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.config.Log.Debug().Err(err).Msg("bus connection")
		}),
	}
	if b.config.URL == "" {
		options = append(options, nats.InProcessServer(b))
	} else if b.config.Credentials != "" {
		options = append(options, nats.UserCredentials(b.config.Credentials))
	}
	conn, err := nats.Connect(b.config.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to bus: %w", err)
	}
	return conn, nil
}

// InProcessConn opens a pipe to the embedded server of the moment, so that
// connections survive a Restart.
func (b *Bus) InProcessConn() (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server == nil {
		return nil, nats.ErrNoServers
	}
	return b.server.InProcessConn()
}

// Restart stops the embedded server and starts it again, with wipe on an empty
// directory, and returns when the shared connection is back; others come back
// by themselves. An external server is left alone.
func (b *Bus) Restart(ctx context.Context, wipe bool) error {
	if b.config.URL != "" {
		return nil
	}
	back := b.conn.StatusChanged(nats.CONNECTED)
	defer b.conn.RemoveStatusListener(back)
	b.stopServer()
	if wipe {
		if err := os.RemoveAll(b.config.Dir); err != nil {
			return fmt.Errorf("wipe bus: %w", err)
		}
	}
	if err := b.startServer(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	id := b.server.ID()
	b.mu.Unlock()
	for b.conn.ConnectedServerId() != id {
		select {
		case <-back:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close sends what is waiting, closes the shared connection and stops the
// embedded server. Further calls do nothing.
func (b *Bus) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	err := drain(b.conn)
	b.stopServer()
	return err
}

// drain delivers what has been sent and received, and closes conn.
func drain(conn *nats.Conn) error {
	gone := conn.StatusChanged(nats.CLOSED)
	if err := conn.Drain(); err != nil {
		conn.Close() // a connection that is down has nothing to drain
		if errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, nats.ErrConnectionClosed) {
			return nil
		}
		return fmt.Errorf("drain bus: %w", err)
	}
	timeout := time.NewTimer(nats.DefaultDrainTimeout)
	defer timeout.Stop()
	select {
	case <-gone:
	case <-timeout.C:
		conn.Close()
	}
	return nil
}
