package command

import (
	"context"
	"encoding/binary"
	"iter"
	"runtime"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
)

// foldChunk is how many events of a long history are decoded at once, on
// another core than the one that reads and folds: opening and decoding are
// nine tenths of the work. Most histories are shorter and stay on one core.
const foldChunk = 256

// unfolded is an event that is ready to be folded.
type unfolded struct {
	event    any
	head     envelope.Head
	revision eventstore.Revision
}

// foldAll adds recorded events to e, up to the first that cannot be had.
func (h *Handler) foldAll(ctx context.Context, e *entry, records iter.Seq2[eventstore.Recorded, error]) error {
	var ahead []chan decodedChunk // in the order of the stream
	defer func() {
		for _, c := range ahead {
			<-c // whoever decodes uses what the caller may close after this
		}
	}()
	var chunk []eventstore.Recorded
	for r, err := range records {
		if err != nil {
			return err
		}
		if chunk = append(chunk, r); len(chunk) < foldChunk {
			continue
		}
		if len(ahead) > runtime.GOMAXPROCS(0) {
			c := <-ahead[0]
			ahead = ahead[1:]
			if err := e.evolve(c); err != nil {
				return err
			}
		}
		ahead = append(ahead, h.decodeAhead(ctx, e.contract, chunk))
		chunk = nil
	}
	for len(ahead) > 0 {
		c := <-ahead[0]
		ahead = ahead[1:]
		if err := e.evolve(c); err != nil {
			return err
		}
	}
	return e.evolve(h.decodeChunk(ctx, e.contract, chunk))
}

// decodedChunk is what came of a chunk: events up to the first that failed.
type decodedChunk struct {
	events []unfolded
	err    error
}

func (h *Handler) decodeAhead(ctx context.Context, c domain.Contract, records []eventstore.Recorded) chan decodedChunk {
	done := make(chan decodedChunk, 1)
	go func() { done <- h.decodeChunk(ctx, c, records) }()
	return done
}

func (h *Handler) decodeChunk(ctx context.Context, c domain.Contract, records []eventstore.Recorded) decodedChunk {
	d := decodedChunk{events: make([]unfolded, 0, len(records))}
	for _, r := range records {
		var u unfolded
		if u, d.err = h.decode(ctx, c, r); d.err != nil {
			break
		}
		d.events = append(d.events, u)
	}
	return d
}

func (h *Handler) decode(ctx context.Context, c domain.Contract, r eventstore.Recorded) (unfolded, error) {
	head, err := envelope.ParseHead(r.Meta)
	if err != nil {
		return unfolded{}, err
	}
	data, err := envelope.OpenData(ctx, h.Keys, r, head.Tenant)
	if err != nil {
		return unfolded{}, err
	}
	event, err := c.DecodeEvent(domain.Raw{Type: r.Type, Data: data})
	return unfolded{event, head, r.Revision}, err
}

// fold adds a recorded event to e.
func (h *Handler) fold(ctx context.Context, e *entry, r eventstore.Recorded) error {
	return e.evolve(h.decodeChunk(ctx, e.contract, []eventstore.Recorded{r}))
}

// evolve folds events. Half a fold would be a wrong state, so a failure starts
// e over.
func (e *entry) evolve(d decodedChunk) error {
	for _, u := range d.events {
		if err := e.contract.Evolve(e.state, u.event); err != nil {
			e.restart()
			return err
		}
		e.revision, e.tenant = u.revision, u.head.Tenant
		if id, err := uuid.Parse(u.head.Command); err == nil {
			e.commands[commandKey(id)] = u.revision
		}
	}
	return d.err
}

func commandKey(id uuid.UUID) uint64 { return binary.BigEndian.Uint64(id[8:]) }
