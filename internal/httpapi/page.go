package httpapi

import (
	"embed"
	"io/fs"
	"net/http"
)

// static holds the API page: rapidoc 9.3.8 (MIT), a page and its script.
//
//go:embed static
var static embed.FS

// pageSecurity lets the API page load nothing from elsewhere. Rapidoc sets
// styles from script.
const pageSecurity = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page serves the API page from the binary, so that it works without the internet.
func (s *server) page(mux *http.ServeMux) {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pageSecurity)
		http.ServeFileFS(w, r, files, "docs.html")
	})
	mux.HandleFunc("GET /docs/{file}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, files, r.PathValue("file")) //nolint:gosec // the files are the binary's own
	})
	mux.Handle("GET /{$}", http.RedirectHandler("/docs", http.StatusSeeOther))
}
