package collection_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/collection"
)

// A story is a case told line by line, "when what -> then". When is days and
// hours since it began, such as 1d6h; then are the events, or the code of the
// refusal after "!". The lines before are what the last one is given.
type story struct {
	Name   string
	Wallet string // the subscription's cards in order; "p" if empty
	Rules  *Dunning
	Lines  []string
}

func tell(t *testing.T, stories []story) {
	t.Helper()
	t.Parallel()
	for _, s := range stories {
		t.Run(s.Name, func(t *testing.T) {
			t.Helper()
			w := newWorld(s.Wallet)
			w.rules = s.Rules
			for _, line := range s.Lines {
				when, want, _ := strings.Cut(line, "->")
				if got := w.do(t, strings.Fields(when)); got != strings.TrimSpace(want) {
					t.Fatalf("%s\n got: %s\nwant: %s", strings.TrimSpace(when), got, strings.TrimSpace(want))
				}
			}
		})
	}
}

// world is an invoice and what its commands know of the rest.
type world struct {
	i      Invoice
	cards  map[string]Card
	wallet []string
	// unknown says that the subscription is registered nowhere.
	unknown bool
	rules   *Dunning // of version 2, in force from the beginning; nil for none
	later   []domain.Version[Dunning]
	now     time.Time
	count   int
}

// day0 is when a story begins.
var day0 = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const bob = "01936c2e-0000-7000-8000-0000000000b2"

func newWorld(wallet string) *world {
	if wallet == "" {
		wallet = "p"
	}
	of := func(brand, owner string) Card {
		return Card{
			Exists: true, Tenant: tenant, Owner: owner, Last4: "4242", Brand: brand, ExpMonth: 12, ExpYear: 2030,
			ValidUntil: day0.AddDate(4, 0, 0), GatewayToken: "pm_" + brand,
		}
	}
	return &world{
		wallet: strings.Fields(wallet), now: day0,
		cards: map[string]Card{
			"p": of("visa", ann), "b1": of("mastercard", bob), "b2": of("amex", ann), "b3": of("discover", ann), "v2": of("visa", ann),
			"none": {}, "theirs": {Exists: true, Tenant: "theirs", Owner: ann, Brand: "visa", ValidUntil: day0.AddDate(4, 0, 0)},
		},
	}
}

func (w *world) meta(actor domain.Actor) Meta {
	w.count++
	versions := w.later
	if w.rules != nil {
		versions = append([]domain.Version[Dunning]{{Number: 2, Rules: *w.rules}}, versions...)
	}
	f := DunningPolicy.Known(domain.Facts{}, versions...).
		Knows(domain.Of[Bill](id), BillOf(id, w.i)).
		Knows(domain.Of[Wallet](sub), Wallet{!w.unknown, w.wallet})
	for id, c := range w.cards {
		f = f.Knows(domain.Of[Card](id), c)
	}
	return Meta{ID: id, Tenant: tenant, Actor: actor, At: w.now, Command: fmt.Sprintf("cmd-%d", w.count), Facts: f}
}

// only is m with no facts but those that the command declares, as its handler
// finds them out.
func only(t *testing.T, cmd domain.Needer, m Meta) Meta {
	t.Helper()
	full := m
	m.Facts = domain.Facts{}
	for range 4 {
		for _, n := range cmd.Needs(m) {
			if !full.Facts.Has(n) {
				t.Fatalf("unexpected need %v", n)
			}
			switch n.Type {
			case reflect.TypeFor[Card]():
				m.Facts = m.Facts.Knows(n, domain.Fact[Card](full, n.Key))
			case reflect.TypeFor[Wallet]():
				m.Facts = m.Facts.Knows(n, domain.Fact[Wallet](full, n.Key))
			case reflect.TypeFor[Bill]():
				m.Facts = m.Facts.Knows(n, domain.Fact[Bill](full, n.Key))
			default:
				m.Facts = m.Facts.Knows(n, domain.Fact[domain.Terms[Dunning]](full, n.Key))
			}
		}
	}
	return m
}

