package billing

import "konto/domain"

// PromoteBackupCard lets the first backup card that can be charged take over
// from the primary card, if that is still the one that failed.
type PromoteBackupCard struct {
	Reason       string `json:"reason"` // such as the class of the decline
	FailedCardID string `json:"failedCardId"`
}

// Needs implements [domain.Needer].
func (c PromoteBackupCard) Needs(m Meta) []domain.Need {
	backups := domain.Of[Backups](m.ID)
	needs := []domain.Need{backups}
	if m.Facts.Has(backups) {
		for _, card := range domain.Fact[Backups](m, m.ID).Cards {
			needs = append(needs, domain.Of[Card](card))
		}
	}
	return needs
}

// CardPromotedToPrimary records that a backup card pays from now on. The old
// card is off the subscription: trying it again is nobody's wish.
type CardPromotedToPrimary struct {
	CardID string `json:"cardId"`
	Old    string `json:"old"`
	Reason string `json:"reason"`
}

// Evolve implements [domain.Event].
func (e CardPromotedToPrimary) Evolve(s *Subscription) {
	s.Primary = e.CardID
	s.dropBackup(e.CardID)
}

// Decide implements [domain.Command].
func (c PromoteBackupCard) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Primary != c.FailedCardID:
		return nil, nil
	}
	for _, b := range s.Backups {
		// A backup that came after the facts were read waits for its turn.
		if !m.Facts.Has(domain.Of[Card](b.CardID)) {
			continue
		}
		if domain.Fact[Card](m, b.CardID).chargeable(m) == nil {
			return []Event{CardPromotedToPrimary{b.CardID, s.Primary, c.Reason}}, nil
		}
	}
	return nil, nil
}
