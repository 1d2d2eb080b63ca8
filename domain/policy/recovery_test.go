package policy_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
)

func TestRecoveryReactions(t *testing.T) {
	due := noon.AddDate(0, 0, 180)
	code := event("ann", securityinfo.RecoveryCodeRequested{
		Reset: "r", Slot: securityinfo.SlotOffice, Channel: domain.Voice, Contact: about("+46812345"), At: noon, ExpiresAt: noon.Add(time.Minute),
	})
	ask := func(after time.Duration) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: "ann", Command: securityinfo.RequestReconfirmation{DueAt: due}, After: after + time.Second}}
	}
	first := verified(securityinfo.SlotMobile, about("+46701"), domain.Personal[string]{})
	first.ReconfirmBy = due
	run(t, []reactionCase{
		{name: "PM1: a started reset has its codes sent by Konto", reaction: "send-recovery-codes", when: event("ann", securityinfo.PasswordResetStarted{Reset: "r"}), then: []domain.Effect{
			domain.Dispatch{To: "ann", Command: securityinfo.SendRecoveryCodes{Reset: "r"}},
		}},
		{name: "PM1: a recovery code goes to its contact alone", reaction: "send-recovery-code", when: code, then: []domain.Effect{
			toldAt(domain.Voice, about("+46812345"), "recovery_code", object{"slot": "office", "reset": "r", "expiresAt": noon.Add(time.Minute)}),
		}},
		{name: "I9: the first contact plans the question", reaction: "ask-to-reconfirm-contacts", when: event("ann", first), then: ask(due.Sub(noon))},
		{name: "I9: a later contact plans none", reaction: "ask-to-reconfirm-contacts", when: event("ann", verified(securityinfo.SlotMobile, about("+46701"), domain.Personal[string]{}))},
		{name: "I9: an answer plans the next", reaction: "ask-to-reconfirm-contacts", when: event("ann", securityinfo.SecurityInfoReconfirmed{At: noon, DueAt: due}), then: ask(due.Sub(noon))},
		{name: "I9: an answer under a policy that never asks", reaction: "ask-to-reconfirm-contacts", when: event("ann", securityinfo.SecurityInfoReconfirmed{At: noon})},
		{name: "I9: postponed", reaction: "ask-to-reconfirm-contacts", when: event("ann", securityinfo.ReconfirmationPostponed{At: noon, DueAt: due}), then: ask(due.Sub(noon))},
		{name: "I9: the person is asked", reaction: "remind-to-reconfirm-contacts", when: event("ann", securityinfo.ReconfirmationRequested{At: noon, DueAt: noon}), then: mail("security_info_reconfirm", object{"dueAt": noon}, "ann")},
	})
}

func TestRecoveryIsReviewed(t *testing.T) {
	const name = "review-recovery"
	roles := []domain.Role{domain.BillingAdmin}
	given := []domain.Recorded[any]{event("ann", admin.EmployeeAdded{Roles: roles}), event("eva", admin.EmployeeAdded{}), event("gus", admin.RoleAssigned{Role: domain.GlobalAdmin})}
	look := func(after time.Duration, ids ...string) []domain.Effect {
		var effects []domain.Effect
		for _, id := range ids {
			effects = append(effects, domain.Dispatch{To: own, Command: tenant.ReviewRecovery{AdminID: id}, After: after})
		}
		return effects
	}
	const aDay = 24 * time.Hour
	run(t, []reactionCase{
		{name: "S4: who is new in a role has a day to add contacts", reaction: name, when: given[0], then: look(aDay, "ann")},
		{name: "S4: who is given a role has a day, too", reaction: name, given: given, when: event("eva", admin.RoleAssigned{Role: domain.Auditor}), then: look(aDay, "eva")},
		{name: "S4: who is new without a role", reaction: name, when: given[1]},
		{name: "S4, S13: who is restored to a role had that day long ago", reaction: name, given: given, when: event("ann", admin.EmployeeRestored{Roles: roles}), then: look(0, "ann")},
		{name: "S4, S13: who is restored without a role", reaction: name, given: given, when: event("eva", admin.EmployeeRestored{})},
		{name: "S4: an address is lost", reaction: name, given: given, when: event("ann", securityinfo.AlternateEmailInvalidated{At: noon}), then: look(0, "ann")},
		{name: "S4: an address is removed", reaction: name, given: given, when: event("ann", securityinfo.AlternateEmailRemoved{At: noon}), then: look(0, "ann")},
		{name: "S4: a phone is removed", reaction: name, given: given, when: event("ann", securityinfo.PhoneMethodRemoved{At: noon}), then: look(0, "ann")},
		{name: "S4: a contact is verified", reaction: name, given: given, when: event("ann", securityinfo.ContactVerified{At: noon}), then: look(0, "ann")},
		{name: "S4: a contact comes back", reaction: name, given: given, when: event("ann", securityinfo.ContactChangeUndone{At: noon}), then: look(0, "ann")},
		{name: "S4: contacts of somebody without a role", reaction: name, given: given, when: event("eva", securityinfo.PhoneMethodRemoved{At: noon})},
		{name: "S4: a domain for which two proofs are needed", reaction: name, given: given, when: event(own, tenant.DomainVerified{TwoProofs: true}), then: look(0, "ann", "gus")},
		{name: "S4: a domain for which they are not", reaction: name, given: given, when: event(own, tenant.DomainVerified{})},
		{name: "S4: the last role goes", reaction: name, given: given, when: event("ann", admin.RoleRemoved{Role: roles[0]}), then: look(0, "ann")},
		{name: "S4: and whoever has none is looked at no more", reaction: name, given: append(slices.Clip(given), event("ann", admin.RoleRemoved{Role: roles[0]})), when: event("ann", securityinfo.PhoneMethodRemoved{At: noon})},
		{name: "S4, S13: somebody leaves", reaction: name, given: given, when: event("ann", admin.EmployeeBlocked{Roles: roles}), then: look(0, "ann")},
	})
}

