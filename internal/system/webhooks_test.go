package system_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"konto/domain/delivery"
	"konto/eventstore/storetest"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/system"
	"konto/internal/testclock"
	"konto/projections"
)

// received is a call as it came.
type received struct {
	id, timestamp, signature string
	header                   http.Header
	raw                      []byte
	body                     struct {
		Type, ID, ResourceURI, AuditURI string
		At                              time.Time
	}
}

// receiver is somebody else's system.
type receiver struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	calls []received
	grown chan struct{}
	// answer is asked for each call, with its number from 1; nil is 204.
	answer func(w http.ResponseWriter, n int)
}

func listen(t *testing.T, answer func(w http.ResponseWriter, n int)) *receiver {
	t.Helper()
	r := &receiver{t: t, grown: make(chan struct{}), answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		c := received{
			id: req.Header.Get("Webhook-Id"), timestamp: req.Header.Get("Webhook-Timestamp"), signature: req.Header.Get("Webhook-Signature"),
			header: req.Header, raw: raw,
		}
		if err := json.Unmarshal(raw, &c.body); err != nil {
			t.Errorf("body %s: %v", raw, err)
		}
		r.mu.Lock()
		r.calls = append(r.calls, c)
		n := len(r.calls)
		close(r.grown)
		r.grown = make(chan struct{})
		r.mu.Unlock()
		if r.answer != nil {
			r.answer(w, n)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

// wait returns the calls once there are n.
func (r *receiver) wait(n int) []received {
	r.t.Helper()
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		calls, grown := append([]received(nil), r.calls...), r.grown
		r.mu.Unlock()
		if len(calls) >= n {
			return calls
		}
		select {
		case <-grown:
		case <-timeout.C:
			r.t.Fatalf("%d calls came in time, want %d", len(calls), n)
		}
	}
}

// genuine checks a call as the Standard Webhooks specification tells receivers
// to, and as nothing of ours does it.
func (c received) genuine(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return false
	}
	sum := hmac.New(sha256.New, key)
	_, _ = io.WriteString(sum, strings.Join([]string{c.id, c.timestamp, string(c.raw)}, "."))
	for one := range strings.SplitSeq(c.signature, " ") {
		version, text, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(given, sum.Sum(nil)) {
			return true
		}
	}
	return false
}

const hook = "01930000-0000-7000-8000-00000000aaaa"

// accepted is what a test reads of an answer to a command.
type accepted struct {
	Position      string
	Revision      int64
	Replayed      bool
	WebhookSecret string
	Effects       []struct{ Name, To string }
	Events        []struct{ Type string }
}

func (r *running) must(as, collection, id, name string, body any, key string) accepted {
	r.Helper()
	a, err := r.as(as).Send(r.Context(), client.Command{Collection: collection, ID: id, Name: name, Body: body, Key: key})
	if err != nil {
		r.Fatalf("%s: %v", name, err)
	}
	var out accepted
	if err := json.Unmarshal(a.Raw, &out); err != nil {
		r.Fatal(err)
	}
	return out
}

func (r *running) register(as, url string, events ...string) accepted {
	r.Helper()
	return r.must(as, "webhook-endpoints", hook, "RegisterWebhookEndpoint", map[string]any{"url": url, "events": events}, "register")
}

// rename is something that happens.
func (r *running) rename(name string) accepted {
	r.Helper()
	anna, _ := demo.Find("anna")
	var seen struct{ Revision int64 }
	if err := r.as("anna").Get(r.Context(), "/v1/accounts/admin-"+anna.ID+"/state", &seen); err != nil {
		r.Fatal(err)
	}
	a, err := r.as("anna").Send(r.Context(), client.Command{
		Collection: "admins", ID: anna.ID, Name: "ChangeDisplayName", IfMatch: &seen.Revision, Body: map[string]any{"displayName": name},
	})
	if err != nil {
		r.Fatal(err)
	}
	var out accepted
	if err := json.Unmarshal(a.Raw, &out); err != nil {
		r.Fatal(err)
	}
	return out
}

func (r *running) deliveries(query string) []projections.WebhookDelivery {
	r.Helper()
	r.settled()
	var page struct{ Items []projections.WebhookDelivery }
	if err := r.as("anna").Get(r.Context(), "/v1/webhook-deliveries?after="+r.head().String()+query, &page); err != nil {
		r.Fatal(err)
	}
	return page.Items
}

func (r *running) endpoint() projections.WebhookEndpoint {
	r.Helper()
	var e projections.WebhookEndpoint
	if err := r.as("anna").Get(r.Context(), "/v1/webhook-endpoints/"+hook+"?after="+r.head().String(), &e); err != nil {
		r.Fatal(err)
	}
	return e
}

// timed is a seeded system whose clock stands still unless it is moved.
func timed(t *testing.T) (*running, *testclock.Clock) {
	t.Helper()
	if !storetest.Embedded() {
		t.Skip("a store elsewhere has a clock of its own")
	}
	data := t.TempDir()
	start0 := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	clock, err := testclock.Open(filepath.Join(data, "clock"), start0, func() time.Time { return start0 })
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, data, func(c *system.Config) { c.Clock, c.Now = clock, clock.Now })
	r.seed()
	return r, clock
}

