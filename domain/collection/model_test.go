package collection_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	. "konto/domain/collection"
)

// A model is what a person would expect of a case: where it stands, until
// when, and how often each network was used.
type model struct {
	phase                 Phase
	grace, cancel, delete time.Time
	paid, disputed, back  bool // back: an accepted chargeback stands
	asked                 string
	covered               bool            // the balance goes on an invoice if what was asked for is not paid
	until                 time.Time       // when the gateway may no longer carry it out
	lost                  map[string]bool // cards that are declined for good
	held                  map[string]bool // cards with which only their holder can pay
	used                  map[string][]time.Time
}

// visaLimit is small, so that random walks reach it.
const visaLimit = 4

// pass moves the model to what time alone leads to.
func (m *model) pass(now time.Time) {
	over := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if m.covered {
		if !over(m.until) {
			return
		}
		m.recover()
	}
	if over(m.grace) && !m.disputed && slices.Contains([]Phase{Retrying, Accelerated, PastDue, ChargedBack}, m.phase) {
		m.phase, m.cancel, m.delete = Suspended, now.AddDate(0, 0, 90), now.AddDate(0, 0, 180)
	}
	if m.phase == Suspended && over(m.cancel) {
		m.phase = Canceled
	}
	if m.phase == Canceled && over(m.delete) {
		m.phase = Deleted
	}
}

func (m *model) pay(now time.Time) {
	m.paid = true
	if m.covered || m.payable(now) {
		m.recover()
	}
}

func (m *model) payable(now time.Time) bool {
	return m.phase.Open() && (m.cancel.IsZero() || now.Before(m.cancel))
}

// recover is that nothing is owed any more.
func (m *model) recover() {
	m.phase, m.back, m.covered, m.asked = Recovered, false, false, ""
	m.lost, m.held = map[string]bool{}, map[string]bool{}
	m.grace, m.cancel, m.delete = time.Time{}, time.Time{}, time.Time{}
}

func (m *model) decline(card, code string, now time.Time) {
	if hard := code == "stolen_card" || code == "expired_card"; hard {
		m.lost[card] = true
	}
	if code == "authentication_required" {
		m.held[card] = true
	}
	if m.phase == Current && !m.paid && !m.disputed {
		m.phase, m.grace = Retrying, now.AddDate(0, 0, 30)
		if m.lost[card] {
			m.phase, m.grace = Accelerated, now.AddDate(0, 0, 7)
		}
	}
}

// chargeback is one that was accepted.
func (m *model) chargeback(now time.Time) {
	m.paid, m.disputed, m.back = false, false, true
	if slices.Contains([]Phase{Suspended, Canceled, Deleted}, m.phase) {
		return
	}
	until := now.AddDate(0, 0, 1)
	if m.phase.Open() && m.grace.Before(until) {
		until = m.grace
	}
	m.phase, m.grace, m.cancel = ChargedBack, until, time.Time{}
}

// see checks what a decision asks the gateway for, and follows it.
func (m *model) see(t *rapid.T, w *world, e Event, cmd domain.Command[Invoice]) {
	switch e := e.(type) {
	case ChargeRequested:
		_, settles := cmd.(SettleBalance)
		recent := slices.DeleteFunc(slices.Clone(m.used[e.Budget.Network]), func(at time.Time) bool { return w.now.Sub(at) >= 30*24*time.Hour })
		switch {
		case m.asked != "":
			t.Fatalf("asked for %s while %s is not answered", e.CardID, m.asked)
		case m.disputed, !m.phase.Open(), m.back && !settles:
			t.Fatalf("asked for %s in %+v", e.CardID, m)
		case m.held[e.CardID] && !settles:
			t.Fatalf("asked for %s without its holder", e.CardID)
		case m.lost[e.CardID] && !settles:
			t.Fatalf("asked for %s, which was declined for good", e.CardID)
		case e.Budget.Network == "visa" && len(recent) >= visaLimit:
			t.Fatalf("asked visa a fifth time: %v", recent)
		}
		m.asked, m.until = e.CardID, e.Until
	case AccountRecovered:
		if e.By == ByInvoiceSwitch && m.asked != "" {
			t.Fatalf("the balance goes on an invoice while %s may be charged for it", m.asked)
		}
	case CardAllowedAgain:
		m.lost[e.CardID] = false
	case ChargeLapsed:
		m.used[w.cards[e.CardID].Brand] = append(m.used[w.cards[e.CardID].Brand], m.until) // it may have been made until then
		m.asked = ""
	case PaymentPastDue:
		if m.phase == Retrying || m.phase == Accelerated {
			m.phase = PastDue
		}
	}
}

