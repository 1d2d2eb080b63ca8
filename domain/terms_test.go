package domain_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
)

type lifetimes struct{ Hours int }

var lifetimePolicy = domain.Policy[lifetimes]{Name: "lifetimes", First: lifetimes{1}}

func TestPolicyComing(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	version := func(number, on int) domain.Version[lifetimes] {
		return domain.Version[lifetimes]{Number: number, EffectiveAt: day(on)}
	}
	for _, c := range []struct {
		name     string
		versions []domain.Version[lifetimes]
		want     []int
	}{
		{"nothing published", nil, nil},
		{"in force", []domain.Version[lifetimes]{version(2, 4)}, nil},
		{"in force at this moment", []domain.Version[lifetimes]{version(2, 5)}, nil},
		{"to come", []domain.Version[lifetimes]{version(2, 6)}, []int{2}},
		{"two to come", []domain.Version[lifetimes]{version(2, 6), version(3, 7)}, []int{2, 3}},
		{"one that a later version overtakes", []domain.Version[lifetimes]{version(2, 7), version(3, 6)}, []int{3}},
		{"one that a version in force overtakes", []domain.Version[lifetimes]{version(2, 7), version(3, 4)}, nil},
	} {
		m := domain.Meta{At: day(5), Facts: lifetimePolicy.Known(domain.Facts{}, c.versions...)}
		var got []int
		for _, v := range lifetimePolicy.Coming(m) {
			got = append(got, v.Number)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: coming %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPolicyNumbered(t *testing.T) {
	t.Parallel()
	later := domain.Version[lifetimes]{Number: 2, EffectiveAt: time.Date(2026, 1, 9, 0, 0, 0, 0, time.UTC), Rules: lifetimes{2}}
	m := domain.Meta{At: later.EffectiveAt.Add(-time.Hour), Facts: lifetimePolicy.Known(domain.Facts{}, later)}
	for _, c := range []struct {
		name          string
		number, hours int
		known         bool
	}{
		{"the first, published by nobody", 1, 1, true},
		{"one that is not in force", 2, 2, true},
		{"one that is not there", 3, 0, false},
		{"none", 0, 0, false},
	} {
		if got, known := lifetimePolicy.Numbered(m, c.number); got.Hours != c.hours || known != c.known {
			t.Errorf("%s: Numbered(%d) = %+v, %v, want %d hours, %v", c.name, c.number, got, known, c.hours, c.known)
		}
	}
}

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
