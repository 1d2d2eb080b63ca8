package undo

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"

	"konto/internal/notify"
)

//go:embed page.html.tmpl style.css texts/*.json
var files embed.FS

// text is the page in one language. It has no placeholders: what is shown of
// the contact stands beside the words.
type text struct {
	Slots map[string]string `json:"slots"`
	Ask   struct {
		message
		Other  string `json:"other"`
		Button string `json:"button"`
		WasYou string `json:"wasYou"`
	} `json:"ask"`
	Done    message `json:"done"`
	Over    message `json:"over"`
	Refused message `json:"refused"`
	Unknown message `json:"unknown"`
	Later   message `json:"later"`
	// Next is what to do about whoever made the change.
	Next struct {
		Title string   `json:"title"`
		Steps []string `json:"steps"`
	} `json:"next"`
}

// message is what there is to say.
type message struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// view is what the template shows.
type view struct {
	Lang  string
	Style template.CSS
	message
	Ask    *ask     // nil: there is nothing to do here
	Advice []string // what to do elsewhere
	Who    string   // whom the advice is for
}

type ask struct{ Label, Contact, Other, Button, WasYou string }

// look writes the page.
type look struct {
	texts    map[string]text // by language
	template *template.Template
	style    template.CSS
	policy   string
}

// newLook panics if what is in the binary cannot be read.
func newLook() *look {
	css, err := files.ReadFile("style.css")
	must(err)
	sum := sha256.Sum256(css)
	l := &look{
		texts:    map[string]text{},
		template: template.Must(template.ParseFS(files, "page.html.tmpl")),
		style:    template.CSS(css), //nolint:gosec // the binary's own
		// The one style sheet is named by its hash: nothing else can be loaded,
		// run or framed, and the form goes nowhere else.
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
	for _, lang := range notify.Locales() {
		b, err := files.ReadFile("texts/" + lang + ".json")
		must(err)
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		var t text
		must(d.Decode(&t))
		l.texts[lang] = t
	}
	return l
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("undo: %v", err))
	}
}

// status is what programs see of a state.
func (s state) status() int {
	switch s {
	case stateAsk, stateDone:
		return http.StatusOK
	case stateOver:
		return http.StatusGone
	case stateRefused:
		return http.StatusConflict
	case stateUnknown:
		return http.StatusNotFound
	case stateLater:
	}
	return http.StatusServiceUnavailable
}

// write renders into memory first, so that a page is whole.
func (l *look) write(w http.ResponseWriter, lang string, s shown) {
	t := l.texts[lang]
	v := view{Lang: lang, Style: l.style}
	switch s.state {
	case stateAsk:
		v.message = t.Ask.message
		v.Ask = &ask{Label: t.Slots[string(s.slot)], Contact: s.masked, Button: t.Ask.Button, WasYou: t.Ask.WasYou}
		if s.other {
			v.Ask.Other = t.Ask.Other
		}
	case stateDone:
		v.message, v.Who, v.Advice = t.Done, t.Next.Title, t.Next.Steps
	case stateOver:
		v.message, v.Who, v.Advice = t.Over, t.Next.Title, t.Next.Steps
	case stateRefused:
		v.message, v.Who, v.Advice = t.Refused, t.Next.Title, t.Next.Steps
	case stateUnknown:
		v.message = t.Unknown
	case stateLater:
		v.message = t.Later
	}
	var page bytes.Buffer
	must(l.template.Execute(&page, v))
	h := w.Header()
	h.Set("Content-Security-Policy", l.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Language", lang)
	h.Set("Content-Type", "text/html; charset=utf-8")
	if s.state == stateLater {
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(s.state.status())
	_, _ = w.Write(page.Bytes()) // the reader has gone if this fails
}

// masked shows enough of a contact for its owner to know it by: the first letter
// and the host of an address, the last two digits of a number.
func masked(contact string) string {
	if at := strings.LastIndexByte(contact, '@'); at > 0 {
		_, size := utf8.DecodeRuneInString(contact)
		return contact[:size] + "•••" + contact[at:]
	}
	number, _, _ := strings.Cut(contact, ";") // without an extension
	return "•••" + number[max(0, len(number)-2):]
}
