package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"konto/domain"
)

// Links are the pages, below the base URL, where what a message tells of can
// be seen and put right. {id} is replaced by an ID. A zero field has its
// default.
type Links struct {
	SecurityInfo string // of a person; default /security-info/{id}
	Card         string // default /cards/{id}
	Subscription string // where a backup card is added; default /subscriptions/{id}
	Customer     string // default /customers/{id}
	Admin        string // of a person's account; default /admins/{id}
	Organization string // where the history of its profile and addresses is read; default /organizations/{id}
	Invoice      string // where an unpaid one is explained and settled; default /invoices/{id}
	Relationship string // between partner and customer; default /relationships
	Permission   string // of customers to buy; default /purchase-permissions
	Export       string // of what is kept about a person; default /subjects/{id}/export
	Undo         string // where a change of contacts is taken back, by who has an [UndoToken]; default /undo/{id}
	Webhook      string // of an endpoint; default /webhook-endpoints/{id}
	Home         string // for who has nothing left to open; default /
}

// RenderConfig is what a [Renderer] needs. BaseURL must be set.
type RenderConfig struct {
	BaseURL string
	Links   Links
	Product string // empty is Konto
	// Now is asked whether a code has expired. Nil means that none ever has.
	Now func() time.Time
	// Code returns the one-time code of a verification. Nil shows 000000.
	Code func(tenant, verification string) string
	// Proof returns what proves that its sender read a message: a keyed digest
	// of value, for a purpose. Nil shows zeros.
	Proof func(tenant, purpose, value string) string
}

// Renderer turns templates and data into messages. It does no I/O, and is
// immutable and safe for concurrent use.
type Renderer struct {
	cfg     RenderConfig
	base    *url.URL
	catalog *catalog
	html    *htmltemplate.Template
	text    *texttemplate.Template
	// versions by template and locale.
	versions map[string]string
}

// Rendered is a message as it leaves.
type Rendered struct {
	Subject string
	Text    string // the plain part of a mail
	HTML    string // a complete page without scripts, images or outside requests
	SMS     string // what goes to a phone instead of Text
	Voice   string // what a call reads out instead of SMS
	Locale  string // the language it is in
	Version string // hash of the layouts and strings that it was made with
}

// on returns the text that goes out on c.
func (r Rendered) on(c domain.Channel) string {
	switch c {
	case domain.SMS:
		return r.SMS
	case domain.Voice:
		return r.Voice
	case domain.Mail:
	}
	return r.Text
}

// NewRenderer returns a renderer. The error says which field of c is wrong.
func NewRenderer(c RenderConfig) (*Renderer, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.RawQuery != "" {
		return nil, fmt.Errorf("notify: BaseURL %q must be an http or https address without a query", c.BaseURL)
	}
	if c.Product == "" {
		c.Product = "Konto"
	}
	if c.Code == nil {
		c.Code = func(string, string) string { return "000000" }
	}
	if c.Proof == nil {
		c.Proof = noProof
	}
	c.Links = c.Links.withDefaults()
	r := &Renderer{cfg: c, base: base, versions: map[string]string{}}
	if r.catalog, err = loadCatalog(files); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	if r.html, err = htmltemplate.ParseFS(files, "layouts/mail.html.tmpl"); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	if r.text, err = texttemplate.ParseFS(files, "layouts/mail.txt.tmpl"); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	var layouts []byte
	for _, name := range []string{"layouts/mail.html.tmpl", "layouts/mail.txt.tmpl"} {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("notify: %w", err)
		}
		layouts = append(layouts, b...)
	}
	for _, template := range Templates() {
		for _, locale := range Locales() {
			r.versions[template+" "+locale] = r.version(layouts, template, locale)
		}
	}
	return r, nil
}

