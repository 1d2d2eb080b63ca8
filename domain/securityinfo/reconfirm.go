package securityinfo

import (
	"time"

	"konto/domain"
)

// ReconfirmSecurityInfo says that all contacts in use are still right (I9).
// Contacts go stale without a change here: a number is given up, a mailbox is
// closed.
type ReconfirmSecurityInfo struct{}

// Needs implements [domain.Needer].
func (ReconfirmSecurityInfo) Needs(Meta) []domain.Need {
	return []domain.Need{ReconfirmPolicy.Need()}
}

// Decide implements [domain.Command].
func (ReconfirmSecurityInfo) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	switch {
	case byAnother(m):
		return nil, ErrReconfirm
	case s.UpdatedAt.IsZero():
		return nil, ErrNotFound
	case s.usable() == 0:
		return nil, ErrNoContact
	}
	return []Event{SecurityInfoReconfirmed{At: m.At, DueAt: ReconfirmPolicy.In(m).after(m.At)}}, nil
}

// SecurityInfoReconfirmed records that a person said that their contacts are
// still right.
type SecurityInfoReconfirmed struct {
	At    time.Time `json:"at"`
	DueAt time.Time `json:"dueAt,omitzero"` // when they are asked again; zero for never
}

// Evolve implements [domain.Event].
func (e SecurityInfoReconfirmed) Evolve(s *SecurityInfo) { s.confirmed(e.At, e.DueAt) }

// confirmed folds that the contacts are right.
func (s *SecurityInfo) confirmed(at, due time.Time) { s.ConfirmedAt, s.ReconfirmBy = at, due }

// RequestReconfirmation asks the person whether their contacts are still
// right, if nothing has happened since that was planned. If the policy has
// given them longer meanwhile, it is postponed; if it has stopped asking,
// nothing happens.
type RequestReconfirmation struct {
	DueAt time.Time `json:"dueAt"` // as it was planned
}

// Needs implements [domain.Needer].
func (RequestReconfirmation) Needs(Meta) []domain.Need {
	return []domain.Need{ReconfirmPolicy.Need()}
}

// Decide implements [domain.Command].
func (c RequestReconfirmation) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	due := ReconfirmPolicy.In(m).after(s.ConfirmedAt)
	switch {
	case s.UpdatedAt.IsZero():
		return nil, ErrNotFound
	case c.DueAt.IsZero(), !s.ReconfirmBy.Equal(c.DueAt), due.IsZero(), s.usable() == 0, m.At.Before(c.DueAt):
		return nil, nil
	case m.At.Before(due):
		return []Event{ReconfirmationPostponed{DueAt: due, At: m.At}}, nil
	}
	return []Event{ReconfirmationRequested{DueAt: c.DueAt, At: m.At}}, nil
}

// ReconfirmationPostponed records that the person is asked later than planned.
type ReconfirmationPostponed struct {
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e ReconfirmationPostponed) Evolve(s *SecurityInfo) { s.ReconfirmBy = e.DueAt }

// ReconfirmationRequested records that the person is asked whether their
// contacts are still right.
type ReconfirmationRequested struct {
	DueAt time.Time `json:"dueAt"`
	At    time.Time `json:"at"`
}

// Evolve implements [domain.Event]. They are asked once.
func (ReconfirmationRequested) Evolve(s *SecurityInfo) { s.ReconfirmBy = time.Time{} }
