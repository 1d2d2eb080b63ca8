package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/internal/client"
)

// serve answers every request with a status and a body, and hands the last
// request over.
func serve(t *testing.T, status int, contentType, body string) (*client.Client, func() (*http.Request, string)) {
	t.Helper()
	var last *http.Request
	var sent string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		last, sent = r, string(b)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return &client.Client{Base: s.URL, Token: "secret"}, func() (*http.Request, string) { return last, sent }
}

func TestSend(t *testing.T) {
	t.Parallel()
	c, last := serve(t, http.StatusOK, "application/json",
		`{"stream":"card-1","revision":4,"position":"C:9/P:9","events":[{"id":"e","type":"CardAdded"}],"effects":[{"kind":"notice","to":"p","name":"card_changed"}]}`)
	revision := int64(3)
	got, err := c.Send(t.Context(), client.Command{
		Collection: "cards", ID: "1", Name: "AddCard", Body: map[string]int{"expYear": 2030},
		Key: "key", IfMatch: &revision, Reason: "ny på året", DryRun: true, Merge: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Stream != "card-1" || got.Revision != 4 || len(got.Events) != 1 || got.Effects[0].Name != "card_changed" || !json.Valid(got.Raw) {
		t.Errorf("Send = %+v, want what the answer says", got)
	}
	r, body := last()
	sent := map[string]string{"path": r.URL.String(), "body": body}
	for _, name := range []string{"Authorization", "Idempotency-Key", "If-Match", "Konto-Reason", "Content-Type", "Prefer"} {
		sent[name] = r.Header.Get(name)
	}
	want := map[string]string{
		"path": "/v1/cards/1/AddCard?dry-run=true", "body": `{"expYear":2030}`, "Authorization": "Bearer secret",
		"Idempotency-Key": "key", "If-Match": `"3"`, "Konto-Reason": "ny%20p%C3%A5%20%C3%A5ret", "Content-Type": "application/json", "Prefer": "handling=lenient",
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("Send sends (-want +got):\n%s", diff)
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		code, detail            string
	}{
		{"a problem", "application/problem+json", `{"status":409,"code":"card-in-use","detail":"it pays"}`, 409, "card-in-use", "it pays"},
		{"another server's words", "text/html", `<h1>Bad gateway</h1>`, 502, "http-502", "502 Bad Gateway"},
		{"a problem that is none", "application/problem+json", `no JSON`, 500, "http-500", "500 Internal Server Error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, test.status, test.contentType, test.body)
			var p *client.Problem
			if err := c.Get(t.Context(), "/v1/cards", &struct{}{}); !errors.As(err, &p) {
				t.Fatalf("Get = %v, want a problem", err)
			}
			if p.Status != test.status || p.Code != test.code || p.Detail != test.detail || !json.Valid(p.Raw) {
				t.Errorf("Get = %+v, want status %d, code %s, detail %s", p, test.status, test.code, test.detail)
			}
		})
	}
}

// TestSettle checks that what is waiting is waited for, and that one look is
// not believed.
func TestSettle(t *testing.T) {
	t.Parallel()
	answers := []string{
		`{"status":503}`,
		`{"checks":{"store":{"facts":{"position":"C:1/P:1"}},"outbox":{"facts":{"waiting":0,"lagEvents":0}}}}`,
		`{"checks":{"store":{"facts":{"position":"C:2/P:2"}},"outbox":{"facts":{"waiting":1,"lagEvents":0}}}}`,
		`{"checks":{"store":{"facts":{"position":"C:3/P:3"}},"projections":{"facts":{"cards":{"lagEvents":2}}}}}`,
		`{"checks":{"store":{"facts":{"position":"C:3/P:3"}}}}`,
		`{"checks":{"store":{"facts":{"position":"C:3/P:3"}}}}`,
	}
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, answers[min(asked, len(answers)-1)])
		asked++
	}))
	defer s.Close()
	if err := (&client.Client{Base: s.URL}).Settle(t.Context()); err != nil || asked != len(answers) {
		t.Errorf("Settle = %v after %d answers, want nil after %d", err, asked, len(answers))
	}
}

func TestSettleGivesUp(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, http.StatusOK, "application/json", `{"checks":{"outbox":{"facts":{"waiting":1}}}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Settle = %v, want %v", err, context.DeadlineExceeded)
	}
}
