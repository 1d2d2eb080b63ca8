package httpapi

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"konto/domain"
)

type contextKey int

const (
	requestKey contextKey = iota // string: the request's ID
	actorKey                     // domain.Actor
	originKey                    // origin
)

// enter is where every request comes in: it gets its ID and its trace, and
// what panics is answered and logged.
func (s *server) enter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := s.NewID().String()
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := s.Tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
		defer func() {
			span.SetName(r.Pattern) // known once the request was routed; names the method, too
			span.SetAttributes(attribute.String("konto.correlation_id", correlation(r)))
			span.End()
		}()
		r = r.WithContext(context.WithValue(ctx, requestKey, id))
		w.Header().Set("Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // panics with the value itself
					panic(v)
				}
				s.writeProblem(w, r, fmt.Errorf("panic: %v", v))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// untilEnding returns a context for what waits: it also ends when the system
// begins to stop.
func (s *server) untilEnding(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.Ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

// correlation returns what ties all that the request leads to together: the
// caller's Correlation-Id if it is a UUID, else the trace's ID, else the
// request's.
func correlation(r *http.Request) string {
	if id, err := uuid.Parse(r.Header.Get("Correlation-Id")); err == nil {
		return id.String()
	}
	if sc := trace.SpanContextFromContext(r.Context()); sc.HasTraceID() {
		id := sc.TraceID()
		if u, err := uuid.Parse(hex.EncodeToString(id[:])); err == nil {
			return u.String()
		}
	}
	return requestID(r.Context())
}

// actor returns who sent r, as its bearer token says.
func (s *server) actor(r *http.Request) (domain.Actor, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		p := unauthorized("token-missing", "send an access token: Authorization: Bearer …")
		p.challenge = `Bearer realm="konto"`
		return domain.Actor{}, p
	}
	return s.Verifier.Actor(r.Context(), token)
}

// authenticate is actor for queries, and counts those that have a quota.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	a, err := s.actor(r)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	if limitedQuery(ctx.Operation(), ctx.Param("stream")) {
		if err := s.count(w, a); err != nil {
			s.writeProblem(w, r, err)
			return
		}
	}
	next(huma.WithContext(ctx, identified(ctx.Context(), a, r)))
}

func actorOf(ctx context.Context) domain.Actor {
	a, _ := ctx.Value(actorKey).(domain.Actor)
	return a
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone if this fails
}
