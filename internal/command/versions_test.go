package command_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/policy"
	"konto/internal/envelope"
)

// Events name the versions of the policies that their command was decided
// under, and of no others; a new version counts from its day on.
func TestEventsNameThePolicyVersions(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		h, rel := w.handler(0), borg+"-"+acme
		agent := person(id(2, 91), borg, domain.SalesAgent)
		w.must(h, agent, "rel", rel, "RequestRelationship", `{"type":"reseller"}`)
		w.handled(h, seeing(w.request(alice, "rel", rel, "AcceptRelationship", `{}`), 0))
		w.must(h, bob, "customer", acme, "RegisterCustomer", `{"companyName":"Acme AB","country":"SE","domain":"acme.example","language":"sv"}`)
		versions := func(stream string, revision int) map[string]int {
			m, err := envelope.ParseMeta(w.stream(stream)[revision].Meta)
			if err != nil {
				t.Fatal(err)
			}
			return m.PolicyVersions
		}
		renamed := 0
		rename := func(name string) map[string]int {
			w.handled(h, seeing(w.request(agent, "customer", acme, "UpdateCustomerAccount", `{"companyDetails":{"companyName":"`+name+`"}}`), renamed))
			renamed++
			return versions("customer-"+acme, renamed)
		}
		table := policy.Table.Version
		if d := cmp.Diff(map[string]int{"authorization": table, "customer-editors": 1, "registration-numbers": 1}, rename("One")); d != "" {
			t.Errorf("before a version was published (-want +got):\n%s", d)
		}
		day := w.clock.Now().Add(time.Hour)
		w.must(h, staff, "policy", "customer-editors", "PublishPolicyVersion",
			`{"number":2,"effectiveAt":"`+day.Format(time.RFC3339)+`","rules":{"roles":["sales-agent"]},"note":"Sales alone."}`)
		if d := cmp.Diff(map[string]int{"authorization": table, "customer-editors": 1, "registration-numbers": 1}, rename("Two")); d != "" {
			t.Errorf("before its day (-want +got):\n%s", d)
		}
		w.clock.advance(2 * time.Hour)
		if d := cmp.Diff(map[string]int{"authorization": table, "customer-editors": 2, "registration-numbers": 1}, rename("Three")); d != "" {
			t.Errorf("from its day on (-want +got):\n%s", d)
		}
		if d := cmp.Diff(map[string]int{"authorization": table}, versions("rel-"+rel, 0)); d != "" {
			t.Errorf("of a command that asks for no policy (-want +got):\n%s", d)
		}
	})
}
