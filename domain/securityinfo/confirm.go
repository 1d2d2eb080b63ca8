package securityinfo

import (
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// ConfirmContactVerification verifies the contact that waits in a slot with
// the code that was sent to it. Spaces and hyphens in the code do not matter.
type ConfirmContactVerification struct {
	Slot Slot   `json:"slot"`
	Code string `json:"code"`
}

// Needs implements [domain.Needer].
func (ConfirmContactVerification) Needs(Meta) []domain.Need {
	return []domain.Need{RecoveryPolicy.Need(), ReconfirmPolicy.Need()}
}

// Decide implements [domain.Command].
func (c ConfirmContactVerification) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	challenge := s.challenge(c.Slot)
	code, wellFormed := digits(c.Code)
	switch {
	case challenge == nil:
		return nil, ErrSlot
	case byAnother(m):
		// Or an admin could set a phone of their own for somebody else and
		// take the account over.
		return nil, ErrOwnCodeOnly
	case s.UpdatedAt.IsZero():
		return nil, ErrNotFound
	case !challenge.Waiting:
		return nil, ErrNothingWaiting
	case challenge.Failures >= challenge.tries():
		return nil, ErrTooManyAttempts
	case !m.At.Before(challenge.ExpiresAt):
		return nil, ErrCodeExpired
	case !wellFormed:
		return nil, ErrCodeForm
	case s.inUseElsewhere(c.Slot):
		// It was free when it was set: the slot that holds it had another on its way.
		return nil, ErrSamePhone.At("/slot")
	}
	if subtle.ConstantTimeCompare([]byte(code), []byte(m.Code(challenge.Verification))) == 0 {
		attempt := challenge.Failures + 1
		return []Event{ContactVerificationFailed{Slot: c.Slot, Verification: challenge.Verification, Attempt: attempt}},
			ErrWrongCode.With("attemptsLeft", challenge.tries()-attempt)
	}
	terms := RecoveryPolicy.In(m)
	verified := ContactVerified{
		Slot: c.Slot, Verification: challenge.Verification,
		Contact: s.pending(c.Slot), Previous: s.verified(c.Slot), At: m.At,
		UsableFrom: m.At.Add(time.Duration(terms.CoolDownHours) * time.Hour),
	}
	if c.Slot == SlotAlternateEmail {
		verified.EmailMAC = emailMAC(m, verified.Contact)
	}
	if due := ReconfirmPolicy.In(m).after(m.At); s.ReconfirmBy.IsZero() {
		// A new contact says nothing about the others: they are due when they were.
		verified.ReconfirmBy = due
	}
	if !verified.Previous.IsZero() {
		verified.UndoUntil = terms.UndoUntil(m.At)
	}
	return []Event{verified}, nil
}

// inUseElsewhere reports whether the phone that waits in slot is in use in
// another one.
func (s SecurityInfo) inUseElsewhere(slot Slot) bool {
	waits := s.phone(slot)
	if waits == nil || !waits.Pending.Readable() {
		return false
	}
	return slices.ContainsFunc([]Slot{SlotMobile, SlotAlternateMobile, SlotOffice}, func(other Slot) bool {
		m := s.phone(other)
		return other != slot && m.InUse() && m.Verified.Readable() && m.Verified.Value.String() == waits.Pending.Value.String()
	})
}

// digits returns code without spaces and hyphens, and whether six digits are left.
func digits(code string) (string, bool) {
	code = strings.NewReplacer(" ", "", "-", "").Replace(code)
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	return code, len(code) == 6 && !strings.ContainsFunc(code, notDigit)
}

// ContactVerified records that the contact that waited has proved itself and
// is in use.
type ContactVerified struct {
	Slot         Slot                    `json:"slot"`
	Verification string                  `json:"verification"`
	Contact      domain.Personal[string] `json:"contact"`
	Previous     domain.Personal[string] `json:"previous,omitzero"` // the verified one that it replaces
	At           time.Time               `json:"at"`
	// UsableFrom is when the contact may first recover the account (I7).
	UsableFrom time.Time `json:"usableFrom,omitzero"`
	// UndoUntil is until when the previous contact may undo the change, which
	// Verification names; zero if there is nothing to undo.
	UndoUntil time.Time `json:"undoUntil,omitzero"`
	// ReconfirmBy is when the person is asked whether their contacts are still
	// right; zero if that was planned before, or never is.
	ReconfirmBy time.Time `json:"reconfirmBy,omitzero"`
	// EmailMAC is what addresses are told to be the same by (I6): a keyed hash
	// of an alternate address, empty for phones. The key is the organization's,
	// so nobody learns of an account elsewhere with the same address.
	EmailMAC string `json:"emailMac,omitzero"`
}

// emailMAC is the keyed hash of an address in use; empty if it was erased.
// Letter case makes no difference.
func emailMAC(m Meta, address domain.Personal[string]) string {
	if !address.Readable() {
		return ""
	}
	return m.MAC("alternate-email", strings.ToLower(address.Value))
}

// Evolve implements [domain.Event].
func (e ContactVerified) Evolve(s *SecurityInfo) {
	if e.Slot == SlotAlternateEmail {
		s.AlternateEmail.verify(e)
	} else if m := s.phone(e.Slot); m != nil {
		m.verify(e)
	}
	s.HadBothKinds = s.HadBothKinds || s.Ready()
	s.Reset.forget(e.Slot)
	if !e.ReconfirmBy.IsZero() {
		s.confirmed(e.At, e.ReconfirmBy)
	}
	s.UpdatedAt = e.At
}

// ContactVerificationFailed records that a wrong code was entered. The caller
// was refused.
type ContactVerificationFailed struct {
	Slot         Slot   `json:"slot"`
	Verification string `json:"verification"`
	Attempt      int    `json:"attempt"` // from 1
}

// Evolve implements [domain.Event].
func (e ContactVerificationFailed) Evolve(s *SecurityInfo) {
	if c := s.challenge(e.Slot); c != nil {
		c.Failures = e.Attempt
	}
}
