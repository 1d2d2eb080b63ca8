package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/history"
	"konto/internal/retrial"
)

// PolicySummary is a policy in a list.
type PolicySummary struct {
	Name      string   `json:"name"`
	Summary   string   `json:"summary"`
	Version   int      `json:"version" doc:"in force now"`
	Published int      `json:"published" doc:"how many versions there are, the first included"`
	Editions  []string `json:"editions,omitempty" doc:"rules that are ready to be published"`
}

// PolicyVersions is a policy with all its versions.
type PolicyVersions struct {
	PolicySummary
	Next     int              `json:"next" doc:"the number of the version that can be published next"`
	Versions []PolicyVersion  `json:"versions"`
	Ready    []policy.Edition `json:"ready,omitempty" doc:"the editions' rules"`
}

// PolicyVersion is one version of a policy.
type PolicyVersion struct {
	Number       int             `json:"number"`
	EffectiveAt  *time.Time      `json:"effectiveAt,omitempty" doc:"absent for the first: from the beginning"`
	AnnouncedFor *time.Time      `json:"announcedFor,omitempty" doc:"when it was to come into force before it was put off"`
	LocksOut     int             `json:"locksOut,omitempty" doc:"how many organizations it would leave without a global admin who could recover, as of the last look"`
	InForce      bool            `json:"inForce"`
	Rules        json.RawMessage `json:"rules"`
	Note         string          `json:"note,omitempty"`
	PublishedBy  string          `json:"publishedBy,omitempty"`
	PublishedAt  *time.Time      `json:"publishedAt,omitempty"`
}

// CanI answers whether the caller may send a command.
type CanI struct {
	Command        string          `json:"command"`
	Target         string          `json:"target"`
	Allowed        bool            `json:"allowed"`
	Exists         bool            `json:"exists" doc:"there is such an account for you; if not, only a command that makes one is carried out"`
	Provided       string          `json:"provided,omitempty" doc:"what your right also depends on once the command says it, such as whose card it names"`
	Refusal        *Problem        `json:"refusal,omitempty"`
	Trace          []domain.Ruling `json:"trace" doc:"how the authorization got there"`
	PolicyVersions map[string]int  `json:"policyVersions,omitempty"`
}

// policies registers what can be asked of the rules themselves.
func (s *server) policies(api huma.API) {
	get(s, api, "/v1/policies", "The policies: rules that are data, and which version is in force", "policies", s.policyList)
	get(s, api, "/v1/policies/{name}", "All versions of a policy", "policies", s.policyOne)
	get(s, api, "/v1/policies/{name}/backtest", "Which past decisions another version would have changed; changes nothing", "policies", s.backtest)
	get(s, api, "/v1/can-i", "Whether you may send a command to an account, and why", "identity", s.canI)
}

func (s *server) policyList(ctx context.Context, _ *Common) (a answer[[]PolicySummary], err error) {
	for _, d := range policy.Policies {
		p, err := s.versions(ctx, d)
		if err != nil {
			return a, err
		}
		a.body = append(a.body, p.PolicySummary)
	}
	return a, nil
}

// PolicyQuery names a policy.
type PolicyQuery struct {
	Common
	Name string `path:"name"`
}

func (s *server) policyOne(ctx context.Context, q *PolicyQuery) (a answer[PolicyVersions], err error) {
	d, ok := policy.Find(q.Name)
	if !ok {
		return a, policyversion.ErrUnknown
	}
	a.body, err = s.versions(ctx, d)
	return a, err
}

func (s *server) versions(ctx context.Context, d policy.Declared) (PolicyVersions, error) {
	now := s.Now()
	out := PolicyVersions{Versions: []PolicyVersion{{Number: 1, Rules: d.First}}, Ready: d.Editions}
	out.Name, out.Summary, out.Version = d.Name, d.Summary, 1
	for _, e := range d.Editions {
		out.Editions = append(out.Editions, e.Name)
	}
	err := s.Commands.View(ctx, policyversion.Aggregate.Category(), d.Name, func(state any, _ eventstore.Revision, _ string) {
		p := state.(*policyversion.Policy)
		out.Next = p.Next()
		for _, v := range p.Versions {
			if !v.EffectiveAt.After(now) {
				out.Version = v.Number
			}
			shown := PolicyVersion{
				Number: v.Number, EffectiveAt: &v.EffectiveAt, LocksOut: v.LocksOut, Rules: slices.Clone(v.Rules), Note: v.Note,
				PublishedBy: v.PublishedBy, PublishedAt: &v.PublishedAt,
			}
			if !v.AnnouncedFor.IsZero() {
				shown.AnnouncedFor = &v.AnnouncedFor
			}
			out.Versions = append(out.Versions, shown)
		}
	})
	out.Published = len(out.Versions)
	out.Versions[out.Version-1].InForce = true
	return out, err
}

