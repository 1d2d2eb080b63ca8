package system

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What the garbage collector leaves lying about, in percent of what is in use
// and in bytes. A command leaves 20 kB of garbage and what is in use is mostly
// caches, so Go's own 100 percent would collect several times a second: 400
// was worth 5 to 30 percent of commands in measurements of the same pipeline.
// But 400 percent of full caches would be a gigabyte, for nothing: beyond the
// room, more garbage no longer makes collections noticeably rarer.
//
// What a collection costs is to look at what may hold pointers. The blocks and
// tables of an event store hold none: they get no more room than that. What
// does gets as much again as there is, as it would from Go.
const (
	maxGarbage  = 400
	minGarbage  = 100 // of what may hold pointers
	garbageRoom = 64 << 20
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
	set := maxGarbage
	before := debug.SetGCPercent(set)
	defer debug.SetGCPercent(before)
	read := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	for {
		select {
		case <-collected():
		case <-ctx.Done():
			return
		}
		metrics.Read(read)
		want := garbage(read[0].Value.Uint64(), read[1].Value.Uint64())
		if want > set+set/10 || want < set-set/10 { // each change stops the world for an instant
			debug.SetGCPercent(want)
			set = want
		}
	}
}

// collected is closed after the next collection. Looking once in a while would
// be too late for a process that begins to fill its caches: the collection it is
// about has by then set the size at which the next one comes.
func collected() <-chan struct{} {
	done := make(chan struct{})
	unused := &struct{ _ [64]byte }{} // by itself: the smallest objects share memory
	runtime.AddCleanup(unused, func(done chan struct{}) { close(done) }, done)
	return done
}

// garbage returns how much garbage may lie about, in percent of the bytes in
// use, of which some may hold pointers.
func garbage(live, pointers uint64) int {
	room := max(garbageRoom, min(pointers, live)*minGarbage/100)
	return int(min(maxGarbage, max(1, room*100/max(1, live))))
}
