package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

var errNoFunction = errors.New("no such function")

// edit puts statements at the beginning of functions of a Go file. The keys of
// statements are names; a method's is "Type.Method". A function that the file
// does not have is an error.
func edit(source []byte, statements map[string]string) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	var out bytes.Buffer
	copied, found := 0, 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || statements[name(f)] == "" {
			continue
		}
		at := files.Position(f.Body.Lbrace).Offset + 1
		out.Write(source[copied:at])
		out.WriteString("\n" + statements[name(f)] + "\n")
		copied = at
		found++
	}
	if found != len(statements) {
		return nil, fmt.Errorf("%w: %d of %d found", errNoFunction, found, len(statements))
	}
	out.Write(source[copied:])
	edited, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format: %w", err)
	}
	return edited, nil
}

// name is a function's name, after its receiver's type if it has one.
func name(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

func TestEdit(t *testing.T) {
	t.Parallel()
	const source = "package p\n\ntype T int\n\n// F adds.\nfunc F(a int) int { return a + 1 }\n\nfunc (t *T) F() {}\n\nfunc G() {}\n"
	tests := []struct {
		name       string
		statements map[string]string
		want       []string // lines of the result, in this order
		err        error
	}{
		{"a function", map[string]string{"F": "a++"}, []string{"func F(a int) int {", "\ta++", "\treturn a + 1", "func (t *T) F() {}"}, nil},
		{"a method", map[string]string{"T.F": "*t = 2"}, []string{"func F(a int) int { return a + 1 }", "func (t *T) F() {", "\t*t = 2", "func G() {}"}, nil},
		{"two", map[string]string{"F": "a++", "G": "return"}, []string{"\ta++", "func G() {", "\treturn"}, nil},
		{"one is missing", map[string]string{"F": "a++", "H": "return"}, nil, errNoFunction},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := edit([]byte(source), tt.statements)
			if !errors.Is(err, tt.err) {
				t.Fatalf("edit(%v) fails with %v, want %v", tt.statements, err, tt.err)
			}
			rest := string(got)
			for _, line := range tt.want {
				_, after, ok := strings.Cut(rest, line+"\n")
				if !ok {
					t.Fatalf("edit(%v) =\n%s\nwant a line %q after the ones before", tt.statements, got, line)
				}
				rest = after
			}
		})
	}
}
