package esdb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"konto/eventstore"
	"konto/eventstore/eventstoretest"
)

// A read that resolves links yields the targets with their links; a link
// whose target is gone comes alone.
func TestLinks(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.open()
	stream, events := eventstoretest.Stream(), eventstoretest.Events(3)
	links, refs := eventstoretest.Stream(), eventstoretest.Events(3)
	if _, err := s.Append(t.Context(), stream, eventstore.NoStream, events...); err != nil {
		t.Fatal(err)
	}
	for i, revision := range []int{2, 0, 7} {
		refs[i].Type, refs[i].Data, refs[i].Binary = "$>", fmt.Appendf(nil, "%d@%s", revision, stream), true
	}
	if _, err := s.Append(t.Context(), links, eventstore.NoStream, refs...); err != nil {
		t.Fatal(err)
	}
	want := []eventstore.ID{events[2].ID, events[0].ID, {}}
	resolved := func(o eventstore.ReadStream) (got []eventstore.Recorded) {
		o.ResolveLinks = true
		for r, err := range s.Read(t.Context(), links, o) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		return got
	}
	got := resolved(eventstore.ReadStream{})
	if len(got) != len(want) {
		t.Fatalf("Read = %d events, want %d", len(got), len(want))
	}
	for i, r := range got {
		if r.ID != want[i] || r.Link == nil || r.Link.ID != refs[i].ID || r.Link.Revision != eventstore.Revision(i) || r.Link.Stream != links {
			t.Errorf("event %d = %+v with link %+v, want %x by way of %x", i, r, r.Link, want[i], refs[i].ID)
		}
	}
	if got := resolved(eventstore.ReadStream{From: 1, Limit: 1}); len(got) != 1 || got[0].ID != events[0].ID {
		t.Errorf("Read of one = %+v", got)
	}
	var inAll []eventstore.ID
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{ResolveLinks: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Link != nil {
			inAll = append(inAll, r.ID)
		}
	}
	if fmt.Sprint(inAll) != fmt.Sprint(want) {
		t.Errorf("resolved links of $all = %x, want %x", inAll, want)
	}
	for r, err := range s.Read(t.Context(), links, eventstore.ReadStream{Limit: 1}) {
		if err != nil || r.Link != nil || r.ID != refs[0].ID {
			t.Errorf("Read without resolving = %+v, %v, want the link itself", r, err)
		}
	}
	all := 0
	for r, err := range s.Read(t.Context(), "$streams", eventstore.ReadStream{ResolveLinks: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Link != nil && strings.HasPrefix(r.Stream, "eventstoretest-") && r.Revision == 0 {
			all++
		}
	}
	if all != 2 {
		t.Errorf("$streams names %d of the 2 streams", all)
	}
}

func TestGoneStreams(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.open()
	ended, hidden := eventstoretest.Stream(), eventstoretest.Stream()
	for _, stream := range []string{ended, hidden} {
		if _, err := s.Append(t.Context(), stream, eventstore.NoStream, eventstoretest.Events(3)...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.store.Tombstone(t.Context(), ended, eventstore.Any); err != nil {
		t.Fatal(err)
	}
	if _, err := n.store.Delete(t.Context(), hidden, eventstore.Any); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), ended, eventstore.Any, eventstoretest.Events(1)...); !errors.Is(err, eventstore.ErrStreamDeleted) {
		t.Errorf("Append to an ended stream = %v, want %v", err, eventstore.ErrStreamDeleted)
	}
	for stream, want := range map[string]error{ended: eventstore.ErrStreamDeleted, hidden: eventstore.ErrStreamNotFound} {
		for _, err := range s.Read(t.Context(), stream, eventstore.ReadStream{}) {
			if !errors.Is(err, want) {
				t.Errorf("Read = %v, want %v", err, want)
			}
		}
	}
	if at, err := s.Append(t.Context(), hidden, eventstore.NoStream, eventstoretest.Events(1)...); err != nil || at.Revision != 3 {
		t.Errorf("Append to a deleted stream = %+v, %v, want revision 3", at, err)
	}
}
