//go:build unix

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// runner is who PostgreSQL runs as: it refuses to run as root. The zero value
// is this process's own.
type runner struct {
	other bool
	uid   uint32
	gid   uint32
}

func postgresRunner() (runner, error) {
	if os.Geteuid() != 0 {
		return runner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return runner{true, uint32(uid), uint32(gid)}, nil
		}
	}
	return runner{}, fmt.Errorf("%w: PostgreSQL does not run as root, and there is no user postgres or nobody", errLeftOut)
}

// own gives a file to the runner.
func (r runner) own(path string) error {
	if !r.other {
		return nil
	}
	return os.Chown(path, int(r.uid), int(r.gid))
}

// run makes a program that has not been started run as the runner, in dir, in
// a process group of its own: a signal from the terminal is not for it.
func (r runner) run(cmd *exec.Cmd, dir string) {
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if r.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: r.uid, Gid: r.gid}
	}
}
