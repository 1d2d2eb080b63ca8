package billing

import (
	"strings"
	"time"

	"konto/domain"
)

// RegisterSubscription registers a subscription that the caller bought with a
// card of theirs.
type RegisterSubscription struct {
	Product string `json:"product"`
	CardID  string `json:"cardId"`
}

// Needs implements [domain.Needer].
func (c RegisterSubscription) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Card](c.CardID)}
}

// SubscriptionRegistered records that a subscription is there.
type SubscriptionRegistered struct {
	Product  string    `json:"product"`
	BoughtBy string    `json:"boughtBy"`
	CardID   string    `json:"cardId"`
	At       time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e SubscriptionRegistered) Evolve(s *Subscription) {
	*s = Subscription{Product: e.Product, BoughtBy: e.BoughtBy, Primary: e.CardID, RegisteredAt: e.At}
}

// Decide implements [domain.Command].
func (c RegisterSubscription) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case strings.TrimSpace(c.Product) == "" || len([]rune(c.Product)) > 200:
		return nil, ErrProduct
	case s.Exists() && s.Product == c.Product && s.BoughtBy == m.Actor.ID && s.Primary == c.CardID:
		return nil, nil
	case s.Exists():
		return nil, ErrExists
	}
	if err := usable(m, c.CardID); err != nil {
		return nil, err
	}
	return []Event{SubscriptionRegistered{c.Product, m.Actor.ID, c.CardID, m.At}}, nil
}
