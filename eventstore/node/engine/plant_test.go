package engine_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var plant = flag.Bool("plant", false, "let TestPlantedBugs build the engine with each of its bugs; takes minutes")

// plantedBugs are mistakes that TestLinearizable must find. Each replaces the
// one place in a file where old stands.
var plantedBugs = []struct{ name, file, old, wrong string }{
	{"answer before the sync", "writer.go", "cause = g.batch.SyncWait()", "go func(b *pebble.Batch) { _ = b.SyncWait() }(g.batch)\n\t\t\tg.batch = nil"},
	{"do not sync", "writer.go", "s.db.ApplyNoSyncWait(g.batch, pebble.Sync); err != nil {", "s.db.Apply(g.batch, pebble.NoSync); err == nil {\n\t\t\tg.batch = nil\n\t\t} else {"},
	{"show what is not durable", "read.go", "return s.durable.Load()\n}", "return everything\n}"},
	{"forget a head that was given away", "writer.go", "w.heads.Add(p.stream, head{revision: last})", "_ = last"},
	{"forget that a stream is deleted", "decide.go", "h.deleted = f.truncateBefore == deleted", "_ = f"},
	{"answer a repeated append with the end of the stream", "decide.go", "result = eventstore.Appended{Revision: have.Revision, Position: have.Position}", "result = eventstore.Appended{Revision: h.revision, Position: have.Position}"},
	{"store a repeated append again", "decide.go", "case i == len(r.events):\n\t\treturn result, false, nil", "case i == len(r.events):\n\t\treturn eventstore.Appended{Revision: h.revision + eventstore.Revision(len(r.events))}, true, nil"},
	{"take half a match for a repeated append", "decide.go", "case i == len(r.events):\n\t\treturn result, false, nil", "case i > 0:\n\t\treturn result, false, nil"},
	{"take an older revision for the newest", "decide.go", "case r.expected == h.revision:\n\t\treturn fresh", "case r.expected == h.revision, r.expected+1 == h.revision && r.expected >= 0:\n\t\treturn fresh"},
	{"refuse with the wrong revision", "decide.go", "Current: h.revision}", "Current: h.revision - 1}"},
	{"forget the newest IDs at a restart", "writer.go", "s.writer.ids.add(e.id, e.place)", "_ = e"},
	{"start a position lower after a restart", "writer.go", "s.writer.next = r.Position.Commit + uint64(recordLen(r.Stream, &r.Event))", "s.writer.next = r.Position.Commit"},
	{"let a tombstone be overwritten", "decide.go", "case gone, r.expected", "case gone && r.kind != appends, r.expected"},
	{"look for repeated appends in the group being written", "writer.go", "if g.stored > 0 && (r.mayRepeat(h) || h.deleted) {", "if g.stored < 0 {"},
	{"read backward from one before the end", "stream.go", "return runs.Last()\n\t}\n\tkey", "return runs.Last() && runs.Prev()\n\t}\n\tkey"},
}

// TestPlantedBugs builds the engine with one bug after the other and expects
// that no history test passes.
func TestPlantedBugs(t *testing.T) {
	if !*plant {
		t.Skip("needs -plant")
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, bug := range plantedBugs {
		t.Run(bug.name, func(t *testing.T) {
			path := filepath.Join(dir, bug.file)
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), bug.old); n != 1 {
				t.Fatalf("%s has %q %d times, want once", bug.file, bug.old, n)
			}
			replaced := filepath.Join(t.TempDir(), bug.file)
			write(t, replaced, []byte(strings.Replace(string(source), bug.old, bug.wrong, 1)))
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: replaced}})
			if err != nil {
				t.Fatal(err)
			}
			list, binary := filepath.Join(t.TempDir(), "overlay.json"), filepath.Join(t.TempDir(), "engine.test")
			write(t, list, overlay)
			if out, err := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", list, "-c", "-o", binary, ".").CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			run := exec.CommandContext(t.Context(), binary, "-test.run=^TestLinearizable$", "-histories=300", "-test.timeout=5m")
			out, err := run.CombinedOutput()
			if err == nil {
				t.Fatalf("300 histories of an engine with this bug were accepted")
			}
			t.Logf("found: %s", firstLine(string(out), "histories=1"))
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// firstLine returns the first line of s that contains part, or else the first one.
func firstLine(s, part string) string {
	for line := range strings.Lines(s) {
		if strings.Contains(line, part) {
			return strings.TrimSpace(line)
		}
	}
	line, _, _ := strings.Cut(s, "\n")
	return line
}
