package obs

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are Konto's own, in a registry of their own. Labels are bounded:
// names from the contracts, never an ID. All methods are safe for concurrent use.
type Metrics struct {
	Registry *prometheus.Registry

	commands  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	conflicts prometheus.Counter
	replays   prometheus.Counter
	gateway   *prometheus.CounterVec
	unknown   prometheus.Counter
	notices   *prometheus.CounterVec
	webhooks  *prometheus.CounterVec
}

// NewMetrics returns metrics that have counted nothing.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "konto_commands_total", Help: "Commands that ended, by command and outcome.",
		}, []string{"command", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "konto_command_duration_seconds", Help: "Time from taking a command to its answer, disk included.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}, []string{"command"}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "konto_store_conflicts_total", Help: "Appends that lost against another writer and were decided again.",
		}),
		replays: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "konto_idempotent_replays_total", Help: "Commands that had been carried out before.",
		}),
		gateway: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "konto_gateway_events_total", Help: "Payment gateways' calls that ended, by outcome.",
		}, []string{"outcome"}),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "konto_unknown_decline_codes_total", Help: "Declined charges with a code that the taxonomy of declines has no place for.",
		}),
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "konto_notifications_total", Help: "Messages that left or did not, by template, locale, channel and outcome.",
		}, []string{"template", "locale", "channel", "outcome"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "konto_webhook_attempts_total", Help: "Calls of other systems, by how they went.",
		}, []string{"outcome"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "konto_build_info", Help: "1, labelled with the version that is running.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.Registry.MustRegister(m.commands, m.durations, m.conflicts, m.replays, m.gateway, m.unknown, m.notices, m.webhooks, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Command counts a command that ended.
func (m *Metrics) Command(name, outcome string, took time.Duration, conflicts int) {
	m.commands.WithLabelValues(name, outcome).Inc()
	m.durations.WithLabelValues(name).Observe(took.Seconds())
	m.conflicts.Add(float64(conflicts))
	if outcome == "replayed" {
		m.replays.Inc()
	}
}

// Gateway counts a gateway's call that ended.
func (m *Metrics) Gateway(outcome string) { m.gateway.WithLabelValues(outcome).Inc() }

// UnknownDeclineCode counts a declined charge whose code is in no list.
func (m *Metrics) UnknownDeclineCode() { m.unknown.Inc() }

// Notification counts a message's outcome.
func (m *Metrics) Notification(template, locale, channel, outcome string) {
	m.notices.WithLabelValues(template, locale, channel, outcome).Inc()
}

// Webhook counts a call of another system.
func (m *Metrics) Webhook(outcome string) { m.webhooks.WithLabelValues(outcome).Inc() }

// Projection is how far a projection is.
type Projection struct {
	Name       string
	Position   uint64
	LagEvents  float64 // estimated from positions where the store does not count
	LagSeconds float64
	Failed     bool
}

// Watch makes the metrics ask, at each scrape, how far the projections are and
// how full the outbox is. Both functions must return at once.
func (m *Metrics) Watch(projections func() []Projection, outbox func() (pending, dead int, oldest time.Duration)) {
	m.Registry.MustRegister(&watcher{projections, outbox})
}

type watcher struct {
	projections func() []Projection
	outbox      func() (pending, dead int, oldest time.Duration)
}

var (
	descPosition   = prometheus.NewDesc("konto_projection_position", "Commit position that the projection has applied.", []string{"projection"}, nil)
	descLagEvents  = prometheus.NewDesc("konto_projection_lag_events", "Events between the store's head and the projection.", []string{"projection"}, nil)
	descLagSeconds = prometheus.NewDesc("konto_projection_lag_seconds", "Age of the oldest event that the projection has not applied.", []string{"projection"}, nil)
	descFailed     = prometheus.NewDesc("konto_projection_failed", "1 if the projection cannot apply its next event.", []string{"projection"}, nil)
	descPending    = prometheus.NewDesc("konto_outbox_pending", "Effects that wait to be carried out.", nil, nil)
	descDead       = prometheus.NewDesc("konto_outbox_dead", "Effects that were given up.", nil, nil)
	descOldest     = prometheus.NewDesc("konto_outbox_oldest_seconds", "Age of the oldest effect that is due and waits.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (w *watcher) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descPosition, descLagEvents, descLagSeconds, descFailed, descPending, descDead, descOldest} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (w *watcher) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range w.projections() {
		failed := 0.0
		if p.Failed {
			failed = 1
		}
		gauge(descPosition, float64(p.Position), p.Name)
		gauge(descLagEvents, p.LagEvents, p.Name)
		gauge(descLagSeconds, p.LagSeconds, p.Name)
		gauge(descFailed, failed, p.Name)
	}
	pending, dead, oldest := w.outbox()
	gauge(descPending, float64(pending))
	gauge(descDead, float64(dead))
	gauge(descOldest, oldest.Seconds())
}
