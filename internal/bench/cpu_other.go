//go:build !linux

package bench

// CPU says how busy the cores were. It is only known on Linux.
type CPU struct {
	Own    float64 `json:"own"`
	Others float64 `json:"others"`
}

type meter struct{}

func (*meter) start()    {}
func (*meter) stop() CPU { return CPU{} }

func memory() float64 { return 0 }

func memoryOf(int) (now, peak float64) { return 0, 0 }

func resetMemory() {}
