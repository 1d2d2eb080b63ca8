package system_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"konto/domain/tenant"
	"konto/eventstore/storetest"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/identity"
	"konto/internal/system"
)

// TestTraceFollowsARequestToItsReadModels checks that everything that one
// request led to carries one correlation ID.
func TestTraceFollowsARequestToItsReadModels(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	over := make(chan string, 10)
	spans := tracetest.NewSpanRecorder()
	data := t.TempDir()
	s, err := system.Start(ctx, system.Config{
		Data: data, OpenStore: storetest.Opener(filepath.Join(data, "events")), Addr: "127.0.0.1:0", Dev: true, Now: time.Now, Log: zerolog.Nop(),
		Tracing: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSpanProcessor(ended(over))),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-s.Projector().Ready(): // what is caught up on is not told of
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	operator, _ := demo.Find("operator")
	token, err := s.Issuer().Mint(identity.Person{ID: operator.ID, Tenant: operator.Tenant, Roles: operator.Roles}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c := &client.Client{Base: s.URL(), Token: token}
	_, err = c.Send(ctx, client.Command{
		Collection: "tenants", ID: demo.Norrsken, Name: "RegisterTenant",
		Body: tenant.RegisterTenant{Name: "Norrsken", Country: "SE", Currency: "SEK", Locale: "sv", Domain: "norrsken.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for missing := wanted(); len(missing) > 0; {
		select {
		case name := <-over:
			missing = slices.DeleteFunc(missing, func(n string) bool { return n == name })
		case <-ctx.Done():
			t.Fatalf("no spans %q", missing)
		}
	}
	found, ids := map[string]bool{}, map[string]bool{}
	for _, span := range spans.Ended() {
		for _, a := range span.Attributes() {
			if a.Key == "konto.correlation_id" && slices.Contains(wanted(), span.Name()) {
				found[span.Name()], ids[a.Value.AsString()] = true, true
			}
		}
	}
	if len(found) != len(wanted()) {
		t.Errorf("spans with a correlation ID = %v, want %q", found, wanted())
	}
	if len(ids) != 1 {
		t.Errorf("correlation IDs = %v, want one", ids)
	}
}

// wanted are the spans of the way from a request to what it changed.
func wanted() []string {
	return []string{"POST /v1/tenants/{id}/RegisterTenant", "command RegisterTenant", "project TenantRegistered"}
}

// ended is a span processor that tells which wanted spans are over.
type ended chan<- string

func (e ended) OnEnd(s sdktrace.ReadOnlySpan) {
	if slices.Contains(wanted(), s.Name()) {
		e <- s.Name()
	}
}
func (ended) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (ended) Shutdown(context.Context) error                  { return nil }
func (ended) ForceFlush(context.Context) error                { return nil }
