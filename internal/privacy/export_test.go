package privacy

import (
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