func (l Links) withDefaults() Links {
	set := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	set(&l.SecurityInfo, "/security-info/{id}")
	set(&l.Card, "/cards/{id}")
	set(&l.Subscription, "/subscriptions/{id}")
	set(&l.Customer, "/customers/{id}")
	set(&l.Admin, "/admins/{id}")
	set(&l.Organization, "/organizations/{id}")
	set(&l.Invoice, "/invoices/{id}")
	set(&l.Relationship, "/relationships")
	set(&l.Permission, "/purchase-permissions")
	set(&l.Export, "/subjects/{id}/export")
	set(&l.Undo, "/undo/{id}")
	set(&l.Webhook, "/webhook-endpoints/{id}")
	set(&l.Home, "/")
	return l
}

// link returns the address of the page that pattern names. Without an ID it
// is the list that the page is in.
func (r *Renderer) link(pattern, id string) string {
	path := strings.ReplaceAll(pattern, "{id}", url.PathEscape(id))
	if id == "" {
		path, _, _ = strings.Cut(pattern, "/{id}")
	}
	return strings.TrimSuffix(r.base.String(), "/") + path
}

// Preview renders template in the language nearest to locale, for a nameless
// recipient. Data is what the reaction would have put into the message; nil
// means [Sample]'s. Codes are shown as zeros.
func (r *Renderer) Preview(template, locale string, data json.RawMessage) (Rendered, error) {
	if data == nil {
		data = Sample(template)
	}
	quiet := *r
	quiet.cfg.Now = nil
	quiet.cfg.Code = func(string, string) string { return "000000" }
	quiet.cfg.Proof = noProof
	return quiet.render(request{template: template, locale: Locale(locale), data: data})
}

// noProof is as long as a proof and proves nothing.
func noProof(_, _, _ string) string { return strings.Repeat("0", 32) }

// errExpired says that a message has nothing left to say.
var errExpired = errors.New("the code has expired")

// request is one message to render.
type request struct {
	template, locale string
	name             string            // of the recipient; may be empty
	called           map[string]string // of what the message is about, by ID
	tenant, person   string
	data             json.RawMessage
}

func (r *Renderer) render(q request) (Rendered, error) {
	l, ok := letters()[q.template]
	if !ok {
		return Rendered{}, fmt.Errorf("no template %q", q.template)
	}
	w := &writer{r: r, request: q, style: styleOf(q.locale)}
	p := w.frame()
	if err := l.build(w, &p); err != nil {
		return Rendered{}, err
	}
	if w.err != nil {
		return Rendered{}, w.err
	}
	out := Rendered{
		Subject: p.Subject, SMS: p.SMS, Voice: p.Voice,
		Locale: q.locale, Version: r.Version(q.template, q.locale),
	}
	// The typographic apostrophe of a mail would halve the room in a text message.
	out.SMS = strings.ReplaceAll(out.SMS, "\u2019", "'")
	if out.Voice == "" {
		out.Voice = out.SMS
	}
	var text, html strings.Builder
	if err := r.text.Execute(&text, p); err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", q.template, err)
	}
	if err := r.html.Execute(&html, p); err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", q.template, err)
	}
	out.Text, out.HTML = text.String(), html.String()
	return out, nil
}

// Version returns a hash, 16 hex digits, of everything that a translator or a
// designer can change about a template in one language: the layouts, and the
// strings of the template and of the parts that all share. It is empty if
// there is no such template or language.
func (r *Renderer) Version(template, locale string) string { return r.versions[template+" "+locale] }

// version computes [Renderer.Version].
func (r *Renderer) version(layouts []byte, template, locale string) string {
	h := sha256.New()
	h.Write(layouts)
	all := Templates()
	own := func(key string) bool {
		prefix, _, _ := strings.Cut(key, ".")
		return prefix == template || !slices.Contains(all, prefix)
	}
	for _, k := range r.catalog.keys(locale, own) {
		h.Write([]byte(k + "\x00"))
		h.Write(r.catalog.source[locale][k])
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
