package privacy

import (
	"crypto/rand"
	"reflect"
	"testing"
)

// Wrapped returns the wrapped current key of a subject, as the file has it.
func Wrapped(tb testing.TB, k *Keys, tenant, subject string) []byte {
	tb.Helper()
	var b []byte
	if err := k.read.QueryRowContext(tb.Context(), `SELECT wrapped FROM dek WHERE tenant = ? AND subject = ? AND length(wrapped) > 0
		ORDER BY ver DESC LIMIT 1`, tenant, subject).Scan(&b); err != nil {
		tb.Fatal(err)
	}
	return b
}

// LiveGenerations returns how many of a tenant's generations are not destroyed.
func LiveGenerations(tb testing.TB, k *Keys, tenant string) (n int) {
	tb.Helper()
	if err := k.read.QueryRowContext(tb.Context(), `SELECT count(*) FROM kek WHERE tenant = ? AND state <> 'destroyed'`, tenant).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// Written says whether b is read without the general decoder, and whether both
// read the same.
func Written(b []byte) (fast, same bool) {
	e, ok := parseWritten(b)
	if !ok {
		return false, true
	}
	general, err := parseGeneral(b)
	return true, err == nil && reflect.DeepEqual(e, general)
}

// Commitment is what an envelope's h would be with blind.
func Commitment(blind []byte, c Context, path string, value []byte) string {
	return encoding.EncodeToString(commitment(blind, c, path, value))
}

// Fixed seals and opens with one key for all, without a key file.
type Fixed struct{ key *dek }

// NewFixed returns a Fixed with a new key.
func NewFixed() Fixed {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // it never fails
	b, err := newBox(key)
	if err != nil {
		panic(err)
	}
	return Fixed{&dek{box: b, ver: 1}}
}

// Seal is [Keys.Seal] of open values.
func (x Fixed) Seal(c Context, data []byte) ([]byte, error) {
	return replace(data, func(dst []byte, f *found) ([]byte, error) {
		if f.kind != kindPersonal || !f.alone {
			return nil, ErrMalformed
		}
		p, err := parsePersonal(f.inner)
		if err != nil {
			return nil, err
		}
		return x.key.seal(dst, c, p.Subject, f.path, p.Value)
	})
}

// Open is [Keys.Open].
func (x Fixed) Open(c Context, data []byte) ([]byte, error) {
	return replace(data, func(dst []byte, f *found) ([]byte, error) {
		if f.kind != kindSealed {
			return append(dst, f.whole...), nil
		}
		e, err := f.envelope()
		if err != nil {
			return nil, err
		}
		value, _, err := x.key.open(c, e)
		if err != nil {
			return nil, err
		}
		return appendPersonal(dst, e.subject, value)
	})
}
