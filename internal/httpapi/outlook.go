package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"konto/domain"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/internal/outlook"
	"konto/internal/retrial"
)

// Outlook is whether a person could recover their account, now and after a
// change.
type Outlook struct {
	AdminID string            `json:"adminId"`
	Now     outlook.Prospect  `json:"now"`
	After   *outlook.Prospect `json:"after,omitempty" doc:"absent if no change was named"`
	// GlobalAdmins are those whom the lock-out guard counts: with contacts that
	// are enough, cool-down or not.
	GlobalAdmins RecoverableAdmins `json:"recoverableGlobalAdmins"`
	LocksOut     bool              `json:"locksOut" doc:"the change would leave the organization without a global admin who could recover"`
	Refusals     []*Problem        `json:"refusals,omitempty" doc:"what the rules say against the change; whether you may make it, can-i says"`
}

// RecoverableAdmins counts an organization's global admins who could recover.
type RecoverableAdmins struct {
	Now   int  `json:"now"`
	After *int `json:"after,omitempty"`
}

// OutlookQuery names a person, and a change that is only thought of.
type OutlookQuery struct {
	OneQuery
	Remove     []string `query:"remove" doc:"contacts that are removed: mobile, alternateMobile, office or alternateEmail"`
	AssignRole string   `query:"assign-role" doc:"a role that is given"`
	RemoveRole string   `query:"remove-role" doc:"a role that is taken"`
	Offboard   bool     `query:"off-board" doc:"the person leaves"`
	Edition    string   `query:"edition" doc:"an edition of the policy account-recovery that comes into force"`
	Version    int      `query:"version" minimum:"1" doc:"or a version of it that was published"`
	Rules      string   `query:"rules" maxLength:"16384" doc:"or rules of it that are not published, as JSON"`
}

func (s *server) outlook(ctx context.Context, q *OutlookQuery) (a answer[Outlook], err error) {
	tenant, _, err := s.reach(ctx, securityinfo.Aggregate.Category(), q.ID, q.Tenant)
	if err != nil {
		return a, err
	}
	change, err := s.thought(ctx, q)
	if err != nil {
		return a, err
	}
	found, err := outlook.Outlook{Commands: s.Commands, Now: s.Now}.Of(ctx, tenant, q.ID, change)
	if err != nil {
		return a, err
	}
	a.body = Outlook{
		AdminID: found.AdminID, Now: found.Now, After: found.After, LocksOut: found.LocksOut(),
		GlobalAdmins: RecoverableAdmins{Now: found.RecoverableNow},
	}
	if found.After != nil {
		a.body.GlobalAdmins.After = &found.RecoverableAfter
	}
	for _, r := range found.Refusals {
		p := ofRule(r)
		p.explain()
		a.body.Refusals = append(a.body.Refusals, p)
	}
	return a, nil
}

// thought reads the change that a caller names.
func (s *server) thought(ctx context.Context, q *OutlookQuery) (outlook.Change, error) {
	c := outlook.Change{AssignRole: domain.Role(q.AssignRole), RemoveRole: domain.Role(q.RemoveRole), Offboard: q.Offboard}
	for _, name := range q.Remove {
		slot := securityinfo.Slot(name)
		if !slices.Contains(securityinfo.Slots(), slot) {
			return c, securityinfo.ErrSlot
		}
		c.Remove = append(c.Remove, slot)
	}
	rules, err := s.thoughtRules(ctx, q)
	if err != nil || rules == nil {
		return c, err
	}
	d, _ := policy.Find(recovery.Policy.Name)
	if rules, err = d.Check(rules); err != nil {
		refusal := *policyversion.ErrRules
		refusal.Detail += ": " + err.Error()
		return c, &refusal
	}
	c.Terms = new(recovery.Terms)
	return c, json.Unmarshal(rules, c.Terms)
}

// thoughtRules finds the rules that a caller names, nil for none.
func (s *server) thoughtRules(ctx context.Context, q *OutlookQuery) (json.RawMessage, error) {
	d, _ := policy.Find(recovery.Policy.Name)
	switch {
	case q.Rules != "":
		return json.RawMessage(q.Rules), nil
	case q.Edition != "":
		i := slices.IndexFunc(d.Editions, func(e policy.Edition) bool { return e.Name == q.Edition })
		if i < 0 {
			return nil, newProblem(http.StatusNotFound, "policy-edition-not-found", "the policy has no such edition")
		}
		return d.Editions[i].Rules, nil
	case q.Version == 1:
		return d.First, nil
	case q.Version == 0:
		return nil, nil
	}
	var rules json.RawMessage
	err := s.Commands.View(ctx, policyversion.Aggregate.Category(), d.Name, func(state any, _ eventstore.Revision, _ string) {
		for _, v := range state.(*policyversion.Policy).Versions {
			if v.Number == q.Version {
				rules = slices.Clone(v.Rules)
			}
		}
	})
	if err == nil && rules == nil {
		err = retrial.ErrVersion
	}
	return rules, err
}
