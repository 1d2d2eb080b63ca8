package collection

import (
	"slices"
	"time"
)

// Reason is why a card is to be charged.
type Reason string

// The reasons.
const (
	ForSchedule Reason = "schedule" // a planned attempt
	ForBackup   Reason = "backup"   // the card before it was declined
	ForChange   Reason = "change"   // something about the cards has changed
	ForBalance  Reason = "settle"   // somebody asked to settle the balance
)

// RetryScheduled records when the next attempt is due, and on which card if
// nothing changes until then.
type RetryScheduled struct {
	SubscriptionID string    `json:"subscriptionId"`
	At             time.Time `json:"at"`
	CardID         string    `json:"cardId"`
}

// Evolve implements [domain.Event].
func (e RetryScheduled) Evolve(i *Invoice) {
	i.Case.RetryAt, i.Case.RetryCardID, i.Case.Round = e.At, e.CardID, nil
}

// RetryWithdrawn records that a planned attempt is not made: no card can be
// charged now, and the next step is somebody's.
type RetryWithdrawn struct {
	SubscriptionID string    `json:"subscriptionId"`
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e RetryWithdrawn) Evolve(i *Invoice) {
	i.Case.RetryAt, i.Case.RetryCardID, i.Case.Round = time.Time{}, "", nil
}

// Why no further attempt is planned.
const (
	CardsSpent    = "cards"         // no card is left that may be tried
	ScheduleSpent = "schedule"      // all planned attempts were made
	NetworkSpent  = "network-limit" // the card networks allow no more
)

// RetryBudgetExhausted records that no further attempt can be planned.
type RetryBudgetExhausted struct {
	SubscriptionID string `json:"subscriptionId"`
	Why            string `json:"why"` // [CardsSpent], [ScheduleSpent] or [NetworkSpent]
}

// Evolve implements [domain.Event].
func (e RetryBudgetExhausted) Evolve(i *Invoice) {
	i.Case.RetryAt, i.Case.RetryCardID, i.Case.Round = time.Time{}, "", nil
}

// ChargeRequested asks the gateway's side to charge a card now, once, and to
// report the result under RequestID. It is the whole request: who carries it
// out needs nothing else, and finds it in the list of due charges.
type ChargeRequested struct {
	RequestID      string    `json:"requestId"` // the gateway's idempotency key
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	GatewayToken   string    `json:"gatewayToken"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	Reason         Reason    `json:"reason"`
	By             string    `json:"by,omitzero"` // who settles the balance
	Owner          string    `json:"owner"`       // of the card
	Budget         Budget    `json:"budget"`      // this one included
	At             time.Time `json:"at"`
	Until          time.Time `json:"until"` // after this it must not be carried out
}

// Evolve implements [domain.Event]. Until it is answered it counts as if it
// were made at the last moment.
func (e ChargeRequested) Evolve(i *Invoice) {
	c := &i.Case
	c.Asked = &Asked{RequestID: e.RequestID, CardID: e.CardID, Reason: e.Reason, Until: e.Until, By: e.By}
	c.Attempts = append(slices.Clone(c.Attempts), Attempt{e.RequestID, e.CardID, e.Budget.Network, e.Until, e.Reason, e.By})
	if e.Reason != ForBackup {
		c.Round = nil
	}
	if e.Reason == ForSchedule {
		c.RetryAt, c.RetryCardID = time.Time{}, ""
	}
	c.Round = append(slices.Clone(c.Round), e.CardID)
}

// ChargeLapsed records that the gateway has not answered in time. The attempt
// counts towards the network's limit, since it may have been made.
type ChargeLapsed struct {
	RequestID string    `json:"requestId"`
	CardID    string    `json:"cardId"`
	At        time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e ChargeLapsed) Evolve(i *Invoice) {
	if i.Case.Asked != nil && i.Case.Asked.RequestID == e.RequestID {
		i.Case.Asked = nil
	}
}

// Budget is what a card network allows for one payment, and what of it is
// used (rule N14).
type Budget struct {
	Network string `json:"network"`
	Used    int    `json:"used"`
	Limit   int    `json:"limit"`
	Days    int    `json:"days"` // the window that ends now
}

// spent returns what is used of a limit at a time.
func (c Case) spent(l Limit, at time.Time) Budget {
	b := Budget{Network: l.Network, Limit: l.Attempts, Days: l.Days}
	for _, a := range c.Attempts {
		if a.Network == l.Network && a.At.After(at.Add(-days(l.Days))) {
			b.Used++
		}
	}
	return b
}

// attempted counts an attempt that the gateway reports: the one that was
// asked for, or one that nobody asked for.
func (c *Case) attempted(request, card, network string, at time.Time) {
	if c.Asked != nil && (c.Asked.RequestID == request || request == "" && c.Asked.CardID == card) {
		request, c.Asked = c.Asked.RequestID, nil
	}
	all := slices.Clone(c.Attempts)
	i := slices.IndexFunc(all, func(a Attempt) bool { return request != "" && a.RequestID == request })
	if i < 0 {
		c.Attempts = append(all, Attempt{RequestID: request, CardID: card, Network: network, At: at})
		return
	}
	all[i].At = at
	c.Attempts = all
}
