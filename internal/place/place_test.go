package place_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/postal"
	"konto/internal/contact"
	"konto/internal/place"
)

// in returns an address in a country.
func in(country, state, city, code string) postal.Address {
	return postal.Address{Line1: "1 Road", City: city, State: state, PostalCode: code, Country: country}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	const (
		unchecked  = postal.Unchecked
		format     = postal.FormatOK
		consistent = postal.RegionConsistent
	)
	book := place.NewBook()
	for _, test := range []struct {
		name  string
		give  postal.Address
		grade postal.Grade
		want  string // faults and corrections, in short
	}{
		{"A1: Sweden", in("SE", "", "Stockholm", "114 55"), format, ""},
		{"A1: Sweden, without the gap", in("SE", "", "Stockholm", "11455"), format, ""},
		{"A1: Sweden, as on a label", in("SE", "", "Stockholm", "SE-114 55"), format, "postalCode=114 55"},
		{"A1: Sweden, gap elsewhere", in("SE", "", "Stockholm", "1145 5"), format, "postalCode=11455"},
		{"A1: Sweden, four digits", in("SE", "", "Stockholm", "1145"), unchecked, "postalCode malformed"},
		{"A1: Sweden, no postal code", in("SE", "", "Stockholm", ""), unchecked, "postalCode missing"},
		{"A1: Sweden, no city", in("SE", "", "", "114 55"), unchecked, "city missing"},
		{"A1: Sweden, a city that nobody sees", in("SE", "", "\u3164", "114 55"), unchecked, "city missing"},
		{"A1: Sweden, a county that addresses do not have", in("SE", "Stockholms län", "Stockholm", "114 55"), format, ""},
		{"A1: Denmark", in("DK", "", "Aarhus", "8000"), format, ""},
		{"A1: Denmark, as on a label", in("DK", "", "Aarhus", "DK-8000"), format, "postalCode=8000"},
		{"A1: Denmark, five digits", in("DK", "", "Aarhus", "80000"), unchecked, "postalCode malformed"},
		{"A1: Netherlands", in("NL", "", "Den Haag", "2490 AA"), format, ""},
		{"A1: Netherlands, without the gap", in("NL", "", "Den Haag", "2490AA"), format, ""},
		{"A1: Netherlands, small letters", in("NL", "", "Den Haag", "2490 aa"), format, "postalCode=2490 AA"},
		{"A1: Netherlands, digits alone", in("NL", "", "Den Haag", "2490"), unchecked, "postalCode malformed"},
		{"A1: US, Washington", in("US", "WA", "Redmond", "98052"), consistent, ""},
		{"A1: US, Washington with the longer code", in("US", "WA", "Redmond", "98052-6399"), consistent, ""},
		{"A1: US, Washington with Beverly Hills' code", in("US", "WA", "Redmond", "90210"), unchecked, "postalCode elsewhere state=CA"},
		{"A1: US, name of the state", in("US", "Washington", "Redmond", "98052"), consistent, "state=WA"},
		{"A1: US, code of the state in small letters", in("US", "wa", "Redmond", "98052"), consistent, "state=WA"},
		{"A1: US, name of the state, code of another's", in("US", "Washington", "Redmond", "90210"), unchecked, "postalCode elsewhere state=CA"},
		{"A1: US, no such state", in("US", "ZZ", "Redmond", "98052"), unchecked, "state unknown"},
		{"A1: US, no state", in("US", "", "Redmond", "98052"), unchecked, "state missing"},
		{"P6: Canada, code and province agree", in("CA", "ON", "Ottawa", "K1A 0B1"), consistent, ""},
		{"P6: Canada, Gatineau sorts in Ottawa", in("CA", "QC", "Gatineau", "K1A 0C9"), consistent, ""},
		{"P6: Canada, written together", in("CA", "ON", "Ottawa", "k1a0b1"), consistent, "postalCode=K1A0B1"},
		{"P6: Canada, another province", in("CA", "BC", "Ottawa", "K1A 0B1"), unchecked, "postalCode elsewhere state=ON state=QC"},
		{"P6: China, name in Latin letters", in("CN", "Guangdong", "Shenzhen", "518057"), consistent, ""},
		{"P6: China, name in Chinese", in("CN", "广东省", "深圳", "518057"), consistent, ""},
		{"P6: China, no such province", in("CN", "Lapland", "Shenzhen", "518057"), unchecked, "state unknown"},
		{"P6: Mexico", in("MX", "CMX", "CDMX", "06700"), consistent, ""},
		{"P6: Mexico, name without the accent", in("MX", "Ciudad de Mexico", "CDMX", "06700"), consistent, "state=CMX"},
		{"P6: Mexico, no such state", in("MX", "Texas", "CDMX", "06700"), unchecked, "state unknown"},
		{"P6: elsewhere a state is what people write", in("DK", "Midtjylland", "Aarhus", "8000"), format, ""},
		{"A1: Australia", in("AU", "NSW", "Sydney", "2000"), consistent, ""},
		{"A1: Australia, another state", in("AU", "WA", "Sydney", "2000"), unchecked, "postalCode elsewhere state=NSW"},
		{"A1: Spain, province and code agree", in("ES", "Madrid", "Madrid", "28004"), consistent, ""},
		{"A1: Spain, another province", in("ES", "Barcelona", "Madrid", "28004"), unchecked, "postalCode elsewhere state=M"},
		{"A1: Ireland needs no Eircode", in("IE", "", "Dublin", ""), format, ""},
		{"A1: Ireland, with one", in("IE", "", "Dublin", "D02 X285"), format, ""},
		{"A1: Ireland, county", in("IE", "Co Dublin", "Dublin", "D02 X285"), consistent, ""},
		{"A1: Hong Kong has no postal codes", in("HK", "Kowloon", "Mong Kok", ""), consistent, ""},
		{"A1: Hong Kong, with one", in("HK", "Kowloon", "Mong Kok", "999077"), unchecked, "postalCode surplus postalCode="},
		{"A1: the Emirates have no postal codes", in("AE", "Dubai", "", ""), consistent, ""},
		{"A1: the Emirates, with one", in("AE", "Dubai", "", "00000"), unchecked, "postalCode surplus postalCode="},
		{"A1: the Emirates, no emirate", in("AE", "", "Dubai", ""), unchecked, "state missing"},
		{"A1: the Emirates, without the mark", in("AE", "Ajman", "", ""), consistent, ""},
		{"A1: Japan needs no city", in("JP", "Tokyo", "", "154-0023"), consistent, ""},
		{"A1: Japan, written together", in("JP", "Tokyo", "", "1540023"), consistent, ""},
		{"A1: Japan, in Japanese", in("JP", "東京都", "", "154-0023"), consistent, ""},
		{"A1: Japan, no prefecture", in("JP", "", "", "154-0023"), unchecked, "state missing"},
		{"A1: Latvia's codes begin with the country", in("LV", "", "Riga", "1010"), format, "postalCode=LV-1010"},
		{"A1: Poland, without the dash", in("PL", "", "Warszawa", "00950"), format, "postalCode=00-950"},
		{"A1: Singapore is its own city", in("SG", "", "", "308215"), format, ""},
		{"A1: Costa Rica has codes of two lengths", in("CR", "San José", "San José", "10101"), consistent, ""},
		{"A1: Costa Rica, neither length", in("CR", "San José", "San José", "101011"), unchecked, "postalCode malformed"},
		{"A2: a country whose addresses nobody described", in("QA", "", "Doha", ""), unchecked, ""},
		{"A2: the same without a city", in("QA", "", "", ""), unchecked, "city missing"},
		{"A1: no such country", in("XX", "", "X", "1"), unchecked, "country unknown"},
		{"A1: a country that is no more", in("YU", "", "Beograd", "11000"), unchecked, "country unknown"},
		{"A1: name of a country", in("Danmark", "", "Aarhus", "8000"), unchecked, "country unknown"},
		{"A1: no country", in("", "", "Aarhus", "8000"), unchecked, "country missing"},
		{"A1: country in small letters", in("dk", "", "Aarhus", "8000"), unchecked, "country unknown country=DK"},
		{"A1: nothing at all", postal.Address{Country: "DK"}, unchecked, "line1 missing city missing postalCode missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := book.Verdict(test.give)
			if got := inShort(test.give, v); v.Grade != test.grade || got != test.want {
				t.Errorf("Verdict = %s, %q, want %s, %q", v.Grade, got, test.grade, test.want)
			}
		})
	}
}

