package collection

import "time"

// ChargebackOpened records that a card's holder asks for the money back. No
// attempt is made while the bank decides (rule D7).
type ChargebackOpened struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	At             time.Time `json:"at"`
	GatewayEventID string    `json:"gatewayEventId"`
}

// Evolve implements [domain.Event]. A request that the gateway has not
// answered is withdrawn.
func (e ChargebackOpened) Evolve(i *Invoice) {
	i.heard(e.GatewayEventID)
	remind := i.Case.RemindAt
	i.Case.rest()
	i.Case.Disputed, i.Case.RemindAt = true, remind
}

// ChargebackWon records that the holder does not get the money back.
type ChargebackWon struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	At             time.Time `json:"at"`
	GatewayEventID string    `json:"gatewayEventId"`
}

// Evolve implements [domain.Event].
func (e ChargebackWon) Evolve(i *Invoice) {
	i.heard(e.GatewayEventID)
	i.Case.Disputed = false
}

// ChargebackAccepted records that the holder has the money back: the invoice
// is unpaid, and no card is tried for it again unless somebody settles it.
type ChargebackAccepted struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	At             time.Time `json:"at"`
	GatewayEventID string    `json:"gatewayEventId"`
}

// Evolve implements [domain.Event].
func (e ChargebackAccepted) Evolve(i *Invoice) {
	i.heard(e.GatewayEventID)
	i.AmountMinor, i.Currency, i.LastCardID, i.LastDeclinedCardID = e.AmountMinor, e.Currency, e.CardID, e.CardID
	i.Paid, i.PaidAt = false, time.Time{}
	i.Case.rest()
	i.Case.Disputed, i.Case.ChargedBack = false, true
}

// dispute records what became of a chargeback. One that was accepted ends the
// service in a day, whatever grace there was (rules C9, §4.10).
func (t *turn) dispute(c RecordChargeResult, at time.Time) error {
	if !t.i.Exists() {
		return ErrNotCharged
	}
	switch c.Outcome {
	case Disputed:
		t.then(ChargebackOpened{c.SubscriptionID, c.CardID, c.AmountMinor, c.Currency, at, c.GatewayEventID})
	case DisputeWon:
		t.then(ChargebackWon{c.SubscriptionID, c.CardID, at, c.GatewayEventID})
		t.plan()
	case DisputeEnd:
		t.then(ChargebackAccepted{c.SubscriptionID, c.CardID, c.AmountMinor, c.Currency, at, c.GatewayEventID})
		t.afterChargeback(c.CardID)
	}
	return nil
}

func (t *turn) afterChargeback(id string) {
	switch t.i.Case.Phase {
	case Suspended, Canceled, Deleted:
		return // it is off already
	case Current, Recovered, Retrying, Accelerated, PastDue, ChargedBack:
	}
	rules := DunningPolicy.In(t.m)
	until := t.m.At.Add(days(rules.ChargebackDays))
	if old := t.i.Case.GraceUntil; t.i.Case.Phase.Open() && old.Before(until) {
		until = old
	}
	if t.i.Case.Phase != ChargedBack {
		t.begin(ModeChargeback, id, until, nil)
	}
	t.then(GraceStarted{t.i.SubscriptionID, until, Chargeback})
}
