package relationship

import (
	"slices"
	"time"
)

// Reason is why a permission ended.
type Reason string

// The reasons.
const (
	ReasonRevoked           Reason = "revoked"
	ReasonExpired           Reason = "expired"
	ReasonRelationshipEnded Reason = "relationship-ended"
)

// RevokePurchasePermission ends a permission, or takes back one that waits for
// approval. What was bought stays bought.
type RevokePurchasePermission struct {
	Resource string `json:"resource"`
	Action   string `json:"action"`
}

// PurchasePermissionRevoked records that the customer may buy no more.
type PurchasePermissionRevoked struct {
	PartnerID  string    `json:"partnerId"`
	CustomerID string    `json:"customerId"`
	Resource   string    `json:"resource"`
	Action     string    `json:"action"`
	Reason     Reason    `json:"reason"`
	Granted    bool      `json:"granted"` // false if nobody had approved it
	SpentMinor int64     `json:"spentMinor"`
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e PurchasePermissionRevoked) Evolve(r *Relationship) {
	r.Permissions = slices.DeleteFunc(slices.Clone(r.Permissions), func(p Permission) bool {
		return p.Resource == e.Resource && p.Action == e.Action
	})
}

// Decide implements [domain.Command].
func (c RevokePurchasePermission) Decide(r Relationship, m Meta) ([]Event, error) {
	switch {
	case r.Status == "":
		return nil, ErrNotFound
	case m.Actor.Tenant != r.PartnerID:
		return nil, ErrNotPartner
	}
	i := r.index(c.Resource, c.Action)
	if i < 0 {
		return nil, nil
	}
	return []Event{r.revoked(r.Permissions[i], ReasonRevoked, m)}, nil
}

// ExpirePurchasePermission ends a permission whose time has come. One that was
// granted anew with another end stays.
type ExpirePurchasePermission struct {
	Resource  string    `json:"resource"`
	Action    string    `json:"action"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Decide implements [domain.Command].
func (c ExpirePurchasePermission) Decide(r Relationship, m Meta) ([]Event, error) {
	i := r.index(c.Resource, c.Action)
	if i < 0 || !r.Permissions[i].ExpiresAt.Equal(c.ExpiresAt) {
		return nil, nil
	}
	return r.sweep(c.Resource, c.Action, m), nil
}

// sweep ends a permission that has expired.
func (r Relationship) sweep(resource, action string, m Meta) []Event {
	i := r.index(resource, action)
	if i < 0 || !r.Permissions[i].expired(m.At) {
		return nil
	}
	return []Event{r.revoked(r.Permissions[i], ReasonExpired, m)}
}

// revokeAll ends every permission.
func (r Relationship) revokeAll(why Reason, m Meta) []Event {
	var events []Event
	for _, p := range r.Permissions {
		events = append(events, r.revoked(p, why, m))
	}
	return events
}

func (r Relationship) revoked(p Permission, why Reason, m Meta) PurchasePermissionRevoked {
	return PurchasePermissionRevoked{r.PartnerID, r.CustomerID, p.Resource, p.Action, why, p.Granted, p.SpentMinor, m.At}
}
