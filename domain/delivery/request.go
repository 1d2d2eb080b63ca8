package delivery

import (
	"time"

	"konto/domain"
)

// RequestDelivery has an endpoint told of an event. Asking again does nothing.
type RequestDelivery struct{ Message }

// Decide implements [domain.Command].
func (c RequestDelivery) Decide(d Delivery, _ Meta) ([]Event, error) {
	switch {
	case d.Exists():
		return nil, nil
	case c.EndpointID == "" || c.Type == "" || c.EventID == "" || c.Stream == "" || c.At.IsZero():
		return nil, ErrIncomplete
	}
	return []Event{DeliveryRequested(c)}, nil
}

// DeliveryRequested records that an endpoint is to be told of an event.
type DeliveryRequested struct{ Message }

// Evolve implements [domain.Event].
func (e DeliveryRequested) Evolve(d *Delivery) {
	*d = Delivery{Message: e.Message, Status: Pending, Round: 1}
}

// RedeliverWebhook has an endpoint told of an event once more, now, whatever
// became of it before. The call has the same ID, so a receiver who had it may
// pass it over.
type RedeliverWebhook struct{}

// Needs implements [domain.Needer]: which endpoint it is, and then whether that
// is called.
func (RedeliverWebhook) Needs(m Meta) []domain.Need {
	needs := []domain.Need{domain.Of[Own](m.ID)}
	if m.Facts.Has(needs[0]) {
		needs = append(needs, domain.Of[Endpoint](domain.Fact[Own](m, m.ID).EndpointID))
	}
	return needs
}

// Own is the fact of where a delivery goes. Its key is the delivery's ID.
type Own struct{ EndpointID string }

// OwnOf is the view of a delivery that [Own] is.
func OwnOf(_ string, d Delivery) Own { return Own{d.EndpointID} }

// Decide implements [domain.Command].
func (RedeliverWebhook) Decide(d Delivery, m Meta) ([]Event, error) {
	switch {
	case !d.Exists():
		return nil, ErrNotFound
	case !domain.Fact[Endpoint](m, d.EndpointID).Active:
		return nil, ErrInactive
	}
	return []Event{RedeliveryRequested{EndpointID: d.EndpointID, Round: d.Round + 1, By: m.Actor.ID, At: m.At}}, nil
}

// RedeliveryRequested records that somebody asked for another round of attempts.
// What was to come of the round before does not.
type RedeliveryRequested struct {
	EndpointID string    `json:"endpointId"`
	Round      int       `json:"round"`
	By         string    `json:"by"` // an actor's ID
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e RedeliveryRequested) Evolve(d *Delivery) {
	d.Status, d.Round, d.Attempts = Pending, e.Round, 0
}
