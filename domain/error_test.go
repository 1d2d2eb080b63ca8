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

// What a sum says is true of all its causes; its kind is the gravest.
func TestAllSaysWhatItsCausesShare(t *testing.T) {
	t.Parallel()
	field := domain.Invalid("field", "wrong").ByRule("C1").Allowed("", domain.BillingAdmin)
	other := domain.Invalid("other", "wrong").ByRule("C1").Allowed("", domain.BillingAdmin)
	taken := domain.Conflict("taken", "taken").ByRule("K2").Allowed("Replace", domain.GlobalAdmin).For(domain.BillingAdmin)
	theirs := domain.Forbidden("theirs", "theirs").ByRule("C4").For(domain.WhoOwner)
	none := domain.NotFound("none", "none")
	for _, c := range []struct {
		name   string
		causes []*domain.Error
		kind   domain.Kind
		rule   string
		who    []domain.Role
		rules  []string
	}{
		{"N10: one rule refuses twice", []*domain.Error{field, other}, domain.KindInvalid, "C1", []domain.Role{domain.BillingAdmin}, []string{"C1"}},
		{"N10: a conflict is graver than a field", []*domain.Error{field, taken}, domain.KindConflict, "", []domain.Role{domain.BillingAdmin}, []string{"C1", "K2"}},
		{"N10: what is another's is graver than both", []*domain.Error{theirs, taken, field}, domain.KindForbidden, "", nil, []string{"C4", "K2", "C1"}},
		{"N10: what is not there is the gravest", []*domain.Error{theirs, none}, domain.KindNotFound, "", nil, []string{"C4"}},
	} {
		sum, ok := errors.AsType[*domain.Error](domain.All(c.causes...))
		if !ok || sum.Code != "several-problems" || sum.Kind != c.kind || sum.Rule != c.rule || sum.Instead != "" ||
			!slices.Equal(sum.WhoMay, c.who) || !slices.Equal(sum.Rules(), c.rules) {
			t.Errorf("%s: %+v of rules %v, want kind %d, rule %q, for %v, of rules %v", c.name, sum, sum.Rules(), c.kind, c.rule, c.who, c.rules)
		}
	}
	both := domain.All(taken, domain.Conflict("again", "again").ByRule("K2").Allowed("Replace", domain.GlobalAdmin).For(domain.BillingAdmin))
	if sum, ok := errors.AsType[*domain.Error](both); !ok || sum.Rule != "K2" || sum.Instead != "Replace" || !slices.Equal(sum.InsteadBy, []domain.Role{domain.GlobalAdmin}) {
		t.Errorf("N10: %+v, want what its causes allow instead", both)
	}
}

func TestErrorIs(t *testing.T) {
	t.Parallel()
	sentinel := domain.Conflict("taken", "it is taken")
	derived := sentinel.ByRule("X1").For(domain.WhoSelf).Allowed("Wait", domain.GlobalAdmin).At("/seat").With("by", "s2").With("row", 3)
	if !errors.Is(derived, sentinel) || errors.Is(derived, domain.Conflict("gone", "it is taken")) || errors.Is(derived, errors.New("taken")) {
		t.Error("an error does not match by its code alone")
	}
	if diff := cmp.Diff(domain.Conflict("taken", "it is taken"), sentinel); diff != "" {
		t.Errorf("the sentinel was changed (-want +got):\n%s", diff)
	}
	want := &domain.Error{
		Kind: domain.KindConflict, Code: "taken", Detail: "it is taken", Rule: "X1", InsteadBy: []domain.Role{domain.GlobalAdmin},
		Instead: "Wait", WhoMay: []domain.Role{domain.WhoSelf}, Pointer: "/seat", Facts: map[string]any{"by": "s2", "row": 3},
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
