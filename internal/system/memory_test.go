package system

import (
	"runtime"
	"testing"
)

func TestGarbage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		live, pointers uint64
		want           int
	}{
		{0, 0, 400},
		{10 << 20, 10 << 20, 400},
		{16 << 20, 0, 400},
		{32 << 20, 32 << 20, 200},
		{64 << 20, 64 << 20, 100},
		{128 << 20, 30 << 20, 50}, // most of it blocks
		{256 << 20, 128 << 20, 50},
		{1 << 34, 1 << 34, 100},
		{1 << 34, 1 << 35, 100}, // the two were not read in the same instant
		{1 << 40, 0, 1},
	} {
		if got := garbage(test.live, test.pointers); got != test.want {
			t.Errorf("garbage(%d, %d) = %d, want %d", test.live, test.pointers, got, test.want)
		}
	}
}

func TestCollected(t *testing.T) {
	t.Parallel()
	done := collected()
	runtime.GC()
	<-done
}
