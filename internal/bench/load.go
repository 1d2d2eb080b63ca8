package bench

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Spread says how durations are spread, in milliseconds.
type Spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
	N   int     `json:"n"`
}

func spread(took []time.Duration) Spread {
	if len(took) == 0 {
		return Spread{}
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return millis(took[min(len(took)-1, int(math.Ceil(q*float64(len(took))))-1)])
	}
	return Spread{P50: at(0.5), P99: at(0.99), Max: millis(took[len(took)-1]), N: len(took)}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Rate is a closed loop's result.
type Rate struct {
	PerSecond float64 `json:"perSecond"`
	Latency   Spread  `json:"latencyMs"`
	CPU       CPU     `json:"cpu"`
}

// CPUMicros is the time of cores that each took, load included, in
// microseconds. Other programs on the machine disturb it less than the rate.
func (r Rate) CPUMicros() float64 {
	if r.PerSecond == 0 {
		return 0
	}
	return round(r.CPU.Own / r.PerSecond * 1e6)
}

// loop is what one caller does again and again. It reports how long the part
// that counts took.
type loop func(ctx context.Context) (time.Duration, error)

// closed runs each of the loops until d has passed and returns what all of them
// did after a warm-up of a fifth of d.
func (b *bench) closed(ctx context.Context, d time.Duration, loops []loop) (Rate, error) {
	warm := b.Now().Add(d / 5)
	end := warm.Add(d)
	took := make([][]time.Duration, len(loops))
	ctx, cancel := context.WithCancelCause(ctx) // the first failure ends all
	defer cancel(nil)
	var meter meter
	warmed := time.AfterFunc(d/5, func() { meter.start() })
	defer warmed.Stop()
	var group sync.WaitGroup
	for i, next := range loops {
		took[i] = make([]time.Duration, 0, 1<<12)
		group.Go(func() {
			for ctx.Err() == nil {
				dt, err := next(ctx)
				now := b.Now()
				switch {
				case err != nil:
					cancel(err)
					return
				case now.After(end):
					return
				case now.After(warm):
					took[i] = append(took[i], dt)
				}
			}
		})
	}
	group.Wait()
	r := Rate{CPU: meter.stop()}
	if err := context.Cause(ctx); err != nil {
		return r, err
	}
	all := slices.Concat(took...)
	r.PerSecond, r.Latency = math.Round(float64(len(all))/d.Seconds()), spread(all)
	return r, nil
}
