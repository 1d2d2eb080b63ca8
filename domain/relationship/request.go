package relationship

import "time"

// RequestRelationship asks the customer for a relationship. Asking again with
// another type takes the place of a request that is not accepted yet.
type RequestRelationship struct {
	Type Type `json:"type"`
}

// RelationshipRequested records what a partner asked a customer for.
type RelationshipRequested struct {
	PartnerID  string    `json:"partnerId"`
	CustomerID string    `json:"customerId"`
	Type       Type      `json:"type"`
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e RelationshipRequested) Evolve(r *Relationship) {
	*r = Relationship{PartnerID: e.PartnerID, CustomerID: e.CustomerID, Type: e.Type, Status: StatusRequested, Since: e.At}
}

// Decide implements [domain.Command].
func (c RequestRelationship) Decide(r Relationship, m Meta) ([]Event, error) {
	partner, customer, ok := Parties(m.ID)
	if !ok {
		return nil, ErrID
	}
	if m.Actor.Tenant != partner {
		return nil, ErrNotPartner
	}
	switch c.Type {
	case Reseller, Advisor, Syndication, Support:
	default:
		return nil, ErrType
	}
	switch {
	case r.Status == StatusActive && r.Type != c.Type:
		return nil, ErrActive.With("type", r.Type)
	case r.Type == c.Type && (r.Status == StatusActive || r.Status == StatusRequested):
		return nil, nil
	}
	return []Event{RelationshipRequested{partner, customer, c.Type, m.At}}, nil
}
