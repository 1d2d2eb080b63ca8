package card

import "konto/domain"

// ReplaceDeclinedCard lets the card that settled a balance pay for everything
// that the declined card was on (rule C8). Who may settle with which card was
// decided where the balance is, so the owner is not asked for again.
type ReplaceDeclinedCard struct {
	NewCardID string `json:"newCardId"`
}

// Needs implements [domain.Needer].
func (c ReplaceDeclinedCard) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Replacement](c.NewCardID)}
}

// Decide implements [domain.Command]. The new card has just paid, so its
// expiry says nothing against it; but one that the bank has stopped since pays
// for nothing more. A card that pays for nothing, or settled its own balance,
// stays as it is.
func (c ReplaceDeclinedCard) Decide(s Card, m Meta) ([]Event, error) {
	by := domain.Fact[Replacement](m, c.NewCardID)
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case c.NewCardID == m.ID:
		return nil, nil
	case !by.Exists || by.Tenant != m.Tenant:
		return nil, ErrReplacement
	case by.Removed:
		return nil, ErrRemoved.At("/newCardId")
	case by.Blocked:
		return nil, ErrBlocked.At("/newCardId")
	}
	moving, _ := s.split(s.Subscriptions, c.NewCardID, m.At)
	if moving == nil {
		return nil, nil
	}
	return []Event{CardReplaced{m.ID, c.NewCardID, ScopeAll, moving, ReasonSettle, m.At}}, nil
}
