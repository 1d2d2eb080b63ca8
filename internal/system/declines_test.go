package system_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"konto/internal/client"
	"konto/internal/demo"
	"konto/projections"
)

// A decline with a code that no list has is counted, logged with nothing but
// the code, and listed for operators; a code that a list has is not.
func TestUnknownDeclineCodes(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	for i, code := range []string{"brand_new<!>", "brand_new<!>", "insufficient_funds", "stolen_card"} {
		body := fmt.Sprintf(`{"id":"evt_%d","object":"event","type":"charge.failed","created":%d,"data":{"object":{
			"id":"ch_%d","amount":14900,"currency":"sek","created":%d,"payment_method":%q,"failure_code":"card_declined",
			"outcome":{"reason":%q},"metadata":{"konto_subscription":%q}}}}`,
			i, time.Now().Unix(), i, time.Now().Unix(), demo.AnnasToken, code, demo.Subscription)
		r.stripe(body)
		r.stripe(body) // the second delivery counts for nothing
	}
	r.settled()
	var page struct {
		Items []projections.UnknownDeclineCode `json:"items"`
	}
	path := "/v1/unknown-decline-codes?after=" + r.head().String()
	if err := r.as("operator").Get(t.Context(), path, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 1 || page.Items[0].Code != "brand_new<!>" || page.Items[0].Declines != 2 || page.Items[0].Organizations != 1 ||
		page.Items[0].LastAt.IsZero() || page.Items[0].LastAt.Before(page.Items[0].FirstAt) {
		t.Errorf("items = %+v, want the new code twice", page.Items)
	}
	for _, name := range []string{"anna", "eva", "support"} {
		var p *client.Problem
		if err := r.as(name).Get(t.Context(), path, nil); !errors.As(err, &p) || p.Code != "unknown-decline-codes-not-allowed" {
			t.Errorf("as %s: %v, want a refusal", name, err)
		}
	}
	var warned int
	for line := range bytes.Lines(r.log.Bytes()) {
		var entry struct {
			Level, Message string
			Code           string `json:"decline_code"`
		}
		if err := json.Unmarshal(line, &entry); err != nil || entry.Message != "unknown decline code" {
			continue
		}
		if warned++; entry.Level != "warn" || entry.Code != "brand_new???" || strings.Contains(string(line), demo.Subscription) {
			t.Errorf("line = %s, want the code in plain characters, and no more", line)
		}
	}
	if warned != 2 {
		t.Errorf("%d warnings, want 2", warned)
	}
	if text := r.metrics(); !strings.Contains(text, "\nkonto_unknown_decline_codes_total 2\n") {
		t.Errorf("the counter is not at 2:\n%s", text)
	}
}

// stripe delivers a signed event.
func (r *running) stripe(body string) {
	r.Helper()
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: stripeSecret})
	if status, problem := r.do(ask{path: "/v1/gateways/stripe", body: body, header: map[string]string{"Stripe-Signature": signed.Header}}); status != http.StatusOK {
		r.Fatalf("webhook = %d %v", status, problem)
	}
}

// K2: once the network has given a card another number, that number is the one
// that its owner cannot add again; the old one is free.
func TestNumberGivenByTheNetworkIsADuplicate(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	r.stripe(fmt.Sprintf(`{"id":"evt_1","object":"event","type":"payment_method.automatically_updated","created":%d,"data":{"object":{
		"id":%q,"card":{"brand":"visa","last4":"1881","exp_month":11,"exp_year":%d,"fingerprint":"fp_new"}}}}`,
		time.Now().Unix(), demo.AnnasToken, time.Now().Year()+4))
	r.settled()
	add := func(n int, token, fingerprint string) (int, map[string]any) {
		return r.do(ask{
			path: fmt.Sprintf("/v1/cards/%s/AddCard", fmt.Sprintf("01930000-0000-7000-8000-0000000009%02d", n)), as: "anna",
			body: fmt.Sprintf(`{"gatewayToken":%q,"brand":"visa","last4":"1881","expMonth":11,"expYear":%d,"funding":"credit","issuerCountry":"SE",
				"fingerprint":%q,"holderName":"Anna L","billTo":{"line1":"Storgatan 1","city":"Umeå","postalCode":"903 26","country":"SE"}}`,
				token, time.Now().Year()+4, fingerprint),
		})
	}
	status, problem := add(1, "pm_again", "fp_new")
	if facts, _ := problem["facts"].(map[string]any); status != http.StatusConflict || problem["code"] != "duplicate-card" || facts["card"] != demo.AnnasCard {
		t.Errorf("the new number again: %d %v, want that Anna's card has it", status, problem)
	}
	if status, problem := add(2, "pm_old", "demo-fingerprint-anna"); status != http.StatusOK {
		t.Errorf("the old number: %d %v, want it to be free", status, problem)
	}
}

func (r *running) metrics() string {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.URL()+"/metrics", nil)
	if err != nil {
		r.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		r.Fatal(err)
	}
	return b.String()
}
