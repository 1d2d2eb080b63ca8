package card

import (
	"slices"
	"time"

	"konto/domain"
)

// Scopes of a [ReplaceCard].
const (
	ScopeSubscription = "subscription" // one subscription
	ScopeAll          = "all"          // every subscription that the old card is on
)

// Reasons of a [CardReplaced].
const (
	ReasonRequested = "requested"
	ReasonSettle    = "settle" // the new card paid what the old one could not
)

// moveTimeout is how long a subscription may be on its way to another card
// before that is taken to have failed, as when the new card was removed just
// then. A move takes milliseconds.
const moveTimeout = 5 * time.Minute

// ReplaceCard lets another card do what this one does. Any billing or global
// admin may replace any card, but only by one that [EditPolicy] lets them use,
// such as one that they added themselves. The old card stays until it is
// removed. A dry run lists the subscriptions that would move.
type ReplaceCard struct {
	NewCardID      string `json:"newCardId"`
	Scope          string `json:"scope"` // [ScopeSubscription] or [ScopeAll]
	SubscriptionID string `json:"subscriptionId,omitzero"`
}

// Needs implements [domain.Needer].
func (c ReplaceCard) Needs(m Meta) []domain.Need {
	return strangerNeeds(m, c.NewCardID, domain.Of[Replacement](c.NewCardID), EditPolicy.Need())
}

// CardReplaced records, on the old card, which subscriptions move to the new
// one.
type CardReplaced struct {
	OldCardID     string    `json:"oldCardId"`
	NewCardID     string    `json:"newCardId"`
	Scope         string    `json:"scope"`
	Subscriptions []string  `json:"subscriptions"`
	Reason        string    `json:"reason"` // [ReasonRequested] or [ReasonSettle]
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CardReplaced) Evolve(c *Card) {
	for _, id := range e.Subscriptions {
		c.Leaving = append(without(c.Leaving, id), Move{id, e.NewCardID, e.At})
	}
}

// Decide implements [domain.Command].
func (c ReplaceCard) Decide(s Card, m Meta) ([]Event, error) {
	if err := c.check(s, m); err != nil {
		return nil, err
	}
	wanted := s.Subscriptions
	if c.Scope == ScopeSubscription {
		wanted = []string{c.SubscriptionID}
	}
	moving, under := s.split(wanted, c.NewCardID, m.At)
	switch {
	case moving != nil:
		return []Event{CardReplaced{m.ID, c.NewCardID, c.Scope, moving, ReasonRequested, m.At}}, nil
	case under: // asked for before, and on its way
		return nil, nil
	}
	return nil, ErrNothingToReplace.With("subscriptions", s.listed())
}

// split returns which of the subscriptions can start to move to card, and
// whether all others are on their way to it already.
func (c Card) split(subscriptions []string, card string, at time.Time) (moving []string, under bool) {
	under = len(subscriptions) > 0
	for _, id := range subscriptions {
		i := slices.IndexFunc(c.Leaving, func(l Move) bool {
			return l.SubscriptionID == id && at.Before(l.At.Add(moveTimeout))
		})
		switch {
		case i >= 0:
			under = under && c.Leaving[i].NewCardID == card
		case c.paysFor(id):
			moving = append(moving, id)
		default:
			under = false
		}
	}
	return moving, under
}

func (c ReplaceCard) check(s Card, m Meta) error {
	switch {
	case !s.Exists():
		return ErrNotFound
	case s.Removed:
		return ErrRemoved
	}
	if err := oneOf(c.Scope, "/scope", ScopeSubscription, ScopeAll); err != nil {
		return err
	}
	if (c.SubscriptionID == "") == (c.Scope == ScopeSubscription) {
		return field("/subscriptionId", "a subscription is named for the scope %q, and for no other", ScopeSubscription)
	}
	by := domain.Fact[Replacement](m, c.NewCardID)
	switch {
	case c.NewCardID == m.ID:
		return ErrSameCard
	case !by.Exists || by.Tenant != m.Tenant:
		return ErrReplacement // another tenant's card is as good as none
	case by.Removed:
		return ErrRemoved.At("/newCardId")
	case !EditPolicy.In(m).allow(m, by.Owner):
		return notOwner(m, ErrNotOwner.For(EditPolicy.In(m).editors()...).Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin), by.Owner).At("/newCardId")
	case by.Blocked:
		return ErrBlocked.At("/newCardId")
	case by.Expired || by.ExpMonth != 0 && !m.At.Before(ValidUntil(by.ExpMonth, by.ExpYear)):
		return ErrExpired.At("/newCardId")
	}
	return nil
}

func without(moves []Move, subscription string) []Move {
	return slices.DeleteFunc(slices.Clone(moves), func(l Move) bool { return l.SubscriptionID == subscription })
}
