package notify_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A string that nothing asks for is one that translators keep for nobody.
func TestEveryStringIsUsed(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	for k := range stringsOf(t, "en") {
		k, _, _ = strings.Cut(k, "#")
		// Keys that are put together end in a value: a class, a slot, a field.
		prefix := k[:strings.LastIndexByte(k, '.')]
		short, isFact := strings.CutPrefix(k, "fact.")
		if strings.Contains(source.String(), `"`+k+`"`) || strings.Contains(source.String(), `"`+prefix+`."`) ||
			strings.Contains(source.String(), `"`+prefix+`", d.`) || (isFact && strings.Contains(source.String(), `w.add(p, "`+short+`"`)) {
			continue
		}
		t.Errorf("nothing uses %s", k)
	}
}
