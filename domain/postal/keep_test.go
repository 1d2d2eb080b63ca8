package postal_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	. "konto/domain/postal"
)

var road = Address{Line1: "Storgatan 1", City: "Stockholm", PostalCode: "114 55", Country: "SE"}

// knows is what a decision is given that must know what is said of a.
func knows(a Address, v Verdict) domain.Meta {
	return domain.Meta{Facts: domain.Facts{}.Knows(a.Need(), v)}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	const data = "tables/1"
	labelled := road.With(PostalCode, "SE-114 55")
	refined := Verdict{Grade: FormatOK, DataVersion: data, Suggestions: []Address{road}}
	type refusal struct{ Code, Pointer, Rule string }
	for _, test := range []struct {
		name      string
		give      Address
		verdict   Verdict
		confirmed bool
		kept      Checked
		refused   []refusal
	}{
		{name: "A2: format", give: road, verdict: Verdict{Grade: FormatOK, DataVersion: data}, kept: Checked{FormatOK, data, false}},
		{name: "A2: region", give: road, verdict: Verdict{Grade: RegionConsistent, DataVersion: data}, kept: Checked{RegionConsistent, data, false}},
		{name: "A2: unchecked", give: road, verdict: Verdict{Grade: Unchecked, DataVersion: data}, kept: Checked{Unchecked, data, false}},
		{name: "A2: found outside", give: road, verdict: Verdict{Grade: Deliverable, DataVersion: data}, kept: Checked{Deliverable, data, false}},
		{name: "A2: confirmed without need", give: road, verdict: Verdict{Grade: FormatOK, DataVersion: data}, confirmed: true, kept: Checked{FormatOK, data, false}},
		{name: "A2: a better spelling", give: labelled, verdict: refined, refused: []refusal{{"address-needs-confirmation", "/at", "A2"}}},
		{name: "A2: confirmed", give: labelled, verdict: refined, confirmed: true, kept: Checked{FormatOK, data, true}},
		{name: "A2: the better spelling sent", give: road, verdict: Verdict{Grade: FormatOK, DataVersion: data}, kept: Checked{FormatOK, data, false}},
		{
			name: "A1: a field is wrong", give: road, verdict: Verdict{Problems: []Problem{{PostalCode, Malformed}}},
			refused: []refusal{{"address-invalid", "/at/postalCode", "A1"}},
		},
		{
			name: "A1: confirming does not help", give: road, verdict: Verdict{Problems: []Problem{{PostalCode, Elsewhere}}, Suggestions: []Address{labelled}},
			confirmed: true, refused: []refusal{{"address-invalid", "/at/postalCode", "A1"}},
		},
		{
			name: "A1: all that is wrong, each once", give: road,
			verdict: Verdict{Problems: []Problem{{Country, Unknown}, {City, Missing}, {Line1, Missing}, {City, Malformed}}},
			refused: []refusal{{"address-invalid", "/at/line1", "A1"}, {"address-invalid", "/at/city", "A1"}, {"address-invalid", "/at/country", "A1"}},
		},
		{name: "A1: two lines in one", give: road.With(Line1, "a\nb"), refused: []refusal{{"address-invalid", "/at/line1", "A1"}}},
		{name: "A1: a line that turns what follows", give: road.With(Line1, "a\u202eb"), refused: []refusal{{"address-invalid", "/at/line1", "A1"}}},
		{name: "A1: an endless line", give: road.With(City, strings.Repeat("å", 201)), refused: []refusal{{"address-invalid", "/at/city", "A1"}}},
		{name: "A1: the longest line", give: road.With(City, strings.Repeat("å", 200)), verdict: Verdict{Grade: FormatOK}, kept: Checked{Grade: FormatOK}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kept, errs := test.give.Keep(knows(test.give, test.verdict), "/at", test.confirmed)
			var refused []refusal
			for _, e := range errs {
				refused = append(refused, refusal{e.Code, e.Pointer, e.Rule})
			}
			if diff := cmp.Diff(test.kept, kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.refused, refused); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
}

// A refusal says what to change, and nothing of what stays.
func TestCorrections(t *testing.T) {
	t.Parallel()
	give := road.With(PostalCode, "SE-114 55").With(State, "x")
	v := Verdict{Grade: FormatOK, Suggestions: []Address{
		road, road.With(State, "AB"), give.With(Country, "FI"), give.With(Country, "DK"),
	}}
	_, errs := give.Keep(knows(give, v), "", false)
	if len(errs) != 1 || !errors.Is(errs[0], ErrConfirm) {
		t.Fatalf("Keep: %v, want %v", errs, ErrConfirm)
	}
	want := []Correction{
		{PostalCode: "114 55", State: ""}, {PostalCode: "114 55", State: "AB"}, {Country: "FI"},
	}
	if diff := cmp.Diff(want, errs[0].Facts["suggestions"]); diff != "" {
		t.Errorf("suggestions (-want +got):\n%s", diff)
	}
	if strings.Contains(errs[0].Detail, road.Line1) {
		t.Errorf("the detail names the street: %q", errs[0].Detail)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	var a Address
	for _, f := range Fields() {
		if a = a.With(f, string(f)); a.Get(f) != string(f) {
			t.Errorf("With and Get of %s: %q", f, a.Get(f))
		}
	}
	if got := (Address{}).Differs(a); !cmp.Equal(got, Fields()) {
		t.Errorf("Differs from nothing in %v, want %v", got, Fields())
	}
	if a.With("planet", "Earth") != a || a.Get("planet") != "" {
		t.Error("there is a field of no name")
	}
	if want := `{"line1":"line1","line2":"line2","dependentLocality":"dependentLocality","city":"city","state":"state","postalCode":"postalCode","country":"country"}`; a.Key() != want {
		t.Errorf("Key = %s, want %s", a.Key(), want)
	}
	if !(Address{}).IsZero() || a.IsZero() || !(Checked{}).IsZero() {
		t.Error("IsZero is not about being empty")
	}
}
