package grpc_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

func link(revision any, stream string) *streams.AppendReq_ProposedMessage {
	e := proposed("$>", fmt.Sprintf("%v@%s", revision, stream))
	e.Metadata["content-type"] = "application/octet-stream"
	return e
}

// A link leads to its target, or to nothing: then it comes alone.
func TestLinks(t *testing.T) {
	t.Parallel()
	w := start(t)
	source, links, cut, soft, hard := name("source"), name("links"), name("cut"), name("soft"), name("hard")
	target := w.numbered(t, source, "target", 3)
	w.must(t, cut, eventstore.NoStream, events(3)...)
	w.must(t, "$$"+cut, eventstore.Any, jsonEvent("$metadata", `{"$tb":2}`))
	w.must(t, soft, eventstore.NoStream, events(1)...)
	w.remove(t, soft, eventstore.Any)
	w.must(t, hard, eventstore.NoStream, events(1)...)
	w.end(t, hard, eventstore.Any)
	positions := []uint64{}
	for _, e := range []*streams.AppendReq_ProposedMessage{
		link(2, source), link(0, source), link(3, source), link(0, name("missing")), link(1, cut), link(2, cut),
		link(0, soft), link(0, hard), link("x", source), proposed("plain", "0@"+source),
	} {
		positions = append(positions, w.must(t, links, eventstore.Any, e))
	}
	want := []string{"0->2", "1->0", "2->?", "3->?", "4->?", "5->2", "6->?", "7->?", "8", "9"}
	check := func(what string, list []*streams.ReadResp, want []string) {
		t.Helper()
		if diff := cmp.Diff(want, revisions(list)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		for _, r := range list {
			e := r.GetEvent()
			l := e.GetLink()
			if l == nil {
				continue
			}
			if l.GetMetadata()["type"] != "$>" || string(l.GetStreamIdentifier().GetStreamName()) != links || e.GetCommitPosition() != positions[l.GetStreamRevision()] {
				t.Errorf("%s: %v, want the link, at %d", what, r, positions[l.GetStreamRevision()])
			}
			if describe(r) == "0->2" && (e.GetEvent().GetCommitPosition() != target[2] || string(e.GetEvent().GetData()) != "2") {
				t.Errorf("%s: target = %v, want the one at %d", what, e.GetEvent(), target[2])
			}
		}
	}
	list, _ := w.read(t, options(links, 100, resolving))
	check("read", list, want)
	list, _ = w.read(t, options(links, 2, resolving, backwards, fromRevision(1)))
	check("read backwards", list, []string{"1->0", "0->2"})
	list, _ = w.read(t, options(links, 100))
	check("read unresolved", list, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
	list, _ = w.read(t, options("", 3, resolving, fromPosition(positions[0], positions[0]), filtered(streamsStarting(links), 32, 1)))
	check("read of $all, filtered by the link's stream", list, want[:3])
	list, _ = w.read(t, options("", 2, resolving, fromPosition(positions[0], positions[0]), filtered(typesMatching(`^\$>$`), 32, 1)))
	check("read of $all, filtered by the link's type", list, want[:2])

	subscription := w.subscribe(t, options(links, 0, resolving, subscribing))
	subscription.want(t, append([]string{"confirmation"}, append(want, "caught up")...)...)
	positions = append(positions, w.must(t, links, eventstore.Any, link(1, source)))
	subscription.want(t, "10->1")
	all := w.subscribe(t, options("", 0, resolving, subscribing, fromPosition(positions[9], positions[9]), filtered(streamsStarting(links), 32, 1)))
	all.want(t, "confirmation", "10->1")
}

// The indexes of the embedded node read like the streams that EventStoreDB's
// projections write.
func TestIndexes(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	p := w.must(t, "account-1", eventstore.NoStream, proposed("opened", ""))
	w.must(t, "card-1", eventstore.NoStream, proposed("ordered", ""))
	w.must(t, "account-2", eventstore.NoStream, proposed("opened", ""), proposed("closed", ""))
	for stream, want := range map[string][]string{
		"$ce-account": {"0->0", "1->0", "2->1"},
		"$ce-card":    {"0->0"},
		"$et-opened":  {"0->0", "1->0"},
		"$streams":    {"0->0", "1->0", "2->0"},
	} {
		list, end := w.read(t, options(stream, 100, resolving))
		if diff := cmp.Diff(want, revisions(list)); diff != "" {
			t.Errorf("%s: read ends with %+v (-want +got):\n%s", stream, end, diff)
		}
		list, _ = w.read(t, options(stream, 1))
		if l := list[0].GetEvent().GetEvent(); l.GetMetadata()["type"] != "$>" {
			t.Errorf("%s: first = %v, want a link", stream, list)
		}
		if _, end := w.append(t, stream, eventstore.Any, events(1)...); end.code == 0 {
			t.Errorf("%s: append = %+v, want an error", stream, end)
		}
	}
	list, _ := w.read(t, options("$ce-account", 1))
	if e := list[0].GetEvent(); string(e.GetEvent().GetData()) != "0@account-1" || e.GetCommitPosition() != p {
		t.Errorf("first of $ce-account = %v, want 0@account-1 at %d", list, p)
	}
	subscription := w.subscribe(t, options("$ce-account", 0, resolving, subscribing, fromEnd))
	subscription.want(t, "confirmation", "caught up")
	w.must(t, "account-3", eventstore.NoStream, proposed("opened", ""))
	subscription.want(t, "3->0")
}
