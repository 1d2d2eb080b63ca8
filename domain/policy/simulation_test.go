package policy_test

import (
	"container/heap"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/policy"
	"konto/domain/policyversion"
)

var simulated = flag.Int("cases", 300, "how many collection cases TestSimulatedCases carries to their end")

// sim is a small Konto: streams as folded states, the facts that the sources
// find in them, and the reactions, whose dispatches wait for simulated time.
type sim struct {
	*testing.T
	rand    *rand.Rand
	now     time.Time
	states  map[string]any
	memory  map[string]any
	queue   jobs
	count   int
	charged map[string][]time.Time // of the invoice: what the gateway's side carried out, by network
	asked   int
	settled []collection.BalanceSettled
	covered int // how often the balance went on an invoice
}

// job is a thing to do at a time.
type job struct {
	at  time.Time
	seq int
	do  func()
}

type jobs []job

func (q jobs) Len() int { return len(q) }
func (q jobs) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].seq < q[j].seq
}
func (q jobs) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *jobs) Push(x any)   { *q = append(*q, x.(job)) }
func (q *jobs) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (s *sim) after(d time.Duration, do func()) {
	s.count++
	heap.Push(&s.queue, job{s.now.Add(d), s.count, do})
}

func (s *sim) state(c domain.Contract, id string) any {
	key := c.Category() + "-" + id
	if s.states[key] == nil {
		s.states[key] = c.New()
	}
	return s.states[key]
}

func contractOf(command any) domain.Contract {
	for _, c := range policy.Contracts {
		if slices.ContainsFunc(c.Commands(), func(i domain.CommandInfo) bool { return i.Type == reflect.TypeOf(command) }) {
			return c
		}
	}
	return nil
}

// send decides a command as the handler does, facts and all, folds its events
// and lets the reactions see them.
func (s *sim) send(id string, command any, actor domain.Actor) error {
	c := contractOf(command)
	s.count++
	m := domain.Meta{ID: id, Tenant: own, Actor: actor, At: s.now, Command: fmt.Sprint("cmd-", s.count)}
	if needer, ok := command.(domain.Needer); ok {
		for more := true; more; {
			more = false
			for _, n := range needer.Needs(m) {
				if !m.Facts.Has(n) {
					m.Facts, more = m.Facts.Knows(n, s.fact(n)), true
				}
			}
		}
	}
	events, err := c.Decide(s.state(c, id), command, m)
	for _, e := range events {
		s.record(c, id, e)
	}
	return err
}

func (s *sim) fact(n domain.Need) any {
	for _, source := range policy.Sources {
		if source.Type == n.Type && source.Contract != nil {
			return source.State(n.Key, s.state(source.Contract, n.Key))
		}
	}
	s.Fatalf("no source for %v", n.Type)
	return nil
}

func (s *sim) record(c domain.Contract, id string, e any) {
	if err := c.Evolve(s.state(c, id), e); err != nil {
		s.Fatal(err)
	}
	recorded := domain.Recorded[any]{Data: e, ID: id, Category: c.Category(), Tenant: own, EventID: strconv.Itoa(s.count), At: s.now}
	for _, r := range policy.Reactions {
		step, ok := r.Steps[reflect.TypeOf(e)]
		if !ok {
			continue
		}
		key, state := step.Key(recorded), step.New()
		if key != "" {
			if s.memory[r.Name+key] == nil {
				s.memory[r.Name+key] = state
			}
			state = s.memory[r.Name+key]
		}
		for _, effect := range step.Then(state, recorded) {
			if d, ok := effect.(domain.Dispatch); ok {
				s.after(d.After, func() { _ = s.send(d.To, d.Command, domain.Actor{Kind: domain.KindSystem}) }) // a refusal is final
			}
		}
	}
	switch e := e.(type) {
	case collection.ChargeRequested:
		s.gateway(id, e)
	case collection.BalanceSettled:
		s.settled = append(s.settled, e)
	case collection.AccountRecovered:
		if e.By == collection.ByInvoiceSwitch {
			s.covered++
		}
	case collection.ChargeSucceeded:
		if s.covered > 0 && !e.AfterCover {
			s.Errorf("%s is paid by card and by invoice, and nothing says so", id)
		}
	}
}

