// Package place knows what libraries say of places: which countries there
// are, and what an address looks like in each. Aggregates import only the
// standard library; they ask for a [postal.Verdict], and [Sources] answers.
//
// Every answer is a pure function of the address and of tables: the formats
// of Unicode's CLDR as github.com/bojanz/address has them, the countries of
// ISO 3166-1 as github.com/biter777/countries has them, and, for a few
// countries, which postal codes lie in which state. Events record the version
// of the tables, so tables of a later release change no old decision.
//
// Not guaranteed: that there is such a street, or that the postal code is the
// city's.
package place

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/biter777/countries"
	"github.com/bojanz/address"
	"golang.org/x/text/unicode/norm"

	"konto/domain"
	"konto/domain/postal"
)

// Library and DataVersion say whose tables answer, and which: the releases of
// the libraries, which a test compares with go.mod, and the edition of the
// table of postal codes by state that is in this package.
const (
	Library     = "bojanz/address"
	DataVersion = "address/v1.3.3 countries/v1.7.5 regions/1"
)

// Sources returns the sources of all facts that this package knows. They are
// safe for concurrent use.
func Sources() []domain.Source {
	// Ten milliseconds that a start without addresses does not pay.
	book := sync.OnceValue(NewBook)
	return []domain.Source{
		domain.FromInput(func(key string) postal.Verdict {
			var a postal.Address
			if json.Unmarshal([]byte(key), &a) != nil { // only [postal.Address.Key] makes keys
				return postal.Verdict{Problems: []postal.Problem{{Field: postal.Line1, Fault: postal.Unreadable}}}
			}
			return book().Verdict(a)
		}),
	}
}

// A Book holds the formats of all countries, ready for use. It is immutable
// and safe for concurrent use.
type Book struct {
	countries map[string]bool // ISO 3166-1 alpha-2
	formats   map[string]format
}

type format struct {
	address.Format
	known    bool // the country has a format of its own
	postal   *regexp.Regexp
	required []postal.Field
	unused   []postal.Field
	codes    map[string]string // of the regions, by their folded names and codes
	zips     map[string]*regexp.Regexp
}

// NewBook returns the libraries' tables.
func NewBook() *Book {
	b := &Book{countries: map[string]bool{}, formats: map[string]format{}}
	for _, c := range countries.All() {
		b.countries[c.Alpha2()] = true
	}
	for _, former := range []string{"AN", "YU"} {
		delete(b.countries, former)
	}
	for country, f := range address.GetFormats() {
		b.formats[country] = newFormat(country, f)
		// Ascension and Tristan da Cunha have codes that are only reserved.
		b.countries[country] = b.countries[country] || country != anywhere
	}
	return b
}

// anywhere is the code of the format for countries that have none of their own.
const anywhere = "ZZ"

func newFormat(country string, f address.Format) format {
	n := format{Format: f, known: country != anywhere, codes: map[string]string{}}
	if f.PostalCodePattern != "" {
		n.postal = regexp.MustCompile("^(?:" + f.PostalCodePattern + ")$")
	}
	n.required = []postal.Field{postal.Country}
	for _, part := range parts {
		switch {
		case f.IsRequired(part.theirs) && f.Defaults[part.theirs] == "":
			n.required = append(n.required, part.ours)
		case n.known && !strings.Contains(f.Layout, "%"+string(part.theirs)):
			n.unused = append(n.unused, part.ours)
		}
	}
	for _, regions := range []address.RegionMap{f.LocalRegions, f.Regions} {
		for _, code := range regions.Keys() {
			name, _ := regions.Get(code)
			n.codes[fold(name)] = code
			if first, rest, ok := strings.Cut(name, " "); ok && country == "CN" && rest != "" {
				n.codes[fold(first)] = code // "Guangdong" of "Guangdong Sheng"
			}
		}
	}
	for _, code := range f.Regions.Keys() { // last: a code is never another region's name
		n.codes[fold(code)] = code
	}
	if of := zips[country]; of != nil {
		n.zips = make(map[string]*regexp.Regexp, len(of))
		for region, prefixes := range of {
			n.zips[region] = regexp.MustCompile("^(?:" + prefixes + ")")
		}
	}
	return n
}

// parts says which field of the library is which of ours.
var parts = []struct {
	ours   postal.Field
	theirs address.Field
}{
	{postal.Line1, address.FieldLine1},
	{postal.DependentLocality, address.FieldSublocality},
	{postal.City, address.FieldLocality},
	{postal.State, address.FieldRegion},
	{postal.PostalCode, address.FieldPostalCode},
}

// Verdict returns what the tables say of a.
func (b *Book) Verdict(a postal.Address) postal.Verdict {
	v := postal.Verdict{Library: Library, DataVersion: DataVersion}
	if !b.countries[a.Country] {
		fault := postal.Unknown
		if a.Country == "" {
			fault = postal.Missing
		}
		v.Grade, v.Problems = postal.Unchecked, []postal.Problem{{Field: postal.Country, Fault: fault}}
		if up := strings.ToUpper(strings.TrimSpace(a.Country)); b.countries[up] {
			v.Suggestions = []postal.Address{a.With(postal.Country, up)}
		}
		return v
	}
	f, ok := b.formats[a.Country]
	if !ok {
		f = b.formats[anywhere]
	}
	v.Grade, v.Required, v.Unused = postal.FormatOK, slices.Clone(f.required), slices.Clone(f.unused)
	if !f.known {
		v.Grade = postal.Unchecked
	}
	c := check{format: f, verdict: &v, typed: a, better: a}
	c.run()
	return v
}

// fold makes names comparable that differ in case, accents, spaces, dots and
// hyphens.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Z, unicode.P) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}
