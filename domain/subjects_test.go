package domain_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	type inner struct {
		Name domain.Personal[string]
		N    int
	}
	type outer struct {
		Inner  inner
		List   []inner
		Map    map[string]inner
		To     *inner
		Any    any
		At     time.Time
		Text   []string
		hidden inner
	}
	about := func(s string) inner { return inner{Name: domain.About(s, "x")} }
	for _, c := range []struct {
		name string
		in   []any
		want []string
	}{
		{"nothing", nil, nil},
		{"nobody", []any{outer{Text: []string{"anna"}}}, nil},
		{"a personal value", []any{domain.About("anna", 7)}, []string{"anna"}},
		{"an erased one", []any{domain.Personal[int]{Subject: "anna", Erased: true}}, []string{"anna"}},
		{"inside", []any{outer{Inner: about("anna")}}, []string{"anna"}},
		{"in a list", []any{outer{List: []inner{about("anna"), about("bo"), about("anna")}}}, []string{"anna", "bo"}},
		{"in a map", []any{outer{Map: map[string]inner{"k": about("anna")}}}, []string{"anna"}},
		{"behind a pointer", []any{&outer{To: &inner{Name: domain.About("anna", "")}}}, []string{"anna"}},
		{"behind an interface", []any{outer{Any: about("anna")}}, []string{"anna"}},
		{"in what nobody else sees", []any{outer{hidden: about("anna")}}, nil},
		{"in several", []any{about("bo"), nil, about("anna"), about("bo")}, []string{"bo", "anna"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := domain.Subjects(c.in...); !slices.Equal(got, c.want) {
				t.Errorf("Subjects = %v, want %v", got, c.want)
			}
		})
	}
}
