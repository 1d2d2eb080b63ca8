package subject

import (
	"time"

	"konto/domain"
)

// exportOpen is how long a copy can be fetched after it was asked for.
const exportOpen = time.Hour

// ExportSubjectData lets whoever sends it fetch a copy of the person's data for
// an hour (GDPR Art. 15). It comes first, so that there is no copy that nobody
// recorded.
type ExportSubjectData struct{}

// Needs implements [domain.Needer].
func (ExportSubjectData) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID)}
}

// SubjectDataExported records to whom the data is handed out.
type SubjectDataExported struct {
	To string    `json:"to"` // ID of whoever asked
	At time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e SubjectDataExported) Evolve(s *Subject) { s.Export = Export(e) }

// MayFetch reports whether a person may fetch a copy at a time.
func (s Subject) MayFetch(person string, at time.Time) bool {
	return s.Export.To == person && !s.erased() && at.Before(s.Export.At.Add(exportOpen))
}

// Decide implements [domain.Command].
func (ExportSubjectData) Decide(s Subject, m Meta) ([]Event, error) {
	if !domain.Fact[Account](m, m.ID).Exists {
		return nil, ErrNotFound
	}
	if s.erased() {
		return nil, ErrErased
	}
	return []Event{SubjectDataExported{m.Actor.ID, m.At}}, nil
}
