package place_test

import (
	"bufio"
	"bytes"
	_ "embed"
	"strings"
	"testing"

	"github.com/bojanz/address"
	"github.com/google/go-cmp/cmp"

	"konto/domain/postal"
	"konto/internal/place"
)

//go:embed testdata/postalcodes.tsv
var postalCodes []byte

// newer are the examples of testdata/postalcodes.tsv, which is of 2015, that the
// newer tables of this program do not take as they are, by what they say.
var newer = []struct {
	country, reason string
	codes           map[string]string
}{
	{"EC", "codes have six digits and nothing else; the country's letters before them are taken away", map[string]string{
		"EC090112": "postalCode=090112", "H0103C": "postalCode malformed", "P0133A": "postalCode malformed",
		"P0133B": "postalCode malformed", "P0133V": "postalCode malformed",
	}},
	{"KR", "codes have five digits since August 2015", map[string]string{
		"110-110": "postalCode malformed", "699-800": "postalCode malformed",
	}},
	{"PE", "the national code of five digits took the place of the numbers of districts", map[string]string{
		"LIMA 23": "postalCode malformed", "LIMA 42": "postalCode malformed", "CALLAO 2": "postalCode malformed",
	}},
	{"SO", "the two letters of the region are part of the code", map[string]string{
		"09010": "postalCode malformed", "11010": "postalCode malformed",
	}},
}

// table returns the examples of each of the table's countries, in its order.
func table(t *testing.T) (countries []string, examples map[string][]string) {
	t.Helper()
	examples = map[string][]string{}
	lines := bufio.NewScanner(bytes.NewReader(postalCodes))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		country, codes, ok := strings.Cut(lines.Text(), "\t")
		if !ok || len(country) != 2 || examples[country] != nil {
			t.Fatalf("postalcodes.tsv: %q is no country with its examples", lines.Text())
		}
		countries, examples[country] = append(countries, country), []string{}
		if codes != "" {
			examples[country] = strings.Split(codes, ",")
		}
	}
	return countries, examples
}

// accepted reports whether an address with the code is kept as it is in some
// state of the country, since the table does not say where an example lies.
func accepted(book *place.Book, country, code string) (ok bool, why string) {
	format := address.GetFormat(country)
	states := []string{""}
	if format.IsRequired(address.FieldRegion) {
		states = append(format.Regions.Keys(), "Region")
	}
	for i, state := range states {
		a := in(country, state, "City", code)
		v := book.Verdict(a)
		says := inShort(a, v)
		if says == "" && v.Grade != postal.Unchecked {
			return true, ""
		}
		if i == 0 {
			why = says
		}
	}
	return false, why
}

// TestA1EveryExampleOfTheTable tries the example postal codes of every country
// of the address tables that the rules name: each is accepted as it is, or it
// is one that the newer tables refuse for a reason that is given here.
func TestA1EveryExampleOfTheTable(t *testing.T) {
	t.Parallel()
	book := place.NewBook()
	countries, examples := table(t)
	want, refused, taken, without := map[string]string{}, map[string]string{}, 0, 0
	for _, n := range newer {
		for code, says := range n.codes {
			want[n.country+" "+code] = says
		}
		t.Logf("%s refuses %d: %s", n.country, len(n.codes), n.reason)
	}
	for _, country := range countries {
		if len(examples[country]) == 0 {
			without++
		}
		for _, code := range examples[country] {
			ok, why := accepted(book, country, code)
			if !ok {
				refused[country+" "+code] = why
				continue
			}
			taken++
		}
	}
	t.Logf("%d countries, %d of them without examples; %d examples: %d are accepted, %d are refused", len(countries), without, taken+len(refused), taken, len(refused))
	if len(countries) != 248 || taken+len(refused) != 432 {
		t.Errorf("%d countries with %d examples, want all 248 with 432", len(countries), taken+len(refused))
	}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}
