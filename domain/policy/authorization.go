package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/policyversion"
	"konto/domain/relationship"
)

// Rules say who may send which command and who may read what. They are a
// value, shown to auditors as it is: what nobody wrote down is denied.
// All methods are pure and safe for concurrent use.
type Rules struct {
	Version  int // of all that follows; named in every event, refusal and trace
	Commands []Row
	Readers  []Reader
}

// Row says who may send a command: whoever one of the grants lets pass and, of
// people, meets the condition.
type Row struct {
	Category string
	Command  string // wire name
	Rule     string // ID of the rule that the row follows from
	Grants   []Grant
	// Creates says that the command needs no history. Any other command is
	// answered as "not found" where there is none, so that somebody without
	// the right cannot tell another tenant's aggregate from none at all.
	Creates bool
	// If is what else people must meet; nil for nothing.
	If *Condition
	// Body says what the aggregate asks of those who pass that depends on what
	// the command says, in words; empty if who asks makes no difference to it.
	Body    string
	Instead string // the command that is often meant; named to those who may send it
}

// Grant lets an actor pass who stands to the aggregate as Scope says and has
// one of Roles, or of those that Policy names. A grant with neither is for
// every actor in its scope, one whose policy names no role for nobody.
type Grant struct {
	Scope  Scope
	Roles  []domain.Role
	Policy *RolePolicy
}

// Scope is how an actor stands to an aggregate.
type Scope string

// The scopes. All but the last three are for people who signed in.
const (
	Self           Scope = "self"              // it is the actor's own account
	OwnTenant      Scope = "own tenant"        // the actor's tenant owns it
	AnyTenant      Scope = "any tenant"        // of Konto's own staff
	RelatedPartner Scope = "related partner"   // the actor's tenant has an active relationship with the customer
	CustomerSide   Scope = "customer side"     // the relationship is with the actor's tenant as customer
	Gateway        Scope = "gateway"           // a payment gateway's signed call
	Identity       Scope = "identity provider" // the tenant's, for people who cannot sign in
	System         Scope = "system"            // Konto itself
	// FormerUser is for reading alone: it is a former employee's account, and
	// the actor was given access to it that has not ended.
	FormerUser Scope = "former user"
)

// Owner implements [domain.Authorization]. A tenant and what partners keep
// about a customer belong to that tenant, a relationship to the partner that
// asks for it, everything else to whoever makes it. The owner is empty if id
// cannot name such an aggregate. What is about something else belongs to that
// one's owner, and is not asked for here: see [domain.Concerner].
func (Rules) Owner(category, id string, actor domain.Actor) string {
	switch category {
	case "tenant", "customer", "org":
		return id
	case "policy", "exposure":
		return policyversion.Tenant
	case "rel":
		if partner, _, ok := relationship.Parties(id); ok {
			return partner
		}
		return ""
	}
	return actor.Tenant
}

// InForce implements [domain.Versioned]: one version at a time is in force,
// the program's.
func (t Rules) InForce(time.Time) (string, int) { return "authorization", t.Version }

// Needs implements [domain.Authorization].
func (t Rules) Needs(a domain.Attempt) []domain.Need {
	row, _ := t.row(a.Category, a.Command)
	s := standingOf(a)
	var needs []domain.Need
	if ofAccount(a) && (a.Actor.Kind == domain.KindPerson || a.Actor.Kind == domain.KindIdentity) {
		needs = []domain.Need{domain.Of[Home](a.ID)}
	} else {
		needs = s.partnership()
	}
	needs = append(needs, row.If.needs(row, s)...)
	for _, g := range row.Grants {
		if g.Policy != nil && !slices.Contains(needs, g.Policy.Need) {
			needs = append(needs, g.Policy.Need)
		}
	}
	return needs
}

