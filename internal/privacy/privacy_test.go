package privacy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"konto/domain"
	"konto/internal/privacy"
)

func TestMain(m *testing.M) {
	if rotateInChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func config(dir string) privacy.Config {
	return privacy.Config{Path: filepath.Join(dir, "keys.db"), RootKeyFile: filepath.Join(dir, "root.key"), Now: time.Now}
}

func open(tb testing.TB, c privacy.Config) *privacy.Keys {
	tb.Helper()
	k, err := privacy.Open(tb.Context(), c)
	if err != nil {
		tb.Fatalf("Open() = %v", err)
	}
	tb.Cleanup(func() { _ = k.Close() })
	return k
}

var place = privacy.Context{
	Tenant: "tenant-a", Stream: "admin-7", Type: "EmployeeAdded",
	EventID: "0199a3c0-5a5e-7000-8000-000000000001",
}

type employee struct {
	SignInName domain.Personal[string]   `json:"signInName"`
	Aliases    []domain.Personal[string] `json:"aliases,omitempty"`
	Locale     string                    `json:"locale"`
	Old        domain.Personal[string]   `json:"old,omitzero"`
}

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func unmarshal[T any](tb testing.TB, b []byte) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		tb.Fatalf("%s: %v", b, err)
	}
	return v
}

func mustSeal(tb testing.TB, k *privacy.Keys, c privacy.Context, data []byte) []byte {
	tb.Helper()
	sealed, err := k.Seal(tb.Context(), c, data)
	if err != nil {
		tb.Fatalf("Seal(%s) = %v", data, err)
	}
	return sealed
}

func mustOpen(tb testing.TB, k *privacy.Keys, c privacy.Context, data []byte) []byte {
	tb.Helper()
	opened, err := k.Open(tb.Context(), c, data)
	if err != nil {
		tb.Fatalf("Open(%s) = %v", data, err)
	}
	return opened
}

func wantErr(tb testing.TB, what string, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("%s = %v, want %v", what, err, want)
	}
}

func TestSealedTextHasNoValue(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	data := marshal(t, employee{
		SignInName: domain.About("7", "ana@example.test"), Locale: "de-DE",
		Aliases: []domain.Personal[string]{domain.About("8", "bo@example.test"), domain.About("7", "an@example.test")},
	})
	sealed := mustSeal(t, k, place, data)
	if bytes.Contains(sealed, []byte("example.test")) {
		t.Errorf("Seal() = %s, still has a value", sealed)
	}
	envelope := `\{"\$sealed":\{"e":"konto-pii/1","s":"%s","k":1,"p":"%s","n":"[\w-]{16}","c":"[\w-]+","h":"[\w-]{43}"\}\}`
	want := fmt.Sprintf(`^\{"signInName":`+envelope+`,"aliases":\[`+envelope+`,`+envelope+`\],"locale":"de-DE"\}$`,
		"7", "/signInName", "8", "/aliases/0", "7", "/aliases/1")
	if !regexp.MustCompile(want).Match(sealed) {
		t.Errorf("Seal() = %s, want a match of %s", sealed, want)
	}
	if got := mustOpen(t, k, place, sealed); !bytes.Equal(got, data) {
		t.Errorf("Open() = %s, want %s", got, data)
	}
	if again := mustSeal(t, k, place, data); bytes.Equal(again, sealed) {
		t.Error("Seal() twice = the same bytes, want fresh ones")
	}
}

// jsonText draws a JSON document with personal values in any place.
func jsonText(t *rapid.T, depth int, inValue bool) string {
	text := rapid.Custom(func(t *rapid.T) string {
		b, _ := json.Marshal(rapid.String().Draw(t, "text"))
		return string(b)
	})
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space")
	kinds := 5
	if depth <= 0 {
		kinds = 3
	}
	switch pick := rapid.IntRange(0, kinds).Draw(t, "kind"); {
	case pick == 0:
		return space + text.Draw(t, "string")
	case pick == 1:
		return rapid.SampledFrom([]string{"0", "-1.50", "12345678901234567890", "1e300", "true", "null"}).Draw(t, "scalar") + space
	case pick <= 3 && !inValue:
		return fmt.Sprintf(`%s{%s"$personal":%s{"subject":"s%d","value":%s}}`, space, space, space,
			rapid.IntRange(1, 3).Draw(t, "subject"), strings.TrimSpace(jsonText(t, depth-1, true)))
	case pick == 4:
		var items []string
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			items = append(items, jsonText(t, depth-1, inValue))
		}
		return "[" + strings.Join(items, ","+space) + "]"
	case pick == 5:
		var members []string
		for i := range rapid.IntRange(0, 3).Draw(t, "members") {
			members = append(members, fmt.Sprintf(`"%d%s`, i, text.Draw(t, "name")[1:])+space+":"+jsonText(t, depth-1, inValue))
		}
		return "{" + strings.Join(members, ",") + space + "}"
	}
	return "false"
}

