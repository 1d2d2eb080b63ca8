package history

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Mention is an event as far as it is about one person: what GDPR Art. 15 gives
// them a copy of. Values about other people stay sealed (Art. 15(4)).
type Mention struct {
	Stream     string          `json:"stream"`
	Revision   int64           `json:"revision"`
	Position   string          `json:"position"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	RecordedAt time.Time       `json:"recordedAt"`
	By         string          `json:"by"`              // ID of the actor
	Own        bool            `json:"own"`             // the person did it
	Why        json.RawMessage `json:"why,omitempty"`   // the reason, if the person gave it
	From       json.RawMessage `json:"from,omitempty"`  // address and program, if they were the person's
	Data       json.RawMessage `json:"data"`            // "[sealed]" stands for others' values
	Erased     bool            `json:"erased,omitzero"` // what was about the person can no longer be read
}

// About yields the events of a tenant that hold a value about a person, are of
// an account with the person's ID, or that the person caused, in the order of
// $all. It reads the whole store: some seconds for each million events.
func (h *Reader) About(ctx context.Context, tenant, subject string) iter.Seq2[Mention, error] {
	return func(yield func(Mention, error) bool) {
		name := []byte(subject)
		for r, err := range h.Store.ReadAll(ctx, eventstore.ReadAll{}) {
			if err != nil {
				yield(Mention{}, fmt.Errorf("read for subject: %w", err))
				return
			}
			if !bytes.Contains(r.Data, name) && !bytes.Contains(r.Meta, name) {
				if _, id, _ := envelope.Split(r.Stream); id != subject {
					continue
				}
			}
			m, ok, err := h.mention(ctx, r, tenant, subject)
			if err == nil && !ok {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func (h *Reader) mention(ctx context.Context, r eventstore.Recorded, tenant, subject string) (m Mention, ok bool, err error) {
	category, id, split := envelope.Split(r.Stream)
	if _, known := h.Contracts[category]; !split || !known {
		return m, false, nil // another program's
	}
	meta, err := envelope.ParseMeta(r.Meta)
	if err != nil || meta.Tenant != tenant {
		return m, false, err
	}
	where := envelope.Where(r, tenant)
	data, err := h.Keys.OpenAbout(ctx, where, r.Data, subject)
	if err != nil {
		return m, false, err
	}
	about := !bytes.Equal(data, r.Data)
	own := meta.Actor.ID == subject
	if !about && !own && id != subject {
		return m, false, nil // it names them, as an ID among others
	}
	opened, err := h.Keys.OpenAbout(ctx, where.Metadata(), r.Meta, subject)
	if err != nil {
		return m, false, err
	}
	if meta, err = envelope.ParseMeta(opened); err != nil {
		return m, false, err
	}
	m = Mention{
		Stream: r.Stream, Revision: int64(r.Revision), Position: r.Position.String(), ID: uuid.UUID(r.ID).String(),
		Type: r.Type, RecordedAt: r.At, By: meta.Actor.ID, Own: own, Data: privacy.Plain(data),
		Erased: bytes.Contains(data, []byte(`{"$erased":`)),
	}
	if own {
		m.Why, err = shown(meta.Reason)
		if err == nil {
			m.From, err = shown(meta.Source)
		}
	}
	return m, true, err
}
