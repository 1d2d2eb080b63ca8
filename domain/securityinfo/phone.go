package securityinfo

import (
	"time"

	"konto/domain"
)

// decidePhone returns what a phone field of the page changes.
func decidePhone(s SecurityInfo, f field, m Meta) ([]Event, *domain.Error) {
	old := *s.phone(f.slot)
	switch {
	case f.kept(), f.removed() && !old.isSet():
		return nil, nil
	case f.removed():
		gone := PhoneMethodRemoved{Slot: f.slot, Old: old.Verified, Withdrawn: old.Verification, At: m.At}
		gone.Change, gone.UndoUntil = undoable(f.slot, old.InUse(), m)
		return []Event{gone}, nil
	}
	number := domain.Fact[PhoneNumber](m, PhoneKey(domain.Fact[Organization](m, m.Tenant).Country, *f.raw))
	if err := acceptable(f.slot, number); err != nil {
		return nil, err.At(f.slot.pointer())
	}
	switch {
	case old.Waiting && samePhone(old.Pending, number):
		return nil, nil
	case old.Waiting && samePhone(old.Verified, number):
		return []Event{ContactChangeWithdrawn{Slot: f.slot, Verification: old.Verification}}, nil
	case samePhone(old.Verified, number):
		return nil, nil
	}
	if err := old.throttled(m); err != nil {
		return nil, err.At(f.slot.pointer())
	}
	phone := domain.About(m.ID, Phone{E164: number.E164, Ext: number.Ext, Raw: *f.raw})
	request := requested(f.slot, old.Challenge, text(phone), m)
	added := PhoneMethodAdded{
		Slot: f.slot, Phone: phone, Type: number.Type, Valid: number.Valid, MetadataVersion: number.MetadataVersion,
		Verification: request.Verification, Supersedes: old.Verification, At: m.At,
	}
	if !old.InUse() {
		return []Event{added, request}, nil
	}
	return []Event{PhoneMethodChanged{PhoneMethodAdded: added, Old: old.Verified}, request}, nil
}

// acceptable returns why number cannot be in slot, or nil. A number that is
// possible but not valid has no known type: it may be newer than the
// numbering plans at hand, and the code that comes back proves it (F2).
func acceptable(slot Slot, n PhoneNumber) *domain.Error {
	mobile := slot == SlotMobile
	switch {
	case !n.Possible || n.E164 == "":
		return ErrPhoneNotPossible
	case mobile && n.Ext != "":
		return ErrExtension
	case !n.Valid:
		return nil
	}
	switch n.Type {
	case Mobile, FixedLineOrMobile:
		return nil
	case FixedLine, TollFree, CompanyNumber:
		if !mobile {
			return nil
		}
	case PremiumRate, SharedCost, VoIP, PersonalNumber, Pager, Voicemail, UnknownType:
		// A premium number would earn its owner money with every call, and
		// virtual numbers are not reached reliably (S2).
	}
	return ErrPhoneType.With("type", n.Type)
}

func samePhone(p domain.Personal[Phone], n PhoneNumber) bool {
	return p.Readable() && p.Value.E164 == n.E164 && p.Value.Ext == n.Ext
}

// text returns p in the form that a code is sent to.
func text(p domain.Personal[Phone]) domain.Personal[string] {
	return domain.Personal[string]{Subject: p.Subject, Value: p.Value.String(), Erased: p.Erased, Sealed: p.Sealed}
}

// PhoneMethodAdded records that an empty slot has a phone, which waits to be
// verified.
type PhoneMethodAdded struct {
	Slot            Slot                   `json:"slot"`
	Phone           domain.Personal[Phone] `json:"phone"`
	Type            PhoneType              `json:"type"`
	Valid           bool                   `json:"valid"` // the numbering plan knows the number; see [PhoneNumber]
	MetadataVersion string                 `json:"metadataVersion"`
	Verification    string                 `json:"verification"`
	// Supersedes is the verification of the contact that waited before and
	// no longer does, if one did and its code had not run out.
	Supersedes string    `json:"supersedes,omitempty"`
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e PhoneMethodAdded) Evolve(s *SecurityInfo) {
	if m := s.phone(e.Slot); m != nil {
		m.wait(e.Phone, e.Verification)
	}
	s.UpdatedAt = e.At
}

// PhoneMethodChanged records that a phone waits to replace the verified one,
// which stays in use until then.
type PhoneMethodChanged struct {
	PhoneMethodAdded
	Old domain.Personal[Phone] `json:"old,omitzero"` // the verified one
}

// PhoneMethodRemoved records that a slot was emptied.
type PhoneMethodRemoved struct {
	Slot Slot `json:"slot"`
	// Old is the verified phone; zero if the slot never had one.
	Old domain.Personal[Phone] `json:"old,omitzero"`
	// Withdrawn is the verification of the phone that waited, if one did.
	Withdrawn string    `json:"withdrawn,omitempty"`
	At        time.Time `json:"at"`
	// Change names the removal, and UndoUntil says until when the phone may
	// undo it; zero if there was none in use.
	Change    string    `json:"change,omitempty"`
	UndoUntil time.Time `json:"undoUntil,omitzero"`
}

// Evolve implements [domain.Event].
func (e PhoneMethodRemoved) Evolve(s *SecurityInfo) {
	if m := s.phone(e.Slot); m != nil {
		m.remove(e.Change, e.At, e.UndoUntil)
	}
	s.Reset.forget(e.Slot)
	s.UpdatedAt = e.At
}
