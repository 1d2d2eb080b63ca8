package securityinfo

import (
	"strings"
	"time"

	"konto/domain"
)

// decideEmail returns what the alternate address field of the page changes.
func decideEmail(s SecurityInfo, f field, account Account, m Meta) ([]Event, *domain.Error) {
	old := s.AlternateEmail
	switch {
	case f.kept(), f.removed() && !old.isSet():
		return nil, nil
	case f.removed():
		gone := AlternateEmailRemoved{Old: old.Verified, Withdrawn: old.Verification, At: m.At}
		gone.Change, gone.UndoUntil = undoable(SlotAlternateEmail, old.InUse(), m)
		return []Event{gone}, nil
	}
	address := domain.Fact[MailAddress](m, *f.raw)
	switch {
	case !address.OK:
		return nil, ErrEmail.With("reason", address.Reason)
	case account.owns(address.Normalized):
		return nil, ErrAccountEmail
	case domain.Fact[Organization](m, m.Tenant).runs(address.Domain):
		return nil, ErrTenantEmail
	case old.Waiting && sameEmail(old.Pending, address):
		return nil, nil
	case old.Waiting && sameEmail(old.Verified, address):
		return []Event{ContactChangeWithdrawn{Slot: SlotAlternateEmail, Verification: old.Verification}}, nil
	case sameEmail(old.Verified, address):
		return nil, nil
	}
	if err := old.throttled(m); err != nil {
		return nil, err.At(SlotAlternateEmail.pointer())
	}
	email := domain.About(m.ID, address.Normalized)
	request := requested(SlotAlternateEmail, old.Challenge, email, m)
	added := AlternateEmailAdded{
		Email: email, Verification: request.Verification, Supersedes: old.Verification, At: m.At,
	}
	if !old.InUse() {
		return []Event{added, request}, nil
	}
	return []Event{AlternateEmailChanged{AlternateEmailAdded: added, Old: old.Verified}, request}, nil
}

func sameEmail(p domain.Personal[string], a MailAddress) bool {
	return p.Readable() && strings.EqualFold(p.Value, a.Normalized)
}

// AlternateEmailAdded records that there is an alternate address, which waits
// to be verified.
type AlternateEmailAdded struct {
	Email        domain.Personal[string] `json:"email"`
	Verification string                  `json:"verification"`
	// Supersedes is the verification of the address that waited before and
	// no longer does, if one did and its code had not run out.
	Supersedes string    `json:"supersedes,omitempty"`
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e AlternateEmailAdded) Evolve(s *SecurityInfo) {
	s.AlternateEmail.wait(e.Email, e.Verification)
	s.UpdatedAt = e.At
}

// AlternateEmailChanged records that an address waits to replace the verified
// one, which stays in use until then.
type AlternateEmailChanged struct {
	AlternateEmailAdded
	Old domain.Personal[string] `json:"old,omitzero"` // the verified one
}

// AlternateEmailRemoved records that there is no alternate address any more.
type AlternateEmailRemoved struct {
	// Old is the verified address; zero if there never was one.
	Old domain.Personal[string] `json:"old,omitzero"`
	// Withdrawn is the verification of the address that waited, if one did.
	Withdrawn string    `json:"withdrawn,omitempty"`
	At        time.Time `json:"at"`
	// Change names the removal, and UndoUntil says until when the address may
	// undo it; zero if there was none in use.
	Change    string    `json:"change,omitempty"`
	UndoUntil time.Time `json:"undoUntil,omitzero"`
}

// Evolve implements [domain.Event].
func (e AlternateEmailRemoved) Evolve(s *SecurityInfo) {
	s.AlternateEmail.remove(e.Change, e.At, e.UndoUntil)
	s.Reset.forget(SlotAlternateEmail)
	s.UpdatedAt = e.At
}
