package relationship

import (
	"time"

	"konto/domain"
)

// AcceptRelationship accepts what the partner asked for. From then on the
// partner may act for the customer as the type of the relationship allows.
type AcceptRelationship struct{}

// RelationshipEstablished records that a relationship is in force.
type RelationshipEstablished struct {
	PartnerID  string    `json:"partnerId"`
	CustomerID string    `json:"customerId"`
	Type       Type      `json:"type"`
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e RelationshipEstablished) Evolve(r *Relationship) {
	*r = Relationship{PartnerID: e.PartnerID, CustomerID: e.CustomerID, Type: e.Type, Status: StatusActive, Since: e.At}
}

// Decide implements [domain.Command].
func (c AcceptRelationship) Decide(r Relationship, m Meta) ([]Event, error) {
	_, customer, ok := Parties(m.ID)
	switch {
	case !ok:
		return nil, ErrID
	case m.Actor.Tenant != customer || !m.Actor.Has(domain.GlobalAdmin):
		return nil, ErrNotCustomer
	}
	switch r.Status {
	case StatusRequested:
		return []Event{RelationshipEstablished{r.PartnerID, r.CustomerID, r.Type, m.At}}, nil
	case StatusActive:
		return nil, nil
	case StatusEnded:
		return nil, ErrEnded
	}
	return nil, ErrNotFound
}
