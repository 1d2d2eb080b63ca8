package domain

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Policy is a set of rules that are data, because they changed over the years
// and may change again: P holds their values. A rule reads what is in force
// when its command is accepted, and the event's metadata names the version.
//
// Declare one as a package variable of the aggregate that obeys it, name
// [Policy.Need] among the facts of each command that reads it, and list it
// where all policies are listed, so that versions of it can be published.
type Policy[P any] struct {
	Name string // kebab-case, for ever: its versions are the stream policy-<Name>
	// First is version 1. It is in force from the beginning, published by nobody.
	First P
}

// Terms are all versions of a policy, as a fact. The zero value holds none:
// version 1 is in force.
type Terms[P any] struct {
	Name     string
	Versions []Version[P] // 2 and later, in the order of their numbers
}

// Version is one published version of a policy.
type Version[P any] struct {
	Number      int
	EffectiveAt time.Time
	Rules       P
}

// Need is the fact that [Policy.In] reads.
func (p Policy[P]) Need() Need { return Of[Terms[P]](p.Name) }

// In returns the rules in force when m's command was accepted. It panics if
// the command did not declare the need; see [Fact].
func (p Policy[P]) In(m Meta) P {
	v, ok := Fact[Terms[P]](m, p.Name).at(m.At)
	if !ok {
		return p.First
	}
	return v.Rules
}

// Numbered returns the rules of a version, in force or not, for what keeps to
// those under which it began. It reports false if m knows no such version.
func (p Policy[P]) Numbered(m Meta, number int) (P, bool) {
	if number == 1 {
		return p.First, true
	}
	for _, v := range Fact[Terms[P]](m, p.Name).Versions {
		if v.Number == number {
			return v.Rules, true
		}
	}
	var none P
	return none, false
}

// Coming returns the versions that come into force after m's command was
// accepted, in the order of their numbers. One that a later version overtakes
// never does.
func (p Policy[P]) Coming(m Meta) []Version[P] {
	terms := Fact[Terms[P]](m, p.Name)
	var coming []Version[P]
	for _, v := range terms.Versions {
		if in, ok := terms.at(v.EffectiveAt); ok && in.Number == v.Number && v.EffectiveAt.After(m.At) {
			coming = append(coming, v)
		}
	}
	return coming
}

// Known returns f with p's versions, for tests; without any, version 1 is in force.
func (p Policy[P]) Known(f Facts, versions ...Version[P]) Facts {
	return f.Knows(p.Need(), Terms[P]{p.Name, versions})
}

// InForce returns the policy's name and the number of the version in force at
// a time. What gathers facts for a decision records it with the events.
func (t Terms[P]) InForce(at time.Time) (name string, version int) {
	if v, ok := t.at(at); ok {
		return t.Name, v.Number
	}
	return t.Name, 1
}

// at returns the version with the highest number of those that are effective:
// a later version may be dated back.
func (t Terms[P]) at(at time.Time) (in Version[P], ok bool) {
	for _, v := range t.Versions {
		if !v.EffectiveAt.After(at) && v.Number > in.Number {
			in, ok = v, true
		}
	}
	return in, ok
}

// RoleTerms are the values of a policy that names roles and nothing else.
type RoleTerms struct {
	Roles []Role `json:"roles"`
}

// Validate implements the check of published terms.
func (t RoleTerms) Validate() error {
	if len(t.Roles) == 0 {
		return errors.New("roles must name one role or more")
	}
	for i, r := range t.Roles {
		if !slices.Contains(Roles(), r) {
			return fmt.Errorf("roles: there is no role %q", r)
		}
		if slices.Contains(t.Roles[:i], r) {
			return fmt.Errorf("roles: %s is named twice", r)
		}
	}
	return nil
}