// Rule implements [domain.Authorization].
func (t Rules) Rule(a domain.Attempt) ([]domain.Ruling, error) {
	name := a.Category + "/" + a.Command
	row, ok := t.row(a.Category, a.Command)
	if !ok {
		return []domain.Ruling{{Check: fmt.Sprintf("table v%d has a row for %s", t.Version, name), Why: "what no row allows is denied"}},
			domain.Forbidden("not-allowed", "nobody may send this command").ByRule("N10").With("policyVersion", t.Version)
	}
	s := standingOf(a)
	trace := []domain.Ruling{{Check: fmt.Sprintf("table v%d has a row for %s", t.Version, name), Passed: true, Why: "rule " + row.Rule}}
	concern := a.Concern
	if a.Exists {
		concern = nil
	}
	// Who has no part in it does not learn which check failed either.
	hidden := append(trace[:1:1], domain.Ruling{Check: "there is such an aggregate for the caller"})
	if concern != nil && a.Owner == "" {
		return hidden, concern.None // nobody's, so nobody may
	}
	for _, g := range row.Grants {
		r := g.rule(s)
		trace = append(trace, r)
		if r.Passed {
			return row.If.rule(t, g, s, trace)
		}
	}
	switch {
	case concern != nil && !s.party():
		return hidden, concern.None
	case !s.party() || !a.Exists && !row.Creates:
		return hidden, NotFound(a.Category)
	}
	return trace, t.refusal(row, s)
}

func (t Rules) row(category, command string) (Row, bool) {
	i := slices.IndexFunc(t.Commands, func(r Row) bool { return r.Category == category && r.Command == command })
	if i < 0 {
		return Row{}, false
	}
	return t.Commands[i], true
}

// Provided returns what the aggregate asks of those who may send a command that
// depends on what the command says, in words; empty if nothing does.
func (t Rules) Provided(category, command string) string {
	row, _ := t.row(category, command)
	return row.Body
}

// refusal says who may, and what the actor may do instead.
func (t Rules) refusal(row Row, s standing) error {
	var grants []string
	for _, g := range row.Grants {
		if g = g.inForce(s); g.Policy == nil {
			grants = append(grants, g.String())
		}
	}
	refused := domain.Forbidden("not-allowed", "this is for: %s", strings.Join(grants, "; ")).
		ByRule(row.Rule).For(row.who(s)...).With("policyVersion", t.Version)
	if t.everMay(s.Actor, row.Instead) {
		refused.Instead = row.Instead
	}
	return t.insteadBy(s, refused)
}

// everMay reports whether there is an aggregate for which actor may send command.
func (t Rules) everMay(actor domain.Actor, command string) bool {
	return slices.ContainsFunc(t.Commands, func(r Row) bool {
		return r.Command == command && slices.ContainsFunc(r.Grants, func(g Grant) bool {
			return g.Scope != Gateway && g.Scope != Identity && g.Scope != System && g.has(actor)
		})
	})
}

// String says whom g is for.
func (g Grant) String() string {
	if g.Policy != nil {
		return strings.TrimSuffix(string(g.Scope)+" with a role of "+g.Policy.Name+", "+g.Policy.Terms, ", ")
	}
	if len(g.Roles) == 0 {
		return string(g.Scope)
	}
	names := make([]string, len(g.Roles))
	for i, r := range g.Roles {
		names[i] = string(r)
	}
	return string(g.Scope) + " with " + strings.Join(names, " or ")
}

// has reports whether actor has a role that g is for; of a policy's, those of
// version 1 count.
func (g Grant) has(actor domain.Actor) bool {
	if g.Policy != nil {
		return actor.Has(g.Policy.First...)
	}
	return len(g.Roles) == 0 || actor.Has(g.Roles...)
}

// inForce returns g with the roles that its policy names for s, those of
// version 1 if s does not know the policy, or with its policy if that names none.
func (g Grant) inForce(s standing) Grant {
	if g.Policy == nil {
		return g
	}
	roles := g.Policy.First // of another command, which is named as an alternative
	if s.Facts.Has(g.Policy.Need) {
		roles = g.Policy.In(domain.Meta{At: s.At, Facts: s.Facts})
	}
	if len(roles) > 0 {
		g.Roles, g.Policy = roles, nil
	}
	return g
}

