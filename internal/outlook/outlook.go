// Package outlook answers whether a person could recover their account now,
// and whether they and their organization still could after a change that
// somebody thinks of (N7).
//
// It changes nothing and sends nothing. What would be true is worked out from
// the accounts themselves, at this moment, and not from read models; what
// would be refused is what the rules of the commands themselves say. Whether
// the caller may send such a command is another question, which can-i answers.
//
// The two measures differ on purpose. Somebody is ready if a reset that begins
// now would succeed, so a contact in its cool-down does not count (I7). A
// global admin is recoverable for the lock-out guard (I8) if their contacts
// will do once that is over; see package recovery.
package outlook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/internal/command"
	"konto/projections"
)

// Change is what somebody thinks of doing. The zero value is nothing.
type Change struct {
	Remove     []securityinfo.Slot // contacts that are removed in one save
	AssignRole domain.Role
	RemoveRole domain.Role
	Offboard   bool
	Terms      *recovery.Terms // another version of the policy account-recovery
}

// IsZero reports whether nothing changes.
func (c Change) IsZero() bool {
	return len(c.Remove) == 0 && c.AssignRole == "" && c.RemoveRole == "" && !c.Offboard && c.Terms == nil
}

// Answer is what was asked for.
type Answer struct {
	AdminID string
	Now     Prospect
	After   *Prospect // nil if nothing changes
	// RecoverableNow and RecoverableAfter count the organization's global
	// admins whom the lock-out guard counts.
	RecoverableNow   int
	RecoverableAfter int
	// Refusals are what the rules say against the change.
	Refusals []*domain.Error
}

// LocksOut reports whether the organization would have no recoverable global
// admin left.
func (a Answer) LocksOut() bool {
	return a.After != nil && a.RecoverableNow > 0 && a.RecoverableAfter == 0
}

// Prospect is how a person stands before or after the change.
type Prospect struct {
	SignsIn bool `json:"signsIn"` // the account can be used at all
	projections.Readiness
}

// Outlook answers. Both fields must be set.
type Outlook struct {
	Commands *command.Handler
	Now      func() time.Time
}

// Of answers for a person of a tenant. Of somebody who is not there, or not
// the tenant's, it returns [sql.ErrNoRows].
func (o Outlook) Of(ctx context.Context, tenant, id string, c Change) (Answer, error) {
	s, err := o.look(ctx, tenant, id)
	if err != nil {
		return Answer{}, err
	}
	now := o.Now()
	a := Answer{AdminID: id, Now: s.readiness(now), RecoverableNow: s.recoverable(now)}
	a.RecoverableAfter = a.RecoverableNow
	if c.IsZero() {
		return a, nil
	}
	s.apply(c)
	after := s.readiness(now)
	a.After, a.RecoverableAfter = &after, s.recoverable(now)
	a.Refusals, err = o.refusals(ctx, tenant, id, c)
	return a, err
}

// situation is what the answer depends on.
type situation struct {
	person   person
	contacts []projections.CoolingDown // of the person: verified, with the end of the cool-down
	others   []colleague
	standing recovery.Standing
	terms    recovery.Terms
}

type person struct {
	id      string
	signsIn bool
	roles   []domain.Role
}

// colleague is another global admin of the organization.
type colleague struct{ contacts recovery.Contacts }

