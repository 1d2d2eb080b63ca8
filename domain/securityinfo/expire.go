package securityinfo

// ExpireContactVerification ends a verification whose code has run out. The
// contact goes on waiting, for a new code. A verification that is over, or
// not yet due, is left alone.
type ExpireContactVerification struct {
	Slot         Slot   `json:"slot"`
	Verification string `json:"verification"`
}

// Decide implements [domain.Command].
func (c ExpireContactVerification) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	challenge := s.challenge(c.Slot)
	switch {
	case challenge == nil:
		return nil, ErrSlot
	case s.UpdatedAt.IsZero():
		return nil, ErrNotFound
	case !challenge.Waiting || c.Verification == "" || challenge.Verification != c.Verification,
		m.At.Before(challenge.ExpiresAt):
		return nil, nil
	}
	return []Event{ContactVerificationExpired(c)}, nil
}

// ContactVerificationExpired records that a verification's code has run out.
type ContactVerificationExpired struct {
	Slot         Slot   `json:"slot"`
	Verification string `json:"verification"`
}

// Evolve implements [domain.Event].
func (e ContactVerificationExpired) Evolve(s *SecurityInfo) {
	if c := s.challenge(e.Slot); c != nil {
		*c = Challenge{Waiting: c.Waiting, Requests: c.Requests}
	}
}
