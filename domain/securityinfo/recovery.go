package securityinfo

import (
	"iter"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// Gate is how many proofs it takes to recover an account (S4).
type Gate = recovery.Gate

// The gates.
const (
	GateOne = recovery.GateOne // one contact
	GateTwo = recovery.GateTwo // a phone and the address: accounts with a role
)

// Passed reports whether proofs of slots pass the gate.
func Passed(g Gate, slots []Slot) bool {
	phone := slices.ContainsFunc(slots, func(s Slot) bool { return s != SlotAlternateEmail })
	return g.Passed(phone, slices.Contains(slots, SlotAlternateEmail))
}

// ContactsOf is the fact of what a person could recover their account with,
// once it is past its cool-down.
func ContactsOf(_ string, s SecurityInfo) recovery.Contacts {
	var c recovery.Contacts
	for slot := range s.Verified() {
		c.Mail = c.Mail || slot == SlotAlternateEmail
		c.Phone = c.Phone || slot != SlotAlternateEmail
	}
	return c
}

// Verified returns the slots whose contact is verified and can be read, in the
// order of the page, and when each may first recover the account.
func (s SecurityInfo) Verified() iter.Seq2[Slot, time.Time] {
	return func(yield func(Slot, time.Time) bool) {
		for _, slot := range []Slot{SlotMobile, SlotAlternateMobile, SlotOffice} {
			if p := s.phone(slot); p.InUse() && p.Verified.Readable() && !yield(slot, p.UsableFrom) {
				return
			}
		}
		if e := s.AlternateEmail; e.InUse() && e.Verified.Readable() {
			yield(SlotAlternateEmail, e.UsableFrom)
		}
	}
}

// gateOf returns the gate of an account of the organization, at a time.
func gateOf(t RecoveryTerms, a Account, o Organization, at time.Time) Gate {
	return t.GateOf(len(a.Roles) > 0, recovery.Standing{Domains: len(o.Domains), TrialSince: o.TrialSince}, at)
}

// Reset is a recovery that is open. The zero value is none.
type Reset struct {
	ID        string         `json:"id"`
	Gate      Gate           `json:"gate"`
	Methods   []Slot         `json:"methods,omitempty"` // that the person asked for; none: whichever are usable
	ExpiresAt time.Time      `json:"expiresAt"`
	Tries     int            `json:"tries"`
	Failures  int            `json:"failures,omitempty"`
	Codes     []RecoveryCode `json:"codes,omitempty"`
}

// RecoveryCode is a code that was sent to prove the control of a contact.
type RecoveryCode struct {
	Slot      Slot      `json:"slot"`
	ExpiresAt time.Time `json:"expiresAt"`
	Accepted  bool      `json:"accepted,omitempty"`
}

// open reports whether the reset is open at a time.
func (r Reset) open(at time.Time) bool { return r.ID != "" && at.Before(r.ExpiresAt) }

// accepted returns the slots whose control was proved.
func (r Reset) accepted() []Slot {
	var slots []Slot
	for _, c := range r.Codes {
		if c.Accepted {
			slots = append(slots, c.Slot)
		}
	}
	return slots
}

// forget folds that the contact in a slot is another one or none: what was
// sent to it, or proved with it, counts no more.
func (r *Reset) forget(slot Slot) {
	r.Codes = slices.DeleteFunc(slices.Clone(r.Codes), func(c RecoveryCode) bool { return c.Slot == slot })
	if len(r.Codes) == 0 {
		r.Codes = nil
	}
}

// RecoveryCodeID is the verification whose [domain.Meta].Code is the code that
// a reset sends to a slot.
func RecoveryCodeID(reset string, slot Slot) string { return reset + "/" + string(slot) }

// StartPasswordReset begins a reset of a person who cannot sign in. The
// identity provider's service sends it, never the person. The answer is the
// same for an account that can be recovered and for one that cannot: whether
// codes are sent is decided afterwards. A reset that was open ends.
type StartPasswordReset struct {
	// Methods are the contacts that the person wants codes sent to. Empty: the
	// first usable one of each kind that the gate asks for.
	Methods []Slot `json:"methods,omitempty"`
}

// Needs implements [domain.Needer].
func (StartPasswordReset) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), domain.Of[Organization](m.Tenant), RecoveryPolicy.Need()}
}

