package privacy_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"konto/domain"
	"konto/internal/privacy"
)

func BenchmarkSeal(b *testing.B) {
	for _, fields := range []int{1, 4} {
		b.Run(fmt.Sprintf("fields=%d", fields), func(b *testing.B) {
			k := open(b, config(b.TempDir()))
			data := document(b, fields)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Seal(context.Background(), place, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, fields := range []int{1, 4} {
		b.Run(fmt.Sprintf("fields=%d", fields), func(b *testing.B) {
			k := open(b, config(b.TempDir()))
			data := mustSeal(b, k, place, document(b, fields))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Open(context.Background(), place, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAnnotate(b *testing.B) {
	k := open(b, config(b.TempDir()))
	data := mustSeal(b, k, place, document(b, 1))
	b.ReportAllocs()
	for b.Loop() {
		privacy.Annotate(data, place)
	}
}

// document is an event of 300 bytes with personal values.
func document(b *testing.B, fields int) []byte {
	b.Helper()
	v := map[string]any{
		"gatewayToken": "pm_1Q0PsIJvEtkwdCNYMSaVuRz6", "brand": "visa", "last4": "4242", "expMonth": 11, "expYear": 2029,
		"funding": "credit", "issuerCountry": "DE", "fingerprint": "a81bc81bdead4e5dabffd4e6a8e0c0d1", "country": "DE",
		"checks": map[string]string{"line1": "pass", "postal": "pass", "cvc": "pass"}, "at": "2026-03-01T10:00:00.123456Z",
	}
	for i := range fields {
		v[fmt.Sprint("holder", i)] = domain.About("0199a3c0-5a5e-7000-8000-0000000000aa", "Ana Example")
	}
	return marshal(b, v)
}

func BenchmarkNoPersonal(b *testing.B) {
	k := open(b, config(b.TempDir()))
	data := document(b, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(context.Background(), place, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMAC(b *testing.B) {
	k := open(b, config(b.TempDir()))
	b.ReportAllocs()
	for b.Loop() {
		k.MAC("tenant-a", "card-fingerprint", "pm_1Q0PsIJvEtkwdCNYMSaVuRz6")
	}
}

// BenchmarkNewSubject seals about a new subject each time, with 64 callers.
func BenchmarkNewSubject(b *testing.B) {
	k := open(b, config(b.TempDir()))
	var n atomic.Int64
	b.SetParallelism(32) // times GOMAXPROCS
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			data := fmt.Appendf(nil, `{"name":{"$personal":{"subject":"s%d","value":"Ana"}}}`, n.Add(1))
			if _, err := k.Seal(context.Background(), place, data); err != nil && !errors.Is(err, privacy.ErrErased) {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "subjects/s")
}
