// Package bench measures a whole Konto on the machine at hand, beside what the
// machine itself can do: `konto bench`.
//
// # What is measured
//
// Everything real: the system that [konto/internal/system] starts, over HTTP
// on loopback, with access tokens, sealed personal values and synced appends,
// in a temporary directory on the disk under test. The load is in the same
// process and on the same cores: requests are made beforehand, connections
// stay open, and of an answer only the status, the length and the position are
// read, so that what is measured is the server.
//
// Accounts are made for the measurement, all alike and as many as it takes:
// simulated companies are livelier, but a year of one takes two seconds. Whoever
// wants to know what believable histories cost makes some first and names them.
//
// # What stands beside it
//
// A figure by itself says more about the machine than about the program. So
// each cell of commands is followed by the same load on a bare net/http server
// that decodes the same body and answers as many bytes, and appends stand
// beside one writer that syncs a file. Ratios hold on a busy machine where
// absolute figures do not; how busy others kept it is in the report.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// Config says what to measure. Now and Start must be set.
type Config struct {
	// Dir is where temporary directories are made: the disk that is measured.
	// Empty means the system's.
	Dir      string
	Duration time.Duration // of a cell; 0 means 3 s
	Callers  []int         // closed loops at the same time; none means 1, 16, 64, 256
	Only     []Section     // none means all
	Accounts int           // that commands go to; 0 means 2048
	Events   int           // of the history that is rebuilt; 0 means 200,000
	// History is a data directory such as konto simulate makes. Its longest
	// account is replayed and its read models are rebuilt, instead of those that
	// are made for it. It is only read from, and no Konto may run on it.
	History string
	Now     func() time.Time
	// Progress is told what begins, and how much of the whole is done; nil for
	// nobody.
	Progress func(step string, done, total int)
	// Start is how a whole system is started: [system.Start].
	Start StartSystem
}

// Section is a part of the report.
type Section string

// The sections.
const (
	Commands Section = "commands"
	Engine   Section = "engine"
	Idle     Section = "idle"
	Replay   Section = "replay"
	Rebuild  Section = "rebuild"
)

// Sections are all sections, in the order in which they run.
func Sections() []Section { return []Section{Commands, Idle, Engine, Replay, Rebuild} }

// Report is what was measured. Sections that were not asked for are nil.
type Report struct {
	Machine  Machine        `json:"machine"`
	Commands *CommandReport `json:"commands,omitempty"`
	Idle     *IdleReport    `json:"idle,omitempty"`
	Engine   *EngineReport  `json:"engine,omitempty"`
	Replay   *ReplayReport  `json:"replay,omitempty"`
	Rebuild  *RebuildReport `json:"rebuild,omitempty"`
}

// Machine is what it was measured on.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
}

// Run measures. It blocks for about half a minute per section and removes what
// it made, also when ctx ends.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.complete(); err != nil {
		return Report{}, err
	}
	b := &bench{Config: cfg}
	report := Report{Machine: Machine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()}}
	sections := map[Section]func(context.Context, string) error{
		Commands: func(ctx context.Context, dir string) (err error) {
			report.Commands, err = b.commands(ctx, dir)
			return err
		},
		Idle:   func(ctx context.Context, dir string) (err error) { report.Idle, err = b.idle(ctx, dir); return err },
		Engine: func(ctx context.Context, dir string) (err error) { report.Engine, err = b.engine(ctx, dir); return err },
		Replay: func(ctx context.Context, dir string) (err error) { report.Replay, err = b.replay(ctx, dir); return err },
		Rebuild: func(ctx context.Context, dir string) (err error) {
			report.Rebuild, err = b.rebuild(ctx, dir)
			return err
		},
	}
	for _, s := range Sections() {
		if !slices.Contains(cfg.Only, s) {
			continue
		}
		if err := b.within(ctx, s, sections[s]); err != nil {
			return report, fmt.Errorf("%s: %w", s, err)
		}
	}
	return report, nil
}

func (c *Config) complete() error {
	if c.Now == nil || c.Start == nil {
		return errors.New("bench: Now or Start is missing")
	}
	if c.Duration == 0 {
		c.Duration = 3 * time.Second
	}
	if len(c.Callers) == 0 {
		c.Callers = []int{1, 16, 64, 256}
	}
	if len(c.Only) == 0 {
		c.Only = Sections()
	}
	if c.Accounts == 0 {
		c.Accounts = 2048
	}
	if c.Events == 0 {
		c.Events = 200_000
	}
	for _, n := range c.Callers {
		if n < 1 || n > c.Accounts {
			return fmt.Errorf("bench: %d callers: want 1 to %d, the number of accounts", n, c.Accounts)
		}
	}
	for _, s := range c.Only {
		if !slices.Contains(Sections(), s) {
			return fmt.Errorf("bench: there is no section %q: want %v", s, Sections())
		}
	}
	return nil
}

// bench is one run.
type bench struct {
	Config
	done int // steps
}

// within runs a section in a directory of its own.
func (b *bench) within(ctx context.Context, s Section, run func(context.Context, string) error) error {
	dir, err := os.MkdirTemp(b.Dir, "konto-bench-"+string(s)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return run(ctx, dir)
}

// step tells that something begins.
func (b *bench) step(format string, args ...any) {
	if b.Progress != nil {
		b.Progress(fmt.Sprintf(format, args...), b.done, b.steps())
	}
	b.done++
}

// steps is how many steps there will be.
func (b *bench) steps() int {
	n := 0
	for _, s := range b.Only {
		switch s {
		case Commands:
			n += 2 + 4*len(b.Callers)
		case Engine:
			n += 3 + len(b.Callers)
		case Idle, Replay, Rebuild:
			n += 2
		}
	}
	return n
}

// pause waits and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
