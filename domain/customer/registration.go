package customer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"konto/domain"
)

// RegistrationTerms say which countries' companies must give a registration
// number and a phone number (rule P7). Elsewhere neither is asked for, and
// what is not asked for is refused.
type RegistrationTerms struct {
	// Digits are the numbers of digits that a registration number may have, by
	// country (ISO 3166-1 alpha-2).
	Digits map[string][]int `json:"digits"`
}

// Validate implements the check of published terms.
func (t RegistrationTerms) Validate() error {
	if t.Digits == nil {
		return errors.New("digits must be an object, by country")
	}
	for country, digits := range t.Digits {
		if len(country) != 2 || strings.Trim(country, upper) != "" {
			return fmt.Errorf("digits: %q is no ISO 3166-1 alpha-2 code", country)
		}
		if len(digits) == 0 || slices.Min(digits) < 1 || slices.Max(digits) > 20 {
			return fmt.Errorf("digits of %s: there must be 1-20 of them", country)
		}
	}
	return nil
}

// RegistrationNumbers are the obligations of rule P7. The countries are those
// that Partner Center's error codes 600049 to 600051 are about; the lengths are
// those of the number that companies there are registered under: TIN, VÖEN,
// UNP, adószám, BIN, INN, IDNO and EDRPOU.
var RegistrationNumbers = domain.Policy[RegistrationTerms]{
	Name: "registration-numbers",
	First: RegistrationTerms{Digits: map[string][]int{
		"AM": {8}, "AZ": {10}, "BY": {9}, "HU": {8, 11}, "KZ": {12}, "KG": {14}, "MD": {13}, "RU": {10, 12},
		"TJ": {9}, "UZ": {9}, "UA": {8, 10},
	}},
}

// company is what rule P7 is about.
type company struct {
	country string
	number  string
	phone   string // empty if there is none
	called  bool   // there is a phone number, also one that was erased
	// What the command sets is judged, not what was there before.
	newNumber, newPhone bool
}

// obligations returns what rule P7 has against a company. At is the pointer
// of the object that has its fields.
func (c company) obligations(m Meta, at string) []*domain.Error {
	digits, asked := RegistrationNumbers.In(m).Digits[c.country]
	var errs []*domain.Error
	refuse := func(when bool, e *domain.Error, field string) {
		if when {
			errs = append(errs, e.At(at+"/"+field).With("country", c.country))
		}
	}
	const number, phone = "organizationRegistrationNumber", "phone"
	if !asked {
		refuse(c.newNumber && c.number != "", ErrRegistrationRefused, number)
		refuse(c.newPhone && c.phone != "", ErrRegistrationRefused, phone)
		return errs
	}
	refuse(c.number == "", ErrRegistrationRequired, number)
	if c.newNumber && c.number != "" && !slices.Contains(digits, countDigits(c.number)) {
		errs = append(errs, ErrRegistrationFormat.At(at+"/"+number).With("country", c.country).With("digits", digits))
	}
	refuse(!c.called, ErrRegistrationRequired, phone)
	if c.newPhone && c.phone != "" && !domain.Fact[PhoneNumber](m, c.country+" "+c.phone).Valid {
		errs = append(errs, field(at+"/"+phone, "it must be a phone number of a numbering plan"))
	}
	return errs
}

// countDigits returns how many digits s has, or -1 if it has anything but
// digits with dashes and spaces between them.
func countDigits(s string) int {
	bare := strings.NewReplacer("-", "", " ", "").Replace(s)
	if strings.Trim(bare, digits) != "" {
		return -1
	}
	return len(bare)
}
