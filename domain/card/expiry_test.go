package card_test

import (
	"errors"
	"testing"
	"time"

	. "konto/domain/card"
)

func TestValidUntil(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		month, year int
		want        string
	}{
		{11, 2026, "2026-12-01T12:00:00Z"},
		{12, 2026, "2027-01-01T12:00:00Z"},
		{2, 2028, "2028-03-01T12:00:00Z"},
	} {
		if got := ValidUntil(test.month, test.year).Format(time.RFC3339); got != test.want {
			t.Errorf("ValidUntil(%d, %d) = %s, want %s", test.month, test.year, got, test.want)
		}
	}
	last := meta(ann)
	last.At = time.Date(2026, 12, 1, 11, 59, 59, 0, time.UTC) // still November on Baker Island
	if _, err := addCard().Decide(Card{}, last); err != nil {
		t.Errorf("adding a card in its last second: err = %v, want none", err)
	}
	last.At = last.At.Add(time.Second)
	if _, err := addCard().Decide(Card{}, last); !errors.Is(err, ErrExpired) {
		t.Errorf("adding a card a second later: err = %v, want %v", err, ErrExpired)
	}
}
