package undo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/domain/securityinfo"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/notify"
	"konto/internal/undo"
)

var token = notify.UndoToken{
	Tenant: "01930000-0000-7000-8000-000000000001", Person: "01930000-0000-7000-8000-000000000010",
	Change: "0195c1a2-7f3e-7aaa-8bbb-0123456789ab", Proof: strings.Repeat("ab", 16),
}

// place is what the page is asked about: what the command answers, and to whom.
type place struct {
	refused error // the command's answer
	contact string
	dropped bool
	locale  string
	fault   error // when the key is looked up
	log     bytes.Buffer
	sent    []command.Request
}

func (p *place) page() http.Handler {
	mux := http.NewServeMux()
	h := (&undo.Page{
		Handle: p.handle, NewID: uuid.New, Log: zerolog.New(&p.log),
		Proves: func(_ context.Context, _, _, _, proof string) (bool, error) { return proof == token.Proof, p.fault },
		Locale: func(context.Context, string, string) (string, error) { return p.locale, nil },
		Source: func(*http.Request) envelope.Source { return envelope.Source{} },
	}).Handler()
	mux.Handle("GET "+undo.Path+"{token}", h)
	mux.Handle("POST "+undo.Path+"{token}", h)
	return mux
}

func (p *place) handle(_ context.Context, req command.Request) (command.Result, error) {
	p.sent = append(p.sent, req)
	e := securityinfo.ContactChangeUndone{
		Slot: securityinfo.SlotAlternateEmail, Change: token.Change, Contact: domain.About(token.Person, p.contact), At: time.Now(),
	}
	if p.dropped {
		e.Dropped = domain.About(token.Person, "thief@elsewhere.example")
	}
	data, err := json.Marshal(e)
	if err != nil || p.refused != nil {
		return command.Result{}, errors.Join(err, p.refused)
	}
	return command.Result{Events: []command.Event{{Type: "ContactChangeUndone", Data: data}}}, nil
}

