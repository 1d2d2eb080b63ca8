package privacy

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
)

// Disclosure is one value of an event, and what proves to somebody who has the
// event's bytes, but no key, that it is the value that was sealed there. It
// says nothing of the event's other values.
type Disclosure struct {
	Path  string          `json:"path"`  // JSON Pointer (RFC 6901) in the event's data
	Value json.RawMessage `json:"value"` // as the event had it
	Blind []byte          `json:"blind"` // the key of its commitment
}

// Disclose returns the value at path in data, the sealed data of the event that
// c says. A path without a sealed value is an [ErrMalformed]; a value about an
// erased subject is an [ErrErased].
func (k *Keys) Disclose(ctx context.Context, c Context, data []byte, path string) (Disclosure, error) {
	e, err := sealedAt(data, path)
	if err != nil {
		return Disclosure{}, fmt.Errorf("disclose %s of %s: %w", path, c.Stream, err)
	}
	d, err := k.resolve(ctx, c, e)
	if err == nil && d.erased {
		err = ErrErased
	}
	if err != nil {
		return Disclosure{}, fmt.Errorf("disclose %s of %s: %w", path, c.Stream, err)
	}
	value, blind, err := d.open(c, e)
	if err != nil {
		return Disclosure{}, fmt.Errorf("disclose %s of %s: %w", path, c.Stream, err)
	}
	return Disclosure{path, value, blind}, nil
}

// Verify reports whether d is what was sealed in data, the data of the event
// that c says, and an [ErrForged] if not. It needs no key and may run anywhere.
// That data is the event's is for a proof over the log to show.
func (d Disclosure) Verify(c Context, data []byte) error {
	e, err := sealedAt(data, d.Path)
	if err != nil {
		return fmt.Errorf("disclosure of %s: %w", d.Path, err)
	}
	h, err := encoding.DecodeString(string(e.commitment))
	if err != nil || len(d.Blind) != blindSize || !hmac.Equal(h, commitment(d.Blind, c, d.Path, d.Value)) {
		return fmt.Errorf("disclosure of %s: %w", d.Path, ErrForged)
	}
	return nil
}

func sealedAt(data []byte, path string) (envelope, error) {
	all, err := scan(data)
	if err != nil {
		return envelope{}, err
	}
	for i := range all {
		if f := &all[i]; f.kind == kindSealed && f.path == path {
			e, err := f.envelope()
			if err == nil && e.path != path {
				err = ErrForged
			}
			return e, err
		}
	}
	return envelope{}, fmt.Errorf("%w: no sealed value there", ErrMalformed)
}
