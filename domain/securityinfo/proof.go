package securityinfo

import (
	"crypto/subtle"
	"slices"
	"time"

	"konto/domain"
)

// SubmitRecoveryCode proves the control of a contact with the code that was
// sent to it. A slot that no code went to is answered as a wrong code.
type SubmitRecoveryCode struct {
	Slot Slot   `json:"slot"`
	Code string `json:"code"`
}

// Decide implements [domain.Command].
func (c SubmitRecoveryCode) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	code, wellFormed := digits(c.Code)
	switch {
	case s.challenge(c.Slot) == nil:
		return nil, ErrSlot
	case !s.Reset.open(m.At):
		return nil, ErrNoReset
	case s.Reset.Failures >= s.Reset.Tries:
		return nil, ErrResetWrong
	case !wellFormed:
		return nil, ErrCodeForm
	}
	i := slices.IndexFunc(s.Reset.Codes, func(r RecoveryCode) bool { return r.Slot == c.Slot })
	sent := i >= 0 && m.At.Before(s.Reset.Codes[i].ExpiresAt)
	right := subtle.ConstantTimeCompare([]byte(code), []byte(m.Code(RecoveryCodeID(s.Reset.ID, c.Slot)))) == 1
	switch {
	case !sent || !right:
		attempt := s.Reset.Failures + 1
		return []Event{RecoveryProofRejected{Reset: s.Reset.ID, Method: c.Slot, Attempt: attempt, At: m.At}},
			ErrProof.With("attemptsLeft", s.Reset.Tries-attempt)
	case s.Reset.Codes[i].Accepted:
		return nil, nil
	}
	return []Event{RecoveryProofAccepted{Reset: s.Reset.ID, Method: c.Slot, At: m.At}}, nil
}

// RecoveryProofAccepted records that somebody proved the control of a contact.
type RecoveryProofAccepted struct {
	Reset  string    `json:"reset"`
	Method Slot      `json:"method"`
	At     time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e RecoveryProofAccepted) Evolve(s *SecurityInfo) {
	codes := slices.Clone(s.Reset.Codes)
	for i := range codes {
		if codes[i].Slot == e.Method {
			codes[i].Accepted = true
		}
	}
	s.Reset.Codes = codes
}

// RecoveryProofRejected records that a wrong code was entered. The caller was
// refused.
type RecoveryProofRejected struct {
	Reset   string    `json:"reset"`
	Method  Slot      `json:"method"`
	Attempt int       `json:"attempt"` // from 1, over all contacts
	At      time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e RecoveryProofRejected) Evolve(s *SecurityInfo) { s.Reset.Failures = e.Attempt }

// CompletePasswordReset ends a reset whose proofs are complete. The answer to
// it carries the assertion with which the identity provider lets the person
// choose a new password. The gate is looked at again: who got a role meanwhile
// needs what a role asks for.
type CompletePasswordReset struct{}

// Needs implements [domain.Needer].
func (CompletePasswordReset) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), domain.Of[Organization](m.Tenant), RecoveryPolicy.Need()}
}

// Decide implements [domain.Command].
func (CompletePasswordReset) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	account, err := own(m)
	if err != nil {
		return nil, err
	}
	if !s.Reset.open(m.At) {
		return nil, ErrNoReset
	}
	terms, gate, proofs := RecoveryPolicy.In(m), s.Reset.Gate, s.Reset.accepted()
	if gate == GateOne {
		gate = gateOf(terms, account, domain.Fact[Organization](m, m.Tenant), m.At)
	}
	if !Passed(gate, proofs) || account.Blocked {
		return nil, ErrMoreProofs.With("proofs", len(proofs))
	}
	return []Event{PasswordResetCompleted{
		Reset: s.Reset.ID, Gate: gate, Methods: proofs, At: m.At,
		AssertionExpiresAt: m.At.Add(time.Duration(terms.AssertionMinutes) * time.Minute),
	}}, nil
}

// PasswordResetCompleted records that the person proved who they are. It is
// the proof of recovery, and all that is kept of it: a password never comes
// near here.
type PasswordResetCompleted struct {
	Reset   string    `json:"reset"`
	Gate    Gate      `json:"gate"`
	Methods []Slot    `json:"methods"`
	At      time.Time `json:"at"`
	// AssertionExpiresAt is until when the identity provider may act on it.
	AssertionExpiresAt time.Time `json:"assertionExpiresAt"`
}

// Evolve implements [domain.Event].
func (PasswordResetCompleted) Evolve(s *SecurityInfo) { s.Reset = Reset{} }
