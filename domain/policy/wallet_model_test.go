package policy_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/domain/postal"
	"konto/domain/tenant"
)

// TestWalletModel walks at random through what two admins and time can do
// with cards and subscriptions, lets the reactions follow, and compares each
// answer and each state with a model of maps and strings. A million commands:
//
//	go test ./domain/policy -run TestWalletModel -rapid.checks=10000 -rapid.steps=100
func TestWalletModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &walletWorld{states: map[string]any{}, now: noon}
		m := &walletModel{cards: map[string]*modelCard{}, subs: map[string]*modelSub{}}
		cards := rapid.SampledFrom([]string{"c1", "c2", "c3", "c4", "c5"})
		subs := rapid.SampledFrom([]string{"s1", "s2", "s3"})
		admins := rapid.SampledFrom([]string{"ann", "bob"})
		check := func(t *rapid.T, what, got, want string) {
			t.Helper()
			if got != want {
				t.Fatalf("%s = %q, want %q", what, got, want)
			}
		}
		// The way to a backup that steps in is long for somebody who walks at random.
		for id, by := range map[string]string{"c1": "ann", "c2": "bob"} {
			check(t, "add", w.add(id, by, 1), "")
			m.cards[id] = &modelCard{owner: by, end: w.end(1)}
		}
		check(t, "register", w.person("billing", "s1", "ann", billing.RegisterSubscription{Product: "P", CardID: "c1"}), "")
		check(t, "back up", w.person("billing", "s1", "bob", billing.AddBackupCard{CardID: "c2"}), "")
		m.subs["s1"] = &modelSub{primary: "c1", backups: []string{"c2"}}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				id, by, months := cards.Draw(t, "card"), admins.Draw(t, "admin"), rapid.IntRange(0, 8).Draw(t, "months")
				if m.cards[id] == nil {
					check(t, "add", w.add(id, by, months), "")
					m.cards[id] = &modelCard{owner: by, end: w.end(months)}
				}
			},
			"extend": func(t *rapid.T) {
				id, by, months := cards.Draw(t, "card"), admins.Draw(t, "admin"), rapid.IntRange(0, 8).Draw(t, "months")
				end := w.end(months).AddDate(0, 0, -1)
				got := w.person("card", id, by, card.UpdateCardDetails{ExpMonth: new(int(end.Month())), ExpYear: new(end.Year())})
				want := m.mayEdit(id, by)
				check(t, "extend", got, want)
				if c := m.cards[id]; want == "" && !c.end.Equal(w.end(months)) {
					c.end, c.told = w.end(months), false
				}
			},
			"remove": func(t *rapid.T) {
				id, by := cards.Draw(t, "card"), admins.Draw(t, "admin")
				want := m.mayEdit(id, by)
				switch c := m.cards[id]; {
				case c != nil && c.removed && c.owner == by:
					want = ""
				case want == "" && m.uses(id) != nil:
					want = "card-in-use"
				}
				check(t, "remove", w.person("card", id, by, card.RemoveCard{}), want)
				if want == "" {
					m.cards[id].removed = true
				}
			},
			"replace": func(t *rapid.T) {
				id, by, other := cards.Draw(t, "card"), admins.Draw(t, "admin"), cards.Draw(t, "other")
				want := m.replace(id, other, by, w.now)
				check(t, "replace", w.person("card", id, by, card.ReplaceCard{NewCardID: other, Scope: card.ScopeAll}), want)
			},
			"register": func(t *rapid.T) {
				id, by, c := subs.Draw(t, "subscription"), admins.Draw(t, "admin"), cards.Draw(t, "card")
				if m.subs[id] == nil {
					want := m.usable(c, by, w.now)
					check(t, "register", w.person("billing", id, by, billing.RegisterSubscription{Product: "P", CardID: c}), want)
					if want == "" {
						m.subs[id] = &modelSub{primary: c}
					}
				}
			},
			"back up": func(t *rapid.T) {
				id, by, c := subs.Draw(t, "subscription"), admins.Draw(t, "admin"), cards.Draw(t, "card")
				want := m.backUp(id, c, by, w.now)
				check(t, "back up", w.person("billing", id, by, billing.AddBackupCard{CardID: c}), want)
			},
			"turn round": func(t *rapid.T) {
				id := subs.Draw(t, "subscription")
				var order []string
				if s := m.subs[id]; s != nil {
					order = slices.Clone(s.backups)
					slices.Reverse(order)
				}
				want := m.running(id)
				if want == "" {
					m.subs[id].backups = order
				}
				check(t, "turn round", w.person("billing", id, "ann", billing.ReorderBackupCards{CardIDs: slices.Clone(order)}), want)
			},
			"drop": func(t *rapid.T) {
				id, c, want := subs.Draw(t, "subscription"), cards.Draw(t, "card"), ""
				switch s := m.subs[id]; {
				case s == nil:
					want = "subscription-not-found"
				case s.status == "deleted":
					want = "subscription-deleted"
				case s.primary == c:
					want = "card-is-primary"
				default:
					s.drop(c)
				}
				check(t, "drop", w.person("billing", id, "bob", billing.RemoveBackupCard{CardID: c}), want)
			},
			"assign": func(t *rapid.T) {
				id, n := subs.Draw(t, "subscription"), rapid.SampledFrom([]int{0, 24, 25}).Draw(t, "licences")
				if s := m.subs[id]; s != nil && s.status != "deleted" {
					check(t, "assign", w.system("billing", id, billing.RecordAssignedLicences{Licences: n}), "")
					s.licences = n
				}
			},
			"cancel": func(t *rapid.T) {
				id, by := subs.Draw(t, "subscription"), admins.Draw(t, "admin")
				want := m.running(id)
				switch s := m.subs[id]; {
				case want == "subscription-cancelled":
					want = ""
				case want == "" && s.licences >= 25:
					want = "too-many-licences"
				case want == "":
					s.status, s.cancelled = "cancelled", w.now
				}
				check(t, "cancel", w.person("billing", id, by, billing.CancelSubscription{Reason: "enough"}), want)
			},
			"take back": func(t *rapid.T) {
				id, by := subs.Draw(t, "subscription"), admins.Draw(t, "admin")
				want := m.running(id)
				if want == "subscription-cancelled" {
					want = "reactivation-over"
					if s := m.subs[id]; w.now.Before(s.cancelled.AddDate(0, 0, 90)) {
						want, s.status = "", ""
					}
				}
				check(t, "take back", w.person("billing", id, by, billing.ReactivateSubscription{}), want)
			},
			"invoice": func(t *rapid.T) {
				id := subs.Draw(t, "subscription")
				want := m.running(id)
				if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
					t.Skip("seldom")
				}
				check(t, "invoice", w.system("billing", id, billing.ChangePaymentMethodKind{Kind: billing.KindInvoice}), want)
				if want == "" {
					m.subs[id].primary, m.subs[id].backups, m.subs[id].invoiced = "", nil, true
				}
			},
			"wait": func(t *rapid.T) {
				w.now = w.now.AddDate(0, 0, rapid.IntRange(1, 40).Draw(t, "days"))
				w.catchUp(m)
				m.pass(w.now)
			},
			"": func(t *rapid.T) {
				if got, want := w.picture(), m.picture(); !maps.Equal(got, want) {
					t.Fatalf("state = %v, want %v", got, want)
				}
			},
		})
	})
}

