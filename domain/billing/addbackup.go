package billing

import (
	"slices"

	"konto/domain"
)

// AddBackupCard adds a card of the caller that steps in when the primary card
// fails. It is what an admin can do about somebody else's card (rules C4, C5).
type AddBackupCard struct {
	CardID string `json:"cardId"`
}

// Needs implements [domain.Needer].
func (c AddBackupCard) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Card](c.CardID), UsePolicy.Need()}
}

// BackupCardAdded records that a card stands by, after those before it.
type BackupCardAdded struct {
	CardID   string `json:"cardId"`
	Priority int    `json:"priority"`
	AddedBy  string `json:"addedBy"`
}

// Evolve implements [domain.Event].
func (e BackupCardAdded) Evolve(s *Subscription) {
	s.Backups = append(slices.Clone(s.Backups), Backup(e))
}

// Decide implements [domain.Command].
func (c AddBackupCard) Decide(s Subscription, m Meta) ([]Event, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	switch {
	case s.Invoiced:
		return nil, ErrInvoiced
	case s.Primary == c.CardID:
		return nil, ErrOnSubscription
	case s.backup(c.CardID) >= 0:
		return nil, nil
	}
	if err := usable(m, c.CardID); err != nil {
		return nil, err
	}
	priority := 1
	if n := len(s.Backups); n > 0 {
		priority = s.Backups[n-1].Priority + 1
	}
	return []Event{BackupCardAdded{c.CardID, priority, m.Actor.ID}}, nil
}
