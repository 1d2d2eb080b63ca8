package domain

import (
	"bytes"
	"encoding/json"
)

// Personal is a value about a person: a name, an address, a phone number, a
// mail address. Events carry such values in this type, and in no other.
//
// On its way into the store the value is sealed under the key of its subject;
// see package privacy. It has three wire forms, of which the store only ever
// sees the last two:
//
//	{"$personal": {"subject": "…", "value": …}}  open
//	{"$sealed": {…}}                             sealed
//	{"$erased": {"subject": "…"}}                the subject's key is destroyed
//
// A Personal that was read sealed keeps its sealed form, so that code without
// keys can carry it on. Zero is no value at all; use the omitzero JSON option.
type Personal[T any] struct {
	Subject string // whose value it is: an ID, never a name
	Value   T      // zero if sealed or erased
	Erased  bool
	Sealed  json.RawMessage // the sealed form, if it was not opened
}

// About returns v as a value about subject.
func About[T any](subject string, v T) Personal[T] { return Personal[T]{Subject: subject, Value: v} }

// IsZero reports whether there is no value.
func (p Personal[T]) IsZero() bool { return p.Subject == "" && !p.Erased && p.Sealed == nil }

// Readable reports whether Value is the value.
func (p Personal[T]) Readable() bool { return p.Subject != "" && !p.Erased && p.Sealed == nil }

type openForm[T any] struct {
	Subject string `json:"subject"`
	Value   T      `json:"value"`
}

type erasedForm struct {
	Subject string `json:"subject"`
}

type forms[T any] struct {
	Open   *openForm[T]    `json:"$personal,omitempty"`
	Sealed json.RawMessage `json:"$sealed,omitempty"`
	Erased *erasedForm     `json:"$erased,omitempty"`
}

// MarshalJSON returns p in the form that it has.
func (p Personal[T]) MarshalJSON() ([]byte, error) {
	switch {
	case p.Erased:
		return json.Marshal(forms[T]{Erased: &erasedForm{p.Subject}})
	case p.Sealed != nil:
		return p.Sealed, nil
	case p.Subject == "":
		return []byte("null"), nil
	}
	return json.Marshal(forms[T]{Open: &openForm[T]{p.Subject, p.Value}})
}

// UnmarshalJSON reads any of the three forms, or null.
func (p *Personal[T]) UnmarshalJSON(b []byte) error {
	*p = Personal[T]{}
	if bytes.HasPrefix(b, sealedStart) {
		// Replays and projections read millions of these, and whoever calls
		// this has read through b already: that it is JSON need not be found
		// out again, and what is in it is for whoever opens it.
		p.Sealed = bytes.Clone(b)
		return nil
	}
	if subject, value, ok := open(b); ok {
		var v T
		if json.Unmarshal(value, &v) == nil {
			p.Subject, p.Value = subject, v
			return nil
		}
	}
	var f forms[T]
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	switch {
	case f.Open != nil:
		p.Subject, p.Value = f.Open.Subject, f.Open.Value
	case f.Erased != nil:
		p.Subject, p.Erased = f.Erased.Subject, true
	case f.Sealed != nil:
		p.Sealed = bytes.Clone(b)
	}
	return nil
}

// What the forms begin with as Konto writes them.
var (
	sealedStart = []byte(`{"$sealed":{`)
	openStart   = []byte(`{"$personal":{"subject":"`)
	openValue   = []byte(`","value":`)
	openEnd     = []byte(`}}`)
)

// open takes the open form apart as Konto writes it, for speed. A subject with
// an escape is not ok; a value that is not JSON by itself says that the form
// was written in another way.
func open(b []byte) (subject string, value []byte, ok bool) {
	rest, ok := bytes.CutPrefix(b, openStart)
	if !ok {
		return "", nil, false
	}
	end := bytes.IndexAny(rest, `"\\`)
	if end <= 0 || !bytes.HasPrefix(rest[end:], openValue) || !bytes.HasSuffix(rest, openEnd) {
		return "", nil, false
	}
	return string(rest[:end]), rest[end+len(openValue) : len(rest)-len(openEnd)], true
}
