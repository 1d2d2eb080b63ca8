package recovery_test

import (
	"testing"
	"time"

	. "konto/domain/recovery"
)

func TestGate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	strict := Policy.First
	strict.TrialDays, strict.OneGateWithoutDomain = 0, false
	for name, c := range map[string]struct {
		terms Terms
		role  bool
		in    Standing
		want  Gate
	}{
		"S4: no role":                          {Policy.First, false, Standing{Domains: 2}, GateOne},
		"S4: a role":                           {Policy.First, true, Standing{Domains: 2}, GateTwo},
		"S4: a role, no domain":                {Policy.First, true, Standing{Domains: 1}, GateOne},
		"S4: a role on a trial":                {Policy.First, true, Standing{2, now.AddDate(0, 0, -29)}, GateOne},
		"S4: a role, the trial is over":        {Policy.First, true, Standing{2, now.AddDate(0, 0, -30)}, GateTwo},
		"S4: a role, no domain, two always":    {strict, true, Standing{Domains: 1}, GateTwo},
		"S4: a role on a trial, two always":    {strict, true, Standing{2, now}, GateTwo},
		"S4: no role, two always":              {strict, false, Standing{Domains: 1}, GateOne},
		"S4: the trial is over, no domain yet": {Policy.First, true, Standing{1, now.AddDate(-1, 0, 0)}, GateOne},
	} {
		if got := c.terms.GateOf(c.role, c.in, now); got != c.want {
			t.Errorf("%s: gate %s, want %s", name, got, c.want)
		}
	}
}

func TestContactsPass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		contacts Contacts
		one, two bool
	}{
		{Contacts{}, false, false},
		{Contacts{Phone: true}, true, false},
		{Contacts{Mail: true}, true, false},
		{Contacts{Phone: true, Mail: true}, true, true},
	} {
		if one, two := c.contacts.Pass(GateOne), c.contacts.Pass(GateTwo); one != c.one || two != c.two {
			t.Errorf("S4: %+v passes one gate %v, two %v; want %v, %v", c.contacts, one, two, c.one, c.two)
		}
	}
}
