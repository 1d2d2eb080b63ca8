package rules_test

import (
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

	"konto/domain/policy"
	"konto/domain/rules"
)

var ruleID = regexp.MustCompile(`^[A-Z][1-9]\d*$`)

// Each rule is whole, is there once, and stands in the order of its kind.
func TestRegisterIsInOrder(t *testing.T) {
	t.Parallel()
	last := [2]int{-1, 0}
	for _, r := range rules.All {
		kind := slices.Index(rules.Kinds, rules.KindOf(r.ID))
		number, _ := strconv.Atoi(strings.TrimLeft(r.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		if !ruleID.MatchString(r.ID) || kind < 0 {
			t.Errorf("%s: there is no such kind of rule", r.ID)
		}
		if r.Says == "" || r.Source.Page == "" || !strings.HasSuffix(r.Says, ".") {
			t.Errorf("%s: want a sentence and where it comes from, got %+v", r.ID, r)
		}
		if now := [2]int{kind, number}; slices.Compare(now[:], last[:]) <= 0 && kind == last[0] {
			t.Errorf("%s is not in its place", r.ID)
		} else {
			last = now
		}
	}
}

// Every sentence of the pages leads to rules, and every rule of the pages'
// kinds to a sentence.
func TestEverySentenceHasARule(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	ids := map[string]bool{}
	for _, s := range rules.Sentences {
		if s.ID == "" || ids[s.ID] || len(s.Languages) == 0 {
			t.Errorf("%q has the ID %q, in %v, want one of its own, and a language", s.Says, s.ID, s.Languages)
		}
		ids[s.ID] = true
		for _, id := range s.Rules {
			if !slices.ContainsFunc(rules.SentencesOf(id), func(of rules.Sentence) bool { return of.ID == s.ID }) {
				t.Errorf("%s does not lead back to %s", id, s.ID)
			}
		}
		if len(s.Rules) == 0 {
			t.Errorf("%q has no rule", s.Says)
		}
		for _, id := range s.Rules {
			named[id] = true
			if _, ok := rules.Find(id); !ok {
				t.Errorf("%q has the rule %s, which is not there", s.Says, id)
			}
		}
	}
	for _, r := range rules.All {
		if strings.ContainsAny(r.ID[:1], "SCP") && !named[r.ID] {
			t.Errorf("%s comes from no sentence", r.ID)
		}
	}
}

// What rules name exists, and what names rules names those that exist.
func TestNamesExist(t *testing.T) {
	t.Parallel()
	commands := map[string]bool{}
	for _, c := range policy.Contracts {
		for _, i := range c.Commands() {
			commands[i.Name] = true
		}
	}
	messages := map[string]bool{}
	files, err := os.ReadDir(root + "/internal/notify/locales/en")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		messages[strings.TrimSuffix(f.Name(), ".json")] = true
	}
	for _, r := range rules.All {
		if _, ok := policy.Find(r.Policy); !ok && r.Policy != "" {
			t.Errorf("%s: there is no policy %s", r.ID, r.Policy)
		}
		for _, c := range r.Commands {
			if !commands[c] {
				t.Errorf("%s: there is no command %s", r.ID, c)
			}
		}
		for _, m := range r.Messages {
			if !messages[m] {
				t.Errorf("%s: there is no message %s", r.ID, m)
			}
		}
	}
	for _, row := range policy.Table.Commands {
		if _, ok := rules.Find(row.Rule); !ok {
			t.Errorf("the row of %s follows from %s, which is not in the register", row.Command, row.Rule)
		}
	}
}

// Every policy holds the values of a rule, and every message tells of one.
func TestPoliciesAndMessagesHaveRules(t *testing.T) {
	t.Parallel()
	policies, messages := map[string]bool{}, map[string]bool{}
	for _, r := range rules.All {
		policies[r.Policy] = true
		for _, m := range r.Messages {
			messages[m] = true
		}
	}
	for _, p := range policy.Policies {
		if !policies[p.Name] {
			t.Errorf("the policy %s is named by no rule", p.Name)
		}
	}
	files, err := os.ReadDir(root + "/internal/notify/locales/en")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if m := strings.TrimSuffix(f.Name(), ".json"); !messages[m] && m != "common" { // what all messages share
			t.Errorf("the message %s is named by no rule", m)
		}
	}
}

// A rule of a help page says in which languages the page was read.
func TestPagesHaveLanguages(t *testing.T) {
	t.Parallel()
	pages := map[string]bool{}
	for _, s := range rules.Sentences {
		pages[s.Page] = true
	}
	for _, r := range rules.All {
		if pages[r.Source.Page] && len(r.Source.Languages) == 0 {
			t.Errorf("%s comes from %q, in no language", r.ID, r.Source.Page)
		}
		if strings.ContainsAny(r.ID[:1], "SCP") && len(r.Source.Languages) == 0 {
			t.Errorf("%s comes from no text that was read: %q", r.ID, r.Source.Page)
		}
	}
}

// Every rule that a refusal names is in the register.
func TestRefusalsNameRulesOfTheRegister(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"domain", "internal"} {
		err := fs.WalkDir(os.DirFS(root), dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				lit, isLit := call.Args[0].(*ast.BasicLit)
				if ok && isLit && sel.Sel.Name == "ByRule" {
					id, _ := strconv.Unquote(lit.Value)
					if _, known := rules.Find(id); !known {
						t.Errorf("%s refuses by %q, which is not in the register", file, id)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	if r, ok := rules.Find("C4"); !ok || r.ID != "C4" || rules.KindOf("C4").Prefix != "C" {
		t.Errorf("Find(C4) = %+v, %v", r, ok)
	}
	if r, ok := rules.Find("Z9"); ok || rules.KindOf("Z9").Name != "" {
		t.Errorf("Find(Z9) = %+v, want none", r)
	}
}
