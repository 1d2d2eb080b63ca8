package policy

import (
	"slices"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/securityinfo"
)

// Condition is what a row asks of a person besides a grant: whose the card is,
// whether the contacts are an admin's, how large what is cancelled is. It is
// decided before the aggregate sees the command, on facts and on the policies
// in force, so it cannot depend on what the command says.
//
// The rule is written down once, by the package of the aggregate, which asks
// it again when it decides: what it looks at may have changed in between.
type Condition struct {
	Says string // for auditors
	// Needs names the facts of Refuse; see [domain.Needer].
	Needs func(domain.Meta) []domain.Need
	// Refuse says why the actor may not, or returns nil. It is pure.
	Refuse func(domain.Meta) *domain.Error
	// Who are those who meet it where that is not for a role to do, by the
	// policies in force; nil for the roles of the grants.
	Who func(domain.Meta) []domain.Role
}

const recently = "the actor signed in a short while ago (privileged-session); "

// The conditions of [Table].
var (
	ownCard = &Condition{
		Says:  "the card is the actor's own, or card-edit lets others edit it",
		Needs: card.EditNeeds, Refuse: card.Strange, Who: card.Editors,
	}
	phones = &Condition{
		Says:  recently + "an admin's phones are changed by themselves and by those whom contact-help lets look after admins",
		Needs: securityinfo.ChangeNeeds, Refuse: securityinfo.BarredFromPhones,
	}
	alternateEmail = &Condition{
		Says:  recently + "an admin's alternate address is changed by themselves, and by those whom contact-help lets change it",
		Needs: securityinfo.ChangeNeeds, Refuse: securityinfo.BarredFromAddress,
	}
	securityInfo = &Condition{
		Says:  recently + "an admin's contacts are changed by themselves, and by those whom contact-help lets change a part of them",
		Needs: securityinfo.ChangeNeeds, Refuse: securityinfo.BarredFromAll,
	}
	ownNames = &Condition{
		Says:  "no partner keeps the organization's names and addresses in a console of its own",
		Needs: admin.NameNeeds, Refuse: admin.Managed,
	}
	fewLicences = &Condition{
		Says:  "fewer licences are assigned than subscription-cancel names, or the actor is of billing support",
		Needs: billing.CancelNeeds, Refuse: billing.TooLarge,
	}
)

// needs returns what c asks for about s, once a grant lets its actor pass: of
// what is not the actor's business nothing is looked up.
func (c *Condition) needs(row Row, s standing) []domain.Need {
	if c == nil {
		return nil
	}
	for _, g := range row.Grants {
		if g.people() && (g.Policy == nil || s.Facts.Has(g.Policy.Need)) && g.rule(s).Passed {
			return c.Needs(s.meta())
		}
	}
	return nil
}

// rule adds to trace how c decides on s.
func (c *Condition) rule(t Rules, g Grant, s standing, trace []domain.Ruling) ([]domain.Ruling, error) {
	if c == nil || !g.people() {
		return trace, nil
	}
	if refused := c.Refuse(s.meta()); refused != nil {
		return append(trace, domain.Ruling{Check: c.Says, Why: refused.Detail}), t.insteadBy(s, refused)
	}
	return append(trace, domain.Ruling{Check: c.Says, Passed: true}), nil
}

// Explain implements [domain.Authorization]. What is forbidden by the aggregate
// itself is so by a rule that is stricter than the table; of any other refusal
// the table says who may send the command, by the policies in force.
func (t Rules) Explain(a domain.Attempt, refused *domain.Error) *domain.Error {
	row, ok := t.row(a.Category, a.Command)
	if !ok {
		return refused
	}
	return t.explain(row, standingOf(a), refused)
}

func (t Rules) explain(row Row, s standing, refused *domain.Error) *domain.Error {
	if len(refused.Causes) > 0 {
		causes := make([]*domain.Error, len(refused.Causes))
		for i, c := range refused.Causes {
			causes[i] = t.explain(row, s, c)
		}
		return domain.Sum(refused, causes)
	}
	stricter := refused.Kind == domain.KindForbidden && len(refused.WhoMay) > 0
	if !stricter && refused.Kind != domain.KindNotFound && refused.Kind != domain.KindMalformed {
		refused = refused.For(row.who(s)...)
	}
	return t.insteadBy(s, refused)
}

// who are those who may send the row's command.
func (r Row) who(s standing) []domain.Role {
	if r.If != nil && r.If.Who != nil {
		return r.If.Who(s.meta())
	}
	var who []domain.Role
	for _, g := range r.Grants {
		g = g.inForce(s)
		if g.Scope == Self && len(g.Roles) == 0 {
			g.Roles = []domain.Role{domain.WhoSelf}
		}
		for _, role := range g.Roles {
			if !slices.Contains(who, role) {
				who = append(who, role)
			}
		}
	}
	return who
}

// insteadBy says who may do what refused names instead.
func (t Rules) insteadBy(s standing, refused *domain.Error) *domain.Error {
	i := slices.IndexFunc(t.Commands, func(r Row) bool { return r.Command == refused.Instead })
	if i < 0 {
		return refused
	}
	return refused.Allowed(refused.Instead, t.Commands[i].whoever(s)...)
}

// whoever are those who may send the row's command to an account that is not
// the one of s.
func (r Row) whoever(s standing) []domain.Role {
	r.If = nil
	return r.who(s)
}

// people reports whether g is for people who signed in.
func (g Grant) people() bool { return g.Scope != Gateway && g.Scope != Identity && g.Scope != System }

// meta is what a condition may know.
func (s standing) meta() domain.Meta {
	return domain.Meta{ID: s.ID, Tenant: s.Owner, Actor: s.Actor, At: s.At, Facts: s.Facts}
}
