package customer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"konto/domain"
)

// A check refuses a value that a field cannot have.
type check func(value, pointer string) *domain.Error

// diff collects what an update changes and what is wrong with it.
type diff struct {
	changed []string
	errs    []*domain.Error
}

func (d *diff) has(name string) bool { return slices.Contains(d.changed, name) }

// set makes field what to says, if it says something.
func (d *diff) set(field, to *string, name, at string, check check) {
	d.setIn("", field, to, name, at, check)
}

func (d *diff) setIn(prefix string, field, to *string, name, at string, check check) {
	if to == nil || *to == *field {
		return
	}
	if err := check(*to, at+"/"+name); err != nil {
		d.errs = append(d.errs, err)
		return
	}
	*field = *to
	d.changed = append(d.changed, prefix+name)
}

// need refuses an empty value, unless something is known to be wrong with it.
func (d *diff) need(value, pointer string) {
	known := slices.ContainsFunc(d.errs, func(e *domain.Error) bool { return e.Pointer == pointer })
	if err := required(value, pointer); err != nil && !known {
		d.errs = append(d.errs, err)
	}
}

func field(pointer, format string, args ...any) *domain.Error {
	e := *ErrField
	e.Detail, e.Pointer = fmt.Sprintf(format, args...), pointer
	return &e
}

// maxText is the most letters of a field.
const maxText = 200

func required(s, pointer string) *domain.Error {
	if strings.TrimSpace(s) == "" {
		return field(pointer, "it must not be empty")
	}
	return line(s, pointer)
}

func line(s, pointer string) *domain.Error {
	if len([]rune(s)) > maxText || strings.ContainsFunc(s, unicode.IsControl) {
		return field(pointer, "it must be one line of at most %d letters without control characters", maxText)
	}
	return nil
}

func country(s, pointer string) *domain.Error {
	if len(s) != 2 || strings.Trim(s, upper) != "" {
		return field(pointer, "it must be an ISO 3166-1 alpha-2 code, such as SE")
	}
	return nil
}

const (
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// language checks the shape of a BCP 47 tag: a language of two or three
// letters, then subtags of one to eight letters or digits.
func language(s, pointer string) *domain.Error {
	tags := strings.Split(s, "-")
	ok := len(tags[0]) >= 2 && len(tags[0]) <= 3 && strings.Trim(tags[0], lower) == ""
	for _, t := range tags[1:] {
		ok = ok && t != "" && len(t) <= 8 && strings.Trim(t, upper+lower+digits) == ""
	}
	if !ok || len(s) > 35 { // RFC 5646 section 4.4.1
		return field(pointer, "it must be a language tag, such as sv or sv-SE")
	}
	return nil
}

// culture is a language tag that ends in a region.
func culture(s, pointer string) *domain.Error {
	i := strings.LastIndexByte(s, '-')
	if i < 0 || language(s, pointer) != nil || country(s[i+1:], pointer) != nil {
		return field(pointer, "it must be a language tag with a region, such as sv-SE")
	}
	return nil
}

// domainName checks the shape of a DNS name in its ASCII form (RFC 1035).
func domainName(s, pointer string) *domain.Error {
	labels := strings.Split(s, ".")
	ok := len(s) <= 253 && len(labels) > 1
	for _, l := range labels {
		ok = ok && l != "" && len(l) <= 63 && strings.Trim(l, lower+digits+"-") == "" && strings.Trim(l, "-") == l
	}
	if !ok {
		return field(pointer, "it must be a domain name in lower case, such as example.com")
	}
	return nil
}

// email checks the shape of an address. Whether mail arrives is not known here.
func email(s, pointer string) *domain.Error {
	i := strings.LastIndexByte(s, '@')
	if i < 1 || i > 64 || len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}) || domainName(strings.ToLower(s[i+1:]), pointer) != nil {
		return field(pointer, "it must be a mail address")
	}
	return nil
}

// phone checks the shape of a number, with room for an extension of six
// digits after the fifteen of E.164.
func phone(s, pointer string) *domain.Error {
	if s == "" {
		return nil
	}
	n := 0
	for _, r := range s {
		if strings.ContainsRune(digits, r) {
			n++
		}
	}
	if n < 4 || n > 15+6 || strings.Trim(s, digits+"+-() ./x") != "" {
		return field(pointer, "it must be a phone number")
	}
	return nil
}
