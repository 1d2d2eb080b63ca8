package securityinfo_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

func authAdmin() domain.Actor {
	return domain.Actor{ID: "abe", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.AuthAdmin}}
}

func privilegedAdmin() domain.Actor {
	return domain.Actor{ID: "pam", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.PrivilegedAuthAdmin}}
}

// both are a person's two contacts, verified.
func both() []Event {
	return history(do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotAlternateEmail))
}

func TestOneMethod(t *testing.T) {
	t.Parallel()
	var (
		waiting = history(do(mobile(number)))
		one     = history(do(mobile(number)), confirm(SlotMobile))
		three   = history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline), AlternateEmail: new(private)}),
			confirm(SlotMobile), confirm(SlotOffice), confirm(SlotAlternateEmail))
		mobiles = history(do(UpdateSecurityInfo{Mobile: new(number), AlternateMobile: new(other), AlternateEmail: new(private)}),
			confirm(SlotMobile), confirm(SlotAlternateMobile), confirm(SlotAlternateEmail))
		mail      = history(do(altMail(private)))
		mailAdded = []Event{
			AlternateEmailAdded{Email: about(private), Verification: VerificationID("c", SlotAlternateEmail), At: start},
			asked(SlotAlternateEmail, domain.Mail, private, 1, start, 24*time.Hour),
		}
		plain = func(w *world) { w.account.Roles = nil }
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S1: add a mobile", when: AddPhoneMethod{SlotMobile, number}, then: addedPhone(SlotMobile, number, domain.SMS)},
		{name: "S1: add an office phone", when: AddPhoneMethod{SlotOffice, landline}, then: addedPhone(SlotOffice, landline, domain.Voice)},
		{name: "S1: add an alternate address", when: AddAlternateEmail{private}, then: mailAdded},
		{name: "S1: remove a second phone", given: three, when: RemovePhoneMethod{SlotOffice}, then: []Event{goneFrom(SlotOffice, PhoneMethodRemoved{Old: phone(landline), At: start})}},
		{
			name: "S1: remove the address of an account without roles", given: both(), when: RemoveAlternateEmail{}, in: plain,
			then: []Event{AlternateEmailRemoved{Old: about(private), At: start, Change: RemovalID("c", SlotAlternateEmail), UndoUntil: start.Add(72 * time.Hour)}},
		},
		{name: "S2: add to a slot in use", given: one, when: AddPhoneMethod{SlotMobile, other}, err: ErrSlotSet},
		{name: "S2: add to a slot where one waits", given: waiting, when: AddPhoneMethod{SlotMobile, other}, err: ErrSlotSet},
		{name: "S2: change an empty slot", when: ChangePhoneMethod{SlotMobile, number}, err: ErrSlotEmpty},
		{name: "S2: remove from an empty slot", given: one, when: RemovePhoneMethod{SlotOffice}, err: ErrSlotEmpty},
		{name: "S2: a second address", given: mail, when: AddAlternateEmail{private2}, err: ErrEmailSet},
		{name: "S2: change an address that is not there", when: ChangeAlternateEmail{private}, err: ErrEmailMissing},
		{name: "S2: remove an address that is not there", given: one, when: RemoveAlternateEmail{}, err: ErrEmailMissing},
		{name: "S2: no slot", when: AddPhoneMethod{"", number}, err: ErrPhoneSlot},
		{name: "S2: a slot that is not there", when: AddPhoneMethod{"fax", number}, err: ErrPhoneSlot},
		{name: "S2: the address is no phone slot", when: AddPhoneMethod{SlotAlternateEmail, number}, err: ErrPhoneSlot},
		{name: "S2: change in a slot that is not there", when: ChangePhoneMethod{"fax", number}, err: ErrPhoneSlot},
		{name: "S2: remove from a slot that is not there", when: RemovePhoneMethod{SlotAlternateEmail}, err: ErrPhoneSlot},
		{name: "S2: an alternate mobile before the mobile", when: AddPhoneMethod{SlotAlternateMobile, other}, err: ErrNeedsMobile},
		{name: "S2: an alternate mobile after the mobile, called and not texted", given: one, when: AddPhoneMethod{SlotAlternateMobile, other}, then: addedPhone(SlotAlternateMobile, other, domain.Voice)},
		{name: "S2: the mobile under an alternate mobile", given: mobiles, when: RemovePhoneMethod{SlotMobile}, err: ErrNeedsMobile},
		{name: "S2: the same number in a second slot", given: one, when: AddPhoneMethod{SlotOffice, number}, err: ErrSamePhone},
		{name: "S3: the account's own address", when: AddAlternateEmail{"ann@old.example"}, err: ErrAccountEmail},
		{name: "S3: an address of the organization", when: AddAlternateEmail{"x@contoso.se"}, err: ErrTenantEmail},
		{name: "S3: change to another address", given: history(do(altMail(private)), confirm(SlotAlternateEmail)), when: ChangeAlternateEmail{private2}, then: []Event{
			AlternateEmailChanged{
				AlternateEmailAdded: AlternateEmailAdded{Email: about(private2), Verification: VerificationID("c", SlotAlternateEmail), At: start},
				Old:                 about(private),
			},
			asked(SlotAlternateEmail, domain.Mail, private2, 2, start, 24*time.Hour),
		}},
		{name: "S3: change to an address of the organization", given: both(), when: ChangeAlternateEmail{"x@contoso.se"}, err: ErrTenantEmail},
		{name: "S3: no address", when: AddAlternateEmail{"ann"}, err: ErrEmail},
		{name: "S3: an empty address", when: AddAlternateEmail{" "}, err: ErrEmail},
		{name: "S3: change to an empty address is no removal", given: both(), when: ChangeAlternateEmail{""}, err: ErrEmail},
		{name: "F2: an empty number", when: AddPhoneMethod{SlotMobile, " "}, err: ErrPhoneNotPossible},
		{name: "F2: change to an empty number is no removal", given: both(), when: ChangePhoneMethod{SlotMobile, ""}, err: ErrPhoneNotPossible},
		{name: "F2: an impossible number", when: AddPhoneMethod{SlotMobile, "112"}, err: ErrPhoneNotPossible},
		{name: "F2: a landline as mobile", when: AddPhoneMethod{SlotMobile, landline}, err: ErrPhoneType},
		{name: "F2: an extension on a mobile", when: AddPhoneMethod{SlotMobile, number + "x12"}, err: ErrExtension},
		{name: "F3: Microsoft's format with an extension, in the office slot", when: AddPhoneMethod{SlotOffice, "+1 5555551234x123"}, then: addedPhone(SlotOffice, "+1 5555551234x123", domain.Voice)},
		{name: "I1: remove the last", given: one, when: RemovePhoneMethod{SlotMobile}, err: ErrLastMethod},
		{name: "I8, I1: a recoverable global admin's address is replaced, never removed", given: both(), when: RemoveAlternateEmail{}, in: globalAdmins, err: ErrSecondKind},
		{name: "I8, I1: nor their phone", given: both(), when: RemovePhoneMethod{SlotMobile}, in: globalAdmins, err: ErrSecondKind},
		{name: "I8, I1: nor the one contact that is enough on a trial", given: one, when: RemovePhoneMethod{SlotMobile}, in: globalAdmins, err: ErrLastMethod},
		{name: "I1: remove one of two kinds", given: both(), when: RemoveAlternateEmail{}, err: ErrSecondKind},
		{name: "I1: remove the other of two kinds", given: both(), when: RemovePhoneMethod{SlotMobile}, err: ErrSecondKind},
		{name: "S2: a change that waits already", given: waiting, when: ChangePhoneMethod{SlotMobile, number}},
		{
			name: "I3: the verified one again withdraws what waits", given: history(do(mobile(number)), confirm(SlotMobile), do(mobile(other))),
			when: ChangePhoneMethod{SlotMobile, number},
			then: []Event{ContactChangeWithdrawn{Slot: SlotMobile, Verification: VerificationID("h2", SlotMobile)}},
		},
		{name: "S1: no account", when: AddPhoneMethod{SlotMobile, number}, in: func(w *world) { w.account = Account{} }, err: ErrNoAccount},
	}))
}

