package securityinfo

import (
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// UndoContactChange puts a contact back that was replaced or removed, if that
// was not its owner's doing (I7). The proof is what the message to that contact
// held, so whoever sends it controls the contact; they need not be able to
// sign in. With the change goes all that came after it in the slot.
type UndoContactChange struct {
	Change string `json:"change"` // the change's ID
	Proof  string `json:"proof"`  // 32 hex digits
}

// UndoPurpose is the purpose under which [domain.Meta].MAC of a change's ID is
// the proof that undoes it. Whoever writes the message to the contact derives
// it, so no event holds one. It has 128 bits: guessing needs no throttle.
const UndoPurpose = "undo-contact-change"

// Needs implements [domain.Needer]. An address that has become one of the
// organization's own does not come back (S3).
func (UndoContactChange) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), domain.Of[Organization](m.Tenant)}
}

// Decide implements [domain.Command]. Who has no proof does not learn whether
// there is such a change.
func (c UndoContactChange) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	account, err := own(m)
	if err != nil {
		return nil, err
	}
	want := m.MAC(UndoPurpose, c.Change)
	if subtle.ConstantTimeCompare([]byte(strings.ToLower(c.Proof)), []byte(want)) == 0 {
		return nil, ErrUndoProof
	}
	slot, f, ok := s.former(c.Change)
	switch {
	case s.undid(c.Change):
		return nil, ErrUndone
	case !ok || !m.At.Before(f.Until):
		return nil, ErrUndoOver
	case !f.Contact.Readable():
		return nil, ErrErased.At("")
	case slot == SlotAlternateEmail && account.owns(f.Contact.Value):
		return nil, ErrAccountEmail.At("")
	case slot == SlotAlternateEmail && domain.Fact[Organization](m, m.Tenant).runs(host(f.Contact.Value)):
		return nil, ErrTenantEmail.At("")
	}
	events, held := s.release(slot, f.Contact.Value, m)
	if held != nil {
		return nil, held
	}
	undone := ContactChangeUndone{
		Slot: slot, Change: c.Change, By: ByPreviousContact, Contact: f.Contact, Dropped: s.verified(slot),
		VerifiedAt: f.VerifiedAt, UsableFrom: f.UsableFrom, At: m.At,
	}
	if slot == SlotAlternateEmail {
		undone.EmailMAC = emailMAC(m, f.Contact)
	}
	return append(events, undone), nil
}

// release returns what takes a contact out of the slots in which it only
// waits, so that nobody can keep it from coming back by naming it elsewhere.
// One that is in use elsewhere has proved itself there, and stays there.
func (s SecurityInfo) release(home Slot, contact string, m Meta) ([]Event, *domain.Error) {
	var events []Event
	for _, slot := range []Slot{SlotMobile, SlotAlternateMobile, SlotOffice} {
		p := s.phone(slot)
		switch {
		case slot == home || home == SlotAlternateEmail:
		case p.InUse() && p.Verified.Value.String() == contact:
			return nil, ErrSamePhone
		case p.Waiting && p.Pending.Value.String() == contact && p.InUse():
			events = append(events, ContactChangeWithdrawn{Slot: slot, Verification: p.Verification})
		case p.Waiting && p.Pending.Value.String() == contact:
			events = append(events, PhoneMethodRemoved{Slot: slot, Withdrawn: p.Verification, At: m.At})
		}
	}
	return events, nil
}

// former returns the contact that a change took out of use, and its slot.
func (s SecurityInfo) former(change string) (Slot, Former[string], bool) {
	for _, slot := range []Slot{SlotMobile, SlotAlternateMobile, SlotOffice} {
		for _, f := range s.phone(slot).Former {
			if f.Change == change {
				return slot, Former[string]{f.Change, text(f.Contact), f.VerifiedAt, f.UsableFrom, f.Until}, true
			}
		}
	}
	i := slices.IndexFunc(s.AlternateEmail.Former, func(f Former[string]) bool { return f.Change == change })
	if i < 0 {
		return "", Former[string]{}, false
	}
	return SlotAlternateEmail, s.AlternateEmail.Former[i], true
}

// undoable names the removal of a contact in use, and says until when it may
// be undone. One that only waited has nothing to undo.
func undoable(slot Slot, inUse bool, m Meta) (change string, until time.Time) {
	if until = RecoveryPolicy.In(m).UndoUntil(m.At); !inUse || until.IsZero() {
		return "", time.Time{}
	}
	return derivedID("konto removal", m.Command, string(slot)), until
}

// longestUndo is the most that [RecoveryTerms] allow for undoing a change.
const longestUndo = 720 * time.Hour

// Undone is a change that was undone.
type Undone struct {
	Change string    `json:"change"`
	At     time.Time `json:"at"`
}

// undid reports whether a change was undone lately: whoever follows a link a
// second time should hear that it has done its work, not that it is too late.
func (s SecurityInfo) undid(change string) bool {
	return slices.ContainsFunc(s.Undone, func(u Undone) bool { return u.Change == change })
}

func host(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// ByPreviousContact is who undoes a change: whoever controls the contact that
// was in use before.
const ByPreviousContact = "previous-contact"

// ContactChangeUndone records that a contact came back.
type ContactChangeUndone struct {
	Slot       Slot                    `json:"slot"`
	Change     string                  `json:"change"`
	By         string                  `json:"by"`
	Contact    domain.Personal[string] `json:"contact"`          // that came back
	Dropped    domain.Personal[string] `json:"dropped,omitzero"` // that had taken its place, if one had
	VerifiedAt time.Time               `json:"verifiedAt"`       // of the contact that came back
	UsableFrom time.Time               `json:"usableFrom,omitzero"`
	At         time.Time               `json:"at"`
	EmailMAC   string                  `json:"emailMac,omitzero"` // see [ContactVerified]
}

// Evolve implements [domain.Event]. Who changed the contact may have begun a
// reset, too, so none stays open.
func (e ContactChangeUndone) Evolve(s *SecurityInfo) {
	if e.Slot == SlotAlternateEmail {
		s.AlternateEmail.restore(e.Change)
	} else if m := s.phone(e.Slot); m != nil {
		m.restore(e.Change)
	}
	s.HadBothKinds = s.HadBothKinds || s.Ready()
	lately := slices.DeleteFunc(slices.Clone(s.Undone), func(u Undone) bool { return e.At.Sub(u.At) > longestUndo })
	s.Undone = append(lately, Undone{e.Change, e.At})
	s.Reset = Reset{}
	s.UpdatedAt = e.At
}
