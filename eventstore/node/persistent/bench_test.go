package persistent_test

import (
	"fmt"
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

// BenchmarkConsume takes events of 600 bytes from a group and acknowledges
// them, as many at once as have come.
func BenchmarkConsume(b *testing.B) {
	for _, name := range []string{persistent.RoundRobin, persistent.Pinned} {
		for _, slots := range []int{10, 1000} {
			b.Run(fmt.Sprintf("%s/slots=%d", name, slots), func(b *testing.B) {
				n := newNode(b)
				data := make([]byte, 600)
				batch := make([]eventstore.Event, 1000)
				for written := 0; written < b.N; written += len(batch) {
					for i := range batch {
						batch[i] = eventstore.Event{ID: n.id(), Type: "happened", Data: data}
					}
					n.write("s", batch...)
				}
				n.create("s", strategy(name))
				c := n.subscribe("s", slots)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; {
					m, err := c.Next(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					c.ack(m...)
					done += len(m)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
