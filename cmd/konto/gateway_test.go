package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stripe/stripe-go/v85/webhook"

	"konto/domain/collection"
	"konto/internal/demo"
)

// call is a webhook from Stripe, or what pretends to be one.
type call struct {
	kind, event, code, invoice, token, subscription, secret, body string
	amount                                                        int64
	age                                                           time.Duration
	created                                                       time.Time
}

// failureCodes are the codes that Stripe reports by themselves. All others
// stand in the outcome of a charge whose failure code is "card_declined".
var failureCodes = []string{"expired_card", "incorrect_cvc", "incorrect_number", "incorrect_zip", "processing_error", "invalid_cvc"}

func (c call) payload() []byte {
	if c.body != "" {
		return []byte(c.body)
	}
	object := map[string]any{
		"id": "ch_" + c.event, "object": "charge", "amount": c.amount, "currency": "sek", "created": c.created.Unix(),
		"payment_method": c.token, "metadata": map[string]string{"konto_invoice": c.invoice, "konto_subscription": c.subscription},
	}
	switch {
	case c.kind == "payment_method.automatically_updated":
		object = map[string]any{"id": c.token, "object": "payment_method", "card": map[string]any{
			"brand": "visa", "last4": "1881", "exp_month": 11, "exp_year": 2031,
		}}
	case slices.Contains(failureCodes, c.code):
		object["failure_code"] = c.code
	case c.kind == "charge.failed":
		object["failure_code"] = "card_declined"
		object["outcome"] = map[string]any{"reason": c.code}
	}
	b, err := json.Marshal(map[string]any{
		"id": "evt_" + c.event, "object": "event", "type": c.kind, "created": c.created.Unix(),
		"api_version": "2025-01-27", "data": map[string]any{"object": object},
	})
	if err != nil {
		panic(err) // maps of strings and numbers marshal
	}
	return b
}

func (c call) send(ts *testscript.TestScript) (int, []byte) {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{
		Payload: c.payload(), Secret: c.secret, Timestamp: now().Add(-c.age),
	})
	status, _, answer := send(ts, "", http.MethodPost, "/v1/gateways/stripe", http.Header{"Stripe-Signature": {signed.Header}}, signed.Payload)
	return status, answer
}

// running is what the konto dev that the script runs has left in its data
// directory, and the time of its clock; nothing and the time if it runs none.
func running(ts *testscript.TestScript) (local, time.Time) {
	l, err := readLocal(ts.Getenv("KONTO_DATA"))
	if errors.Is(err, errNoDev) {
		return l, now()
	}
	ts.Check(err)
	clock, err := l.now()
	ts.Check(err)
	return l, clock()
}

// sendWebhook sends a signed webhook and checks the answer's status. The
// answer is in stdout:
//
//	webhook STATUS TYPE [-event ID] [-code DECLINE] [-amount MINOR] [-invoice UUID]
//		[-token TOKEN] [-subscription UUID] [-secret SECRET] [-age DURATION] [-body JSON]
func sendWebhook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args)%2 != 0 {
		ts.Fatalf("usage: webhook STATUS TYPE [FLAG VALUE]...")
	}
	c := call{kind: args[1], event: uuid.NewString(), token: demo.AnnasToken, subscription: demo.Subscription, amount: 149_00}
	for i := 2; i < len(args); i += 2 {
		var err error
		switch value := args[i+1]; args[i] {
		case "-event":
			c.event = value
		case "-code":
			c.code = value
		case "-amount":
			c.amount, err = strconv.ParseInt(value, 10, 64)
		case "-invoice":
			c.invoice = value
		case "-token":
			c.token = value
		case "-subscription":
			c.subscription = value
		case "-secret":
			c.secret = value
		case "-age":
			c.age, err = time.ParseDuration(value)
		case "-body":
			c.body = value
		default:
			ts.Fatalf("webhook: unknown flag %s", args[i])
		}
		ts.Check(err)
	}
	l, at := running(ts)
	c.secret, c.created = cmp.Or(c.secret, l.StripeSecret), at
	status, answer := c.send(ts)
	_, _ = ts.Stdout().Write(answer)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("the webhook is answered with %d, want %s:\n%s", status, args[0], answer)
	}
}

// expected is a line of the table of declines: what is shown of a code.
type expected struct{ code, shown, class, retry, item string }

// declines has anna's card declined once for each code in a table, each on an
// invoice of its own, and checks that each decline is explained as the table
// says and that anna was told once in Swedish and mikkel once in Danish:
//
//	declines FILE
func declines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: declines FILE")
	}
	var table []expected
	var listed []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if f := strings.Fields(line); len(f) == 5 && f[0] != "CODE" {
			table = append(table, expected{f[0], f[1], f[2], f[3], strings.Trim(f[4], "-")})
			listed = append(listed, f[0])
		}
	}
	if slices.Sort(listed); !slices.Equal(listed, collection.Codes()) {
		ts.Fatalf("the table has the codes %q, want %q", listed, collection.Codes())
	}
	l, at := running(ts)
	invoices := make([]string, len(table))
	for i, e := range table {
		invoices[i] = uuid.NewString()
		c := call{
			kind: "charge.failed", event: uuid.NewString(), code: e.code, invoice: invoices[i], token: demo.AnnasToken,
			subscription: demo.Subscription, amount: 100_00 + int64(i), secret: l.StripeSecret, created: at,
		}
		if status, answer := c.send(ts); status != http.StatusOK {
			ts.Fatalf("%s: the webhook is answered with %d:\n%s", e.code, status, answer)
		}
	}
	settled(ts, false, nil)
	told := inbox(ts, func(m mail) bool { return m.Template == "card_declined" })
	for i, e := range table {
		e.check(ts, invoices[i], told)
	}
	if len(told) != 2*len(table) {
		ts.Fatalf("%d mails about declines, want %d", len(told), 2*len(table))
	}
}

func (e expected) check(ts *testscript.TestScript, invoice string, told []mail) {
	status, _, answer := send(ts, "anna", http.MethodGet, "/v1/invoices/"+invoice+"/decline", nil, nil)
	var d struct {
		Code          string `json:"code"`
		Class         string `json:"class"`
		Retry         string `json:"retry"`
		ChecklistItem string `json:"checklistItem"`
	}
	if err := json.Unmarshal(answer, &d); err != nil || status != http.StatusOK {
		ts.Fatalf("%s: the decline is answered with %d (%v):\n%s", e.code, status, err, answer)
	}
	if got := (expected{e.code, d.Code, d.Class, d.Retry, d.ChecklistItem}); got != e {
		ts.Fatalf("%s is explained as %+v, want %+v", e.code, got, e)
	}
	languages := []string{}
	for _, m := range told {
		if !strings.Contains(m.Text, invoice) {
			continue
		}
		languages = append(languages, m.Language+" "+m.Recipients[0])
		if e.shown != e.code && strings.Contains(m.Subject+m.Text, e.code) {
			ts.Fatalf("%s is told, and must not be:\n%s", e.code, m.Text)
		}
		if m.Arrivals != 1 {
			ts.Fatalf("%s: %s was told %d times", e.code, m.Recipients[0], m.Arrivals)
		}
	}
	slices.Sort(languages)
	want := []string{"da mikkel.sorensen@norrsken.example", "sv anna.lindqvist@norrsken.example"}
	if !slices.Equal(languages, want) {
		ts.Fatalf("%s: told %q, want %q", e.code, languages, want)
	}
}
