package securityinfo_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

const day = 24 * time.Hour

// reset is the start of a reset by command "r", two days after the beginning.
func reset(gate Gate, methods ...Slot) PasswordResetStarted {
	at := start.Add(2 * day)
	return PasswordResetStarted{Reset: ResetID("r"), Gate: gate, Methods: methods, Tries: 5, At: at, ExpiresAt: at.Add(time.Hour)}
}

// sentTo is a code of that reset.
func sentTo(slot Slot, contact string, life time.Duration) RecoveryCodeRequested {
	at := start.Add(2 * day)
	return RecoveryCodeRequested{
		Reset: ResetID("r"), Slot: slot, Channel: slot.Channel(), Contact: about(contact), At: at, ExpiresAt: at.Add(life),
	}
}

var (
	mobileSent = sentTo(SlotMobile, "+46701740605", 10*time.Minute)
	mailSent   = sentTo(SlotAlternateEmail, private, time.Hour) // no longer than the reset
)

func accepted(slot Slot, after time.Duration) RecoveryProofAccepted {
	return RecoveryProofAccepted{Reset: ResetID("r"), Method: slot, At: start.Add(2*day + after)}
}

// inReset is a world some time after the reset began.
func inReset(after time.Duration, more ...func(*world)) func(*world) {
	return func(w *world) {
		w.actor, w.after, w.command = identityProvider(), 2*day+after, "r"
		for _, m := range more {
			m(w)
		}
	}
}

func plain(w *world) { w.account.Roles = nil }

func TestStartPasswordReset(t *testing.T) {
	t.Parallel()
	var (
		trial = func(days int) func(*world) {
			return func(w *world) { w.organization.TrialSince = start.Add(2*day).AddDate(0, 0, -days) }
		}
		initial = func(w *world) { w.organization.Domains = w.organization.Domains[:1] }
		strict  = func(w *world) { w.terms.recovery.OneGateWithoutDomain, w.terms.recovery.TrialDays = false, 0 }
		begun   = func(n int) []Event {
			given := both()
			for i := range n {
				e := reset(GateTwo)
				e.Reset, e.At = ResetID(strconv.Itoa(i)), e.At.Add(time.Duration(i-n)*time.Hour)
				given = append(given, e)
			}
			return given
		}
		one, two = []Event{reset(GateOne)}, []Event{reset(GateTwo)}
	)
	begin := StartPasswordReset{}
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S4: an account with a role needs two proofs", given: both(), when: begin, in: inReset(0), then: two},
		{name: "S4: an account without a role needs one", given: both(), when: begin, in: inReset(0, plain), then: one},
		{name: "S4: one in a trial's first days", given: both(), when: begin, in: inReset(0, trial(29)), then: one},
		{name: "S4: two after 30 days of a trial", given: both(), when: begin, in: inReset(0, trial(30)), then: two},
		{name: "S4: one without a domain of its own", given: both(), when: begin, in: inReset(0, initial), then: one},
		{name: "S4: two under a policy without exceptions", given: both(), when: begin, in: inReset(0, initial, trial(1), strict), then: two},
		{name: "S4: the same answer for an account that cannot be recovered", when: begin, in: inReset(0), then: two},
		{name: "S4: the same answer while everything waits", given: history(do(mobile(number))), when: begin, in: inReset(0), then: two},
		{name: "S4: the same answer within the cool-down", given: both(), when: begin, in: func(w *world) { w.actor, w.command = identityProvider(), "r" }, then: []Event{
			PasswordResetStarted{Reset: ResetID("r"), Gate: GateTwo, Tries: 5, At: start, ExpiresAt: start.Add(time.Hour)},
		}},
		{name: "S4: the same answer for an account that is blocked", given: both(), when: begin, in: inReset(0, func(w *world) { w.account.Blocked = true }), then: two},
		{name: "S4: named contacts", given: both(), when: StartPasswordReset{Methods: []Slot{SlotMobile, SlotAlternateEmail}}, in: inReset(0), then: []Event{reset(GateTwo, SlotMobile, SlotAlternateEmail)}},
		{name: "S4: the same answer for contacts that are not there", given: both(), when: StartPasswordReset{Methods: []Slot{SlotOffice}}, in: inReset(0), then: []Event{reset(GateTwo, SlotOffice)}},
		{name: "S4: a contact that no slot is for", given: both(), when: StartPasswordReset{Methods: []Slot{"fax"}}, in: inReset(0), err: ErrResetMethod},
		{name: "S4: a contact twice", given: both(), when: StartPasswordReset{Methods: []Slot{SlotMobile, SlotMobile}}, in: inReset(0), err: ErrResetMethod},
		{name: "S4: a fifth within a day", given: begun(4), when: begin, in: inReset(0), then: two},
		{name: "S4: a sixth within a day", given: begun(5), when: begin, in: inReset(0), err: ErrResets},
		{name: "S4: a sixth within a day, of an account without contacts", given: begun(5)[len(both()):], when: begin, in: inReset(0), err: ErrResets},
		{name: "S4: no account", when: begin, in: inReset(0, func(w *world) { w.account = Account{} }), err: ErrNoAccount},
		{name: "S4: another tenant's account is like none", when: begin, in: inReset(0, func(w *world) { w.account.Tenant = "fabrikam" }), err: ErrNoAccount},
	}))
}

