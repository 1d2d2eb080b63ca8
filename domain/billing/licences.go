package billing

import "time"

// RecordAssignedLicences records how many of the subscription's licences are
// given to users. Where they are given is no matter of Konto's.
type RecordAssignedLicences struct {
	Licences int `json:"licences"`
}

// AssignedLicencesRecorded records how many licences are assigned.
type AssignedLicencesRecorded struct {
	Licences int       `json:"licences"`
	At       time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e AssignedLicencesRecorded) Evolve(s *Subscription) { s.Licences = e.Licences }

// Decide implements [domain.Command].
func (c RecordAssignedLicences) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Deleted:
		return nil, ErrDeleted
	case c.Licences < 0 || c.Licences > maxLicences:
		return nil, ErrLicences
	case c.Licences == s.Licences:
		return nil, nil
	}
	return []Event{AssignedLicencesRecorded{c.Licences, m.At}}, nil
}
