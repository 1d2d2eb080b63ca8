package privacy_test

import (
	"bytes"
	"context"
	"encoding/json"
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

// T13: no document, however odd, makes a reader panic, or opens. It works
// without a key file, which would take nearly all of the time.
func FuzzOpen(f *testing.F) {
	k := privacy.NewFixed()
	sealed, err := k.Seal(place, []byte(`{"a":[{"$personal":{"subject":"7","value":"ana"}}]}`))
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
		got, err := k.Open(place, data)
		if err == nil && bytes.Contains(got, []byte(`"ana"`)) && !bytes.Contains(data, []byte(`"ana"`)) && !sameEnvelope(data, sealed) {
			t.Errorf("Open(%s) = %s, want an error", data, got)
		}
		outs := map[string][]byte{
			"Annotate": privacy.Annotate(data, place), "Redact": privacy.Redact(data, "x"), "Plain": privacy.Plain(data),
		}
		if again, err := k.Seal(place, data); err == nil {
			outs["Seal"] = again
		}
		for name, out := range outs {
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
