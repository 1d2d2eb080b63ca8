package recovery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/recovery"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func in(days int) time.Time { return noon.AddDate(0, 0, days) }

// terms are the first version's, with another trial and another domain rule.
func terms(trialDays int, oneWithoutDomain bool) Terms {
	t := Policy.First
	t.TrialDays, t.OneGateWithoutDomain = trialDays, oneWithoutDomain
	return t
}

func version(number int, at time.Time, t Terms) domain.Version[Terms] {
	return domain.Version[Terms]{Number: number, EffectiveAt: at, Rules: t}
}

func knowing(versions ...domain.Version[Terms]) domain.Meta {
	return domain.Meta{At: noon, Facts: Policy.Known(domain.Facts{}, versions...)}
}

func TestLockedOut(t *testing.T) {
	t.Parallel()
	var (
		initial = Standing{Domains: 1}
		custom  = Standing{Domains: 2}
		trial   = Standing{Domains: 2, TrialSince: in(-5)}
		strict  = terms(0, false)
		domains = terms(30, false) // two without a domain, too
		trials  = terms(0, true)   // two on a trial, too
		first   = Policy.First
	)
	for _, c := range []struct {
		name   string
		v      domain.Version[Terms]
		before []domain.Version[Terms]
		s      Standing
		want   time.Time // zero: it is not locked out
	}{
		{"I8: without a domain, one was enough", version(2, in(0), strict), nil, initial, in(0)},
		{"I8: with a domain, two were needed before", version(2, in(0), strict), nil, custom, time.Time{}},
		{"I8: on a trial, one was enough", version(2, in(0), strict), nil, trial, in(0)},
		{"I8: on a trial that will be over by then", version(2, in(25), strict), nil, trial, time.Time{}},
		{"I8: on a trial's last day", version(2, in(24), strict), nil, trial, in(24)},
		{"I8: a trial that is made shorter ends sooner", version(2, in(0), terms(10, true)), nil, trial, in(5)},
		{"I8: a trial that is made longer", version(2, in(0), terms(60, true)), nil, trial, time.Time{}},
		{"I8: a rule on domains leaves trials alone", version(2, in(0), domains), nil, trial, time.Time{}},
		{"I8: a rule on domains", version(2, in(0), domains), nil, initial, in(0)},
		{"I8: a rule on trials leaves those without a domain alone", version(2, in(0), trials), nil, Standing{1, in(-5)}, time.Time{}},
		{"I8: a rule on trials", version(2, in(0), trials), nil, trial, in(0)},
		{"I8: a trial without a domain, and both rules", version(2, in(0), domains), nil, Standing{1, in(-5)}, in(25)},
		{"I8: nothing about the gate", version(2, in(0), first), nil, initial, time.Time{}},
		{"I8: strict already", version(3, in(0), strict), []domain.Version[Terms]{version(2, in(-9), strict)}, initial, time.Time{}},
		{"I8: strict by then without it", version(3, in(20), strict), []domain.Version[Terms]{version(2, in(9), strict)}, initial, time.Time{}},
		{"I8: sooner than it was to be", version(3, in(5), strict), []domain.Version[Terms]{version(2, in(9), strict)}, initial, in(5)},
		{"I8: loosened in between", version(4, in(0), strict), []domain.Version[Terms]{version(2, in(-9), strict), version(3, in(-8), first)}, initial, in(0)},
		{"I8: dated back, it matters from now on", version(2, in(-9), strict), nil, initial, in(0)},
		{"I8: what was published since is not before it", version(2, in(9), strict), []domain.Version[Terms]{version(3, in(-1), strict)}, initial, in(9)},
	} {
		got := Exposures{map[string]Standing{"contoso": c.s}}.LockedOut(knowing(append(c.before, c.v)...), c.v)
		var want []Lockout
		if !c.want.IsZero() {
			want = []Lockout{{"contoso", c.want}}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: locked out %v, want %v", c.name, got, want)
		}
	}
}

func TestLockedOutAreInOrder(t *testing.T) {
	t.Parallel()
	e := Exposures{map[string]Standing{"c": {Domains: 1}, "a": {Domains: 1}, "d": {Domains: 2}, "b": {Domains: 1}}}
	got := e.LockedOut(knowing(), version(2, in(1), terms(0, false)))
	if want := []Lockout{{"a", in(1)}, {"b", in(1)}, {"c", in(1)}}; !slices.Equal(got, want) {
		t.Errorf("I8: locked out %v, want %v", got, want)
	}
}

func TestRaised(t *testing.T) {
	t.Parallel()
	strict := terms(0, false)
	for _, c := range []struct {
		name     string
		versions []domain.Version[Terms]
		s        Standing
		want     bool
	}{
		{"I8: nothing to come", nil, Standing{Domains: 1}, false},
		{"I8: to come", []domain.Version[Terms]{version(2, in(1), strict)}, Standing{Domains: 1}, true},
		{"I8: to come, and two are needed now", []domain.Version[Terms]{version(2, in(1), strict)}, Standing{Domains: 2}, false},
		{"I8: in force", []domain.Version[Terms]{version(2, in(0), strict)}, Standing{Domains: 1}, false},
		{"I8: overtaken", []domain.Version[Terms]{version(2, in(2), strict), version(3, in(1), Policy.First)}, Standing{Domains: 1}, false},
	} {
		if got := Raised(knowing(c.versions...), c.s); got != c.want {
			t.Errorf("%s: raised %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	m := knowing(version(2, in(9), terms(0, false)), version(3, in(5), Policy.First))
	for number, want := range map[int]bool{1: false, 2: false, 3: true, 4: false} {
		if v, ok := Published(m, number); ok != want || ok && v.Number != number {
			t.Errorf("I8: version %d: %+v, %v, want %v: 3 overtakes 2, 4 is not published", number, v, ok, want)
		}
	}
}

// Every organization is in one shard for ever, and no shard has most of them.
func TestShards(t *testing.T) {
	t.Parallel()
	keys := Shards()
	if len(keys) != 16 || !slices.Equal(slices.Compact(slices.Sorted(slices.Values(keys))), keys) {
		t.Fatalf("shards = %v, want sixteen in order", keys)
	}
	count := map[string]int{}
	for i := range 16_000 {
		count[ShardOf(fmt.Sprintf("01930000-0000-7000-8000-%012x", i))]++
	}
	for _, k := range keys {
		if count[k] < 500 || count[k] > 2000 {
			t.Errorf("I8: %d of 16000 organizations are in shard %s", count[k], k)
		}
	}
	if got := ShardOf("01930000-0000-7000-8000-000000000001"); got != "2" {
		t.Errorf("I8: the shard is %s now, and was 2", got)
	}
}
