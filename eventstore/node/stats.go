package node

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"konto/eventstore/node/engine"
	"konto/eventstore/node/grpc"
)

// counters count what the store has done since the node was opened. A store
// that is not the node's own counts for itself.
type counters struct {
	groups, appends, events, bytes, nanoseconds, slowest atomic.Int64
}

func (c *counters) committed(g engine.Group) {
	c.groups.Add(1)
	c.appends.Add(int64(g.Appends))
	c.events.Add(int64(g.Events))
	c.bytes.Add(int64(g.Bytes))
	c.nanoseconds.Add(int64(g.Took))
	if took := int64(g.Took); took > c.slowest.Load() { // the store calls from one goroutine
		c.slowest.Store(took)
	}
}

// stats are grouped as EventStoreDB's are, into the process and the store.
// Numbers count from the start of the node.
func (n *Node) stats() map[string]any {
	sample := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(sample)
	number := func(i int) uint64 { return sample[i].Value.Uint64() }
	c := &n.counters
	groups := c.groups.Load()
	return map[string]any{
		"proc": map[string]any{
			"id":           os.Getpid(),
			"startTime":    n.started.UTC().Format(time.RFC3339),
			"uptimeMs":     n.cfg.Now().Sub(n.started).Milliseconds(),
			"mem":          number(0) - number(1),
			"threadsCount": runtime.NumGoroutine(),
			"gc":           map[string]any{"liveHeapSize": number(2), "collections": number(3)},
		},
		"es": map[string]any{
			"version":  grpc.Version,
			"readOnly": n.cfg.ReadOnly || n.failed.Load() != nil,
			"writer": map[string]any{
				"position":    n.store.Head().Commit,
				"appends":     c.appends.Load(),
				"events":      c.events.Load(),
				"bytes":       c.bytes.Load(),
				"flushes":     groups,
				"meanFlushUs": c.nanoseconds.Load() / max(1, groups) / 1000,
				"maxFlushUs":  c.slowest.Load() / 1000,
			},
		},
	}
}

// flatStats are the same with one level, as the protocol has them.
func (n *Node) flatStats() map[string]string {
	flat := map[string]string{}
	flatten(flat, "", n.stats())
	return flat
}

func flatten(to map[string]string, prefix string, from map[string]any) {
	for name, value := range from {
		if inner, ok := value.(map[string]any); ok {
			flatten(to, prefix+name+"-", inner)
			continue
		}
		to[prefix+name] = fmt.Sprint(value)
	}
}
