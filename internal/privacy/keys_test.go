package privacy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"konto/domain"
	"konto/internal/privacy"
)

func TestRestart(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	k := open(t, c)
	data := marshal(t, domain.About("7", "ana@example.test"))
	sealed := mustSeal(t, k, place, data)
	mac, code := k.MAC("tenant-a", "card-fingerprint", "x"), k.Code("tenant-a", "v1")
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Seal(t.Context(), place, marshal(t, domain.About("9", "bo"))); !errors.Is(err, privacy.ErrClosed) {
		t.Errorf("Seal() after Close = %v, want %v", err, privacy.ErrClosed)
	}
	k = open(t, c)
	if got := mustOpen(t, k, place, sealed); !bytes.Equal(got, data) {
		t.Errorf("Open() after a restart = %s, want %s", got, data)
	}
	if got := k.MAC("tenant-a", "card-fingerprint", "x"); got != mac {
		t.Errorf("MAC() after a restart = %s, want %s", got, mac)
	}
	if got := k.Code("tenant-a", "v1"); got != code {
		t.Errorf("Code() after a restart = %s, want %s", got, code)
	}
}

func TestRootKey(t *testing.T) {
	t.Parallel()
	made := func(t *testing.T) privacy.Config {
		t.Helper()
		c := config(t.TempDir())
		if err := open(t, c).Close(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("files are the owner's", func(t *testing.T) {
		t.Parallel()
		c := config(t.TempDir())
		k := open(t, c)
		mustSeal(t, k, place, marshal(t, domain.About("7", "ana")))
		for _, path := range []string{c.Path, c.RootKeyFile, c.Path + "-wal"} {
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("Stat(%s) = %v, %v, want mode 0600", path, info, err)
			}
		}
	})
	for _, tt := range []struct {
		name   string
		change func(privacy.Config) error
		want   string
	}{
		{"others may read it", func(c privacy.Config) error { return os.Chmod(c.RootKeyFile, 0o640) }, "mode 0640"},
		{"missing", func(c privacy.Config) error { return os.Remove(c.RootKeyFile) }, "is missing"},
		{"cut", func(c privacy.Config) error { return os.Truncate(c.RootKeyFile, 20) }, "64 hex digits"},
		{"another", func(c privacy.Config) error {
			return os.WriteFile(c.RootKeyFile, []byte(strings.Repeat("0f", 32)), 0o600)
		}, "not the one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := made(t)
			if err := tt.change(c); err != nil {
				t.Fatal(err)
			}
			_, err := privacy.Open(t.Context(), c)
			if !errors.Is(err, privacy.ErrRootKey) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open() = %v, want %v with %q", err, privacy.ErrRootKey, tt.want)
			}
		})
	}
	t.Run("given", func(t *testing.T) {
		t.Parallel()
		c := config(t.TempDir())
		c.RootKeyFile, c.RootKey = "", bytes.Repeat([]byte{7}, 32)
		sealed := mustSeal(t, open(t, c), place, marshal(t, domain.About("7", "ana")))
		mustOpen(t, open(t, c), place, sealed)
		if _, err := os.Stat(filepath.Join(filepath.Dir(c.Path), "root.key")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat(root.key) = %v, want none", err)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		set  func(*privacy.Config)
		want string
	}{
		{"no path", func(c *privacy.Config) { c.Path = "" }, "Path"},
		{"no clock", func(c *privacy.Config) { c.Now = nil }, "Now"},
		{"no key", func(c *privacy.Config) { c.RootKeyFile = "" }, "RootKey"},
		{"two keys", func(c *privacy.Config) { c.RootKey = make([]byte, 32) }, "RootKey"},
		{"short key", func(c *privacy.Config) { c.RootKeyFile, c.RootKey = "", make([]byte, 16) }, "16 bytes"},
		{"cache", func(c *privacy.Config) { c.CacheSize = -1 }, "CacheSize = -1"},
	} {
		c := config("x")
		tt.set(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Validate() = %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

// Many callers at once see a subject for the first time: it has one key.
func TestFirstUseConcurrent(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	one, two := open(t, c), open(t, c) // as two processes would
	const subjects, callers = 20, 16
	sealed := make([][]byte, subjects*callers)
	var all sync.WaitGroup
	for i := range sealed {
		all.Go(func() {
			k := one
			if i%2 == 1 {
				k = two
			}
			var err error
			if sealed[i], err = k.Seal(t.Context(), place, marshal(t, domain.About(strconv.Itoa(i%subjects), "x"))); err != nil {
				t.Errorf("Seal() = %v", err)
			}
			k.MAC("tenant-a", "p", "x")
		})
	}
	all.Wait()
	fresh := open(t, c) // with no key in memory
	for _, s := range sealed {
		mustOpen(t, fresh, place, s)
	}
	if a, b := one.MAC("tenant-a", "p", "x"), two.MAC("tenant-a", "p", "x"); a != b {
		t.Errorf("MAC() = %s and %s, want one index key", a, b)
	}
}

func TestDestroy(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	k := open(t, c)
	ana := mustSeal(t, k, place, marshal(t, domain.About("7", "ana")))
	bo := mustSeal(t, k, place, marshal(t, domain.About("8", "bo")))
	stored := privacy.Annotate(ana, place)
	mustOpen(t, k, place, ana) // so that the key is in memory
	e, err := k.Destroy(t.Context(), "tenant-a", "7")
	if err != nil || fmt.Sprint(e.Versions, e.Generation) != "[1] 1" || e.Digest == [32]byte{} {
		t.Fatalf("Destroy() = %+v, %v, want version 1 of generation 1", e, err)
	}
	for range 2 {
		erased := `{"$erased":{"subject":"7"}}`
		if got := mustOpen(t, k, place, ana); string(got) != erased {
			t.Errorf("Open() = %s, want %s", got, erased)
		}
		if got, err := k.OpenStored(t.Context(), stored); err != nil || string(got) != erased {
			t.Errorf("OpenStored() = %s, %v, want %s", got, err, erased)
		}
		if got := mustSeal(t, k, place, stored); string(got) != erased {
			t.Errorf("Seal() of a carried value = %s, want %s", got, erased)
		}
		if got := mustSeal(t, k, place, []byte(erased)); string(got) != erased {
			t.Errorf("Seal() of an erased value = %s, want %s", got, erased)
		}
		_, err := k.Seal(t.Context(), place, marshal(t, domain.About("7", "ana")))
		wantErr(t, "Seal() about an erased subject", err, privacy.ErrErased)
		mustOpen(t, k, place, bo)
		if again, err := k.Destroy(t.Context(), "tenant-a", "7"); err != nil || fmt.Sprint(again) != fmt.Sprint(e) {
			t.Errorf("Destroy() again = %+v, %v, want %+v", again, err, e)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		k = open(t, c)
	}
	// Another tenant's subject of the same name is another subject.
	other := place
	other.Tenant = "tenant-b"
	mustSeal(t, k, other, marshal(t, domain.About("7", "ana")))
}

func TestDestroyBeforeFirstUse(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	for range 2 {
		if e, err := k.Destroy(t.Context(), "tenant-a", "7"); err != nil || len(e.Versions) != 0 {
			t.Errorf("Destroy() = %+v, %v, want no versions", e, err)
		}
	}
	_, err := k.Seal(t.Context(), place, marshal(t, domain.About("7", "ana")))
	wantErr(t, "Seal()", err, privacy.ErrErased)
}

// The bytes of a destroyed key are in no file any more.
func TestDestroyLeavesNoBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := open(t, config(dir))
	for i := range 50 {
		mustSeal(t, k, place, marshal(t, domain.About(strconv.Itoa(i), "x")))
	}
	wrapped := privacy.Wrapped(t, k, "tenant-a", "7")
	if !anyFileHas(t, dir, wrapped) {
		t.Fatal("the wrapped key is in no file before it is destroyed: the test looks in the wrong place")
	}
	if _, err := k.Destroy(t.Context(), "tenant-a", "7"); err != nil {
		t.Fatal(err)
	}
	if anyFileHas(t, dir, wrapped) {
		t.Error("a file still has the destroyed key")
	}
}

func anyFileHas(t *testing.T, dir string, b []byte) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, b) {
			return true
		}
	}
	return false
}

// T8: no value is sealed under a live key of a subject after Destroy returned.
func TestDestroyAmongWriters(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	for round := range 20 {
		subject := "r" + strconv.Itoa(round)
		var all sync.WaitGroup
		destroyed := make(chan struct{})
		for range 8 {
			all.Go(func() {
				for n := 0; ; n++ {
					var after bool
					select {
					case <-destroyed:
						after = true
					default:
					}
					_, err := k.Seal(t.Context(), place, marshal(t, domain.About(subject, "x")))
					switch {
					case after && !errors.Is(err, privacy.ErrErased):
						t.Errorf("Seal() after Destroy = %v, want %v", err, privacy.ErrErased)
						return
					case err != nil && !errors.Is(err, privacy.ErrErased):
						t.Errorf("Seal() = %v", err)
						return
					case after:
						return
					}
				}
			})
		}
		if _, err := k.Destroy(t.Context(), "tenant-a", subject); err != nil {
			t.Error(err)
		}
		close(destroyed)
		all.Wait()
	}
}

// Another process with the same file learns of a destroyed key within a minute.
func TestDestroyedElsewhere(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	now := time.Now()
	c.Now = func() time.Time { return now }
	here, elsewhere := open(t, c), open(t, c)
	sealed := mustSeal(t, here, place, marshal(t, domain.About("7", "ana")))
	if _, err := elsewhere.Destroy(t.Context(), "tenant-a", "7"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if got := mustOpen(t, here, place, sealed); string(got) != `{"$erased":{"subject":"7"}}` {
		t.Errorf("Open() a minute later = %s, want it erased", got)
	}
}

func TestMACAndCode(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	a, err := k.Tenant(t.Context(), "tenant-a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Tenant(t.Context(), "tenant-b")
	if err != nil {
		t.Fatal(err)
	}
	macs := []string{a.MAC("p", "x"), a.MAC("p", "y"), a.MAC("q", "x"), b.MAC("p", "x"), a.MAC("", "px")}
	seen := make(map[string]bool)
	for _, m := range macs {
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(m) || seen[m] {
			t.Errorf("MAC() = %s, want 32 hex digits of its own", m)
		}
		seen[m] = true
	}
	if got := k.MAC("tenant-a", "p", "x"); got != macs[0] {
		t.Errorf("MAC() = %s, want %s", got, macs[0])
	}
	if got := k.Code("tenant-a", "v"); got != a.Code("v") || !regexp.MustCompile(`^\d{6}$`).MatchString(got) {
		t.Errorf("Code() = %s, want 6 digits and %s", got, a.Code("v"))
	}
	// Uniform enough: chi-squared over the first digit, 9 degrees of freedom,
	// is above 40 once in 100,000 runs.
	const n = 20_000
	var count [10]float64
	for i := range n {
		count[a.Code(strconv.Itoa(i))[0]-'0']++
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - n/10) * (c - n/10) / (n / 10)
	}
	if chi > 40 {
		t.Errorf("chi-squared of first digits = %.1f, want under 40", chi)
	}
	if _, err := k.Tenant(t.Context(), ""); !errors.Is(err, privacy.ErrMalformed) {
		t.Errorf("Tenant(\"\") = %v, want %v", err, privacy.ErrMalformed)
	}
}

// And at once when it is told, however full its memory is.
func TestToldThatItWasDestroyedElsewhere(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	now := time.Now()
	c.Now = func() time.Time { return now }
	for name, tell := range map[string]func(*privacy.Keys){
		"N4: of one person": func(k *privacy.Keys) { k.Forget("tenant-a", "7") },
		"N4: of everything": func(k *privacy.Keys) { k.ForgetAll() },
	} {
		dir := t.TempDir()
		c.Path, c.RootKeyFile = filepath.Join(dir, "keys.db"), filepath.Join(dir, "root.key")
		here, elsewhere := open(t, c), open(t, c)
		sealed := mustSeal(t, here, place, marshal(t, domain.About("7", "ana")))
		other := mustSeal(t, here, place, marshal(t, domain.About("8", "bo")))
		if _, err := elsewhere.Destroy(t.Context(), "tenant-a", "7"); err != nil {
			t.Fatal(err)
		}
		here.Forget("tenant-b", "7")
		here.Forget("tenant-a", "8")
		if got := mustOpen(t, here, place, sealed); !bytes.Contains(got, []byte("ana")) {
			t.Errorf("%s: Open() before it is told = %s, want what it remembers", name, got)
		}
		tell(here)
		if got := mustOpen(t, here, place, sealed); string(got) != `{"$erased":{"subject":"7"}}` {
			t.Errorf("%s: Open() = %s, want it erased", name, got)
		}
		if got := mustOpen(t, here, place, other); !bytes.Contains(got, []byte("bo")) {
			t.Errorf("%s: Open() of another person = %s, want it read", name, got)
		}
	}
}
