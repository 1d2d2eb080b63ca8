package card_test

import (
	"errors"
	"strings"
	"testing"

	. "konto/domain/card"
)

// Whatever stands around a card number, it is refused, as long as its digits
// do not run on.
func FuzzCardNumber(f *testing.F) {
	f.Add("", "")
	f.Add("1 ", " 2")
	f.Add("4242-", "/")
	f.Add("No 99 ", " 11-26")
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.TrimRight(before, "0123456789") != before || strings.TrimLeft(after, "0123456789") != after {
			t.Skip("the digits run on")
		}
		for _, number := range []string{"4242424242424242", "3782 822463 10005", "6011-1111-1111-1117"} {
			c := addCard(func(c *AddCard) { c.HolderName = before + number + after })
			if _, err := c.Decide(Card{}, meta(ann)); err == nil {
				t.Errorf("a card number in %q is accepted", c.HolderName)
			} else if !errors.Is(err, ErrCardNumber) && !errors.Is(err, ErrField) {
				t.Errorf("a card number in %q: err = %v, want %v", c.HolderName, err, ErrCardNumber)
			}
		}
	})
}
