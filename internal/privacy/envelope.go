package privacy

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	blindSize = 32
	padding   = 64
)

// encoding is strict, so that a value has one envelope text.
var encoding = base64.RawURLEncoding.Strict()

// envelope is a sealed value as it is written.
type envelope struct {
	subject    string
	key        uint32
	path       string
	nonce      []byte // this and the next two as text
	ciphertext []byte
	commitment []byte
	in         *origin
}

// origin is the context that [Annotate] leaves with an envelope.
type origin struct {
	Stream string `json:"stream"`
	ID     string `json:"id"`
	Type   string `json:"type"`
	Tenant string `json:"tenant"`
}

func (o origin) context() Context {
	return Context{Tenant: o.Tenant, Stream: o.Stream, EventID: o.ID, Type: o.Type}
}

// personal is an open value.
type personal struct {
	Subject string          `json:"subject"`
	Value   json.RawMessage `json:"value"`
}

func parsePersonal(b []byte) (personal, error) {
	if p, ok := parseOpen(b); ok {
		return p, nil
	}
	var p personal
	if err := strict(b, &p); err != nil {
		return personal{}, err
	}
	if p.Subject == "" || len(p.Value) == 0 {
		return personal{}, fmt.Errorf("%w: subject or value is missing", ErrMalformed)
	}
	return p, nil
}

func parseEnvelope(b []byte) (envelope, error) {
	if e, ok := parseWritten(b); ok {
		return e, nil
	}
	return parseGeneral(b)
}

// parseGeneral reads an envelope that another program has written anew.
func parseGeneral(b []byte) (envelope, error) {
	var w struct {
		Scheme     string  `json:"e"`
		Subject    string  `json:"s"`
		Key        uint32  `json:"k"`
		Path       string  `json:"p"`
		Nonce      string  `json:"n"`
		Ciphertext string  `json:"c"`
		Commitment string  `json:"h"`
		In         *origin `json:"in"`
	}
	if err := strict(b, &w); err != nil {
		return envelope{}, err
	}
	if w.Scheme != Scheme {
		return envelope{}, fmt.Errorf("%w: scheme is not %s", ErrMalformed, Scheme)
	}
	return envelope{w.Subject, w.Key, w.Path, []byte(w.Nonce), []byte(w.Ciphertext), []byte(w.Commitment), w.In}, nil
}

// strict reads b into v and never quotes b in an error.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil {
		return fmt.Errorf("%w: unexpected members", ErrMalformed)
	}
	return nil
}

// parseWritten reads an envelope exactly as appendTo wrote it. Reading happens
// for each value of each event, and a general decoder costs more than opening.
func parseWritten(b []byte) (e envelope, ok bool) {
	s := written{rest: b, ok: true}
	s.skip(`{"e":"` + Scheme + `","s":"`)
	e.subject = string(s.text())
	s.skip(`,"k":`)
	e.key = s.number()
	s.skip(`,"p":"`)
	e.path = string(s.text())
	s.skip(`,"n":"`)
	e.nonce = s.text()
	s.skip(`,"c":"`)
	e.ciphertext = s.text()
	s.skip(`,"h":"`)
	e.commitment = s.text()
	if s.ok && bytes.HasPrefix(s.rest, []byte(`,"in":`)) {
		in := origin{}
		s.skip(`,"in":{"stream":"`)
		in.Stream = string(s.text())
		s.skip(`,"id":"`)
		in.ID = string(s.text())
		s.skip(`,"type":"`)
		in.Type = string(s.text())
		s.skip(`,"tenant":"`)
		in.Tenant = string(s.text())
		s.skip(`}`)
		e.in = &in
	}
	s.skip(`}`)
	return e, s.ok && len(s.rest) == 0
}

// parseOpen reads an open value as encoding/json writes it.
func parseOpen(b []byte) (p personal, ok bool) {
	w := written{rest: b, ok: true}
	w.skip(`{"subject":"`)
	p.Subject = string(w.text())
	w.skip(`,"value":`)
	s := scanner{data: w.rest}
	if w.ok = w.ok && s.value(); w.ok {
		p.Value = w.rest[:s.at]
		w.rest = w.rest[s.at:]
	}
	w.skip(`}`)
	return p, w.ok && len(w.rest) == 0 && p.Subject != ""
}

// written is a reader of JSON without spaces, escapes or surprises. After the
// first thing that it did not expect, ok is false.
type written struct {
	rest []byte
	ok   bool
}

func (w *written) skip(s string) {
	if w.ok = w.ok && len(w.rest) >= len(s) && string(w.rest[:len(s)]) == s; w.ok {
		w.rest = w.rest[len(s):]
	}
}

// text reads up to and with the closing quote.
func (w *written) text() []byte {
	end := bytes.IndexByte(w.rest, '"')
	if w.ok = w.ok && end >= 0 && bytes.IndexByte(w.rest[:end], '\\') < 0; !w.ok {
		return nil
	}
	s := w.rest[:end]
	w.rest = w.rest[end+1:]
	return s
}

func (w *written) number() uint32 {
	end := 0
	for end < len(w.rest) && '0' <= w.rest[end] && w.rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(w.rest[:end]), 10, 32)
	if w.ok = w.ok && err == nil && w.rest[0] != '0'; !w.ok {
		return 0
	}
	w.rest = w.rest[end:]
	return uint32(n)
}

