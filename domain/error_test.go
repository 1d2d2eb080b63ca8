package domain_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
)

func TestAll(t *testing.T) {
	t.Parallel()
	a, b := domain.Invalid("a", "a"), domain.Invalid("b", "b")
	if err := domain.All(nil, nil); err != nil {
		t.Errorf("All of nothing = %v, want nil", err)
	}
	if err := domain.All(); err != nil {
		t.Errorf("All() = %v, want nil", err)
	}
	if one, ok := errors.AsType[*domain.Error](domain.All(nil, a, nil)); !ok || one != a {
		t.Errorf("All of one = %v, want %v itself", one, a)
	}
	given := []*domain.Error{a, nil, b}
	err := domain.All(given...)
	var sum *domain.Error
	if !errors.As(err, &sum) || sum.Kind != domain.KindInvalid || !slices.Equal(sum.Causes, []*domain.Error{a, b}) {
		t.Errorf("All of two = %#v, want an invalid sum of both", err)
	}
	if given[1] != nil || given[2] != b {
		t.Error("All changed its arguments")
	}
	if !errors.Is(err, a) || !errors.Is(err, b) || errors.Is(err, domain.Invalid("c", "c")) {
		t.Errorf("%v does not match its causes, or matches others", err)
	}
}

func TestErrorIs(t *testing.T) {
	t.Parallel()
	sentinel := domain.Conflict("taken", "it is taken")
	derived := sentinel.ByRule("X1").Allowed("Wait", domain.GlobalAdmin).At("/seat").With("by", "s2").With("row", 3)
	if !errors.Is(derived, sentinel) || errors.Is(derived, domain.Conflict("gone", "it is taken")) || errors.Is(derived, errors.New("taken")) {
		t.Error("an error does not match by its code alone")
	}
	if diff := cmp.Diff(domain.Conflict("taken", "it is taken"), sentinel); diff != "" {
		t.Errorf("the sentinel was changed (-want +got):\n%s", diff)
	}
	want := &domain.Error{
		Kind: domain.KindConflict, Code: "taken", Detail: "it is taken", Rule: "X1", WhoMay: []domain.Role{domain.GlobalAdmin},
		Instead: "Wait", Pointer: "/seat", Facts: map[string]any{"by": "s2", "row": 3},
	}
	if diff := cmp.Diff(want, derived); diff != "" {
		t.Errorf("derived (-want +got):\n%s", diff)
	}
	once := sentinel.With("by", "s1")
	again := once.With("by", "s2")
	if once.Facts["by"] != "s1" || again.Facts["by"] != "s2" {
		t.Errorf("With shares its facts: %v, %v", once.Facts, again.Facts)
	}
	if got, want := derived.Error(), "taken: it is taken"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}
