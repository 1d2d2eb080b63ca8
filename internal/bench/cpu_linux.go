package bench

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// CPU says how busy the cores were, in cores: 2 is all of a machine with two.
type CPU struct {
	Own    float64 `json:"own"`    // this process, load included
	Others float64 `json:"others"` // all other processes
}

// meter measures from start to stop. Its zero value has not started.
type meter struct {
	mu         sync.Mutex
	started    bool
	own, total time.Duration
	idle       time.Duration
}

func (m *meter) start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.started = true
	m.own = ownTime()
	m.total, m.idle = allTime()
}

func (m *meter) stop() CPU {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.started {
		return CPU{}
	}
	own := ownTime() - m.own
	total, idle := allTime()
	total, idle = total-m.total, idle-m.idle
	if total <= 0 {
		return CPU{}
	}
	wall := total.Seconds() / float64(runtime.NumCPU())
	return CPU{Own: round(own.Seconds() / wall), Others: round(max(0, (total-idle-own).Seconds()/wall))}
}

func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allTime returns the time of all cores, and how much of it was idle; see
// proc_stat(5). Its unit is a hundredth of a second.
func allTime() (total, idle time.Duration) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	for i, f := range bytes.Fields(line)[1:] {
		n, _ := strconv.ParseInt(string(f), 10, 64)
		d := time.Duration(n) * 10 * time.Millisecond
		if i >= 8 {
			break // guest time is part of user time
		}
		if total += d; i == 3 || i == 4 {
			idle += d
		}
	}
	return total, idle
}

// memory returns the largest resident size since resetMemory, in MB (10^6 bytes).
func memory() float64 {
	_, peak := memoryOf(os.Getpid())
	return peak
}

// memoryOf returns the resident size of a process and the largest it has had,
// in MB (10^6 bytes).
func memoryOf(pid int) (now, peak float64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(string(fields[1]), 64)
		switch string(fields[0]) {
		case "VmRSS:":
			now = round(kb * 1024 / 1e6)
		case "VmHWM:":
			peak = round(kb * 1024 / 1e6)
		}
	}
	return now, peak
}

// resetMemory forgets the largest resident size so far; see proc(5).
func resetMemory() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // without it the figure is only larger
}
