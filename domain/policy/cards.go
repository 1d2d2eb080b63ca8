package policy

import (
	"slices"
	"strings"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
)

func cardReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("tell-of-card-change", knowing(func(w *wallet) *team { return &w.team }, append(planning(),
			domain.On(tenantOf[card.CardAdded], tellOfAdding),
			domain.On(tenantOf[card.CardDetailsUpdated], tellOfEdit),
			domain.On(tenantOf[card.CardReplaced], tellOfReplacement),
			domain.On(tenantOf[card.CardRemoved], tellOfRemoval),
			domain.On(tenantOf[card.CardAutomaticallyUpdated], tellOfAutoUpdate),
			domain.On(tenantOf[billing.BackupCardAdded], tellOfBackup),
			domain.On(tenantOf[card.CardExpiringSoon], tellOfExpiring),
			domain.On(tenantOf[card.CardExpired], tellOfExpired),
			domain.On(tenantOf[admin.EmployeeOffboarded], tellOfLeaver),
		)...)...),
		domain.Whenever("apply-card-replacement", applyReplacement),
		domain.Process("attach-cards",
			domain.On(forgetful[billing.SubscriptionRegistered], func(_ *nothing, e domain.Recorded[billing.SubscriptionRegistered]) []domain.Effect {
				return attach(e.ID, e.Data.CardID, "")
			}),
			domain.On(forgetful[billing.BackupCardAdded], func(_ *nothing, e domain.Recorded[billing.BackupCardAdded]) []domain.Effect {
				return attach(e.ID, e.Data.CardID, "")
			}),
			domain.On(forgetful[billing.PrimaryCardChanged], func(_ *nothing, e domain.Recorded[billing.PrimaryCardChanged]) []domain.Effect {
				return attach(e.ID, e.Data.New, e.Data.Old)
			}),
			domain.On(forgetful[billing.BackupCardChanged], func(_ *nothing, e domain.Recorded[billing.BackupCardChanged]) []domain.Effect {
				return attach(e.ID, e.Data.New, e.Data.Old)
			}),
			domain.On(forgetful[billing.CardPromotedToPrimary], func(_ *nothing, e domain.Recorded[billing.CardPromotedToPrimary]) []domain.Effect {
				return attach(e.ID, e.Data.CardID, e.Data.Old)
			}),
			domain.On(forgetful[billing.BackupCardRemoved], func(_ *nothing, e domain.Recorded[billing.BackupCardRemoved]) []domain.Effect {
				return release(e.ID, []string{e.Data.CardID})
			}),
			domain.On(forgetful[billing.SubscriptionDeleted], func(_ *nothing, e domain.Recorded[billing.SubscriptionDeleted]) []domain.Effect {
				return release(e.ID, e.Data.Released)
			}),
			domain.On(forgetful[billing.PaymentMethodKindChanged], func(_ *nothing, e domain.Recorded[billing.PaymentMethodKindChanged]) []domain.Effect {
				return release(e.ID, e.Data.Released)
			}),
		),
	}
}

// attach notes on the cards what has changed on a subscription.
func attach(subscription, added, dropped string) []domain.Effect {
	effects := []domain.Effect{domain.Dispatch{To: added, Command: card.AttachCard{SubscriptionID: subscription}}}
	if dropped != "" && dropped != added {
		effects = append(effects, domain.Dispatch{To: dropped, Command: card.DetachCard{SubscriptionID: subscription}})
	}
	return effects
}

// release notes on cards that a subscription is no longer on them.
func release(subscription string, cards []string) []domain.Effect {
	var effects []domain.Effect
	for _, id := range cards {
		effects = append(effects, domain.Dispatch{To: id, Command: card.DetachCard{SubscriptionID: subscription}})
	}
	return effects
}

// applyReplacement carries what the old card's stream decided to each
// subscription.
func applyReplacement(e domain.Recorded[card.CardReplaced]) []domain.Effect {
	var effects []domain.Effect
	for _, subscription := range e.Data.Subscriptions {
		effects = append(effects, domain.Dispatch{
			To: subscription,
			Command: billing.ApplyCardReplacement{
				OldCardID: e.Data.OldCardID, NewCardID: e.Data.NewCardID, Reason: e.Data.Reason,
			},
		})
	}
	return effects
}

// wallet is what tell-of-card-change remembers of a tenant.
type wallet struct {
	team
	Cards map[string]face `json:"cards,omitempty"`
	Plans map[string]plan `json:"plans,omitempty"` // by subscription
}