// T1: whatever the document, it comes back byte by byte.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	spaces := regexp.MustCompile(`\{\s*"\$personal":\s*\{`)
	rapid.Check(t, func(rt *rapid.T) {
		data := []byte(jsonText(rt, 4, false))
		sealed, err := k.Seal(context.Background(), place, data)
		if err != nil {
			rt.Fatalf("Seal(%s) = %v", data, err)
		}
		if bytes.Contains(sealed, []byte(`"$personal"`)) {
			rt.Fatalf("Seal(%s) = %s, still open", data, sealed)
		}
		got, err := k.Open(context.Background(), place, sealed)
		if err != nil {
			rt.Fatalf("Open(%s) = %v", sealed, err)
		}
		// The space inside a marking object is the only one that is not kept.
		if want := spaces.ReplaceAll(data, []byte(`{"$$personal":{`)); !bytes.Equal(got, want) {
			rt.Fatalf("Open(Seal()) = %s, want %s", got, want)
		}
		stored, err := k.OpenStored(context.Background(), privacy.Annotate(sealed, place))
		if err != nil || !bytes.Equal(stored, got) {
			rt.Fatalf("OpenStored(Annotate()) = %s, %v, want %s", stored, err, got)
		}
	})
}

// T2 and T3: an envelope opens only where it was sealed, and unchanged.
func TestForged(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	other := place
	other.Tenant = "tenant-b"
	data := marshal(t, employee{SignInName: domain.About("7", "ana@example.test"), Old: domain.About("8", "bo@example.test")})
	sealed := string(mustSeal(t, k, place, data))
	mustSeal(t, k, other, data) // so that the other tenant has the subjects too

	field := func(name string) string {
		return regexp.MustCompile(`"` + name + `":"?[^",}]+`).FindString(sealed)
	}
	flip := func(name string) func(string) string {
		return func(s string) string {
			old := field(name)
			last := byte('A')
			if old[len(old)-2] == 'A' {
				last = 'B'
			}
			return strings.Replace(s, old, old[:len(old)-2]+string(last)+old[len(old)-1:], 1)
		}
	}
	text := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	same := func(s string) string { return s }
	for _, tt := range []struct {
		name    string
		context func(*privacy.Context)
		change  func(string) string
		want    error
	}{
		{"another tenant", func(c *privacy.Context) { c.Tenant = "tenant-b" }, same, privacy.ErrForged},
		{"a tenant without keys", func(c *privacy.Context) { c.Tenant = "tenant-c" }, same, privacy.ErrNoKey},
		{"another stream", func(c *privacy.Context) { c.Stream = "admin-8" }, same, privacy.ErrForged},
		{"another event", func(c *privacy.Context) { c.EventID = strings.Replace(c.EventID, "1", "2", 1) }, same, privacy.ErrForged},
		{"another type", func(c *privacy.Context) { c.Type = "EmployeeAdded.v2" }, same, privacy.ErrForged},
		{"the metadata", func(c *privacy.Context) { *c = c.Metadata() }, same, privacy.ErrForged},
		{"another member", nil, text(`{"signInName"`, `{"displayName"`), privacy.ErrForged},
		{"another path in the envelope too", nil, func(s string) string {
			return strings.Replace(strings.Replace(s, `{"signInName"`, `{"displayName"`, 1), `"/signInName"`, `"/displayName"`, 1)
		}, privacy.ErrForged},
		{"deeper", nil, func(s string) string { return `{"x":` + s + `}` }, privacy.ErrForged},
		{"subject", nil, text(`"s":"7"`, `"s":"8"`), privacy.ErrForged},
		{"subject without keys", nil, text(`"s":"7"`, `"s":"9"`), privacy.ErrNoKey},
		{"key version", nil, text(`"k":1`, `"k":2`), privacy.ErrNoKey},
		{"no key version", nil, text(`"k":1`, `"k":0`), privacy.ErrMalformed},
		{"nonce", nil, flip("n"), privacy.ErrForged},
		{"ciphertext", nil, flip("c"), privacy.ErrForged},
		{"commitment", nil, flip("h"), privacy.ErrForged},
		{"ciphertext cut", nil, text(field("c"), field("c")[:len(field("c"))-8]), privacy.ErrForged},
		{"ciphertext empty", nil, text(field("c"), `"c":"`), privacy.ErrForged},
		{"commitment cut", nil, text(field("h"), field("h")[:len(field("h"))-8]), privacy.ErrMalformed},
		{"nonce cut", nil, text(field("n"), field("n")[:len(field("n"))-8]), privacy.ErrMalformed},
		{"scheme", nil, text(privacy.Scheme, "konto-pii/0"), privacy.ErrMalformed},
		{"more in the envelope", nil, text(`"k":1`, `"k":1,"x":1`), privacy.ErrMalformed},
		{"more beside the envelope", nil, text(`{"$sealed"`, `{"x":1,"$sealed"`), privacy.ErrMalformed},
		{"no envelope", nil, func(string) string { return `{"signInName":{"$sealed":true}}` }, privacy.ErrMalformed},
		{"half a document", nil, func(s string) string { return s[:len(s)-1] }, privacy.ErrMalformed},
		{"two documents", nil, func(s string) string { return s + s }, privacy.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, forged := place, tt.change(sealed)
			if tt.context != nil {
				tt.context(&c)
			} else if forged == sealed {
				t.Fatal("the envelope was not changed")
			}
			got, err := k.Open(t.Context(), c, []byte(forged))
			if !errors.Is(err, tt.want) || got != nil {
				t.Errorf("Open(%s) = %s, %v, want %v", forged, got, err, tt.want)
			}
		})
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	sealed := string(mustSeal(t, k, place, marshal(t, domain.About("7", "ana"))))
	away := place
	away.Tenant = "tenant-b"
	for _, tt := range []struct {
		name, data string
		want       error
	}{
		{"two members", `{"$personal":{"subject":"7","value":1},"x":1}`, privacy.ErrMalformed},
		{"not the first member", `{"x":1,"$personal":{"subject":"7","value":1}}`, privacy.ErrMalformed},
		{"escaped", `{"\u0024personal":{"subject":"7","value":1},"x":1}`, privacy.ErrMalformed},
		{"no subject", `{"$personal":{"value":1}}`, privacy.ErrMalformed},
		{"no value", `{"$personal":{"subject":"7"}}`, privacy.ErrMalformed},
		{"no object", `{"$personal":7}`, privacy.ErrMalformed},
		{"one in another", `{"$personal":{"subject":"7","value":[{"$personal":{"subject":"8","value":1}}]}}`, privacy.ErrMalformed},
		{"no JSON", `{"$personal":`, privacy.ErrMalformed},
		{"sealed without origin", sealed, privacy.ErrForged},
		{"sealed for another tenant", string(privacy.Annotate([]byte(sealed), away)), privacy.ErrForged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := k.Seal(t.Context(), place, []byte(tt.data))
			if !errors.Is(err, tt.want) || got != nil {
				t.Errorf("Seal(%s) = %s, %v, want %v", tt.data, got, err, tt.want)
			}
		})
	}
	_, err := k.Seal(t.Context(), privacy.Context{}, marshal(t, domain.About("7", "ana")))
	wantErr(t, "Seal() for no tenant", err, privacy.ErrMalformed)
}

