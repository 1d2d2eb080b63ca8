package diff_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/internal/diff"
)

func TestBetween(t *testing.T) {
	t.Parallel()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for _, c := range []struct {
		name, a, b string
		want       []diff.Change
	}{
		{"equal", `{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1}`, nil},
		{"changed", `{"a":1}`, `{"a":2}`, []diff.Change{{Field: "/a", Before: raw("1"), After: raw("2")}}},
		{"added and removed", `{"a":1}`, `{"b":"x"}`, []diff.Change{{Field: "/a", Before: raw("1")}, {Field: "/b", After: raw(`"x"`)}}},
		{"nested", `{"a":{"b":{"c":true}}}`, `{"a":{"b":{"c":false}}}`, []diff.Change{{Field: "/a/b/c", Before: raw("true"), After: raw("false")}}},
		{"array", `{"a":["x","y"]}`, `{"a":["x","z","w"]}`, []diff.Change{{Field: "/a/1", Before: raw(`"y"`), After: raw(`"z"`)}, {Field: "/a/2", After: raw(`"w"`)}}},
		{"pointer escapes", `{"a/b":{"~":1}}`, `{"a/b":{"~":2}}`, []diff.Change{{Field: "/a~1b/~0", Before: raw("1"), After: raw("2")}}},
		{"large numbers keep their digits", `{"n":9007199254740993}`, `{"n":9007199254740992}`, []diff.Change{{Field: "/n", Before: raw("9007199254740993"), After: raw("9007199254740992")}}},
		{"other kind", `{"a":{"b":1}}`, `{"a":"x"}`, []diff.Change{{Field: "/a", Before: raw(`{"b":1}`), After: raw(`"x"`)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := diff.Between([]byte(c.a), []byte(c.b))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("Between(%s, %s) differs (-want +got):\n%s", c.a, c.b, d)
			}
		})
	}
}

func TestBetweenRefusesWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	if _, err := diff.Between([]byte(`{`), []byte(`{}`)); err == nil {
		t.Error("Between({, {}) = nil error, want one")
	}
}
