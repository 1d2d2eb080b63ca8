package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for anything before it fails: longer than
// the race detector takes to make a company's year.
const patience = 3 * time.Minute

// processes is the key of a script's processes by name.
type processes struct{}

// process is a server that a script started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	out  *lines
}

// kill ends p if it still runs, and waits.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// lines is what a process has printed, and its first line that matches.
type lines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	want  *regexp.Regexp
	first chan []string // the submatches of the first match; buffered
	once  sync.Once
}

func (l *lines) read(r io.Reader, done *sync.WaitGroup) {
	defer done.Done()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		l.mu.Lock()
		l.text.WriteString(s.Text() + "\n")
		l.mu.Unlock()
		if m := l.want.FindStringSubmatch(s.Text()); m != nil {
			l.once.Do(func() { l.first <- m })
		}
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start runs a program until the script ends. It returns when the program has
// printed its address, to which it sets $URL, or a line that -for matches:
//
//	start [-for REGEXP] NAME konto dev ...
func start(ts *testscript.TestScript, neg bool, args []string) {
	want := `(http://127\.0\.0\.1:\d+)`
	if len(args) > 1 && args[0] == "-for" {
		want, args = args[1], args[2:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start [-for REGEXP] NAME PROGRAM [ARG...]")
	}
	all := ts.Value(processes{}).(map[string]*process)
	if old := all[args[0]]; old != nil {
		select {
		case <-old.done:
		default:
			ts.Fatalf("%s is already running", args[0])
		}
	}
	path, err := lookPath(ts, args[1])
	ts.Check(err)
	command := onNode(ts, args[1:])
	p := &process{
		cmd: exec.Command(path, command[1:]...), done: make(chan struct{}),
		out: &lines{want: regexp.MustCompile(want), first: make(chan []string, 1)},
	}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environ(ts)
	stdout, err := p.cmd.StdoutPipe()
	ts.Check(err)
	stderr, err := p.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	var readers sync.WaitGroup
	readers.Add(2)
	go p.out.read(stdout, &readers)
	go p.out.read(stderr, &readers)
	go func() {
		readers.Wait()
		_ = p.cmd.Wait() // ended looks at the state
		close(p.done)
	}()
	all[args[0]] = p
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case m := <-p.out.first:
		if len(m) == 2 {
			ts.Setenv("URL", m[1])
			ts.Setenv("ADDR", strings.TrimPrefix(m[1], "http://"))
		}
	case <-p.done:
		ts.Fatalf("%s ended before it was ready:\n%s", args[0], p.out)
	case <-timeout.C:
		ts.Fatalf("%s is not ready after %s:\n%s", args[0], patience, p.out)
	}
}

// lookPath finds a program on the script's PATH.
func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		path := dir + string(os.PathSeparator) + name
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s", name)
}

// environ is the script's environment: what konto and the shell look at.
func environ(ts *testscript.TestScript) []string {
	env := []string{}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "NO_COLOR", "GORACE"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	for _, name := range append(settings(), "url", "token-file") {
		for _, v := range []string{variable(name), variable(name + "-file")} {
			if ts.Getenv(v) != "" {
				env = append(env, v+"="+ts.Getenv(v))
			}
		}
	}
	return env
}

func named(ts *testscript.TestScript, name string) *process {
	p := ts.Value(processes{}).(map[string]*process)[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

// sendSignal sends a signal to a server:
//
//	signal NAME INT|TERM|KILL
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	if neg || len(args) != 2 || signals[args[1]] == 0 {
		ts.Fatalf("usage: signal NAME INT|TERM|KILL")
	}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

// ended waits until a server has ended and checks its exit code; -1 is an end
// by a signal. What it printed is in stdout:
//
//	ended NAME CODE
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME CODE")
	}
	p := named(ts, args[0])
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-p.done:
	case <-timeout.C:
		ts.Fatalf("%s still runs after %s:\n%s", args[0], patience, p.out)
	}
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s ended with %s, want %s:\n%s", args[0], got, args[1], p.out)
	}
	_, _ = io.WriteString(ts.Stdout(), p.out.String())
}

// suggests runs the commands that a process has printed to try, and fails
// unless there are so many and all of them work:
//
//	suggests NAME COUNT
func suggests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: suggests NAME COUNT")
	}
	_, after, _ := strings.Cut(named(ts, args[0]).out.String(), "Try, in another terminal\n")
	tried := 0
	for line := range strings.Lines(after) {
		command := strings.TrimSpace(line)
		if command == "" {
			break
		}
		ts.Check(ts.Exec("sh", "-c", command))
		tried++
	}
	if strconv.Itoa(tried) != args[1] {
		ts.Fatalf("%s suggests %d commands, want %s", args[0], tried, args[1])
	}
}

// exits runs a program and checks its exit code:
//
//	exits CODE PROGRAM [ARG...]
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s exits with %d, want %s\n%s%s", strings.Join(args[1:], " "), got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}
