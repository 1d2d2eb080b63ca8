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

// setTag makes field the canonical form of a language tag, so that what is the
// same reads the same, and writing it in another way changes nothing.
func (d *diff) setTag(field, to *string, name, at string, m Meta, check check) {
	if to == nil || *to == *field {
		return
	}
	if err := check(*to, at+"/"+name); err != nil {
		d.errs = append(d.errs, err)
		return
	}
	tag := domain.Fact[Locale](m, *to).Tag
	d.set(field, &tag, name, at, func(string, string) *domain.Error { return nil })
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

const (
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// language wants a BCP 47 tag of a language that there is.
func language(m Meta) check {
	return func(s, pointer string) *domain.Error {
		if !domain.Fact[Locale](m, s).OK {
			return field(pointer, "it must be a language tag, such as sv or sv-SE")
		}
		return nil
	}
}

// culture is a language tag that ends in a region.
func culture(m Meta) check {
	return func(s, pointer string) *domain.Error {
		tag := domain.Fact[Locale](m, s).Tag
		region := tag[strings.LastIndexByte(tag, '-')+1:]
		if len(region) != 2 || region == tag || strings.Trim(region, upper) != "" {
			return field(pointer, "it must be a language tag with a region, such as sv-SE")
		}
		return nil
	}
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

// callable wants a phone number that can be one in country, or none.
func callable(m Meta, country string) check {
	return func(s, pointer string) *domain.Error {
		if s != "" && !domain.Fact[PhoneNumber](m, country+" "+s).Possible {
			return field(pointer, "it must be a phone number")
		}
		return nil
	}
}