// face is what a message shows of a card, and whose it is.
type face struct {
	Owner    string `json:"owner"`
	Brand    string `json:"brand"`
	Last4    string `json:"last4"`
	ExpMonth int    `json:"expMonth"`
	ExpYear  int    `json:"expYear"`
}

// cardChange is what card_changed shows.
type cardChange struct {
	Change         string   `json:"change"`
	CardID         string   `json:"cardId"`
	Brand          string   `json:"brand"`
	Last4          string   `json:"last4"`
	ExpMonth       int      `json:"expMonth"`
	ExpYear        int      `json:"expYear"`
	Changed        []string `json:"changed,omitempty"` // names of fields
	NewCardID      string   `json:"newCardId,omitzero"`
	NewBrand       string   `json:"newBrand,omitzero"`
	NewLast4       string   `json:"newLast4,omitzero"`
	SubscriptionID string   `json:"subscriptionId,omitzero"`
	Subscriptions  []string `json:"subscriptions,omitempty"`
}

// tell tells the card's owner, the team and others. A card that was added
// before the process came to be cannot be named, so nothing is told of it.
func (w *wallet) tell(id string, c cardChange, others ...string) []domain.Effect {
	f, known := w.Cards[id]
	if !known {
		return nil
	}
	c.CardID, c.Brand, c.Last4, c.ExpMonth, c.ExpYear = id, f.Brand, f.Last4, f.ExpMonth, f.ExpYear
	return tell(w.and(append(others, f.Owner)...), cardChanged, func(string) any { return c })
}

func tellOfAdding(w *wallet, e domain.Recorded[card.CardAdded]) []domain.Effect {
	if w.Cards == nil {
		w.Cards = map[string]face{}
	}
	w.Cards[e.ID] = face{e.Data.AddedBy, e.Data.Brand, e.Data.Last4, e.Data.ExpMonth, e.Data.ExpYear}
	return w.tell(e.ID, cardChange{Change: "added"})
}

func tellOfEdit(w *wallet, e domain.Recorded[card.CardDetailsUpdated]) []domain.Effect {
	if f, known := w.Cards[e.ID]; known {
		if e.Data.ExpMonth != 0 {
			f.ExpMonth = e.Data.ExpMonth
		}
		if e.Data.ExpYear != 0 {
			f.ExpYear = e.Data.ExpYear
		}
		w.Cards[e.ID] = f
	}
	f, known := w.Cards[e.ID]
	if known && !slices.ContainsFunc(e.Data.Changed, func(name string) bool { return !strings.HasPrefix(name, "billingAddress.") }) {
		// Nobody is told twice of one change.
		return tell(w.and(f.Owner), billingAddressChanged, func(string) any { return addressChange{Kind: "bill-to", CardID: e.ID} })
	}
	return w.tell(e.ID, cardChange{Change: "edited", Changed: e.Data.Changed})
}

func tellOfReplacement(w *wallet, e domain.Recorded[card.CardReplaced]) []domain.Effect {
	by := w.Cards[e.Data.NewCardID]
	c := cardChange{
		Change: "replaced", NewCardID: e.Data.NewCardID, NewBrand: by.Brand, NewLast4: by.Last4,
		Subscriptions: e.Data.Subscriptions,
	}
	if len(e.Data.Subscriptions) == 1 {
		c.SubscriptionID = e.Data.Subscriptions[0]
	}
	return w.tell(e.ID, c, by.Owner)
}

func tellOfRemoval(w *wallet, e domain.Recorded[card.CardRemoved]) []domain.Effect {
	effects := w.tell(e.ID, cardChange{Change: "removed"})
	delete(w.Cards, e.ID)
	return effects
}

func tellOfAutoUpdate(w *wallet, e domain.Recorded[card.CardAutomaticallyUpdated]) []domain.Effect {
	if f, known := w.Cards[e.ID]; known {
		w.Cards[e.ID] = face{f.Owner, e.Data.Brand, e.Data.Last4, e.Data.ExpMonth, e.Data.ExpYear}
	}
	return w.tell(e.ID, cardChange{Change: "auto-updated", Changed: e.Data.Changed})
}

func tellOfBackup(w *wallet, e domain.Recorded[billing.BackupCardAdded]) []domain.Effect {
	w.plan(e.ID, func(p *plan) { p.Backups = append(p.Backups, e.Data.CardID) })
	return w.tell(e.Data.CardID, cardChange{Change: "backup-added", SubscriptionID: e.ID})
}