func inShort(a postal.Address, v postal.Verdict) string {
	var all []string
	for _, p := range v.Problems {
		all = append(all, string(p.Field)+" "+string(p.Fault))
	}
	for _, s := range v.Suggestions {
		for _, f := range s.Differs(a) {
			all = append(all, string(f)+"="+s.Get(f))
		}
	}
	return strings.Join(all, " ")
}

func TestFieldsOfCountries(t *testing.T) {
	t.Parallel()
	book := place.NewBook()
	for _, test := range []struct {
		country          string
		required, unused []postal.Field
	}{
		{"SE", []postal.Field{postal.Country, postal.Line1, postal.City, postal.PostalCode}, []postal.Field{postal.DependentLocality, postal.State}},
		{"JP", []postal.Field{postal.Country, postal.Line1, postal.State, postal.PostalCode}, []postal.Field{postal.DependentLocality}},
		{"HK", []postal.Field{postal.Country, postal.Line1, postal.State}, []postal.Field{postal.DependentLocality, postal.PostalCode}},
		{"AE", []postal.Field{postal.Country, postal.Line1, postal.State}, []postal.Field{postal.DependentLocality, postal.City, postal.PostalCode}},
		{"QA", []postal.Field{postal.Country, postal.Line1, postal.City}, nil},
	} {
		v := book.Verdict(postal.Address{Country: test.country})
		if diff := cmp.Diff(test.required, v.Required); diff != "" {
			t.Errorf("required in %s (-want +got):\n%s", test.country, diff)
		}
		if diff := cmp.Diff(test.unused, v.Unused); diff != "" {
			t.Errorf("unused in %s (-want +got):\n%s", test.country, diff)
		}
	}
}

