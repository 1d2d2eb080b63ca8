package collection_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	. "konto/domain/collection"
)

// says is what somebody else says of charging a card again after a code.
type says struct {
	who, code, by string // by: the reason, or that no list names the code
	again         bool
	why           string // Konto says otherwise
}

// What two other products do with every code: testdata/retries.txt says where
// it is from and why Konto differs where it does. A difference without a
// reason fails, and so does a reason without a difference.
func TestT1OtherProductsOnRetries(t *testing.T) {
	t.Parallel()
	reasons, all := retries(t)
	published := map[string]bool{}
	for _, code := range Codes() {
		published[code] = true
	}
	count, differ := map[string]int{}, 0
	for _, s := range all {
		count[s.who]++
		if s.who == "polar" && !s.again {
			count["polar, never"]++
		}
		if !published[s.code] {
			count[s.who+", not Stripe's"]++
			continue // nothing of ours to compare
		}
		d := Classify(s.code, "", Checks{})
		ours := d.Retry == Spaced || d.Retry == Soon
		switch {
		case ours != s.again && s.why == "":
			t.Errorf("%s %s: it says %s (%s), we say %s (%s), and nobody knows why", s.who, s.code, yes(s.again), s.by, d.Retry, d.Class)
		case ours != s.again:
			differ++
			t.Logf("%s %s: it says %s (%s), we say %s (%s): %s", s.who, s.code, yes(s.again), s.by, d.Retry, d.Class, s.why)
		case s.why != "":
			t.Errorf("%s %s: we agree, but explain why not: %s", s.who, s.code, s.why)
		}
	}
	for name, want := range map[string]int{
		"govuk": 47, "govuk, not Stripe's": 0, "meaning": 7, "meaning, not Stripe's": 0,
		"polar": 49, "polar, never": 22, "polar, not Stripe's": 2,
	} {
		if count[name] != want {
			t.Errorf("%d rows of %s, want %d", count[name], name, want)
		}
	}
	for _, who := range []string{"govuk", "polar"} {
		for code := range published {
			if !slices.ContainsFunc(all, func(s says) bool { return s.who == who && s.code == code }) {
				t.Errorf("%s %s is not compared", who, code)
			}
		}
	}
	again := 0
	for yes := range maps.Values(reasons) {
		if yes {
			again++
		}
	}
	if len(reasons) != 39 || again != 21 {
		t.Errorf("%d reasons, %d of them to be retried, want 39 and 21", len(reasons), again)
	}
	t.Logf("%d of %d answers differ from ours, each for a reason", differ, len(all))
}

// retries reads testdata/retries.txt.
func retries(t *testing.T) (map[string]bool, []says) {
	t.Helper()
	text, err := os.ReadFile("testdata/retries.txt")
	if err != nil {
		t.Fatal(err)
	}
	reasons, all, seen := map[string]bool{}, []says{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) < 3 || seen[f[0]+" "+f[1]] {
			t.Fatalf("a line that is too short or there twice: %s", line)
		}
		seen[f[0]+" "+f[1]] = true
		s := says{who: f[0], code: f[1], by: f[2], why: strings.Join(f[3:], " ")}
		var known bool
		switch f[0] {
		case "reason":
			reasons[f[1]], known = f[2] == "yes", f[2] == "yes" || f[2] == "no"
		case "govuk", "meaning":
			s.again, known = reasons[f[2]], has(reasons, f[2])
			all = append(all, s)
		case "polar":
			s.again, known = f[2] != "no", slices.Contains([]string{"yes", "no", "unnamed"}, f[2])
			all = append(all, s)
		}
		if !known {
			t.Fatalf("a line that says nothing known: %s", line)
		}
	}
	return reasons, all
}

func has(m map[string]bool, key string) bool {
	_, ok := m[key]
	return ok
}

func yes(again bool) string {
	if again {
		return "yes"
	}
	return "no"
}