// walletModel is what a person would expect of cards and subscriptions.
type walletModel struct {
	cards map[string]*modelCard
	subs  map[string]*modelSub
}

type modelCard struct {
	owner         string
	end           time.Time
	told, removed bool // told: that it has expired
}

type modelSub struct {
	primary   string
	backups   []string
	status    string // "", "cancelled" or "deleted"
	cancelled time.Time
	licences  int
	invoiced  bool
}

func (s *modelSub) drop(card string) {
	s.backups = slices.DeleteFunc(s.backups, func(id string) bool { return id == card })
}

func (m *walletModel) uses(card string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(m.subs)) {
		if s := m.subs[id]; s.primary == card || slices.Contains(s.backups, card) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (m *walletModel) mayEdit(card, by string) string {
	switch c := m.cards[card]; {
	case c == nil:
		return "card-not-found"
	case c.removed:
		return "card-removed"
	case c.owner != by:
		return "card-owned-by-other-admin"
	}
	return ""
}

func (m *walletModel) usable(card, by string, now time.Time) string {
	switch c := m.cards[card]; {
	case c == nil:
		return "card-not-found"
	case c.owner != by:
		return "card-owned-by-other-admin"
	case c.removed:
		return "card-removed"
	case !now.Before(c.end):
		return "card-expired"
	}
	return ""
}

func (m *walletModel) running(id string) string {
	switch s := m.subs[id]; {
	case s == nil:
		return "subscription-not-found"
	case s.status != "":
		return "subscription-" + s.status
	}
	return ""
}

func (m *walletModel) replace(id, by, actor string, now time.Time) string {
	c, other := m.cards[id], m.cards[by]
	switch {
	case c == nil:
		return "card-not-found"
	case c.removed:
		return "card-removed"
	case id == by:
		return "same-card"
	case other == nil:
		return "replacement-not-found"
	case other.removed:
		return "card-removed"
	case other.owner != actor:
		return "card-owned-by-other-admin"
	case !now.Before(other.end):
		return "card-expired"
	case m.uses(id) == nil:
		return "nothing-to-replace"
	}
	for _, sub := range m.uses(id) {
		s := m.subs[sub]
		switch i := slices.Index(s.backups, id); {
		case s.primary == id:
			s.drop(by)
			s.primary = by
		case s.primary == by || slices.Contains(s.backups, by):
			s.drop(id)
		default:
			s.backups[i] = by
		}
	}
	return ""
}

func (m *walletModel) backUp(id, card, by string, now time.Time) string {
	if refused := m.running(id); refused != "" {
		return refused
	}
	switch s := m.subs[id]; {
	case s.invoiced:
		return "paid-by-invoice"
	case s.primary == card:
		return "card-already-primary"
	case slices.Contains(s.backups, card):
		return ""
	}
	refused := m.usable(card, by, now)
	if refused == "" {
		m.subs[id].backups = append(m.subs[id].backups, card)
	}
	return refused
}

// pass is what time does: cards end and give way, and what was cancelled goes.
func (m *walletModel) pass(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(m.cards)) {
		c := m.cards[id]
		if c.removed || c.told || now.Before(c.end) {
			continue
		}
		c.told = true
		for _, s := range m.subs {
			if s.primary != id {
				continue
			}
			for _, b := range s.backups {
				if next := m.cards[b]; !next.removed && now.Before(next.end) {
					s.drop(b)
					s.primary = b
					break
				}
			}
		}
	}
	for _, s := range m.subs {
		if s.status == "cancelled" && !now.Before(s.cancelled.AddDate(0, 0, 180)) {
			s.status, s.primary, s.backups = "deleted", "", nil
		}
	}
}

