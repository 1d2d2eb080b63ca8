package domain_test

import (
	"testing"

	"konto/domain"
)

type (
	weather struct{ Rain bool }
	tide    int
)

func TestFacts(t *testing.T) {
	t.Parallel()
	var none domain.Facts
	one := none.Knows(domain.Of[weather]("umea"), weather{Rain: true})
	two := one.Knows(domain.Of[tide]("umea"), tide(3))
	if none.Has(domain.Of[weather]("umea")) || one.Has(domain.Of[tide]("umea")) {
		t.Error("Knows changed the facts that it was called on")
	}
	m := domain.Meta{Facts: two}
	if got := domain.Fact[weather](m, "umea"); !got.Rain {
		t.Errorf("Fact[weather] = %v, want rain", got)
	}
	if got := domain.Fact[tide](m, "umea"); got != 3 {
		t.Errorf("Fact[tide] = %d, want 3", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("Fact that was not declared: no panic")
		}
	}()
	domain.Fact[weather](m, "lund")
}

func TestSources(t *testing.T) {
	t.Parallel()
	state := domain.FromState(door, func(id string, s doorState) tide { return tide(s.WidthMillimetres + len(id)) })
	if got := state.State("abc", &doorState{WidthMillimetres: 900}); got != tide(903) || domain.Of[tide]("abc").Type != state.Type {
		t.Errorf("FromState = %v of %v, want 903 of a tide", got, state.Type)
	}
	input := domain.FromInput(func(key string) weather { return weather{key == "rain"} })
	if got := input.Input("rain"); got != (weather{true}) || input.Contract != nil {
		t.Errorf("FromInput = %v, want rain", got)
	}
}
