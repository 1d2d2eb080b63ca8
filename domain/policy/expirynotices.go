package policy

import (
	"maps"
	"slices"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
)

// expiring is what card_expiring and card_expired show.
type expiring struct {
	CardID           string   `json:"cardId"`
	Brand            string   `json:"brand"`
	Last4            string   `json:"last4"`
	ExpMonth         int      `json:"expMonth"`
	ExpYear          int      `json:"expYear"`
	Days             int      `json:"days,omitzero"`
	SubscriptionIDs  []string `json:"subscriptionIds"`
	OwnerIsRecipient bool     `json:"ownerIsRecipient"`
}

// backupRequest is what backup_card_requested shows.
type backupRequest struct {
	CardID          string   `json:"cardId"`
	Brand           string   `json:"brand"`
	Last4           string   `json:"last4"`
	ExpMonth        int      `json:"expMonth"`
	ExpYear         int      `json:"expYear"`
	SubscriptionIDs []string `json:"subscriptionIds"`
	Reason          string   `json:"reason"` // "expiring" or "owner-left"
}

func tellOfExpiring(w *wallet, e domain.Recorded[card.CardExpiringSoon]) []domain.Effect {
	d := e.Data
	effects := w.tellOfExpiry(e.ID, cardExpiring, d.Days, d.Subscriptions, d.OwnerCanAct)
	if d.OwnerCanAct && !d.AskOthers {
		return effects
	}
	return append(effects, w.askForBackup(e.ID, d.Subscriptions, "expiring")...)
}

func tellOfExpired(w *wallet, e domain.Recorded[card.CardExpired]) []domain.Effect {
	return w.tellOfExpiry(e.ID, cardExpired, 0, e.Data.Subscriptions, e.Data.OwnerCanAct)
}

// tellOfExpiry tells the owner or, if that is of no use, everybody else who
// looks after the bills.
func (w *wallet) tellOfExpiry(id, template string, days int, subscriptions []string, ownerCanAct bool) []domain.Effect {
	f, known := w.Cards[id]
	if !known {
		return nil
	}
	people := []string{f.Owner}
	if !ownerCanAct {
		people = w.without(f.Owner)
	}
	return tell(people, template, func(person string) any {
		return expiring{
			CardID: id, Brand: f.Brand, Last4: f.Last4, ExpMonth: f.ExpMonth, ExpYear: f.ExpYear, Days: days,
			SubscriptionIDs: append([]string{}, subscriptions...), OwnerIsRecipient: person == f.Owner,
		}
	})
}

// askForBackup asks everybody but the owner for a backup card for those of
// the subscriptions that the card alone pays for (rule C5, N6).
func (w *wallet) askForBackup(id string, subscriptions []string, reason string) []domain.Effect {
	f, known := w.Cards[id]
	var bare []string
	for _, s := range subscriptions {
		if p := w.Plans[s]; p.Primary == id && len(p.Backups) == 0 {
			bare = append(bare, s)
		}
	}
	if !known || bare == nil {
		return nil
	}
	return tell(w.without(f.Owner), backupCardRequested, func(string) any {
		return backupRequest{
			CardID: id, Brand: f.Brand, Last4: f.Last4, ExpMonth: f.ExpMonth, ExpYear: f.ExpYear,
			SubscriptionIDs: bare, Reason: reason,
		}
	})
}

// tellOfLeaver asks for backups of what only the cards of somebody pay for
// whose account has come to its end.
func tellOfLeaver(w *wallet, e domain.Recorded[admin.EmployeeOffboarded]) []domain.Effect {
	var effects []domain.Effect
	subscriptions := slices.Sorted(maps.Keys(w.Plans))
	for _, id := range slices.Sorted(maps.Keys(w.Cards)) {
		if w.Cards[id].Owner == e.ID {
			effects = append(effects, w.askForBackup(id, subscriptions, "owner-left")...)
		}
	}
	return effects
}

// without returns the team without one of its people.
func (w *wallet) without(person string) []string {
	return slices.DeleteFunc(w.and(), func(id string) bool { return id == person })
}

// plan is which cards a subscription is on.
type plan struct {
	Primary string   `json:"primary"`
	Backups []string `json:"backups,omitempty"`
}

// planning are the steps by which the wallet keeps its plans.
func planning() []domain.Step[wallet] {
	return []domain.Step[wallet]{
		domain.On(tenantOf[billing.SubscriptionRegistered], func(w *wallet, e domain.Recorded[billing.SubscriptionRegistered]) []domain.Effect {
			w.plan(e.ID, func(p *plan) { p.Primary = e.Data.CardID })
			return nil
		}),
		domain.On(tenantOf[billing.BackupCardRemoved], func(w *wallet, e domain.Recorded[billing.BackupCardRemoved]) []domain.Effect {
			w.plan(e.ID, func(p *plan) { p.drop(e.Data.CardID) })
			return nil
		}),
		domain.On(tenantOf[billing.BackupCardChanged], func(w *wallet, e domain.Recorded[billing.BackupCardChanged]) []domain.Effect {
			w.plan(e.ID, func(p *plan) {
				if slices.Contains(p.Backups, e.Data.Old) && e.Data.New != p.Primary {
					p.drop(e.Data.New)
					p.Backups = append(p.Backups, e.Data.New)
				}
				p.drop(e.Data.Old)
			})
			return nil
		}),
		domain.On(tenantOf[billing.PrimaryCardChanged], func(w *wallet, e domain.Recorded[billing.PrimaryCardChanged]) []domain.Effect {
			w.plan(e.ID, func(p *plan) {
				p.drop(e.Data.New)
				p.Primary = e.Data.New
			})
			return nil
		}),
		domain.On(tenantOf[billing.CardPromotedToPrimary], tellOfPromotion),
		domain.On(tenantOf[billing.PaymentMethodKindChanged], func(w *wallet, e domain.Recorded[billing.PaymentMethodKindChanged]) []domain.Effect {
			if e.Data.New != billing.KindCard {
				delete(w.Plans, e.ID)
			}
			return nil
		}),
		domain.On(tenantOf[billing.SubscriptionDeleted], func(w *wallet, e domain.Recorded[billing.SubscriptionDeleted]) []domain.Effect {
			delete(w.Plans, e.ID)
			return nil
		}),
	}
}

func (w *wallet) plan(subscription string, change func(*plan)) {
	if w.Plans == nil {
		w.Plans = map[string]plan{}
	}
	p := w.Plans[subscription]
	change(&p)
	w.Plans[subscription] = p
}

func (p *plan) drop(card string) {
	p.Backups = slices.DeleteFunc(p.Backups, func(id string) bool { return id == card })
}

// tellOfPromotion tells of a backup card that took over from an expired one.
// After a declined charge, card_declined has said enough.
func tellOfPromotion(w *wallet, e domain.Recorded[billing.CardPromotedToPrimary]) []domain.Effect {
	w.plan(e.ID, func(p *plan) {
		p.drop(e.Data.CardID)
		p.Primary = e.Data.CardID
	})
	if e.Data.Reason != reasonExpired {
		return nil
	}
	by := w.Cards[e.Data.CardID]
	return w.tell(e.Data.Old, cardChange{
		Change: "expired-promoted", NewCardID: e.Data.CardID, NewBrand: by.Brand, NewLast4: by.Last4,
		SubscriptionID: e.ID, Subscriptions: []string{e.ID},
	}, by.Owner)
}
