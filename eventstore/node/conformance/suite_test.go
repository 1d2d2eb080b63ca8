package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// fixed is the address that the unchanged suite dials.
const fixed = "localhost:2113"

// run is one of the suite's top-level tests, or a part of it, against one node.
type run struct {
	set     string
	test    string // -test.run
	skip    string // -test.skip
	edited  bool   // the suite is told where the node is
	plain   bool   // without TLS and users
	seeded  bool   // the node has the data set's first stream
	passed  int    // tests that have to pass
	skipped int    // tests that have to skip themselves
}

// runs are what the suite can ask of one node without projections. The counts
// are those of v4.2.0. Left out are tests that need a cluster, commercial
// plugins, projections or positions of the vendor's data set.
var runs = []run{
	{set: "streams", test: `^TestStreams$`, skip: `^TestStreams$/^ClusterTests$`, passed: 12, skipped: 8},
	{set: "persistent subscriptions", test: `^TestPersistentSubscriptions$`, passed: 35, skipped: 1},
	{set: "no authentication", test: `^TestStreams$/^AuthenticationTests$`, edited: true, plain: true, passed: 2},
	{
		set: "authentication", edited: true, passed: 12,
		test: `^TestStreams$/^AuthenticationTests$|^TestStreams$/^TLSTests$|^TestStreams$/^AppendTests$/^appendToSystemStreamWithIncorrectCredentials$`,
	},
	{
		set: "seeded streams", edited: true, seeded: true, passed: 4,
		test: `^TestStreams$/^SubscriptionTests$/^(streamSubscriptionDeliversAllEventsInStreamAndListensForNewEvents|connectionClosing|subscriptionAllWithCredentialsOverride|subscriptionToStreamCaughtUpMessage)$`,
	},
	{
		set: "seeded persistent subscriptions", edited: true, seeded: true, passed: 1,
		test: `^TestPersistentSubscriptions$/^PersistentSubTests$/^testPersistentSubscriptionClosing$`,
	},
	{set: "streams in plain text", test: `^TestStreams$`, skip: `^TestStreams$/^AuthenticationTests$`, edited: true, plain: true, passed: 11, skipped: 9},
	{set: "persistent subscriptions in plain text", test: `^TestPersistentSubscriptions$`, edited: true, plain: true, passed: 35, skipped: 1},
}

// TestOfficialClient runs the Go client's own tests.
func TestOfficialClient(t *testing.T) {
	wanted(t)
	s := build(t)
	var table table
	t.Cleanup(func() { t.Log(table.String()) }) // after the subtests, which run beside each other
	t.Run("unchanged", func(t *testing.T) {
		t.Parallel()
		for _, r := range runs {
			if !r.edited {
				t.Run(r.set, func(t *testing.T) { s.run(t, r, &table) })
			}
		}
	})
	for _, r := range runs {
		if r.edited {
			t.Run(r.set, func(t *testing.T) {
				t.Parallel()
				s.run(t, r, &table)
			})
		}
	}
}

// run runs r against a node of its own and checks that everything ran and passed.
func (s suite) run(t *testing.T, r run, results *table) {
	t.Helper()
	address := "localhost:0"
	if !r.edited {
		address = fixed
	}
	certs := filepath.Join(s.dir, "certs")
	n := startNode(t, address, certs, r.plain)
	if r.seeded {
		seed(t, n)
	}
	path, env := s.unchanged, []string{"CLUSTER=true", "EVENTSTORE_INSECURE=false"}
	if r.edited {
		path, env = s.edited, []string{"CLUSTER=false", fmt.Sprintf("EVENTSTORE_INSECURE=%t", r.plain), addressVariable + "=" + n.address}
	}
	if r.seeded {
		env = append(env, seededVariable+"=1")
	}
	args := []string{"-test.v=test2json", "-test.timeout=3m", "-test.run=" + r.test}
	if r.skip != "" {
		args = append(args, "-test.skip="+r.skip)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	began := time.Now()
	out, log, err := program(ctx, filepath.Join(s.dir, "esdb"), env, path, args...)
	o := outcomes(out)
	results.add(r, o, time.Since(began))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if len(o.failed) == 0 && err != nil {
		out += log // it ended before it could say why
	}
	if err != nil || len(o.failed) > 0 || len(o.passed) != r.passed || len(o.skipped) != r.skipped {
		t.Errorf("%s: %d passed, %d failed, %d skipped, ended with %v; want %d, 0, %d, <nil>\nfailed:  %s\nskipped: %s\n%s", r.set,
			len(o.passed), len(o.failed), len(o.skipped), err, r.passed, r.skipped,
			strings.Join(o.failed, "\n         "), strings.Join(o.skipped, "\n         "), out)
	}
}

// table collects how the runs ended.
type table struct {
	mu   sync.Mutex
	rows map[string]row // by set
}

type row struct {
	outcome
	took time.Duration
}

func (t *table) add(r run, o outcome, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]row{}
	}
	t.rows[r.set] = row{o, took}
}

// String is the table in the order of runs. A run that did not come to its
// tests has none.
func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := []byte("passed\tof\tfailed\tskipped\tseconds\t  set\n")
	var passed, of int
	for _, r := range runs {
		got := t.rows[r.set]
		text = fmt.Appendf(text, "%d\t%d\t%d\t%d\t%.0f\t  %s\n",
			len(got.passed), r.passed, len(got.failed), len(got.skipped), got.took.Seconds(), r.set)
		passed, of = passed+len(got.passed), of+r.passed
	}
	text = fmt.Appendf(text, "%d\t%d\t\t\t\t  together\n", passed, of)
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = w.Write(text) // a buffer takes everything
	_ = w.Flush()
	return "official Go client\n" + out.String()
}
