package collection

import (
	"slices"

	"konto/domain"
)

// Change is what happened to a subscription's cards.
type Change string

// The changes.
const (
	CardAddedAsBackup Change = "added"   // it stands by from now on
	CardMadePrimary   Change = "primary" // it pays from now on
	CardEdited        Change = "edited"  // its owner corrected something
	CardUpdated       Change = "updated" // its network gave it a new number or expiry
	// CardPresented is no change to a card: its holder pays with it in person,
	// by settling the balance. Nothing else lifts the bar of a card whose bank
	// asks for that (rule K5), and no process sends it.
	CardPresented Change = "presented"
)

// waitsFor returns the change after which a card that nobody tries by itself is
// charged, or "" if nothing leads there.
func (t *turn) waitsFor(id string) Change {
	card, there := t.card(id)
	tried, _ := t.i.Case.tried(id)
	held := card.aboveLimit(t.i.AmountMinor, t.i.Currency)
	_, allowed := t.budget(id, t.m.At)
	if !there || card.Blocked || !allowed || tried.Barred && len(tried.Cures) == 0 {
		return ""
	}
	if !held && slices.Contains(t.order(), id) {
		for _, change := range []Change{CardEdited, CardUpdated} {
			if slices.Contains(tried.Cures, change) {
				return change
			}
		}
	}
	if card.valid(t.m.At) && (held || tried.Barred) {
		return CardPresented
	}
	return ""
}

// ReconsiderCards tries a card of the subscription at once because something
// about it has changed, if the network allows it (rule D4). The change may
// lift what barred the card; fraud and revocation are lifted by none.
type ReconsiderCards struct {
	CardID string `json:"cardId"`
	Change Change `json:"change"`
}

// Needs implements [domain.Needer].
func (c ReconsiderCards) Needs(m Meta) []domain.Need { return knowingOwn(m, c.CardID) }

// CardAllowedAgain records that a card that was barred may be tried again.
type CardAllowedAgain struct {
	CardID string `json:"cardId"`
	Change Change `json:"change"` // that lifted the bar
}

// Evolve implements [domain.Event].
func (e CardAllowedAgain) Evolve(i *Invoice) {
	if t, ok := i.Case.tried(e.CardID); ok {
		t.Barred, t.Cures, t.Declines, t.Retries, t.Soon = false, nil, 0, -1, false
		i.Case.put(t)
	}
}

// Decide implements [domain.Command]. A card that has become primary but was
// tried already waits for its turn.
func (c ReconsiderCards) Decide(i Invoice, m Meta) ([]Event, error) {
	t := &turn{i: i, m: m}
	if !i.Exists() {
		return nil, ErrNotFound
	}
	if !t.payable() || i.Case.Disputed || i.Case.ChargedBack || !slices.Contains(t.order(), c.CardID) {
		return nil, nil
	}
	tried, was := i.Case.tried(c.CardID)
	moved := c.Change == CardAddedAsBackup || c.Change == CardMadePrimary
	switch {
	case was && moved, c.Change == CardPresented:
		return nil, nil
	case was && tried.Barred && !slices.Contains(tried.Cures, c.Change):
		return nil, nil
	case was && tried.Barred:
		t.then(CardAllowedAgain(c))
	}
	if t.i.Case.Asked != nil {
		return t.events, nil
	}
	card, ok := t.card(c.CardID)
	if ok && card.usable(m.At) && !card.aboveLimit(t.i.AmountMinor, t.i.Currency) && t.ask(c.CardID, ForChange) {
		return t.events, nil
	}
	t.plan()
	return t.events, nil
}
