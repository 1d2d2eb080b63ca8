// Package postal is what aggregates know of postal addresses: what one is,
// what a library says of it, and which may be kept. Aggregates share it, as they
// share package recovery.
//
// Guaranteed: an address that breaks its country's format is refused with
// every field that is wrong (rule A1), and one for which there is a better
// spelling is kept only if the caller said that it is meant so (A2).
//
// Not guaranteed: that mail arrives. Nothing here knows streets.
//
// # Why the country's rules are a fact
//
// They are the tables of a library, which a decision may not look into. A
// command names [Address.Need] among its needs, the library's adapter answers
// with a [Verdict], and [Address.Keep] decides. Events store the [Checked]
// that comes out, so that an auditor sees by which tables an address passed.
package postal

import (
	"encoding/json"
	"strings"

	"konto/domain"
)

// Address is where post goes, and nobody's name.
type Address struct {
	Line1             string `json:"line1"`
	Line2             string `json:"line2,omitzero"`
	DependentLocality string `json:"dependentLocality,omitzero"` // a part of the city: a district, a suburb
	City              string `json:"city,omitzero"`
	State             string `json:"state,omitzero"` // a state, province, prefecture or emirate: its code or its name
	PostalCode        string `json:"postalCode,omitzero"`
	Country           string `json:"country"` // ISO 3166-1 alpha-2
}

// Field names a part of an address as its JSON does.
type Field string

// The fields.
const (
	Line1             Field = "line1"
	Line2             Field = "line2"
	DependentLocality Field = "dependentLocality"
	City              Field = "city"
	State             Field = "state"
	PostalCode        Field = "postalCode"
	Country           Field = "country"
)

// Fields returns all fields, in the order in which they are filled in.
func Fields() []Field {
	return []Field{Line1, Line2, DependentLocality, City, State, PostalCode, Country}
}

// Pointer returns the JSON pointer of a field of the address at pointer.
func (f Field) Pointer(pointer string) string { return pointer + "/" + string(f) }

// Get returns what a says in field f.
func (a Address) Get(f Field) string {
	if p := a.at(f); p != nil {
		return *p
	}
	return ""
}

// With returns a with field f set to value.
func (a Address) With(f Field, value string) Address {
	if p := a.at(f); p != nil {
		*p = value
	}
	return a
}

func (a *Address) at(f Field) *string {
	switch f {
	case Line1:
		return &a.Line1
	case Line2:
		return &a.Line2
	case DependentLocality:
		return &a.DependentLocality
	case City:
		return &a.City
	case State:
		return &a.State
	case PostalCode:
		return &a.PostalCode
	case Country:
		return &a.Country
	}
	return nil
}

// Differs returns the fields in which a and b are not the same.
func (a Address) Differs(b Address) []Field {
	var fields []Field
	for _, f := range Fields() {
		if a.Get(f) != b.Get(f) {
			fields = append(fields, f)
		}
	}
	return fields
}

// IsZero reports whether nothing is filled in.
func (a Address) IsZero() bool { return a == Address{} }

// Key returns the canonical JSON of a, by which a [Verdict] is asked for.
func (a Address) Key() string {
	var b strings.Builder
	// A string that is no UTF-8 is replaced, and nothing else can go wrong.
	if err := json.NewEncoder(&b).Encode(a); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Need is the fact that [Address.Keep] reads.
func (a Address) Need() domain.Need { return domain.Of[Verdict](a.Key()) }
