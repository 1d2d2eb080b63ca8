package esdb_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"konto/eventstore"
	"konto/eventstore/eventstoretest"
)

// BenchmarkAppend appends one event of 300 bytes at a time through the client,
// on loopback, to a node in memory.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(writers), func(b *testing.B) {
			s := startNode(b).open()
			events := eventstoretest.Events(b.N)
			data := []byte(`"` + strings.Repeat("x", 300) + `"`)
			for i := range events {
				events[i].Data = data
			}
			b.ResetTimer()
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					stream := eventstoretest.Stream()
					for i := w; i < len(events); i += writers {
						if _, err := s.Append(b.Context(), stream, eventstore.Any, events[i]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// BenchmarkReadAll reads $all through the client; an operation is an event.
func BenchmarkReadAll(b *testing.B) {
	s := startNode(b).open()
	fill(b, s, b.N)
	b.ResetTimer()
	n := 0
	for _, err := range s.ReadAll(b.Context(), eventstore.ReadAll{}) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkSubscribe catches up with $all through the client.
func BenchmarkSubscribe(b *testing.B) {
	s := startNode(b).open()
	fill(b, s, b.N)
	b.ResetTimer()
	n := 0
	for events, err := range s.Subscribe(b.Context(), eventstore.Position{}) {
		if err != nil {
			b.Fatal(err)
		}
		if n += len(events); n >= b.N {
			break
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func fill(b *testing.B, s eventstore.Store, n int) {
	b.Helper()
	stream := eventstoretest.Stream()
	data := []byte(`"` + strings.Repeat("x", 300) + `"`)
	for n > 0 {
		events := eventstoretest.Events(min(n, 1000))
		for i := range events {
			events[i].Data = data
		}
		if _, err := s.Append(b.Context(), stream, eventstore.Any, events...); err != nil {
			b.Fatal(err)
		}
		n -= len(events)
	}
}
