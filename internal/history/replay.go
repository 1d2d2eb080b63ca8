package history

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// step is an account right after one of its events. The state is shared by all
// steps of a replay and changes when the replay goes on.
type step struct {
	contract domain.Contract
	record   eventstore.Recorded
	meta     envelope.Meta
	data     []byte // opened if the reader may see, else as stored
	state    any
}

// document is the step's state as people see it.
func (s step) document() (json.RawMessage, error) {
	b, err := json.Marshal(s.state)
	if err != nil {
		return nil, fmt.Errorf("state of %s@%d: %w", s.record.Stream, s.record.Revision, err)
	}
	return privacy.Plain(b), nil
}

// replay folds an account event by event, and ends before the first record
// that stop says is beyond what is asked for.
func (h *Reader) replay(ctx context.Context, stream string, sight domain.Sight, stop func(eventstore.Recorded) bool) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		category, _, _ := envelope.Split(stream)
		contract, ok := h.Contracts[category]
		if !ok {
			yield(step{}, ErrNoAccount)
			return
		}
		s := step{contract: contract, state: contract.New()}
		for r, err := range h.Store.Read(ctx, stream, eventstore.ReadStream{}) {
			if err != nil {
				yield(step{}, missing(err))
				return
			}
			if stop(r) {
				return
			}
			if s, err = h.advance(ctx, s, r, sight); !yield(s, err) || err != nil {
				return
			}
		}
	}
}

func (h *Reader) advance(ctx context.Context, s step, r eventstore.Recorded, sight domain.Sight) (step, error) {
	sealed, err := envelope.ParseMeta(r.Meta)
	if err != nil {
		return s, err
	}
	s.record, s.meta, s.data = r, sealed, r.Data
	if sight.Personal {
		if s.data, err = envelope.OpenData(ctx, h.Keys, r, sealed.Tenant); err != nil {
			return s, fmt.Errorf("open %s@%d: %w", r.Stream, r.Revision, err)
		}
		meta, err := envelope.OpenMeta(ctx, h.Keys, r, sealed.Tenant)
		if err != nil {
			return s, fmt.Errorf("open %s@%d: %w", r.Stream, r.Revision, err)
		}
		if s.meta, err = envelope.ParseMeta(meta); err != nil {
			return s, err
		}
	}
	event, err := s.contract.DecodeEvent(domain.Raw{Type: r.Type, Data: s.data})
	if err != nil {
		return s, err
	}
	return s, s.contract.Evolve(s.state, event)
}
