package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"konto/eventstore"
	"konto/eventstore/node"
	"konto/eventstore/node/engine"
)

// CheckEsdbAddr returns an error unless addr, with the event store that store
// names, may be [Config.EsdbAddr]. The events are shown to this machine alone:
// they are those of all tenants, nobody is asked who they are, and clients of
// EventStoreDB send no password over plain text. Why not TLS and users: these
// would be events in Konto's own history.
func CheckEsdbAddr(addr, store string) error {
	if addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("esdb-addr: %q is not HOST:PORT", addr)
	}
	if ip := net.ParseIP(host); !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("esdb-addr: %s: want an address of this machine alone, such as 127.0.0.1:2113: whoever reaches it reads the events of all tenants", addr)
	}
	if store != "" {
		return errors.New("esdb-addr: shows the embedded event store, and store names another: call that one")
	}
	return nil
}

// show lets clients of EventStoreDB read the embedded event store. What they
// could append would pass no rule, so they cannot.
func (s *System) show(ctx context.Context) error {
	if s.cfg.EsdbAddr == "" {
		return nil
	}
	store, ok := s.store.(*engine.Store)
	if !ok {
		return errors.New("esdb-addr: there is no embedded event store to show")
	}
	n, err := node.Open(ctx, node.Config{
		Store: store, ReadOnly: true, Insecure: true, Addr: s.cfg.EsdbAddr,
		Now: s.cfg.Now, NewID: func() eventstore.ID { return eventstore.ID(newID()) }, Log: s.component("esdb"),
	})
	if err != nil {
		return err
	}
	s.shown = n.ConnectionString()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := n.Serve(); err != nil {
			s.fail(fmt.Errorf("event store protocol ended: %w", err))
		}
	}()
	s.atStop("event store protocol", func(ctx context.Context) error {
		err := n.Close(ctx)
		<-ended
		return err
	})
	return nil
}

// Shown is what clients of EventStoreDB connect with; "" unless EsdbAddr says
// that they may read.
func (s *System) Shown() string { return s.shown }
