package httpapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
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

// specification serves the OpenAPI document as JSON and as YAML. Each is
// written once, when somebody first asks for it; huma's own routes do that
// without a lock.
func (s *server) specification(mux *http.ServeMux, doc *huma.OpenAPI) {
	serve := func(path, mediaType string, write func() ([]byte, error)) {
		body := sync.OnceValues(write)
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			b, err := body()
			if err != nil {
				s.writeProblem(w, r, fmt.Errorf("write the OpenAPI document: %w", err))
				return
			}
			w.Header().Set("Content-Type", mediaType)
			_, _ = w.Write(b) // the caller has gone if this fails
		})
	}
	serve("/openapi.json", "application/openapi+json", func() ([]byte, error) { return json.Marshal(doc) })
	serve("/openapi.yaml", "application/openapi+yaml", doc.YAML)
}
