package securityinfo

import (
	"time"

	"konto/domain"
)

// RequestContactVerification sends a new code, under a new verification, to
// the contact that waits in a slot. The code before it stops working.
type RequestContactVerification struct {
	Slot Slot `json:"slot"`
}

// Needs implements [domain.Needer].
func (RequestContactVerification) Needs(Meta) []domain.Need {
	return []domain.Need{CodePolicy.Need()}
}

// Decide implements [domain.Command].
func (c RequestContactVerification) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	challenge := s.challenge(c.Slot)
	switch {
	case challenge == nil:
		return nil, ErrSlot
	case s.UpdatedAt.IsZero():
		return nil, ErrNotFound
	case !challenge.Waiting:
		return nil, ErrNothingWaiting
	}
	contact := s.pending(c.Slot)
	if !contact.Readable() {
		return nil, ErrErased
	}
	if err := challenge.throttled(m); err != nil {
		return nil, err
	}
	if err := challenge.tooSoon(m); err != nil {
		return nil, err
	}
	return []Event{requested(c.Slot, *challenge, contact, m)}, nil
}

// pending returns the contact that waits in slot.
func (s SecurityInfo) pending(slot Slot) domain.Personal[string] {
	if m := s.phone(slot); m != nil {
		return text(m.Pending)
	}
	return s.AlternateEmail.Pending
}

// verified returns the contact in use in slot.
func (s SecurityInfo) verified(slot Slot) domain.Personal[string] {
	if m := s.phone(slot); m != nil {
		return text(m.Verified)
	}
	return s.AlternateEmail.Verified
}

// ContactVerificationRequested records that a code is to be sent to a contact
// that is not verified yet. The code itself is [domain.Meta].Code of the
// verification.
type ContactVerificationRequested struct {
	Verification string                  `json:"verification"`
	Slot         Slot                    `json:"slot"`
	Channel      domain.Channel          `json:"channel"`
	Contact      domain.Personal[string] `json:"contact"` // a mail address, or an RFC 3966 number without its scheme
	Attempt      int                     `json:"attempt"` // which code for the slot within an hour, from 1
	At           time.Time               `json:"at"`
	ExpiresAt    time.Time               `json:"expiresAt"`
	Tries        int                     `json:"tries,omitempty"` // wrong codes that end the verification
}

// Evolve implements [domain.Event].
func (e ContactVerificationRequested) Evolve(s *SecurityInfo) {
	if c := s.challenge(e.Slot); c != nil {
		*c = Challenge{
			Waiting: c.Waiting, Verification: e.Verification, ExpiresAt: e.ExpiresAt, Tries: e.Tries,
			Requests: append(c.recent(e.At), e.At),
		}
	}
}
