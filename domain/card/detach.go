package card

import "slices"

// DetachCard notes that the card is no longer on a subscription.
type DetachCard struct {
	SubscriptionID string `json:"subscriptionId"`
}

// CardDetached records that the card is off a subscription.
type CardDetached struct {
	SubscriptionID string `json:"subscriptionId"`
}

// Evolve implements [domain.Event].
func (e CardDetached) Evolve(c *Card) {
	c.Subscriptions = slices.DeleteFunc(slices.Clone(c.Subscriptions), func(id string) bool { return id == e.SubscriptionID })
	c.Leaving = without(c.Leaving, e.SubscriptionID)
}

// Decide implements [domain.Command].
func (c DetachCard) Decide(s Card, _ Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case !s.paysFor(c.SubscriptionID):
		return nil, nil
	}
	return []Event{CardDetached(c)}, nil
}
