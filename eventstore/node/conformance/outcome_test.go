package conformance_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outcome says how the tests of one run ended, by the names of those that have
// no subtests.
type outcome struct{ passed, failed, skipped []string }

// result is how a test program reports a test. The program marks these lines
// with 0x16 when it runs with -test.v=test2json, so that what a test prints
// cannot be mistaken for one.
var result = regexp.MustCompile(`\x16 *--- (PASS|FAIL|SKIP): (.+) \([0-9.]+s\)`)

// outcomes reads what a test program printed.
func outcomes(output string) outcome {
	matches := result.FindAllStringSubmatch(output, -1)
	parents := map[string]bool{}
	for _, m := range matches {
		for name := m[2]; ; {
			i := strings.LastIndexByte(name, '/')
			if i < 0 {
				break
			}
			name = name[:i]
			parents[name] = true
		}
	}
	var o outcome
	for _, m := range matches {
		switch name := m[2]; {
		case parents[name]:
		case m[1] == "PASS":
			o.passed = append(o.passed, name)
		case m[1] == "FAIL":
			o.failed = append(o.failed, name)
		default:
			o.skipped = append(o.skipped, name)
		}
	}
	return o
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, output string
		want         outcome
	}{
		{"nothing", "testing: warning: no tests to run\n\x16PASS\n", outcome{}},
		{"a tree", "\x16=== RUN   A\n\x16--- FAIL: A (0.10s)\n    \x16--- FAIL: A/b (0.00s)\n        \x16--- PASS: A/b/c (0.00s)\n        \x16--- FAIL: A/b/d_( (1.00s)\n    \x16--- SKIP: A/e (0.00s)\n", outcome{[]string{"A/b/c"}, []string{"A/b/d_("}, []string{"A/e"}}},
		{"a lookalike", "--- PASS: A (0.00s)\n", outcome{}},
		{"after other text", "text\x16--- PASS: A (0.00s)\n", outcome{passed: []string{"A"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := outcomes(tt.output)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcomes(%q): -want +got\n%s", tt.output, diff)
			}
		})
	}
}
