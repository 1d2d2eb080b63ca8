package securityinfo_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	. "konto/domain/securityinfo"
)

// TestWalk sends every command there is at random, by everybody who may, and
// checks after each what must always hold. For a million commands:
//
//	go test -run TestWalk ./domain/securityinfo -rapid.checks=20000 -rapid.steps=50
func TestWalk(t *testing.T) {
	t.Parallel()
	var total, carried atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		w := &walk{now: start, proved: map[Slot]bool{}}
		steps := map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 5, 30, 120, 1500, 5000}).Draw(t, "minutes")) * time.Minute)
			},
			"": w.check,
		}
		for name, draw := range commandsAtRandom(w) {
			steps[name] = func(t *rapid.T) {
				total.Add(1)
				if w.send(t, draw(t)) {
					carried.Add(1)
				}
			}
		}
		t.Repeat(steps)
	})
	t.Logf("%d commands, %d of them recorded something", total.Load(), carried.Load())
}

// walk is a person's security info and what a person would remember of it.
type walk struct {
	state   SecurityInfo
	now     time.Time
	sent    int
	changes []string      // that may or may no longer be undone
	proved  map[Slot]bool // contacts whose code was entered in the open reset
}

func commandsAtRandom(w *walk) map[string]func(*rapid.T) domain.Command[SecurityInfo] {
	slot := rapid.SampledFrom([]Slot{SlotMobile, SlotAlternateMobile, SlotOffice, SlotAlternateEmail})
	phone := rapid.SampledFrom(phoneSlots())
	raw := rapid.SampledFrom([]string{number, other, third, landline, premium, "112"})
	address := rapid.SampledFrom([]string{private, private2, "x@contoso.se", "ann"})
	guess := func(t *rapid.T, right string) string {
		if rapid.IntRange(0, 3).Draw(t, "wrong") == 0 {
			return string('0'+('9'-right[0])) + right[1:]
		}
		return right
	}
	type draw = func(*rapid.T) domain.Command[SecurityInfo]
	return map[string]draw{
		"save": func(t *rapid.T) domain.Command[SecurityInfo] {
			return UpdateSecurityInfo{Mobile: new(raw.Draw(t, "mobile")), AlternateEmail: new(address.Draw(t, "address"))}
		},
		"add": func(t *rapid.T) domain.Command[SecurityInfo] {
			return AddPhoneMethod{phone.Draw(t, "slot"), raw.Draw(t, "number")}
		},
		"change": func(t *rapid.T) domain.Command[SecurityInfo] {
			return ChangePhoneMethod{phone.Draw(t, "slot"), raw.Draw(t, "number")}
		},
		"remove":         func(t *rapid.T) domain.Command[SecurityInfo] { return RemovePhoneMethod{phone.Draw(t, "slot")} },
		"add address":    func(t *rapid.T) domain.Command[SecurityInfo] { return AddAlternateEmail{address.Draw(t, "address")} },
		"change address": func(t *rapid.T) domain.Command[SecurityInfo] { return ChangeAlternateEmail{address.Draw(t, "address")} },
		"remove address": func(*rapid.T) domain.Command[SecurityInfo] { return RemoveAlternateEmail{} },
		"request":        func(t *rapid.T) domain.Command[SecurityInfo] { return RequestContactVerification{slot.Draw(t, "slot")} },
		"confirm": func(t *rapid.T) domain.Command[SecurityInfo] {
			s := slot.Draw(t, "slot")
			return ConfirmContactVerification{s, guess(t, code(verification(w.state, s)))}
		},
		"expire": func(t *rapid.T) domain.Command[SecurityInfo] {
			s := slot.Draw(t, "slot")
			return ExpireContactVerification{s, verification(w.state, s)}
		},
		"recheck":     func(*rapid.T) domain.Command[SecurityInfo] { return RecheckAlternateEmail{} },
		"reconfirm":   func(*rapid.T) domain.Command[SecurityInfo] { return ReconfirmSecurityInfo{} },
		"ask":         func(*rapid.T) domain.Command[SecurityInfo] { return RequestReconfirmation{w.state.ReconfirmBy} },
		"start reset": func(*rapid.T) domain.Command[SecurityInfo] { return StartPasswordReset{} },
		"send codes":  func(*rapid.T) domain.Command[SecurityInfo] { return SendRecoveryCodes{w.state.Reset.ID} },
		"prove": func(t *rapid.T) domain.Command[SecurityInfo] {
			s := slot.Draw(t, "slot")
			return SubmitRecoveryCode{s, guess(t, code(RecoveryCodeID(w.state.Reset.ID, s)))}
		},
		"complete": func(*rapid.T) domain.Command[SecurityInfo] { return CompletePasswordReset{} },
		"undo": func(t *rapid.T) domain.Command[SecurityInfo] {
			return proof(rapid.SampledFrom(append([]string{"none"}, w.changes...)).Draw(t, "change"))
		},
	}
}

