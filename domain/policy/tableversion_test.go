package policy_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"konto/domain/policy"
)

var update = flag.Bool("update", false, "write what a new version of the authorization table says; what is there is never changed")

// written is a table as auditors read it, a line for each row.
func written(t policy.Rules) string {
	var b strings.Builder
	for _, row := range t.Commands {
		fmt.Fprintf(&b, "%s/%s by %s", row.Category, row.Command, row.Rule)
		if row.Creates {
			b.WriteString(", creates")
		}
		for _, g := range row.Grants {
			fmt.Fprintf(&b, "; %s", g)
		}
		if row.If != nil {
			fmt.Fprintf(&b, "; if %s", row.If.Says)
		}
		if row.Body != "" {
			fmt.Fprintf(&b, "; the command's own rule: %s", row.Body)
		}
		b.WriteByte('\n')
	}
	for _, r := range t.Readers {
		fmt.Fprintf(&b, "read by %s, %s: %s; personal values of %s", r.Grant, cmp.Or(string(r.Extent), "all"), strings.Join(r.Categories, " "), strings.Join(r.Personal, " "))
		if r.Messages != nil {
			fmt.Fprintf(&b, "; of messages %s", strings.Join(r.Messages, " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestTableVersion fails if the authorization table says something else than it
// did when its version was made: decisions and refusals name the version, so
// it must stand for one table.
func TestTableVersion(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "authorization", fmt.Sprintf("v%d.golden", policy.Table.Version))
	want, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(written(policy.Table)), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v: write it with go test ./domain/policy -run TestTableVersion -update", err)
	}
	if diff := gocmp.Diff(string(want), written(policy.Table)); diff != "" {
		t.Errorf("the table differs from its version %d: raise Version in table.go, then go test ./domain/policy -run TestTableVersion -update (-then +now):\n%s",
			policy.Table.Version, diff)
	}
	later := filepath.Join("testdata", "authorization", fmt.Sprintf("v%d.golden", policy.Table.Version+1))
	if _, err := os.Stat(later); err == nil {
		t.Errorf("there was a version %d already", policy.Table.Version+1)
	}
}
