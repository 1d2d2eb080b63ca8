package card

import "slices"

// AttachCard notes that the card pays for a subscription, or backs one up.
type AttachCard struct {
	SubscriptionID string `json:"subscriptionId"`
}

// CardAttached records that the card is on a subscription.
type CardAttached struct {
	SubscriptionID string `json:"subscriptionId"`
}

// Evolve implements [domain.Event].
func (e CardAttached) Evolve(c *Card) {
	if !c.paysFor(e.SubscriptionID) {
		c.Subscriptions = append(slices.Clone(c.Subscriptions), e.SubscriptionID)
	}
	c.Leaving = without(c.Leaving, e.SubscriptionID)
}

// Decide implements [domain.Command].
func (c AttachCard) Decide(s Card, _ Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Removed:
		return nil, ErrRemoved
	case c.SubscriptionID == "":
		return nil, field("/subscriptionId", "a subscription is needed")
	case s.paysFor(c.SubscriptionID):
		return nil, nil
	}
	return []Event{CardAttached(c)}, nil
}