func TestWhoseContacts(t *testing.T) {
	t.Parallel()
	var (
		mailAdded = []Event{
			AlternateEmailAdded{Email: about(private), Verification: VerificationID("c", SlotAlternateEmail), At: start},
			asked(SlotAlternateEmail, domain.Mail, private, 1, start, 24*time.Hour),
		}
		add   = AddPhoneMethod{SlotMobile, number}
		added = addedPhone(SlotMobile, number, domain.SMS)
		plain = func(a domain.Actor) func(*world) {
			return func(w *world) { w.actor, w.account.Roles = a, nil }
		}
		allowed = func(a domain.Actor) func(*world) {
			return func(w *world) { w.actor, w.terms.help = a, HelpTerms{AdminsAlternateEmail: true} }
		}
		in2020 = func(a domain.Actor, roles ...domain.Role) func(*world) {
			return func(w *world) { w.actor, w.terms.help, w.account.Roles = a, BillingNotifications2020(), roles }
		}
		billing = domain.Actor{ID: "bo", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.BillingAdmin}}
		also    = func(a domain.Actor, more ...domain.Role) domain.Actor {
			a.Roles = append(slices.Clone(a.Roles), more...)
			return a
		}
		page = func(number, email string) UpdateSecurityInfo {
			return UpdateSecurityInfo{Mobile: &number, AlternateEmail: &email}
		}
		fewer = func(w *world) {
			w.actor, w.terms.help = privilegedAdmin(), HelpTerms{AdminsRoles: []domain.Role{domain.GlobalAdmin}}
		}
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S1: an authentication admin, of somebody without a role", when: add, in: plain(authAdmin()), then: added},
		{name: "S1: an authentication admin, of an admin", when: add, in: by(authAdmin()), err: ErrAdminsContacts},
		{name: "S1: an authentication admin, in one save", when: mobile(number), in: by(authAdmin()), err: ErrAdminsContacts},
		{name: "S1: a privileged authentication admin, of an admin", when: add, in: by(privilegedAdmin()), then: added},
		{name: "S1: a global admin, of an admin", when: add, in: by(globalAdmin()), then: added},
		{name: "S1: an authentication admin, of their own", when: add, in: by(domain.Actor{ID: "ann", Kind: domain.KindPerson, Roles: []domain.Role{domain.AuthAdmin}}), then: added},
		{name: "S1: the address of somebody without a role", when: AddAlternateEmail{private}, in: plain(authAdmin()), then: mailAdded},
		{name: "S1: an admin's address, by an authentication admin", when: AddAlternateEmail{private}, in: by(authAdmin()), err: ErrAdminsContacts},
		{name: "S3: an admin's address, by a privileged authentication admin", when: AddAlternateEmail{private}, in: by(privilegedAdmin()), err: ErrOwnEmailOnly},
		{name: "S3: an admin's address, by a global admin", when: AddAlternateEmail{private}, in: by(globalAdmin()), err: ErrOwnEmailOnly},
		{name: "S3: an admin's address under terms that let those who look after admins", when: AddAlternateEmail{private}, in: allowed(globalAdmin()), then: mailAdded},
		{name: "S1: an admin's address under those terms, by an authentication admin", when: AddAlternateEmail{private}, in: allowed(authAdmin()), err: ErrAdminsContacts},
		{name: "S3: an admin's address in 2020, by a billing admin", when: AddAlternateEmail{private}, in: in2020(billing, domain.GlobalAdmin), then: mailAdded},
		{name: "S3: an admin's address in 2020, in one save", when: altMail(private), in: in2020(billing, domain.BillingAdmin), then: mailAdded},
		{name: "S3: an admin's address in 2020, by a global admin", when: AddAlternateEmail{private}, in: in2020(globalAdmin(), domain.BillingAdmin), then: mailAdded},
		{name: "S3: an admin's address in 2020, removed by a billing admin", given: history(do(altMail(private))), when: RemoveAlternateEmail{}, in: in2020(billing, domain.BillingAdmin), then: []Event{AlternateEmailRemoved{Withdrawn: VerificationID("h0", SlotAlternateEmail), At: start}}},
		{name: "S3: an admin's address in 2020, by a privileged authentication admin", when: AddAlternateEmail{private}, in: in2020(privilegedAdmin(), domain.BillingAdmin), err: ErrOwnEmailOnly},
		{name: "S1: an admin's address in 2020, by an authentication admin", when: AddAlternateEmail{private}, in: in2020(authAdmin(), domain.BillingAdmin), err: ErrAdminsContacts},
		{name: "S1: an admin's phone in 2020, by a billing admin", when: add, in: in2020(billing, domain.GlobalAdmin), err: ErrAddressAlone},
		{name: "S1: an admin's phone in 2020, with the address, by a billing admin", when: page(number, private), in: in2020(billing, domain.GlobalAdmin), err: ErrAddressAlone},
		{name: "S1: an admin's phone in 2020, with the address, by a global admin", when: page(number, private), in: in2020(globalAdmin(), domain.GlobalAdmin), then: append(slices.Clone(added), mailAdded...)},
		{name: "S1: an admin's phone in 2020, by an authentication admin who is a billing admin, too", when: add, in: in2020(also(authAdmin(), domain.BillingAdmin), domain.GlobalAdmin), err: ErrAdminsContacts},
		{name: "S1: nothing of an admin's in 2020, by a billing admin", when: UpdateSecurityInfo{}, in: in2020(billing, domain.GlobalAdmin), err: ErrAddressAlone},
		{name: "S1: the address of somebody without a role in 2020, by a billing admin", when: AddAlternateEmail{private}, in: in2020(billing), err: ErrAddressAlone},
		{name: "S1: the address of somebody without a role in 2020, by an authentication admin", when: AddAlternateEmail{private}, in: in2020(authAdmin()), then: mailAdded},
		{name: "S1: a billing admin's own in 2020", when: page(number, private), in: in2020(domain.Actor{ID: "ann", Kind: domain.KindPerson, Roles: billing.Roles}, domain.BillingAdmin), then: append(slices.Clone(added), mailAdded...)},
		{name: "S1: an admin's phone where only global admins look after admins", when: add, in: fewer, err: ErrAdminsContacts},
		{name: "S3: an admin's address is removed by nobody else", given: both(), when: RemoveAlternateEmail{}, in: by(globalAdmin()), err: ErrOwnEmailOnly},
		{name: "I2: what an admin set for another is not theirs to confirm", given: history(do(mobile(number))), when: ConfirmContactVerification{Slot: SlotMobile, Code: "000000"}, in: by(privilegedAdmin()), err: ErrOwnCodeOnly},
	}))
}

