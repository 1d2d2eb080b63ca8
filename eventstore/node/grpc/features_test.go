package grpc_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	nodegrpc "konto/eventstore/node/grpc"
)

func TestSupportedMethods(t *testing.T) {
	t.Parallel()
	w := start(t)
	got, err := serverfeatures.NewServerFeaturesClient(w.conn).GetSupportedMethods(within(t), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string][]string{}
	for _, m := range got.GetMethods() {
		if m.GetMethodName() != strings.ToLower(m.GetMethodName()) || m.GetServiceName() != strings.ToLower(m.GetServiceName()) {
			t.Errorf("%s %s: want lower case", m.GetServiceName(), m.GetMethodName())
		}
		methods[m.GetServiceName()+"/"+m.GetMethodName()] = m.GetFeatures()
	}
	for method, want := range map[string][]string{
		"event_store.client.streams.streams/read":                               {"position", "events"},
		"event_store.client.streams.streams/append":                             nil,
		"event_store.client.streams.streams/batchappend":                        {"deadline_duration"},
		"event_store.client.streams.streams/delete":                             nil,
		"event_store.client.streams.streams/tombstone":                          nil,
		"event_store.client.gossip.gossip/read":                                 nil,
		"event_store.client.server_features.serverfeatures/getsupportedmethods": nil,
	} {
		features, there := methods[method]
		if !there || !cmp.Equal(features, want) {
			t.Errorf("%s = %v, %v, want %v", method, features, there, want)
		}
	}
	// The official client takes the first three parts of the version for numbers.
	parts := strings.Split(got.GetEventStoreServerVersion(), ".")
	for i := range 3 {
		if _, err := strconv.Atoi(parts[i]); err != nil {
			t.Errorf("version = %s, want three numbers", got.GetEventStoreServerVersion())
		}
	}
}

func TestGossip(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	w := startWith(t, func(c *nodegrpc.Config) { c.Now = func() time.Time { return at } })
	got, err := gossip.NewGossipClient(w.conn).Read(within(t), &shared.Empty{})
	if err != nil || len(got.GetMembers()) != 1 {
		t.Fatalf("gossip = %v, %v, want one member", got, err)
	}
	m := got.GetMembers()[0]
	host, port, _ := net.SplitHostPort(w.address)
	if m.GetState() != gossip.MemberInfo_Leader || !m.GetIsAlive() || m.GetTimeStamp() != at.UnixNano()/100 || m.GetInstanceId().GetStructured() == nil {
		t.Errorf("member = %v, want a leader, alive, with an ID, at %d", m, at.UnixNano()/100)
	}
	if e := m.GetHttpEndPoint(); e.GetAddress() != host || strconv.Itoa(int(e.GetPort())) != port {
		t.Errorf("end point = %v, want what was dialled, %s", e, w.address)
	}
	again, _ := gossip.NewGossipClient(w.conn).Read(within(t), &shared.Empty{})
	if diff := cmp.Diff(m.GetInstanceId().String(), again.GetMembers()[0].GetInstanceId().String()); diff != "" {
		t.Errorf("instance changes: %s", diff)
	}
	w = startWith(t, func(c *nodegrpc.Config) { c.Advertise = func() (string, int) { return "konto.example", 4711 } })
	got, err = gossip.NewGossipClient(w.conn).Read(within(t), &shared.Empty{})
	if e := got.GetMembers()[0].GetHttpEndPoint(); err != nil || e.GetAddress() != "konto.example" || e.GetPort() != 4711 {
		t.Errorf("gossip = %v, %v, want konto.example:4711", got, err)
	}
}

// The official client pings every 10 s, also when no call is under way, which
// is more than grpc-go allows unasked. The server forgives two pings that come
// too early; one that comes after 5 s must not be the third.
func TestKeepalive(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	closes(t, conn)
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	// ping returns whether the server answers, or goes away.
	ping := func() bool {
		if err := framer.WritePing(false, [8]byte{}); err != nil {
			return false
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return false
		}
		for {
			f, err := framer.ReadFrame()
			if err != nil {
				return false
			}
			if _, away := f.(*http2.GoAwayFrame); away {
				return false
			}
			if p, ok := f.(*http2.PingFrame); ok && p.IsAck() {
				return true
			}
		}
	}
	for i := range 3 {
		if !ping() {
			t.Fatalf("the server goes away after %d early pings", i)
		}
	}
	for err = conn.SetReadDeadline(time.Now().Add(5100 * time.Millisecond)); err == nil; { // until then
		_, err = framer.ReadFrame()
	}
	if !ping() {
		t.Error("the server goes away after a ping that came 5 s after the last")
	}
	strict := false
	for range 3 {
		strict = strict || !ping()
	}
	if !strict {
		t.Error("the server does not mind early pings at all")
	}
}