// A value hidden behind an escape is still found.
func TestSealFindsEscapedMarker(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	sealed := mustSeal(t, k, place, []byte(`{"\u0024personal":{"subject":"7","value":"ana"}}`))
	if bytes.Contains(sealed, []byte("ana")) {
		t.Errorf("Seal() = %s, still open", sealed)
	}
}

// A value that a state carries from an earlier event into a new one.
func TestCarriedValue(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	first := mustSeal(t, k, place, marshal(t, employee{SignInName: domain.About("7", "ana@example.test")}))
	state := unmarshal[employee](t, privacy.Annotate(first, place))
	next := place
	next.EventID, next.Type = strings.Replace(place.EventID, "1", "2", 1), "NameChanged"
	sealed := mustSeal(t, k, next, marshal(t, employee{SignInName: domain.About("7", "ann@example.test"), Old: state.SignInName}))
	got := unmarshal[employee](t, mustOpen(t, k, next, sealed))
	want := employee{SignInName: domain.About("7", "ann@example.test"), Old: domain.About("7", "ana@example.test")}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Open() (-want +got):\n%s", d)
	}
}

func TestOpenStored(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	second := place
	second.EventID, second.Stream = strings.Replace(place.EventID, "1", "2", 1), `cust"omer-ü`
	one := mustSeal(t, k, place, marshal(t, domain.About("7", "ana")))
	two := mustSeal(t, k, second, marshal(t, []domain.Personal[string]{domain.About("8", "bo")}))
	row := fmt.Sprintf(`{"rows":[%s,%s]}`, privacy.Annotate(two, second), privacy.Annotate(one, place))
	got, err := k.OpenStored(t.Context(), []byte(row))
	want := `{"rows":[[{"$personal":{"subject":"8","value":"bo"}}],{"$personal":{"subject":"7","value":"ana"}}]}`
	if err != nil || string(got) != want {
		t.Errorf("OpenStored(%s) = %s, %v, want %s", row, got, err, want)
	}
	if again := privacy.Annotate([]byte(row), place); string(again) != row {
		t.Errorf("Annotate() of annotated values = %s, want them as they were", again)
	}
	_, err = k.OpenStored(t.Context(), one)
	wantErr(t, "OpenStored() without origin", err, privacy.ErrMalformed)
	_, err = k.OpenStored(t.Context(), bytes.ReplaceAll([]byte(row), []byte(`"stream":"admin-7"`), []byte(`"stream":"admin-8"`)))
	wantErr(t, "OpenStored() of another origin", err, privacy.ErrForged)
	if got := mustOpen(t, k, place, privacy.Annotate(one, place)); string(got) != `{"$personal":{"subject":"7","value":"ana"}}` {
		t.Errorf("Open() of an annotated value = %s", got)
	}
}

