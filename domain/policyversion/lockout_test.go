package policyversion_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/policyversion"
	"konto/domain/recovery"
)

// exposed is what a decision about the recovery policy may know.
type exposed struct {
	after    time.Duration // since now
	of       map[string]recovery.Standing
	versions []domain.Version[recovery.Terms]
}

func (w exposed) meta(name string, cmd any) Meta {
	m := Meta{ID: name, Tenant: Tenant, At: now.Add(w.after), Actor: domain.Actor{ID: "olga", Kind: domain.KindPerson}}
	return domaintest.Gather(m, cmd, func(n domain.Need) any {
		switch n.Type {
		case reflect.TypeFor[Verdict]():
			name, rules, _ := strings.Cut(n.Key, "\x00")
			return Verdict{Known: name != "", Rules: json.RawMessage(rules)}
		case reflect.TypeFor[recovery.Exposures]():
			of := map[string]recovery.Standing{}
			for tenant, s := range w.of {
				if recovery.ShardOf(tenant) == n.Key {
					of[tenant] = s
				}
			}
			return recovery.Exposures{Of: of}
		}
		return domain.Terms[recovery.Terms]{Name: n.Key, Versions: w.versions}
	})
}

// without are organizations without a domain, spread over the registers.
func without(n int) exposed {
	w := exposed{of: map[string]recovery.Standing{}}
	for i := range n {
		w.of[fmt.Sprint("tenant-", i)] = recovery.Standing{Domains: 1}
	}
	return w
}

func (w exposed) knows(t recovery.Terms, at time.Time) exposed {
	w.versions = append(slices.Clip(w.versions), domain.Version[recovery.Terms]{Number: len(w.versions) + 2, EffectiveAt: at, Rules: t})
	return w
}

func (w exposed) later(d time.Duration) exposed { w.after = d; return w }

func strictTerms() recovery.Terms {
	t := recovery.Policy.First
	t.TrialDays, t.OneGateWithoutDomain = 0, false
	return t
}

func rulesOf(t recovery.Terms) json.RawMessage {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	return b
}

func TestPublishingLocksNobodyOut(t *testing.T) {
	t.Parallel()
	var (
		cases  []domaintest.Case[Policy]
		strict = PublishPolicyVersion{Number: 2, Rules: rulesOf(strictTerms()), Note: "Two for all."}
		first  = recovery.Policy.First
		custom = exposed{of: map[string]recovery.Standing{"tenant-0": {Domains: 2}}}
		trial  = exposed{of: map[string]recovery.Standing{"tenant-0": {Domains: 2, TrialSince: now.AddDate(0, 0, -5)}}}
		notice = now.Add(Notice)
	)
	at := func(c PublishPolicyVersion, when time.Time) PublishPolicyVersion { c.EffectiveAt = when; return c }
	published := func(c PublishPolicyVersion, when time.Time, locksOut int) []Event {
		return []Event{PolicyVersionPublished{
			Name: "account-recovery", Version: c.Number, EffectiveAt: when, Rules: c.Rules, Note: c.Note,
			PublishedBy: "olga", PublishedAt: now, LocksOut: locksOut,
		}}
	}
	row := func(name string, w exposed, given []Event, when PublishPolicyVersion, then []Event, err error) {
		cases = append(cases, domaintest.Case[Policy]{
			Name: "I8, N11: " + name, Given: given, When: when, Meta: w.meta("account-recovery", when), Then: then, Err: err,
		})
	}
	row("at once, and nobody is exposed", without(0), nil, strict, published(strict, now, 0), nil)
	row("at once, and one would be locked out", without(1), nil, strict, nil, ErrLocksOut)
	row("at once, and many would be locked out", without(40), nil, strict, nil, ErrLocksOut)
	row("tomorrow", without(1), nil, at(strict, now.AddDate(0, 0, 1)), nil, ErrLocksOut)
	row("a second too soon", without(1), nil, at(strict, notice.Add(-time.Second)), nil, ErrLocksOut)
	row("in two weeks, so that they can be told", without(40), nil, at(strict, notice), published(strict, notice, 40), nil)
	row("in two weeks, again", without(40).later(time.Hour), published(strict, notice, 40), at(strict, notice), nil, nil)
	row("dated back", without(1), nil, func() PublishPolicyVersion {
		c := at(strict, now.AddDate(0, 0, -1))
		c.Backdate = true
		return c
	}(), nil, ErrLocksOut)
	row("those with a domain could not recover before either", custom, nil, strict, published(strict, now, 0), nil)
	row("one on a trial would be locked out", trial, nil, strict, nil, ErrLocksOut)
	row("one on a trial that is over by then", trial, nil, at(strict, now.AddDate(0, 0, 26)), published(strict, now.AddDate(0, 0, 26), 0), nil)

	spares := strict
	spares.Rules = rulesOf(func() recovery.Terms { t := strictTerms(); t.OneGateWithoutDomain = true; return t }())
	row("rules that spare them", without(40), nil, spares, published(spares, now, 0), nil)
	codes := strict
	codes.Rules = rulesOf(func() recovery.Terms { t := first; t.WrongCodes = 3; return t }())
	row("rules about something else", without(40), nil, codes, published(codes, now, 0), nil)

	third := strict
	third.Number = 3
	given := published(strict, now, 0)
	row("they are strict already", without(3).knows(strictTerms(), now.AddDate(0, 0, -1)), given, third, published(third, now, 0), nil)
	loose := PublishPolicyVersion{Number: 3, Rules: rulesOf(first), Note: "As before."}
	row("looser rules", without(3).knows(strictTerms(), now.AddDate(0, 0, -1)), given, loose, published(loose, now, 0), nil)
	row("sooner than a version that is to come", without(3).knows(strictTerms(), notice), given, third, nil, ErrLocksOut)
	row("later than a version that is to come", without(3).knows(strictTerms(), notice), given, at(third, notice.Add(time.Hour)), published(third, notice.Add(time.Hour), 0), nil)
	domaintest.Run(t, Aggregate, cases)
}