func TestSendRecoveryCodes(t *testing.T) {
	t.Parallel()
	var (
		send    = SendRecoveryCodes{Reset: ResetID("r")}
		begun   = and(both(), reset(GateTwo))
		alone   = and(history(do(mobile(number)), confirm(SlotMobile)), reset(GateTwo))
		phones  = and(history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline)}), confirm(SlotMobile), confirm(SlotOffice)), reset(GateTwo))
		all     = history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotOffice), confirm(SlotAlternateEmail))
		waiting = and(history(do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotMobile)), reset(GateTwo))
		fresh   = and(history(do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotMobile),
			at(25*time.Hour, RequestContactVerification{SlotAlternateEmail}), at(25*time.Hour, ConfirmContactVerification{Slot: SlotAlternateEmail})), reset(GateTwo))
		replacedMail = and(append(both(), history(do(altMail(private)), confirm(SlotAlternateEmail), at(47*time.Hour, altMail(private2)), at(47*time.Hour, ConfirmContactVerification{Slot: SlotAlternateEmail}))[3:]...), reset(GateTwo))
		cool         = func(hours int) func(*world) {
			return func(w *world) { w.terms.recovery.CoolDownHours = hours }
		}
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S4: a phone and the address", given: begun, when: send, in: inReset(0), then: []Event{mobileSent, mailSent}},
		{name: "S4: the first phone of several", given: and(all, reset(GateTwo)), when: send, in: inReset(0), then: []Event{mobileSent, mailSent}},
		{name: "S4: the phone that was asked for, by voice", given: and(all, reset(GateTwo, SlotOffice, SlotAlternateEmail)), when: send, in: inReset(0), then: []Event{
			sentTo(SlotOffice, "+468123456", 10*time.Minute), mailSent,
		}},
		{name: "S4: one gate, one code", given: and(both(), reset(GateOne)), when: send, in: inReset(0), then: []Event{mobileSent}},
		{name: "S4: one gate, the contact that was asked for", given: and(both(), reset(GateOne, SlotAlternateEmail)), when: send, in: inReset(0), then: []Event{mailSent}},
		{name: "S4: a phone alone is not enough for an admin", given: alone, when: send, in: inReset(0)},
		{name: "S4: two phones are one kind", given: phones, when: send, in: inReset(0)},
		{name: "S4: two phones that were asked for are one kind", given: and(all, reset(GateTwo, SlotMobile, SlotOffice)), when: send, in: inReset(0)},
		{name: "S4: nothing at all", given: []Event{reset(GateOne)}, when: send, in: inReset(0)},
		{name: "I2: what only waits gets no code", given: waiting, when: send, in: inReset(0)},
		{name: "I7: a contact within its cool-down gets no code", given: fresh, when: send, in: inReset(0)},
		{name: "I7: nor does the one that it took the place of", given: replacedMail, when: send, in: inReset(0)},
		{name: "I7: once it has cooled down it does", given: fresh, when: send, in: inReset(59*time.Minute, func(w *world) { w.after = 49 * time.Hour }), then: nil},
		{name: "I7: the cool-down is what was in force when it was verified", given: fresh, when: send, in: inReset(0, cool(0))},
		{name: "S4: a blocked account gets none", given: begun, when: send, in: inReset(0, func(w *world) { w.account.Blocked = true })},
		{name: "S4: once", given: and(begun, mobileSent, mailSent), when: send, in: inReset(0)},
		{name: "S4: a reset that another took the place of", given: begun, when: SendRecoveryCodes{Reset: ResetID("s")}, in: inReset(0)},
		{name: "S4: a reset that is over", given: begun, when: send, in: inReset(time.Hour)},
		{name: "S4: no reset", given: both(), when: SendRecoveryCodes{}, in: inReset(0)},
	}))
}

