package storecopy_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/grpc"
	"konto/internal/storecopy"
)

// port is an engine of which a copy sees the port and how to end a stream.
type port struct {
	eventstore.Store
	storecopy.Tombstoner
}

// remote serves an engine and returns it through the official client.
func remote(t *testing.T, s *engine.Store) *esdb.Store {
	t.Helper()
	served := grpc.New(grpc.Config{Store: s, Now: time.Now, NewID: func() eventstore.ID { return eventstore.ID(uuid.New()) }, Log: zerolog.Nop()})
	server := rpc.NewServer(served.Options()...)
	served.Register(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	client, err := esdb.Open(esdb.Config{ConnectionString: "esdb://" + l.Addr().String() + "?tls=false", Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close()
		server.Stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return client
}

// live writes what can happen to streams besides appends: every state that a
// stream can be in, and every way there.
func live(t *testing.T, s *engine.Store) {
	t.Helper()
	n := uint64(1) << 60
	add := func(stream, typ, data string) {
		n++
		if _, err := s.Append(t.Context(), stream, eventstore.Any, event(n, typ, data)); err != nil {
			t.Fatalf("append to %s: %v", stream, err)
		}
	}
	remove := func(f func(context.Context, string, eventstore.Revision) (eventstore.Position, error), stream string) {
		if _, err := f(t.Context(), stream, eventstore.Any); err != nil {
			t.Fatalf("delete %s: %v", stream, err)
		}
	}
	for _, stream := range []string{"gone", "back", "twice", "renewed", "ended", "limited", "empty-back"} {
		for range 3 {
			add(stream, "Happened", "{}")
		}
	}
	remove(s.Delete, "gone")
	add("links", "$>", "1@gone")
	add("$$back", "$metadata", `{"$maxCount":2,"own":{"b":1,"a":[1,2]}}`)
	remove(s.Delete, "back")
	add("back", "Happened", `{"again":1}`)
	add("back", "Happened", `{"again":2}`)
	remove(s.Delete, "twice")
	add("twice", "Happened", "{}")
	remove(s.Delete, "twice")
	add("other", "Happened", "{}")
	add("twice", "Happened", "{}")
	remove(s.Delete, "renewed")
	add("$$renewed", "$metadata", `{"own":1}`)
	add("renewed", "Happened", "{}")
	remove(s.Delete, "empty-back")
	add("$$empty-back", "$metadata", `{"$maxCount":5}`)
	add("$$ended", "$metadata", `{"$maxCount":5}`)
	remove(s.Tombstone, "ended")
	remove(s.Tombstone, "never")
	add("$$limited", "$metadata", `{"$tb":2}`)
	add("limited", "Happened", "{}")
	add("$settings", "$update", "{}")
	add("$$$settings", "$metadata", "{}")
	add("links", "$>", "3@back")
}

// seen is what a reader finds in a stream: the events or the error.
func seen(t *testing.T, s eventstore.Store, stream string, link bool) string {
	t.Helper()
	text := stream + ":"
	for r, err := range s.Read(t.Context(), stream, eventstore.ReadStream{ResolveLinks: link}) {
		switch {
		case errors.Is(err, eventstore.ErrStreamNotFound):
			return text + " not found"
		case errors.Is(err, eventstore.ErrStreamDeleted):
			return text + " deleted"
		case err != nil:
			t.Fatal(err)
		}
		text += fmt.Sprintf(" %s@%d %x %s", r.Stream, r.Revision, r.ID, r.Type)
		if r.Link != nil {
			text += fmt.Sprintf(" through %d", r.Link.Revision)
		}
	}
	return text
}

// TestEnds copies all that can happen to streams, in every direction; what
// readers see is the same.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]struct {
		from, to  func(*testing.T, *engine.Store) eventstore.Store
		scavenged bool
	}{
		"directory to directory":           {whole, whole, false},
		"directory to port":                {whole, portOf, false},
		"directory to node":                {whole, remoteOf, false},
		"node to directory":                {remoteOf, whole, false},
		"node to node":                     {remoteOf, remoteOf, false},
		"scavenged directory to directory": {whole, whole, true},
		"scavenged directory to node":      {whole, remoteOf, true},
		"scavenged node to directory":      {remoteOf, whole, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := openEngine(t), openEngine(t)
			write(t, source, 9, 50)
			live(t, source)
			write(t, source, 10, 50)
			if ends.scavenged {
				if done, err := source.Scavenge(t.Context(), nil); err != nil || done.Events == 0 {
					t.Fatalf("Scavenge = %+v, %v", done, err)
				}
			}
			cfg := storecopy.Config{From: ends.from(t, source), To: ends.to(t, target)}
			first := run(t, cfg)
			again := run(t, cfg)
			if !first.Same() || first.Deleted != 2 || !again.Same() || again.Digest != first.Digest {
				t.Errorf("reports %+v\nand %+v", first, again)
			}
			if holes := ends.scavenged && !first.Exact; (first.Fillers > 0) != holes {
				t.Errorf("%d fillers, want some: %t", first.Fillers, holes)
			}
			if first.Exact {
				var want []eventstore.Recorded
				for _, r := range all(t, source) {
					if r.Stream != "$settings" && r.Stream != "$$$settings" && r.Type != "$statsCollected" {
						r.Position = eventstore.Position{}
						want = append(want, r)
					}
				}
				got := all(t, target)
				for i := range got {
					got[i].Position = eventstore.Position{}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the copy differs (-want +got):\n%s", diff)
				}
			}
			for _, stream := range []string{"gone", "back", "twice", "renewed", "ended", "never", "limited", "empty-back", "other", "links", "$settings"} {
				want, got := seen(t, source, stream, true), seen(t, target, stream, true)
				if stream == "$settings" {
					want = "$settings: not found"
				}
				if got != want {
					t.Errorf("the target has %s\nwant %s", got, want)
				}
				meta := func(s *engine.Store) engine.Metadata {
					m, err := s.Metadata(t.Context(), stream)
					if err != nil {
						t.Fatal(err)
					}
					m.Revision = 0
					return m
				}
				if stream == "$settings" {
					continue
				}
				if diff := cmp.Diff(meta(source), meta(target)); diff != "" {
					t.Errorf("metadata of %s (-want +got):\n%s", stream, diff)
				}
				info := func(s *engine.Store) engine.Info {
					i, err := s.Stream(t.Context(), stream)
					if err != nil {
						t.Fatal(err)
					}
					return i
				}
				if diff := cmp.Diff(info(source), info(target)); diff != "" {
					t.Errorf("stream %s (-want +got):\n%s", stream, diff)
				}
			}
		})
	}
}