func TestOtherPoliciesLockNobodyOut(t *testing.T) {
	t.Parallel()
	c := PublishPolicyVersion{Number: 2, Rules: rulesOf(strictTerms()), Note: "Not about recovery."}
	m := without(3).meta("codes", c)
	if needs := c.Needs(m); len(needs) != 1 {
		t.Errorf("I8: another policy asks for %d facts, want the verdict alone", len(needs))
	}
	if _, err := c.Decide(Policy{}, m); err != nil {
		t.Errorf("I8: another policy: %v", err)
	}
}

func TestTheRefusalSaysHowManyAndFromWhenOn(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1 organization would", 40: "40 organizations would"} {
		c := PublishPolicyVersion{Number: 2, Rules: rulesOf(strictTerms()), Note: "Two for all."}
		_, err := c.Decide(Policy{}, without(n).meta("account-recovery", c))
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Rule != "I8" || e.Facts["organizations"] != n || e.Facts["notBefore"] != now.Add(Notice) || e.Instead != "PublishPolicyVersion" || !strings.HasPrefix(e.Detail, want) {
			t.Errorf("I8: %+v, want %d organizations, the first day, and what to do", e, n)
		}
		if b, _ := json.Marshal(e); strings.Contains(string(b), "tenant-") {
			t.Errorf("I8: %s names organizations", b)
		}
	}
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	var (
		cases  []domaintest.Case[Policy]
		notice = now.Add(Notice)
		next   = notice.Add(Postponement)
		early  = Notice - RecheckLead
		given  = []Event{PolicyVersionPublished{Name: "account-recovery", Version: 2, EffectiveAt: notice, PublishedAt: now, LocksOut: 3}}
	)
	postponed := func(from, to time.Time, after time.Duration, n int) []Event {
		return []Event{PolicyVersionPostponed{
			Name: "account-recovery", Version: 2, From: from, EffectiveAt: to, LocksOut: n, PostponedAt: now.Add(after),
		}}
	}
	row := func(name string, w exposed, policy string, then []Event) {
		when := RecheckPolicyVersion{Version: 2}
		cases = append(cases, domaintest.Case[Policy]{Name: "I8: looked at again: " + name, Given: given, When: when, Meta: w.meta(policy, when), Then: then})
	}
	coming := without(2).knows(strictTerms(), notice).later(early)
	row("two would still be locked out", coming, "account-recovery", postponed(notice, next, early, 2))
	row("nobody would be locked out any more", without(0).knows(strictTerms(), notice).later(early), "account-recovery", nil)
	row("put off before, and again", without(1).knows(strictTerms(), next).later(early+Postponement), "account-recovery", postponed(next, next.Add(Postponement), early+Postponement, 1))
	row("it is in force", coming.later(Notice), "account-recovery", nil)
	row("a later version spares them", coming.knows(recovery.Policy.First, now), "account-recovery", nil)
	row("it was never published", without(2).later(early), "account-recovery", nil)
	row("another policy", coming, "codes", nil)
	domaintest.Run(t, Aggregate, cases)
}

// A version that was put off is the one that was published, for another day.
func TestPostponed(t *testing.T) {
	t.Parallel()
	notice := now.Add(Notice)
	publish := PublishPolicyVersion{Number: 2, EffectiveAt: notice, Rules: rulesOf(strictTerms()), Note: "Two for all."}
	w := without(2)
	events, err := publish.Decide(Policy{}, w.meta("account-recovery", publish))
	if err != nil {
		t.Fatal(err)
	}
	events = append(events,
		PolicyVersionPostponed{Version: 2, From: notice, EffectiveAt: notice.AddDate(0, 0, 7), LocksOut: 2},
		PolicyVersionPostponed{Version: 2, From: notice.AddDate(0, 0, 7), EffectiveAt: notice.AddDate(0, 0, 14), LocksOut: 1})
	var p Policy
	for _, e := range events {
		e.Evolve(&p)
	}
	v := p.Versions[0]
	if !v.EffectiveAt.Equal(notice.AddDate(0, 0, 14)) || !v.AnnouncedFor.Equal(notice) || v.LocksOut != 1 || p.Next() != 3 {
		t.Errorf("I8: %+v, want it two weeks later than it was announced for", v)
	}
	if again, err := publish.Decide(p, w.meta("account-recovery", publish)); err != nil || again != nil {
		t.Errorf("I8: publishing it again = %v, %v, want nothing", again, err)
	}
}
