package securityinfo_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

func TestReconfirm(t *testing.T) {
	t.Parallel()
	var (
		due   = start.AddDate(0, 0, 180)
		again = SecurityInfoReconfirmed{At: start.Add(day), DueAt: start.Add(day).AddDate(0, 0, 180)}
		ask   = RequestReconfirmation{DueAt: due}
		on    = func(days int, more ...func(*world)) func(*world) {
			return func(w *world) {
				w.actor, w.after = konto(), start.AddDate(0, 0, days).Sub(start)
				for _, m := range more {
					m(w)
				}
			}
		}
		period = func(days int) func(*world) { return func(w *world) { w.terms.reconfirm.PeriodDays = days } }
		asked  = ReconfirmationRequested{DueAt: due, At: due}
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "I9: all contacts are still right", given: both(), when: ReconfirmSecurityInfo{}, in: later(day), then: []Event{again}},
		{name: "I9: a policy of 730 days", given: both(), when: ReconfirmSecurityInfo{}, in: period(730), then: []Event{SecurityInfoReconfirmed{At: start, DueAt: start.AddDate(0, 0, 730)}}},
		{name: "I9: a policy that never asks", given: both(), when: ReconfirmSecurityInfo{}, in: period(0), then: []Event{SecurityInfoReconfirmed{At: start}}},
		{name: "I9: by somebody else", given: both(), when: ReconfirmSecurityInfo{}, in: by(globalAdmin()), err: ErrReconfirm},
		{name: "I9: by the identity provider", given: both(), when: ReconfirmSecurityInfo{}, in: by(identityProvider()), err: ErrReconfirm},
		{name: "I9: nothing in use", given: history(do(mobile(number))), when: ReconfirmSecurityInfo{}, err: ErrNoContact},
		{name: "I9: no security info", when: ReconfirmSecurityInfo{}, err: ErrNotFound},
		{name: "I9: asked when due", given: both(), when: ask, in: on(180), then: []Event{asked}},
		{name: "I9: not asked before", given: both(), when: ask, in: on(179)},
		{name: "I9: not asked after an answer", given: append(both(), again), when: ask, in: on(180)},
		{name: "I9: asked once", given: append(both(), asked), when: ask, in: on(180)},
		{name: "I9: postponed under a longer policy", given: both(), when: ask, in: on(180, period(365)), then: []Event{
			ReconfirmationPostponed{DueAt: start.AddDate(0, 0, 365), At: due},
		}},
		{
			name: "I9: asked after it was postponed", given: append(both(), ReconfirmationPostponed{DueAt: start.AddDate(0, 0, 365), At: due}),
			when: RequestReconfirmation{DueAt: start.AddDate(0, 0, 365)}, in: on(365), then: []Event{
				ReconfirmationRequested{DueAt: start.AddDate(0, 0, 365), At: start.AddDate(0, 0, 365)},
			},
		},
		{name: "I9: asked when due under a policy that has become shorter", given: both(), when: ask, in: on(180, period(30)), then: []Event{asked}},
		{name: "I9: not asked under a policy that has stopped asking", given: both(), when: ask, in: on(180, period(0))},
		{name: "I9: nothing in use any more", given: append(history(do(altMail(private)), confirm(SlotAlternateEmail)), AlternateEmailInvalidated{Email: about(private), At: start}), when: ask, in: on(180)},
		{name: "I9: nobody to ask", when: ask, in: on(180), err: ErrNotFound},
	}))
}

// A new contact says nothing of the others: they stay due when they were.
func TestNewContactPostponesNothing(t *testing.T) {
	t.Parallel()
	s := fold(history(do(mobile(number)), confirm(SlotMobile), at(10*day, altMail(private)), at(10*day, ConfirmContactVerification{Slot: SlotAlternateEmail})))
	if want := start.AddDate(0, 0, 180); !s.ReconfirmBy.Equal(want) || !s.ConfirmedAt.Equal(start) {
		t.Errorf("I9: confirmed %v, due %v, want %v, %v", s.ConfirmedAt, s.ReconfirmBy, start, want)
	}
}

func TestCodeTermsAreData(t *testing.T) {
	t.Parallel()
	terms := func(change func(*CodeTerms)) func(*world) { return func(w *world) { change(&w.terms.code) } }
	sent := func(life time.Duration, tries int) []Event {
		events := addedPhone(SlotMobile, number, domain.SMS)
		request := events[1].(ContactVerificationRequested)
		request.ExpiresAt, request.Tries = start.Add(life), tries
		return []Event{events[0], request}
	}
	mailSent := asked(SlotAlternateEmail, domain.Mail, private, 1, start, 30*time.Minute)
	waiting := history(do(mobile(number)))
	strict := append(waiting[:len(waiting)-1:len(waiting)-1], sent(10*time.Minute, 1)[1])
	strict[1] = func() Event {
		r := strict[1].(ContactVerificationRequested)
		r.Verification = verification(fold(waiting), SlotMobile)
		return r
	}()
	failed1 := ContactVerificationFailed{Slot: SlotMobile, Verification: verification(fold(waiting), SlotMobile), Attempt: 1}
	ask := RequestContactVerification{Slot: SlotMobile}
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S6: a phone's code lives as the policy says", when: mobile(number), in: terms(func(c *CodeTerms) { c.PhoneMinutes = 3 }), then: sent(3*time.Minute, 5)},
		{name: "S6: wrong codes are as many as the policy says", when: mobile(number), in: terms(func(c *CodeTerms) { c.WrongCodes = 1 }), then: sent(10*time.Minute, 1)},
		{name: "S6: a mail's code lives as the policy says", when: altMail(private), in: terms(func(c *CodeTerms) { c.MailMinutes = 30 }), then: []Event{
			AlternateEmailAdded{Email: about(private), Verification: VerificationID("c", SlotAlternateEmail), At: start}, mailSent,
		}},
		{name: "S6: one wrong code under the policy when it was sent", given: strict, when: ConfirmContactVerification{Slot: SlotMobile, Code: wrong(strict, SlotMobile)}, then: []Event{failed1}, err: ErrWrongCode},
		{name: "S6: the right code after it", given: append(strict, failed1), when: ConfirmContactVerification{Slot: SlotMobile, Code: code(failed1.Verification)}, err: ErrTooManyAttempts},
		{name: "S6: a second code within an hour where one is allowed", given: waiting, when: ask, in: func(w *world) { w.after, w.terms.code.CodesPerHour = 2*time.Minute, 1 }, err: ErrTooManyRequests},
		{name: "S6: at once where no wait is asked for", given: waiting, when: ask, in: terms(func(c *CodeTerms) { c.SecondsBetween = 0 }), then: []Event{
			asked(SlotMobile, domain.SMS, "+46701740605", 2, start, 10*time.Minute),
		}},
		{name: "S6: too soon where an hour is asked for", given: waiting, when: ask, in: func(w *world) { w.after, w.terms.code.SecondsBetween = 59*time.Minute, 3600 }, err: ErrTooSoon},
	}))
}

