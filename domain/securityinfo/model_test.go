package securityinfo_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	. "konto/domain/securityinfo"
)

// A model is what a person would expect of the page: which contact is in use
// and which one waits in each slot, told with maps and strings only.
type model struct {
	inUse, waits map[Slot]string
	wrongCodes   map[Slot]int
	alive        map[Slot]time.Time // until when a slot's code works
	sent         map[Slot][]time.Time
	hadBoth      bool
}

var inputs = map[Slot][]string{
	SlotMobile:          {number, other},
	SlotAlternateMobile: {number, third, landline},
	SlotOffice:          {landline, other},
	SlotAlternateEmail:  {private, private2},
}

func phoneSlots() []Slot { return []Slot{SlotMobile, SlotAlternateMobile, SlotOffice} }

func (m *model) phonesInUse() int {
	n := 0
	for _, s := range phoneSlots() {
		if m.inUse[s] != "" {
			n++
		}
	}
	return n
}

func (m *model) recent(slot Slot, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(m.sent[slot]), func(t time.Time) bool { return now.Sub(t) >= time.Hour })
}

// set returns the model after a save of one slot, or the refusal's code.
func (m *model) set(slot Slot, value string, now time.Time) (*model, string) {
	n := m.clone()
	switch {
	case value == "":
		n.inUse[slot], n.waits[slot], n.alive[slot], n.wrongCodes[slot] = "", "", time.Time{}, 0
	case m.waits[slot] == value, m.waits[slot] == "" && m.inUse[slot] == value:
	case m.inUse[slot] == value:
		n.waits[slot], n.alive[slot], n.wrongCodes[slot] = "", time.Time{}, 0
	case len(m.recent(slot, now)) >= 5:
		return nil, "verification-too-many"
	default:
		n.waits[slot] = value
		n.send(slot, now)
	}
	will := func(s Slot) string {
		if n.waits[s] != "" {
			return n.waits[s]
		}
		return n.inUse[s]
	}
	for _, other := range phoneSlots() {
		if slot != SlotAlternateEmail && value != "" && other != slot && will(other) == will(slot) {
			return nil, "phone-already-used"
		}
	}
	usable := func(m *model) int {
		if m.inUse[SlotAlternateEmail] != "" {
			return m.phonesInUse() + 1
		}
		return m.phonesInUse()
	}
	both := n.phonesInUse() > 0 && n.inUse[SlotAlternateEmail] != ""
	switch {
	case will(SlotAlternateMobile) != "" && will(SlotMobile) == "":
		return nil, "mobile-required"
	case usable(n) < usable(m) && (usable(n) == 0 || m.hadBoth && !both):
		return nil, "last-recovery-method"
	}
	return n, ""
}

// elsewhere reports whether the number that waits in slot is in use in another.
func (m *model) elsewhere(slot Slot) bool {
	return slices.ContainsFunc(phoneSlots(), func(s Slot) bool { return s != slot && m.inUse[s] == m.waits[slot] })
}

func (m *model) send(slot Slot, now time.Time) {
	life := 10 * time.Minute
	if slot == SlotAlternateEmail {
		life = 24 * time.Hour
	}
	m.sent[slot] = append(m.recent(slot, now), now)
	m.alive[slot], m.wrongCodes[slot] = now.Add(life), 0
}

func (m *model) clone() *model {
	return &model{
		maps.Clone(m.inUse), maps.Clone(m.waits), maps.Clone(m.wrongCodes), maps.Clone(m.alive), maps.Clone(m.sent), m.hadBoth,
	}
}

