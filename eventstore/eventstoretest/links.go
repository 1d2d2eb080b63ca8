package eventstoretest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"konto/eventstore"
)

// testLinks reads links as they are and resolved, in a stream and in $all.
func testLinks(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream, links := Stream(), Stream()
	mustAppend(t, s, stream, eventstore.NoStream, Events(3)...)
	targets := readStream(t.Context(), t, s, stream, eventstore.ReadStream{})
	data := []string{"1@" + stream, "3@" + stream, "2@" + stream, "0@" + Stream(), "nothing@" + stream, "1@" + links}
	events := Events(len(data) + 1)
	for i := range data {
		events[i].Type, events[i].Data, events[i].Binary = eventstore.LinkType, []byte(data[i]), true
	}
	mustAppend(t, s, links, eventstore.NoStream, events...)
	raw := readStream(t.Context(), t, s, links, eventstore.ReadStream{})
	diff(t, "links", ids(raw), wantIDs(events))
	want := make([]eventstore.Recorded, len(raw))
	for i := range raw {
		switch i {
		case 0, 2:
			want[i] = targets[i/2+1]
			want[i].Link = &raw[i]
		case 1, 3:
			want[i].Link = &raw[i] // there is nothing
		case 5:
			want[i] = raw[1] // a link, not followed further
			want[i].Link = &raw[i]
		default:
			want[i] = raw[i] // no link
		}
	}
	for _, test := range []struct {
		name string
		read eventstore.ReadStream
		want []eventstore.Recorded
	}{
		{"forward", eventstore.ReadStream{ResolveLinks: true}, want},
		{"from the middle", eventstore.ReadStream{From: 1, Limit: 3, ResolveLinks: true}, want[1:4]},
		{"backward", eventstore.ReadStream{From: 2, Direction: eventstore.Backward, ResolveLinks: true}, []eventstore.Recorded{want[2], want[1], want[0]}},
		{"not resolved", eventstore.ReadStream{}, raw},
	} {
		got := readStream(t.Context(), t, s, links, test.read)
		if d := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: got + and not -:\n%s", test.name, d)
		}
	}
	for _, resolve := range []bool{true, false} {
		var got []eventstore.Recorded
		from := eventstore.ReadAll{From: targets[2].Position, ResolveLinks: resolve}
		for r, err := range s.ReadAll(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Stream == links || r.Link != nil && r.Link.Stream == links {
				got = append(got, r)
			}
		}
		if d := cmp.Diff(map[bool][]eventstore.Recorded{true: want, false: raw}[resolve], got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("$all, ResolveLinks %t: got + and not -:\n%s", resolve, d)
		}
	}
}
