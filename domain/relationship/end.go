package relationship

import (
	"time"

	"konto/domain"
)

// EndRelationship ends a relationship, or a request that was not accepted. One
// under which the partner has bought something that still runs does not end.
// With the relationship all permissions end, in the same append, so that a
// command which was queued before finds none (rule X6).
type EndRelationship struct {
	Reason string `json:"reason,omitzero"`
}

// RelationshipEnded records that the partner may do nothing for the customer
// any more. The reason is in the words of the person who ended it.
type RelationshipEnded struct {
	PartnerID  string                  `json:"partnerId"`
	CustomerID string                  `json:"customerId"`
	Type       Type                    `json:"type"`
	EndedBy    string                  `json:"endedBy"` // a tenant's ID
	Reason     domain.Personal[string] `json:"reason,omitzero"`
	At         time.Time               `json:"at"`
}

// Evolve implements [domain.Event].
func (e RelationshipEnded) Evolve(r *Relationship) {
	*r = Relationship{PartnerID: e.PartnerID, CustomerID: e.CustomerID, Type: e.Type, Status: StatusEnded, Since: e.At}
}

// Decide implements [domain.Command].
func (c EndRelationship) Decide(r Relationship, m Meta) ([]Event, error) {
	partner, customer, ok := Parties(m.ID)
	switch {
	case !ok:
		return nil, ErrID
	case m.Actor.Tenant != partner && m.Actor.Tenant != customer:
		return nil, ErrNotParty
	case !domain.Text(c.Reason, 500):
		return nil, ErrReason
	case r.Status == "":
		return nil, ErrNotFound
	case r.Status == StatusEnded:
		return nil, nil
	case len(r.Reservations) > 0 || len(r.Subscriptions) > 0:
		return nil, ErrInUse.With("subscriptions", r.subscriptionIDs()).With("reservations", append([]string{}, r.Reservations...))
	}
	e := RelationshipEnded{PartnerID: partner, CustomerID: customer, Type: r.Type, EndedBy: m.Actor.Tenant, At: m.At}
	if c.Reason != "" {
		e.Reason = domain.About(m.Actor.ID, c.Reason)
	}
	return append(r.revokeAll(ReasonRelationshipEnded, m), e), nil
}
