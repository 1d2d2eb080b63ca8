package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the official Go client.
const module = "github.com/EventStore/EventStore-Client-Go/v4"

// What the edited suite looks at to find its node.
const (
	addressVariable = "KONTO_CONFORMANCE_NODE"   // its host and port
	seededVariable  = "KONTO_CONFORMANCE_SEEDED" // not empty: it has the data set's first stream
)

// replaced makes the suite use a node that is there, where it would start a
// container: the containers are made in createDatabase and stopped in Close.
var replaced = map[string]string{
	"createDatabase": `if address := os.Getenv("` + addressVariable + `"); address != "" {
		if populated && os.Getenv("` + seededVariable + `") == "" {
			return nil, nil
		}
		node := &Container{Endpoint: address}
		client := GetClient(t, node)
		WaitForAdminToBeAvailable(t, client)
		WaitForLeaderToBeElected(t, client)
		return node, client
	}`,
	"Container.Close": `if container.Container == nil {
		return
	}`,
}

// suite is where the client's tests are: a copy of its module, and two programs
// built from it.
type suite struct {
	dir               string
	unchanged, edited string
}

// build copies the client's module from the module cache and builds its tests
// in the copy, where the module's own go.sum decides what they are built with.
func build(t *testing.T) suite {
	t.Helper()
	source := struct{ Dir, Version string }{}
	if err := json.Unmarshal([]byte(command(t, ".", "go", "list", "-m", "-json", module)), &source); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %s", module, source.Version)
	s := suite{dir: filepath.Join(t.TempDir(), "client")}
	if err := os.CopyFS(s.dir, os.DirFS(source.Dir)); err != nil {
		t.Fatal(err)
	}
	if out, err := output(t, s.dir, "go", "list", "-deps", "-test", "./esdb"); err != nil {
		missing(t, "the modules of the client's tests", out)
	}
	s.unchanged, s.edited = filepath.Join(s.dir, "unchanged.test"), filepath.Join(s.dir, "edited.test")
	command(t, s.dir, "go", "test", "-c", "-o", s.unchanged, "./esdb")
	path := filepath.Join(s.dir, "esdb", "containers_test.go")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = edit(text, replaced); err != nil {
		t.Fatalf("edit %s: %v", path, err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, s.dir, "go", "test", "-c", "-o", s.edited, "./esdb")
	writeCertificates(t, filepath.Join(s.dir, "certs"))
	return s
}

// command runs a program that has to succeed, and returns what it printed.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := output(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// output runs a program in dir and returns what it printed: its output, and
// after a failure also its complaints.
func output(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	stdout, stderr, err := program(t.Context(), dir, nil, name, args...)
	if err != nil {
		stdout += stderr
	}
	return stdout, err
}

// program runs a program in dir, with more environment variables than this
// process has.
func program(ctx context.Context, dir string, env []string, name string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	return out.String(), complaints.String(), err
}

// wanted skips a test unless make conformance runs it.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("KONTO_CONFORMANCE") == "" {
		t.Skip("KONTO_CONFORMANCE is not set: make conformance runs this test")
	}
}

// missing ends a test whose tools cannot be had: in CI that is a failure.
func missing(t *testing.T, what, output string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s cannot be had:\n%s", what, output)
	}
	t.Skipf("SKIPPED, NOTHING WAS CHECKED: %s cannot be had:\n%s", what, output)
}
