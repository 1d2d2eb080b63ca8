package history_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/history"
)

func (w *world) lines(sight domain.Sight) (lines []history.Line) {
	w.Helper()
	for r, err := range w.store.Read(w.Context(), stream, eventstore.ReadStream{}) {
		if err != nil {
			w.Fatal(err)
		}
		l, err := w.reader.Line(w.Context(), r, sight)
		if err != nil {
			w.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// Both forms of the log hold the same, each event with its place and its hash.
func TestP10_LogAsFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines := w.lines(opened)
	var rows, objects bytes.Buffer
	asRows, err := history.CSV(&rows)
	if err != nil {
		t.Fatal(err)
	}
	asObjects := history.JSONLines(&objects)
	for _, l := range lines {
		if err := asRows.Write(l); err != nil {
			t.Fatal(err)
		}
		if err := asObjects.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	read, err := csv.NewReader(&rows).ReadAll()
	if err != nil || len(read) != 4 || read[0][0] != "position" || len(read[0]) != len(read[1]) {
		t.Fatalf("CSV = %v, %v, want a line of names and three events", read, err)
	}
	decoder := json.NewDecoder(&objects)
	for i, l := range lines {
		var o history.Line
		if err := decoder.Decode(&o); err != nil {
			t.Fatal(err)
		}
		row := read[i+1]
		if o.Position != l.Position || row[0] != l.Position || row[3] != l.ID || row[4] != l.Type || row[13] != l.Hash || row[14] != string(l.Data) || o.Hash != l.Hash {
			t.Errorf("line %d: %+v and %v, want %+v", i, o, row, l)
		}
		if l.PolicyVersions["authorization"] != policy.Table.Version || !strings.Contains(row[12], `"authorization":`) || row[9] != "global-admin" {
			t.Errorf("line %d: %v, want the policies' versions and the actor's roles", i, row)
		}
		if want := fmt.Sprintf("reason %d", i+1); row[16] != want || string(o.Reason) != strconv.Quote(want) || row[15] == "" || o.Causation != row[15] {
			t.Errorf("line %d: %v, want %s and what caused it", i, row[15:], want)
		}
	}
}

// What is not shown is committed to, and what is erased is neither; the hash is
// of what is stored, so that it stays.
func TestN20_HashOutlivesErasure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open, shut := w.lines(opened), w.lines(masked)
	if _, err := w.keys.Destroy(t.Context(), company, annaID); err != nil {
		t.Fatal(err)
	}
	gone := w.lines(opened)
	for i := range open {
		if open[i].Hash != shut[i].Hash || open[i].Hash != gone[i].Hash || len(open[i].Hash) != 64 || i > 0 && open[i].Hash == open[i-1].Hash {
			t.Errorf("hashes of event %d: %s, %s, %s", i, open[i].Hash, shut[i].Hash, gone[i].Hash)
		}
	}
	for _, c := range []struct {
		name, has string
		data      []byte
	}{{"a reason opened", `"reason 1"`, open[0].Reason}, {"a reason masked", `{"$commitment":"`, shut[0].Reason}, {"a reason erased", `"[erased]"`, gone[0].Reason}, {"opened", `"Anna Lindqvist"`, open[0].Data}, {"masked", `{"$commitment":"`, shut[0].Data}, {"erased", `"[erased]"`, gone[0].Data}} {
		if !bytes.Contains(c.data, []byte(c.has)) || c.name != "opened" && bytes.Contains(c.data, []byte("Lindqvist")) {
			t.Errorf("%s: %s", c.name, c.data)
		}
	}
}
