// Package testclock is a clock that can be moved forward by hand: what
// `konto dev --clock` runs on, so that ninety days of deadlines pass in a
// second.
//
// It goes at the pace of the real clock from where it was put, never backward,
// and its file remembers how far it is from the real one: data that was made
// under it stays in its past, also after a crash.
//
// Only what asks it for the time follows it. Time limits of the program's own
// work, such as how long a request may take, are real time.
package testclock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Clock is a clock that can be moved. It is safe for concurrent use.
type Clock struct {
	file string
	real func() time.Time

	mu     sync.Mutex
	offset time.Duration // from the real clock
}

// ErrBackward says that a clock was asked to go back.
var ErrBackward = errors.New("a clock does not go back")

// kept is what the file holds.
type kept struct {
	Offset time.Duration `json:"offsetNanoseconds"` // from the real clock
}

// Open returns the clock kept in file, which begins at start if there is none.
// A clock that is there and stands before start goes on from start.
func Open(file string, start time.Time, real func() time.Time) (*Clock, error) {
	c := &Clock{file: file, real: real}
	c.offset = start.Sub(real())
	k, err := read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("test clock: %w", err)
	default:
		c.offset = max(c.offset, k.Offset)
	}
	return c, c.keep()
}

// Kept reports whether there is a clock in file.
func Kept(file string) bool {
	_, err := read(file)
	return !errors.Is(err, fs.ErrNotExist)
}

func read(file string) (k kept, err error) {
	b, err := os.ReadFile(file) //nolint:gosec // in the data directory
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	return k, err
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.offset)
}

// Set moves the clock to t. A t that has passed is an [ErrBackward].
func (c *Clock) Set(t time.Time) error {
	c.mu.Lock()
	ahead := t.Sub(c.real().Add(c.offset))
	c.offset += max(0, ahead)
	c.mu.Unlock()
	if ahead < 0 {
		return fmt.Errorf("%w: %s was %s ago", ErrBackward, t.UTC().Format(time.RFC3339), (-ahead).Truncate(time.Second))
	}
	return c.keep()
}

func (c *Clock) keep() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := json.Marshal(kept{c.offset})
	if err == nil {
		err = os.WriteFile(c.file, append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("test clock: %w", err)
	}
	return nil
}
