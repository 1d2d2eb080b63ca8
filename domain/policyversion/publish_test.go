package policyversion_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/policyversion"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// knowing returns what a decision about cmd may know: a policy that takes
// every object but those with the field "no".
func knowing(cmd PublishPolicyVersion) Meta {
	m := Meta{ID: "codes", Tenant: Tenant, At: now, Actor: domain.Actor{ID: "olga", Kind: domain.KindPerson, Roles: []domain.Role{domain.Operator}}}
	for _, n := range cmd.Needs(m) {
		name, rules, _ := strings.Cut(n.Key, "\x00")
		verdict := Verdict{Known: name == "codes", Rules: json.RawMessage(rules)}
		if strings.Contains(rules, "no") {
			verdict.Rules, verdict.Problem = nil, "no is no rule"
		}
		m.Facts = m.Facts.Knows(n, verdict)
	}
	return m
}

func TestPublish(t *testing.T) {
	t.Parallel()
	next := PublishPolicyVersion{Number: 2, EffectiveAt: now.AddDate(0, 1, 0), Rules: json.RawMessage(`{"hours":2}`), Note: " Longer codes. "}
	published := func(number int, at time.Time) PolicyVersionPublished {
		return PolicyVersionPublished{
			Name: "codes", Version: number, EffectiveAt: at, Rules: next.Rules, Note: "Longer codes.", PublishedBy: "olga", PublishedAt: now,
		}
	}
	second := []Event{published(2, next.EffectiveAt)}
	with := func(change func(*PublishPolicyVersion)) PublishPolicyVersion {
		c := next
		change(&c)
		return c
	}
	yesterday := now.AddDate(0, 0, -1)
	var cases []domaintest.Case[Policy]
	add := func(name string, given []Event, when PublishPolicyVersion, then []Event, err error) {
		cases = append(cases, domaintest.Case[Policy]{Name: name, Given: given, When: when, Meta: knowing(when), Then: then, Err: err})
	}
	add("N11: the second version", nil, next, second, nil)
	add("N11: the third version", second, with(func(c *PublishPolicyVersion) { c.Number = 3 }), []Event{published(3, next.EffectiveAt)}, nil)
	add("N11: the same again", second, next, nil, nil)
	add("N11: the same number with other rules", second, with(func(c *PublishPolicyVersion) { c.Rules = json.RawMessage(`{"hours":3}`) }), nil, ErrOutOfOrder)
	add("N11: the same number for another day", second, with(func(c *PublishPolicyVersion) { c.EffectiveAt = now }), nil, ErrOutOfOrder)
	add("N11: version 1 is the program's", nil, with(func(c *PublishPolicyVersion) { c.Number = 1 }), nil, ErrOutOfOrder)
	add("N11: a number is left out", nil, with(func(c *PublishPolicyVersion) { c.Number = 3 }), nil, ErrOutOfOrder)
	add("N11: at once", nil, with(func(c *PublishPolicyVersion) { c.EffectiveAt = time.Time{} }), []Event{published(2, now)}, nil)
	add("N11: at once, again", []Event{published(2, yesterday)}, with(func(c *PublishPolicyVersion) { c.EffectiveAt = time.Time{} }), nil, nil)
	add("N11: at this very moment", nil, with(func(c *PublishPolicyVersion) { c.EffectiveAt = now }), []Event{published(2, now)}, nil)
	add("N11: in the past", nil, with(func(c *PublishPolicyVersion) { c.EffectiveAt = yesterday }), nil, ErrPast)
	add("N11: in the past, as is meant", nil, with(func(c *PublishPolicyVersion) { c.EffectiveAt, c.Backdate = yesterday, true }), []Event{published(2, yesterday)}, nil)
	add("N11: rules that the policy cannot take", nil, with(func(c *PublishPolicyVersion) { c.Rules = json.RawMessage(`{"no":1}`) }), nil, ErrRules)
	add("N11: no note", nil, with(func(c *PublishPolicyVersion) { c.Note = " " }), nil, ErrNote)
	add("N11: a long note", nil, with(func(c *PublishPolicyVersion) { c.Note = strings.Repeat("å", 501) }), nil, ErrNote)
	domaintest.Run(t, Aggregate, cases)
}

func TestUnknownPolicy(t *testing.T) {
	t.Parallel()
	c := PublishPolicyVersion{Number: 2, Rules: json.RawMessage(`{}`), Note: "Why not."}
	m := Meta{ID: "weather", At: now}
	m.Facts = m.Facts.Knows(c.Needs(m)[0], Verdict{})
	if _, err := c.Decide(Policy{}, m); !errors.Is(err, ErrUnknown) {
		t.Errorf("N11: Decide = %v, want %v", err, ErrUnknown)
	}
}

func TestRefusalSaysWhatAndWhichIsNext(t *testing.T) {
	t.Parallel()
	c := PublishPolicyVersion{Number: 7, Rules: json.RawMessage(`{"no":1}`), EffectiveAt: now.AddDate(-1, 0, 0)}
	_, err := c.Decide(Policy{Versions: make([]Version, 2)}, knowing(c))
	all, ok := errors.AsType[*domain.Error](err)
	if !ok || len(all.Causes) != 4 {
		t.Fatalf("Decide = %v, want four things that are wrong", err)
	}
	for _, cause := range all.Causes {
		switch {
		case cause.Is(ErrRules) && cause.Facts["reason"] != "no is no rule",
			cause.Is(ErrOutOfOrder) && cause.Facts["next"] != 4:
			t.Errorf("N11: %v names %v", cause, cause.Facts)
		}
	}
}