func whole(_ *testing.T, s *engine.Store) eventstore.Store  { return s }
func portOf(_ *testing.T, s *engine.Store) eventstore.Store { return port{s, s} }
func remoteOf(t *testing.T, s *engine.Store) eventstore.Store {
	t.Helper()
	return remote(t, s)
}

// TestCannotCarry refuses tombstones where there is no way to write them.
func TestCannotCarry(t *testing.T) {
	t.Parallel()
	from := openEngine(t)
	live(t, from)
	if r, err := storecopy.Run(t.Context(), storecopy.Config{From: from, To: plain{openEngine(t)}}); !errors.Is(err, storecopy.ErrCannotCarry) {
		t.Errorf("Run = %+v, %v, want ErrCannotCarry", r, err)
	}
}

// TestIndexes reads what the engine derives of a copy.
func TestIndexes(t *testing.T) {
	t.Parallel()
	open := func() *engine.Store {
		s, err := engine.Open("store", engine.Config{FS: vfs.NewMem(), Indexes: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	from, to := open(), open()
	write(t, from, 11, 200)
	run(t, storecopy.Config{From: from, To: to})
	for _, index := range []string{"$ce-account", "$et-Happened", "$streams"} {
		want, got := seen(t, from, index, true), seen(t, to, index, true)
		if got != want && index != "$streams" || len(got) < 500 { // the node's own streams are not copied
			t.Errorf("the copy has %s\nwant %s", got, want)
		}
	}
}
