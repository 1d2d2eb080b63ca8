package policy_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"konto/domain"
	"konto/internal/notify"
)

// renderer reads the strings of all languages once; it holds nothing else.
var renderer = sync.OnceValues(func() (*notify.Renderer, error) {
	return notify.NewRenderer(notify.RenderConfig{BaseURL: "https://konto.example"})
})

// letters has what a reaction tells people written out in every language: its
// data has to be what the template asks for, and no value may be missing.
func letters(t *testing.T, effects []domain.Effect) {
	t.Helper()
	for _, e := range effects {
		n, ok := e.(domain.Notice)
		if !ok {
			continue
		}
		data, err := json.Marshal(n.Data)
		if err != nil {
			t.Fatal(err)
		}
		letter, err := renderer()
		if err != nil {
			t.Fatal(err)
		}
		for _, locale := range notify.Locales() {
			m, err := letter.Preview(n.Template, locale, data)
			if err != nil {
				t.Errorf("%s in %s cannot be written from %s: %v", n.Template, locale, data, err)
			} else if strings.Contains(m.Text+m.Subject+m.SMS, "<no value>") {
				t.Errorf("%s in %s lacks a value of %s", n.Template, locale, data)
			}
		}
	}
}

// Every message that the reactions know by name is one that can be written.
func TestEveryMessageIsWritten(t *testing.T) {
	t.Parallel()
	f, err := parser.ParseFile(token.NewFileSet(), "notices.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(f, func(n ast.Node) bool {
		d, ok := n.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			return true
		}
		for _, spec := range d.Specs {
			for _, v := range spec.(*ast.ValueSpec).Values {
				lit, ok := v.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					continue
				}
				name, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				if found++; !slices.Contains(notify.Templates(), name) {
					t.Errorf("there is no message %q", name)
				}
			}
		}
		return false
	})
	if found == 0 {
		t.Error("notices.go names no message")
	}
}