// decide runs a command and folds its events, each by way of its stored form.
func (w *world) decide(t *testing.T, cmd domain.Command[Invoice], actor domain.Actor) ([]Event, error) {
	t.Helper()
	before := fmt.Sprintf("%+v", w.i)
	events, err := cmd.Decide(w.i, only(t, cmd.(domain.Needer), w.meta(actor)))
	if after := fmt.Sprintf("%+v", w.i); after != before {
		t.Fatalf("Decide changed the state from %s to %s", before, after)
	}
	for n, e := range events {
		raw, err := Aggregate.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := Aggregate.DecodeEvent(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(decoded, any(e)) {
			t.Fatalf("stored and read: %+v, was %+v", decoded, e)
		}
		events[n] = decoded.(Event)
		kept := fmt.Sprintf("%+v", w.i)
		folded := w.i
		events[n].Evolve(&folded)
		if after := fmt.Sprintf("%+v", w.i); after != kept {
			t.Fatalf("%T changed a copy of the state from %s to %s", e, kept, after)
		}
		w.i = folded
	}
	return events, err
}

var (
	system  = domain.Actor{ID: "konto", Kind: domain.KindSystem}
	gateway = domain.Actor{ID: "stripe", Kind: domain.KindGateway}
	people  = map[string]domain.Actor{
		"ann":     {ID: ann, Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.GlobalAdmin}},
		"bob":     {ID: bob, Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.BillingAdmin}},
		"payer":   {ID: "payer", Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.InvoiceManager}},
		"profile": {ID: "profile", Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.ProfileOwner}},
		"helper":  {ID: "helper", Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.ProfileContributor}},
	}
)

// do carries out one line of a story and tells what came of it.
func (w *world) do(t *testing.T, words []string) string {
	t.Helper()
	w.now = day0.Add(since(t, words[0]))
	verb, rest := words[1], words[2:]
	switch verb {
	case "wallet":
		w.wallet = rest
		return ""
	case "unregistered":
		w.unknown, w.wallet = true, nil
		return ""
	case "removed":
		w.cards[rest[0]] = func(c Card) Card { c.Removed = true; return c }(w.cards[rest[0]])
		return ""
	case "blocked":
		w.cards[rest[0]] = func(c Card) Card { c.Blocked = true; return c }(w.cards[rest[0]])
		return ""
	case "expires":
		w.cards[rest[0]] = func(c Card) Card { c.ValidUntil = day0.Add(since(t, rest[1])); return c }(w.cards[rest[0]])
		return ""
	case "limit": // the most that is charged without the holder; such a card's expiry is not known
		w.cards[rest[0]] = func(c Card) Card {
			c.ManualAboveMinor, c.ManualAboveCurrency = int64(number(t, rest[1])), rest[2]
			c.ExpMonth, c.ExpYear, c.ValidUntil = 0, 0, time.Time{}
			return c
		}(w.cards[rest[0]])
		return ""
	case "rules": // other rules from now on, or from a time that is past
		d := DunningPolicy.First
		d.GraceDays, d.RetryDays = 10, []int{2, 4}
		d.Limits = []Limit{{Network: "visa", Attempts: number(t, rest[0]), Days: 30}}
		w.later = append(w.later, domain.Version[Dunning]{Number: 3, EffectiveAt: w.now, Rules: d})
		if len(rest) > 1 {
			w.later[len(w.later)-1].EffectiveAt = day0.Add(since(t, rest[1]))
		}
		return ""
	}
	cmd, actor := w.command(t, verb, rest)
	events, err := w.decide(t, cmd, actor)
	if refused, ok := errors.AsType[*domain.Error](err); ok {
		return "!" + refused.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		told = append(told, brief(e))
	}
	return strings.Join(told, ", ")
}