func TestP11_CallsAreSignedAndThin(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	to := listen(t, nil)
	made := r.register("anna", to.URL+"/hook", "admin-display-name-changed")
	if !strings.HasPrefix(made.WebhookSecret, "whsec_") || made.Replayed {
		t.Fatalf("answer = %+v, want a secret", made)
	}
	if again := r.register("anna", to.URL+"/hook", "admin-display-name-changed"); again.WebhookSecret != "" || !again.Replayed {
		t.Errorf("the same command again = %+v, want no secret", again)
	}
	did := r.rename("Anna Maria Lindqvist")
	c := to.wait(1)[0]
	anna, _ := demo.Find("anna")
	switch {
	case !c.genuine(made.WebhookSecret):
		t.Errorf("signature %q of %s does not hold", c.signature, c.raw)
	case c.genuine("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))):
		t.Error("the test takes any signature")
	case c.body.Type != "admin-display-name-changed" || c.body.ID != c.id || c.body.At.IsZero():
		t.Errorf("body = %s, id %s", c.raw, c.id)
	case c.body.ResourceURI != r.URL()+"/v1/admins/"+anna.ID:
		t.Errorf("resource = %s", c.body.ResourceURI)
	case strings.Contains(string(c.raw), "Maria"):
		t.Errorf("body %s tells a name", c.raw)
	}
	if at, err := strconv.ParseInt(c.timestamp, 10, 64); err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("timestamp = %s, want now", c.timestamp)
	}
	var fields map[string]any
	if err := json.Unmarshal(c.raw, &fields); err != nil || len(fields) != 5 {
		t.Errorf("body = %s, want type, id, at, resourceUri and auditUri alone", c.raw)
	}
	var audit struct{ Events []struct{ Type string } }
	if err := r.as("anna").Get(t.Context(), strings.TrimPrefix(c.body.AuditURI, r.URL()), &audit); err != nil || len(audit.Events) != 1 || audit.Events[0].Type != did.Events[0].Type {
		t.Errorf("%s = %+v, %v, want the event alone", c.body.AuditURI, audit, err)
	}
	if err := r.as("anna").Get(t.Context(), strings.TrimPrefix(c.body.ResourceURI, r.URL()), &audit); err != nil {
		t.Errorf("%s: %v", c.body.ResourceURI, err)
	}
	d := r.deliveries("")
	if len(d) != 1 || d[0].ID != c.id || d[0].Status != delivery.Delivered || d[0].HTTPStatus != 204 || d[0].Attempts != 1 {
		t.Errorf("deliveries = %+v, want the one, delivered", d)
	}
	r.noSecret(made.WebhookSecret)
}

// noSecret fails the test if a secret is anywhere but in the answer.
func (r *running) noSecret(secret string) {
	r.Helper()
	text := strings.TrimPrefix(secret, "whsec_")
	if strings.Contains(string(r.log.Bytes()), text) {
		r.Error("the log has the secret")
	}
	for _, path := range []string{"/v1/webhook-endpoints", "/v1/accounts/webhook-" + hook + "/history", "/v1/accounts/webhook-" + hook + "/state"} {
		var raw json.RawMessage
		if err := r.as("anna").Get(r.Context(), path, &raw); err != nil || strings.Contains(string(raw), text) {
			r.Errorf("%s: %v, or it has the secret: %s", path, err, raw)
		}
	}
}

