package subject

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"konto/domain"
)

// PlaceLegalHold keeps the person's data readable for a legal case, until a
// time or until it is released. A hold that is placed again takes the new time.
type PlaceLegalHold struct {
	Reference string    `json:"reference"` // of the case; it is not sealed, so it names no person
	Until     time.Time `json:"until,omitzero"`
}

// Needs implements [domain.Needer].
func (PlaceLegalHold) Needs(m Meta) []domain.Need { return []domain.Need{domain.Of[Account](m.ID)} }

// LegalHoldPlaced records that the data must stay readable.
type LegalHoldPlaced struct {
	Reference string    `json:"reference"`
	Until     time.Time `json:"until,omitzero"`
	At        time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e LegalHoldPlaced) Evolve(s *Subject) {
	s.Holds = append(without(s.Holds, e.Reference), Hold{e.Reference, e.At, e.Until})
}

// Decide implements [domain.Command].
func (c PlaceLegalHold) Decide(s Subject, m Meta) ([]Event, error) {
	until := c.Until.UTC().Truncate(time.Microsecond)
	if c.Until.IsZero() {
		until = time.Time{}
	}
	i := s.hold(c.Reference)
	switch {
	case !domain.Fact[Account](m, m.ID).Exists:
		return nil, ErrNotFound
	case !referenceOK(c.Reference):
		return nil, ErrReference
	case s.erased():
		return nil, ErrErased
	case !until.IsZero() && !until.After(m.At):
		return nil, ErrHoldUntil
	case i >= 0 && s.Holds[i].Until.Equal(until):
		return nil, nil
	}
	return []Event{LegalHoldPlaced{c.Reference, until, m.At}}, nil
}

// ReleaseLegalHold ends a hold.
type ReleaseLegalHold struct {
	Reference string `json:"reference"`
}

// LegalHoldReleased records that a hold ended.
type LegalHoldReleased struct {
	Reference string    `json:"reference"`
	At        time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e LegalHoldReleased) Evolve(s *Subject) { s.Holds = without(s.Holds, e.Reference) }

// Decide implements [domain.Command].
func (c ReleaseLegalHold) Decide(s Subject, m Meta) ([]Event, error) {
	if s.hold(c.Reference) < 0 {
		return nil, ErrHoldUnknown
	}
	return []Event{LegalHoldReleased{c.Reference, m.At}}, nil
}

func (s Subject) hold(reference string) int {
	return slices.IndexFunc(s.Holds, func(h Hold) bool { return h.Reference == reference })
}

func without(holds []Hold, reference string) []Hold {
	return slices.DeleteFunc(slices.Clone(holds), func(h Hold) bool { return h.Reference == reference })
}

// referenceOK keeps names and addresses out of a value that is not sealed.
func referenceOK(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("./_-", r)
	}) < 0
}
