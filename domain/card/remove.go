package card

import "konto/domain"

// RemoveCard removes a card that pays for nothing.
type RemoveCard struct{}

// Needs implements [domain.Needer].
func (c RemoveCard) Needs(m Meta) []domain.Need { return EditNeeds(m) }

// CardRemoved records that a card is gone. It names the keys that the card
// held, so that they can be given back; see [Reservations].
type CardRemoved struct {
	Reason       string `json:"reason"` // "requested"
	Owner        string `json:"owner"`
	GatewayToken string `json:"gatewayToken"`
	Fingerprint  string `json:"fingerprint"`
}

// Evolve implements [domain.Event].
func (e CardRemoved) Evolve(c *Card) { c.Removed = true }

// Decide implements [domain.Command].
func (c RemoveCard) Decide(s Card, m Meta) ([]Event, error) {
	if s.Removed && EditPolicy.In(m).allow(m, s.Owner) {
		return nil, nil
	}
	if err := s.mayEdit(m); err != nil {
		return nil, err
	}
	if len(s.Subscriptions) > 0 {
		return nil, ErrInUse.With("subscriptions", s.listed())
	}
	return []Event{CardRemoved{"requested", s.Owner, s.GatewayToken, s.Fingerprint}}, nil
}
