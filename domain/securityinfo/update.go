package securityinfo

import (
	"strings"

	"konto/domain"
)

// UpdateSecurityInfo is the page's one Save (S7): a field that is absent is
// kept, an empty one removed, any other set. Either all of it is accepted or
// nothing is, and the refusal lists everything that is wrong.
type UpdateSecurityInfo struct {
	Mobile          *string `json:"mobile,omitempty"`
	AlternateMobile *string `json:"alternateMobile,omitempty"`
	Office          *string `json:"office,omitempty"`
	AlternateEmail  *string `json:"alternateEmail,omitempty"`
}

// phones returns the phone fields in order.
func (c UpdateSecurityInfo) phones() []field {
	return []field{{SlotMobile, c.Mobile}, {SlotAlternateMobile, c.AlternateMobile}, {SlotOffice, c.Office}}
}

// A field is what a caller wrote for a slot.
type field struct {
	slot Slot
	raw  *string // nil: keep
}

func (f field) kept() bool    { return f.raw == nil }
func (f field) removed() bool { return f.raw != nil && strings.TrimSpace(*f.raw) == "" }
func (f field) set() bool     { return !f.kept() && !f.removed() }

// Needs implements [domain.Needer]. A number without a country code is read
// in the organization's country (F1), which must therefore be known first.
func (c UpdateSecurityInfo) Needs(m Meta) []domain.Need {
	organization := domain.Of[Organization](m.Tenant)
	needs := append(ChangeNeeds(m), organization, CodePolicy.Need(), RecoveryPolicy.Need())
	if f := (field{SlotAlternateEmail, c.AlternateEmail}); f.set() {
		needs = append(needs, domain.Of[MailAddress](*f.raw))
	}
	if !m.Facts.Has(organization) {
		return needs
	}
	country := domain.Fact[Organization](m, m.Tenant).Country
	for _, f := range c.phones() {
		if f.set() {
			needs = append(needs, domain.Of[PhoneNumber](PhoneKey(country, *f.raw)))
		}
	}
	return needs
}

// Decide implements [domain.Command].
func (c UpdateSecurityInfo) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	account, err := own(m)
	if err != nil {
		return nil, err
	}
	email := field{SlotAlternateEmail, c.AlternateEmail}
	if err := barred(c, m); err != nil {
		return nil, err
	}
	var (
		events []Event
		wrong  []*domain.Error
	)
	for _, f := range c.phones() {
		more, err := decidePhone(s, f, m)
		events, wrong = append(events, more...), append(wrong, err)
	}
	more, refused := decideEmail(s, email, account, m)
	events, wrong = append(events, more...), append(wrong, refused)

	after := s
	for _, e := range events {
		e.Evolve(&after)
	}
	wrong = append(wrong, distinctPhones(after, c.phones()), mobileFirst(s, after), recoverable(s, after, account))
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	return events, nil
}

// byAnother reports whether a person other than the owner asks.
func byAnother(m Meta) bool { return m.Actor.Kind != domain.KindSystem && m.Actor.ID != m.ID }

// distinctPhones refuses a number that is set in two slots: the one in use or,
// where one waits, the one that will be.
func distinctPhones(after SecurityInfo, fields []field) *domain.Error {
	next := func(slot Slot) Phone {
		m := after.phone(slot)
		if m.Waiting {
			return m.Pending.Value
		}
		return m.Verified.Value
	}
	for _, f := range fields {
		if !f.set() {
			continue
		}
		for _, other := range fields {
			a, b := next(f.slot), next(other.slot)
			if f.slot != other.slot && a.E164 != "" && a.E164 == b.E164 && a.Ext == b.Ext {
				return ErrSamePhone.At(f.slot.pointer())
			}
		}
	}
	return nil
}

// mobileFirst refuses an alternate mobile without a mobile. One that came back
// when its removal was undone stays, and stands in no other change's way.
func mobileFirst(before, after SecurityInfo) *domain.Error {
	alone := func(s SecurityInfo) bool { return s.AlternateMobile.isSet() && !s.Mobile.isSet() }
	if alone(after) && !alone(before) {
		return ErrNeedsMobile
	}
	return nil
}

// recoverable refuses to remove what the account needs to be recovered. Only
// verified contacts count.
func recoverable(before, after SecurityInfo, account Account) *domain.Error {
	var refusal *domain.Error
	switch {
	case after.usable() >= before.usable():
		return nil
	case after.usable() == 0:
		refusal = ErrLastMethod
	case len(account.Roles) > 0 && before.HadBothKinds && !after.Ready():
		refusal = ErrSecondKind
	default:
		return nil
	}
	for _, slot := range []Slot{SlotMobile, SlotAlternateMobile, SlotOffice} {
		if before.phone(slot).InUse() && !after.phone(slot).InUse() {
			return refusal.At(slot.pointer())
		}
	}
	return refusal.At(SlotAlternateEmail.pointer())
}

// ContactChangeWithdrawn records that the contact that waited in a slot was
// given up, because the verified one was set again.
type ContactChangeWithdrawn struct {
	Slot         Slot   `json:"slot"`
	Verification string `json:"verification"`
}

// Evolve implements [domain.Event].
func (e ContactChangeWithdrawn) Evolve(s *SecurityInfo) {
	if e.Slot == SlotAlternateEmail {
		s.AlternateEmail.withdraw()
	} else if m := s.phone(e.Slot); m != nil {
		m.withdraw()
	}
}
