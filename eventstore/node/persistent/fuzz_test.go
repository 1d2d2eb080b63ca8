package persistent_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore/node/persistent"
)

// FuzzDefinitions reads any definitions: what is understood is valid, and is
// the same after it was stored again.
func FuzzDefinitions(f *testing.F) {
	const rest = `"messageTimeout":30000,"maxRetryCount":10,"liveBufferSize":500,"readBatchSize":20,"historyBufferSize":500,` +
		`"checkPointAfter":2000,"minCheckPointCount":10,"maxCheckPointCount":1000,"namedConsumerStrategy":"RoundRobin"}`
	entries := []string{
		`{"stream":"s","group":"g","startPosition":"7",` + rest,
		`{"stream":"$all","group":"ü","startPosition":"C:-1/P:-1","origin":"C:9/P:8","createdBy":"0102","filter":{"byType":true,"regex":"^a"},` + rest,
		`{"stream":"s","group":"end","startPosition":"-1","origin":"3","createdBy":"x",` + rest,
		`{"Stream":"s","group":"g","startPosition":"0","filter":{"prefixes":["a",""]},` + rest,
	}
	f.Add([]byte(`{"version":"2","updated":"2026-01-02T03:04:05Z","entries":[]}`))
	f.Add([]byte(`{"version":"2","entries":[` + strings.Join(entries[:2], ",") + `]}`))
	for _, e := range entries {
		f.Add([]byte(`{"entries":[` + e + `]}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, stored, err := persistent.Definitions(data)
		if err != nil {
			return
		}
		for _, d := range first {
			if err := d.Validate(); err != nil {
				t.Errorf("Definitions(%q) has %+v: %v", data, d, err)
			}
		}
		second, again, err := persistent.Definitions(stored)
		if d := cmp.Diff(first, second); err != nil || d != "" || !bytes.Equal(stored, again) {
			t.Errorf("Definitions(%q) = %q, and of that %q, %v:\n%s", data, stored, again, err, d)
		}
	})
}

var position = regexp.MustCompile(`^(?:C:([0-9]+)/P:)?([0-9]+)$`)

// FuzzCheckpoint compares what is read of a checkpoint with what a regular
// expression finds in it.
func FuzzCheckpoint(f *testing.F) {
	for _, data := range []string{`"7"`, `7`, ` "C:9/P:8" `, `"C:0/P:0"`, `"C:18446744073709551615/P:18446744073709551616"`, `"\u0037"`, `-1`, `"7`, `""`, ``, `null`, `+5`, "\"C:01/P:1\""} {
		f.Add([]byte(data), false)
		f.Add([]byte(data), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, all bool) {
		got, err := persistent.Checkpoint(data, all)
		text := string(bytes.TrimSpace(data))
		if strings.HasPrefix(text, `"`) && json.Unmarshal(data, &text) != nil {
			text = "none"
		}
		if want, ok := place(text, all); ok != (err == nil) || got != want {
			t.Errorf("Checkpoint(%q, %v) = %q, %v, want %q, %v", data, all, got, err, want, ok)
		}
	})
}

// place returns a place as it is written. ok reports whether text is one.
func place(text string, all bool) (written string, ok bool) {
	if !all {
		n, isNumber := new(big.Int).SetString(text, 10)
		if !isNumber || n.Sign() < 0 || !n.IsInt64() {
			return "", false
		}
		return n.String(), true
	}
	parts := position.FindStringSubmatch(text)
	if parts == nil {
		return "", false
	}
	prepare, _ := new(big.Int).SetString(parts[2], 10)
	commit, both := new(big.Int).SetString(parts[1], 10)
	if !both { // one number stands for both
		commit = prepare
	}
	switch {
	case !commit.IsUint64() || !prepare.IsUint64():
		return "", false
	case commit.Sign() == 0 && prepare.Sign() == 0: // the beginning
		return "", true
	}
	return fmt.Sprintf("C:%d/P:%d", commit, prepare), true
}
