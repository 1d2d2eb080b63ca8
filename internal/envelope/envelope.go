// Package envelope is what Konto writes around an event: its metadata, and
// the way from a stored record to a typed event and back.
//
// Correlation and causation carry EventStoreDB's own names, so that its tools
// follow them. Personal values in the metadata (reason, source) are sealed
// like those in the data.
package envelope

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
)

// Contracts finds the contract of a stream's category.
type Contracts map[string]domain.Contract

// Index returns cs by category, made to decode faster.
func Index(cs []domain.Contract) Contracts {
	index := make(Contracts, len(cs))
	for _, c := range cs {
		index[c.Category()] = quicken(c)
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
		Actor: m.Actor, Correlation: m.Correlation, PolicyVersions: m.PolicyVersions,
	}, nil
}
