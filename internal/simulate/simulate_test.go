package simulate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"konto/internal/client"
	"konto/internal/simulate"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		tenants, years int
	}{{"no company", 0, 1}, {"too many companies", 10_001, 1}, {"no year", 1, 0}, {"too many years", 1, 51}} {
		if _, err := simulate.Run(t.Context(), simulate.Config{Tenants: c.tenants, Years: c.years}); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}

func TestSettledCompanyIsChecked(t *testing.T) {
	t.Parallel()
	who := []simulate.Person{{ID: "a"}}
	for name, c := range map[string]simulate.Settled{
		"of a country with no phones": {Country: "XX", People: who},
		"with nobody in it":           {Country: "SE"},
	} {
		if _, err := simulate.Run(t.Context(), simulate.Config{Tenants: 1, Years: 1, Settled: []simulate.Settled{c}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFaultsEndIt(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, place := range map[string]simulate.Place{
		"the clock": {AdvanceTo: func(context.Context, time.Time) error { return broken }},
		"a token": {
			AdvanceTo: func(context.Context, time.Time) error { return nil },
			As:        func(context.Context, simulate.Person) (*client.Client, error) { return nil, broken },
		},
	} {
		_, err := simulate.Run(t.Context(), simulate.Config{Tenants: 1, Years: 1, Start: start, Place: place})
		if !errors.Is(err, broken) {
			t.Errorf("%s: err = %v, want %v", name, err, broken)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	got := simulate.Names(map[string]int{"b": 1, "a": 1, "c": 2})
	if len(got) != 3 || got[0] != "c" || got[1] != "a" || got[2] != "b" {
		t.Errorf("Names = %v, want the most frequent first, then by name", got)
	}
}
