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
	terms := CodePolicy.In(m)
	return ContactVerificationRequested{
		Verification: verificationID(m.Command, slot),
		Slot:         slot,
		Channel:      slot.Channel(),
		Contact:      contact,
		Attempt:      len(c.recent(m.At)) + 1,
		At:           m.At,
		ExpiresAt:    m.At.Add(terms.life(slot)),
		Tries:        terms.WrongCodes,
	}
}

// verificationID is the same for a repeated command, which so asks for the same
// code.
func verificationID(command string, slot Slot) string {
	return derivedID("konto verification", command, string(slot))
}

// derivedID returns a UUIDv8 made of its arguments with SHA-256 (RFC 9562 §5.8).
func derivedID(purpose, command, slot string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + command + "\x00" + slot))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80 // version 8
	b[8] = b[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// recent returns the times of the codes sent in the hour before at.
func (c Challenge) recent(at time.Time) []time.Time {
	i := slices.IndexFunc(c.Requests, func(t time.Time) bool { return at.Sub(t) < requestSpan })
	if i < 0 {
		return nil
	}
	return slices.Clip(c.Requests[i:])
}

// throttled returns why no more codes are sent for the slot now, or nil.
// Without it, changing a contact again and again would send messages to
// strangers and would make room for endless guesses.
func (c Challenge) throttled(m Meta) *domain.Error {
	recent, most := c.recent(m.At), CodePolicy.In(m).CodesPerHour
	if len(recent) < most {
		return nil
	}
	return ErrTooManyRequests.With("retryAt", recent[len(recent)-most].Add(requestSpan)).With("codesPerHour", most)
}

// tries returns how many wrong codes end the verification: what the policy
// said when the code was asked for.
func (c Challenge) tries() int {
	if c.Tries == 0 { // recorded before there were versions
		return CodePolicy.First.WrongCodes
	}
	return c.Tries
}

// tooSoon returns why a code that was just sent is not sent again, or nil.
func (c Challenge) tooSoon(m Meta) *domain.Error {
	recent := c.recent(m.At)
	if len(recent) == 0 {
		return nil
	}
	wait := time.Duration(CodePolicy.In(m).SecondsBetween) * time.Second
	if next := recent[len(recent)-1].Add(wait); m.At.Before(next) {
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
func (m *Method[T]) verify(e ContactVerified) {
	m.keep(e.Verification, e.At, e.UndoUntil)
	m.Verified, m.VerifiedAt, m.UsableFrom = m.Pending, e.At, e.UsableFrom
	m.withdraw()
}

// remove folds that the slot is empty. What it sent still counts, and what it
// held may come back.
func (m *Method[T]) remove(change string, at, undoUntil time.Time) {
	m.keep(change, at, undoUntil)
	*m = Method[T]{Challenge: Challenge{Requests: m.Requests}, Former: m.Former}
}

// keep remembers the contact in use, which is about to go, for as long as it
// may undo that. What may no longer is forgotten.
func (m *Method[T]) keep(change string, at, until time.Time) {
	if !m.InUse() || change == "" || !until.After(at) {
		return
	}
	former := make([]Former[T], 0, len(m.Former)+1)
	for _, f := range m.Former {
		if f.Until.After(at) {
			former = append(former, f)
		}
	}
	m.Former = append(former, Former[T]{
		Change: change, Contact: m.Verified, VerifiedAt: m.VerifiedAt, UsableFrom: m.UsableFrom, Until: until,
	})
}

// restore folds that a change was undone, and with it all that came after.
func (m *Method[T]) restore(change string) {
	i := slices.IndexFunc(m.Former, func(f Former[T]) bool { return f.Change == change })
	if i < 0 {
		return
	}
	f := m.Former[i]
	m.Verified, m.VerifiedAt, m.UsableFrom = f.Contact, f.VerifiedAt, f.UsableFrom
	m.Former = slices.Clone(m.Former[:i])
	m.withdraw()
}
