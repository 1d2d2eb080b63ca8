package system

import "testing"

func TestGarbage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		live uint64
		want int
	}{{0, 400}, {10 << 20, 400}, {24 << 20, 400}, {48 << 20, 200}, {96 << 20, 100}, {1 << 34, 100}} {
		if got := garbage(test.live); got != test.want {
			t.Errorf("garbage(%d) = %d, want %d", test.live, got, test.want)
		}
	}
}
