// Package envelope is what Konto writes around an event: its metadata, and
// the way from a stored record to a typed event and back.
//
// Correlation and causation carry EventStoreDB's own names, so that its tools
// follow them. Personal values in the metadata (reason, source) are sealed
// like those in the data.
package envelope

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
)

// Meta is the metadata of an event.
type Meta struct {
	Correlation string                  `json:"$correlationId,omitempty"`
	Causation   string                  `json:"$causationId,omitempty"` // the command's ID, or the event's that a policy reacted to
	Tenant      string                  `json:"tenant"`                 // that owns the aggregate
	Actor       domain.Actor            `json:"actor"`
	Command     string                  `json:"command"`     // the command's ID
	CommandType string                  `json:"commandType"` // wire name
	At          time.Time               `json:"at"`          // when the command was accepted
	Reason      domain.Personal[string] `json:"reason,omitzero"`
	Source      domain.Personal[Source] `json:"source,omitzero"`
	TraceParent string                  `json:"traceparent,omitempty"` // W3C Trace Context
	// BodyMAC is a keyed hash of the command, so that a retry with another
	// body is noticed.
	BodyMAC string `json:"bodyMac,omitempty"`
	// Refused is the refusal that came with the events, if the caller was refused.
	Refused *domain.Error `json:"refused,omitempty"`
}

// Source is where a request came from.
type Source struct {
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`
}

// ParseMeta reads the metadata of an event.
func ParseMeta(b []byte) (Meta, error) {
	var m Meta
	if err := json.Unmarshal(b, &m); err != nil {
		return Meta{}, fmt.Errorf("event metadata: %w", err)
	}
	return m, nil
}

// Contracts finds the contract of a stream's category.
type Contracts map[string]domain.Contract

// Index returns cs by category.
func Index(cs []domain.Contract) Contracts {
	index := make(Contracts, len(cs))
	for _, c := range cs {
		index[c.Category()] = c
	}
	return index
}

// Stream returns the name of the stream of aggregate id.
func Stream(category, id string) string { return category + "-" + id }

// Split returns the category and the aggregate ID in a stream's name.
func Split(stream string) (category, id string, ok bool) { return strings.Cut(stream, "-") }

// Decode returns the typed event of r, its data in the form that data has
// (opened or sealed). A record of a category or type that no contract knows is
// a [domain.ErrUnknownType].
func (cs Contracts) Decode(r eventstore.Recorded, data []byte, m Meta) (domain.Recorded[any], error) {
	category, id, _ := Split(r.Stream)
	c, ok := cs[category]
	if !ok {
		return domain.Recorded[any]{}, fmt.Errorf("stream %s: %w", r.Stream, domain.ErrUnknownType)
	}
	e, err := c.DecodeEvent(domain.Raw{Type: r.Type, Data: data})
	if err != nil {
		return domain.Recorded[any]{}, fmt.Errorf("%s@%d: %w", r.Stream, r.Revision, err)
	}
	return domain.Recorded[any]{
		Data: e, ID: id, Category: category, Tenant: m.Tenant,
		EventID: uuid.UUID(r.ID).String(), Type: r.Type,
		Revision: int64(r.Revision), Position: r.Position.Commit, At: r.At,
		Actor: m.Actor, Correlation: m.Correlation,
	}, nil
}
