package system

import (
	"bytes"
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/obs"
)

// startTracing makes the tracer. A request's spans, those of its command and
// those of what follows from it carry one correlation ID, which is the trace's
// ID if there is a trace.
func (s *System) startTracing(ctx context.Context) error {
	provider := s.cfg.Tracing
	if provider == nil {
		p, flush, err := obs.Tracing(ctx, s.cfg.Version.Version, s.cfg.Getenv)
		if err != nil {
			return err
		}
		s.atStop("traces", flush)
		provider = p
	}
	s.tracer = provider.Tracer("konto")
	return nil
}

// traceVisible says of each traced event when its read models had it. The span
// links to the command's instead of being its child: the caller does not wait
// for it.
func (s *System) traceVisible(events []eventstore.Recorded) {
	for _, r := range events {
		if !bytes.Contains(r.Meta, []byte(`"traceparent"`)) {
			continue
		}
		meta, err := envelope.ParseMeta(r.Meta)
		if err != nil {
			continue // the projections have said so already
		}
		carrier := propagation.MapCarrier{"traceparent": meta.TraceParent}
		cause := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(s.running, carrier))
		if !cause.IsSampled() {
			continue
		}
		_, span := s.tracer.Start(s.running, "project "+r.Type, trace.WithTimestamp(r.At),
			trace.WithLinks(trace.Link{SpanContext: cause}), trace.WithAttributes(
				attribute.String("konto.correlation_id", meta.Correlation),
				attribute.String("konto.stream", r.Stream), attribute.String("konto.position", r.Position.String())))
		span.End()
	}
}
