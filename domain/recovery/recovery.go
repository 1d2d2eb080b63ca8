// Package recovery is what aggregates share of the recovery of accounts: how
// many proofs it takes, and whether somebody's contacts are enough. An
// aggregate that could lock an organization out asks it (I8), as does the one
// that recovers accounts (S4), so that both mean the same by "recoverable".
//
// An account is recoverable if its verified contacts pass its gate. Whether
// they are past their cool-down does not matter here: a cool-down ends by
// itself, and the guard is against what does not. So who is told to verify
// contacts first, before a change that would lock the organization out, waits
// minutes for it and not a day.
package recovery

import (
	"errors"
	"fmt"
	"time"

	"konto/domain"
)

// Gate is how many proofs it takes to recover an account (S4).
type Gate string

// The gates.
const (
	GateOne Gate = "one" // one contact
	GateTwo Gate = "two" // a phone and the address: accounts with a role
)

// Passed reports whether the proofs of a phone, of an address, or of both pass
// the gate.
func (g Gate) Passed(phone, mail bool) bool {
	if g == GateTwo {
		return phone && mail
	}
	return phone || mail
}

// Terms say what it takes to recover an account.
type Terms struct {
	CoolDownHours int `json:"coolDownHours"` // a contact recovers nothing so long after it was verified, 0 to 168
	UndoHours     int `json:"undoHours"`     // a contact that was replaced may undo that so long, 0 to 720
	// TrialDays is for how long an account with a role needs only one proof
	// after a trial began, 0 to 90.
	TrialDays int `json:"trialDays"`
	// OneGateWithoutDomain asks for only one proof while the organization has
	// no domain but the initial one.
	OneGateWithoutDomain bool `json:"oneGateWithoutDomain"`
	ResetMinutes         int  `json:"resetMinutes"`     // for which a reset is open, 5 to 1440
	ResetsPerDay         int  `json:"resetsPerDay"`     // of one account, 1 to 50
	WrongCodes           int  `json:"wrongCodes"`       // that end a reset, over all contacts, 1 to 10
	AssertionMinutes     int  `json:"assertionMinutes"` // for which a completed reset can be shown, 1 to 10
}

// Policy is what is in force for recovery. Two gates, and one in the first 30
// days of a trial or without a custom domain, are Microsoft Entra's policy for
// administrators' password resets.
var Policy = domain.Policy[Terms]{
	Name: "account-recovery",
	First: Terms{
		CoolDownHours: 24, UndoHours: 72, TrialDays: 30, OneGateWithoutDomain: true,
		ResetMinutes: 60, ResetsPerDay: 5, WrongCodes: 5, AssertionMinutes: 10,
	},
}

// Validate reports what is out of range. An assertion lives for ten minutes or
// less.
func (t Terms) Validate() error {
	return errors.Join(
		within("coolDownHours", t.CoolDownHours, 0, 168),
		within("undoHours", t.UndoHours, 0, 720),
		within("trialDays", t.TrialDays, 0, 90),
		within("resetMinutes", t.ResetMinutes, 5, 1440),
		within("resetsPerDay", t.ResetsPerDay, 1, 50),
		within("wrongCodes", t.WrongCodes, 1, 10),
		within("assertionMinutes", t.AssertionMinutes, 1, 10),
	)
}

func within(field string, value, least, most int) error {
	if value < least || value > most {
		return fmt.Errorf("%s = %d, want %d to %d", field, value, least, most)
	}
	return nil
}

// UndoUntil returns until when a change of at may be undone; zero for never.
func (t Terms) UndoUntil(at time.Time) time.Time {
	if t.UndoHours == 0 {
		return time.Time{}
	}
	return at.Add(time.Duration(t.UndoHours) * time.Hour)
}

// Standing is what the gate depends on besides the account and the terms.
type Standing struct {
	Domains int // that the organization has, with the initial one
	// TrialSince is when the organization began a trial; zero if it is on none.
	TrialSince time.Time
}

// GateOf returns the gate of an account with or without a role, at a time.
// Accounts with a role have two gates, but for the first days of a trial and
// as long as the organization has no domain but the initial one, if the terms
// say so.
func (t Terms) GateOf(hasRole bool, s Standing, at time.Time) Gate {
	trial := !s.TrialSince.IsZero() && at.Before(s.TrialSince.AddDate(0, 0, t.TrialDays))
	if !hasRole || trial || t.OneGateWithoutDomain && s.Domains < 2 {
		return GateOne
	}
	return GateTwo
}

// Contacts is the fact of which kinds of contact an account has verified and
// can read. Its key is the account's ID.
type Contacts struct {
	Phone bool
	Mail  bool
}

// Pass reports whether the contacts pass the gate.
func (c Contacts) Pass(g Gate) bool { return g.Passed(c.Phone, c.Mail) }

// Exit is the reservation of the door through which a tenant's global admins
// leave one by one, and which is shut while an organization comes to need more
// proofs: two changes that each count on the other's not happening would lock
// the organization out together (I8). Whoever holds it keeps it for a while
// after the change, longer than any decision takes that may not have seen it.
func Exit(tenant string, taken *domain.Error) domain.Reservation {
	return domain.Reservation{
		Kind: "global-admin-exit", Scope: tenant, Key: "exit",
		Taken: func(string) *domain.Error { return taken },
	}
}
