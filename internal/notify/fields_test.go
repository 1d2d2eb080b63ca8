package notify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"konto/domain/collection"
	"konto/domain/postal"
	"konto/internal/notify"
	"konto/projections"
)

// Whatever can be found out about a field is said in each language.
func TestEveryFindingIsSaid(t *testing.T) {
	t.Parallel()
	words, err := notify.NewWords("Konto")
	if err != nil {
		t.Fatal(err)
	}
	steps := []projections.NextStep{
		projections.StepNone, projections.StepReplaceCard, projections.StepEditExpiry, projections.StepEditAddress,
		projections.StepCompareWithCard, projections.StepCompareWithStatement, projections.StepWait,
	}
	faults := []postal.Fault{
		"", postal.Missing, postal.Surplus, postal.Malformed, postal.Unknown, postal.Elsewhere, postal.Unreadable, collection.Passed,
	}
	for _, locale := range notify.Locales() {
		for _, f := range collection.Explain(collection.ChargeDeclined{}) {
			titles := map[string]bool{}
			for _, status := range []collection.Status{collection.IssuerMismatch, collection.LocallyInconsistent, collection.OK, collection.NotCheckable} {
				for _, step := range steps {
					for _, fault := range faults {
						said, err := words.Say(locale, notify.Finding{Field: string(f.Name), Status: string(status), Fault: string(fault), Step: string(step)})
						if err != nil {
							t.Fatalf("N5: %s %s %s %s in %s: %v", f.Name, status, fault, step, locale, err)
						}
						if said.Title == "" || said.Meaning == "" || said.ToDo == "" {
							t.Errorf("N5: %s %s %s %s in %s: %+v", f.Name, status, fault, step, locale, said)
						}
						titles[said.Title] = true
					}
				}
			}
			if len(titles) != 1 {
				t.Errorf("%s is called %v in %s, want one name", f.Name, titles, locale)
			}
		}
	}
	if _, err := words.Say("sv", notify.Finding{Field: "planet", Status: "ok", Step: "none"}); err == nil {
		t.Error("a field that no language knows is said")
	}
}

// The mail says of each item what is known to be wrong with it, and no more.
func TestDeclineSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	data := strings.TrimSuffix(decline("data-address", "address", true), "}") + `,"wrong":[
		{"name":"expiry","status":"locally-inconsistent","fault":"passed"},
		{"name":"state","status":"locally-inconsistent","fault":"elsewhere"},
		{"name":"postalCode","status":"issuer-mismatch"}]}`
	for locale, want := range map[string][]string{
		"en": {"the one printed on the card? The date had passed", "State: State and postal code do not belong together. Postal code: The bank says"},
		"sv": {"samma som står på kortet? Datumet hade passerat", "Delstat: Delstat och postnummer hör inte ihop. Postnummer: Banken säger"},
		"da": {"den, der står på kortet? Datoen var passeret", "Stat: Stat og postnummer hører ikke sammen. Postnummer: Banken siger"},
		"nl": {"de datum die op de kaart staat? De datum was voorbij", " of staat en postcode horen niet bij elkaar. Postcode: De bank zegt"},
	} {
		m, err := r.Preview(notify.CardDeclined, locale, json.RawMessage(data))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(m.Text, "\n")
		for i, line := range map[int]string{2: want[0], 4: want[1]} {
			found := false
			for _, l := range lines {
				found = found || strings.HasPrefix(l, string(rune('0'+i))+". ") && strings.Contains(l, line)
			}
			if !found {
				t.Errorf("N5: %s: item %d does not say %q:\n%s", locale, i, line, m.Text)
			}
		}
		for _, quiet := range []string{"1. ", "3. "} {
			for _, l := range lines {
				if strings.HasPrefix(l, quiet) && strings.Count(l, ":") > 1 {
					t.Errorf("N5: %s: says something of what is not wrong: %q", locale, l)
				}
			}
		}
	}
}

// Where addresses have no state, nobody is asked to compare it.
func TestNoStateToCompareWhereThereIsNone(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	with := decline("data-address", "address", true)
	without := strings.TrimSuffix(with, "}") + `,"stateless":true}`
	for locale, state := range map[string]string{"en": "state", "sv": "delstat", "da": "stat", "nl": "staat"} {
		for data, want := range map[string]bool{with: true, without: false} {
			m, err := r.Preview(notify.CardDeclined, locale, json.RawMessage(data))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(m.Text) {
				has := slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return !unicode.IsLetter(r) }), state)
				if strings.HasPrefix(line, "4. ") && has != want {
					t.Errorf("N5: %s: %q has a state = %t, want %t", locale, line, has, want)
				}
			}
		}
	}
}
