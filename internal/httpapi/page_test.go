package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"

	"konto/domain/policy"
	"konto/internal/httpapi"
)

// TestSpecificationIsWrittenOnce asks for the OpenAPI document from several
// sides at once: the race detector sees who writes it.
func TestSpecificationIsWrittenOnce(t *testing.T) {
	t.Parallel()
	api := httpapi.New(httpapi.Config{
		Contracts: policy.Contracts, Reading: policy.Table, Now: time.Now, NewID: uuid.New, Log: zerolog.Nop(),
		Tracer: noop.NewTracerProvider().Tracer(""),
	})
	for path, want := range map[string]string{"/openapi.json": "application/openapi+json", "/openapi.yaml": "application/openapi+yaml"} {
		var answers [8]*httptest.ResponseRecorder
		var all sync.WaitGroup
		for i := range answers {
			answers[i] = httptest.NewRecorder()
			all.Go(func() { api.ServeHTTP(answers[i], httptest.NewRequest(http.MethodGet, path, nil)) })
		}
		all.Wait()
		for _, a := range answers {
			if got := a.Header().Get("Content-Type"); a.Code != http.StatusOK || got != want {
				t.Fatalf("GET %s gets %d of type %q, want 200 of type %q", path, a.Code, got, want)
			}
			if a.Body.Len() < 1000 || a.Body.String() != answers[0].Body.String() {
				t.Errorf("GET %s gets %d bytes at first, %d at once", path, answers[0].Body.Len(), a.Body.Len())
			}
		}
	}
}
