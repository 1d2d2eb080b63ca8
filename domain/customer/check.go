package customer

import (
	"fmt"
	"slices"
	"strings"

	"konto/domain"
)

// A check refuses a value that a field cannot have.
type check func(value, pointer string) *domain.Error

// A reading returns a value as it is kept, or refuses it.
type reading func(value, pointer string) (string, *domain.Error)

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

// setAs makes field what a library makes of to, so that what is the same reads
// the same, and writing it in another way changes nothing.
func (d *diff) setAs(prefix string, field, to *string, name, at string, read reading) {
	if to == nil || *to == *field {
		return
	}
	is, err := read(*to, at+"/"+name)
	if err != nil {
		d.errs = append(d.errs, err)
		return
	}
	d.setIn(prefix, field, &is, name, at, func(string, string) *domain.Error { return nil })
}

func field(pointer, format string, args ...any) *domain.Error {
	e := *ErrField
	e.Detail, e.Pointer = fmt.Sprintf(format, args...), pointer
	return &e
}

// maxText is the most letters of a field.
const maxText = 200

func required(s, pointer string) *domain.Error {
	if domain.Blank(s) {
		return field(pointer, "it must not be empty")
	}
	return line(s, pointer)
}

func line(s, pointer string) *domain.Error {
	if !domain.Line(s, maxText) {
		return field(pointer, "it must be one line of at most %d letters without control characters and invisible ones", maxText)
	}
	return nil
}

const (
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// language wants a BCP 47 tag of a language that there is.
func language(m Meta) reading {
	return func(s, pointer string) (string, *domain.Error) {
		l := domain.Fact[Locale](m, s)
		if !l.OK {
			return "", field(pointer, "it must be a language tag, such as sv or sv-SE")
		}
		return l.Tag, nil
	}
}

// culture is a language tag that ends in a region.
func culture(m Meta) reading {
	return func(s, pointer string) (string, *domain.Error) {
		tag := domain.Fact[Locale](m, s).Tag
		region := tag[strings.LastIndexByte(tag, '-')+1:]
		if len(region) != 2 || region == tag || strings.Trim(region, upper) != "" {
			return "", field(pointer, "it must be a language tag with a region, such as sv-SE")
		}
		return tag, nil
	}
}

// domainName wants an internet name.
func domainName(m Meta) reading {
	return func(s, pointer string) (string, *domain.Error) {
		name := domain.Fact[DomainName](m, s)
		if !name.OK {
			return "", field(pointer, "it must be a domain name, such as example.com")
		}
		return name.Name, nil
	}
}

// email wants a mail address. Whether mail arrives is not known here.
func email(m Meta) reading {
	return func(s, pointer string) (string, *domain.Error) {
		a := domain.Fact[MailAddress](m, s)
		if !a.OK {
			return "", field(pointer, "it must be a mail address").With("reason", a.Reason)
		}
		return a.Normalized, nil
	}
}

// callable wants a phone number that can be one in country, or none, and notes
// in data by which numbering plans it was read.
func callable(m Meta, country string, data *string) reading {
	return func(s, pointer string) (string, *domain.Error) {
		if s == "" {
			return "", nil
		}
		n := domain.Fact[PhoneNumber](m, country+" "+s)
		if !n.Possible {
			return "", field(pointer, "it must be a phone number that can be called")
		}
		*data = n.Data
		return n.Number, nil
	}
}