// TestModel walks at random through everything that a gateway, people and time
// can do to a case. A million commands: -rapid.checks=10000 -rapid.steps=100.
func TestModel(t *testing.T) {
	t.Parallel()
	rules := DunningPolicy.First
	rules.Limits = []Limit{{Network: "visa", Attempts: visaLimit, Days: 30}}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld("p b1 v2")
		w.rules = &rules
		m := &model{lost: map[string]bool{}, held: map[string]bool{}, used: map[string][]time.Time{}}
		cards := rapid.SampledFrom([]string{"p", "b1", "v2", "b2"})
		run := func(t *rapid.T, cmd domain.Command[Invoice], actor domain.Actor, before func()) string {
			if before != nil {
				before()
			}
			events, err := cmd.Decide(w.i, w.meta(actor))
			for _, e := range events {
				m.see(t, w, e, cmd)
				e.Evolve(&w.i)
			}
			if refused, ok := errors.AsType[*domain.Error](err); ok {
				return refused.Code
			}
			return ""
		}
		result := func(outcome, card, code string) RecordChargeResult {
			r := RecordChargeResult{
				Outcome: outcome, SubscriptionID: sub, CardID: card, AmountMinor: 100, Currency: "SEK", Code: code,
				OccurredAt: w.now, GatewayEventID: fmt.Sprint("evt_", w.count),
			}
			return r
		}
		charge := func(outcome, card, code string) (RecordChargeResult, func()) {
			return result(outcome, card, code), func() {
				m.used[w.cards[card].Brand] = append(m.used[w.cards[card].Brand], w.now)
				if m.asked == card {
					m.asked = ""
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"decline": func(t *rapid.T) {
				card := cards.Draw(t, "card")
				code := rapid.SampledFrom([]string{"insufficient_funds", "do_not_honor", "processing_error", "expired_card", "stolen_card", "authentication_required", "new"}).Draw(t, "code")
				cmd, note := charge(Declined, card, code)
				run(t, cmd, gateway, func() {
					answers := m.asked == card
					note()
					m.decline(card, code, w.now)
					if answers && m.covered {
						m.recover()
					}
				})
			},
			"pay": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "luck") > 0 {
					t.Skip("most payments fail")
				}
				cmd, note := charge(Succeeded, cards.Draw(t, "card"), "")
				run(t, cmd, gateway, note)
				m.pay(w.now)
			},
			"change": func(t *rapid.T) {
				change := rapid.SampledFrom([]Change{CardAddedAsBackup, CardMadePrimary, CardEdited, CardUpdated}).Draw(t, "change")
				run(t, ReconsiderCards{CardID: cards.Draw(t, "card"), Change: change}, system, nil)
			},
			"settle": func(t *rapid.T) {
				card, who := cards.Draw(t, "card"), rapid.SampledFrom([]string{"ann", "bob", "payer"}).Draw(t, "who")
				got := run(t, SettleBalance{CardID: card}, people[who], nil)
				mine := who == "payer" || (who == "bob") == (card == "b1")
				if got == "" && (!mine || m.disputed || !m.phase.Open() || m.covered) {
					t.Fatalf("%s settled with %s in %+v", who, card, m)
				}
			},
			"dispute": func(t *rapid.T) {
				if w.i.Exists() {
					run(t, result(Disputed, w.i.LastCardID, ""), gateway, func() { m.disputed, m.covered, m.asked = true, false, "" })
				}
			},
			"cover": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "luck") > 0 {
					t.Skip("a switch is seldom")
				}
				run(t, CoverByInvoice{CaseID: "case"}, system, nil)
				switch {
				case !m.payable(w.now) || m.disputed:
				case m.asked != "":
					m.covered = true
				default:
					m.recover()
				}
			},
			"decide dispute": func(t *rapid.T) {
				if !m.disputed {
					return
				}
				if rapid.Bool().Draw(t, "won") {
					run(t, result(DisputeWon, w.i.LastCardID, ""), gateway, func() { m.disputed = false })
					return
				}
				run(t, result(DisputeEnd, w.i.LastCardID, ""), gateway, func() { m.chargeback(w.now) })
			},
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 5, 24, 60, 24 * 9, 24 * 40, 24 * 95}).Draw(t, "hours")) * time.Hour)
			},
			"tick": func(t *rapid.T) {
				got := run(t, AdvanceCollection{}, system, nil)
				if (got == "") != w.i.Exists() {
					t.Fatalf("tick = %q", got)
				}
				m.pass(w.now)
			},
			"": func(t *rapid.T) {
				if w.i.Case.Asked == nil {
					m.asked = ""
				}
				if w.i.Case.Phase != m.phase || w.i.Paid != m.paid || w.i.Case.Disputed != m.disputed {
					t.Fatalf("case is %s (paid %v, disputed %v), want %+v", w.i.Case.Phase, w.i.Paid, w.i.Case.Disputed, m)
				}
			},
		})
	})
}
