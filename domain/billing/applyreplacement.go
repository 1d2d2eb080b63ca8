package billing

import (
	"slices"

	"konto/domain"
)

// ApplyCardReplacement puts a new card wherever the subscription has the old
// one. The old card's stream decided that it may; the new card may have been
// removed since.
type ApplyCardReplacement struct {
	OldCardID string `json:"oldCardId"`
	NewCardID string `json:"newCardId"`
	Reason    string `json:"reason"`
}

// Needs implements [domain.Needer].
func (c ApplyCardReplacement) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Card](c.NewCardID)}
}

// PrimaryCardChanged records that another card pays from now on. A backup
// card that becomes primary is no backup any more.
type PrimaryCardChanged struct {
	Old    string `json:"old"`
	New    string `json:"new"`
	Reason string `json:"reason"`
}

// Evolve implements [domain.Event].
func (e PrimaryCardChanged) Evolve(s *Subscription) {
	s.Primary = e.New
	s.dropBackup(e.New)
}

// BackupCardChanged records that another card has taken a backup's place. If
// that card was on the subscription already, the place is gone.
type BackupCardChanged struct {
	Old    string `json:"old"`
	New    string `json:"new"`
	Reason string `json:"reason"`
}

// Evolve implements [domain.Event].
func (e BackupCardChanged) Evolve(s *Subscription) {
	i := s.backup(e.Old)
	if i < 0 {
		return
	}
	if s.Primary == e.New || s.backup(e.New) >= 0 {
		s.dropBackup(e.Old)
		return
	}
	s.Backups = slices.Clone(s.Backups)
	s.Backups[i].CardID = e.New
}

// Decide implements [domain.Command].
func (c ApplyCardReplacement) Decide(s Subscription, m Meta) ([]Event, error) {
	if !s.Exists() {
		return nil, ErrNotFound
	}
	primary, backup := s.Primary == c.OldCardID, s.backup(c.OldCardID) >= 0
	if c.OldCardID == c.NewCardID || !primary && !backup {
		return nil, nil
	}
	if err := domain.Fact[Card](m, c.NewCardID).chargeable(m); err != nil {
		return nil, err.At("/newCardId")
	}
	if primary {
		return []Event{PrimaryCardChanged{c.OldCardID, c.NewCardID, c.Reason}}, nil
	}
	return []Event{BackupCardChanged{c.OldCardID, c.NewCardID, c.Reason}}, nil
}
