package system

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What the garbage collector leaves lying about, in percent of what is in use
// and in bytes. A command leaves 20 kB of garbage and what is in use is mostly
// caches, so Go's own 100 percent would collect several times a second: 400
// was worth 5 to 30 percent of commands in measurements of the same pipeline.
// But 400 percent of full caches would be a gigabyte, for nothing: beyond the
// room, more garbage no longer makes collections noticeably rarer.
const (
	maxGarbage  = 400
	minGarbage  = 100
	garbageRoom = 64 << 20
	tuneEvery   = time.Second
)

// tuneMemory keeps setting how much garbage may lie about, unless GOGC does.
func (s *System) tuneMemory(context.Context) error {
	if s.cfg.Getenv("GOGC") != "" {
		return nil
	}
	s.run("memory", func(ctx context.Context) error {
		TuneMemory(ctx)
		return nil
	})
	return nil
}

// TuneMemory sets how much garbage may lie about, and keeps setting it as the
// memory in use changes, until ctx ends. It is a setting of the process: run it
// once, and not if the environment has GOGC.
func TuneMemory(ctx context.Context) {
	before := debug.SetGCPercent(maxGarbage)
	defer debug.SetGCPercent(before)
	tick := time.NewTicker(tuneEvery)
	defer tick.Stop()
	live, set := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, maxGarbage
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		metrics.Read(live)
		want := garbage(live[0].Value.Uint64())
		if want > set+set/10 || want < set-set/10 { // each change stops the world for an instant
			debug.SetGCPercent(want)
			set = want
		}
	}
}

// garbage returns how much garbage may lie about, in percent of the bytes in use.
func garbage(live uint64) int {
	return int(min(maxGarbage, max(minGarbage, garbageRoom*100/max(1, live)))) // at most 400
}