func TestPrivilegedSession(t *testing.T) {
	t.Parallel()
	since := func(d time.Duration) func(*world) {
		return func(w *world) { w.actor.AuthenticatedAt = start.Add(-d) }
	}
	unknown := usual()
	unknown.actor = self()
	minutes := func(n int, d time.Duration) func(*world) {
		return func(w *world) { w.actor.AuthenticatedAt, w.terms.session.MaxAgeMinutes = start.Add(-d), n }
	}
	surely := func(is, asked domain.Level) func(*world) {
		return func(w *world) { w.actor.Level, w.terms.session.MinLevel = is, asked }
	}
	add, added := AddPhoneMethod{SlotMobile, number}, addedPhone(SlotMobile, number, domain.SMS)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "I5: signed in an hour ago", when: add, in: since(time.Hour), then: added},
		{name: "I5: signed in more than an hour ago", when: add, in: since(time.Hour + time.Microsecond), err: ErrOldSession},
		{name: "I5: the save of the page", when: mobile(number), in: since(2 * time.Hour), err: ErrOldSession},
		{name: "I5: a removal", given: both(), when: RemoveAlternateEmail{}, in: since(2 * time.Hour), err: ErrOldSession},
		{name: "I5: a change of address", given: both(), when: ChangeAlternateEmail{private2}, in: since(2 * time.Hour), err: ErrOldSession},
		{name: "I5: a policy of five minutes", when: add, in: minutes(5, 6*time.Minute), err: ErrOldSession},
		{name: "I5: within a policy of five minutes", when: add, in: minutes(5, 5*time.Minute), then: added},
		{name: "I5: a policy of a day", when: add, in: minutes(1440, 23*time.Hour), then: added},
		{name: "I5: Konto itself signs in nowhere", when: add, in: by(konto()), then: added},
		{name: "I5: any sign-in is enough by version 1", when: add, in: surely(0, SessionPolicy.First.MinLevel), then: added},
		{name: "I5: a sign-in that nobody knows how sure it was", when: add, in: surely(0, 1), err: ErrWeakSession},
		{name: "I5: one proof where two are asked for", when: add, in: surely(1, 2), err: ErrWeakSession},
		{name: "I5: two proofs where two are asked for", when: add, in: surely(2, 2), then: added},
		{name: "I5: a security key where two proofs are asked for", when: add, in: surely(3, 2), then: added},
		{name: "I5: two proofs where a security key is asked for", when: mobile(number), in: surely(2, 3), err: ErrWeakSession},
		{name: "I5: a removal after one proof", given: both(), when: RemoveAlternateEmail{}, in: surely(1, 2), err: ErrWeakSession},
		{
			name: "I5: surely, but too long ago", when: add,
			in: func(w *world) { surely(3, 2)(w); w.actor.AuthenticatedAt = start.Add(-2 * time.Hour) }, err: ErrOldSession,
		},
		{
			name: "I5: Konto itself is as sure as it gets", when: add,
			in: func(w *world) { w.actor, w.terms.session.MinLevel = konto(), 3 }, then: added,
		},
	}))
	m := unknown.meta(add)
	m.Actor.AuthenticatedAt = time.Time{}
	if _, err := add.Decide(SecurityInfo{}, m); !errors.Is(err, ErrOldSession) {
		t.Errorf("I5: nobody knows when they signed in: %v, want %v", err, ErrOldSession)
	}
}

