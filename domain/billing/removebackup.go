package billing

// RemoveBackupCard takes a backup card off the subscription. Every admin who
// may add one may, since that edits no card: a leaver's card must not stay
// for ever.
type RemoveBackupCard struct {
	CardID string `json:"cardId"`
}

// BackupCardRemoved records that a card stands by no more.
type BackupCardRemoved struct {
	CardID string `json:"cardId"`
}

// Evolve implements [domain.Event].
func (e BackupCardRemoved) Evolve(s *Subscription) { s.dropBackup(e.CardID) }

// Decide implements [domain.Command]. The primary card is not removed but
// replaced, or nothing would pay.
func (c RemoveBackupCard) Decide(s Subscription, _ Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Deleted:
		return nil, ErrDeleted
	case s.Primary == c.CardID && c.CardID != "":
		return nil, ErrPrimary
	case s.backup(c.CardID) < 0:
		return nil, nil
	}
	return []Event{BackupCardRemoved(c)}, nil
}