// gateway carries a request out, mostly, and answers, mostly.
func (s *sim) gateway(id string, e collection.ChargeRequested) {
	s.asked++
	if s.rand.IntN(25) == 0 {
		return // it is down
	}
	s.after(time.Duration(s.rand.IntN(3*60))*time.Minute, func() {
		if !s.now.Before(e.Until) {
			return
		}
		at := s.now
		s.charged[e.Budget.Network] = append(s.charged[e.Budget.Network], at)
		late := time.Duration(0)
		if s.rand.IntN(20) == 0 {
			late = time.Duration(s.rand.IntN(72)) * time.Hour
		}
		s.after(late, func() { s.report(id, e.CardID, e.RequestID, at) })
	})
}

// report is the webhook of a charge.
func (s *sim) report(id, cardID, request string, at time.Time) {
	r := collection.RecordChargeResult{
		Outcome: collection.Declined, SubscriptionID: "sub", CardID: cardID, AmountMinor: 100, Currency: "SEK",
		OccurredAt: at, GatewayEventID: fmt.Sprint("evt-", s.count), RequestID: request, ChargeID: fmt.Sprint("ch-", s.count),
	}
	codes, advice := collection.Codes(), append(collection.AdviceCodes(), "", "", "", "")
	r.Code, r.AdviceCode = codes[s.rand.IntN(len(codes))], advice[s.rand.IntN(len(advice))]
	if s.rand.IntN(3) == 0 {
		r.Code = "insufficient_funds"
	}
	if request != "" && s.rand.IntN(5) == 0 {
		r.Outcome, r.Code, r.AdviceCode = collection.Succeeded, "", ""
	}
	if err := s.send(id, r, domain.Actor{ID: "stripe", Kind: domain.KindGateway}); err != nil {
		s.Errorf("report: %v", err)
	}
}

// run lets time pass. Now and then the clock jumps, as when Konto was down.
func (s *sim) run(until time.Time) {
	for len(s.queue) > 0 && !s.queue[0].at.After(until) {
		j := heap.Pop(&s.queue).(job)
		if j.at.After(s.now) {
			s.now = j.at
		}
		if s.rand.IntN(60) == 0 {
			s.now = s.now.Add(time.Duration(s.rand.IntN(20*24)) * time.Hour)
		}
		j.do()
	}
}

func newSim(t *testing.T, seed uint64) *sim {
	t.Helper()
	s := &sim{
		T: t, rand: rand.New(rand.NewPCG(seed, 1)), now: noon, states: map[string]any{}, memory: map[string]any{},
		charged: map[string][]time.Time{},
	}
	if seed%2 == 1 { // half of the worlds have networks that allow little
		rules := collection.DunningPolicy.First
		rules.Limits, rules.OtherLimit.Attempts = []collection.Limit{{Network: "visa", Attempts: 3, Days: 30}}, 2
		b, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		s.record(policyversion.Aggregate, "dunning", policyversion.PolicyVersionPublished{Name: "dunning", Version: 2, Rules: b})
	}
	for i := range 4 {
		s.record(card.Aggregate, cardOf(i), card.CardAdded{
			Tenant: own, GatewayToken: cardOf(i), Brand: []string{"visa", "mastercard", "amex", "jcb"}[s.rand.IntN(4)], Last4: "4242",
			ExpMonth: 1 + s.rand.IntN(12), ExpYear: 2026 + s.rand.IntN(3), AddedBy: []string{"ann", "bob"}[i%2], At: s.now,
		})
	}
	s.record(billing.Aggregate, "sub", billing.SubscriptionRegistered{Product: "P", BoughtBy: "ann", CardID: cardOf(0), At: s.now})
	for i := range s.rand.IntN(3) {
		s.record(billing.Aggregate, "sub", billing.BackupCardAdded{CardID: cardOf(1 + i), Priority: 1 + i, AddedBy: "ann"})
	}
	return s
}

func cardOf(i int) string { return fmt.Sprint("card-", i) }