// A refusal points at the field of the command that was sent, not at one of
// another command.
func TestRefusalPointsAtTheFieldThatWasSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cmd     domain.Command[SecurityInfo]
		pointer string
	}{
		{AddPhoneMethod{SlotMobile, "112"}, "/number"},
		{AddPhoneMethod{SlotMobile, ""}, "/number"},
		{AddPhoneMethod{"fax", number}, "/slot"},
		{ChangePhoneMethod{SlotMobile, number}, "/slot"},
		{AddAlternateEmail{"ann"}, "/email"},
		{AddAlternateEmail{"x@contoso.se"}, "/email"},
		{AddPhoneMethod{SlotAlternateMobile, other}, "/number"},
	} {
		_, err := c.cmd.Decide(SecurityInfo{}, usual().meta(c.cmd))
		refused, ok := errors.AsType[*domain.Error](err)
		if !ok || refused.Pointer != c.pointer {
			t.Errorf("%#v is refused at %q, want %q", c.cmd, refused.Pointer, c.pointer)
		}
	}
	remove := RemovePhoneMethod{SlotMobile}
	_, err := remove.Decide(fold(both()), usual().meta(remove))
	if refused, ok := errors.AsType[*domain.Error](err); !ok || refused.Pointer != "/slot" {
		t.Errorf("%#v: %v, want a refusal at /slot", remove, err)
	}
}

