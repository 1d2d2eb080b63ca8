package policy

import (
	"maps"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/reservation"
)

func collectionReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("advance-collection",
			deadlines(func(e collection.CollectionOpened) []time.Time { return append(slices.Clone(e.RemindAt), e.GraceUntil) }),
			deadlines(func(e collection.GraceStarted) []time.Time { return []time.Time{e.Until} }),
			deadlines(func(e collection.RetryScheduled) []time.Time { return []time.Time{e.At} }),
			deadlines(func(e collection.ChargeRequested) []time.Time { return []time.Time{e.Until} }),
			deadlines(func(e collection.ServiceSuspended) []time.Time { return []time.Time{e.CancelAt, e.DataUntil} }),
		),
		domain.Process("resume-after-dispute",
			domain.On(forgetful[collection.ChargebackWon], func(_ *nothing, e domain.Recorded[collection.ChargebackWon]) []domain.Effect {
				return []domain.Effect{domain.Dispatch{To: e.ID, Command: collection.AdvanceCollection{}}}
			}),
		),
		domain.Process("reconsider-cards",
			domain.On(tenantOf[collection.CollectionOpened], noteOpened),
			domain.On(tenantOf[collection.CollectionClosed], noteClosed),
			domain.On(tenantOf[card.CardAttached], func(d *debts, e domain.Recorded[card.CardAttached]) []domain.Effect {
				d.attach(e.ID, e.Data.SubscriptionID)
				return nil
			}),
			domain.On(tenantOf[card.CardDetached], func(d *debts, e domain.Recorded[card.CardDetached]) []domain.Effect {
				d.detach(e.ID, e.Data.SubscriptionID)
				return nil
			}),
			domain.On(tenantOf[card.CardDetailsUpdated], func(d *debts, e domain.Recorded[card.CardDetailsUpdated]) []domain.Effect {
				return d.reconsider(e.ID, collection.CardEdited, d.Cards[e.ID]...)
			}),
			domain.On(tenantOf[card.CardAutomaticallyUpdated], func(d *debts, e domain.Recorded[card.CardAutomaticallyUpdated]) []domain.Effect {
				return d.reconsider(e.ID, collection.CardUpdated, d.Cards[e.ID]...)
			}),
			domain.On(tenantOf[billing.BackupCardAdded], func(d *debts, e domain.Recorded[billing.BackupCardAdded]) []domain.Effect {
				return d.reconsider(e.Data.CardID, collection.CardAddedAsBackup, e.ID)
			}),
			domain.On(tenantOf[billing.BackupCardChanged], func(d *debts, e domain.Recorded[billing.BackupCardChanged]) []domain.Effect {
				return d.reconsider(e.Data.New, collection.CardAddedAsBackup, e.ID)
			}),
			domain.On(tenantOf[billing.PrimaryCardChanged], func(d *debts, e domain.Recorded[billing.PrimaryCardChanged]) []domain.Effect {
				return d.reconsider(e.Data.New, collection.CardMadePrimary, e.ID)
			}),
			domain.On(tenantOf[billing.CardPromotedToPrimary], func(d *debts, e domain.Recorded[billing.CardPromotedToPrimary]) []domain.Effect {
				return d.reconsider(e.Data.CardID, collection.CardMadePrimary, e.ID)
			}),
		),
		domain.Whenever("replace-declined-cards", replaceDeclined),
		domain.Whenever("keep-charges", keepCharge),
		domain.Whenever("end-unpaid-subscription", endUnpaid),
	}
}

// deadlines is the step that sends an invoice's case on when a time that an
// event names has come. The command looks at the case's own deadlines, so one
// too many does no harm.
func deadlines[E any](times func(E) []time.Time) domain.Step[nothing] {
	return domain.On(forgetful[E], func(_ *nothing, e domain.Recorded[E]) []domain.Effect {
		var effects []domain.Effect
		for _, at := range times(e.Data) {
			effects = append(effects, domain.Dispatch{To: e.ID, Command: collection.AdvanceCollection{}, After: at.Sub(e.At)})
		}
		return effects
	})
}

