package obs_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/goleak"

	"konto/internal/obs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func clock() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("CET", 3600)) }

func TestLogger(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log, err := obs.Logger(&b, "info", false, clock)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug().Msg("too much")
	log.Info().Str("k", "v").Msg("m")
	var line map[string]string
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", b.Bytes(), err)
	}
	if line["level"] != "info" || line["message"] != "m" || line["k"] != "v" || line["time"] != "2026-11-22T08:00:00Z" {
		t.Errorf("line = %v", line)
	}
	b.Reset()
	if log, err = obs.Logger(&b, "warn", true, clock); err != nil {
		t.Fatal(err)
	}
	log.Warn().Msg("for people")
	if text := b.String(); !strings.Contains(text, "for people") || strings.HasPrefix(text, "{") {
		t.Errorf("line = %s, want one for people", text)
	}
	if _, err := obs.Logger(&b, "loud", false, clock); err == nil || !strings.Contains(err.Error(), "loud") {
		t.Errorf("level loud: err = %v, want one that names it", err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := obs.NewMetrics("1.2.3")
	m.Command("AddCard", "accepted", 3*time.Millisecond, 2)
	m.Command("AddCard", "replayed", time.Millisecond, 0)
	m.Gateway("carried-out")
	m.UnknownDeclineCode()
	m.Notification("card_declined", "sv", "mail", "sent")
	m.Watch(
		func() []obs.Projection {
			return []obs.Projection{{Name: "admins", Position: 7, LagEvents: 3, LagSeconds: 1.5, Failed: true}}
		},
		func() (int, int, time.Duration) { return 4, 1, 2 * time.Second },
	)
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	text := rec.Body.String()
	for _, want := range []string{
		`konto_build_info{version="1.2.3"} 1`,
		`konto_commands_total{command="AddCard",outcome="accepted"} 1`,
		`konto_commands_total{command="AddCard",outcome="replayed"} 1`,
		`konto_idempotent_replays_total 1`,
		`konto_outbox_dead 1`,
		`konto_outbox_oldest_seconds 2`,
		`konto_outbox_pending 4`,
		`konto_projection_failed{projection="admins"} 1`,
		`konto_projection_lag_events{projection="admins"} 3`,
		`konto_projection_lag_seconds{projection="admins"} 1.5`,
		`konto_projection_position{projection="admins"} 7`,
		`konto_store_conflicts_total 2`,
		`konto_command_duration_seconds_count{command="AddCard"} 2`,
		`konto_gateway_events_total{outcome="carried-out"} 1`,
		`konto_unknown_decline_codes_total 1`,
		`konto_notifications_total{channel="mail",locale="sv",outcome="sent",template="card_declined"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
}

func TestTracingIsOffUnlessAsked(t *testing.T) {
	t.Parallel()
	p, stop, err := obs.Tracing(t.Context(), "1", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	_, span := p.Tracer("x").Start(t.Context(), "s")
	if span.IsRecording() {
		t.Error("spans are recorded though nobody asked for them")
	}
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTracesLeave(t *testing.T) {
	var got atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			got.Add(1)
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	p, stop, err := obs.Tracing(t.Context(), "1", func(string) string { return collector.URL })
	if err != nil {
		t.Fatal(err)
	}
	_, span := p.Tracer("x").Start(t.Context(), "s")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got.Load() == 0 {
		t.Error("no span has left")
	}
}
