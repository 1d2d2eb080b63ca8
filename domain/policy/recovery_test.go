package policy_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/securityinfo"
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

func TestTellOfRecovery(t *testing.T) {
	const name = "tell-of-recovery"
	staff := []domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
		event("gus", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("eva", admin.EmployeeAdded{}),
		event("zoe", admin.RoleAssigned{Role: domain.GlobalAdmin}),
		event("zoe", admin.RoleRemoved{Role: domain.GlobalAdmin}),
	}
	use := func(who string, slots ...securityinfo.Slot) []domain.Recorded[any] {
		given := slices.Clip(staff)
		for _, slot := range slots {
			given = append(given, event(who, verified(slot, about("x"), domain.Personal[string]{})))
		}
		return given
	}
	lost := func(waiting bool) securityinfo.AlternateEmailInvalidated {
		return securityinfo.AlternateEmailInvalidated{Email: about("a@home.example"), Waiting: waiting, At: noon}
	}
	notReady := func(missing ...string) []domain.Effect {
		return append(mail("recovery_not_ready", object{"missing": missing, "adminId": "ann", "adminIsRecipient": true}, "ann"),
			mail("recovery_not_ready", object{"missing": missing, "adminId": "ann", "adminIsRecipient": false}, "gus")...)
	}
	done := func(who string, self bool) any {
		return object{"adminId": who, "at": noon, "adminIsRecipient": self}
	}
	roles := []domain.Role{domain.BillingAdmin}
	gone := func(given []domain.Recorded[any]) []domain.Recorded[any] {
		return append(slices.Clip(given), event("ann", admin.EmployeeBlocked{Roles: roles}))
	}
	const mobile, office, address = securityinfo.SlotMobile, securityinfo.SlotOffice, securityinfo.SlotAlternateEmail
	run(t, []reactionCase{
		{name: "S4: the address is lost: the admin and then the global admins", reaction: name, given: use("ann", mobile, address), when: event("ann", lost(false)), then: notReady("alternateEmail")},
		{name: "S4: the last phone is removed", reaction: name, given: use("ann", mobile, address), when: event("ann", securityinfo.PhoneMethodRemoved{Slot: mobile, At: noon}), then: notReady("phone")},
		{name: "S4: one of two phones is removed", reaction: name, given: use("ann", mobile, office, address), when: event("ann", securityinfo.PhoneMethodRemoved{Slot: mobile, At: noon})},
		{name: "S4: an address that only waited", reaction: name, given: use("ann", mobile, address), when: event("ann", lost(true))},
		{name: "S4: somebody who was not ready before", reaction: name, given: use("ann", address), when: event("ann", lost(false))},
		{name: "S4: somebody without a role", reaction: name, given: use("eva", mobile, address), when: event("eva", lost(false))},
		{name: "S4, S13: who is restored to a role without contacts is told", reaction: name, given: gone(staff), when: event("ann", admin.EmployeeRestored{Roles: roles}), then: notReady("phone", "alternateEmail")},
		{name: "S4, S13: who is restored with a phone alone is told", reaction: name, given: gone(use("ann", mobile)), when: event("ann", admin.EmployeeRestored{Roles: roles}), then: notReady("alternateEmail")},
		{name: "S4, S13: who is restored and could recover is not told", reaction: name, given: gone(use("ann", mobile, address)), when: event("ann", admin.EmployeeRestored{Roles: roles})},
		{name: "S4, S13: who is restored without a role is not told", reaction: name, given: staff, when: event("eva", admin.EmployeeRestored{})},
		{name: "S4: who was restored counts again", reaction: name, given: append(gone(use("ann", mobile, address)), event("ann", admin.EmployeeRestored{Roles: roles})), when: event("ann", lost(false)), then: notReady("alternateEmail")},
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
