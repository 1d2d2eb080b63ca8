package collection

import (
	"slices"
	"time"

	"konto/domain"
)

// SettleBalance asks to charge a card for what is owed, now (rule C8). With
// the card that was declined only the admin who added it can; everybody else
// replaces it first or settles with a card of their own. The card that pays
// takes over every subscription that the declined one paid for.
type SettleBalance struct {
	CardID string `json:"cardId"`
}

// Needs implements [domain.Needer].
func (c SettleBalance) Needs(m Meta) []domain.Need { return knowingOwn(m, c.CardID) }

// BalanceSettled records that somebody paid what was owed.
type BalanceSettled struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	Declined       []string  `json:"declined,omitempty"` // other cards that were declined or charged back
	By             string    `json:"by"`                 // who asked
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event]. That the invoice is paid was recorded
// before.
func (e BalanceSettled) Evolve(*Invoice) {}

// Decide implements [domain.Command]. What the network allows is checked
// before, so that the caller hears of another way.
func (c SettleBalance) Decide(i Invoice, m Meta) ([]Event, error) {
	if !i.Exists() {
		return nil, ErrNotFound
	}
	t := &turn{i: i, m: m}
	if err := t.settleable(c.CardID); err != nil {
		return nil, err
	}
	b, ok := t.budget(c.CardID, m.At)
	if !ok {
		return nil, ErrNetworkLimit.With("network", b.Network).With("used", b.Used).With("limit", b.Limit).With("days", b.Days)
	}
	t.ask(c.CardID, ForBalance)
	return t.events, nil
}

func (t *turn) settleable(id string) *domain.Error {
	i, c := t.i, t.i.Case
	card, there := t.card(id)
	tried, was := c.tried(id)
	profile := t.m.Actor.Has(domain.ProfileOwner, domain.ProfileContributor, domain.InvoiceManager)
	mine := card.Owner == t.m.Actor.ID || profile
	switch {
	case i.Paid && !c.Phase.Open():
		return ErrNothingOwed
	case c.Disputed:
		return ErrDisputed
	case !t.payable():
		return ErrTooLate
	case c.Asked != nil:
		return ErrChargeUnderWay.With("until", c.Asked.Until)
	case !there:
		return ErrCardNotFound
	case !mine && (was || id == i.LastCardID):
		return ErrDeclinedCardNotOwn.With("owner", card.Owner)
	case !mine:
		return ErrCardNotOwn.With("owner", card.Owner)
	case !card.valid(t.m.At):
		return ErrCardExpired
	case card.Blocked, was && tried.Barred && len(tried.Cures) == 0:
		return ErrCardRefused // another case may be over in which it was reported lost
	}
	return nil
}

// settler returns who asked for a payment that settles the balance, and
// reports whether it is one. What the gateway answers when its time is over is
// one as well: the request is known by its ID.
func (t *turn) settler(c RecordChargeResult) (by string, settles bool) {
	if a := t.i.Case.Asked; a != nil && a.Reason == ForBalance && c.RequestID == "" && c.CardID == a.CardID {
		return a.By, true
	}
	for _, a := range t.i.Case.Attempts {
		if c.RequestID != "" && a.RequestID == c.RequestID {
			return a.By, a.Reason == ForBalance && t.i.Case.Phase.Open()
		}
	}
	return "", false
}

// settled records who paid, and in whose place the card steps.
func (t *turn) settled(card, by string) {
	declined := []string{t.i.Case.CardID}
	for _, tried := range t.i.Case.Tried {
		declined = append(declined, tried.CardID)
	}
	slices.Sort(declined)
	declined = slices.DeleteFunc(slices.Compact(declined), func(id string) bool { return id == "" || id == card })
	if len(declined) == 0 {
		declined = nil
	}
	t.then(BalanceSettled{
		SubscriptionID: t.i.SubscriptionID, CardID: card, Declined: declined, By: by,
		AmountMinor: t.i.AmountMinor, Currency: t.i.Currency, At: t.m.At,
	})
}