func TestReaders(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	sealed := mustSeal(t, k, place, []byte(`{"a":{"$personal":{"subject":"7","value":{"x":"ana"}}},"b":{"$erased":{"subject":"8"}},"c":"\n"}`))
	opened := mustOpen(t, k, place, sealed)
	for _, tt := range []struct {
		name      string
		got, want string
	}{
		{"Plain(opened)", string(privacy.Plain(opened)), `{"a":{"x":"ana"},"b":"[erased]","c":"\n"}`},
		{"Plain(sealed)", string(privacy.Plain(sealed)), `{"a":"[sealed]","b":"[erased]","c":"\n"}`},
		{"Plain(no JSON)", string(privacy.Plain([]byte(`{"$personal"`))), `{"$personal"`},
		{"Redact(sealed)", string(privacy.Redact(sealed, "")), `{"a":{"$sealed":true,"subject":"7"},"b":{"$erased":{"subject":"8"}},"c":"\n"}`},
		{"Redact(opened)", string(privacy.Redact(opened, "name")), `{"a":{"$sealed":true,"subject":"7","label":"name"},"b":{"$erased":{"subject":"8"}},"c":"\n"}`},
		{"Plain(Redact(opened))", string(privacy.Plain(privacy.Redact(opened, "name"))), `{"a":"[sealed]","b":"[erased]","c":"\n"}`},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestFastPathDoesNotAllocate(t *testing.T) {
	k := open(t, config(t.TempDir()))
	data := []byte(`{"role":"global-admin","amountMinor":1200,"currency":"EUR"}`)
	got := testing.AllocsPerRun(100, func() {
		for _, f := range []func(context.Context, privacy.Context, []byte) ([]byte, error){k.Seal, k.Open} {
			if out, err := f(context.Background(), place, data); err != nil || &out[0] != &data[0] {
				t.Errorf("Seal or Open(%s) = %s, %v, want the same slice", data, out, err)
			}
		}
	})
	if got > 2 { // the two method values above
		t.Errorf("allocations = %v, want none of Seal and Open", got)
	}
}
