package relationship

import (
	"slices"
	"time"

	"konto/domain"
)

// Subscription is one that the partner bought for the customer.
type Subscription struct {
	ID string `json:"id"`
	// OwnerRole says that the partner's people have the owner role on it.
	OwnerRole bool `json:"ownerRole"`
}

// RecordPartnerSubscription records whether a subscription that the partner
// bought for the customer is active, and whether the partner owns it there.
type RecordPartnerSubscription struct {
	SubscriptionID string `json:"subscriptionId"`
	Active         bool   `json:"active"`
	OwnerRole      bool   `json:"ownerRole,omitzero"`
}

// PartnerSubscriptionRecorded records what is known of such a subscription.
type PartnerSubscriptionRecorded struct {
	PartnerID      string    `json:"partnerId"`
	CustomerID     string    `json:"customerId"`
	SubscriptionID string    `json:"subscriptionId"`
	Active         bool      `json:"active"`
	OwnerRole      bool      `json:"ownerRole"`
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e PartnerSubscriptionRecorded) Evolve(r *Relationship) {
	kept := slices.DeleteFunc(slices.Clone(r.Subscriptions), func(s Subscription) bool { return s.ID == e.SubscriptionID })
	if e.Active {
		kept = append(kept, Subscription{e.SubscriptionID, e.OwnerRole})
	}
	r.Subscriptions = kept
}

// Decide implements [domain.Command].
func (c RecordPartnerSubscription) Decide(r Relationship, m Meta) ([]Event, error) {
	if err := r.sells(m, c.SubscriptionID, "/subscriptionId"); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.Subscriptions, func(s Subscription) bool { return s.ID == c.SubscriptionID })
	if !c.Active && i < 0 || c.Active && i >= 0 && r.Subscriptions[i].OwnerRole == c.OwnerRole {
		return nil, nil
	}
	return []Event{PartnerSubscriptionRecorded{r.PartnerID, r.CustomerID, c.SubscriptionID, c.Active, c.Active && c.OwnerRole, m.At}}, nil
}

// RecordPartnerReservation records whether a reservation that the partner
// bought for the customer is open.
type RecordPartnerReservation struct {
	ReservationID string `json:"reservationId"`
	Open          bool   `json:"open"`
}

// PartnerReservationRecorded records what is known of such a reservation.
type PartnerReservationRecorded struct {
	PartnerID     string    `json:"partnerId"`
	CustomerID    string    `json:"customerId"`
	ReservationID string    `json:"reservationId"`
	Open          bool      `json:"open"`
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e PartnerReservationRecorded) Evolve(r *Relationship) {
	kept := slices.DeleteFunc(slices.Clone(r.Reservations), func(id string) bool { return id == e.ReservationID })
	if e.Open {
		kept = append(kept, e.ReservationID)
	}
	r.Reservations = kept
}

// Decide implements [domain.Command].
func (c RecordPartnerReservation) Decide(r Relationship, m Meta) ([]Event, error) {
	if err := r.sells(m, c.ReservationID, "/reservationId"); err != nil {
		return nil, err
	}
	if slices.Contains(r.Reservations, c.ReservationID) == c.Open {
		return nil, nil
	}
	return []Event{PartnerReservationRecorded{r.PartnerID, r.CustomerID, c.ReservationID, c.Open, m.At}}, nil
}

// sells refuses what only an active reseller can have bought. The customer
// does not record for the partner.
func (r Relationship) sells(m Meta, id, pointer string) error {
	switch {
	case m.Actor.Kind == domain.KindPerson && m.Actor.Tenant != r.PartnerID && r.Status != "":
		return ErrNotPartner
	case r.Status == "":
		return ErrNotFound
	case !r.Active() || r.Type != Reseller:
		return ErrNoReseller
	}
	if err := name(id, pointer); err != nil {
		return err
	}
	return nil
}

func (r Relationship) subscriptionIDs() []string {
	ids := []string{}
	for _, s := range r.Subscriptions {
		ids = append(ids, s.ID)
	}
	return ids
}