func (o Outlook) look(ctx context.Context, tenant, id string) (situation, error) {
	var s situation
	found := false
	err := o.Commands.View(ctx, admin.Aggregate.Category(), id, func(state any, _ eventstore.Revision, owner string) {
		a := state.(*admin.Admin)
		found = a.Exists() && owner == tenant
		s.person = person{id, a.CanSignIn(), slices.Clone(a.Roles)}
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	if err != nil {
		return s, err
	}
	err = o.Commands.View(ctx, securityinfo.Aggregate.Category(), id, func(state any, _ eventstore.Revision, _ string) {
		for slot, from := range state.(*securityinfo.SecurityInfo).Verified() {
			s.contacts = append(s.contacts, projections.CoolingDown{Slot: slot, UsableFrom: from})
		}
	})
	if err != nil {
		return s, err
	}
	organization := domain.Of[admin.Organization](tenant)
	facts, err := o.Commands.Learn(ctx, organization, recovery.Policy.Need())
	if err != nil {
		return s, err
	}
	m := domain.Meta{At: o.Now(), Facts: facts}
	org := domain.Fact[admin.Organization](m, tenant)
	s.terms = recovery.Policy.In(m)
	s.standing = recovery.Standing{Domains: len(org.Domains), TrialSince: org.TrialSince}
	return s, o.lookAround(ctx, &s, tenant, org.GlobalAdmins)
}

// lookAround adds the organization's other global admins.
func (o Outlook) lookAround(ctx context.Context, s *situation, tenant string, ids []string) error {
	for _, id := range ids {
		if id == s.person.id {
			continue
		}
		facts, err := o.Commands.Learn(ctx, domain.Of[admin.Colleague](id), domain.Of[recovery.Contacts](id))
		if err != nil {
			return err
		}
		m := domain.Meta{Facts: facts}
		if c := domain.Fact[admin.Colleague](m, id); c.GlobalAdmin && c.Tenant == tenant {
			s.others = append(s.others, colleague{domain.Fact[recovery.Contacts](m, id)})
		}
	}
	return nil
}

// apply makes the change.
func (s *situation) apply(c Change) {
	s.contacts = slices.DeleteFunc(s.contacts, func(v projections.CoolingDown) bool { return slices.Contains(c.Remove, v.Slot) })
	if c.AssignRole != "" && !slices.Contains(s.person.roles, c.AssignRole) {
		s.person.roles = append(s.person.roles, c.AssignRole)
	}
	s.person.roles = slices.DeleteFunc(s.person.roles, func(r domain.Role) bool { return r == c.RemoveRole })
	s.person.signsIn = s.person.signsIn && !c.Offboard
	if c.Terms != nil {
		s.terms = *c.Terms
	}
}

func (s *situation) readiness(now time.Time) Prospect {
	gate := s.terms.GateOf(len(s.person.roles) > 0, s.standing, now)
	r := Prospect{s.person.signsIn, projections.Judge(s.person.id, gate, slices.Clone(s.contacts), now)}
	r.Ready = r.Ready && r.SignsIn // who has left has nothing to recover
	return r
}

// recoverable counts the global admins whom the lock-out guard counts.
func (s *situation) recoverable(now time.Time) int {
	gate := s.terms.GateOf(true, s.standing, now)
	n := 0
	for _, c := range s.others {
		if c.contacts.Pass(gate) {
			n++
		}
	}
	var own []securityinfo.Slot
	for _, c := range s.contacts {
		own = append(own, c.Slot)
	}
	if s.person.signsIn && slices.Contains(s.person.roles, domain.GlobalAdmin) && securityinfo.Passed(gate, own) {
		n++
	}
	return n
}

// refusals asks the rules of the commands that the change would take.
func (o Outlook) refusals(ctx context.Context, tenant, id string, c Change) ([]*domain.Error, error) {
	var refusals []*domain.Error
	ask := func(category, name string, body any) error {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_, refused, err := o.Commands.Foresee(ctx, command.Request{
			Category: category, Target: id, Command: name, Body: data, Tenant: tenant,
		})
		if rule, ok := errors.AsType[*domain.Error](refused); ok {
			refusals = append(refusals, rule)
		}
		return err
	}
	var errs []error
	if len(c.Remove) > 0 {
		errs = append(errs, ask(securityinfo.Aggregate.Category(), "UpdateSecurityInfo", emptied(c.Remove)))
	}
	if c.AssignRole != "" {
		errs = append(errs, ask(admin.Aggregate.Category(), "AssignRole", admin.AssignRole{Role: c.AssignRole}))
	}
	if c.RemoveRole != "" {
		errs = append(errs, ask(admin.Aggregate.Category(), "RemoveRole", admin.RemoveRole{Role: c.RemoveRole}))
	}
	if c.Offboard {
		errs = append(errs, ask(admin.Aggregate.Category(), "OffboardEmployee", admin.OffboardEmployee{}))
	}
	return refusals, errors.Join(errs...)
}

// emptied is the save that removes contacts.
func emptied(slots []securityinfo.Slot) securityinfo.UpdateSecurityInfo {
	var c securityinfo.UpdateSecurityInfo
	for _, s := range slots {
		switch s {
		case securityinfo.SlotMobile:
			c.Mobile = new(string)
		case securityinfo.SlotAlternateMobile:
			c.AlternateMobile = new(string)
		case securityinfo.SlotOffice:
			c.Office = new(string)
		case securityinfo.SlotAlternateEmail:
			c.AlternateEmail = new(string)
		}
	}
	return c
}