// What fails is tried again with the same ID, and at last given up; then people
// are told, once. Somebody may ask for it again.
func TestP11_FailsAndIsNotDelivered(t *testing.T) {
	t.Parallel()
	r, clock := timed(t)
	works := false
	var mu sync.Mutex
	to := listen(t, func(w http.ResponseWriter, _ int) {
		mu.Lock()
		defer mu.Unlock()
		if works {
			w.WriteHeader(http.StatusOK)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	made := r.register("anna", to.URL, "*")
	r.rename("Anna L")
	first := to.wait(1)[0]
	d := r.deliveries("&status=pending")
	if len(d) != 1 || d[0].Outcome != delivery.Failed || d[0].HTTPStatus != 503 || !d[0].RetryAt.Equal(clock.Now().Add(5*time.Second)) {
		t.Fatalf("deliveries = %+v, want one to be tried again in 5 s", d)
	}
	if _, err := r.AdvanceTo(t.Context(), clock.Now().Add(5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if calls := to.wait(2); calls[1].id != first.id || calls[1].timestamp == first.timestamp || !calls[1].genuine(made.WebhookSecret) {
		t.Errorf("second attempt = %+v, want the same ID at another time", calls[1])
	}
	if _, err := r.AdvanceTo(t.Context(), clock.Now().Add(5*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if calls := to.wait(10); len(calls) != 10 {
		t.Errorf("%d attempts, want 10", len(calls))
	}
	d = r.deliveries("&status=abandoned")
	if len(d) != 1 || d[0].Attempts != 10 || d[0].Why != delivery.WhyUsedUp || !d[0].RetryAt.IsZero() {
		t.Fatalf("deliveries = %+v, want one given up", d)
	}
	r.rename("Anna M")
	if _, err := r.AdvanceTo(t.Context(), clock.Now().Add(5*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	r.told("webhook_failed", 1)
	if e := r.endpoint(); e.Failing != 2 || e.Status != "active" {
		t.Errorf("endpoint = %+v, want one that failed twice", e)
	}

	mu.Lock()
	works = true
	mu.Unlock()
	r.must("anna", "webhook-deliveries", d[0].ID, "RedeliverWebhook", map[string]any{}, "")
	r.settled()
	calls := to.wait(21)
	if again := calls[20]; again.id != first.id || string(again.raw) != string(first.raw) {
		t.Errorf("asked for again: %s %s, want the same call", again.id, again.raw)
	}
	if d := r.deliveries("&status=delivered"); len(d) != 1 || d[0].Round != 2 || d[0].Attempts != 1 {
		t.Errorf("deliveries = %+v, want the one in its second round", d)
	}
}

// told fails the test unless a message was sent so often.
func (r *running) told(template string, times int) {
	r.Helper()
	r.settled()
	n := 0
	for _, m := range r.Mailbox().Messages("") {
		if m.Template == template {
			n++
		}
	}
	if n != times {
		r.Errorf("%s was sent %d times, want %d", template, n, times)
	}
}

// An endpoint that took the call and whose answer was lost gets it again, and
// knows it by its ID.
func TestP11_FailsButIsDelivered(t *testing.T) {
	t.Parallel()
	r, clock := timed(t)
	to := listen(t, func(w http.ResponseWriter, n int) {
		if n == 1 {
			panic(http.ErrAbortHandler) // it has the call, and hangs up
		}
		w.WriteHeader(http.StatusAccepted)
	})
	r.register("anna", to.URL, "*")
	r.rename("Anna L")
	if d := r.deliveries(""); len(d) != 1 || d[0].Status != delivery.Pending || d[0].Outcome != delivery.Unreachable {
		t.Fatalf("deliveries = %+v, want one to be tried again", d)
	}
	if _, err := r.AdvanceTo(t.Context(), clock.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	calls := to.wait(2)
	if len(calls) != 2 || calls[0].id != calls[1].id {
		t.Errorf("%d calls, want two with one ID", len(calls))
	}
	if d := r.deliveries(""); len(d) != 1 || d[0].Status != delivery.Delivered || d[0].Attempts != 2 {
		t.Errorf("deliveries = %+v, want one delivered", d)
	}
}

// Who says that it is gone is not called any more, and people are told.
func TestP11_GoneEndpointIsDisabled(t *testing.T) {
	t.Parallel()
	r, _ := timed(t)
	to := listen(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusGone) })
	r.register("anna", to.URL, "*")
	r.rename("Anna L")
	to.wait(1)
	if d := r.deliveries(""); len(d) != 1 || d[0].Status != delivery.Abandoned || d[0].Why != delivery.WhyGone {
		t.Errorf("deliveries = %+v, want one given up", d)
	}
	if e := r.endpoint(); e.Status != "disabled" || e.Why != "gone" {
		t.Errorf("endpoint = %+v, want it disabled", e)
	}
	r.told("webhook_disabled", 1)
	r.rename("Anna M")
	if r.settled(); len(to.wait(1)) != 1 {
		t.Error("a disabled endpoint was called")
	}
}

// A rotated secret signs beside the new one until its time is over.
func TestP11_RotatedSecret(t *testing.T) {
	t.Parallel()
	r, clock := timed(t)
	to := listen(t, nil)
	old := r.register("anna", to.URL, "*").WebhookSecret
	made := r.must("anna", "webhook-endpoints", hook, "RotateWebhookSecret", map[string]any{}, "").WebhookSecret
	if made == "" || made == old {
		t.Fatalf("secret = %q, want another one", made)
	}
	r.rename("Anna L")
	if c := to.wait(1)[0]; !c.genuine(old) || !c.genuine(made) {
		t.Errorf("signature = %s, want one with each secret", c.signature)
	}
	r.settled()
	if _, err := r.AdvanceTo(t.Context(), clock.Now().Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	r.rename("Anna M")
	if c := to.wait(2)[1]; c.genuine(old) || !c.genuine(made) {
		t.Errorf("signature = %s, want one with the new secret alone", c.signature)
	}
	r.noSecret(made)
}

// The partner's system hears of what its people do for a customer, and of what
// a relationship comes to; of nothing else of the customer's.
func TestP11_PartnersHearOfTheirCustomers(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	to := listen(t, nil)
	r.register("bo", to.URL, "customer-updated", "relationship-ended", "admin-display-name-changed")
	var seen struct{ Revision int64 }
	if err := r.as("saga").Get(t.Context(), "/v1/accounts/customer-"+demo.Norrsken+"/state", &seen); err != nil {
		t.Fatal(err)
	}
	_, err := r.as("saga").Send(t.Context(), client.Command{
		Collection: "customers", ID: demo.Norrsken, Name: "UpdateCustomerAccount", IfMatch: &seen.Revision,
		Body: map[string]any{"companyDetails": map[string]any{"companyName": "Norrsken AB"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.rename("Anna L") // the customer's own business
	r.settled()
	r.must("anna", "relationships", demo.Relationship, "EndRelationship", map[string]any{"reason": "we part"}, "")
	calls := to.wait(2)
	if r.settled(); len(to.wait(2)) != 2 {
		t.Errorf("%d calls, want 2", len(to.wait(2)))
	}
	if calls[0].body.Type != "customer-updated" || calls[1].body.Type != "relationship-ended" {
		t.Errorf("calls = %s, %s", calls[0].raw, calls[1].raw)
	}
	if d := r.deliveries(""); len(d) != 0 {
		t.Errorf("the customer sees %+v of the partner's deliveries", d)
	}
	var page struct{ Items []projections.WebhookDelivery }
	if err := r.as("bo").Get(t.Context(), "/v1/webhook-deliveries", &page); err != nil || len(page.Items) != 2 {
		t.Errorf("deliveries = %+v, %v, want 2", page.Items, err)
	}
}

// A slow endpoint keeps its own calls waiting, and nobody else's, however many.
func TestP11_SlowEndpointHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	done := make(chan struct{})
	slow := listen(t, func(http.ResponseWriter, int) { <-done })
	quick := listen(t, nil)
	r.register("anna", slow.URL, "*")
	r.must("anna", "webhook-endpoints", "01930000-0000-7000-8000-00000000bbbb", "RegisterWebhookEndpoint",
		map[string]any{"url": quick.URL, "events": []string{"*"}}, "")
	const many = 40 // more than there are workers
	for i := range many {
		r.rename("Anna " + strconv.Itoa(i))
	}
	quick.wait(many)
	if n := len(slow.wait(1)); n != 1 {
		t.Errorf("the slow endpoint has %d calls at once, want 1", n)
	}
	close(done)
	slow.wait(many)
	r.settled()
}