// What a save of one field decides is what the command for it decides.
func TestMethodsShareTheRulesOfTheSave(t *testing.T) {
	t.Parallel()
	for _, given := range [][]Event{nil, both(), history(do(mobile(number)))} {
		s := fold(given)
		for _, raw := range []string{number, other, landline, premium, "112", "+1 4251234567"} {
			for slot, save := range map[Slot]func(string) UpdateSecurityInfo{SlotMobile: mobile, SlotAlternateMobile: altMob, SlotOffice: office} {
				saved, want := save(raw).Decide(s, usual().meta(save(raw)))
				var cmd domain.Command[SecurityInfo] = AddPhoneMethod{slot, raw}
				if slot == SlotMobile && given != nil {
					cmd = ChangePhoneMethod{slot, raw}
				}
				events, err := cmd.Decide(s, usual().meta(cmd))
				if len(events) != len(saved) || (err == nil) != (want == nil) || err != nil && !errors.Is(err, want) && want.Error() != err.Error() {
					t.Errorf("%#v: %d events, %v; the save: %d events, %v", cmd, len(events), err, len(saved), want)
				}
			}
		}
	}
}

// globalAdmins makes the account a global admin's of an organization that has
// no domain of its own.
func globalAdmins(w *world) {
	w.account.Roles = []domain.Role{domain.GlobalAdmin}
	w.organization.Domains = w.organization.Domains[:1]
}
