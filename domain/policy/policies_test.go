package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/policy"
	"konto/domain/policyversion"
)

// Every policy takes its own first rules and editions, and has a name that can
// stand in a stream's name and a path for ever.
func TestPoliciesTakeTheirOwnRules(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range policy.Policies {
		if d.Name == "" || strings.ToLower(d.Name) != d.Name || strings.ContainsAny(d.Name, " _/") || seen[d.Name] || d.Summary == "" {
			t.Errorf("policy %q (%q): want a kebab-case name of its own and a summary", d.Name, d.Summary)
		}
		seen[d.Name] = true
		rules := map[string]json.RawMessage{"version 1": d.First}
		for _, e := range d.Editions {
			if rules[e.Name] = e.Rules; string(e.Rules) == string(d.First) {
				t.Errorf("%s: edition %s is version 1", d.Name, e.Name)
			}
		}
		for name, r := range rules {
			if got, err := d.Check(r); err != nil || string(got) != string(r) {
				t.Errorf("%s, %s: Check = %s, %v, want the same again", d.Name, name, got, err)
			}
		}
		if found, ok := policy.Find(d.Name); !ok || found.Name != d.Name {
			t.Errorf("Find(%s) = %v, %v", d.Name, found.Name, ok)
		}
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	var judge domain.Source
	for _, s := range policy.Sources {
		if s.Type == judged {
			judge = s
		}
	}
	for _, c := range []struct {
		name, policy, rules string
		want                policyversion.Verdict
	}{
		{"N11: rules are stored in one way of writing", "customer-editors", ` {"roles": ["auditor"]} `, policyversion.Verdict{Known: true, Rules: json.RawMessage(`{"roles":["auditor"]}`)}},
		{"N11: a policy that is not there", "weather", `{}`, policyversion.Verdict{}},
		{"N11: no policy", "", `{}`, policyversion.Verdict{}},
		{"N11: a field too many", "customer-editors", `{"roles":["auditor"],"until":1}`, policyversion.Verdict{Known: true, Problem: "until"}},
		{"N11: a field too few", "customer-editors", `{}`, policyversion.Verdict{Known: true, Problem: "one role"}},
		{"N11: a field in another case", "customer-editors", `{"Roles":["auditor"]}`, policyversion.Verdict{Known: true, Problem: "lack roles"}},
		{"N11: a value of another type", "customer-editors", `{"roles":7}`, policyversion.Verdict{Known: true, Problem: "roles"}},
		{"N11: a value out of range", "customer-editors", `{"roles":["king"]}`, policyversion.Verdict{Known: true, Problem: `no role "king"`}},
		{"N11: a value twice", "customer-editors", `{"roles":["auditor","auditor"]}`, policyversion.Verdict{Known: true, Problem: "twice"}},
		{"N11: two objects", "customer-editors", `{"roles":["auditor"]}{}`, policyversion.Verdict{Known: true, Problem: "more than one"}},
		{"N11: no object", "customer-editors", `[]`, policyversion.Verdict{Known: true, Problem: "JSON"}},
		{"N11: no JSON", "customer-editors", `roles: auditor`, policyversion.Verdict{Known: true, Problem: "JSON"}},
		{"N11: nothing", "customer-editors", ``, policyversion.Verdict{Known: true, Problem: "JSON"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := judge.Input(policyversion.VerdictKey(c.policy, json.RawMessage(c.rules))).(policyversion.Verdict)
			if got.Known != c.want.Known || string(got.Rules) != string(c.want.Rules) ||
				(got.Problem == "") != (c.want.Problem == "") || !strings.Contains(got.Problem, c.want.Problem) {
				t.Errorf("verdict = %+v, want %+v", got, c.want)
			}
		})
	}
}