func (m *walletModel) picture() map[string]string {
	out := map[string]string{}
	for id, s := range m.subs {
		out[id] = fmt.Sprint(s.primary, s.backups, s.status)
	}
	for id, c := range m.cards {
		out[id] = fmt.Sprint(c.owner, m.uses(id), c.removed, c.told, c.end.Unix())
	}
	return out
}

// walletWorld holds the aggregates, and sends on what the reactions ask for.
type walletWorld struct {
	states map[string]any // by category and ID
	now    time.Time
}

// end is when a card ends whose month is so many months ahead.
func (w *walletWorld) end(months int) time.Time {
	m := w.now.Add(-12 * time.Hour)
	return card.ValidUntil(int(m.Month()), m.Year()).AddDate(0, months, 0)
}

func (w *walletWorld) add(id, by string, months int) string {
	month := w.end(months).AddDate(0, 0, -1)
	return w.person("card", id, by, card.AddCard{
		GatewayToken: "tok_" + id, Brand: "visa", Last4: "4242", ExpMonth: int(month.Month()), ExpYear: month.Year(),
		IssuerCountry: "SE", Fingerprint: "f" + id, HolderName: by,
		BillTo: card.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"},
	})
}

func (w *walletWorld) person(category, id, by string, cmd any) string {
	return w.send(category, id, cmd, domain.Actor{ID: by, Kind: domain.KindPerson, Tenant: own, Roles: []domain.Role{domain.GlobalAdmin}})
}

func (w *walletWorld) system(category, id string, cmd any) string {
	return w.send(category, id, cmd, domain.Actor{ID: "konto", Kind: domain.KindSystem})
}

