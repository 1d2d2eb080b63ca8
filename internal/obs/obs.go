// Package obs makes what operators look at: the log, the metrics and the
// traces. Components get theirs handed in; nothing here is global.
package obs

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Logger returns a logger that writes JSON lines to w, or readable lines if
// pretty is set. Level is one of zerolog's names, such as "info"; an unknown
// one is an error.
func Logger(w io.Writer, level string, pretty bool, now func() time.Time) (zerolog.Logger, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		return zerolog.Nop(), fmt.Errorf("log level %q: %w", level, err)
	}
	if pretty {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}
	}
	stamp := zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Time(zerolog.TimestampFieldName, now().UTC())
	})
	return zerolog.New(w).Level(l).Hook(stamp), nil
}

// Tracing returns a provider that exports spans with OTLP over HTTP if one of
// OpenTelemetry's own variables names an endpoint, and one that does nothing
// otherwise. Stop flushes what is left.
func Tracing(ctx context.Context, version string, getenv func(string) string) (p trace.TracerProvider, stop func(context.Context) error, err error) {
	if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return noop.NewTracerProvider(), func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("trace exporter: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "konto"), attribute.String("service.version", version))),
	)
	return provider, provider.Shutdown, nil
}