// TestModel walks at random through everything a person and time can do, and
// compares each answer and each state with the model's.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			state SecurityInfo
			m     = &model{
				map[Slot]string{}, map[Slot]string{}, map[Slot]int{}, map[Slot]time.Time{}, map[Slot][]time.Time{}, false,
			}
			now      = start
			commands int
			slots    = rapid.SampledFrom([]Slot{SlotMobile, SlotAlternateMobile, SlotOffice, SlotAlternateEmail})
		)
		run := func(t *rapid.T, cmd domain.Command[SecurityInfo]) string {
			commands++
			w := usual()
			w.after, w.command = now.Sub(start), fmt.Sprint("c", commands)
			events, err := cmd.Decide(state, w.meta(cmd))
			for _, e := range events {
				e.Evolve(&state)
			}
			if refused, ok := errors.AsType[*domain.Error](err); ok {
				if len(refused.Causes) > 0 { // one slot at a time, but two rules may refuse it
					return refused.Causes[0].Code
				}
				return refused.Code
			}
			return ""
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				slot := slots.Draw(t, "slot")
				value := rapid.SampledFrom(append([]string{""}, inputs[slot]...)).Draw(t, "value")
				cmd := map[Slot]func(string) UpdateSecurityInfo{
					SlotMobile: mobile, SlotAlternateMobile: altMob, SlotOffice: office, SlotAlternateEmail: altMail,
				}[slot](value)
				next, want := m.set(slot, value, now)
				if got := run(t, cmd); got != want {
					t.Fatalf("set %s to %q = %q, want %q", slot, value, got, want)
				}
				if next != nil {
					m = next
				}
			},
			"request": func(t *rapid.T) {
				slot, want := slots.Draw(t, "slot"), ""
				sent := m.recent(slot, now)
				switch {
				case state.UpdatedAt.IsZero():
					want = "security-info-not-found"
				case m.waits[slot] == "":
					want = "nothing-to-verify"
				case len(sent) >= 5:
					want = "verification-too-many"
				case len(sent) > 0 && now.Sub(sent[len(sent)-1]) < time.Minute:
					want = "verification-too-soon"
				default:
					m.send(slot, now)
				}
				if got := run(t, RequestContactVerification{Slot: slot}); got != want {
					t.Fatalf("request %s = %q, want %q", slot, got, want)
				}
			},
			"confirm": func(t *rapid.T) {
				slot, right := slots.Draw(t, "slot"), rapid.Bool().Draw(t, "right")
				entered, want := code(verification(state, slot)), ""
				if !right {
					entered = string('0'+('9'-entered[0])) + entered[1:] // differs: nine is odd
				}
				switch {
				case state.UpdatedAt.IsZero():
					want = "security-info-not-found"
				case m.waits[slot] == "":
					want = "nothing-to-verify"
				case m.wrongCodes[slot] >= 5:
					want = "too-many-attempts"
				case !now.Before(m.alive[slot]):
					want = "code-expired"
				case m.elsewhere(slot):
					want = "phone-already-used"
				case !right:
					want = "wrong-code"
					m.wrongCodes[slot]++
				default:
					m.inUse[slot], m.waits[slot] = m.waits[slot], ""
					m.hadBoth = m.hadBoth || m.phonesInUse() > 0 && m.inUse[SlotAlternateEmail] != ""
				}
				if got := run(t, ConfirmContactVerification{Slot: slot, Code: entered}); got != want {
					t.Fatalf("confirm %s, right code %v = %q, want %q", slot, right, got, want)
				}
			},
			"expire": func(t *rapid.T) {
				slot := slots.Draw(t, "slot")
				if !state.UpdatedAt.IsZero() {
					v := verification(state, slot)
					over := v != "" && !now.Before(m.alive[slot])
					if got := run(t, ExpireContactVerification{Slot: slot, Verification: v}); got != "" {
						t.Fatalf("expire %s = %q", slot, got)
					}
					if over {
						m.wrongCodes[slot] = 0 // the code is dead already
					}
				}
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * 30 * time.Second)
			},
			"": func(t *rapid.T) {
				if got, want := picture(state), picture2(m); !reflect.DeepEqual(got, want) {
					t.Fatalf("state = %v, want %v", got, want)
				}
			},
		})
	})
}

// picture is what can be seen of a state, each slot's contacts as they were typed.
func picture(s SecurityInfo) map[string]string {
	out := map[string]string{"hadBoth": strconv.FormatBool(s.HadBothKinds)}
	for slot, m := range map[Slot]Method[Phone]{SlotMobile: s.Mobile, SlotAlternateMobile: s.AlternateMobile, SlotOffice: s.Office} {
		out[string(slot)] = fmt.Sprintf("%s < %s", m.Verified.Value.Raw, m.Pending.Value.Raw)
	}
	out[string(SlotAlternateEmail)] = fmt.Sprintf("%s < %s", s.AlternateEmail.Verified.Value, s.AlternateEmail.Pending.Value)
	return out
}

func picture2(m *model) map[string]string {
	out := map[string]string{"hadBoth": strconv.FormatBool(m.hadBoth)}
	for slot := range inputs {
		out[string(slot)] = fmt.Sprintf("%s < %s", m.inUse[slot], m.waits[slot])
	}
	return out
}
