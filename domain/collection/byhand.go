package collection

import "time"

// ManualPaymentRequested records that a card could pay, but not without its
// holder: the amount is above what may be charged on it by itself (rule K5).
// Somebody is asked to settle the balance with it.
type ManualPaymentRequested struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	LimitMinor     int64     `json:"limitMinor"` // what may be charged without the holder
	GraceUntil     time.Time `json:"graceUntil"`
	At             time.Time `json:"at"`
	Face
}

// Evolve implements [domain.Event].
func (e ManualPaymentRequested) Evolve(i *Invoice) { i.Case.ByHand = e.CardID }

// aboveLimit reports whether an amount on the card takes its holder. A limit in
// one currency says nothing of an amount in another.
func (c Card) aboveLimit(amountMinor int64, currency string) bool {
	return c.ManualAboveMinor > 0 && c.ManualAboveCurrency == currency && amountMinor > c.ManualAboveMinor
}

// valid reports whether the card has not expired at a time, as far as that is
// known.
func (c Card) valid(at time.Time) bool { return c.ValidUntil.IsZero() || at.Before(c.ValidUntil) }

// usable reports whether there is any sense in charging the card at a time.
func (c Card) usable(at time.Time) bool { return !c.Blocked && c.valid(at) }

// byHand returns the first card in order with which somebody could settle the
// balance, and that is not charged without them; or "".
func (t *turn) byHand() string {
	for _, id := range t.order() {
		c, ok := t.card(id)
		tried, was := t.i.Case.tried(id)
		if ok && c.usable(t.m.At) && c.aboveLimit(t.i.AmountMinor, t.i.Currency) && (!was || !tried.Barred || len(tried.Cures) > 0) {
			return id
		}
	}
	return ""
}

// askByHand asks for a payment by hand, once in a case for each card.
func (t *turn) askByHand() {
	c := t.i.Case
	id := t.byHand()
	if id == "" || c.ByHand == id || c.Phase != Retrying && c.Phase != Accelerated || c.Asked != nil || c.Disputed || c.ChargedBack {
		return
	}
	card, _ := t.card(id)
	t.then(ManualPaymentRequested{
		SubscriptionID: t.i.SubscriptionID, CardID: id, AmountMinor: t.i.AmountMinor, Currency: t.i.Currency,
		LimitMinor: card.ManualAboveMinor, GraceUntil: c.GraceUntil, At: t.m.At, Face: t.face(id),
	})
}
