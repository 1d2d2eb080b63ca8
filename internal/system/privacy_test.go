package system_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"konto/domain/card"
	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/mailbox"
)

// Personal values that the test brings in, beside those of the demo world.
const (
	holder   = "Þórbjörg Qvarnström"
	street   = "Västra Qvarngatan 17B"
	mobile   = "+46701740698"
	mobileIn = "070-174 06 98"
	mailAddr = "thorbjorg.qvarnstrom@privat.example"
	reason   = "moved in with Zebulon Fnordahl"
	agent    = "QvarnBrowser/9.7 (Zebulonphone)"
	billing  = "zelda.wexelblatt@bokhall.example"
	dryName  = "Dryrun Xylanderson"
	badName  = "Refused Yggdrasilsson"
	staleNm  = "Stale Ulfvenstierna"
	expired  = "Ended Because Of Vindicta"
)

// secrets are the values that no file and no log line may hold.
func secrets() []string {
	return slices.Concat(testNumbers, []string{
		holder, street, mobile, mobileIn, mailAddr, reason, agent, billing, dryName, badName, staleNm, expired,
		"Anna Lindqvist", "Mikkel Sørensen", "Eva Jansen", "Bo Friis", "Saga Holm", "Ida Krogh",
		"anna.lindqvist@norrsken.example", "mikkel.sorensen@norrsken.example", "eva.jansen@norrsken.example",
		"bo.friis@nordvind.example", "saga.holm@nordvind.example", "ida.krogh@nordvind.example", "anna@privat.example", "070-174 06 05", "46701740605",
		"Storgatan 1", "903 26", "demo-fingerprint-anna", "Zeldarina", "Wexelblatt", "Bokhyllan 4",
	})
}

// forms are the ways in which a value may stand in a file, lower-cased: those
// that do not also stand there by chance.
func forms(value string) [][]byte {
	quoted, _ := json.Marshal(value) // a string marshals
	ascii := strings.Trim(strconv.QuoteToASCII(value), `"`)
	texts := []string{
		value, strings.Trim(string(quoted), `"`), ascii, url.PathEscape(value), url.QueryEscape(value),
		strings.NewReplacer(" ", "", "-", "").Replace(value),
	}
	var all [][]byte
	for _, text := range texts {
		all = append(all, bytes.ToLower([]byte(text)))
		for shift := range 3 {
			// What is left of the value in base64 when it begins at any place,
			// without the digits that its neighbours share.
			shifted := append(make([]byte, shift), text...)
			for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				b := []byte(enc.EncodeToString(shifted))
				all = append(all, bytes.ToLower(b[(shift*8+5)/6:len(shifted)/3*4]))
			}
		}
	}
	return slices.DeleteFunc(all, byChance)
}

// plain is what base64 and numbers are made of.
var plain = regexp.MustCompile(`^[0-9a-z+/_-]*$`)

// byChance reports whether a form is so short that it need not be the value:
// of letters and digits, megabytes of base64 and of times hold any five.
func byChance(form []byte) bool {
	least := 5
	if plain.Match(form) {
		least = 8
	}
	return len(form) < least
}

