package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary stand in for konto: the scripts run the
// program itself, in processes of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"konto": main})
}

// TestScripts runs testdata/script/*.txtar, each in a directory and with
// servers of its own. README.md in that folder lists their commands.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setup,
		Cmds:                scriptCommands(),
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// setup gives a script the names that it needs: those of the demo company, and
// where the data is.
func setup(env *testscript.Env) error {
	for name, value := range demoNames() {
		env.Setenv(name, value)
	}
	env.Setenv("KONTO_DATA", filepath.Join(env.WorkDir, "data"))
	env.Setenv("NO_COLOR", "1")
	env.Setenv("GORACE", os.Getenv("GORACE")) // else the race detector's programs wait a second before they exit
	env.Values[processes{}] = map[string]*process{}
	env.Values[mailServer{}] = &mailServer{}
	env.Values[nodes{}] = map[string]string{}
	env.Values[hooks{}] = map[string]*hook{}
	env.Defer(func() {
		for _, p := range env.Values[processes{}].(map[string]*process) {
			p.kill()
		}
	})
	return nil
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"start":    start,
		"signal":   sendSignal,
		"ended":    ended,
		"suggests": suggests,
		"exits":    exits,
		"http":     httpRequest,
		"json":     jsonIs,
		"keep":     keep,
		"code":     code,
		"link":     link,
		"mails":    countMails,
		"settled":  settled,
		"webhook":  sendWebhook,
		"declines": declines,
		"issuer":   issuer,
		"smtp":     smtpServer,
		"address":  address,
		"esdb":     useEventStore,
		"receiver": startHook,
		"called":   calledHook,
		"history":  makeHistory,
		"rebuilt":  rebuilt,
	}
}

// TestReadme runs the commands of README.md, so that they cannot drift: every
// line of a console block that begins with "$ ". What stands below a command
// is what it says. The first one starts the system and is left running; make's targets are only checked to exist. The
// YAML block is konto.yaml, in another data directory.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, checked := readmeScript(t, string(readme))
	if checked < 10 {
		t.Fatalf("README.md has %d commands in its console blocks, want at least 10: is the block format still the same?", checked)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "readme.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: dir, Setup: setup, Cmds: scriptCommands(), Condition: condition, RequireExplicitExec: true})
}

// TestReadmePaths checks that the files and folders that README.md names are
// there.
func TestReadmePaths(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile("`((?:cmd|domain|eventstore|internal|projections)/[a-z0-9_/.]*)`").FindAllStringSubmatch(string(readme), -1)
	if len(paths) < 20 {
		t.Errorf("README.md names %d paths, want at least 20", len(paths))
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join("..", "..", path[1])); err != nil {
			t.Errorf("README.md names %s: %v", path[1], err)
		}
	}
}

// readmeScript turns the console blocks of README.md into a script.
func readmeScript(t *testing.T, readme string) (script string, commands int) {
	t.Helper()
	var b strings.Builder
	block, config := "", ""
	for line := range strings.Lines(readme) {
		if kind, ok := strings.CutPrefix(line, "```"); ok {
			block = strings.TrimSpace(kind)
			continue
		}
		command, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "$ ")
		switch {
		case block == "yaml":
			config += line
		case block == "console" && ok:
			commands++
			b.WriteString(readmeLine(t, command) + "\n")
		case block == "console" && strings.Trim(line, "…\n") != "":
			b.WriteString("stdout '" + readmeOutput(line) + "'\n")
		}
	}
	return b.String() + "-- konto.yaml --\n" + config, commands
}

// readmeOutput is the expression for a line that README.md shows below a
// command: "…" stands for whatever is left out, and columns are as wide as they
// have to be.
func readmeOutput(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		words[i] = strings.ReplaceAll(regexp.QuoteMeta(w), "…", ".*")
	}
	return "^" + strings.ReplaceAll(strings.Join(words, " +"), "'", "''") + " *$"
}

// readmeLine is how a command of the README runs here: konto is the test
// binary, and the data directory and the port are the script's own.
func readmeLine(t *testing.T, command string) string {
	t.Helper()
	target, isMake := strings.CutPrefix(command, "make ")
	switch {
	case isMake:
		makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
		if err != nil {
			t.Fatal(err)
		}
		target, _, _ = strings.Cut(target, " ")
		if !strings.Contains(string(makefile), "\n"+target+":") {
			t.Errorf("README.md says %q, but the Makefile has no %s", command, target)
		}
		return "# " + command
	case command == "go run ./cmd/konto dev" || command == "konto dev":
		return "start dev konto dev --addr 127.0.0.1:0"
	case strings.HasPrefix(command, "go build") || strings.HasPrefix(command, "docker"):
		return "# " + command
	case strings.HasPrefix(command, "konto node"):
		return "start node " + command + " --addr 127.0.0.1:0\nsignal node INT\nended node 0"
	case strings.HasPrefix(command, "konto serve"):
		return "env KONTO_DATA=$WORK/served\nstart serve " + command + "\nsignal serve INT\nended serve 0\nenv KONTO_DATA=$WORK/data"
	}
	command = strings.ReplaceAll(command, "go run ./cmd/konto", "konto")
	command = strings.ReplaceAll(command, "http://127.0.0.1:8080", "$URL")
	command = strings.ReplaceAll(command, "konto-data", "$KONTO_DATA")
	return "exec sh -c '" + strings.ReplaceAll(command, "'", "''") + "'"
}
