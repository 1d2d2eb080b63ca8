package subject

import (
	"time"

	"konto/domain"
)

// grace is how long the keys stay after the person was told: a message that is
// on its way is addressed when it leaves.
const grace = time.Hour

// RequestErasure asks for everything about the person to be made unreadable,
// by themselves, by a global admin, or by the end of the time for which a
// leaver's data is kept. Asking again changes nothing; a person hears that
// there is nothing left to erase.
type RequestErasure struct{}

// Needs implements [domain.Needer].
func (RequestErasure) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), ErasurePolicy.Need()}
}

// ErasureRequested records that somebody asked, and when it will begin.
type ErasureRequested struct {
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
	// Offboarding is which end of the account it is about: the request ends with
	// it. Empty in events that did not say so yet.
	Offboarding string `json:"offboarding,omitzero"`
}

// Evolve implements [domain.Event].
func (e ErasureRequested) Evolve(s *Subject) {
	s.Status, s.DueAt, s.KeysGoAt, s.Offboarding = StatusRequested, e.DueAt, time.Time{}, e.Offboarding
}

// Decide implements [domain.Command].
func (RequestErasure) Decide(s Subject, m Meta) ([]Event, error) {
	account := domain.Fact[Account](m, m.ID)
	switch {
	case !account.Exists:
		return nil, ErrNotFound
	case s.erased() && m.Actor.Kind == domain.KindSystem:
		return nil, nil
	case s.erased():
		return nil, ErrErased
	case s.Status != "" && (account.Active || !s.overtaken(account)):
		return nil, nil
	case account.Active:
		return nil, ErrActive
	}
	wait := time.Duration(ErasurePolicy.In(m).WaitDays) * 24 * time.Hour
	if account.Gone {
		wait = 0 // nobody can come back
	}
	return []Event{ErasureRequested{DueAt: m.At.Add(wait), At: m.At, Offboarding: account.Offboarding}}, nil
}

// WithdrawErasure takes a request back before it begins, and only while the
// data would be kept without it. Konto itself takes the request of somebody
// back who has returned, also one that has begun at that very moment, and does
// nothing if there is none.
type WithdrawErasure struct{}

// Needs implements [domain.Needer].
func (WithdrawErasure) Needs(m Meta) []domain.Need { return []domain.Need{domain.Of[Account](m.ID)} }

// ErasureWithdrawn records that a request was taken back, or that the person
// is back.
type ErasureWithdrawn struct {
	At time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (ErasureWithdrawn) Evolve(s *Subject) {
	s.Status, s.DueAt, s.KeysGoAt, s.Offboarding = "", time.Time{}, time.Time{}, ""
}

// Decide implements [domain.Command].
func (WithdrawErasure) Decide(s Subject, m Meta) ([]Event, error) {
	account, system := domain.Fact[Account](m, m.ID), m.Actor.Kind == domain.KindSystem
	switch {
	case system && (s.Status == "" || s.erased() || !s.overtaken(account)):
		return nil, nil
	case system:
	case s.erased():
		return nil, ErrErased
	case s.Status != StatusRequested:
		return nil, ErrNothingToWithdraw
	case account.over(m.At):
		return nil, ErrKeptNoLonger
	}
	return []Event{ErasureWithdrawn{m.At}}, nil
}

// StartErasure begins an erasure whose time has come. Before that, and while
// nobody asks for one, it does nothing.
type StartErasure struct{}

// Needs implements [domain.Needer].
func (StartErasure) Needs(m Meta) []domain.Need { return []domain.Need{domain.Of[Account](m.ID)} }

// ErasureStarted records that the person is told, and when the keys go.
type ErasureStarted struct {
	KeysGoAt time.Time `json:"keysGoAt"`
	At       time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e ErasureStarted) Evolve(s *Subject) { s.Status, s.KeysGoAt = StatusStarted, e.KeysGoAt }

// ErasureBlocked records that a legal hold stood in the way. Whoever keeps the
// hold knows of it; the person is told.
type ErasureBlocked struct {
	Holds int       `json:"holds"`
	At    time.Time `json:"at"`
}

// Evolve implements [domain.Event]. An erasure that had begun waits again.
func (ErasureBlocked) Evolve(s *Subject) { s.Status, s.KeysGoAt = StatusRequested, time.Time{} }

// Decide implements [domain.Command].
func (StartErasure) Decide(s Subject, m Meta) ([]Event, error) {
	switch {
	case s.Status != StatusRequested || m.At.Before(s.DueAt):
		return nil, nil
	case s.overtaken(domain.Fact[Account](m, m.ID)):
		return []Event{ErasureWithdrawn{m.At}}, nil
	case s.held(m.At):
		return []Event{ErasureBlocked{len(s.Holds), m.At}}, nil
	}
	return []Event{ErasureStarted{m.At.Add(grace), m.At}}, nil
}

// DestroySubjectKey decides that the keys go, once the person has been told.
type DestroySubjectKey struct{}

// Needs implements [domain.Needer].
func (DestroySubjectKey) Needs(m Meta) []domain.Need { return []domain.Need{domain.Of[Account](m.ID)} }

// SubjectKeyDestroyed records the decision. What carries it out reads it here.
type SubjectKeyDestroyed struct {
	At time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e SubjectKeyDestroyed) Evolve(s *Subject) { s.Status, s.DestroyedAt = StatusDestroyed, e.At }

// Decide implements [domain.Command].
func (DestroySubjectKey) Decide(s Subject, m Meta) ([]Event, error) {
	switch {
	case s.Status != StatusStarted || m.At.Before(s.KeysGoAt):
		return nil, nil
	case s.overtaken(domain.Fact[Account](m, m.ID)):
		return []Event{ErasureWithdrawn{m.At}}, nil // restored at the moment at which it began
	case s.held(m.At):
		return []Event{ErasureBlocked{len(s.Holds), m.At}}, nil
	}
	return []Event{SubjectKeyDestroyed{m.At}}, nil
}

// CertifyErasure records the evidence that the keys are gone. It is sent by
// what destroyed them, and by nothing else.
type CertifyErasure struct {
	Keys   int    `json:"keys"`             // how many there were
	Digest string `json:"digest,omitempty"` // SHA-256 over the digests of the wrapped keys, in hex; empty if there were none
}

// ErasureCertified is the evidence: whoever has an old copy of the keys can
// show by the digest that it is of them.
type ErasureCertified struct {
	Keys   int       `json:"keys"`
	Digest string    `json:"digest,omitempty"`
	At     time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (ErasureCertified) Evolve(s *Subject) { s.Status = StatusCertified }

// Decide implements [domain.Command].
func (c CertifyErasure) Decide(s Subject, m Meta) ([]Event, error) {
	if s.Status != StatusDestroyed {
		return nil, nil
	}
	return []Event{ErasureCertified{c.Keys, c.Digest, m.At}}, nil
}
