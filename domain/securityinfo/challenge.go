package securityinfo

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"konto/domain"
)

// requested returns the event that has a code sent to contact, which waits in
// slot after c.
func requested(slot Slot, c Challenge, contact domain.Personal[string], m Meta) ContactVerificationRequested {
	return ContactVerificationRequested{
		Verification: verificationID(m.Command, slot),
		Slot:         slot,
		Channel:      slot.Channel(),
		Contact:      contact,
		Attempt:      len(c.recent(m.At)) + 1,
		At:           m.At,
		ExpiresAt:    m.At.Add(slot.codeLife()),
	}
}

// verificationID returns a UUIDv8 made of the command's ID and the slot with
// SHA-256 (RFC 9562 §5.8), so that a repeated command asks for the same code.
func verificationID(command string, slot Slot) string {
	sum := sha256.Sum256([]byte("konto verification\x00" + command + "\x00" + string(slot)))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80 // version 8
	b[8] = b[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// recent returns the times of the codes sent in the hour before at.
func (c Challenge) recent(at time.Time) []time.Time {
	i := slices.IndexFunc(c.Requests, func(t time.Time) bool { return at.Sub(t) < RequestSpan })
	if i < 0 {
		return nil
	}
	return slices.Clip(c.Requests[i:])
}

// throttled returns why no more codes are sent for the slot at a time, or nil.
// Without it, changing a contact again and again would send messages to
// strangers and would make room for endless guesses.
func (c Challenge) throttled(at time.Time) *domain.Error {
	recent := c.recent(at)
	if len(recent) < MaxRequests {
		return nil
	}
	return ErrTooManyRequests.With("retryAt", recent[len(recent)-MaxRequests].Add(RequestSpan))
}

// tooSoon returns why a code that was just sent is not sent again, or nil.
func (c Challenge) tooSoon(at time.Time) *domain.Error {
	recent := c.recent(at)
	if len(recent) == 0 {
		return nil
	}
	if next := recent[len(recent)-1].Add(MinInterval); at.Before(next) {
		return ErrTooSoon.With("retryAt", next)
	}
	return nil
}

// wait folds that contact waits in the slot.
func (m *Method[T]) wait(contact domain.Personal[T], verification string) {
	m.Pending = contact
	m.Challenge = Challenge{Waiting: true, Verification: verification, Requests: m.Requests}
}

// withdraw folds that no contact waits in the slot.
func (m *Method[T]) withdraw() {
	m.Pending = domain.Personal[T]{}
	m.Challenge = Challenge{Requests: m.Requests}
}

// verify folds that the contact that waited is in use.
func (m *Method[T]) verify(at time.Time) {
	m.Verified, m.VerifiedAt = m.Pending, at
	m.withdraw()
}

// remove folds that the slot is empty. What it sent still counts.
func (m *Method[T]) remove() { *m = Method[T]{Challenge: Challenge{Requests: m.Requests}} }