// send carries a command out, lets the reactions follow, and returns the code
// of the refusal or "".
func (w *walletWorld) send(category, id string, cmd any, by domain.Actor) string {
	contract := walletContract(category)
	state := w.states[category+"/"+id]
	if state == nil {
		state = contract.New()
	}
	m := domain.Meta{
		ID: id, Tenant: own, Actor: by, At: w.now, Command: "cmd",
		MAC: func(purpose, value string) string { return purpose + value },
	}
	if needer, ok := cmd.(domain.Needer); ok {
		for more := true; more; {
			more = false
			for _, n := range needer.Needs(m) {
				if !m.Facts.Has(n) {
					m.Facts, more = m.Facts.Knows(n, w.fact(n)), true
				}
			}
		}
	}
	events, err := contract.Decide(state, cmd, m)
	if refused, ok := errors.AsType[*domain.Error](err); ok {
		return refused.Code
	}
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		if err := contract.Evolve(state, e); err != nil {
			panic(err)
		}
		w.states[category+"/"+id] = state
	}
	for _, e := range events {
		w.follow(domain.Recorded[any]{Data: e, ID: id, Category: category, Tenant: own, At: w.now, Actor: by})
	}
	return ""
}

// follow sends what has to be sent at once.
func (w *walletWorld) follow(e domain.Recorded[any]) {
	for _, r := range policy.Reactions {
		step, ok := r.Steps[reflect.TypeOf(e.Data)]
		if !ok || !slices.Contains([]string{"attach-cards", "apply-card-replacement", "promote-over-unusable-card"}, r.Name) {
			continue
		}
		for _, effect := range step.Then(step.New(), e) {
			d := effect.(domain.Dispatch)
			category := "billing"
			switch d.Command.(type) {
			case card.AttachCard, card.DetachCard:
				category = "card"
			}
			if code := w.system(category, d.To, d.Command); code != "" {
				panic(fmt.Sprintf("%T: %s", d.Command, code))
			}
		}
	}
}

// catchUp sends what has come due meanwhile.
func (w *walletWorld) catchUp(m *walletModel) {
	for _, id := range slices.Sorted(maps.Keys(m.cards)) {
		c := w.states["card/"+id].(*card.Card)
		for !c.Removed && !c.ExpiryCheckAt.IsZero() && !w.now.Before(c.ExpiryCheckAt) {
			w.system("card", id, card.CheckCardExpiry{DueAt: c.ExpiryCheckAt})
		}
	}
	for id := range m.subs {
		s := w.states["billing/"+id].(*billing.Subscription)
		w.system("billing", id, billing.DeleteSubscription{CancelledAt: s.CancelledAt})
	}
}

func (w *walletWorld) fact(n domain.Need) any {
	if n.Type == reflect.TypeFor[postal.Verdict]() {
		return postal.Verdict{Grade: postal.FormatOK}
	}
	i := slices.IndexFunc(policy.Sources, func(s domain.Source) bool { return s.Type == n.Type })
	source := policy.Sources[i]
	var state any
	switch source.Contract.Category() {
	case tenant.Aggregate.Category():
		state = &tenant.Tenant{Country: "SE", Domains: []string{"contoso.example"}}
	case admin.Aggregate.Category():
		state = &admin.Admin{Tenant: own, Roles: []domain.Role{domain.GlobalAdmin}}
	case policyversion.Aggregate.Category():
		state = &policyversion.Policy{}
	default:
		if state = w.states[source.Contract.Category()+"/"+n.Key]; state == nil {
			state = source.Contract.New()
		}
	}
	return source.State(n.Key, state)
}

func walletContract(category string) domain.Contract {
	i := slices.IndexFunc(policy.Contracts, func(c domain.Contract) bool { return c.Category() == category })
	return policy.Contracts[i]
}

func (w *walletWorld) picture() map[string]string {
	out := map[string]string{}
	for key, state := range w.states {
		switch s := state.(type) {
		case *billing.Subscription:
			status := ""
			switch {
			case s.Deleted:
				status = "deleted"
			case !s.CancelledAt.IsZero():
				status = "cancelled"
			}
			var backups []string
			for _, b := range s.Backups {
				backups = append(backups, b.CardID)
			}
			out[key[len("billing/"):]] = fmt.Sprint(s.Primary, backups, status)
		case *card.Card:
			uses := slices.Sorted(slices.Values(s.Subscriptions))
			out[key[len("card/"):]] = fmt.Sprint(s.Owner, uses, s.Removed, s.Expired, s.ValidUntil().Unix())
		}
	}
	return out
}