func (w *world) command(t *testing.T, verb string, rest []string) (domain.Command[Invoice], domain.Actor) {
	t.Helper()
	result := RecordChargeResult{
		SubscriptionID: sub, AmountMinor: 12500, Currency: "SEK", OccurredAt: w.now, GatewayEventID: fmt.Sprint("evt_", w.count),
	}
	if len(rest) > 0 {
		result.CardID = rest[0]
	}
	if a := w.i.Case.Asked; a != nil && a.CardID == result.CardID && !slices.Contains(rest, "unasked") {
		result.RequestID = a.RequestID
	}
	if all := w.i.Case.Attempts; slices.Contains(rest, "late") { // what was asked for last, and lapsed
		result.RequestID = all[len(all)-1].RequestID
	}
	switch verb {
	case "declined":
		result.Outcome, result.Code = Declined, rest[1]
		if len(rest) > 2 && rest[2] != "unasked" {
			result.AdviceCode = rest[2]
		}
		return result, gateway
	case "paid":
		result.Outcome = Succeeded
		return result, gateway
	case "disputed":
		result.Outcome = Disputed
		return result, gateway
	case "won":
		result.Outcome = DisputeWon
		return result, gateway
	case "lost":
		result.Outcome = DisputeEnd
		return result, gateway
	case "tick":
		return AdvanceCollection{}, system
	case "cover":
		return CoverByInvoice{CaseID: "case"}, system
	case "settle":
		return SettleBalance{CardID: rest[0]}, people[rest[1]]
	case "added", "primary", "edited", "updated", "presented":
		return ReconsiderCards{CardID: rest[0], Change: Change(verb)}, system
	}
	t.Fatalf("what is %q?", verb)
	return nil, system
}

// since reads days and hours, such as 1d6h or 0.
func since(t *testing.T, s string) (d time.Duration) {
	t.Helper()
	if n, rest, ok := strings.Cut(s, "d"); ok {
		d, s = time.Duration(number(t, n))*24*time.Hour, rest
	}
	if n, rest, ok := strings.Cut(s, "h"); ok {
		d, s = d+time.Duration(number(t, n))*time.Hour, rest
	}
	if s != "" && s != "0" {
		t.Fatalf("what is %q?", s)
	}
	return d
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// at is a time as stories tell it.
func at(v time.Time) string {
	d := v.Sub(day0)
	s := fmt.Sprintf("%dd", d/(24*time.Hour))
	if h := d % (24 * time.Hour) / time.Hour; h != 0 {
		s += fmt.Sprintf("%dh", h)
	}
	return s
}

// brief is an event as stories tell it.
func brief(e Event) string {
	switch e := e.(type) {
	case ChargeDeclined:
		return "declined"
	case ChargeSucceeded:
		if e.AfterCover {
			return "paid twice"
		}
		return "paid"
	case CoverDeferred:
		return "cover waits " + at(e.Until)
	case ChargebackOpened:
		return "disputed"
	case ChargebackWon:
		return "won"
	case ChargebackAccepted:
		return "lost"
	case CollectionOpened:
		return "opened " + string(e.Mode)
	case GraceStarted:
		if e.Reason == Chargeback {
			return "grace " + at(e.Until) + " chargeback"
		}
		return "grace " + at(e.Until)
	case RetryScheduled:
		return fmt.Sprintf("retry %s %s", e.CardID, at(e.At))
	case RetryWithdrawn:
		return "withdrawn"
	case RetryBudgetExhausted:
		return "exhausted " + e.Why
	case ChargeRequested:
		return fmt.Sprintf("ask %s %s %d/%d", e.CardID, e.Reason, e.Budget.Used, e.Budget.Limit)
	case ChargeLapsed:
		return "lapsed " + e.CardID
	case CardAllowedAgain:
		return "allowed " + e.CardID
	case PaymentReminded:
		return strings.TrimSpace("reminded " + at(e.Due) + " " + string(e.WaitsFor))
	case ManualPaymentRequested:
		return "by-hand " + e.CardID
	case PaymentPastDue:
		return strings.TrimSpace("past-due " + at(e.GraceUntil) + " " + string(e.WaitsFor))
	case ServiceSuspended:
		return fmt.Sprintf("suspended %s %s %s", e.Reason, at(e.CancelAt), at(e.DataUntil))
	case BalanceSettled:
		return fmt.Sprintf("settled %s %v", e.CardID, e.Declined)
	case AccountRecovered:
		if e.Invoiced != (e.By == ByInvoiceSwitch) {
			return fmt.Sprintf("recovered %s %s, invoiced %v", e.From, e.By, e.Invoiced)
		}
		return fmt.Sprintf("recovered %s %s", e.From, e.By)
	case CollectionClosed:
		return "closed " + e.Outcome
	}
	return fmt.Sprintf("%T", e)
}
