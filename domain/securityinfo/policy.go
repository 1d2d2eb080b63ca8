package securityinfo

import (
	"errors"
	"fmt"
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// CodeTerms limit how contacts are verified.
type CodeTerms struct {
	PhoneMinutes   int `json:"phoneMinutes"`   // how long a code lives that went to a phone, 1 to 10
	MailMinutes    int `json:"mailMinutes"`    // how long a code lives that went by mail, 1 to 1440
	WrongCodes     int `json:"wrongCodes"`     // that end a verification, 1 to 10
	CodesPerHour   int `json:"codesPerHour"`   // sent for one slot, however they are asked for, 1 to 20
	SecondsBetween int `json:"secondsBetween"` // two requests for one slot, 0 to 3600
}

// CodePolicy is what is in force for codes. The lives of codes are the longest
// that NIST SP 800-63B-4 §4.2.1.2 allows for recovery codes sent over each
// channel, so no version may be longer; five submissions is Ory Kratos'
// default.
var CodePolicy = domain.Policy[CodeTerms]{
	Name:  "contact-codes",
	First: CodeTerms{PhoneMinutes: 10, MailMinutes: 24 * 60, WrongCodes: 5, CodesPerHour: 5, SecondsBetween: 60},
}

// Validate reports what is out of range.
func (t CodeTerms) Validate() error {
	return errors.Join(
		within("phoneMinutes", t.PhoneMinutes, 1, 10),
		within("mailMinutes", t.MailMinutes, 1, 24*60),
		within("wrongCodes", t.WrongCodes, 1, 10),
		within("codesPerHour", t.CodesPerHour, 1, 20),
		within("secondsBetween", t.SecondsBetween, 0, 3600),
	)
}

// life returns how long a code lives that goes to slot.
func (t CodeTerms) life(slot Slot) time.Duration {
	if slot == SlotAlternateEmail {
		return time.Duration(t.MailMinutes) * time.Minute
	}
	return time.Duration(t.PhoneMinutes) * time.Minute
}

// RecoveryTerms say what it takes to recover an account.
type RecoveryTerms = recovery.Terms

// RecoveryPolicy is what is in force for recovery.
var RecoveryPolicy = recovery.Policy

// SessionTerms say how recently, and how surely, somebody must have signed in.
type SessionTerms struct {
	MaxAgeMinutes int `json:"maxAgeMinutes"` // 1 to 1440
	// MinLevel is 0 to 3; 0: any sign-in is enough, also one of which nobody
	// knows how sure it was.
	MinLevel domain.Level `json:"minLevel,omitempty"`
}

// SessionPolicy is what is in force for who changes contacts (I5). An hour is
// Ory Kratos' default for privileged sessions.
var SessionPolicy = domain.Policy[SessionTerms]{Name: "privileged-session", First: SessionTerms{MaxAgeMinutes: 60}}

// Validate reports what is out of range.
func (t SessionTerms) Validate() error {
	return errors.Join(
		within("maxAgeMinutes", t.MaxAgeMinutes, 1, 1440),
		within("minLevel", int(t.MinLevel), 0, int(domain.MaxLevel)),
	)
}

// privileged refuses a person who signed in too long ago, or nobody knows when:
// an open session that somebody else sits down at must not be enough to take
// the account over. Nor may a password alone be, where the terms ask for more.
func privileged(m Meta) *domain.Error {
	terms := SessionPolicy.In(m)
	if m.Actor.Kind != domain.KindPerson {
		return nil
	}
	at := m.Actor.AuthenticatedAt
	switch {
	case at.IsZero() || m.At.Sub(at) > time.Duration(terms.MaxAgeMinutes)*time.Minute:
		return terms.asks(ErrOldSession)
	case m.Actor.Level < terms.MinLevel:
		return terms.asks(ErrWeakSession).With("level", m.Actor.Level)
	}
	return nil
}

// asks adds to e all that the next sign-in has to be, so that one is enough.
func (t SessionTerms) asks(e *domain.Error) *domain.Error {
	e = e.With("maxAgeMinutes", t.MaxAgeMinutes)
	if t.MinLevel > 0 {
		e = e.With("minLevel", t.MinLevel)
	}
	return e
}

// ReconfirmTerms say how often people look at their contacts again.
type ReconfirmTerms struct {
	PeriodDays int `json:"periodDays"` // 0 to 730; 0: never
}

// ReconfirmPolicy is what is in force for looking at contacts again (I9).
// The range and 180 days are Microsoft Entra's.
var ReconfirmPolicy = domain.Policy[ReconfirmTerms]{Name: "contact-reconfirmation", First: ReconfirmTerms{PeriodDays: 180}}

// Validate reports what is out of range.
func (t ReconfirmTerms) Validate() error { return within("periodDays", t.PeriodDays, 0, 730) }

// after returns when contacts that were confirmed at a time are due again;
// zero for never.
func (t ReconfirmTerms) after(at time.Time) time.Time {
	if t.PeriodDays == 0 {
		return time.Time{}
	}
	return at.AddDate(0, 0, t.PeriodDays)
}

// within reports a value that is out of range.
func within(field string, value, least, most int) error {
	if value < least || value > most {
		return fmt.Errorf("%s = %d, want %d to %d", field, value, least, most)
	}
	return nil
}
