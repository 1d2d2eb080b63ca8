package notify_test

import (
	"testing"

	"konto/internal/notify"
)

func BenchmarkRender(b *testing.B) {
	r, err := notify.NewRenderer(notify.RenderConfig{BaseURL: "https://konto.example"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Preview(notify.CardDeclined, "sv", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeliver is one mail to a server on loopback, connection included.
func BenchmarkDeliver(b *testing.B) {
	f := setup(b, serve(b, false, false), nil)
	m := message(nil)
	b.ReportAllocs()
	for b.Loop() {
		clear(f.ledger.outcomes)
		if err := f.n.Deliver(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}
