package privacy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// kind is a wire form of a personal value.
type kind uint8

const (
	kindPersonal kind = iota + 1
	kindSealed
	kindErased
)

// found is a personal value in a document.
type found struct {
	kind       kind
	start, end int    // of the object
	whole      []byte // the object
	inner      []byte // the value of its marking member
	alone      bool   // that member is the only one
	path       string // JSON Pointer of the object, RFC 6901
}

func (f *found) envelope() (envelope, error) {
	if !f.alone {
		return envelope{}, fmt.Errorf("%w: members next to $sealed", ErrMalformed)
	}
	return parseEnvelope(f.inner)
}

func (f *found) subject() string {
	if f.kind == kindPersonal {
		p, _ := parsePersonal(f.inner)
		return p.Subject
	}
	e, _ := parseEnvelope(f.inner)
	return e.subject
}

// mayHold is the fast path: most documents hold no personal value. A backslash
// may hide a marker, so those take the slow one.
func mayHold(data []byte) bool {
	return bytes.IndexByte(data, '\\') >= 0 || bytes.Contains(data, []byte(`"$`))
}

func markerKind(name []byte) kind {
	if bytes.IndexByte(name, '\\') >= 0 {
		plain, err := jsontext.AppendUnquote(nil, name)
		if err != nil {
			return 0
		}
		name = slices.Concat([]byte{'"'}, plain, []byte{'"'})
	}
	switch string(name) {
	case `"$personal"`:
		return kindPersonal
	case `"$sealed"`:
		return kindSealed
	case `"$erased"`:
		return kindErased
	}
	return 0
}

// scan returns the personal values in data, outermost only, in their order.
//
// Every event and every row passes here, mostly for nothing, so it only finds
// where things begin and end: with a general decoder BenchmarkAnnotate takes
// three times as long. It accepts all JSON and more; what is not JSON is for
// whoever decodes the document to refuse.
func scan(data []byte) ([]found, error) {
	if !mayHold(data) {
		return nil, nil
	}
	s := scanner{data: data}
	s.steps = s.room[:0]
	if !s.value() {
		return nil, errDocument
	}
	if s.space(); s.at != len(data) {
		return nil, errDocument
	}
	return s.all, nil
}

// errDocument does not say where, since it may not quote the document.
var errDocument = fmt.Errorf("%w: not one JSON value", ErrMalformed)

// maxDepth is how deep values may be nested, as encoding/json has it.
const maxDepth = 10_000

type scanner struct {
	data  []byte
	at    int
	steps []step // from the document to the value at hand
	room  [8]step
	all   []found
	// inside counts the markers around the value at hand: what is inside a
	// personal value is part of it.
	inside int
}

// step is a member's name, in quotes, or an element's index.
type step struct {
	name  []byte
	index int
}

// value reads a value. Its answer, like that of the others, is whether it could.
func (s *scanner) value() bool {
	s.space()
	switch {
	case s.at == len(s.data) || len(s.steps) > maxDepth:
		return false
	case s.data[s.at] == '{':
		return s.object()
	case s.data[s.at] == '[':
		return s.array()
	case s.data[s.at] == '"':
		return s.text()
	default:
		return s.scalar()
	}
}

func (s *scanner) object() bool {
	f := found{start: s.at}
	before, members := len(s.all), 0
	s.at++
	s.steps = append(s.steps, step{})
	for more := !s.ends('}'); more; members++ {
		s.space()
		from := s.at
		if !s.text() {
			return false
		}
		name := s.data[from:s.at]
		if s.space(); !s.byte(':') {
			return false
		}
		s.space()
		s.steps[len(s.steps)-1].name = name
		from = s.at
		k := markerKind(name)
		if k != 0 {
			s.inside++
		}
		if !s.value() {
			return false
		}
		if k != 0 {
			s.inside--
		}
		if k != 0 && f.kind == 0 {
			f.kind, f.inner = k, s.data[from:s.at]
		}
		if s.space(); s.byte(',') {
			continue
		}
		if more = false; !s.byte('}') {
			return false
		}
	}
	s.steps = s.steps[:len(s.steps)-1]
	if f.kind == 0 || s.inside > 0 {
		return true
	}
	f.end, f.alone, f.path = s.at, members == 1, s.path()
	f.whole = s.data[f.start:f.end]
	if s.all == nil {
		s.all = make([]found, 0, 4)
	}
	s.all = append(s.all[:before], f)
	return true
}

func (s *scanner) array() bool {
	s.at++
	s.steps = append(s.steps, step{})
	for more := !s.ends(']'); more; s.steps[len(s.steps)-1].index++ {
		if !s.value() {
			return false
		}
		if s.space(); s.byte(',') {
			continue
		}
		if more = false; !s.byte(']') {
			return false
		}
	}
	s.steps = s.steps[:len(s.steps)-1]
	return true
}

// ends reports, and reads, the end of an object or array without content.
func (s *scanner) ends(with byte) bool {
	s.space()
	return s.byte(with)
}

func (s *scanner) text() bool {
	if !s.byte('"') {
		return false
	}
	for short := min(len(s.data), s.at+32); s.at < short; s.at++ {
		switch s.data[s.at] {
		case '\\':
			return s.longText()
		case '"':
			s.at++
			return true
		}
	}
	return s.longText()
}

// longText reads the rest of a text in wide steps, for ciphertexts.
func (s *scanner) longText() bool {
	for s.at < len(s.data) {
		end := bytes.IndexByte(s.data[s.at:], '"')
		if end < 0 {
			return false
		}
		escape := bytes.IndexByte(s.data[s.at:s.at+end], '\\')
		if escape < 0 {
			s.at += end + 1
			return true
		}
		s.at += escape + 2
	}
	return false
}

// scalar reads a number or a literal: letters, digits, signs and points.
func (s *scanner) scalar() bool {
	from := s.at
	for ; s.at < len(s.data); s.at++ {
		c := s.data[s.at]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '.' && c != '-' && c != '+' && c != 'E' {
			break
		}
	}
	return s.at > from
}

func (s *scanner) space() {
	for s.at < len(s.data) && (s.data[s.at] == ' ' || s.data[s.at] == '\n' || s.data[s.at] == '\t' || s.data[s.at] == '\r') {
		s.at++
	}
}

func (s *scanner) byte(b byte) bool {
	if s.at < len(s.data) && s.data[s.at] == b {
		s.at++
		return true
	}
	return false
}

// path is the JSON Pointer of the value at hand.
func (s *scanner) path() string {
	var room [64]byte
	p := room[:0]
	for _, t := range s.steps {
		p = append(p, '/')
		if t.name == nil {
			p = strconv.AppendInt(p, int64(t.index), 10)
			continue
		}
		name := t.name[1 : len(t.name)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name, _ = jsontext.AppendUnquote(nil, t.name) // what it cannot read stands for itself
		}
		for _, c := range name {
			switch c {
			case '~':
				p = append(p, "~0"...)
			case '/':
				p = append(p, "~1"...)
			default:
				p = append(p, c)
			}
		}
	}
	return string(p)
}
