package notify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"konto/internal/notify"
)

// A message says what has happened and no more, in every language.
func TestCollectionMessagesSayWhatHappened(t *testing.T) {
	t.Parallel()
	final := func(mode string) string {
		return fmt.Sprintf(`{"brand":"visa","last4":"4242","cardId":"c","amountMinor":1200,"currency":"EUR","subscriptionId":"sub","invoiceId":"inv",
			"attempts":2,"graceUntil":"2026-04-01T14:05:00Z","mode":%q}`, mode)
	}
	back := func(from, by string, invoiced bool) string {
		return fmt.Sprintf(`{"subscriptionId":"sub","invoiceId":"inv","at":"2026-03-02T14:05:00Z","from":%q,"by":%q,"invoiced":%t}`, from, by, invoiced)
	}
	works := map[string]string{"en": "works again", "sv": "fungerar igen", "da": "virker igen", "nl": "werkt weer"}
	stillOff := map[string]string{"en": "stays suspended", "sv": "förblir avstängd", "da": "fortsat spærret", "nl": "blijft de dienst opgeschort"}
	paid := map[string]string{"en": "has been paid", "sv": "är betald", "da": "er betalt", "nl": "is betaald"}
	backup := map[string]string{"en": "backup card", "sv": "reservkort", "da": "reservekort", "nl": "eservekaart"}
	never := map[string]string{"en": "will not be tried again", "sv": "prövas inte igen", "da": "forsøges ikke igen", "nl": "niet opnieuw geprobeerd"}
	declined := map[string]string{"en": "was declined", "sv": "nekat", "da": "afvist", "nl": "geweigerd"}
	next := map[string]string{"en": "next invoice", "sv": "nästa faktura", "da": "næste faktura", "nl": "volgende factuur"}
	edit := map[string]string{"en": "details are corrected", "sv": "uppgifterna har rättats", "da": "oplysningerne er rettet", "nl": "gegevens zijn gecorrigeerd"}
	type words = []map[string]string
	for _, c := range []struct {
		name, template, data string
		says, not            words
	}{
		{"D5: paid before the service was off", notify.ServiceRestored, back("retrying", "charge", false), words{paid, backup}, words{works, next}},
		{"D5: paid when past due", notify.ServiceRestored, back("past_due", "settlement", false), words{paid}, words{works, next}},
		{"D7: settled after a chargeback", notify.ServiceRestored, back("chargeback", "settlement", false), words{paid}, words{works, next}},
		{"D5: paid when it was off", notify.ServiceRestored, back("suspended", "settlement", false), words{paid, works, backup}, words{next}},
		{"C9: another invoice keeps the service off", notify.ServiceRestored, `{"subscriptionId":"sub","invoiceId":"inv","at":"2026-03-02T14:05:00Z","from":"suspended","by":"settlement","stillOff":"inv-2"}`, words{stillOff}, words{works, backup, next}},
		{"C10: paid by a card that is no longer asked for", notify.ServiceRestored, back("retrying", "charge", true), words{paid}, words{works, backup, next}},
		{"C10: on an invoice", notify.ServiceRestored, back("retrying", "invoice-switch", true), words{next}, words{paid, works, backup}},
		{"C10: on an invoice when it was off", notify.ServiceRestored, back("suspended", "invoice-switch", true), words{next, works}, words{paid, backup}},
		{"C9: declined for good", notify.CardDeclinedFinal, final(""), words{never, declined}, words{edit}},
		{"C9: a chargeback is no decline", notify.CardDeclinedFinal, final("chargeback"), nil, words{never, declined, edit}},
		{"D2: a card that waits for an edit", notify.CardDeclinedFinal, final("edited"), words{edit}, words{never}},
		{"D2: a card that waits for its network", notify.CardDeclinedFinal, final("updated"), nil, words{never, edit}},
		{"K5: a card that waits for its holder", notify.CardDeclinedFinal, final("presented"), nil, words{never, edit}},
	} {
		for _, locale := range notify.Locales() {
			m, err := renderer(t).Preview(c.template, locale, json.RawMessage(c.data))
			if err != nil {
				t.Fatalf("%s: %s: %v", c.name, locale, err)
			}
			all := strings.Join([]string{m.Subject, m.Text, m.SMS}, "\n")
			for _, w := range c.says {
				if !strings.Contains(all, w[locale]) {
					t.Errorf("%s: %s lacks %q:\n%s", c.name, locale, w[locale], all)
				}
			}
			for _, w := range c.not {
				if strings.Contains(all, w[locale]) {
					t.Errorf("%s: %s says %q:\n%s", c.name, locale, w[locale], all)
				}
			}
		}
	}
}
