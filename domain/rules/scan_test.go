package rules_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"konto/domain/rules"
)

var update = flag.Bool("update", false, "renew tests.json from the tests that there are")

const root = "../.."

var (
	// rowName is a row's name that begins with the IDs of what it shows, such
	// as "C4: another admin's card" or "C4, K6: both".
	rowName = regexp.MustCompile(`^([A-Z]\d+(?:(?:, | and |/)[A-Z]\d+)*): `)
	// funcName is the name of a test function that shows one rule.
	funcName = regexp.MustCompile(`^Test([A-Z]\d+)(?:[A-Z_].*)?$`)
	oneID    = regexp.MustCompile(`[A-Z]\d+`)
)

// scan finds the tests that show rules: rows, functions, and the comments of
// command-line scripts.
func scan(t *testing.T) map[string][]rules.Test {
	t.Helper()
	found := map[string][]rules.Test{}
	add := func(file, ids, name string) {
		for _, id := range oneID.FindAllString(ids, -1) {
			if test := (rules.Test{File: file, Name: name}); !slices.Contains(found[id], test) {
				found[id] = append(found[id], test)
			}
		}
	}
	for _, dir := range []string{"cmd", "domain", "internal", "projections"} {
		err := fs.WalkDir(os.DirFS(root), dir, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir():
				return err
			case strings.HasSuffix(file, "_test.go"):
				return scanGo(file, add)
			case strings.HasSuffix(file, ".txtar"):
				return scanScript(file, add)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func scanGo(file string, add func(file, ids, name string)) error {
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
	if err != nil {
		return err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if m := funcName.FindStringSubmatch(n.Name.Name); m != nil && n.Recv == nil {
				add(file, m[1], n.Name.Name)
			}
		case *ast.CallExpr:
			// What a failure says is no test by itself.
			s, ok := n.Fun.(*ast.SelectorExpr)
			return !ok || !slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf", "Skip", "Skipf"}, s.Sel.Name)
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				if m := rowName.FindStringSubmatch(text); m != nil {
					add(file, m[1], text)
				}
			}
		}
		return true
	})
	return nil
}

func scanScript(file string, add func(file, ids, name string)) error {
	b, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if m := rowName.FindStringSubmatch(text); ok && m != nil {
			add(file, m[1], text)
		}
	}
	return nil
}

// TestEveryRuleHasATest fails for a rule that no test shows, for a test that
// shows a rule which is not there, and for one that the register names and that
// is gone. New ones are taken up with -update.
func TestEveryRuleHasATest(t *testing.T) {
	t.Parallel()
	found := scan(t)
	if *update {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(found); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("tests.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := rules.Tests()
	if err != nil {
		t.Fatal(err)
	}
	for id, tests := range kept {
		if _, ok := rules.Find(id); !ok {
			t.Errorf("the register has tests of the rule %s (%s), which is not in it", id, tests[0].File)
		}
		for _, test := range tests {
			if !slices.Contains(found[id], test) {
				t.Errorf("%s: %q of %s is gone; renew the register with make golden", id, test.Name, test.File)
			}
		}
	}
	for id, tests := range found {
		if _, ok := rules.Find(id); !ok {
			t.Errorf("%q of %s shows the rule %s, which is not in the register", tests[0].Name, tests[0].File, id)
		}
	}
	for _, r := range rules.All {
		if len(found[r.ID]) == 0 {
			t.Errorf("%s has no test: none is named %q", r.ID, r.ID+": …")
		}
		if len(kept[r.ID]) == 0 {
			t.Errorf("%s has no test in the register; renew it with make golden", r.ID)
		}
	}
}

// TestRowsAreMany holds the domain's tables to their size: rows that were lost
// are not missed one by one.
func TestRowsAreMany(t *testing.T) {
	t.Parallel()
	rows := map[rules.Test]bool{}
	for _, tests := range scan(t) {
		for _, test := range tests {
			if strings.HasPrefix(test.File, "domain/") && rowName.MatchString(test.Name) {
				rows[test] = true
			}
		}
	}
	t.Logf("%d rows of the domain's tables show rules", len(rows))
	if len(rows) < 1000 {
		t.Errorf("%d rows of the domain's tables show rules, want at least 1000", len(rows))
	}
}
