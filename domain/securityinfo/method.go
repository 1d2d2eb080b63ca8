package securityinfo

import (
	"errors"
	"strings"

	"konto/domain"
)

// The commands of one method are what [UpdateSecurityInfo] is with one field:
// the same rules, for callers that show one slot. They differ in this: to add
// needs an empty slot, to change or remove one that is not. A slot's kind never
// changes (S2): to move a phone is to add it there and to remove it here.

// AddPhoneMethod puts a phone into an empty slot, where it waits for its code.
type AddPhoneMethod struct {
	Slot   Slot   `json:"slot"`
	Number string `json:"number"`
}

// ChangePhoneMethod has another phone wait in a slot that is not empty.
type ChangePhoneMethod struct {
	Slot   Slot   `json:"slot"`
	Number string `json:"number"`
}

// RemovePhoneMethod empties a slot.
type RemovePhoneMethod struct {
	Slot Slot `json:"slot"`
}

// AddAlternateEmail has an address wait for its code, where there is none.
type AddAlternateEmail struct {
	Email string `json:"email"`
}

// ChangeAlternateEmail has another address wait for its code.
type ChangeAlternateEmail struct {
	Email string `json:"email"`
}

// RemoveAlternateEmail removes the alternate address.
type RemoveAlternateEmail struct{}

// Needs implements [domain.Needer].
func (c AddPhoneMethod) Needs(m Meta) []domain.Need { return single(c.Slot, c.Number).Needs(m) }

// Needs implements [domain.Needer].
func (c ChangePhoneMethod) Needs(m Meta) []domain.Need { return single(c.Slot, c.Number).Needs(m) }

// Needs implements [domain.Needer].
func (c RemovePhoneMethod) Needs(m Meta) []domain.Need { return single(c.Slot, "").Needs(m) }

// Needs implements [domain.Needer].
func (c AddAlternateEmail) Needs(m Meta) []domain.Need {
	return single(SlotAlternateEmail, c.Email).Needs(m)
}

// Needs implements [domain.Needer].
func (c ChangeAlternateEmail) Needs(m Meta) []domain.Need {
	return single(SlotAlternateEmail, c.Email).Needs(m)
}

// Needs implements [domain.Needer].
func (RemoveAlternateEmail) Needs(m Meta) []domain.Need {
	return single(SlotAlternateEmail, "").Needs(m)
}

// Decide implements [domain.Command].
func (c AddPhoneMethod) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	switch p := s.phone(c.Slot); {
	case p == nil:
		return nil, ErrPhoneSlot
	case p.isSet():
		return nil, ErrSlotSet
	case strings.TrimSpace(c.Number) == "":
		return nil, ErrPhoneNotPossible.At("/number")
	}
	return decideSingle(s, c.Slot, c.Number, "/number", m)
}

// Decide implements [domain.Command].
func (c ChangePhoneMethod) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	switch p := s.phone(c.Slot); {
	case p == nil:
		return nil, ErrPhoneSlot
	case !p.isSet():
		return nil, ErrSlotEmpty
	case strings.TrimSpace(c.Number) == "":
		return nil, ErrPhoneNotPossible.At("/number")
	}
	return decideSingle(s, c.Slot, c.Number, "/number", m)
}

// Decide implements [domain.Command].
func (c RemovePhoneMethod) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	switch p := s.phone(c.Slot); {
	case p == nil:
		return nil, ErrPhoneSlot
	case !p.isSet():
		return nil, ErrSlotEmpty
	}
	return decideSingle(s, c.Slot, "", "/slot", m)
}

// Decide implements [domain.Command].
func (c AddAlternateEmail) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	switch {
	case s.AlternateEmail.isSet():
		return nil, ErrEmailSet
	case strings.TrimSpace(c.Email) == "":
		return nil, ErrEmail.At("/email")
	}
	return decideSingle(s, SlotAlternateEmail, c.Email, "/email", m)
}

// Decide implements [domain.Command].
func (c ChangeAlternateEmail) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	switch {
	case !s.AlternateEmail.isSet():
		return nil, ErrEmailMissing
	case strings.TrimSpace(c.Email) == "":
		return nil, ErrEmail.At("/email")
	}
	return decideSingle(s, SlotAlternateEmail, c.Email, "/email", m)
}

// Decide implements [domain.Command].
func (RemoveAlternateEmail) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	if !s.AlternateEmail.isSet() {
		return nil, ErrEmailMissing
	}
	return decideSingle(s, SlotAlternateEmail, "", "", m)
}

// single returns the save of one field.
func single(slot Slot, raw string) UpdateSecurityInfo {
	switch slot {
	case SlotMobile:
		return UpdateSecurityInfo{Mobile: &raw}
	case SlotAlternateMobile:
		return UpdateSecurityInfo{AlternateMobile: &raw}
	case SlotOffice:
		return UpdateSecurityInfo{Office: &raw}
	case SlotAlternateEmail:
		return UpdateSecurityInfo{AlternateEmail: &raw}
	}
	return UpdateSecurityInfo{}
}

// decideSingle carries out the save of one field. What is wrong with it is at
// pointer; what is wrong with another slot, because of it, is nowhere.
func decideSingle(s SecurityInfo, slot Slot, raw, pointer string, m Meta) ([]Event, error) {
	events, err := single(slot, raw).Decide(s, m)
	refusal, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return events, err
	}
	point := func(e *domain.Error) *domain.Error {
		switch e.Pointer {
		case slot.pointer():
			return e.At(pointer)
		case "":
			return e
		}
		return e.At("")
	}
	moved := point(refusal)
	if len(refusal.Causes) > 0 {
		causes := make([]*domain.Error, len(refusal.Causes))
		for i, cause := range refusal.Causes {
			causes[i] = point(cause)
		}
		moved.Causes = causes
	}
	return events, moved
}
