package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// maxYears is how far ahead an expiry may be (rule K3).
const maxYears = 20

// maxText is the most letters of a name or of a line of an address.
const maxText = 200

func field(pointer, format string, args ...any) *domain.Error {
	e := *ErrField
	e.Detail, e.Pointer = fmt.Sprintf(format, args...), pointer
	return &e
}

// text checks what a person typed: something, not too long, no card number.
func text(s, pointer string) *domain.Error {
	if domain.Blank(s) {
		return field(pointer, "it must not be empty")
	}
	return line(s, pointer)
}

// line is text that may be empty.
func line(s, pointer string) *domain.Error {
	switch {
	case len([]rune(s)) > maxText:
		return field(pointer, "it must not be longer than %d letters", maxText)
	case !domain.Line(s, maxText):
		return field(pointer, "it must be one line without control characters and invisible ones")
	case holdsCardNumber(s):
		return ErrCardNumber.At(pointer)
	}
	return nil
}

// token checks a name that the gateway made.
func token(s, pointer string) *domain.Error {
	if s == "" || len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return field(pointer, "it must be 1-255 visible ASCII characters")
	}
	// The last group of a UUID may be 12 digits, and no dash joins groups here.
	if cardNumberIn(s, 13, "") {
		return ErrCardNumber.At(pointer)
	}
	return nil
}

// word checks a lower-case code, such as a brand.
func word(s, pointer string) *domain.Error {
	if s == "" || len(s) > 32 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return field(pointer, "it must be a code of 1-32 lower-case letters, digits, _ and -")
	}
	return nil
}

func oneOf(s, pointer string, values ...string) *domain.Error {
	if !slices.Contains(values, s) {
		return field(pointer, "it must be one of %s", strings.Join(values, ", "))
	}
	return nil
}

func last4(s, pointer string) *domain.Error {
	if len(s) != 4 || strings.Trim(s, "0123456789") != "" {
		return field(pointer, "it must be the last four digits")
	}
	return nil
}

// expiry is rule K3.
func expiry(month, year int, now time.Time) *domain.Error {
	switch {
	case month < 1 || month > 12:
		return ErrExpiry.At("/expMonth")
	case year < 1000 || year > now.Year()+maxYears:
		return ErrExpiry.At("/expYear")
	case !now.Before(ValidUntil(month, year)):
		return ErrExpired.At("/expYear")
	}
	return nil
}

// phone wants a number that can be called, or none.
func phone(m Meta, s, pointer string) *domain.Error {
	digits := 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	switch {
	case s == "":
		return nil
	case digits > 15, // E.164: at most 15 digits
		digits > 12 && !strings.HasPrefix(s, "+") && holdsCardNumber(s):
		return ErrCardNumber.At(pointer)
	case !domain.Fact[PhoneNumber](m, phoneKey(m, s)).OK:
		return field(pointer, "it must be a phone number that can be called")
	}
	return nil
}

// phoneKey is the key of the number s: it is read in the country of the
// billing address, which is the account's (rule A3).
func phoneKey(m Meta, s string) string {
	return domain.Fact[Organization](m, m.Tenant).Country + " " + s
}

// keep decides whether an address may be kept: it is in the account's country,
// is written as there, and holds no card number.
func keep(m Meta, a Address, pointer string, confirmed bool) (postal.Checked, []*domain.Error) {
	home := domain.Fact[Organization](m, m.Tenant).Country
	if a.Country != home || home == "" {
		return postal.Checked{}, []*domain.Error{ErrBilledAbroad.With("country", home).At(pointer + "/country")}
	}
	var errs []*domain.Error
	for _, f := range postal.Fields() {
		if holdsCardNumber(a.Get(f)) {
			errs = append(errs, ErrCardNumber.At(f.Pointer(pointer)))
		}
	}
	if errs != nil {
		return postal.Checked{}, errs
	}
	return a.Keep(m, pointer, confirmed)
}

// differs returns the names of the parts that are not the same.
func differs(a, b Address) []string {
	var names []string
	for _, f := range a.Differs(b) {
		names = append(names, "billingAddress."+string(f))
	}
	return names
}

// checkResults is what an issuer says of what it was asked to check.
func checkResults() []string { return []string{"pass", "fail", "unavailable", "unchecked"} }

func (c Checks) check() *domain.Error {
	for _, p := range []struct{ pointer, value string }{
		{"/checks/line1", c.Line1},
		{"/checks/postal", c.Postal},
		{"/checks/cvc", c.CVC},
	} {
		if p.value != "" {
			if err := oneOf(p.value, p.pointer, checkResults()...); err != nil {
				return err
			}
		}
	}
	return nil
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// holdsCardNumber reports whether a card number is in what a person typed.
func holdsCardNumber(s string) bool { return cardNumberIn(s, 12, " -") }

// cardNumberIn reports whether s has groups of digits, with nothing but gaps
// between them, that together are shortest to 19 digits and pass the check of
// ISO/IEC 7812-1 annex B. Other digits may stand before or after the groups.
func cardNumberIn(s string, shortest int, gaps string) bool {
	var digits []byte
	var starts []int // of the groups in digits
	inGroup := false
	for i := range len(s) {
		switch {
		case s[i] >= '0' && s[i] <= '9':
			if !inGroup {
				starts = append(starts, len(digits))
			}
			digits, inGroup = append(digits, s[i]), true
			if i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
				continue // the group goes on
			}
			for _, start := range starts {
				if n := len(digits) - start; n >= shortest && n <= 19 && luhn(digits[start:]) {
					return true
				}
			}
		case strings.IndexByte(gaps, s[i]) >= 0:
			inGroup = false
		default:
			digits, starts, inGroup = digits[:0], starts[:0], false
		}
	}
	return false
}

func luhn(digits []byte) bool {
	sum := 0
	for i, b := range digits {
		d := int(b - '0')
		if (len(digits)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