// Decide implements [domain.Command].
func (c StartPasswordReset) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	account, err := own(m)
	if err != nil {
		return nil, err
	}
	for i, slot := range c.Methods {
		if s.challenge(slot) == nil || slices.Contains(c.Methods[:i], slot) {
			return nil, ErrResetMethod
		}
	}
	terms := RecoveryPolicy.In(m)
	if recent := within24h(s.Resets, m.At); len(recent) >= terms.ResetsPerDay {
		return nil, ErrResets.With("retryAt", recent[len(recent)-terms.ResetsPerDay].Add(resetSpan))
	}
	return []Event{PasswordResetStarted{
		Reset: derivedID("konto reset", m.Command, ""), Methods: c.Methods, Tries: terms.WrongCodes,
		Gate: gateOf(terms, account, domain.Fact[Organization](m, m.Tenant), m.At),
		At:   m.At, ExpiresAt: m.At.Add(time.Duration(terms.ResetMinutes) * time.Minute),
	}}, nil
}

// resetSpan is the time in which resets are counted.
const resetSpan = 24 * time.Hour

func within24h(times []time.Time, at time.Time) []time.Time {
	i := slices.IndexFunc(times, func(t time.Time) bool { return at.Sub(t) < resetSpan })
	if i < 0 {
		return nil
	}
	return slices.Clip(times[i:])
}

// PasswordResetStarted records that somebody claims to be the person and to
// have lost their password.
type PasswordResetStarted struct {
	Reset     string    `json:"reset"`
	Gate      Gate      `json:"gate"`
	Methods   []Slot    `json:"methods,omitempty"` // that were asked for
	Tries     int       `json:"tries"`             // wrong codes that end the reset
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Evolve implements [domain.Event].
func (e PasswordResetStarted) Evolve(s *SecurityInfo) {
	s.Reset = Reset{ID: e.Reset, Gate: e.Gate, Methods: e.Methods, ExpiresAt: e.ExpiresAt, Tries: e.Tries}
	s.Resets = append(within24h(s.Resets, e.At), e.At)
}

// SendRecoveryCodes has codes sent to the contacts that a reset can be proved
// with: verified, past their cool-down, and together enough for the gate. If
// they are not enough nothing happens, which nobody is told.
type SendRecoveryCodes struct {
	Reset string `json:"reset"`
}

// Needs implements [domain.Needer].
func (SendRecoveryCodes) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), CodePolicy.Need()}
}

// Decide implements [domain.Command].
func (c SendRecoveryCodes) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	account, err := own(m)
	if err != nil {
		return nil, err
	}
	if c.Reset == "" || s.Reset.ID != c.Reset || !s.Reset.open(m.At) || len(s.Reset.Codes) > 0 || account.Blocked {
		return nil, nil
	}
	slots := chosen(s.Reset.Gate, s.Reset.Methods, s.recoverableWith(m.At))
	var events []Event
	for _, slot := range slots {
		expires := m.At.Add(CodePolicy.In(m).life(slot))
		if expires.After(s.Reset.ExpiresAt) {
			expires = s.Reset.ExpiresAt
		}
		events = append(events, RecoveryCodeRequested{
			Reset: c.Reset, Slot: slot, Channel: slot.Channel(), Contact: s.verified(slot), At: m.At, ExpiresAt: expires,
		})
	}
	return events, nil
}

// recoverableWith returns the slots that can prove who somebody is, in the
// order of the page.
func (s SecurityInfo) recoverableWith(at time.Time) []Slot {
	var slots []Slot
	for slot, from := range s.Verified() {
		if !at.Before(from) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// chosen returns the slots that codes go to, or none if they would not pass
// the gate: those asked for, else the first of each kind that it takes.
func chosen(gate Gate, asked, usable []Slot) []Slot {
	var slots []Slot
	if len(asked) > 0 {
		slots = slices.DeleteFunc(slices.Clone(asked), func(s Slot) bool { return !slices.Contains(usable, s) })
	} else {
		for _, s := range usable {
			if !Passed(gate, slots) && (len(slots) == 0 || s == SlotAlternateEmail) {
				slots = append(slots, s)
			}
		}
	}
	if !Passed(gate, slots) {
		return nil
	}
	return slots
}

// RecoveryCodeRequested records that a code is to be sent to a contact in use.
// The code is [domain.Meta].Code of [RecoveryCodeID].
type RecoveryCodeRequested struct {
	Reset     string                  `json:"reset"`
	Slot      Slot                    `json:"slot"`
	Channel   domain.Channel          `json:"channel"`
	Contact   domain.Personal[string] `json:"contact"`
	At        time.Time               `json:"at"`
	ExpiresAt time.Time               `json:"expiresAt"`
}

// Evolve implements [domain.Event].
func (e RecoveryCodeRequested) Evolve(s *SecurityInfo) {
	if s.Reset.ID == e.Reset {
		s.Reset.Codes = append(slices.Clip(s.Reset.Codes), RecoveryCode{Slot: e.Slot, ExpiresAt: e.ExpiresAt})
	}
}
