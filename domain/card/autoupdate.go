package card

import (
	"time"

	"konto/domain"
)

// RecordCardAutoUpdate records that the card network gave the card new
// details without anybody here asking, such as a new expiry (rule K4).
type RecordCardAutoUpdate struct {
	Last4    string `json:"last4"`
	ExpMonth int    `json:"expMonth"`
	ExpYear  int    `json:"expYear"`
	Brand    string `json:"brand"`
	Source   string `json:"source"` // who says so, such as "account-updater"
	// Fingerprint is the gateway's of the number; only a keyed hash of it is
	// kept. Empty if the gateway does not say.
	Fingerprint string `json:"fingerprint,omitzero"`
}

// CardAutomaticallyUpdated records the card's details as the network has
// them. Changed names those that are new; "number" is a new number that ends as
// the one before. A card that was blocked is so until it has a new number.
type CardAutomaticallyUpdated struct {
	Source   string    `json:"source"`
	Changed  []string  `json:"changed"`
	Last4    string    `json:"last4"`
	ExpMonth int       `json:"expMonth"`
	ExpYear  int       `json:"expYear"`
	Brand    string    `json:"brand"`
	At       time.Time `json:"at"`

	ExpiryCheckAt time.Time `json:"expiryCheckAt,omitzero"` // when to look whether somebody must be told

	// Fingerprint is the new number's, hashed as in [CardAdded], if the gateway
	// told that it is another than OldFingerprint. From then on the card holds
	// that key instead; see [NumberReservation].
	Fingerprint    string `json:"fingerprint,omitzero"`
	OldFingerprint string `json:"oldFingerprint,omitzero"`
	Owner          string `json:"owner,omitzero"` // of the card, likewise
}

// Evolve implements [domain.Event].
func (e CardAutomaticallyUpdated) Evolve(c *Card) {
	if e.ExpMonth != c.ExpMonth || e.ExpYear != c.ExpYear {
		c.Expired, c.WarnedDays, c.ExpiryCheckAt = false, 0, e.ExpiryCheckAt
	}
	if e.Last4 != c.Last4 || e.Fingerprint != "" {
		c.Blocked = false
	}
	if e.Fingerprint != "" {
		c.Fingerprint = e.Fingerprint
	}
	c.Last4, c.ExpMonth, c.ExpYear, c.Brand = e.Last4, e.ExpMonth, e.ExpYear, e.Brand
}

// Needs implements [domain.Needer].
func (c RecordCardAutoUpdate) Needs(Meta) []domain.Need { return []domain.Need{ExpiryPolicy.Need()} }

// Decide implements [domain.Command]. An expiry in the past is the network's
// word and is kept. So is a number that its owner has added as another card
// before: the bank gave it out, whatever rule K2 says, and that card keeps it.
func (c RecordCardAutoUpdate) Decide(s Card, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Removed:
		return nil, ErrRemoved
	}
	if !s.ExpiryKnown() {
		c.ExpMonth, c.ExpYear = 0, 0 // not to be kept, whoever tells (rule K5)
	}
	if err := c.check(s); err != nil {
		return nil, err
	}
	e := CardAutomaticallyUpdated{
		Source: c.Source, Last4: c.Last4, ExpMonth: c.ExpMonth, ExpYear: c.ExpYear, Brand: c.Brand, At: m.At,
	}
	if c.ExpMonth != s.ExpMonth || c.ExpYear != s.ExpYear {
		e.ExpiryCheckAt = ExpiryPolicy.In(m).next(ValidUntil(c.ExpMonth, c.ExpYear), m.At)
	}
	if c.Fingerprint != "" {
		if now := fingerprint(m, c.Fingerprint); now != s.Fingerprint {
			e.Fingerprint, e.OldFingerprint, e.Owner = now, s.Fingerprint, s.Owner
		}
	}
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"last4", c.Last4 != s.Last4},
		{"number", c.Last4 == s.Last4 && e.Fingerprint != ""},
		{"expMonth", c.ExpMonth != s.ExpMonth},
		{"expYear", c.ExpYear != s.ExpYear},
		{"brand", c.Brand != s.Brand},
	} {
		if f.changed {
			e.Changed = append(e.Changed, f.name)
		}
	}
	if e.Changed == nil {
		return nil, nil
	}
	return []Event{e}, nil
}

func (c RecordCardAutoUpdate) check(s Card) error {
	errs := []*domain.Error{last4(c.Last4, "/last4"), word(c.Brand, "/brand"), word(c.Source, "/source")}
	if s.ExpiryKnown() && (c.ExpMonth < 1 || c.ExpMonth > 12 || c.ExpYear < 2000 || c.ExpYear > 9999) {
		errs = append(errs, ErrExpiry.At("/expMonth"))
	}
	if c.Fingerprint != "" {
		errs = append(errs, token(c.Fingerprint, "/fingerprint"))
	}
	return domain.All(errs...)
}
