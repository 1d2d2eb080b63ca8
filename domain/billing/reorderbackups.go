package billing

import "slices"

// ReorderBackupCards sets the order in which the backup cards step in. It
// names all of them, so that nobody orders what they have not seen.
type ReorderBackupCards struct {
	CardIDs []string `json:"cardIds"`
}

// BackupCardsReordered records the order in which the backup cards step in.
type BackupCardsReordered struct {
	CardIDs []string `json:"cardIds"`
}

// Evolve implements [domain.Event].
func (e BackupCardsReordered) Evolve(s *Subscription) {
	backups := make([]Backup, 0, len(s.Backups))
	for i, card := range e.CardIDs {
		if at := s.backup(card); at >= 0 {
			backups = append(backups, Backup{card, i + 1, s.Backups[at].AddedBy})
		}
	}
	s.Backups = backups
}

// Decide implements [domain.Command].
func (c ReorderBackupCards) Decide(s Subscription, _ Meta) ([]Event, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	have := s.cards()
	if s.Primary != "" {
		have = have[1:]
	}
	if slices.Equal(have, c.CardIDs) {
		return nil, nil
	}
	sorted := func(cards []string) []string { return slices.Sorted(slices.Values(cards)) }
	if !slices.Equal(sorted(have), sorted(c.CardIDs)) {
		return nil, ErrOrder.With("backups", append([]string{}, have...))
	}
	return []Event{BackupCardsReordered(c)}, nil
}
