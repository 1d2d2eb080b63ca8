// Package httpapi is Konto's HTTP API.
//
// Commands are POST /v1/{collection}/{id}/{Command}; their routes, their
// schemas and their entries in the OpenAPI document come from the contracts,
// so that a new command needs nothing here. Everything that can be read is a
// resource with an entity tag; after=POSITION makes a query wait until its
// read model has seen that position. What is refused is a problem (RFC 9457)
// that names the rule, who may, and what is allowed instead.
//
// Nothing is served without a token but the health of the process, the API
// page and, in development, the local issuer and mailbox. A tenant's resources
// do not exist for others.
//
// # Why command routes are plain handlers
//
// Queries are declared with huma, which binds, validates and describes them.
// Commands are decoded by their contract and refused by their aggregate, so
// binding them a second time would be a second way to do it, and the slower
// one on the hottest path. Their description is generated into the same
// document.
package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/history"
	"konto/internal/identity"
	"konto/internal/notify"
	"konto/internal/privacy"
	"konto/internal/quota"
	"konto/projections"
)

// ReadDB is what queries read.
type ReadDB interface {
	projections.DB
	// Wait blocks until the named projections have reached position, or ctx ends.
	Wait(ctx context.Context, position eventstore.Position, names ...string) error
}

// Config is what the API works with. All fields but Recovery, Extra, Checks,
// Metrics, Ending, WaitLimit and CustomerRequests must be set.
type Config struct {
	Commands  *command.Handler
	Contracts []domain.Contract
	Reading   domain.Reading
	Store     eventstore.Store
	Keys      *privacy.Keys
	Read      ReadDB
	Verifier  *identity.Verifier
	Now       func() time.Time
	NewID     func() uuid.UUID
	Log       zerolog.Logger
	Version   Version
	Tracer    trace.Tracer
	// Recovery signs the proof that a reset was completed; nil: the answer has none.
	Recovery *identity.RecoverySigner
	// Checks are what /readyz asks.
	Checks []Check
	// Metrics is what /metrics shows; nil for none.
	Metrics *prometheus.Registry
	// Extra are further routes, by pattern: gateway inlets, and the issuer and
	// mailbox of development. They authenticate by themselves.
	Extra map[string]http.Handler
	// Ending is closed when the system begins to stop: it is not ready any
	// more, and answers that wait for something end. Nil is never closed.
	Ending <-chan struct{}
	// WaitLimit bounds how long a query waits for its read model; 0 means 5 s.
	WaitLimit time.Duration
	// CustomerRequests is how many requests a minute each tenant may send about
	// customers; 0 means [CustomerRequests].
	CustomerRequests int
}

// Version says which build is running.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
}

type server struct {
	Config
	history *history.Reader
	quota   *quota.Quota // of requests about customers
	// words are read when somebody first asks for them.
	words  func() (*notify.Words, error)
	fields map[string]bool // of commands, by name
}

// New returns the API. It panics if two routes clash, since that is a mistake
// in the program.
func New(cfg Config) http.Handler {
	if cfg.WaitLimit == 0 {
		cfg.WaitLimit = 5 * time.Second
	}
	s := &server{
		Config: cfg, quota: quota.New(cmp.Or(cfg.CustomerRequests, CustomerRequests), cfg.Now),
		history: &history.Reader{Store: cfg.Store, Keys: cfg.Keys, Contracts: envelope.Index(cfg.Contracts)},
		words:   sync.OnceValues(func() (*notify.Words, error) { return notify.NewWords("Konto") }),
		fields:  fieldNames(cfg.Contracts),
	}
	mux := http.NewServeMux()
	api := humago.New(mux, s.description())
	api.UseMiddleware(s.authenticate)
	s.commands(mux, api)
	s.queries(api)
	s.accounts(api)
	s.policies(api)
	s.audits(api)
	mux.HandleFunc("GET /v1/events", s.tail)
	mux.HandleFunc("GET /v1/audit-bundle", s.bundle)
	mux.HandleFunc("GET /v1/subjects/{id}/export", s.subjectExport)
	s.system(mux)
	s.describeOthers(api)
	s.specification(mux, api.OpenAPI())
	s.page(mux)
	for pattern, h := range cfg.Extra {
		mux.Handle(pattern, h)
	}
	mux.HandleFunc("/", s.notFound(mux))
	return s.enter(mux)
}

func (s *server) system(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Version) })
	if s.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
	}
}

// notFound answers what no route takes, and tells a wrong method from a wrong path.
func (s *server) notFound(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != "/" && method != r.Method {
				w.Header().Set("Allow", method)
				s.writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "this path takes "+method))
				return
			}
		}
		s.writeProblem(w, r, newProblem(http.StatusNotFound, "no-such-route", "there is nothing at this path; the API page at /docs lists what there is"))
	}
}

func (s *server) description() huma.Config {
	c := huma.DefaultConfig("Konto", s.Version.Version)
	c.Info.Description = "Accounts that a business runs on: commands change them, queries read them, auditors replay them."
	c.DocsPath = ""    // served by page, from the binary
	c.OpenAPIPath = "" // served by specification
	c.SchemasPath = ""
	c.CreateHooks = nil // no links to schemas in answers
	c.Transformers = []huma.Transformer{asProblem}
	c.Components.Schemas = schemas()
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token of the configured OpenID Connect issuer."},
	}
	c.Security = []map[string][]string{{"token": {}}}
	return c
}
