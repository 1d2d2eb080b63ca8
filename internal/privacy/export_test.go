package privacy

import (
	"reflect"
	"testing"
)

// Wrapped returns the wrapped current key of a subject, as the file has it.
func Wrapped(t testing.TB, k *Keys, tenant, subject string) []byte {
	t.Helper()
	var b []byte
	if err := k.read.QueryRowContext(t.Context(), `SELECT wrapped FROM dek WHERE tenant = ? AND subject = ? AND length(wrapped) > 0
		ORDER BY ver DESC LIMIT 1`, tenant, subject).Scan(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

// LiveGenerations returns how many of a tenant's generations are not destroyed.
func LiveGenerations(t testing.TB, k *Keys, tenant string) (n int) {
	t.Helper()
	if err := k.read.QueryRowContext(t.Context(), `SELECT count(*) FROM kek WHERE tenant = ? AND state <> 'destroyed'`, tenant).Scan(&n); err != nil {
		t.Fatal(err)
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