// send decides and folds a command, and reports whether it recorded anything.
func (w *walk) send(t *rapid.T, cmd domain.Command[SecurityInfo]) bool {
	w.sent++
	world := usual()
	world.after, world.command = w.now.Sub(start), fmt.Sprint("w", w.sent)
	before := w.state
	events, err := cmd.Decide(w.state, world.meta(cmd))
	for _, e := range events {
		w.remember(t, before, e)
		e.Evolve(&w.state)
	}
	if err == nil && inUseNow(before) > 0 && inUseNow(w.state) == 0 {
		t.Fatalf("I1: %#v left no contact in use", cmd)
	}
	return len(events) > 0
}

// remember follows what happens, and fails on what must not.
func (w *walk) remember(t *rapid.T, before SecurityInfo, e Event) {
	switch e := e.(type) {
	case ContactVerified:
		w.changes = append(w.changes, e.Verification)
		delete(w.proved, e.Slot)
	case PhoneMethodRemoved:
		w.changes = append(w.changes, e.Change)
		delete(w.proved, e.Slot)
	case AlternateEmailRemoved:
		w.changes = append(w.changes, e.Change)
		delete(w.proved, SlotAlternateEmail)
	case ContactChangeUndone:
		clear(w.proved)
		if e.At.Sub(start) > 0 && e.Contact.Value == "" {
			t.Fatalf("I7: nothing came back with %+v", e)
		}
	case PasswordResetStarted:
		clear(w.proved)
	case RecoveryCodeRequested:
		from := before.AlternateEmail.UsableFrom
		if m := map[Slot]Method[Phone]{SlotMobile: before.Mobile, SlotAlternateMobile: before.AlternateMobile, SlotOffice: before.Office}; e.Slot != SlotAlternateEmail {
			from = m[e.Slot].UsableFrom
		}
		if e.At.Before(from) {
			t.Fatalf("I7: a code went to %s before %v", e.Slot, from)
		}
	case RecoveryProofAccepted:
		w.proved[e.Method] = true
	case PasswordResetCompleted:
		phone := w.proved[SlotMobile] || w.proved[SlotAlternateMobile] || w.proved[SlotOffice]
		if !phone || !w.proved[SlotAlternateEmail] {
			t.Fatalf("S4: a reset was completed with proofs of %v alone", w.proved)
		}
		clear(w.proved)
	}
}

// check is what holds after every command.
func (w *walk) check(t *rapid.T) {
	s := w.state
	for _, c := range s.Reset.Codes {
		inUse := s.AlternateEmail.InUse()
		if m := map[Slot]Method[Phone]{SlotMobile: s.Mobile, SlotAlternateMobile: s.AlternateMobile, SlotOffice: s.Office}; c.Slot != SlotAlternateEmail {
			inUse = m[c.Slot].InUse()
		}
		if !inUse {
			t.Fatalf("I2: the reset has a code for %s, where nothing is in use", c.Slot)
		}
	}
	var phones []string
	for _, m := range []Method[Phone]{s.Mobile, s.AlternateMobile, s.Office} {
		if m.InUse() {
			phones = append(phones, m.Verified.Value.String())
		}
	}
	if slices.Sort(phones); len(slices.Compact(slices.Clone(phones))) != len(phones) {
		t.Fatalf("S2: one number is in use twice: %v", phones)
	}
	if len(s.Resets) > 5 || len(s.Mobile.Requests) > 5 {
		t.Fatalf("%d resets a day, %d codes an hour", len(s.Resets), len(s.Mobile.Requests))
	}
}

func inUseNow(s SecurityInfo) int {
	n := 0
	for _, in := range []bool{s.Mobile.InUse(), s.AlternateMobile.InUse(), s.Office.InUse(), s.AlternateEmail.InUse()} {
		if in {
			n++
		}
	}
	return n
}