// BacktestQuery is a [retrial.Question].
type BacktestQuery struct {
	PolicyQuery
	Version int    `query:"version" minimum:"1" doc:"the version in question"`
	Edition string `query:"edition" doc:"or an edition that is not published"`
	Rules   string `query:"rules" maxLength:"16384" doc:"or rules that are not published, as JSON"`
	From    string `query:"from" doc:"commands recorded from then on: a time or a date"`
	To      string `query:"to" doc:"commands recorded before: a time or a date"`
	Tenant  string `query:"tenant" doc:"whose accounts; operators may leave it out"`
	Limit   int    `query:"limit" minimum:"1" maximum:"5000" default:"500" doc:"of differences that are listed"`
}

// errBacktest says who may see how others' commands would have ended.
var errBacktest = domain.Forbidden("backtest-not-allowed", "this is for operators, and for auditors about their own organization").
	ByRule("N11").Allowed("", domain.Operator, domain.Auditor)

func (s *server) backtest(ctx context.Context, q *BacktestQuery) (a answer[retrial.Report], err error) {
	actor := actorOf(ctx)
	if !actor.Has(domain.Operator) {
		if q.Tenant == "" {
			q.Tenant = actor.Tenant
		}
		if !actor.Has(domain.Auditor) || q.Tenant != actor.Tenant {
			return a, errBacktest
		}
		if _, err := s.pastOfAll(ctx, q.Tenant, audit.Query{Kind: audit.ReadBacktest, Type: q.Name, From: q.From, To: q.To}); err != nil {
			return a, err
		}
	}
	question := retrial.Question{Policy: q.Name, Version: q.Version, Rules: json.RawMessage(q.Rules), Tenant: q.Tenant, Limit: q.Limit}
	if q.Edition != "" {
		d, ok := policy.Find(q.Name)
		if !ok {
			return a, policyversion.ErrUnknown
		}
		i := slices.IndexFunc(d.Editions, func(e policy.Edition) bool { return e.Name == q.Edition })
		if i < 0 {
			return a, newProblem(http.StatusNotFound, "policy-edition-not-found", "the policy has no such edition")
		}
		question.Rules = d.Editions[i].Rules
	}
	if question.From, err = history.ParseTime(q.From); err != nil {
		return a, err
	}
	if question.To, err = history.ParseTime(q.To); err != nil {
		return a, err
	}
	ctx, end := s.untilEnding(ctx)
	defer end()
	c := s.Commands.Config
	tester := retrial.Tester{Store: c.Store, Keys: c.Keys, Contracts: c.Contracts, Sources: c.Sources, Authorization: c.Authorization}
	a.body, err = tester.Run(ctx, question)
	return a, err
}

// CanIQuery names a command and the account that it would go to.
type CanIQuery struct {
	Common
	Command string `query:"command" required:"true" doc:"its name, such as UpdateCardDetails"`
	Target  string `query:"target" required:"true" doc:"the account's ID"`
	About   string `query:"about" doc:"the ID of what a new account would be about, such as a case's subscription: it would belong to that one's organization"`
}

func (s *server) canI(ctx context.Context, q *CanIQuery) (a answer[CanI], err error) {
	var category string
	for _, c := range s.Contracts {
		if slices.ContainsFunc(c.Commands(), func(i domain.CommandInfo) bool { return i.Name == q.Command && !i.Internal && !i.NoRoute }) {
			category = c.Category()
		}
	}
	if category == "" {
		return a, newProblem(http.StatusNotFound, "command-not-found", "there is no such command")
	}
	if !isID(category, q.Target) {
		return a, newProblem(http.StatusNotFound, "not-found", "there is no such account")
	}
	if q.About != "" && !ids.MatchString(q.About) {
		return a, newProblem(http.StatusNotFound, "not-found", "there is no such account")
	}
	p, err := s.Commands.CanI(ctx, command.Question{
		Category: category, Target: q.Target, Command: q.Command, About: q.About, Actor: actorOf(ctx),
	})
	a.body = CanI{Command: q.Command, Target: q.Target, Allowed: p.Allowed, Exists: p.Exists, Trace: p.Trace, PolicyVersions: p.Versions}
	if p.Allowed {
		a.body.Provided = policy.Table.Provided(category, q.Command)
	}
	if p.Refused != nil {
		a.body.Refusal = ofRule(p.Refused)
		a.body.Refusal.explain()
	}
	return a, err
}
