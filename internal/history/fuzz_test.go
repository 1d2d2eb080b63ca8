package history_test

import (
	"testing"

	"konto/domain"
	"konto/internal/history"
)

// A moment is read or refused as a malformed request, whatever somebody writes.
func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{"", "0", "12", "-1", "2026-03-01", "2026-03-01T12:00", "2026-03-01T12:00:00Z", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := history.ParseMoment(s)
		if err == nil {
			return
		}
		refused, ok := err.(*domain.Error) //nolint:errorlint // ParseMoment's own, unwrapped
		if !ok || refused.Kind != domain.KindMalformed {
			t.Errorf("ParseMoment(%q): err = %v, want a malformed one", s, err)
		}
	})
}
