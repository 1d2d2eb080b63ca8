package policy_test

import (
	"reflect"
	"slices"
	"testing"

	"konto/domain"
	"konto/domain/policy"
)

// concerns are the commands that make an aggregate about another one.
func concerns(t *testing.T) map[string]domain.Concern {
	t.Helper()
	all := map[string]domain.Concern{}
	for _, contract := range policy.Contracts {
		for _, c := range contract.Commands() {
			if concerner, ok := reflect.TypeAssert[domain.Concerner](reflect.New(c.Type).Elem()); ok {
				all[contract.Category()+"/"+c.Name] = concerner.Concern()
			}
		}
	}
	return all
}

// opening is the attempt of somebody who stands in some relation to own to make
// an aggregate about something that is owner's.
func opening(t *testing.T, category, command, relation string, role domain.Role, owner string, c domain.Concern) domain.Attempt {
	t.Helper()
	id, _, actor, facts := scene(category, relation, role)
	a := domain.Attempt{Category: category, Command: command, ID: id, Owner: owner, Actor: actor, Concern: &c}
	a.Facts = only(t, facts, policy.Table.Needs(a))
	return a
}

// TestWhoMakesWhatIsAboutAnothersThing is the matrix of who may make something
// in a tenant: who may deal with it once it is there, and nobody else. Those
// who have no part in the tenant cannot tell its things from none.
func TestWhoMakesWhatIsAboutAnothersThing(t *testing.T) {
	t.Parallel()
	all := concerns(t)
	if len(all) == 0 {
		t.Fatal("no command is about anything")
	}
	for _, row := range policy.Table.Commands {
		name := row.Category + "/" + row.Command
		c, ok := all[name]
		if !ok {
			continue
		}
		want := expected(passes[name])
		for _, relation := range relations {
			if relation == "customer" {
				continue
			}
			for _, role := range roles {
				cell := "C10: " + name + " by " + relation + " " + string(role)
				trace, err := policy.Table.Rule(opening(t, row.Category, row.Command, relation, role, own, c))
				none, noneErr := policy.Table.Rule(opening(t, row.Category, row.Command, relation, role, "", c))
				if (err == nil) != want[relation+" "+string(role)] {
					t.Errorf("%s: err = %v, want it to pass: %v", cell, err, want[relation+" "+string(role)])
				}
				if refusal(noneErr) != c.None || none[len(none)-1].Passed {
					t.Errorf("%s: about nothing: %v, %+v, want %v", cell, noneErr, none, c.None)
				}
				if hidden := !knows(row.Category, relation) && err != nil; hidden && (refusal(err) != c.None || !slices.Equal(trace, none)) {
					t.Errorf("%s: %v, %+v tells that there is something, want %v, %+v", cell, err, trace, c.None, none)
				}
			}
		}
	}
}

// Once the aggregate is there, what it is about says nothing of who may deal
// with it.
func TestConcernIsOfNewAggregatesAlone(t *testing.T) {
	t.Parallel()
	for name, c := range concerns(t) {
		for _, relation := range []string{"same", "other", "related", "former"} {
			a := attempt(t, "invswitch", "RequestSwitchToInvoice", relation, domain.GlobalAdmin, true)
			_, without := policy.Table.Rule(a)
			a.Concern = &c
			if _, with := policy.Table.Rule(a); (without == nil) != (with == nil) || refusal(without) != nil && refusal(with).Code != refusal(without).Code {
				t.Errorf("C10: %s by %s: %v with what it is about, %v without", name, relation, with, without)
			}
		}
	}
}

// Nobody makes anything in another tenant but by its name (which is the new
// aggregate's ID) or by what it is about, and there Konto's own staff alone.
func TestWhatReachesIntoOtherTenants(t *testing.T) {
	t.Parallel()
	all := concerns(t)
	named := []string{"tenant/RegisterTenant", "policy/PublishPolicyVersion"}
	for _, row := range policy.Table.Commands {
		name := row.Category + "/" + row.Command
		for _, g := range row.Grants {
			if !row.Creates || g.Scope != policy.AnyTenant {
				continue
			}
			if _, about := all[name]; !about && !slices.Contains(named, name) {
				t.Errorf("%s makes something for any tenant, and nothing says for which", name)
			}
			if len(g.Roles) == 0 || slices.ContainsFunc(g.Roles, func(r domain.Role) bool { return r != domain.Operator && r != domain.BillingSupport }) {
				t.Errorf("%s: %s, want staff alone", name, g)
			}
		}
	}
}
