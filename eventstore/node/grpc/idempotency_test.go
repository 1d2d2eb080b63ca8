package grpc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

// Every form in which an append may come again: the steps of a row are appends
// to one stream, of events that are named by letters.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := start(t)
	const (
		none, anything, exists = eventstore.NoStream, eventstore.Any, eventstore.StreamExists
		wrong                  = -9
	)
	type step struct {
		expected eventstore.Revision
		events   string
		want     int64 // revision in the answer
	}
	for _, row := range []struct {
		name  string
		steps []step
		want  string // what is stored
	}{
		{"any, all again", []step{{anything, "ab", 1}, {anything, "ab", 1}}, "ab"},
		{"any, again after others", []step{{anything, "ab", 1}, {anything, "c", 2}, {anything, "ab", 1}}, "abc"},
		{"any, the first again", []step{{anything, "abc", 2}, {anything, "a", 0}}, "abc"},
		{"any, the last again", []step{{anything, "abc", 2}, {anything, "c", 2}}, "abc"},
		{"any, out of order", []step{{anything, "abc", 2}, {anything, "ca", 0}}, "abc"},
		{"any, more than was there", []step{{anything, "ab", 1}, {anything, "abc", wrong}}, "ab"},
		{"any, a new one first", []step{{anything, "ab", 1}, {anything, "ca", 3}}, "abca"},
		{"exists, again", []step{{anything, "ab", 1}, {exists, "ab", 1}, {exists, "c", 2}, {exists, "c", 2}}, "abc"},
		{"exists, more", []step{{anything, "ab", 1}, {exists, "bc", wrong}}, "ab"},
		{"exact, all again", []step{{none, "ab", 1}, {none, "ab", 1}}, "ab"},
		{"exact, later again", []step{{none, "ab", 1}, {1, "cd", 3}, {1, "cd", 3}}, "abcd"},
		{"exact, again after others", []step{{none, "ab", 1}, {1, "c", 2}, {none, "ab", 1}, {1, "c", 2}}, "abc"},
		{"exact, a part of it", []step{{none, "abc", 2}, {none, "a", 0}, {none, "ab", 1}, {0, "b", 1}}, "abc"},
		{"exact, other first", []step{{none, "ab", 1}, {none, "c", wrong}, {none, "cb", wrong}}, "ab"},
		{"exact, other later", []step{{none, "ab", 1}, {none, "ac", wrong}}, "ab"},
		{"exact, more than was there", []step{{none, "ab", 1}, {none, "abc", wrong}}, "ab"},
		{"exact, at another place", []step{{none, "ab", 1}, {0, "a", wrong}}, "ab"},
		{"exact, ahead", []step{{none, "ab", 1}, {2, "c", wrong}, {2, "ab", wrong}}, "ab"},
		{"exact at the end writes what is there", []step{{none, "ab", 1}, {1, "ab", 3}}, "abab"},
		{"exact, again as any", []step{{none, "ab", 1}, {anything, "ab", 1}}, "ab"},
		{"any, again as exact", []step{{anything, "ab", 1}, {none, "ab", 1}}, "ab"},
		{"many", []step{{none, "abcdefghijklmnopqrstuvwxyz", 25}, {none, "abcdefghijklmnopqrstuvwxyz", 25}, {12, "nopqrstuvwxyz", 25}}, "abcdefghijklmnopqrstuvwxyz"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			stream, ids := name("again"), map[rune]eventstore.ID{}
			positions := map[int64]uint64{}
			for _, s := range row.steps {
				var list []*streams.AppendReq_ProposedMessage
				for _, letter := range s.events {
					if _, known := ids[letter]; !known {
						ids[letter] = newID()
					}
					e := proposed("letter", string(letter))
					e.Id = wireID(ids[letter])
					list = append(list, e)
				}
				response, end := w.append(t, stream, s.expected, list...)
				success := response.GetSuccess()
				switch {
				case s.want == wrong && response.GetWrongExpectedVersion() == nil:
					t.Fatalf("append of %s at %v = %v, %v, want a wrong version", s.events, s.expected, response, end)
				case s.want == wrong:
					continue
				case success == nil || success.GetCurrentRevision() != uint64(s.want):
					t.Fatalf("append of %s at %v = %v, %v, want revision %d", s.events, s.expected, response, end, s.want)
				}
				at := success.GetPosition().GetCommitPosition()
				if before, known := positions[s.want]; known && before != at {
					t.Errorf("append of %s at %v: position = %d, want where it was, %d", s.events, s.expected, at, before)
				}
				positions[s.want] = at
			}
			list, _ := w.read(t, options(stream, 100))
			var got []byte
			for _, r := range list {
				got = append(got, r.GetEvent().GetEvent().GetData()...)
				if at, known := positions[int64(r.GetEvent().GetEvent().GetStreamRevision())]; known && at != r.GetEvent().GetCommitPosition() {
					t.Errorf("%s is at %d, want the append's %d", r.GetEvent().GetEvent().GetData(), r.GetEvent().GetCommitPosition(), at)
				}
			}
			if diff := cmp.Diff(row.want, string(got)); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

// The same event in another stream is another event.
func TestIdempotencyIsOfAStream(t *testing.T) {
	t.Parallel()
	w := start(t)
	one, other, e := name("one"), name("other"), proposed("e", "")
	w.must(t, one, eventstore.Any, e)
	w.must(t, other, eventstore.Any, e)
	for _, stream := range []string{one, other} {
		if list, _ := w.read(t, options(stream, 10)); len(list) != 1 || describe(list[0]) != "0" {
			t.Errorf("read of %s = %v, want one event", stream, revisions(list))
		}
	}
}
