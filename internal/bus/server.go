package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"
)

// startServer starts the embedded server; if its files are unusable, without
// them.
func (b *Bus) startServer(ctx context.Context) error {
	s, err := b.newServer(ctx)
	if err != nil && ctx.Err() == nil {
		b.config.Log.Warn().Err(err).Msg("bus directory unusable, starting empty")
		if err := os.RemoveAll(b.config.Dir); err != nil {
			return fmt.Errorf("wipe bus: %w", err)
		}
		s, err = b.newServer(ctx)
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.server = s
	b.mu.Unlock()
	return nil
}

func (b *Bus) newServer(ctx context.Context) (*server.Server, error) {
	if err := os.MkdirAll(b.config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("start bus: %w", err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName:             "konto",
		DontListen:             true,
		NoSigs:                 true,
		NoLog:                  true,
		NoSystemAccount:        true,
		MaxPayload:             MaxPayload,
		JetStream:              true,
		StoreDir:               b.config.Dir,
		JetStreamMaxStore:      b.config.MaxStore,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start bus: %w", err)
	}
	failed := new(atomic.Bool)
	s.SetLoggerV2(serverLog{b.config.Log.With().Str("component", "bus").Logger(), failed},
		b.config.Log.GetLevel() <= zerolog.TraceLevel, false, false)
	s.Start()
	// Start returns when JetStream has recovered its files, or has said that it cannot.
	if ctx.Err() != nil || failed.Load() || !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, errors.Join(errors.New("start bus: the server does not come up"), ctx.Err())
	}
	return s, nil
}

func (b *Bus) stopServer() {
	b.mu.Lock()
	s := b.server
	b.server = nil
	b.mu.Unlock()
	if s == nil {
		return
	}
	s.Shutdown()
	s.WaitForShutdown()
}

// serverLog passes the server's log on. What the server notices is of use only
// when something is wrong, so its notices are debug lines.
type serverLog struct {
	log    zerolog.Logger
	failed *atomic.Bool // the server gave up
}

func (l serverLog) Noticef(format string, v ...any) { l.log.Debug().Msgf(format, v...) }
func (l serverLog) Warnf(format string, v ...any)   { l.log.Warn().Msgf(format, v...) }
func (l serverLog) Errorf(format string, v ...any)  { l.log.Warn().Msgf(format, v...) }
func (l serverLog) Debugf(format string, v ...any)  { l.log.Trace().Msgf(format, v...) }
func (l serverLog) Tracef(format string, v ...any)  { l.log.Trace().Msgf(format, v...) }

func (l serverLog) Fatalf(format string, v ...any) {
	l.failed.Store(true)
	l.log.Warn().Msgf(format, v...)
}
