package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// nodeProcess is a node in a process of its own.
type nodeProcess struct {
	cmd   *exec.Cmd
	addr  string
	took  time.Duration // until it served
	ended chan error
}

// processLimit bounds how long a node may take to begin and to end.
const processLimit = time.Minute

// startNode starts a node and waits until it serves.
func (s *storeBench) startNode(ctx context.Context, dir string) (_ *nodeProcess, err error) {
	args := append(s.Serve[1:len(s.Serve):len(s.Serve)], dir)
	n := &nodeProcess{cmd: exec.CommandContext(ctx, s.Serve[0], args...), ended: make(chan error, 1)} //nolint:gosec // the caller's own program
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := s.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	printed := make(chan string, 1)
	go func() {
		address := regexp.MustCompile(`127\.0\.0\.1:\d+`)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if found := address.FindString(lines.Text()); found != "" {
				select {
				case printed <- found:
				default:
				}
			}
		}
		n.ended <- n.cmd.Wait()
	}()
	limit := time.NewTimer(processLimit)
	defer limit.Stop()
	select {
	case n.addr = <-printed:
		n.took = s.Now().Sub(began)
		return n, nil
	case err := <-n.ended:
		return nil, fmt.Errorf("the node ended before it served: %w", err)
	case <-limit.C:
		return nil, errors.Join(errors.New("the node does not serve"), n.cmd.Process.Kill())
	}
}

// stop ends the node in good order.
func (n *nodeProcess) stop() error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	limit := time.NewTimer(processLimit)
	defer limit.Stop()
	select {
	case err := <-n.ended:
		return err
	case <-limit.C:
		return errors.Join(errors.New("the node does not end"), n.cmd.Process.Kill())
	}
}
