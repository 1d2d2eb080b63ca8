package notify_test

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/internal/notify"
)

func renderer(t *testing.T) *notify.Renderer {
	t.Helper()
	r, err := notify.NewRenderer(notify.RenderConfig{BaseURL: "https://konto.example/app/"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func classes() []string {
	return []string{
		"data-number", "data-expiry", "data-address", "data-cvc", "funds", "issuer-soft", "temporary", "auth",
		"capability", "hard-revoked", "fraud-masked", "duplicate", "pin", "info", "test", "newer-than-this-program",
	}
}

func decline(class, item string, owner bool) string {
	return fmt.Sprintf(`{"brand":"visa","last4":"4242","expMonth":4,"expYear":2027,"amountMinor":1200,"currency":"EUR","class":%q,
		"checklistItem":%q,"code":"some_code","subscriptionId":"sub","invoiceId":"inv","cardId":"card","attempt":2,"ownerIsRecipient":%t}`, class, item, owner)
}

func TestEveryMessageInEveryLanguage(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, template := range notify.Templates() {
		data := append(variants()[template], string(notify.Sample(template)))
		if len(data) < 2 {
			t.Errorf("%s has no variants", template)
		}
		for _, d := range data {
			links := map[string][]string{}
			for _, locale := range notify.Locales() {
				got, err := r.Preview(template, locale, json.RawMessage(d))
				if err != nil {
					t.Errorf("Preview(%s, %s, %s): %v", template, locale, d, err)
					continue
				}
				checkMessage(t, template+" "+locale+" "+d, locale, d, got)
				links[locale] = linksIn(got.Text)
			}
			for _, locale := range notify.Locales() {
				if diff := cmp.Diff(links["en"], links[locale]); diff != "" {
					t.Errorf("%s %s: links differ from en:\n%s", template, locale, diff)
				}
			}
		}
	}
}

var (
	web  = regexp.MustCompile(`https?://[^\s<>"']+`)
	tags = regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`)
	last = regexp.MustCompile(`"last4":"([0-9]{4})"`)
)

func linksIn(s string) []string {
	l := web.FindAllString(s, -1)
	slices.Sort(l)
	return slices.Compact(l)
}

func checkMessage(t *testing.T, name, locale, data string, m notify.Rendered) {
	t.Helper()
	for part, s := range map[string]string{"subject": m.Subject, "text": m.Text, "html": m.HTML, "sms": m.SMS, "voice": m.Voice} {
		for _, bad := range []string{"<no value>", "{{", "%!", "NaN", "¤", "\r"} {
			if strings.Contains(s, bad) {
				t.Errorf("%s: %s contains %q", name, part, bad)
			}
		}
		if strings.TrimSpace(s) == "" {
			t.Errorf("%s: %s is empty", name, part)
		}
	}
	four := ""
	if f := last.FindStringSubmatch(data); f != nil {
		four = f[1]
	}
	if rest := strings.ReplaceAll(m.Subject, four, ""); strings.ContainsAny(rest, "0123456789@\n") {
		t.Errorf("%s: subject %q holds more than the last four digits", name, m.Subject)
	}
	for _, bad := range []string{"<script", "src=", "url(", "@import", "<link", "onclick", "javascript:"} {
		if strings.Contains(m.HTML, bad) {
			t.Errorf("%s: html contains %q", name, bad)
		}
	}
	if !strings.Contains(m.HTML, `<html lang="`+locale+`">`) || m.Locale != locale {
		t.Errorf("%s: not marked as %s", name, locale)
	}
	if diff := cmp.Diff(linksIn(m.Text), linksIn(html.UnescapeString(m.HTML))); diff != "" {
		t.Errorf("%s: links of text and html differ:\n%s", name, diff)
	}
	if len(linksIn(m.Text)) == 0 || !strings.HasPrefix(linksIn(m.Text)[0], "https://konto.example/app/") {
		t.Errorf("%s: no link to a page that puts it right: %q", name, linksIn(m.Text))
	}
	// Both parts say the same: each line of the text is in the page as well.
	page := strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(m.HTML, " "))), " ")
	for p := range strings.SplitSeq(m.Text, "\n") {
		p = strings.TrimSpace(strings.TrimLeft(p, "-12345. "))
		p, _, _ = strings.Cut(p, " <- ")
		if len(p) > 20 && !strings.Contains(p, ": ") && !strings.Contains(page, strings.TrimSuffix(p, ":")) {
			t.Errorf("%s: the page lacks %q", name, p)
		}
	}
	if n := septets(t, name, m.SMS); n > 306 {
		t.Errorf("%s: sms is %d characters, more than two parts: %q", name, n, m.SMS)
	}
}

// septets counts the characters of a text message in the GSM 7-bit alphabet
// (3GPP TS 23.038); any other character would halve the room in it.
func septets(t *testing.T, name, s string) int {
	t.Helper()
	const alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\u00a0"
	n := 0
	for _, r := range s {
		if !strings.ContainsRune(alphabet, r) {
			t.Errorf("%s: sms holds %q, which is not in the GSM alphabet", name, r)
		}
		n++
	}
	return n
}

func TestContactCode(t *testing.T) {
	t.Parallel()
	for _, locale := range notify.Locales() {
		m, err := renderer(t).Preview(notify.ContactCode, locale, nil)
		if err != nil {
			t.Fatal(err)
		}
		for part, s := range map[string]string{"text": m.Text, "html": m.HTML, "sms": m.SMS} {
			if !strings.Contains(s, "000000") {
				t.Errorf("%s: %s lacks the code", locale, part)
			}
		}
		if !strings.Contains(m.Voice, "0, 0, 0, 0, 0, 0") || strings.Contains(m.Voice, "000000") {
			t.Errorf("%s: voice = %q, want the code spelled", locale, m.Voice)
		}
		if n := septets(t, locale, m.SMS); n > 160 {
			t.Errorf("%s: sms is %d characters, want one part: %q", locale, n, m.SMS)
		}
	}
}

// Whoever holds the card must not learn that it is suspected.
func TestFraudReadsAsUnexplained(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, locale := range notify.Locales() {
		for _, owner := range []bool{true, false} {
			masked, err := r.Preview(notify.CardDeclined, locale, json.RawMessage(decline("fraud-masked", "bank", owner)))
			if err != nil {
				t.Fatal(err)
			}
			soft, err := r.Preview(notify.CardDeclined, locale, json.RawMessage(decline("issuer-soft", "bank", owner)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(soft, masked); diff != "" {
				t.Errorf("%s: a masked decline differs from an unexplained one:\n%s", locale, diff)
			}
			if strings.Contains(masked.Text, "some_code") {
				t.Errorf("%s: a masked decline shows the code", locale)
			}
		}
	}
}

func TestDeclineChecklist(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	order := map[string][]string{
		"en": {"card number", "expiry date", "name", "city, state and postal code", "call the bank"},
		"sv": {"Kortnumret", "Utgångsdatumet", "Namnet", "ort, delstat och postnummer", "ringer du banken"},
		"da": {"Kortnummeret", "Udløbsdatoen", "Navnet", "by, stat og postnummer", "ring til den bank"},
		"nl": {"kaartnummer", "vervaldatum", "naam", "staat en postcode", "bel dan de bank"},
	}
	for locale, words := range order {
		for _, class := range classes() {
			m, err := r.Preview(notify.CardDeclined, locale, json.RawMessage(decline(class, "number/expiry", true)))
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range words {
				line := regexp.MustCompile(fmt.Sprintf(`(?m)^%d\. .*$`, i+1)).FindString(m.Text)
				if !strings.Contains(line, w) {
					t.Errorf("%s %s: item %d = %q, want %q in it", locale, class, i+1, line, w)
				}
				started := strings.Contains(line, " <- ")
				later := class == "temporary" || class == "duplicate" || class == "test"
				if want := i < 2 && !later; started != want {
					t.Errorf("%s %s: item %d marked as the start = %t, want %t", locale, class, i+1, started, want)
				}
			}
		}
	}
}

func TestDeclineOfAnothersCard(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for owner, want := range map[bool]string{
		true:  "https://konto.example/app/cards/card",
		false: "https://konto.example/app/subscriptions/sub",
	} {
		m, err := r.Preview(notify.CardDeclined, "en", json.RawMessage(decline("data-expiry", "expiry", owner)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, linksIn(m.Text)); diff != "" {
			t.Errorf("owner %t: links differ:\n%s", owner, diff)
		}
		if got := strings.Contains(m.Text, "it is not certain that you can edit it"); got == owner {
			t.Errorf("owner %t: says that editing may be for another = %t", owner, got)
		}
	}
}

func TestAmountsAndDates(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	const _s = "\u00a0"
	for _, c := range []struct {
		locale, currency string
		minor            int64
		want             string
	}{
		{"sv", "SEK", 123450, "Belopp: 1" + _s + "234,50" + _s + "kr\n"},
		{"sv", "USD", 5, "Belopp: 0,05" + _s + "US$\n"},
		{"da", "DKK", 100000000, "Beløb: 1.000.000,00" + _s + "kr.\n"},
		{"da", "SEK", 123450, "Beløb: 1.234,50" + _s + "SEK\n"},
		{"nl", "EUR", 123456, "Bedrag: €" + _s + "1.234,56\n"},
		{"nl", "JPY", 1234, "Bedrag: JPY" + _s + "1.234\n"},
		{"en", "USD", 123450, "Amount: $1,234.50\n"},
		{"en", "SEK", 123450, "Amount: SEK" + _s + "1,234.50\n"},
		{"en", "KWD", 1234567, "Amount: KWD" + _s + "1,234.567\n"},
		{"en", "EUR", 9007199254740993, "Amount: €90,071,992,547,409.93\n"},
		{"en", "eur", 0, "Amount: €0.00\n"},
		{"sv", "XCG", 123450, "Belopp: 1" + _s + "234,50" + _s + "XCG\n"},
		{"da", "sle", 123450, "Beløb: 1.234,50" + _s + "SLE\n"},
		{"nl", "UYW", 12345678, "Bedrag: UYW" + _s + "1.234,5678\n"},
		{"en", "QQQ", 123450, "Amount: QQQ" + _s + "1,234.50\n"},
		{"en", "COP", 123450, "Amount: COP" + _s + "1,234.50\n"},
		{"en", "ISK", 1234, "Amount: ISK" + _s + "1,234\n"},
	} {
		d := fmt.Sprintf(`{"last4":"4242","class":"funds","amountMinor":%d,"currency":%q}`, c.minor, c.currency)
		m, err := r.Preview(notify.CardDeclined, c.locale, json.RawMessage(d))
		if err != nil {
			t.Errorf("Preview(%s, %s): %v", c.locale, d, err)
		} else if !strings.Contains(m.Text, c.want) {
			t.Errorf("Preview(%s, %s) = %s, want %q in it", c.locale, d, m.Text, c.want)
		}
	}
	for locale, want := range map[string]string{
		"sv": "Tidpunkt: 2 mars 2026 kl. 14:05" + _s + "UTC",
		"da": "Tidspunkt: 2. marts 2026 kl. 14.05" + _s + "UTC",
		"nl": "Tijdstip: 2 maart 2026 om 14:05" + _s + "UTC",
		"en": "Time: 2 March 2026 at 14:05" + _s + "UTC",
	} {
		m, err := r.Preview(notify.SecurityContactChanged, locale,
			json.RawMessage(`{"slot":"mobile","change":"added","at":"2026-03-02T16:05:00+02:00"}`))
		if err != nil || !strings.Contains(m.Text, want) {
			t.Errorf("Preview(%s) = %s, %v, want %q in it", locale, m.Text, err, want)
		}
	}
}

func TestPluralOfChanges(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, c := range []struct{ locale, changed, want string }{
		{"en", `"email"`, "changed 1 detail in the account of Contoso"},
		{"en", `"email","city"`, "changed 2 details in"},
		{"sv", `"email"`, "ändrat 1 uppgift i"},
		{"sv", `"email","city","email"`, "ändrat 2 uppgifter i"},
		{"da", `"email"`, "ændret 1 oplysning i"},
		{"da", `"email","city"`, "ændret 2 oplysninger i"},
		{"nl", `"email"`, "1 gegeven in"},
		{"nl", `"email","city"`, "2 gegevens in"},
	} {
		m, err := r.Preview(notify.CustomerAccountChanged, c.locale,
			json.RawMessage(`{"companyName":"Contoso","changed":[`+c.changed+`]}`))
		if err != nil || !strings.Contains(m.Text, c.want) {
			t.Errorf("Preview(%s, %s) = %s, %v, want %q in it", c.locale, c.changed, m.Text, err, c.want)
		}
	}
}

func TestDataThatCannotBeShown(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, c := range []struct{ template, data string }{
		{"no_such_template", `{}`},
		{notify.ContactCode, `{"slot":"mobile"}`},
		{notify.ContactCode, `{"slot":"pager","verification":"v","expiresAt":"2026-03-02T14:05:00Z"}`},
		{notify.SecurityContactChanged, `{"slot":"mobile","change":"stolen"}`},
		{notify.SecurityContactChanged, `{"slot":"mobile","change":"added","at":"yesterday"}`},
		{notify.CardChanged, `{"change":"added","last4":"4242424242424242"}`},
		{notify.CardChanged, `{"change":"added","last4":"42\n4"}`},
		{notify.CardChanged, `{"change":"","last4":"4242"}`},
		{notify.CardDeclined, `{"last4":"4242","class":"funds","amountMinor":1}`},
		{notify.CardDeclined, `{"last4":"4242","class":"funds","amountMinor":-1,"currency":"SEK"}`},
		{notify.CardDeclined, `{"last4":"4242","class":"funds","amountMinor":1,"currency":"kronor"}`},
		{notify.CardDeclined, `not json`},
		{notify.CustomerAccountChanged, `{"changed":[]}`},
		{notify.CustomerAccountChanged, `{"changed":["email"],"companyName":{"$sealed":{"k":"x"}}}`},
	} {
		if m, err := r.Preview(c.template, "en", json.RawMessage(c.data)); err == nil {
			t.Errorf("Preview(%s, %s) = %q, want an error", c.template, c.data, m.Subject)
		}
	}
}

func TestHTMLEscapesHostileData(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script><img src=x onerror=y>"'&`
	name, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	m, err := renderer(t).Preview(notify.CustomerAccountChanged, "en",
		json.RawMessage(`{"changed":["email"],"companyName":`+string(name)+`,"customerId":"../../<b>\"?x=1#y"}`))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<img") || strings.Contains(m.HTML, "<b>") {
		t.Errorf("HTML is not escaped: %s", m.HTML)
	}
	if !strings.Contains(m.HTML, "&lt;script&gt;alert(1)") || !strings.Contains(m.Text, hostile) {
		t.Errorf("the name is not shown as it is written")
	}
	if got := linksIn(m.Text); len(got) != 1 || strings.ContainsAny(strings.TrimPrefix(got[0], "https://konto.example/app/customers/"), "/?#") {
		t.Errorf("link = %q, want the ID as one path segment", got)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r, again := renderer(t), renderer(t)
	seen := map[string]string{}
	for _, template := range notify.Templates() {
		for _, locale := range notify.Locales() {
			v := r.Version(template, locale)
			if got := again.Version(template, locale); got != v || len(v) != 16 {
				t.Errorf("Version(%s, %s) = %q and %q, want 16 digits that stay", template, locale, v, got)
			}
			if other, dup := seen[v]; dup {
				t.Errorf("%s %s and %s have version %s", template, locale, other, v)
			}
			seen[v] = template + " " + locale
		}
	}
}

func TestNewRendererRefusesBadBase(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "konto.example", "ftp://konto.example", "https://", "https://x?y=1", "javascript:alert(1)"} {
		if _, err := notify.NewRenderer(notify.RenderConfig{BaseURL: base}); err == nil {
			t.Errorf("NewRenderer(BaseURL %q) = nil error", base)
		}
	}
}
