package privacy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"konto/domain"
	"konto/internal/privacy"
)

func TestRotate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := open(t, config(dir))
	if r, err := k.Rotate(t.Context(), "tenant-a"); err != nil || r.Generation != 0 {
		t.Errorf("Rotate() without keys = %+v, %v, want nothing", r, err)
	}
	const subjects = 1200 // more than two batches
	sealed := make([][]byte, subjects)
	for i := range sealed {
		sealed[i] = mustSeal(t, k, place, marshal(t, domain.About(fmt.Sprint("s", i), "x")))
	}
	other := place
	other.Tenant = "tenant-b"
	theirs := mustSeal(t, k, other, marshal(t, domain.About("7", "bo")))
	mac := k.MAC("tenant-a", "p", "x")
	if _, err := k.Destroy(t.Context(), "tenant-a", "s0"); err != nil {
		t.Fatal(err)
	}
	wrapped := privacy.Wrapped(t, k, "tenant-a", "s1")

	r, err := k.Rotate(t.Context(), "tenant-a")
	if want := (privacy.Rotation{Generation: 2, Destroyed: []int64{1}, Rewrapped: subjects - 1}); err != nil || fmt.Sprint(r) != fmt.Sprint(want) {
		t.Errorf("Rotate() = %+v, %v, want %+v", r, err, want)
	}
	if anyFileHas(t, dir, wrapped) {
		t.Error("a file still has a key wrapped under the old generation")
	}
	if r, err = k.Rotate(t.Context(), "tenant-a"); err != nil || r.Generation != 3 {
		t.Errorf("Rotate() = %+v, %v, want generation 3", r, err)
	}
	fresh := open(t, config(dir))
	for _, k := range []*privacy.Keys{k, fresh} {
		for i, s := range sealed {
			want := fmt.Sprintf(`{"$personal":{"subject":"s%d","value":"x"}}`, i)
			if i == 0 {
				want = `{"$erased":{"subject":"s0"}}`
			}
			if got := mustOpen(t, k, place, s); string(got) != want {
				t.Fatalf("Open() = %s, want %s", got, want)
			}
		}
		mustOpen(t, k, other, theirs)
		if got := k.MAC("tenant-a", "p", "x"); got != mac {
			t.Errorf("MAC() = %s, want %s", got, mac)
		}
		mustSeal(t, k, place, marshal(t, domain.About("s1", "y")))
	}
}

// rotateInChild is this test binary as a process to be killed: it rotates
// until then.
func rotateInChild() bool {
	dir := os.Getenv("KONTO_TEST_ROTATE")
	if dir == "" {
		return false
	}
	k, err := privacy.Open(context.Background(), config(dir))
	for err == nil {
		_, err = k.Rotate(context.Background(), "tenant-a")
		_, _ = os.Stdout.WriteString("x")
	}
	panic(err)
}

// T10: a rotation killed at any step loses no key, and the next one finishes it.
func TestRotateKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := open(t, config(dir))
	const subjects = 1100
	sealed := make([][]byte, subjects)
	for i := range sealed {
		sealed[i] = mustSeal(t, k, place, marshal(t, domain.About(fmt.Sprint("s", i), "x")))
	}
	mac := k.MAC("tenant-a", "p", "x")
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "KONTO_TEST_ROTATE="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // one rotation is done
			t.Fatal(err)
		}
		wait := time.NewTimer(time.Duration(rand.IntN(30_000)) * time.Microsecond)
		<-wait.C
		_ = child.Process.Kill()
		_ = child.Wait()

		k := open(t, config(dir))
		for i := 0; i < subjects; i += 50 {
			mustOpen(t, k, place, sealed[i])
		}
		r, err := k.Rotate(t.Context(), "tenant-a")
		if err != nil || len(r.Destroyed) == 0 {
			t.Fatalf("Rotate() after a kill = %+v, %v", r, err)
		}
		if n := privacy.LiveGenerations(t, k, "tenant-a"); n != 1 {
			t.Errorf("live generations = %d, want 1", n)
		}
		if got := k.MAC("tenant-a", "p", "x"); got != mac {
			t.Errorf("MAC() = %s, want %s", got, mac)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	k = open(t, config(dir))
	for _, s := range sealed {
		mustOpen(t, k, place, s)
	}
}
