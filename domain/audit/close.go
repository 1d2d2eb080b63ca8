package audit

import (
	"time"

	"konto/domain"
)

// CloseAuditSession ends an auditor's session before its time: the auditor who
// is done, an admin of the organization, or Konto itself when the auditor is
// one no more. If none is open there is nothing to do.
type CloseAuditSession struct{}

// Decide implements [domain.Command].
func (CloseAuditSession) Decide(a Access, m Meta) ([]Event, error) {
	if !a.Exists() && m.Actor.Kind == domain.KindPerson {
		return nil, ErrNeverOpened
	}
	if !a.Session.Open(m.At) {
		return nil, nil
	}
	return []Event{AuditAccessEnded{Session: a.Session.ID, Auditor: m.ID, EndedBy: m.Actor.ID, Until: a.Session.Until, At: m.At}}, nil
}

// AuditAccessEnded records that a session was closed before its time.
type AuditAccessEnded struct {
	Session string    `json:"session"`
	Auditor string    `json:"auditor"`
	EndedBy string    `json:"endedBy"` // an admin's ID, the auditor's own perhaps; Konto's name if it did
	Until   time.Time `json:"until"`   // when it would have ended
	At      time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e AuditAccessEnded) Evolve(a *Access) { a.end(e.Session, e.At) }

// ExpireAuditSession ends a session whose time is over. Before its time, and
// for one that has ended, it does nothing. A session covers nothing from its
// end on, whether or not this was recorded yet.
type ExpireAuditSession struct {
	Session string `json:"session"`
}

// Decide implements [domain.Command].
func (c ExpireAuditSession) Decide(a Access, m Meta) ([]Event, error) {
	s := a.Session
	if !a.Exists() || s.ID != c.Session || !s.EndedAt.IsZero() || m.At.Before(s.Until) {
		return nil, nil
	}
	return []Event{AuditAccessExpired{Session: s.ID, Auditor: m.ID, At: m.At}}, nil
}

// AuditAccessExpired records that a session's time is over.
type AuditAccessExpired struct {
	Session string    `json:"session"`
	Auditor string    `json:"auditor"`
	At      time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e AuditAccessExpired) Evolve(a *Access) { a.end(e.Session, e.At) }