// leaks returns where the values stand in clear: in the files below data, in
// the log, and in the events.
func leaks(t *testing.T, data string, log []byte, values []string) []string {
	t.Helper()
	texts := map[string][]byte{"log": bytes.ToLower(log)}
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		b = bytes.ReplaceAll(b, make([]byte, 64), []byte{0}) // room that a file has not used yet
		texts[strings.TrimPrefix(path, data)] = bytes.ToLower(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, value := range values {
		for _, form := range forms(value) {
			for name, text := range texts {
				if bytes.Contains(text, form) {
					found = append(found, fmt.Sprintf("%q as %q in %s", value, form, name))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestNothingPersonalIsKeptInClear runs everything that takes personal values,
// stops the system and reads every byte that it has left.
func TestNothingPersonalIsKeptInClear(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := start(t, data, nil)
	r.seed()
	r.live()
	r.settled()
	log := r.log.Bytes
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for _, leak := range leaks(t, data, log(), secrets()) {
		t.Error(leak)
	}
	if n := bytes.Count(log(), []byte("\n")); n < 20 {
		t.Errorf("the log has %d lines: was it on?", n)
	}
	t.Run("the search itself", func(t *testing.T) { plant(t, data) })
}

// live does what people do, with their names in it.
func (r *running) live() {
	r.Helper()
	anna, saga := r.as("anna"), r.as("saga")
	annaID := demo.People()[0].ID
	address := card.Address{Line1: street, City: "Umeå", PostalCode: "903 26", Country: "SE"}
	updated := r.try(anna, client.Command{
		Collection: "cards", ID: demo.AnnasCard, Name: "UpdateCardDetails", IfMatch: r.seen("/v1/cards/" + demo.AnnasCard),
		Body: map[string]any{"holderName": holder, "billingAddress": address, "phone": mobileIn}, Reason: reason,
	}, 200)
	r.try(anna, client.Command{
		Collection: "security-info", ID: annaID, Name: "UpdateSecurityInfo", IfMatch: r.seen("/v1/security-info/" + annaID),
		Body: map[string]any{"mobile": mobileIn, "alternateEmail": mailAddr},
	}, 200)
	r.try(anna, client.Command{
		Collection: "security-info", ID: annaID, Name: "ConfirmContactVerification",
		Body: map[string]any{"slot": "mobile", "code": "000000"},
	}, 409, 422)
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	m, err := r.Mailbox().Wait(ctx, func(m mailbox.Message) bool {
		return m.Template == "contact_code" && strings.HasPrefix(strings.Join(m.Recipients, " "), mobile[1:])
	})
	if err != nil {
		r.Fatal(err)
	}
	r.try(anna, client.Command{
		Collection: "security-info", ID: annaID, Name: "ConfirmContactVerification",
		Body: map[string]any{"slot": "mobile", "code": codes.FindString(m.Text)},
	}, 200)
	r.try(saga, client.Command{
		Collection: "customers", ID: demo.Norrsken, Name: "UpdateCustomerAccount", IfMatch: r.seen("/v1/customers/" + demo.Norrsken),
		Body: map[string]any{"billingInfo": map[string]any{
			"firstName": "Zeldarina", "lastName": "Wexelblatt", "email": billing, "companyName": "Norrsken", "culture": "sv-SE", "language": "sv",
			"defaultAddress": map[string]any{
				"firstName": "Zeldarina", "lastName": "Wexelblatt", "line1": "Bokhyllan 4", "city": "Umeå", "postalCode": "903 26", "country": "SE", "phone": mobileIn,
			},
		}},
	}, 200)
	stale := updated.Revision - 1
	rename := map[string]any{"holderName": staleNm}
	r.try(anna, client.Command{Collection: "cards", ID: demo.AnnasCard, Name: "UpdateCardDetails", Body: rename, IfMatch: &stale, Reason: staleNm}, 412)
	r.try(anna, client.Command{Collection: "cards", ID: demo.AnnasCard, Name: "UpdateCardDetails", Body: rename}, 428)
	r.try(anna, client.Command{
		Collection: "cards", ID: demo.AnnasCard, Name: "UpdateCardDetails", IfMatch: &updated.Revision, DryRun: true,
		Body: map[string]any{"holderName": dryName}, Reason: dryName,
	}, 200)
	r.try(r.as("mikkel"), client.Command{
		Collection: "cards", ID: demo.AnnasCard, Name: "UpdateCardDetails", IfMatch: &updated.Revision,
		Body: map[string]any{"holderName": badName}, Reason: badName,
	}, 403)
	r.try(r.as("bo"), client.Command{Collection: "cards", ID: demo.AnnasCard, Name: "RemoveCard", Body: map[string]any{}, Reason: badName}, 404)
	for _, number := range testNumbers {
		for _, a := range []ask{
			{path: "/v1/cards/" + demo.AnnasCard + "/UpdateCardDetails", body: `{"holderName":"` + number + `"}`},
			{path: "/v1/cards/" + demo.AnnasCard + "/RemoveCard", header: map[string]string{"User-Agent": number}, body: `{"x":1}`},
			{path: "/v1/cards/" + number + "/RemoveCard"},
			{path: "/v1/" + number},
			{path: "/v1/cards/" + demo.AnnasCard + "/RemoveCard?x=" + number},
			{method: http.MethodGet, path: "/v1/cards/" + number},
			{method: http.MethodGet, path: "/v1/cards?cursor=" + number},
			{path: "/v1/cards/" + demo.AnnasCard + "/RemoveCard", header: map[string]string{"Idempotency-Key": number}},
			{path: "/v1/cards/" + demo.AnnasCard + "/RemoveCard", header: map[string]string{"Correlation-Id": number}, body: `{"x":1}`},
		} {
			a.as = "anna"
			if status, _ := r.do(a); status < 400 {
				r.Errorf("%s %s with a card number = %d, want a refusal", a.method, a.path, status)
			}
		}
	}
	// A card number in the user agent of a command that is carried out.
	evaID := demo.People()[2].ID
	for _, userAgent := range []string{testNumbers[0], agent} {
		status, problem := r.do(ask{as: "anna", path: "/v1/admins/" + evaID + "/AssignRole", body: `{"role":"sales-agent"}`, header: map[string]string{
			"User-Agent": userAgent, "Konto-Reason": url.PathEscape(reason),
		}})
		if status != http.StatusOK {
			r.Fatalf("AssignRole = %d %v", status, problem)
		}
		r.do(ask{as: "anna", path: "/v1/admins/" + evaID + "/RemoveRole", body: `{"role":"sales-agent"}`})
	}
	r.decline()
	r.try(anna, client.Command{Collection: "relationships", ID: demo.Relationship, Name: "EndRelationship", Body: map[string]any{"reason": expired}}, 200)
}

// try sends a command that is answered with one of the statuses.
func (r *running) try(as *client.Client, cmd client.Command, statuses ...int) client.Accepted {
	r.Helper()
	accepted, err := as.Send(r.Context(), cmd)
	status := http.StatusOK
	if err != nil {
		problem, ok := err.(*client.Problem) //nolint:errorlint // the client's own, unwrapped
		if !ok {
			r.Fatal(err)
		}
		status = problem.Status
	}
	if !slices.Contains(statuses, status) {
		r.Fatalf("%s: %v, want one of %v", cmd.Name, err, statuses)
	}
	return accepted
}

// seen returns the revision of a resource as its reader sees it, once the read
// model has come that far.
func (r *running) seen(path string) *int64 {
	r.Helper()
	r.settled()
	n, err := strconv.ParseInt(strings.Trim(r.tag(path), `"`), 10, 64)
	if err != nil {
		r.Fatal(err)
	}
	return &n
}

// decline has a charge declined and waits for the mail about it.
func (r *running) decline() {
	r.Helper()
	body := fmt.Sprintf(`{"id":"evt_1","object":"event","type":"charge.failed","created":%d,"data":{"object":{
		"id":"ch_1","amount":14900,"currency":"sek","created":%d,"payment_method":%q,"failure_code":"card_declined",
		"billing_details":{"name":%q,"email":%q},"outcome":{"reason":"insufficient_funds"},
		"metadata":{"konto_subscription":%q,"note":%q}}}}`,
		time.Now().Unix(), time.Now().Unix(), demo.AnnasToken, holder, mailAddr, demo.Subscription, testNumbers[1])
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: stripeSecret})
	if status, problem := r.do(ask{path: "/v1/gateways/stripe", body: body, header: map[string]string{"Stripe-Signature": signed.Header}}); status != http.StatusOK {
		r.Fatalf("webhook = %d %v", status, problem)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	if _, err := r.Mailbox().Wait(ctx, func(m mailbox.Message) bool { return m.Template == "card_declined" }); err != nil {
		r.Fatal(err)
	}
}

// plant puts values where the search must find them.
func plant(t *testing.T, data string) {
	t.Helper()
	store, err := engine.Open(filepath.Join(data, "events"), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	quoted, _ := json.Marshal(map[string]string{"name": holder}) // a string marshals
	_, err = store.Append(t.Context(), "canary-1", eventstore.Any, eventstore.Event{ID: eventstore.ID{1}, Type: "Canary", Data: quoted, Meta: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"upper":   "x" + strings.ToUpper(mailAddr) + "x",
		"escaped": `"` + strings.Trim(strconv.QuoteToASCII(street), `"`) + `"`,
		"joined":  "46" + strings.NewReplacer(" ", "", "-", "").Replace(mobileIn),
		"zero":    base64.StdEncoding.EncodeToString([]byte(reason + ".")),
		"one":     base64.StdEncoding.EncodeToString([]byte("." + reason + "..")),
		"two":     base64.URLEncoding.EncodeToString([]byte(".." + reason)),
		"percent": "?q=" + url.QueryEscape(badName),
	} {
		if err := os.WriteFile(filepath.Join(data, "canary-"+name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := strings.Join(leaks(t, data, []byte("a line about "+dryName), secrets()), "\n")
	for _, want := range []string{
		"/events/", "in log", "/canary-upper", "/canary-escaped", "/canary-joined", "/canary-zero", "/canary-one", "/canary-two", "/canary-percent",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("a planted value was not found: %s\nfound: %s", want, found)
		}
	}
}
