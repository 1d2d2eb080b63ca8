package node_test

import (
	"errors"
	"io"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"konto/eventstore/node"
)

// BenchmarkRead reads a stream of one event with the official client: what a
// call costs without and with TLS, a password and a list to be looked at.
func BenchmarkRead(b *testing.B) {
	for name, cfg := range map[string]node.Config{
		"plain": {Memory: true, Insecure: true},
		"TLS":   {Memory: true, DevTLS: true},
	} {
		b.Run(name, func(b *testing.B) {
			n, stop := serve(b, cfg)
			defer stop()
			db := client(b, n.ConnectionString())
			if _, err := db.AppendToStream(b.Context(), "any", esdb.AppendToStreamOptions{}, event()); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				stream, err := db.ReadStream(b.Context(), "any", esdb.ReadStreamOptions{}, 1)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = stream.Recv()
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				stream.Close()
			}
		})
	}
}
