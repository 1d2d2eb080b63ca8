package privacy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	return e.Subject
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
func scan(data []byte) ([]found, error) {
	if !mayHold(data) {
		return nil, nil
	}
	s := scanner{decoder: jsontext.NewDecoder(bytes.NewBuffer(data)), data: data}
	if err := s.value(); err != nil {
		return nil, errDocument
	}
	if _, err := s.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errDocument
	}
	return s.all, nil
}

// errDocument stands for the decoder's errors, which quote the document.
var errDocument = fmt.Errorf("%w: not one JSON value", ErrMalformed)

type scanner struct {
	decoder *jsontext.Decoder
	data    []byte
	all     []found
}

func (s *scanner) value() error {
	switch s.decoder.PeekKind() {
	case jsontext.KindBeginObject:
		return s.object()
	case jsontext.KindBeginArray:
		if _, err := s.decoder.ReadToken(); err != nil {
			return err
		}
		for s.decoder.PeekKind() != jsontext.KindEndArray {
			if err := s.value(); err != nil {
				return err
			}
		}
		_, err := s.decoder.ReadToken()
		return err
	default:
		return s.decoder.SkipValue()
	}
}

func (s *scanner) object() error {
	if _, err := s.decoder.ReadToken(); err != nil {
		return err
	}
	f := found{start: int(s.decoder.InputOffset()) - 1}
	before, members := len(s.all), 0
	for s.decoder.PeekKind() != jsontext.KindEndObject {
		members++
		name, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		k := markerKind(name)
		if k == 0 || f.kind != 0 {
			if err := s.value(); err != nil {
				return err
			}
			continue
		}
		path := string(s.decoder.StackPointer())
		f.kind, f.path = k, path[:strings.LastIndexByte(path, '/')]
		inner, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		end := int(s.decoder.InputOffset())
		f.inner = s.data[end-len(inner) : end]
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return err
	}
	if f.kind != 0 {
		f.end, f.alone = int(s.decoder.InputOffset()), members == 1
		f.whole = s.data[f.start:f.end]
		s.all = append(s.all[:before], f)
	}
	return nil
}