// Every country that an organization can be in has addresses.
func TestCountriesOfOrganizations(t *testing.T) {
	t.Parallel()
	book := place.NewBook()
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code, ok := contact.Country(string(a) + string(b))
			if !ok {
				continue
			}
			n++
			v := book.Verdict(postal.Address{Country: code})
			if slices.ContainsFunc(v.Problems, func(p postal.Problem) bool { return p.Field == postal.Country }) {
				t.Errorf("an organization can be in %s, and no address can", code)
			}
		}
	}
	if n < 240 {
		t.Errorf("%d countries, want at least 240", n)
	}
}

// Sources answer by the key that a need carries.
func TestSources(t *testing.T) {
	t.Parallel()
	a := in("US", "WA", "Redmond <&> \u2028", "90210")
	need := a.Need()
	i := slices.IndexFunc(place.Sources(), func(s domain.Source) bool { return s.Type == need.Type })
	if i < 0 {
		t.Fatalf("no source of %v", need.Type)
	}
	got := place.Sources()[i].Input(need.Key)
	if diff := cmp.Diff(place.NewBook().Verdict(a), got); diff != "" {
		t.Errorf("what the source says (-want +got):\n%s", diff)
	}
	if v := place.Sources()[i].Input("no key").(postal.Verdict); len(v.Problems) != 1 {
		t.Errorf("Verdict of no key = %+v, want one problem", v)
	}
}

// The version that events record is that of the tables which are built in.
func TestDataVersion(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct{ path, name string }{
		{"github.com/bojanz/address", "address"}, {"github.com/biter777/countries", "countries"},
	} {
		_, rest, _ := strings.Cut(string(mod), m.path+" ")
		version, _, _ := strings.Cut(rest, " ")
		if want := m.name + "/" + version; !strings.Contains(" "+place.DataVersion+" ", " "+want+" ") {
			t.Errorf("DataVersion = %q, want it to name %q", place.DataVersion, want)
		}
	}
}

func FuzzVerdict(f *testing.F) {
	f.Add("1 Road", "", "Stockholm", "", "SE-114 55", "SE")
	f.Add("1 Road", "", "Redmond", "washington", "90210", "US")
	f.Add("", "", "", "", "", "")
	f.Add("1 Road", "", "", "", "999077", "HK")
	f.Add("1 Road", "", "Riga", "", "lv1010", "LV")
	f.Add("1 Road", "", "İstanbul", "ıstanbul", "34 000", "TR")
	book := place.NewBook()
	f.Fuzz(func(t *testing.T, line1, part, city, state, code, country string) {
		a := postal.Address{Line1: line1, DependentLocality: part, City: city, State: state, PostalCode: code, Country: country}
		v := book.Verdict(a)
		if !slices.Contains(postal.Grades(), v.Grade) || v.Grade == postal.Deliverable {
			t.Errorf("Verdict(%+v): grade %q", a, v.Grade)
		}
		if len(v.Problems) > 0 && v.Grade != postal.Unchecked {
			t.Errorf("Verdict(%+v): %s in spite of %v", a, v.Grade, v.Problems)
		}
		if len(v.Suggestions) > 3 {
			t.Errorf("Verdict(%+v): %d suggestions", a, len(v.Suggestions))
		}
		for _, s := range v.Suggestions {
			switch again := book.Verdict(s); {
			case s == a:
				t.Errorf("Verdict(%+v) suggests the same", a)
			case s.Line1 != a.Line1 || s.City != a.City || s.DependentLocality != a.DependentLocality:
				t.Errorf("Verdict(%+v) suggests another street or city", a)
			case s.Country == a.Country && (len(again.Problems) > 0 || len(again.Suggestions) > 0):
				t.Errorf("Verdict(%+v) suggests %+v, and of that says %+v", a, s, again)
			}
		}
	})
}