// seal returns dst with value sealed under d as an envelope's JSON.
func (d *dek) seal(dst []byte, c Context, subject, path string, value []byte) ([]byte, error) {
	size := blindSize + 4 + len(path) + 4 + len(value)
	size += (padding - size%padding) % padding
	plain := make([]byte, blindSize, size)
	if _, err := rand.Read(plain); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	h := commitment(plain, c, path, value)
	plain = appendFields(plain, path)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(value))) //nolint:gosec // bounded by the document's size
	plain = append(plain, value...)
	clear(plain[len(plain):size])
	plain = plain[:size]

	sealed := d.box.seal(make([]byte, 0, size+boxExtra), plain, associated(c, subject, d.ver, path, h))
	return appendEnvelope(dst, subject, d.ver, path, sealed, h)
}

func appendEnvelope(dst []byte, subject string, ver uint32, path string, sealed, h []byte) ([]byte, error) {
	dst = append(dst, `{"$sealed":{"e":"`+Scheme+`","s":`...)
	dst, err := jsontext.AppendQuote(dst, subject)
	if err != nil {
		return nil, fmt.Errorf("%w: subject is not UTF-8", ErrMalformed)
	}
	dst = append(dst, `,"k":`...)
	dst = strconv.AppendUint(dst, uint64(ver), 10)
	dst = append(dst, `,"p":`...)
	if dst, err = jsontext.AppendQuote(dst, path); err != nil {
		return nil, fmt.Errorf("%w: path is not UTF-8", ErrMalformed)
	}
	dst = append(dst, `,"n":"`...)
	dst = encoding.AppendEncode(dst, sealed[:nonceSize])
	dst = append(dst, `","c":"`...)
	dst = encoding.AppendEncode(dst, sealed[nonceSize:])
	dst = append(dst, `","h":"`...)
	dst = encoding.AppendEncode(dst, h)
	return append(dst, `"}}`...), nil
}

// open returns the value in e, and the random bytes it was committed to with.
func (d *dek) open(c Context, e envelope) (value, blind []byte, err error) {
	sealed := make([]byte, 0, encoding.DecodedLen(len(e.nonce))+encoding.DecodedLen(len(e.ciphertext)))
	if sealed, err = encoding.AppendDecode(sealed, e.nonce); err != nil || len(sealed) != nonceSize {
		return nil, nil, fmt.Errorf("%w: nonce", ErrMalformed)
	}
	if sealed, err = encoding.AppendDecode(sealed, e.ciphertext); err != nil {
		return nil, nil, fmt.Errorf("%w: ciphertext", ErrMalformed)
	}
	h, err := encoding.AppendDecode(make([]byte, 0, sha256.Size+1), e.commitment)
	if err != nil || len(h) != sha256.Size {
		return nil, nil, fmt.Errorf("%w: commitment", ErrMalformed)
	}
	plain, err := d.box.open(sealed, associated(c, e.subject, e.key, e.path, h))
	if err != nil || len(plain) < blindSize {
		return nil, nil, ErrForged
	}
	blind, rest := plain[:blindSize], plain[blindSize:]
	path, rest, ok := cutField(rest)
	if !ok || string(path) != e.path {
		return nil, nil, ErrForged
	}
	value, _, ok = cutField(rest)
	if !ok || !hmac.Equal(h, commitment(blind, c, e.path, value)) {
		return nil, nil, ErrForged
	}
	return value, blind, nil
}

func associated(c Context, subject string, ver uint32, path string, h []byte) []byte {
	b := make([]byte, 0, 9*4+len(Scheme)+len(c.Tenant)+len(subject)+4+len(c.Stream)+len(c.EventID)+len(c.Type)+len(path)+len(h))
	b = appendFields(b, Scheme, c.Tenant, subject)
	b = binary.BigEndian.AppendUint32(b, 4)
	b = binary.BigEndian.AppendUint32(b, ver)
	b = appendFields(b, c.Stream, c.EventID, c.Type, path)
	b = binary.BigEndian.AppendUint32(b, sha256.Size)
	return append(b, h...)
}

func commitment(blind []byte, c Context, path string, value []byte) []byte {
	b := make([]byte, 0, 5*4+len(CommitScheme)+len(c.Tenant)+len(c.EventID)+len(path)+len(value))
	b = appendFields(b, CommitScheme, c.Tenant, c.EventID, path)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value))) //nolint:gosec // bounded by the document's size
	b = append(b, value...)
	m := hmac.New(sha256.New, blind)
	m.Write(b)
	return m.Sum(nil)
}

// appendFields writes each field after its length, so that no two lists of
// fields have the same bytes.
func appendFields(b []byte, fields ...string) []byte {
	for _, f := range fields {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f))) //nolint:gosec // names and paths, never 4 GB
		b = append(b, f...)
	}
	return b
}

func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint32(b))
	if b = b[4:]; n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// resolve returns the data key of e, or an erased one.
func (k *Keys) resolve(ctx context.Context, c Context, e envelope) (*dek, error) {
	if e.key == 0 {
		return nil, fmt.Errorf("%w: key version", ErrMalformed)
	}
	d, err := k.version(ctx, c.Tenant, e.subject, e.key)
	if errors.Is(err, ErrNoKey) {
		return nil, fmt.Errorf("%w: subject %s version %d", err, e.subject, e.key)
	}
	return d, err
}
