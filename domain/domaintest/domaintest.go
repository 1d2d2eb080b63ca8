// Package domaintest runs given/when/then cases against an aggregate, and gives
// decisions the facts that they ask for.
package domaintest

import (
	"errors"
	"iter"
	"reflect"
	"testing"

	"konto/domain"
)

// Case is one rule: given these events, when this command, then these events,
// this error, or both.
type Case[S any] struct {
	Name  string
	Given []domain.Event[S]
	When  domain.Command[S]
	Meta  domain.Meta
	Then  []domain.Event[S]
	Err   error // matched with errors.Is
}

// Run runs the cases. Every event goes through the codec both ways, and a
// Decide that changes the state it was given fails. A case with neither Then
// nor Err expects that nothing happens.
func Run[S any](t *testing.T, a *domain.Aggregate[S], cases []Case[S]) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Helper()
			run(t, a, c)
		})
	}
}

func run[S any](t *testing.T, a *domain.Aggregate[S], c Case[S]) {
	t.Helper()
	when, err := a.Encode(c.When)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := a.Execute(history(a, c.Given), when, c.Meta)
	if !errors.Is(err, c.Err) {
		t.Fatalf("err = %v, want %v", err, c.Err)
	}
	var got []domain.Event[S]
	for _, raw := range raws {
		e, err := a.DecodeEvent(raw)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.(domain.Event[S]))
	}
	if !reflect.DeepEqual(got, c.Then) {
		t.Errorf("events = %+v, want %+v", got, c.Then)
	}
	before, err := a.Fold(history(a, c.Given))
	if err != nil {
		t.Fatal(err)
	}
	after, _ := a.Fold(history(a, c.Given))
	_, _ = c.When.Decide(after, c.Meta)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("Decide changed the state from %+v to %+v", before, after)
	}
}

func history[S any](a *domain.Aggregate[S], events []domain.Event[S]) iter.Seq2[domain.Raw, error] {
	return func(yield func(domain.Raw, error) bool) {
		for _, e := range events {
			if !yield(a.Encode(e)) {
				return
			}
		}
	}
}

// Gather returns m with the facts that cmd asks for, as fact knows them. It
// asks again until nothing new is named, as the command handler does, so a
// test finds out when a command leaves a need out. A command that needs none
// gets m back.
func Gather(m domain.Meta, cmd any, fact func(domain.Need) any) domain.Meta {
	needer, ok := cmd.(domain.Needer)
	for more := ok; more; {
		more = false
		for _, n := range needer.Needs(m) {
			if !m.Facts.Has(n) {
				m.Facts, more = m.Facts.Knows(n, fact(n)), true
			}
		}
	}
	return m
}
