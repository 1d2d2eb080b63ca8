package privacy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/domain"
	"konto/internal/privacy"
)

// T12: what is left of an erased birth date does not tell which date it was.
func TestCommitmentHides(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	born := time.Date(1984, 2, 29, 0, 0, 0, 0, time.UTC)
	sealed := mustSeal(t, k, place, marshal(t, domain.About("7", born.Format(time.DateOnly))))
	if _, err := k.Destroy(t.Context(), place.Tenant, "7"); err != nil {
		t.Fatal(err)
	}
	h := regexp.MustCompile(`"h":"([\w-]+)"`).FindSubmatch(sealed)[1]
	n := regexp.MustCompile(`"n":"([\w-]+)"`).FindSubmatch(sealed)[1]
	for day, i := time.Date(1910, 1, 1, 0, 0, 0, 0, time.UTC), 0; i < 40_000; day, i = day.AddDate(0, 0, 1), i+1 {
		value := marshal(t, day.Format(time.DateOnly))
		for _, blind := range [][]byte{nil, make([]byte, 32), n} {
			if privacy.Commitment(blind, place, "", value) == string(h) {
				t.Fatalf("the commitment tells that the value is %s", value)
			}
		}
	}
}

// T15: no nonce and no commitment comes twice, not even for one value.
func TestNonces(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	data := marshal(t, domain.About("7", "ana"))
	fields := regexp.MustCompile(`"[nh]":"([\w-]+)"`)
	var seen sync.Map
	var all sync.WaitGroup
	var twice atomic.Int64
	for range 4 {
		all.Go(func() {
			for range 10_000 {
				sealed, err := k.Seal(context.Background(), place, data)
				if err != nil {
					t.Errorf("Seal() = %v", err)
					return
				}
				for _, f := range fields.FindAllSubmatch(sealed, -1) {
					if _, again := seen.LoadOrStore(string(f[1]), true); again {
						twice.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	if n := twice.Load(); n > 0 {
		t.Errorf("%d nonces or commitments came twice", n)
	}
}

// Lengths below a step of the padding do not show.
func TestPadding(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	lengths := make(map[int]int) // of the envelope, to the number of values with it
	for n := range 100 {
		sealed := mustSeal(t, k, place, marshal(t, domain.About("7", strings.Repeat("x", n))))
		lengths[len(sealed)]++
	}
	if len(lengths) > 3 {
		t.Errorf("values of 0 to 99 bytes have %d lengths sealed, want 3 at most", len(lengths))
	}
}

// T13: no document, however odd, makes a reader panic, or opens.
func FuzzOpen(f *testing.F) {
	k, err := privacy.Open(context.Background(), config(f.TempDir()))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = k.Close() })
	sealed, err := k.Seal(context.Background(), place, []byte(`{"a":[{"$personal":{"subject":"7","value":"ana"}}]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(privacy.Annotate(sealed, place))
	f.Add([]byte(`{"$sealed":{"e":"konto-pii/1","s":"7","k":1,"p":"","n":"","c":"","h":""}}`))
	f.Add([]byte(`{"\u0024sealed":true,"subject":"7"}`))
	f.Add([]byte(`[{"$erased":{"subject":"8"}},{"$personal":{"subject":"7","value":{"$sealed":1}}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		got, err := k.Open(context.Background(), place, data)
		if err == nil && bytes.Contains(got, []byte(`"ana"`)) && !bytes.Contains(data, []byte(`"ana"`)) && !sameEnvelope(data, sealed) {
			t.Errorf("Open(%s) = %s, want an error", data, got)
		}
		_, _ = k.OpenStored(context.Background(), data)
		again, err := k.Seal(context.Background(), place, data)
		if err == nil && json.Valid(data) && !json.Valid(again) {
			t.Errorf("Seal(%s) = %s, no JSON", data, again)
		}
		for name, out := range map[string][]byte{
			"Annotate": privacy.Annotate(data, place), "Redact": privacy.Redact(data, "x"), "Plain": privacy.Plain(data),
		} {
			if json.Valid(data) && !json.Valid(out) {
				t.Errorf("%s(%s) = %s, no JSON", name, data, out)
			}
		}
		if !bytes.Equal(data, before) {
			t.Errorf("%s was changed to %s", before, data)
		}
	})
}

// sameEnvelope reports whether data holds the ciphertext of sealed.
func sameEnvelope(data, sealed []byte) bool {
	return bytes.Contains(data, regexp.MustCompile(`"c":"[\w-]+"`).Find(sealed))
}

// The short decoder reads what the general one reads.
func FuzzWritten(f *testing.F) {
	const e = `{"e":"konto-pii/1","s":"7","k":12,"p":"/a","n":"x","c":"y","h":"z"`
	f.Add([]byte(e + `}`))
	f.Add([]byte(e + `,"in":{"stream":"a-1","id":"2","type":"T","tenant":"t"}}`))
	f.Add([]byte(strings.Replace(e, "12", "012", 1) + `}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) || !bytes.Equal(bytes.ToValidUTF8(b, nil), b) {
			return // scan refuses it before
		}
		if fast, same := privacy.Written(b); fast && !same {
			t.Errorf("the two decoders differ on %s", b)
		}
	})
}

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