func TestTellOfRecovery(t *testing.T) {
	const name = "tell-of-recovery"
	staff := []domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
		event("gus", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("eva", admin.EmployeeAdded{}),
		event("zoe", admin.RoleAssigned{Role: domain.GlobalAdmin}),
		event("zoe", admin.RoleRemoved{Role: domain.GlobalAdmin}),
	}
	gap := func(who string, gate recovery.Gate, missing ...string) domain.Recorded[any] {
		return event(own, tenant.RecoveryGapFound{AdminID: who, Gate: gate, Missing: missing})
	}
	notReady := func(who, to string, gate recovery.Gate, missing ...string) []domain.Effect {
		return mail("recovery_not_ready", object{"missing": missing, "gate": string(gate), "adminId": who, "adminIsRecipient": to == who}, to)
	}
	done := func(who string, self bool) any {
		return object{"adminId": who, "at": noon, "adminIsRecipient": self}
	}
	run(t, []reactionCase{
		{name: "S4: the admin and then the global admins", reaction: name, given: staff, when: gap("ann", recovery.GateTwo, "alternateEmail"), then: append(
			notReady("ann", "ann", recovery.GateTwo, "alternateEmail"), notReady("ann", "gus", recovery.GateTwo, "alternateEmail")...)},
		{name: "S4: where either contact is enough, both are named", reaction: name, given: staff, when: gap("ann", recovery.GateOne, "phone", "alternateEmail"), then: append(
			notReady("ann", "ann", recovery.GateOne, "phone", "alternateEmail"), notReady("ann", "gus", recovery.GateOne, "phone", "alternateEmail")...)},
		{name: "S4: a global admin is told once", reaction: name, given: staff, when: gap("gus", recovery.GateTwo, "phone"), then: notReady("gus", "gus", recovery.GateTwo, "phone")},
		{name: "S5: an admin's reset: that admin and the other global admins", reaction: name, given: staff, when: event("ann", securityinfo.PasswordResetCompleted{Reset: "r", At: noon}), then: append(
			mail("admin_reset_done", done("ann", true), "ann"), mail("admin_reset_done", done("ann", false), "gus")...)},
		{name: "S5: a global admin's own reset is told them once", reaction: name, given: staff, when: event("gus", securityinfo.PasswordResetCompleted{Reset: "r", At: noon}), then: mail("admin_reset_done", done("gus", true), "gus")},
		{name: "S5: a reset of somebody without a role", reaction: name, given: staff, when: event("eva", securityinfo.PasswordResetCompleted{Reset: "r", At: noon}), then: mail("admin_reset_done", done("eva", true), "eva")},
	})
}

func TestUndoIsOfferedToThePreviousContactAlone(t *testing.T) {
	const name, template = "tell-of-contact-change", "security_contact_changed"
	until := noon.Add(72 * time.Hour)
	changed := verified(securityinfo.SlotAlternateEmail, about("b@home.example"), about("a@home.example"))
	changed.UndoUntil = until
	first := event("ann", verified(securityinfo.SlotAlternateEmail, about("a@home.example"), domain.Personal[string]{}))
	offer := func(change, id string) object {
		return object{"slot": "alternateEmail", "change": change, "at": noon, "undo": object{"change": id, "until": until}}
	}
	run(t, []reactionCase{
		{name: "I7: a change", reaction: name, given: []domain.Recorded[any]{first}, when: event("ann", changed), then: append(
			butNew(template, contactChanged("alternateEmail", "changed"), "b@home.example"),
			toldAt(domain.Mail, about("a@home.example"), template, offer("changed", "v")))},
		{
			name: "I7: a removal", reaction: name, given: []domain.Recorded[any]{first},
			when: event("ann", securityinfo.AlternateEmailRemoved{Old: about("a@home.example"), At: noon, Change: "w", UndoUntil: until}),
			then: append(mail(template, contactChanged("alternateEmail", "removed"), "ann"),
				toldAt(domain.Mail, about("a@home.example"), template, offer("removed", "w"))),
		},
		{
			name: "I7: the contact that was put out again is told, and offered nothing", reaction: name, given: []domain.Recorded[any]{first, event("ann", changed)},
			when: event("ann", securityinfo.ContactChangeUndone{Slot: securityinfo.SlotAlternateEmail, Change: "v", Contact: about("a@home.example"), Dropped: about("b@home.example"), At: noon}),
			then: append(mail(template, contactChanged("alternateEmail", "changed"), "ann"),
				toldAt(domain.Mail, about("b@home.example"), template, contactChanged("alternateEmail", "changed"))),
		},
	})
}