// debts is what reconsider-cards remembers of a tenant: the open cases, each
// with its subscription, and the subscriptions that each card is on.
type debts struct {
	Open  map[string]string   `json:"open,omitempty"`
	Cards map[string][]string `json:"cards,omitempty"`
}

func noteOpened(d *debts, e domain.Recorded[collection.CollectionOpened]) []domain.Effect {
	if d.Open == nil {
		d.Open = map[string]string{}
	}
	d.Open[e.ID] = e.Data.SubscriptionID
	return nil
}

func noteClosed(d *debts, e domain.Recorded[collection.CollectionClosed]) []domain.Effect {
	delete(d.Open, e.ID)
	return nil
}

func (d *debts) attach(cardID, subscription string) {
	if slices.Contains(d.Cards[cardID], subscription) {
		return
	}
	if d.Cards == nil {
		d.Cards = map[string][]string{}
	}
	d.Cards[cardID] = append(d.Cards[cardID], subscription)
}

func (d *debts) detach(cardID, subscription string) {
	kept := slices.DeleteFunc(d.Cards[cardID], func(s string) bool { return s == subscription })
	if len(kept) == 0 {
		delete(d.Cards, cardID)
		return
	}
	d.Cards[cardID] = kept
}

// reconsider tells each open case of the subscriptions that a card has changed.
func (d *debts) reconsider(cardID string, change collection.Change, subscriptions ...string) []domain.Effect {
	var effects []domain.Effect
	for _, invoice := range slices.Sorted(maps.Keys(d.Open)) {
		if slices.Contains(subscriptions, d.Open[invoice]) {
			effects = append(effects, domain.Dispatch{To: invoice, Command: collection.ReconsiderCards{CardID: cardID, Change: change}})
		}
	}
	return effects
}

// replaceDeclined lets the card that settled a balance pay for all that the
// declined ones paid for (rule C8).
func replaceDeclined(e domain.Recorded[collection.BalanceSettled]) []domain.Effect {
	var effects []domain.Effect
	for _, declined := range e.Data.Declined {
		effects = append(effects, domain.Dispatch{To: declined, Command: card.ReplaceDeclinedCard{NewCardID: e.Data.CardID}})
	}
	return effects
}

// ChargeKind is the kind of reservation by which a gateway's charge leads to
// its invoice. A chargeback names nothing but the charge.
const ChargeKind = "gateway-charge"

// keepCharge notes which invoice a charge has paid.
func keepCharge(e domain.Recorded[collection.ChargeSucceeded]) []domain.Effect {
	if e.Data.ChargeID == "" {
		return nil
	}
	id := reservation.ID(ChargeKind, "", e.Data.ChargeID)
	return []domain.Effect{
		domain.Dispatch{To: id, Command: reservation.Reserve{Kind: ChargeKind, Holder: e.ID, Tenant: e.Tenant}},
		domain.Dispatch{To: id, Command: reservation.ConfirmReservation{Holder: e.ID}},
	}
}

// endUnpaid lets a subscription end as the case of its unpaid invoice does
// (rules C9, D1): cancelled when it is too late to pay, gone when its data is.
// Of a case that was cancelled when nobody listened yet, both happen at the end.
func endUnpaid(e domain.Recorded[collection.CollectionClosed]) []domain.Effect {
	cancel := billing.CancelUnpaidSubscription{InvoiceID: e.ID, DataUntil: e.Data.DataUntil}
	switch e.Data.Outcome {
	case collection.OutcomeCanceled:
		return []domain.Effect{domain.Dispatch{To: e.Data.SubscriptionID, Command: cancel}}
	case collection.OutcomeDeleted:
		cancel.DataUntil = e.Data.At
		return []domain.Effect{
			domain.Dispatch{To: e.Data.SubscriptionID, Command: cancel},
			domain.Dispatch{To: e.Data.SubscriptionID, Command: billing.DeleteSubscription{UnpaidInvoice: e.ID}},
		}
	}
	return nil
}
