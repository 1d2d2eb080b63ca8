package callout_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"konto/domain/delivery"
	"konto/domain/webhook"
	"konto/internal/callout"
	"konto/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// The example of the specification's own libraries.
func TestP11_SignsAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	const (
		secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		want   = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	if got := callout.Sign([]string{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body); got != want {
		t.Errorf("Sign = %s, want %s", got, want)
	}
	if got := callout.Sign([]string{secret, "not base64", "whsec_", secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body); got != want+" "+want {
		t.Errorf("Sign with two secrets = %s, want %s twice", got, want)
	}
	for name, other := range map[string]string{
		"P11: another ID":     callout.Sign([]string{secret}, "msg", at, body),
		"P11: another time":   callout.Sign([]string{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at.Add(time.Second), body),
		"P11: another body":   callout.Sign([]string{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{}`)),
		"P11: another secret": callout.Sign([]string{"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body),
	} {
		if other == want || !strings.HasPrefix(other, "v1,") {
			t.Errorf("%s: %s, want another signature", name, other)
		}
	}
}

// A secret is its own for each tenant, endpoint and ID, and comes back after a restart.
func TestP11_Secrets(t *testing.T) {
	t.Parallel()
	cfg := privacy.Config{Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: make([]byte, 32), Now: now}
	keys, err := privacy.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	secret := func(tenant, endpoint, id string) string {
		s, err := callout.Secret(t.Context(), keys, tenant, endpoint, id)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	seen := map[string]bool{}
	for _, s := range []string{secret("t", "e", "1"), secret("t", "e", "2"), secret("t", "f", "1"), secret("u", "e", "1")} {
		if len(s) != len("whsec_")+44 || seen[s] {
			t.Errorf("secret %s: want whsec_ and 32 bytes of its own in base64", s)
		}
		seen[s] = true
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	if keys, err = privacy.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if !seen[secret("t", "e", "1")] {
		t.Error("after a restart the secret is another one")
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, tls bool, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.ErrorLog = nil
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func call(t *testing.T, cfg callout.Config, url string) callout.Result {
	t.Helper()
	cfg.Now = now
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	c := callout.New(cfg)
	defer c.Close()
	r, err := c.Call(t.Context(), callout.Message{URL: url, ID: "id", Body: []byte(`{}`), Secrets: []string{"whsec_AAAA"}})
	if err != nil {
		t.Fatal(err)
	}
	if !r.At.Equal(now()) {
		t.Errorf("the call began at %s, want the clock's %s", r.At, now())
	}
	return r
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   delivery.Outcome
		status int
	}{
		{"P11: 200 is a success", status(200), delivery.Accepted, 200},
		{"P11: 204 is a success", status(204), delivery.Accepted, 204},
		{"P11: 299 is a success", status(299), delivery.Accepted, 299},
		{"P11: 300 is none", status(300), delivery.Redirected, 300},
		{"P11: 304 is none", status(304), delivery.Redirected, 304},
		{"P11: 400", status(400), delivery.Refused, 400},
		{"P11: 404", status(404), delivery.Refused, 404},
		{"P11: 410 means gone", status(410), delivery.Gone, 410},
		{"P11: 429", status(429), delivery.Refused, 429},
		{"P11: 500", status(500), delivery.Failed, 500},
		{"P11: 599", status(599), delivery.Failed, 599},
		{"P11: it hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, delivery.Unreachable, 0},
		{"P11: its header is endless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Filler", strings.Repeat("x", 1<<20))
			w.WriteHeader(http.StatusOK)
		}, delivery.Unreachable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := call(t, callout.Config{Development: true}, serve(t, false, c.answer).URL)
			if got.Outcome != c.want || got.Status != c.status {
				t.Errorf("%s: %s %d, want %s %d", c.name, got.Outcome, got.Status, c.want, c.status)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) time.Time { return now().Add(d).UTC() }
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		name, value string
		status      int
		want        time.Duration
	}{
		{"P11: Retry-After in seconds", "120", 503, 2 * time.Minute},
		{"P11: with space around", " 120 ", 429, 2 * time.Minute},
		{"P11: of no seconds", "0", 503, 0},
		{"P11: as a date", in(time.Hour).Format(http.TimeFormat), 503, time.Hour},
		{"P11: as a date of RFC 850", in(time.Hour).Format("Monday, 02-Jan-06 15:04:05 GMT"), 503, time.Hour},
		{"P11: as a date of asctime", in(time.Hour).Format(time.ANSIC), 429, time.Hour},
		{"P11: of a date that is past", in(-time.Hour).Format(http.TimeFormat), 503, 0},
		{"P11: of a redirect", "60", 301, time.Minute},
		{"P11: of a success means nothing", "60", 200, 0},
		{"P11: none", "", 503, 0},
		{"P11: before now", "-60", 503, 0},
		{"P11: of half a second", "0.5", 503, 0},
		{"P11: in words", "soon", 503, 0},
		{"P11: of seconds that no number holds", strings.Repeat("9", 40), 503, year},
		{"P11: of a hundred years", in(100 * year).Format(http.TimeFormat), 503, year},
	} {
		s := serve(t, false, func(w http.ResponseWriter, _ *http.Request) {
			if c.value != "" {
				w.Header().Set("Retry-After", c.value)
			}
			w.WriteHeader(c.status)
		})
		if got := call(t, callout.Config{Development: true}, s.URL); got.RetryAfter != c.want {
			t.Errorf("%s: %q asks for %s, want %s", c.name, c.value, got.RetryAfter, c.want)
		}
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// A redirect is not followed, wherever it leads.
func TestP11_RedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	elsewhere := serve(t, false, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := serve(t, false, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, code) })
		if got := call(t, callout.Config{Development: true}, s.URL); got.Outcome != delivery.Redirected || got.Status != code {
			t.Errorf("%d: %s %d, want redirected", code, got.Outcome, got.Status)
		}
	}
	if reached.Load() {
		t.Error("a redirect was followed")
	}
}

// Where an address leads is looked at when the connection is made: also a name
// that stands for this machine leads nowhere.
func TestP11_OnlyPublicAddressesAreCalled(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	count := func(http.ResponseWriter, *http.Request) { reached.Store(true) }
	plain, secure := serve(t, false, count), serve(t, true, count)
	_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	for name, url := range map[string]string{
		"P11: an address of this machine":  plain.URL,
		"P11: and over TLS":                secure.URL,
		"P11: a name for it":               "http://localhost:" + port,
		"P11: an IPv4 address inside IPv6": "http://[::ffff:127.0.0.1]:" + port,
		"P11: the cloud's own service":     "http://169.254.169.254/latest/meta-data",
		"P11: a private network":           "http://10.255.255.1/",
		"P11: the address of no address":   "http://0.0.0.0:" + port,
		"P11: another way of writing it":   "http://127.1:" + port,
	} {
		if got := call(t, callout.Config{Roots: roots, Timeout: 5 * time.Second}, url); got.Outcome != delivery.Forbidden && name != "P11: another way of writing it" {
			t.Errorf("%s: %s, want it not called", name, got.Outcome)
		}
	}
	if reached.Load() {
		t.Error("a server of this machine was called")
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := serve(t, true, status(200))
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	plain := serve(t, false, status(200))
	old := httptest.NewUnstartedServer(status(200))
	old.EnableHTTP2 = false
	old.StartTLS()
	t.Cleanup(old.Close)
	old.TLS.MaxVersion = 0x0302 // TLS 1.1
	for _, c := range []struct {
		name string
		cfg  callout.Config
		url  string
		want []delivery.Outcome
	}{
		{"P11: an authority that is trusted", callout.Config{Development: true, Roots: roots}, s.URL, []delivery.Outcome{delivery.Accepted}},
		{"P11: one that is not", callout.Config{Development: true}, s.URL, []delivery.Outcome{delivery.Untrusted}},
		{"P11: no TLS at all", callout.Config{Development: true, Roots: roots}, "https" + strings.TrimPrefix(plain.URL, "http"), []delivery.Outcome{delivery.Untrusted, delivery.Unreachable}},
		{"P11: TLS that is too old", callout.Config{Development: true, Roots: roots}, old.URL, []delivery.Outcome{delivery.Untrusted, delivery.Unreachable}},
	} {
		got := call(t, c.cfg, c.url).Outcome
		ok := false
		for _, want := range c.want {
			ok = ok || got == want
		}
		if !ok {
			t.Errorf("%s: %s, want %v", c.name, got, c.want)
		}
	}
}

// A call takes a bounded time and reads a bounded answer.
func TestP11_Bounds(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	silent := serve(t, false, func(http.ResponseWriter, *http.Request) { <-done })
	endless := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() { close(done) })
	if got := call(t, callout.Config{Development: true, Timeout: 100 * time.Millisecond}, silent.URL); got.Outcome != delivery.TimedOut || got.Status != 0 {
		t.Errorf("an endpoint that says nothing: %s %d, want timed out", got.Outcome, got.Status)
	}
	if got := call(t, callout.Config{Development: true}, endless.URL); got.Outcome != delivery.Accepted {
		t.Errorf("an endpoint that says too much: %s, want accepted by its status", got.Outcome)
	}
	gone := serve(t, false, status(200))
	gone.Close()
	if got := call(t, callout.Config{Development: true}, gone.URL); got.Outcome != delivery.Unreachable {
		t.Errorf("an endpoint that is not there: %s, want unreachable", got.Outcome)
	}
}

// A call that the end of the program breaks off is none that failed.
func TestP11_BrokenOff(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	s := serve(t, false, func(http.ResponseWriter, *http.Request) { cancel(); <-done })
	t.Cleanup(func() { close(done) }) // before the server waits for its handlers
	c := callout.New(callout.Config{Development: true, Now: now})
	defer c.Close()
	if r, err := c.Call(ctx, callout.Message{URL: s.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("Call = %+v, %v, want %v", r, err, context.Canceled)
	}
}

// What a receiver gets is what the specification names, and nothing that
// follows it around.
func TestP11_Headers(t *testing.T) {
	t.Parallel()
	headers := make(chan http.Header, 2)
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	c := callout.New(callout.Config{Development: true, Now: now, UserAgent: "Konto/test"})
	defer c.Close()
	for range 2 {
		if _, err := c.Call(t.Context(), callout.Message{URL: s.URL, ID: "msg", Body: []byte(`{"a":1}`), Secrets: []string{"whsec_AAAA"}}); err != nil {
			t.Fatal(err)
		}
		h := <-headers
		for name, want := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "Konto/test", "Webhook-Id": "msg", "Webhook-Timestamp": "1795338000", "Cookie": "", "Authorization": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		if !strings.HasPrefix(h.Get("Webhook-Signature"), "v1,") {
			t.Errorf("Webhook-Signature = %q", h.Get("Webhook-Signature"))
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	for _, development := range []bool{true, false} {
		sources := callout.Sources(development)
		if got := sources[0].Input("").(webhook.Site); len(sources) != 1 || got.Development != development {
			t.Errorf("Sources(%v) = %+v", development, got)
		}
	}
}
