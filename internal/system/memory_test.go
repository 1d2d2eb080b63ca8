package system

import "testing"

func TestGarbage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		live uint64
		want int
	}{{0, 400}, {10 << 20, 400}, {16 << 20, 400}, {32 << 20, 200}, {64 << 20, 100}, {1 << 34, 100}} {
		if got := garbage(test.live); got != test.want {
			t.Errorf("garbage(%d) = %d, want %d", test.live, got, test.want)
		}
	}
}
