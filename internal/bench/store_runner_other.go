//go:build !unix

package bench

import (
	"fmt"
	"os/exec"
)

// runner is who PostgreSQL runs as.
type runner struct{}

func postgresRunner() (runner, error) {
	return runner{}, fmt.Errorf("%w: PostgreSQL is only started on Unix", errLeftOut)
}

func (runner) own(string) error      { return nil }
func (runner) run(*exec.Cmd, string) {}
