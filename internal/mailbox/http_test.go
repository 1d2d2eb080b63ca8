package mailbox_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"konto/internal/mailbox"
)

type answer struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, m *mailbox.Mailbox, method, path string) answer {
	t.Helper()
	mux := http.NewServeMux()
	m.Mount(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{w.Code, w.Result().Header, string(b)}
}

func TestPages(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	if a := get(t, m, "GET", "/-/mail"); a.status != 200 || !strings.Contains(a.body, "No mail yet") {
		t.Errorf("empty list = %d %s", a.status, a.body)
	}
	mustSend(t, m, plain("first"), "other@x.example")
	mustSend(t, m, multipart, "asa@contoso.example")
	mustSend(t, m, multipart, "asa@contoso.example")
	for _, c := range []struct {
		path   string
		status int
		kind   string
		want   []string
	}{
		{"/-/mail", 200, "text/html; charset=utf-8", []string{"Kortet nekades – åtgärda", "Mail first", "2 arrivals", `href="/-/mail/2"`}},
		{"/-/mail/", 200, "text/html; charset=utf-8", []string{"Mail first"}},
		{"/-/mail?to=ASA", 200, "text/html; charset=utf-8", []string{"1 message for “ASA”", "Kortet nekades"}},
		{"/-/mail?to=<script>", 200, "text/html; charset=utf-8", []string{"Nothing for “&lt;script&gt;”"}},
		{"/-/mail/2", 200, "text/html; charset=utf-8", []string{`sandbox=""`, `<h1 lang="sv">Kortet nekades`, `href="https://konto.example/cards/1?a=b"`, `href="/-/mail/1" rel="next"`}},
		{"/-/mail/1", 200, "text/html; charset=utf-8", []string{"Body of first", `href="/-/mail/2" rel="prev"`}},
		{"/-/mail/2.eml", 200, "text/plain; charset=utf-8", []string{"--b--"}},
		{"/-/mail/style.css", 200, "text/css; charset=utf-8", []string{"prefers-color-scheme"}},
		{"/-/mail/9", 404, "text/html; charset=utf-8", []string{"There is no such message"}},
		{"/-/mail/2.exe", 404, "text/plain; charset=utf-8", nil},
		{"/-/mail/pages/pages.tmpl", 404, "", nil},
	} {
		a := get(t, m, "GET", c.path)
		if a.status != c.status || (c.kind != "" && a.header.Get("Content-Type") != c.kind) {
			t.Errorf("GET %s = %d %s, want %d %s", c.path, a.status, a.header.Get("Content-Type"), c.status, c.kind)
		}
		for _, w := range c.want {
			if !strings.Contains(a.body, w) {
				t.Errorf("GET %s lacks %q:\n%s", c.path, w, a.body)
			}
		}
	}
	if a := get(t, m, "POST", "/-/mail"); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", a.status)
	}
}

var srcdoc = regexp.MustCompile(`srcdoc="([^"]*)"`)

// The mail's markup must reach the frame whole, and the page around it not at
// all.
func TestMailStaysInItsFrame(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	mustSend(t, m, multipart, "asa@contoso.example")
	a := get(t, m, "GET", "/-/mail/1")
	x, _ := m.Message("1")
	found := srcdoc.FindStringSubmatch(a.body)
	if found == nil || html.UnescapeString(found[1]) != x.HTML {
		t.Errorf("srcdoc = %q, want %q escaped", found, x.HTML)
	}
	if rest := srcdoc.ReplaceAllString(a.body, ""); strings.Contains(rest, "<script") || strings.Contains(rest, "alert(1)") {
		t.Errorf("the mail's markup is in the page itself:\n%s", rest)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	mustSend(t, m, multipart, "asa@contoso.example")
	for _, path := range []string{"/-/mail", "/-/mail.json", "/-/mail/1", "/-/mail/1.json", "/-/mail/1.eml", "/-/mail/9", "/-/mail/style.css"} {
		a := get(t, m, "GET", path)
		csp := a.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none';") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("GET %s: policy %q", path, csp)
		}
		if inline := strings.Contains(csp, "unsafe-inline"); inline != (path == "/-/mail/1") {
			t.Errorf("GET %s: inline styles allowed = %t", path, inline)
		}
		for h, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if got := a.header.Get(h); got != want {
				t.Errorf("GET %s: %s = %q, want %q", path, h, got, want)
			}
		}
		// Nothing is loaded but the mailbox's own style sheet.
		for _, attr := range regexp.MustCompile(`(?:\ssrc|<link[^>]*href)="([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
			if attr[1] != "/-/mail/style.css" {
				t.Errorf("GET %s loads %q", path, attr[1])
			}
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{Base: "inbox/"})
	mustSend(t, m, plain("first"), "other@x.example")
	mustSend(t, m, multipart, "asa@contoso.example")
	var list struct {
		Address  string
		Arrivals int
		Messages []mailbox.Message
	}
	if err := json.Unmarshal([]byte(get(t, m, "GET", "/inbox.json?to=asa").body), &list); err != nil {
		t.Fatal(err)
	}
	if list.Address != m.Addr() || list.Arrivals != 2 || len(list.Messages) != 1 || list.Messages[0].MessageID != "m1@konto.example" {
		t.Errorf("list = %+v", list)
	}
	var one mailbox.Message
	if err := json.Unmarshal([]byte(get(t, m, "GET", "/inbox/2.json").body), &one); err != nil {
		t.Fatal(err)
	}
	if one.Subject != "Kortet nekades – åtgärda" || one.HTML == "" || len(one.Links) != 1 {
		t.Errorf("message = %+v", one)
	}
	if a := get(t, m, "GET", "/inbox.json?to=nobody"); !strings.Contains(a.body, `"messages": []`) {
		t.Errorf("empty list = %s, want an empty array", a.body)
	}
}

// Only web addresses become links on the page.
func TestLinksAreWebAddresses(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	mustSend(t, m, "Subject: x\n\njavascript:alert(1) data:text/html,x ftp://x.example/ (https://x.example/a).\n", "x@x.example")
	x, _ := m.Message("1")
	if len(x.Links) != 1 || x.Links[0] != "https://x.example/a" {
		t.Errorf("Links = %q, want only https://x.example/a", x.Links)
	}
}

func TestUnreadableMailIsShown(t *testing.T) {
	t.Parallel()
	m := start(t, mailbox.Config{})
	mustSend(t, m, "Subject: broken\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: rot13\n\nx\n", "x@x.example")
	x, _ := m.Message("1")
	if x.Problem == "" || x.Subject != "broken" {
		t.Errorf("message = %q with problem %q, want the subject and a problem", x.Subject, x.Problem)
	}
	if a := get(t, m, "GET", "/-/mail/1"); !strings.Contains(a.body, "could not be read") {
		t.Errorf("the page does not say so:\n%s", a.body)
	}
}