func TestSubmitRecoveryCode(t *testing.T) {
	t.Parallel()
	var (
		open    = and(both(), reset(GateTwo), mobileSent, mailSent)
		secret  = and(both(), reset(GateTwo)) // cannot be recovered: nothing was sent
		right   = code(RecoveryCodeID(ResetID("r"), SlotMobile))
		byMail  = code(RecoveryCodeID(ResetID("r"), SlotAlternateEmail))
		enter   = func(code string) SubmitRecoveryCode { return SubmitRecoveryCode{SlotMobile, code} }
		wrong   = string('0'+('9'-right[0])) + right[1:]
		refused = func(slot Slot, n int, after time.Duration) []Event {
			return []Event{RecoveryProofRejected{Reset: ResetID("r"), Method: slot, Attempt: n, At: start.Add(2*day + after)}}
		}
		failures = func(given []Event, n int) []Event {
			for i := range n {
				given = append(given, refused(SlotMobile, i+1, 0)...)
			}
			return given
		}
		minute = time.Minute
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S4: the right code", given: open, when: enter(right), in: inReset(minute), then: []Event{accepted(SlotMobile, minute)}},
		{name: "S4: the right code with a space", given: open, when: enter(right[:3] + " " + right[3:]), in: inReset(minute), then: []Event{accepted(SlotMobile, minute)}},
		{name: "S4: the right code of a mail, after the phone's has run out", given: open, when: SubmitRecoveryCode{SlotAlternateEmail, byMail}, in: inReset(30 * minute), then: []Event{accepted(SlotAlternateEmail, 30*minute)}},
		{name: "S4: twice", given: and(open, accepted(SlotMobile, 0)), when: enter(right), in: inReset(minute)},
		{name: "S4: a wrong code", given: open, when: enter(wrong), in: inReset(minute), then: refused(SlotMobile, 1, minute), err: ErrProof},
		{name: "S4: the code of another contact", given: open, when: enter(byMail), in: inReset(minute), then: refused(SlotMobile, 1, minute), err: ErrProof},
		{name: "S4: a contact that got none", given: open, when: SubmitRecoveryCode{SlotOffice, right}, in: inReset(minute), then: refused(SlotOffice, 1, minute), err: ErrProof},
		{name: "S4: the code of a contact that got none", given: open, when: SubmitRecoveryCode{SlotOffice, code(RecoveryCodeID(ResetID("r"), SlotOffice))}, in: inReset(minute), then: refused(SlotOffice, 1, minute), err: ErrProof},
		{name: "S4: an account that cannot be recovered is answered as a wrong code is", given: secret, when: enter(right), in: inReset(minute), then: refused(SlotMobile, 1, minute), err: ErrProof},
		{name: "S4: a code that has run out", given: open, when: enter(right), in: inReset(10 * minute), then: refused(SlotMobile, 1, 10*minute), err: ErrProof},
		{name: "S4: the fifth wrong code, over all contacts", given: failures(open, 4), when: SubmitRecoveryCode{SlotAlternateEmail, wrong}, in: inReset(minute), then: refused(SlotAlternateEmail, 5, minute), err: ErrProof},
		{name: "S4: the right code after four wrong ones", given: failures(open, 4), when: enter(right), in: inReset(minute), then: []Event{accepted(SlotMobile, minute)}},
		{name: "S4: the right code after five wrong ones", given: failures(open, 5), when: enter(right), in: inReset(minute), err: ErrResetWrong},
		{name: "S4: five wrong codes of an account that cannot be recovered", given: failures(secret, 5), when: enter(right), in: inReset(minute), err: ErrResetWrong},
		{name: "S4: letters", given: open, when: enter("12345a"), in: inReset(minute), err: ErrCodeForm},
		{name: "S4: five digits", given: open, when: enter("12345"), in: inReset(minute), err: ErrCodeForm},
		{name: "S4: no code", given: open, when: enter(""), in: inReset(minute), err: ErrCodeForm},
		{name: "S4: no such slot", given: open, when: SubmitRecoveryCode{"fax", right}, in: inReset(minute), err: ErrSlot},
		{name: "S4: no reset", given: both(), when: enter(right), in: inReset(minute), err: ErrNoReset},
		{name: "S4: after an hour", given: open, when: enter(right), in: inReset(60 * minute), err: ErrNoReset},
		{name: "S4: a code of the reset before", given: and(open, PasswordResetStarted{Reset: ResetID("s"), Gate: GateTwo, Tries: 5, At: start.Add(2 * day), ExpiresAt: start.Add(2*day + time.Hour)}), when: enter(right), in: inReset(minute), then: []Event{
			RecoveryProofRejected{Reset: ResetID("s"), Method: SlotMobile, Attempt: 1, At: start.Add(2*day + minute)},
		}, err: ErrProof},
		{name: "I3: the contact was changed meanwhile", given: and(open, ContactVerified{Slot: SlotMobile, Contact: about("+46701740606"), At: start.Add(2 * day)}), when: enter(right), in: inReset(minute), then: refused(SlotMobile, 1, minute), err: ErrProof},
		{name: "I7: a change was undone meanwhile: the reset is over", given: and(open, ContactChangeUndone{Slot: SlotAlternateEmail, At: start.Add(2 * day)}), when: enter(right), in: inReset(minute), err: ErrNoReset},
	}))
}

