package domain_test

import (
	"testing"
	"time"

	"konto/domain"
)

type lifetimes struct{ Hours int }

var lifetimePolicy = domain.Policy[lifetimes]{Name: "lifetimes", First: lifetimes{1}}

func TestPolicyInForce(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	second := domain.Version[lifetimes]{Number: 2, EffectiveAt: day(10), Rules: lifetimes{2}}
	backdated := domain.Version[lifetimes]{Number: 3, EffectiveAt: day(5), Rules: lifetimes{3}}
	for _, c := range []struct {
		name     string
		versions []domain.Version[lifetimes]
		at       time.Time
		version  int
		hours    int
	}{
		{"nothing published", nil, day(1), 1, 1},
		{"before it is effective", []domain.Version[lifetimes]{second}, day(9), 1, 1},
		{"from its moment on", []domain.Version[lifetimes]{second}, day(10), 2, 2},
		{"a later version dated back wins", []domain.Version[lifetimes]{second, backdated}, day(11), 3, 3},
		{"and holds from its own date", []domain.Version[lifetimes]{second, backdated}, day(6), 3, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := domain.Meta{At: c.at, Facts: lifetimePolicy.Known(domain.Facts{}, c.versions...)}
			if got := lifetimePolicy.In(m); got.Hours != c.hours {
				t.Errorf("In = %+v, want %d hours", got, c.hours)
			}
			name, version := domain.Fact[domain.Terms[lifetimes]](m, lifetimePolicy.Name).InForce(c.at)
			if name != "lifetimes" || version != c.version {
				t.Errorf("InForce = %s %d, want lifetimes %d", name, version, c.version)
			}
		})
	}
}
