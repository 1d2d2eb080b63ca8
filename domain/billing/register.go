package billing

import (
	"time"

	"konto/domain"
)

// RegisterSubscription registers a subscription that the caller bought with a
// card of theirs.
type RegisterSubscription struct {
	Product string `json:"product"`
	CardID  string `json:"cardId"`
	// Licences is how many licences are assigned to users from the start.
	Licences int `json:"licences,omitzero"`
}

// Needs implements [domain.Needer].
func (c RegisterSubscription) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Card](c.CardID), UsePolicy.Need()}
}

// SubscriptionRegistered records that a subscription is there.
type SubscriptionRegistered struct {
	Product  string    `json:"product"`
	BoughtBy string    `json:"boughtBy"`
	CardID   string    `json:"cardId"`
	At       time.Time `json:"at"`
	Licences int       `json:"licences,omitzero"` // assigned to users
}

// Evolve implements [domain.Event].
func (e SubscriptionRegistered) Evolve(s *Subscription) {
	*s = Subscription{Product: e.Product, BoughtBy: e.BoughtBy, Primary: e.CardID, RegisteredAt: e.At, Licences: e.Licences}
}

// Decide implements [domain.Command].
func (c RegisterSubscription) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case domain.Blank(c.Product) || !domain.Line(c.Product, 200):
		return nil, ErrProduct
	case c.Licences < 0 || c.Licences > maxLicences:
		return nil, ErrLicences
	case s.Exists() && s.Product == c.Product && s.BoughtBy == m.Actor.ID && s.Primary == c.CardID:
		return nil, nil
	case s.Exists():
		return nil, ErrExists
	}
	if err := usable(m, c.CardID); err != nil {
		return nil, err
	}
	return []Event{SubscriptionRegistered{c.Product, m.Actor.ID, c.CardID, m.At, c.Licences}}, nil
}
