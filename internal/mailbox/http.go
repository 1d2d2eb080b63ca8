package mailbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed pages/*
var files embed.FS

// The pages load one style sheet of their own and nothing else: no script, no
// image, no font, no other host. A mail brings its styles along as text, so
// the page that frames it must let inline styles be. They can draw but not
// fetch: every other directive says none.
const (
	policy     = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	mailPolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// Mount adds the pages to mux, at the base path and below.
func (m *Mailbox) Mount(mux *http.ServeMux) {
	h := m.Handler()
	for _, pattern := range []string{m.cfg.Base, m.cfg.Base + ".json", m.cfg.Base + "/"} {
		mux.Handle(pattern, h)
	}
}

// Handler returns the pages. Under the base path it answers
//
//	<base>, <base>.json            the list; ?to= selects by recipient
//	<base>/<id>, <base>/<id>.json  one mail
//	<base>/<id>.eml                one mail as it came
//
// and 404 to anything else. It asks nobody who they are.
func (m *Mailbox) Handler() http.Handler {
	pages := template.Must(template.New("").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.Format("15:04:05") },
		"stamp": func(t time.Time) string { return t.Format(time.RFC3339) },
		"size":  size,
		"name":  recipientName,
	}).ParseFS(files, "pages/*.tmpl"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the mailbox can only be read", http.StatusMethodNotAllowed)
			return
		}
		m.serve(w, r, pages)
	})
}

// list is what the list shows, as a page and as JSON.
type list struct {
	Base     string    `json:"-"`
	To       string    `json:"to,omitzero"`
	Address  string    `json:"address"`
	Arrivals int       `json:"arrivals"`
	Messages []Message `json:"messages"`
}

// view is one mail and its neighbours.
type view struct {
	Base         string
	Message      Message
	Newer, Older string // IDs, or empty
}

func (m *Mailbox) serve(w http.ResponseWriter, r *http.Request, pages *template.Template) {
	rest, ok := strings.CutPrefix(r.URL.Path, m.cfg.Base)
	if !ok {
		http.NotFound(w, r)
		return
	}
	to := r.URL.Query().Get("to")
	switch rest {
	case "", "/":
		m.page(w, pages, http.StatusOK, "list", list{m.cfg.Base, to, m.Addr(), m.Arrivals(), m.Messages(to)})
		return
	case ".json":
		respond(w, list{m.cfg.Base, to, m.Addr(), m.Arrivals(), m.Messages(to)})
		return
	case "/style.css":
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		http.ServeFileFS(w, r, files, "pages/style.css")
		return
	}
	id, form := strings.TrimPrefix(rest, "/"), ""
	if i := strings.LastIndexByte(id, '.'); i >= 0 {
		id, form = id[:i], id[i+1:]
	}
	x, ok := m.Message(id)
	switch {
	case !ok || strings.Contains(form, "/"):
		m.page(w, pages, http.StatusNotFound, "missing", view{Base: m.cfg.Base})
	case form == "json":
		respond(w, x)
	case form == "eml":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(x.Raw)
	case form == "":
		w.Header().Set("Content-Security-Policy", mailPolicy)
		newer, older := m.neighbours(id)
		m.page(w, pages, http.StatusOK, "message", view{m.cfg.Base, x, newer, older})
	default:
		http.NotFound(w, r)
	}
}

func (m *Mailbox) neighbours(id string) (newer, older string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, x := range m.messages {
		if x.ID != id {
			continue
		}
		if i > 0 {
			older = m.messages[i-1].ID
		}
		if i+1 < len(m.messages) {
			newer = m.messages[i+1].ID
		}
	}
	return newer, older
}

// page renders into memory first, so that a page is whole or an error.
func (m *Mailbox) page(w http.ResponseWriter, pages *template.Template, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func respond(w http.ResponseWriter, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "the answer could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n'))
}

func size(n int) string {
	if n < 1000 {
		return strconv.Itoa(n) + " B"
	}
	return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + " kB"
}

// recipientName shows a phone gateway's address as the number it stands for.
func recipientName(channel, address string) string {
	local, _, ok := strings.Cut(address, "@")
	if ok && (channel == "sms" || channel == "voice") && local != "" && local[0] >= '0' && local[0] <= '9' {
		return "+" + local
	}
	return address
}
