package audit

import (
	"strings"
	"time"

	"konto/domain"
)

// OpenAuditSession lets the auditor who sends it read a part of the
// organization's history for a while.
type OpenAuditSession struct {
	Purpose string `json:"purpose,omitzero"` // what for
	Scope   Scope  `json:"scope"`
	Minutes int    `json:"minutes,omitzero"` // how long; as long as usual if absent
}

// Needs implements [domain.Needer].
func (OpenAuditSession) Needs(Meta) []domain.Need {
	return []domain.Need{SessionPolicy.Need(), domain.Of[Kinds]("")}
}

// Cautions implements [domain.Cautioner].
func (OpenAuditSession) Cautions() []domain.Caution {
	return []domain.Caution{
		{Code: "readings-are-recorded", Detail: "what you read and take along is recorded, and the organization's admins see it; close the session when you are done"},
	}
}

// Decide implements [domain.Command].
func (c OpenAuditSession) Decide(a Access, m Meta) ([]Event, error) {
	if a.Session.Open(m.At) {
		return nil, ErrOpen.With("until", a.Session.Until)
	}
	var (
		terms   = SessionPolicy.In(m)
		purpose = strings.TrimSpace(c.Purpose)
		wrong   = c.Scope.problems(domain.Fact[Kinds](m, "").Known)
	)
	if c.Minutes == 0 {
		c.Minutes = terms.DefaultMinutes
	}
	if c.Minutes < 1 || c.Minutes > terms.MaxMinutes {
		wrong = append(wrong, ErrLength.With("maxMinutes", terms.MaxMinutes))
	}
	if domain.Blank(purpose) {
		purpose = ""
	}
	if purpose == "" && terms.PurposeNeeded || !domain.Line(purpose, maxPurpose) {
		wrong = append(wrong, ErrPurpose)
	}
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	granted := AuditAccessGranted{
		Session: m.Command, Auditor: m.ID, Scope: c.Scope, Until: m.At.Add(time.Duration(c.Minutes) * time.Minute), At: m.At,
	}
	if purpose != "" {
		granted.Purpose = domain.About(m.ID, purpose)
	}
	if a.Exists() && a.Session.EndedAt.IsZero() { // its time is over, and nobody has said so yet
		return []Event{AuditAccessExpired{Session: a.Session.ID, Auditor: m.ID, At: m.At}, granted}, nil
	}
	return []Event{granted}, nil
}

const maxPurpose = 500 // characters

// AuditAccessGranted records that an auditor may read.
type AuditAccessGranted struct {
	Session string                  `json:"session"` // its ID
	Auditor string                  `json:"auditor"` // an admin's ID
	Purpose domain.Personal[string] `json:"purpose,omitzero"`
	Scope   Scope                   `json:"scope"`
	Until   time.Time               `json:"until"`
	At      time.Time               `json:"at"`
}

// Evolve implements [domain.Event].
func (e AuditAccessGranted) Evolve(a *Access) {
	a.Session = Session{ID: e.Session, Purpose: e.Purpose, Scope: e.Scope, Since: e.At, Until: e.Until}
	a.Recent = nil
}
