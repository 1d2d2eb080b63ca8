package offboarding

import (
	"slices"
	"time"
)

// FindOrphanedItems notes what a leaver leaves behind, also that it is nothing.
// What is found later comes in another command of the same off-boarding, and
// is added.
type FindOrphanedItems struct {
	Offboarding   string    `json:"offboarding"`
	Cards         []string  `json:"cards,omitempty"`         // that the leaver added
	Subscriptions []string  `json:"subscriptions,omitempty"` // that their cards pay for
	Bought        []string  `json:"bought,omitempty"`        // that they bought, and others' cards pay for
	DueAt         time.Time `json:"dueAt"`
}

// Decide implements [domain.Command].
func (c FindOrphanedItems) Decide(o Offboarding, m Meta) ([]Event, error) {
	e := OrphanedItemsFound{Offboarding: c.Offboarding, Cards: c.Cards, Subscriptions: c.Subscriptions, Bought: c.Bought, DueAt: c.DueAt, At: m.At}
	if !o.Open || o.Offboarding != c.Offboarding {
		return []Event{e}, nil
	}
	known := func(id string) bool { return o.item(id) >= 0 }
	e.Cards = slices.DeleteFunc(slices.Clone(c.Cards), known)
	e.Subscriptions = slices.DeleteFunc(slices.Clone(c.Subscriptions), known)
	e.Bought = slices.DeleteFunc(slices.Clone(c.Bought), known)
	if len(e.Cards)+len(e.Subscriptions)+len(e.Bought) == 0 {
		return nil, nil
	}
	return []Event{e}, nil
}

// OrphanedItemsFound records what a leaver leaves behind.
type OrphanedItemsFound struct {
	Offboarding   string    `json:"offboarding"`
	Cards         []string  `json:"cards,omitempty"`
	Subscriptions []string  `json:"subscriptions,omitempty"`
	Bought        []string  `json:"bought,omitempty"`
	DueAt         time.Time `json:"dueAt"`
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e OrphanedItemsFound) Evolve(o *Offboarding) {
	if !o.Open || o.Offboarding != e.Offboarding {
		*o = Offboarding{Offboarding: e.Offboarding, Open: true, DueAt: e.DueAt}
	}
	o.Items = slices.Clip(o.Items)
	for _, found := range []struct {
		why Why
		ids []string
	}{{OwnCard, e.Cards}, {Paying, e.Subscriptions}, {Bought, e.Bought}} {
		for _, id := range found.ids {
			o.Items = append(o.Items, Item{ID: id, Why: found.why})
		}
	}
}

// How is what became of an item.
type How string

// What becomes of items.
const (
	CardRemoved  How = "card-removed"  // the card is gone
	CardReplaced How = "card-replaced" // another's card pays
	Invoiced     How = "invoiced"      // the organization is sent invoices: nobody's card pays
	Ended        How = "ended"         // the subscription is over
	TakenOver    How = "taken-over"    // somebody says that they look after it
)

// SettleOrphanedItem notes that an item is looked after. One that is not open
// changes nothing.
type SettleOrphanedItem struct {
	ItemID string `json:"itemId"`
	How    How    `json:"how"`
}

// Decide implements [domain.Command].
func (c SettleOrphanedItem) Decide(o Offboarding, m Meta) ([]Event, error) {
	switch {
	case !o.Exists():
		return nil, ErrNotFound
	case o.item(c.ItemID) < 0:
		return nil, nil
	}
	return []Event{OrphanedItemSettled{ItemID: c.ItemID, How: c.How, At: m.At}}, nil
}

// OrphanedItemSettled records that an item is looked after.
type OrphanedItemSettled struct {
	ItemID string    `json:"itemId"`
	How    How       `json:"how"`
	By     string    `json:"by,omitzero"` // who took it over, an admin's ID
	At     time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e OrphanedItemSettled) Evolve(o *Offboarding) {
	o.Items = slices.DeleteFunc(slices.Clone(o.Items), func(i Item) bool { return i.ID == e.ItemID })
}

// TakeOverSubscription says that the actor looks after a subscription that the
// leaver bought. One that the leaver's card pays for needs another card first:
// the card will fail sooner or later, and only its owner could have helped.
type TakeOverSubscription struct {
	SubscriptionID string `json:"subscriptionId"`
}

// Decide implements [domain.Command].
func (c TakeOverSubscription) Decide(o Offboarding, m Meta) ([]Event, error) {
	i := o.item(c.SubscriptionID)
	switch {
	case !o.Exists():
		return nil, ErrNotFound
	case i < 0 || o.Items[i].Why == OwnCard:
		return nil, ErrNoItem
	case o.Items[i].Why == Paying:
		return nil, ErrPaying
	}
	return []Event{OrphanedItemSettled{ItemID: c.SubscriptionID, How: TakenOver, By: m.Actor.ID, At: m.At}}, nil
}

// End is why an off-boarding is over.
type End string

// The ends of an off-boarding, which are also reasons for which access ends.
const (
	Restored      End = "restored"       // the employee is back
	RetentionOver End = "retention-over" // the data is gone
)

// CloseOffboarding ends an off-boarding: nothing is orphaned any more, and
// nobody reads the account by a grant. An earlier one, or one that is closed,
// changes nothing.
type CloseOffboarding struct {
	Offboarding string `json:"offboarding"`
	Why         End    `json:"why"`
}

// Decide implements [domain.Command].
func (c CloseOffboarding) Decide(o Offboarding, m Meta) ([]Event, error) {
	switch {
	case !o.Exists():
		return nil, ErrNotFound
	case !o.Open || o.Offboarding != c.Offboarding:
		return nil, nil
	}
	var events []Event
	for _, g := range o.Grants {
		events = append(events, FormerUserDataAccessRevoked{Grant: g.ID, GranteeID: g.GranteeID, ExpiresAt: g.ExpiresAt, Why: string(c.Why), At: m.At})
	}
	return append(events, OffboardingClosed{Offboarding: c.Offboarding, Why: c.Why, At: m.At}), nil
}

// OffboardingClosed records that an off-boarding is over.
type OffboardingClosed struct {
	Offboarding string    `json:"offboarding"`
	Why         End       `json:"why"`
	At          time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (OffboardingClosed) Evolve(o *Offboarding) {
	o.Open, o.Items = false, nil
}
