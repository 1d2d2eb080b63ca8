package projector

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/projections"
)

// item is an event on its way to the handlers.
type item struct {
	event   *eventstore.Recorded
	foreign bool         // of a category that nobody knows, or the store's own
	typ     reflect.Type // nil if the event could not be decoded
	decoded domain.Recorded[any]
	// category and err say why it could not be decoded.
	category string
	err      error
}

// decoder makes items. It decodes each event once and only if a projection
// wants its type. It is safe for concurrent use.
type decoder struct {
	contracts envelope.Contracts
	annotate  func(data []byte, tenant, stream, eventID, typ string) []byte
	every     bool
	wanted    map[reflect.Type]bool
	types     map[wire]reflect.Type // of the wire names that contracts list
	old       sync.Map              // wire → reflect.Type of earlier names, once seen
}

type wire struct{ category, name string }

func newDecoder(cs envelope.Contracts, annotate func([]byte, string, string, string, string) []byte, ps []projections.Projection) *decoder {
	d := &decoder{contracts: cs, annotate: annotate, wanted: map[reflect.Type]bool{}, types: map[wire]reflect.Type{}}
	for _, p := range ps {
		d.every = d.every || p.Every != nil
		for _, h := range p.Handlers {
			d.wanted[h.Type] = true
		}
	}
	for category, c := range cs {
		for _, e := range c.Events() {
			d.types[wire{category, e.Name}] = e.Type
		}
	}
	return d
}

func (d *decoder) all(events []eventstore.Recorded) []item {
	items := make([]item, len(events))
	for i := range events {
		items[i] = d.one(&events[i])
	}
	return items
}

func (d *decoder) one(e *eventstore.Recorded) item {
	x := item{event: e}
	category, _, _ := envelope.Split(e.Stream)
	if _, ok := d.contracts[category]; !ok || e.System() {
		x.foreign = true
		return x
	}
	w := wire{category, e.Type}
	if t, ok := d.typeOf(w); ok {
		x.typ = t
		if !d.every && !d.wanted[t] {
			return x
		}
	}
	m, err := meta(e.Meta)
	if err != nil {
		x.category, x.err = FailureDecode, err
		return x
	}
	data := e.Data
	if d.annotate != nil {
		data = d.annotate(data, m.Tenant, e.Stream, uuid.UUID(e.ID).String(), e.Type)
	}
	x.decoded, err = d.contracts.Decode(*e, data, m)
	switch {
	case errors.Is(err, domain.ErrUnknownType):
		x.category, x.err = FailureUnknownType, err
		return x
	case err != nil:
		x.category, x.err = FailureDecode, err
		return x
	}
	if x.typ == nil {
		x.typ = reflect.TypeOf(x.decoded.Data)
		d.old.Store(w, x.typ)
	}
	return x
}

func (d *decoder) typeOf(w wire) (reflect.Type, bool) {
	if t, ok := d.types[w]; ok {
		return t, true
	}
	if t, ok := d.old.Load(w); ok {
		return t.(reflect.Type), true
	}
	return nil, false
}

// meta reads of an event's metadata what a projection is told: less than half
// of it, and most of the time that decoding takes.
func meta(b []byte) (envelope.Meta, error) {
	var m struct {
		Correlation string       `json:"$correlationId"`
		Tenant      string       `json:"tenant"`
		Actor       domain.Actor `json:"actor"`
	}
	if len(b) == 0 {
		return envelope.Meta{}, nil
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return envelope.Meta{}, fmt.Errorf("event metadata: %w", err)
	}
	return envelope.Meta{Correlation: m.Correlation, Tenant: m.Tenant, Actor: m.Actor}, nil
}