func call(t *testing.T, h http.Handler, method, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	t.Parallel()
	link, forged := undo.Path+token.String(), token
	forged.Proof = strings.Repeat("cd", 16)
	for _, c := range []struct {
		name, method, path string
		place              place
		status             int
		lang               string
		says               []string
		never              []string
	}{
		{
			name: "I7: who opens the link sees what comes back and what goes, and changes nothing",
			path: link, place: place{contact: "anna@privat.example", dropped: true, locale: "sv-SE"},
			status: 200, lang: "sv", says: []string{"Lägga tillbaka kontakten?", "Alternativ e-postadress", "a•••@privat.example", "tas bort", "<form method=\"post\">"},
			never: []string{"anna@", "thief", "logga in genast"},
		},
		{
			name: "I7: a contact that was removed takes nobody's place", path: link,
			place:  place{contact: "anna@privat.example", locale: "da-DK"},
			status: 200, lang: "da", says: []string{"Alternativ mailadresse", "Sikkerhedsoplysninger"}, never: []string{"bliver fjernet"},
		},
		{
			name: "I7: a number shows its last digits alone", path: link, place: place{contact: "+46701740605;ext=12", locale: "nl-NL"},
			status: 200, lang: "nl", says: []string{"•••05", "Beveiligingsgegevens"}, never: []string{"4670", ";ext="},
		},
		{
			name: "I7: the button puts it back", method: http.MethodPost, path: link, place: place{locale: "da-DK"},
			status: 200, lang: "da", says: []string{"Kontakten er tilbage", "skift adgangskode"}, never: []string{"<form"},
		},
		{
			name: "I7: a link that was used says so, however it is opened", path: link,
			place:  place{refused: securityinfo.ErrUndone, locale: "nl-BE"},
			status: 200, lang: "nl", says: []string{"Uw contact staat er weer"}, never: []string{"<form"},
		},
		{
			name: "I7: when the time is over", method: http.MethodPost, path: link,
			place:  place{refused: securityinfo.ErrUndoOver, locale: "en-GB"},
			status: 410, lang: "en", says: []string{"can no longer be taken back", "ask a global administrator"}, never: []string{"<form"},
		},
		{
			name: "S3: an address that is the organization's now stays away", path: link,
			place:  place{refused: securityinfo.ErrTenantEmail, locale: "sv"},
			status: 409, lang: "sv", says: []string{"kan inte läggas tillbaka"}, never: []string{"<form"},
		},
		{
			name: "I7: an account that is not there is told of as a link that does not work", path: link,
			place:  place{refused: securityinfo.ErrNoAccount, locale: "sv"},
			status: 404, lang: "sv", says: []string{"Länken fungerar inte"},
		},
		{
			name: "I7: a forged link, in the browser's language", path: undo.Path + forged.String(),
			status: 404, lang: "da", says: []string{"Linket virker ikke"}, never: []string{"<form"},
		},
		{name: "I7: half a link", path: link[:40], status: 404, lang: "da", says: []string{"Linket virker ikke"}},
		{name: "I7: no link of ours", path: undo.Path + "x%2F..%2F%3Cscript%3E", status: 404, lang: "da", never: []string{"script"}},
		{
			name: "a fault changes nothing, and says to try again", path: link, place: place{fault: errors.New("disk"), locale: "sv"},
			status: 503, lang: "da", says: []string{"Intet er ændret"}, never: []string{"disk"},
		},
		{
			name: "a store that is away, in the person's language", path: link, method: http.MethodPost,
			place:  place{refused: errors.New("away"), locale: "sv"},
			status: 503, lang: "sv", says: []string{"Försök igen"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.method == "" {
				c.method = http.MethodGet
			}
			w := call(t, c.place.page(), c.method, c.path, "fi, nn-NO;q=0.8, sv;q=0.5")
			if w.Code != c.status || w.Header().Get("Content-Language") != c.lang {
				t.Errorf("the page answers %d in %q, want %d in %q", w.Code, w.Header().Get("Content-Language"), c.status, c.lang)
			}
			for _, text := range c.says {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("the page does not say %q:\n%s", text, w.Body)
				}
			}
			for _, text := range append(c.never, "<script", "http:", "https:", "src=", "href=", token.Person, token.String()) {
				if strings.Contains(w.Body.String(), text) {
					t.Errorf("the page says %q:\n%s", text, w.Body)
				}
			}
			for _, s := range c.place.sent {
				if s.DryRun != (c.method == http.MethodGet) || s.Tenant != token.Tenant || s.Target != token.Person || s.Actor.Kind != domain.KindSystem {
					t.Errorf("the command is %+v", s)
				}
			}
			if log := c.place.log.String(); strings.Contains(log, token.String()[:20]) || strings.Contains(log, token.Proof) || (w.Code == 503) != (log != "") {
				t.Errorf("the log has %q", log)
			}
		})
	}
}

// The page loads nothing, runs nothing, stands in no frame and tells nobody its
// address; the one style sheet that it has is the one that its policy names.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := call(t, new(place).page(), http.MethodGet, undo.Path+token.String(), "").Header()
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Content-Type": "text/html; charset=utf-8",
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy is %q, want %q in it", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
}

// Every language says everything, in the words of the messages that lead here.
func TestTexts(t *testing.T) {
	t.Parallel()
	for _, lang := range notify.Locales() {
		page, common := read(t, "texts/"+lang+".json"), read(t, "../notify/locales/"+lang+"/common.json")
		slots, _ := page["slots"].(map[string]any)
		for _, slot := range []string{"mobile", "alternateMobile", "office", "alternateEmail"} {
			if slots[slot] != common["slot."+slot] || slots[slot] == nil {
				t.Errorf("%s calls %s %q, messages call it %q", lang, slot, slots[slot], common["slot."+slot])
			}
		}
		if ask, _ := page["ask"].(map[string]any); ask["button"] != common["action.undo"] {
			t.Errorf("%s: the button is %q, messages call it %q", lang, ask["button"], common["action.undo"])
		}
		for where, keys := range map[string][]string{
			"ask": {"title", "text", "other", "button", "wasYou"}, "next": {"title", "steps"},
			"done": {"title", "text"}, "over": {"title", "text"}, "refused": {"title", "text"},
			"unknown": {"title", "text"}, "later": {"title", "text"},
		} {
			part, _ := page[where].(map[string]any)
			for _, key := range keys {
				if steps, ok := part[key].([]any); part[key] == nil || part[key] == "" || ok && len(steps) != 3 {
					t.Errorf("%s: %s.%s is %v", lang, where, key, part[key])
				}
			}
		}
	}
}

func read(t *testing.T, file string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}