func TestTermsHaveRanges(t *testing.T) {
	t.Parallel()
	code := func(change func(*CodeTerms)) CodeTerms { c := CodePolicy.First; change(&c); return c }
	recovery := func(change func(*RecoveryTerms)) RecoveryTerms { r := RecoveryPolicy.First; change(&r); return r }
	for _, c := range []struct {
		name  string
		terms interface{ Validate() error }
		ok    bool
	}{
		{"S6: version 1 of codes", CodePolicy.First, true},
		{"S6: a phone's code of ten minutes", code(func(c *CodeTerms) { c.PhoneMinutes = 10 }), true},
		{"S6: a phone's code of eleven minutes", code(func(c *CodeTerms) { c.PhoneMinutes = 11 }), false},
		{"S6: a mail's code of a day", code(func(c *CodeTerms) { c.MailMinutes = 1440 }), true},
		{"S6: a mail's code of more than a day", code(func(c *CodeTerms) { c.MailMinutes = 1441 }), false},
		{"S6: a code of no time", code(func(c *CodeTerms) { c.PhoneMinutes = 0 }), false},
		{"S6: no wrong code at all", code(func(c *CodeTerms) { c.WrongCodes = 0 }), false},
		{"S6: eleven wrong codes", code(func(c *CodeTerms) { c.WrongCodes = 11 }), false},
		{"S6: no code per hour", code(func(c *CodeTerms) { c.CodesPerHour = 0 }), false},
		{"S6: a wait of less than nothing", code(func(c *CodeTerms) { c.SecondsBetween = -1 }), false},
		{"S4: version 1 of recovery", RecoveryPolicy.First, true},
		{"S4: an assertion of eleven minutes", recovery(func(r *RecoveryTerms) { r.AssertionMinutes = 11 }), false},
		{"S4: no assertion", recovery(func(r *RecoveryTerms) { r.AssertionMinutes = 0 }), false},
		{"S4: no reset a day", recovery(func(r *RecoveryTerms) { r.ResetsPerDay = 0 }), false},
		{"S4: a trial without days", recovery(func(r *RecoveryTerms) { r.TrialDays = 0 }), true},
		{"I7: no cool-down", recovery(func(r *RecoveryTerms) { r.CoolDownHours = 0 }), true},
		{"I7: a cool-down of less than nothing", recovery(func(r *RecoveryTerms) { r.CoolDownHours = -1 }), false},
		{"I7: an undo of more than 30 days", recovery(func(r *RecoveryTerms) { r.UndoHours = 721 }), false},
		{"I9: never", ReconfirmTerms{}, true},
		{"I9: 730 days", ReconfirmTerms{PeriodDays: 730}, true},
		{"I9: 731 days", ReconfirmTerms{PeriodDays: 731}, false},
		{"I9: less than nothing", ReconfirmTerms{PeriodDays: -1}, false},
		{"I5: version 1 of sessions", SessionPolicy.First, true},
		{"I5: no session is ever new enough", SessionTerms{}, false},
		{"I5: the surest sign-in", SessionTerms{MaxAgeMinutes: 60, MinLevel: 3}, true},
		{"I5: surer than there is", SessionTerms{MaxAgeMinutes: 60, MinLevel: 4}, false},
		{"I5: less sure than unknown", SessionTerms{MaxAgeMinutes: 60, MinLevel: -1}, false},
		{"I5: more than a day", SessionTerms{MaxAgeMinutes: 1441}, false},
		{"S1: version 1 of helpers", HelpPolicy.First, true},
		{"S1: the helpers of 2020", BillingNotifications2020(), true},
		{"S1: helpers from before roles were terms", HelpTerms{AdminsAlternateEmail: true}, true},
		{"S1: a helper without a role that there is", HelpTerms{AlternateEmailRoles: []domain.Role{"janitor"}}, false},
		{"S1: a helper who is named twice", HelpTerms{AlternateEmailRoles: []domain.Role{domain.BillingAdmin, domain.BillingAdmin}}, false},
		{"S1: an admins' helper who is not everybody's", HelpTerms{AdminsRoles: []domain.Role{domain.BillingAdmin}}, false},
		{"S1: fewer helpers, and those of admins not among them", HelpTerms{Roles: []domain.Role{domain.GlobalAdmin}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.terms.Validate(); (err == nil) != c.ok {
				t.Errorf("Validate(%+v) = %v, want ok = %v", c.terms, err, c.ok)
			}
		})
	}
}
