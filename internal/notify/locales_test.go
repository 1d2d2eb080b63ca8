package notify_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/internal/notify"
)

// stringsOf returns the strings of a locale; plural forms are keyed key#form.
func stringsOf(t *testing.T, locale string) map[string]string {
	t.Helper()
	names, err := filepath.Glob("locales/" + locale + "/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", locale, len(names), err)
	}
	raw := map[string]json.RawMessage{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &raw); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	out := map[string]string{}
	for k, v := range raw {
		var s string
		if json.Unmarshal(v, &s) == nil {
			out[k] = s
			continue
		}
		var forms map[string]string
		if err := json.Unmarshal(v, &forms); err != nil {
			t.Fatalf("%s: %s: %v", locale, k, err)
		}
		for form, s := range forms {
			out[k+"#"+form] = s
		}
	}
	return out
}

var (
	placeholder = regexp.MustCompile(`{{[^}]*}}`)
	digits      = regexp.MustCompile(`[0-9]+`)
)

func sorted(re *regexp.Regexp, s string) []string {
	found := re.FindAllString(s, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestLocalesSayTheSame(t *testing.T) {
	t.Parallel()
	en := stringsOf(t, "en")
	for _, locale := range notify.Locales() {
		got := stringsOf(t, locale)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s: keys differ from en (-en +%s):\n%s", locale, locale, diff)
		}
		for k, s := range got {
			if strings.TrimSpace(s) == "" || strings.TrimSpace(s) != s || strings.Contains(s, "  ") {
				t.Errorf("%s: %s = %q: empty or untidy", locale, k, s)
			}
			if diff := cmp.Diff(sorted(placeholder, en[k]), sorted(placeholder, s)); diff != "" {
				t.Errorf("%s: placeholders of %s differ from en:\n%s", locale, k, diff)
			}
			if diff := cmp.Diff(sorted(digits, en[k]), sorted(digits, s)); diff != "" {
				t.Errorf("%s: numbers in %s differ from en:\n%s", locale, k, diff)
			}
		}
	}
}

// Sentences that were never translated read the same in two languages.
func TestLocalesAreTranslated(t *testing.T) {
	t.Parallel()
	all := map[string]map[string]string{}
	for _, l := range notify.Locales() {
		all[l] = stringsOf(t, l)
	}
	for k := range all["en"] {
		if len(strings.Fields(all["en"][k])) < 4 {
			continue
		}
		seen := map[string]string{}
		for _, l := range notify.Locales() {
			if other, dup := seen[all[l][k]]; dup {
				t.Errorf("%s is the same in %s and %s: %q", k, other, l, all[l][k])
			}
			seen[all[l][k]] = l
		}
	}
}

func TestFixedTerms(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]map[string]string{
		"sv": {
			"action.security_info": "Säkerhetsinformation", "field.phone": "Telefon",
			"security_contact_changed.what.alternateEmail-added": "alternativ e-postadress",
		},
		"da": {
			"action.security_info": "Sikkerhedsoplysninger", "field.phone": "Telefon",
			"security_contact_changed.what.alternateEmail-added": "alternativ mailadresse",
		},
		"nl": {
			"action.security_info": "Beveiligingsgegevens", "field.phone": "Telefoon",
			"security_contact_changed.what.alternateEmail-added": "alternatief e-mailadres",
		},
		"en": {
			"action.security_info": "Security info", "field.phone": "Phone",
			"security_contact_changed.what.alternateEmail-added": "alternate email",
		},
	} {
		got := stringsOf(t, locale)
		for k, term := range want {
			if !strings.Contains(got[k], term) {
				t.Errorf("%s: %s = %q, want the term %q", locale, k, got[k], term)
			}
		}
	}
}

// A term is translated in one way only, wherever it stands.
func TestTermsEverywhere(t *testing.T) {
	t.Parallel()
	en := stringsOf(t, "en")
	for english, terms := range map[string]map[string]string{
		`(?i)security info`:   {"sv": `Säkerhetsinformation`, "da": `Sikkerhedsoplysninger`, "nl": `Beveiligingsgegevens`},
		`(?i)alternate email`: {"sv": `(?i)alternativa? e-postadress`, "da": `(?i)alternative? mailadresse`, "nl": `(?i)alternati[e](f|ve) e-mailadres`},
		`(?i)backup card`:     {"sv": `(?i)reservkort`, "da": `(?i)reservekort`, "nl": `(?i)reservekaart`},
		`(?i)\bsign in\b`:     {"da": `(?i)\blog(ge|ger)?( selv| du)? på`},
		`(?i)\bsuspended\b`:   {"da": `spærre[ts]`},
		`(?i)subscription`:    {"sv": `(?i)prenumeration`, "da": `(?i)abonnement`, "nl": `(?i)abonnement`},
	} {
		found := 0
		for k, s := range en {
			if !regexp.MustCompile(english).MatchString(s) {
				continue
			}
			found++
			for locale, term := range terms {
				if got := stringsOf(t, locale)[k]; !regexp.MustCompile(term).MatchString(got) {
					t.Errorf("%s: %s = %q, want the term %s", locale, k, got, term)
				}
			}
		}
		if found < 3 {
			t.Errorf("%d strings have the term %s", found, english)
		}
	}
}

// The alternate email resets the admin password, not the computer's: the help
// page that these messages grew out of says in Swedish that it does not.
func TestAlternateEmailSaysWhichPassword(t *testing.T) {
	t.Parallel()
	for locale, words := range map[string][2]string{
		"en": {"reset your admin password", "nothing to do with the password of your computer"},
		"sv": {"återställa ditt administratörslösenord", "inget med lösenordet till din dator"},
		"da": {"nulstille din administratoradgangskode", "ikke noget at gøre med adgangskoden til din computer"},
		"nl": {"uw beheerderswachtwoord opnieuw in te stellen", "Met het wachtwoord van uw computer heeft het niets te maken"},
	} {
		s := stringsOf(t, locale)["alternate_email_invalidated.what_for"]
		for _, w := range words {
			if !strings.Contains(s, w) {
				t.Errorf("%s: what_for = %q, want %q in it", locale, s, w)
			}
		}
	}
}

func TestLocale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		preferred []string
		want      string
	}{
		{[]string{"sv-SE", "en"}, "sv"},
		{[]string{"sv-FI"}, "sv"},
		{[]string{"nb-NO", "sv"}, "da"},
		{[]string{"no"}, "da"},
		{[]string{"nn-NO", "sv"}, "da"},
		{[]string{"nl-BE"}, "nl"},
		{[]string{"en-GB", "sv"}, "en"},
		{[]string{"fi", "sv"}, "sv"},
		{[]string{"", "da-DK"}, "da"},
		{[]string{"not a tag", "nl"}, "nl"},
		{[]string{"fi", "et"}, "en"},
		{nil, "en"},
	} {
		if got := notify.Locale(c.preferred...); got != c.want {
			t.Errorf("Locale(%q) = %q, want %q", c.preferred, got, c.want)
		}
	}
}
