// Package archtest checks which package may import which.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module       = "konto/"
	clientProtos = "github.com/EventStore/EventStore-Client-Go/v4/protos/"
)

// rules say what the packages of a folder may import of this module. The
// longest folder that holds a package is the rule for it; the reason is for
// whoever breaks it. A name that starts with "=" stands for that package
// alone, others for all below them, too; "." stands for the folder itself.
var rules = []struct {
	folder string
	may    []string
	why    string
}{
	{"cmd", []string{".", "internal", "projections", "domain", "eventstore"}, "the program wires everything"},
	{"domain", nil, "the kit imports nothing of ours"},
	{"domain/", []string{"=domain", "domain/postal", "domain/recovery", "."}, "aggregates do not know each other; what an address is and what recovers an account they share"},
	{"domain/postal", []string{"=domain", "."}, "an address is a value"},
	{"domain/recovery", []string{"=domain", "."}, "what recovers an account is a rule of several aggregates"},
	{"domain/rules", nil, "the register is data"},
	{"domain/policy", []string{"domain", "."}, "policies alone see several aggregates"},
	{"domain/domaintest", []string{"=domain"}, "the harness knows the kit alone"},
	{"eventstore", []string{"eventstore"}, "the store carries bytes and knows no event"},
	{"eventstore/esdb", []string{"=eventstore"}, "the client side knows the port, and no server of ours"},
	{"eventstore/node/engine", []string{"=eventstore"}, "the engine knows the port, and no protocol"},
	{"eventstore/node/", []string{"=eventstore", "eventstore/node"}, "the node knows no client"},
	{"projections", []string{"domain", "."}, "read models know events, not where they come from"},
	{"internal", []string{"internal", "projections", "domain", "eventstore"}, "adapters may use every core"},
	{"internal/diff", nil, "compares documents and knows nothing of them"},
	{"internal/privacy", []string{"domain"}, "sealing works on bytes"},
	{"internal/identity", []string{"domain"}, "who somebody is does not depend on what they do"},
	{"internal/envelope", []string{"domain", "eventstore", "internal/privacy"}, "what surrounds an event depends on no adapter"},
	{"internal/command", []string{"domain", "eventstore", "internal/envelope", "internal/privacy", "internal/diff"}, "commands know neither transport nor read models"},
	{"internal/retrial", []string{"domain", "eventstore", "internal/command", "internal/envelope", "internal/privacy", "internal/diff"}, "replays what the store holds and knows neither transport nor read models"},
	{"internal/money", nil, "what is money is a list"},
	{"internal/notify", []string{"domain", "internal/money"}, "messages do not know where addresses are kept"},
	{"internal/mailbox", nil, "a mailbox knows mail"},
	{"internal/bus", nil, "the bus carries bytes"},
	{"internal/storecopy", []string{"eventstore"}, "copies bytes between any two stores"},
	{"internal/origin", []string{"=eventstore"}, "tells stores apart, whatever is in them"},
	{"internal/archtest", nil, "imports nothing"},
}

// outside says which modules a folder's packages may not import, or the only
// ones that they may.
var outside = []struct {
	folder string
	only   []string // nil: anything but deny
	deny   []string
	why    string
}{
	{"domain", []string{}, []string{"context", "os", "net", "database/sql", "math/rand", "crypto/rand"}, "decisions and folds do no I/O, draw nothing at random and cannot block"},
	{"projections", []string{}, []string{"os", "net"}, "a read model is a function of events"},
	{"eventstore/memory", nil, []string{"github.com/rs/zerolog"}, "a store reports through errors"},
	{"eventstore/node", nil, []string{clientProtos + "status", clientProtos + "code"}, "they register messages that genproto registers, too: the program would panic at its start"},
	{"eventstore/node/engine", nil, []string{"github.com/rs/zerolog"}, "a store reports through errors and its listener"},
}

func TestImports(t *testing.T) {
	t.Parallel()
	// Files are read with os, not through "go list", so that the test cache
	// knows of them and a new import makes the test run again.
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			check(t, path.Dir(name), imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, from, imp string) {
	t.Helper()
	if to, ours := strings.CutPrefix(imp, module); ours {
		best := -1
		for i, r := range rules {
			if covers(r.folder, from) && (best < 0 || len(r.folder) > len(rules[best].folder)) {
				best = i
			}
		}
		switch {
		case best < 0:
			t.Errorf("%s: no rule; add one", from)
		case strings.HasSuffix(to, "test") && !strings.HasSuffix(from, "test"):
			t.Errorf("%s imports %s: test packages stay out of the program", from, to)
		case !slices.ContainsFunc(rules[best].may, func(may string) bool { return allows(may, from, to) }):
			t.Errorf("%s imports %s: %s", from, to, rules[best].why)
		}
		return
	}
	for _, o := range outside {
		if !covers(o.folder, from) || strings.HasSuffix(from, "test") {
			continue
		}
		thirdParty := strings.Contains(strings.Split(imp, "/")[0], ".")
		if slices.Contains(o.deny, imp) || o.only != nil && thirdParty && !slices.Contains(o.only, imp) {
			t.Errorf("%s imports %s: %s", from, imp, o.why)
		}
	}
}

// covers reports whether folder's rule is for package from. A folder that ends
// in "/" is for what lies below it and not for itself.
func covers(folder, from string) bool {
	if below, ok := strings.CutSuffix(folder, "/"); ok {
		return strings.HasPrefix(from, below+"/")
	}
	return from == folder || strings.HasPrefix(from, folder+"/")
}

func allows(may, from, to string) bool {
	if may == "." {
		may = from
	}
	if exact, ok := strings.CutPrefix(may, "="); ok {
		return to == exact
	}
	return to == may || strings.HasPrefix(to, may+"/")
}
