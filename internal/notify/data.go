package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"konto/domain"
)

// words is a string in template data, plain or as an opened personal value. A
// value whose subject was erased reads as empty.
type words string

// UnmarshalJSON reads a string, a [domain.Personal] of one, or null.
func (w *words) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var p domain.Personal[string]
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
		if p.Sealed != nil {
			return errors.New("a personal value is still sealed")
		}
		*w = words(p.Value)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*w = words(s)
	return nil
}

// line returns the string without line breaks and other runs of space.
func (w words) line() string { return strings.Join(strings.Fields(string(w)), " ") }

// The data of the templates stands beside them. Fields that are not listed are
// ignored: the reaction that wrote them may be newer.

// cardData is what may be shown of a card.
type cardData struct {
	Brand          string `json:"brand"`
	Last4          string `json:"last4"`
	ExpMonth       int    `json:"expMonth"`
	ExpYear        int    `json:"expYear"`
	CardID         string `json:"cardId"`
	SubscriptionID string `json:"subscriptionId"`
}

// decode reads template data. No data at all is an empty object.
func decode[T any](b json.RawMessage) (T, error) {
	var v T
	if len(bytes.TrimSpace(b)) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("template data: %w", err)
	}
	return v, nil
}

// check refuses a card that cannot be named. Last4 goes into a subject, where
// nothing but four digits may.
func (c cardData) check() error {
	if len(c.Last4) != 4 || !digitsOnly(c.Last4) {
		return errors.New("template data: last4 must be four digits")
	}
	return nil
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
