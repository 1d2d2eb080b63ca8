package persistent

import (
	"math"
	"slices"
	"time"
)

// meter measures a rate, anew each second or when somebody ticks.
type meter struct {
	count     int64 // since ever
	measured  int64 // count at the last measurement
	at        time.Time
	perSecond float64
}

// tick ends a measurement that has lasted a second.
func (m *meter) tick(now time.Time) {
	if m.at.IsZero() {
		m.at = now
		return
	}
	took := now.Sub(m.at)
	if took < time.Second {
		return
	}
	m.perSecond = float64(m.count-m.measured) / took.Seconds()
	m.measured, m.at = m.count, now
}

func (m *meter) rate() int32 {
	return int32(min(math.Round(m.perSecond), math.MaxInt32))
}

// samples bounds the latencies that are remembered.
const samples = 1000

// latency remembers how long a consumer took for its newest answers.
type latency struct {
	newest [samples]time.Duration
	count  int
}

func (l *latency) add(d time.Duration) {
	l.newest[l.count%samples] = d
	l.count++
}

// Measurement is a figure of a consumer's latency, in milliseconds.
type Measurement struct {
	Key   string
	Value int64
}

// measurements are under the keys EventStoreDB has.
func (l *latency) measurements() []Measurement {
	if l == nil || l.count == 0 {
		return nil
	}
	sorted := slices.Clone(l.newest[:min(l.count, samples)])
	slices.Sort(sorted)
	var sum time.Duration
	for _, d := range sorted {
		sum += d
	}
	share := func(q float64) time.Duration {
		return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
	}
	out := []Measurement{{"Mean", (sum / time.Duration(len(sorted))).Milliseconds()}}
	for _, q := range []struct {
		key   string
		share float64
	}{
		{"Median", 0.5},
		{"Fastest", 0},
		{"Quintile 1", 0.2},
		{"Quintile 2", 0.4},
		{"Quintile 3", 0.6},
		{"Quintile 4", 0.8},
		{"Quintile 5", 1},
		{"90%", 0.9},
		{"95%", 0.95},
		{"99%", 0.99},
		{"99.5%", 0.995},
		{"99.9%", 0.999},
		{"Highest", 1},
	} {
		out = append(out, Measurement{q.key, share(q.share).Milliseconds()})
	}
	return out
}
