package notify_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
		added := regexp.MustCompile(`w\.add(Time|Day|Amount)?\(p, "` + short + `"`)
		if strings.Contains(source.String(), `"`+k+`"`) || strings.Contains(source.String(), `"`+prefix+`."`) ||
			strings.Contains(source.String(), `"`+prefix+`", d.`) || wholeLetter(source.String(), k, prefix) || (isFact && added.MatchString(source.String())) {
			continue
		}
		t.Errorf("nothing uses %s", k)
	}
}

// wholeLetter reports whether source writes a letter's head, of which key is a
// part, or a list of names, of which key is one.
func wholeLetter(source, key, prefix string) bool {
	part := strings.TrimPrefix(key, prefix+".")
	return slices.Contains([]string{"subject", "heading", "sms"}, part) && strings.Contains(source, `w.head(p, "`+prefix+`", `) ||
		strings.Contains(source, `w.names("`+prefix+`", `)
}