func (g Grant) rule(s standing) domain.Ruling {
	g = g.inForce(s)
	r := domain.Ruling{Check: g.String()}
	switch {
	case g.Policy != nil:
		r.Why = "the policy names no role"
	case !s.in(g.Scope):
		r.Why = "the actor does not stand so to the aggregate"
	case !g.has(s.Actor):
		r.Why = "the actor has none of the roles"
	default:
		r.Passed = true
	}
	return r
}

// standing is how an actor stands to an aggregate: what commands and reads
// have in common.
type standing struct {
	Category string
	ID       string
	Owner    string
	Actor    domain.Actor
	At       time.Time
	Facts    domain.Facts
}

// ofAccount reports whether a is about something without history that goes with
// an account. It is owned by whoever has the account, not by whoever asks.
func ofAccount(a domain.Attempt) bool {
	return (a.Category == "secinfo" || a.Category == "subject") && !a.Exists
}

// standingOf returns who asks for what.
func standingOf(a domain.Attempt) standing {
	s := standing{a.Category, a.ID, a.Owner, a.Actor, a.At, a.Facts}
	if ofAccount(a) {
		s.Owner = ""
		if a.Facts.Has(domain.Of[Home](a.ID)) {
			s.Owner = domain.Fact[Home](domain.Meta{Facts: a.Facts}, a.ID).Tenant
		}
	}
	return s
}

// partnership is the need to know whether the actor's tenant is the
// customer's partner.
func (s standing) partnership() []domain.Need {
	if s.Category != "customer" || s.Actor.Kind != domain.KindPerson || s.Actor.Tenant == s.ID {
		return nil
	}
	return []domain.Need{domain.Of[Relation](relationship.ID(s.Actor.Tenant, s.ID))}
}

// in reports whether the actor stands to the aggregate as scope says.
func (s standing) in(scope Scope) bool {
	person := s.Actor.Kind == domain.KindPerson
	switch scope {
	case Self:
		return person && s.ownTenant() && s.ID == s.Actor.ID
	case OwnTenant:
		return person && s.ownTenant()
	case AnyTenant:
		return person
	case FormerUser:
		return person && s.entrusted()
	case RelatedPartner:
		return person && s.related()
	case CustomerSide:
		return person && s.customerSide()
	case Gateway:
		return s.Actor.Kind == domain.KindGateway && s.within()
	case Identity:
		return s.Actor.Kind == domain.KindIdentity && s.ownTenant()
	case System:
		return s.Actor.Kind == domain.KindSystem && s.within()
	}
	return false
}

// party reports whether the actor may know that there is such an aggregate.
func (s standing) party() bool {
	if s.Actor.Kind != domain.KindPerson {
		return s.within()
	}
	return s.ownTenant() || s.related() || s.customerSide() || s.Category == "policy"
}

func (s standing) ownTenant() bool { return s.Owner != "" && s.Owner == s.Actor.Tenant }

// entrusted reports whether the actor was let read the account of somebody who
// has left, and until later than now.
func (s standing) entrusted() bool {
	return s.ownTenant() && s.Facts.Has(domain.Of[Entrusted](s.ID)) &&
		domain.Fact[Entrusted](domain.Meta{Facts: s.Facts}, s.ID).Until[s.Actor.ID].After(s.At) && !s.At.IsZero()
}

// within reports whether an actor that is no person keeps to its tenant, if it
// is bound to one.
func (s standing) within() bool {
	return s.Actor.Tenant == "" || s.Owner == "" || s.Owner == s.Actor.Tenant
}

func (s standing) related() bool {
	var key string
	switch s.Category {
	case "customer":
		key = relationship.ID(s.Actor.Tenant, s.ID)
	case "rel":
		key = s.ID
		if !s.ownTenant() || s.ID == "" {
			return s.ownTenant() // the list of the partner's own
		}
	default:
		return false
	}
	return s.Facts.Has(domain.Of[Relation](key)) && domain.Fact[Relation](domain.Meta{Facts: s.Facts}, key).Active
}

func (s standing) customerSide() bool {
	if s.Category != "rel" {
		return false
	}
	_, customer, ok := relationship.Parties(s.ID)
	return ok && customer == s.Actor.Tenant
}
