// Package typed turns stored records into typed events for those who follow
// the events: each record once, and its data only if somebody wants its type.
//
// A record of a category that no contract has is foreign and no error. A type
// that its category's contract does not know is one: a newer program wrote it,
// and whoever passes over it is wrong from then on without a trace.
package typed

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
)

// ErrBroken says that data or metadata are not the JSON of their type.
var ErrBroken = errors.New("event cannot be decoded")

// Event is a record on its way to those who want it.
type Event struct {
	Record  *eventstore.Recorded
	Foreign bool         // of a category that no contract has, or the store's own
	Type    reflect.Type // nil if it is foreign, or unknown because of Err
	// Decoded is the typed event; zero if nobody wants it or if Err is set.
	Decoded domain.Recorded[any]
	// Err is a [domain.ErrUnknownType], which concerns everybody, or an
	// [ErrBroken], which concerns those who want Type.
	Err error
}

// Annotate adds to each sealed value in data what is needed to open it outside
// its event.
type Annotate func(data []byte, tenant, stream, eventID, typ string) []byte

// Decoder makes events. It is safe for concurrent use.
type Decoder struct {
	contracts envelope.Contracts
	annotate  Annotate
	wants     func(reflect.Type) bool
	types     map[wire]reflect.Type // of the wire names that contracts list
	old       sync.Map              // wire → reflect.Type of earlier names, once seen
}

type wire struct{ category, name string }

// NewDecoder returns a decoder for the types that wants reports. A nil
// annotate leaves data as it is.
func NewDecoder(cs envelope.Contracts, annotate Annotate, wants func(reflect.Type) bool) *Decoder {
	d := &Decoder{contracts: cs, annotate: annotate, wants: wants, types: map[wire]reflect.Type{}}
	for category, c := range cs {
		for _, e := range c.Events() {
			d.types[wire{category, e.Name}] = e.Type
		}
	}
	return d
}

// Batch makes an event of each record.
func (d *Decoder) Batch(records []eventstore.Recorded) []Event {
	events := make([]Event, len(records))
	for i := range records {
		events[i] = d.one(&records[i])
	}
	return events
}

func (d *Decoder) one(r *eventstore.Recorded) Event {
	e := Event{Record: r}
	category, _, _ := envelope.Split(r.Stream)
	if _, ok := d.contracts[category]; !ok || r.System() {
		e.Foreign = true
		return e
	}
	w := wire{category, r.Type}
	if t, ok := d.typeOf(w); ok {
		e.Type = t
		if !d.wants(t) {
			return e
		}
	}
	m, err := meta(r.Meta)
	if err != nil {
		e.Err = fmt.Errorf("%w: metadata: %w", ErrBroken, err)
		return e
	}
	data := r.Data
	if d.annotate != nil {
		data = d.annotate(data, m.Tenant, r.Stream, uuid.UUID(r.ID).String(), r.Type)
	}
	e.Decoded, err = d.contracts.Decode(*r, data, m)
	switch {
	case errors.Is(err, domain.ErrUnknownType):
		e.Err = err
	case err != nil:
		e.Err = fmt.Errorf("%w: %w", ErrBroken, err)
	case e.Type == nil:
		e.Type = reflect.TypeOf(e.Decoded.Data)
		d.old.Store(w, e.Type)
	}
	return e
}

func (d *Decoder) typeOf(w wire) (reflect.Type, bool) {
	if t, ok := d.types[w]; ok {
		return t, true
	}
	if t, ok := d.old.Load(w); ok {
		return t.(reflect.Type), true
	}
	return nil, false
}

// meta reads of an event's metadata what a follower is told: less than half
// of it, and most of the time that decoding takes.
func meta(b []byte) (envelope.Meta, error) {
	var m struct {
		Correlation string `json:"$correlationId"`
		// PolicyVersions are for the timeline.
		PolicyVersions map[string]int `json:"policyVersions"`
		Tenant         string         `json:"tenant"`
		Actor          domain.Actor   `json:"actor"`
	}
	if len(b) == 0 {
		return envelope.Meta{}, nil
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return envelope.Meta{}, err
	}
	return envelope.Meta{Correlation: m.Correlation, Tenant: m.Tenant, Actor: m.Actor, PolicyVersions: m.PolicyVersions}, nil
}