func TestCompletePasswordReset(t *testing.T) {
	t.Parallel()
	var (
		complete = CompletePasswordReset{}
		open     = and(both(), reset(GateTwo), mobileSent, mailSent)
		half     = and(open, accepted(SlotMobile, 0))
		whole    = and(half, accepted(SlotAlternateEmail, 0))
		single   = and(both(), reset(GateOne), mobileSent, accepted(SlotMobile, 0))
		done     = func(gate Gate, after time.Duration, slots ...Slot) PasswordResetCompleted {
			at := start.Add(2*day + after)
			return PasswordResetCompleted{Reset: ResetID("r"), Gate: gate, Methods: slots, At: at, AssertionExpiresAt: at.Add(10 * time.Minute)}
		}
		both2 = done(GateTwo, time.Minute, SlotMobile, SlotAlternateEmail)
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S4: two proofs of two kinds", given: whole, when: complete, in: inReset(time.Minute), then: []Event{both2}},
		{name: "S4: a second time", given: and(whole, both2), when: complete, in: inReset(time.Minute), err: ErrNoReset},
		{name: "S4: one proof where two are needed", given: half, when: complete, in: inReset(time.Minute), err: ErrMoreProofs},
		{name: "S4: no proof", given: open, when: complete, in: inReset(time.Minute), err: ErrMoreProofs},
		{name: "S4: an account that cannot be recovered", given: and(both(), reset(GateTwo)), when: complete, in: inReset(time.Minute), err: ErrMoreProofs},
		{name: "S4: one proof without a role", given: single, when: complete, in: inReset(time.Minute, plain), then: []Event{done(GateOne, time.Minute, SlotMobile)}},
		{name: "S4: one proof, and a role meanwhile", given: single, when: complete, in: inReset(time.Minute), err: ErrMoreProofs},
		{name: "S4: two proofs stay needed when the role is gone meanwhile", given: half, when: complete, in: inReset(time.Minute, plain), err: ErrMoreProofs},
		{name: "S4: a proof of a contact that is no longer there", given: and(whole, AlternateEmailRemoved{Old: about(private), At: start.Add(2 * day)}), when: complete, in: inReset(time.Minute), err: ErrMoreProofs},
		{name: "S3: a proof of an address that has become the organization's", given: and(whole, AlternateEmailInvalidated{Reason: BecameTenantAddress, Email: about(private), At: start.Add(2 * day)}), when: complete, in: inReset(time.Minute), err: ErrMoreProofs},
		{name: "S4: blocked meanwhile", given: whole, when: complete, in: inReset(time.Minute, func(w *world) { w.account.Blocked = true }), err: ErrMoreProofs},
		{name: "S4: after an hour", given: whole, when: complete, in: inReset(time.Hour), err: ErrNoReset},
		{name: "S4: no reset", given: both(), when: complete, in: inReset(time.Minute), err: ErrNoReset},
		{name: "I7: a change was undone meanwhile", given: and(whole, ContactChangeUndone{Slot: SlotMobile, At: start.Add(2 * day)}), when: complete, in: inReset(time.Minute), err: ErrNoReset},
	}))
}

// and returns what happened and then some more, in memory of its own.
func and(given []Event, more ...Event) []Event { return slices.Concat(given, more) }

// Who is refused for want of proofs may have given none: nothing is said of
// "another".
func TestS4_TooFewProofsIsSaidSoThatItHoldsForNone(t *testing.T) {
	if says := ErrMoreProofs.Detail; strings.Contains(says, "another") || !strings.Contains(says, "too few") {
		t.Errorf("%q speaks of another proof, and there may be none", says)
	}
}