// disturb plans what people and banks do to a case.
func (s *sim) disturb(id string) {
	some := func(n int) bool { return s.rand.IntN(n) == 0 }
	later := func() time.Duration { return time.Duration(s.rand.IntN(120*24)) * time.Hour }
	for range s.rand.IntN(4) {
		s.after(later(), func() {
			s.record(card.Aggregate, cardOf(s.rand.IntN(4)), card.CardDetailsUpdated{Changed: []string{"expYear"}, ExpYear: 2029})
		})
	}
	if some(3) {
		s.after(later(), func() {
			_ = s.send("sub", billing.AddBackupCard{CardID: cardOf(3)}, domain.Actor{ID: "bob", Kind: domain.KindPerson, Tenant: own})
		})
	}
	for range s.rand.IntN(4) {
		s.after(later(), func() { // a refusal is theirs to read
			_ = s.send(id, collection.SettleBalance{CardID: cardOf(s.rand.IntN(4))}, domain.Actor{ID: []string{"ann", "bob"}[s.rand.IntN(2)], Kind: domain.KindPerson, Tenant: own})
		})
	}
	if some(6) {
		s.after(later(), func() {
			_ = s.send(id, collection.CoverByInvoice{CaseID: "case"}, domain.Actor{Kind: domain.KindSystem})
		})
	}
	if some(6) {
		s.after(later(), func() { s.dispute(id, collection.Disputed) })
	}
}

func (s *sim) dispute(id, outcome string) {
	i := s.state(collection.Aggregate, id).(*collection.Invoice)
	err := s.send(id, collection.RecordChargeResult{
		Outcome: outcome, SubscriptionID: "sub", CardID: i.LastCardID, AmountMinor: 100, Currency: "SEK", GatewayEventID: fmt.Sprint("evt-", s.count),
	}, domain.Actor{ID: "stripe", Kind: domain.KindGateway})
	if err != nil {
		s.Errorf("dispute: %v", err)
	}
	if outcome == collection.Disputed {
		s.after(time.Duration(s.rand.IntN(60*24))*time.Hour, func() {
			s.dispute(id, []string{collection.DisputeWon, collection.DisputeEnd}[s.rand.IntN(2)])
		})
	}
}

// Cases of all kinds are carried to their end by the aggregates and the
// reactions alone. 10,000 of them: go test ./domain/policy -run Simulated -args -cases 10000.
func TestSimulatedCases(t *testing.T) {
	t.Parallel()
	const id = "invoice"
	ends, asked, charged, settled, covered := map[collection.Phase]int{}, 0, 0, 0, 0
	for n := range *simulated {
		s := newSim(t, uint64(n))
		s.charged[s.state(card.Aggregate, cardOf(0)).(*card.Card).Brand] = []time.Time{s.now}
		s.report(id, cardOf(0), "", s.now)
		s.disturb(id)
		s.run(noon.AddDate(3, 0, 0))
		i := s.state(collection.Aggregate, id).(*collection.Invoice)
		ends[i.Case.Phase]++
		asked += s.asked
		if !slices.Contains([]collection.Phase{collection.Recovered, collection.Suspended, collection.Canceled, collection.Deleted}, i.Case.Phase) {
			t.Errorf("case %d ends %s: %+v", n, i.Case.Phase, i.Case)
		}
		charged += s.withinLimits(n)
		settled += len(s.settled)
		covered += s.covered
		for _, e := range s.settled[max(0, len(s.settled)-1):] { // after a dispute another card may settle anew, and the last one pays
			if until := s.state(card.Aggregate, e.CardID).(*card.Card).ValidUntil(); !until.IsZero() && !e.At.Before(until) {
				continue // it ran out between the request and the answer, and takes nobody's place
			}
			if p := s.state(billing.Aggregate, "sub").(*billing.Subscription).Primary; slices.Contains(e.Declined, p) && p != e.CardID {
				t.Errorf("case %d: %s pays although %s settled for it", n, p, e.CardID)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d cases: ends %v; %d charges requested, %d made, %d balances settled, %d on an invoice", *simulated, ends, asked, charged, settled, covered)
	if asked == 0 || settled == 0 || covered == 0 {
		t.Error("nothing was asked for, settled or put on an invoice")
	}
}

// withinLimits checks what was charged against what the networks allow, with
// no help from the code under test.
func (s *sim) withinLimits(n int) (charges int) {
	for network, times := range s.charged {
		limit := map[string]int{"visa": 15}[network]
		if limit == 0 {
			limit = 20
		}
		if n%2 == 1 {
			limit = map[string]int{"visa": 3}[network]
			if limit == 0 {
				limit = 2
			}
		}
		slices.SortFunc(times, time.Time.Compare)
		charges += len(times)
		for i := range times {
			if last := i + limit; last < len(times) && times[last].Sub(times[i]) < 30*24*time.Hour {
				s.Errorf("case %d: %s was charged more than %d times in 30 days: %v", n, network, limit, times)
			}
		}
	}
	return charges
}
