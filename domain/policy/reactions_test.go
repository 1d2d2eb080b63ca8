package policy_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/delivery"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/domain/reservation"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// play gives events to a reaction as the reactor does, its memory passing
// through JSON each time, and returns what the last event had for effects.
func play(t *testing.T, name string, events ...domain.Recorded[any]) []domain.Effect {
	t.Helper()
	i := slices.IndexFunc(policy.Reactions, func(r domain.Reaction) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no reaction %s", name)
	}
	var effects []domain.Effect
	memory := map[string][]byte{}
	for _, e := range events {
		effects = step(t, policy.Reactions[i], memory, e)
		letters(t, effects)
	}
	return effects
}

func step(t *testing.T, r domain.Reaction, memory map[string][]byte, e domain.Recorded[any]) []domain.Effect {
	t.Helper()
	s, ok := r.Steps[reflect.TypeOf(e.Data)]
	if !ok {
		return nil
	}
	key, state := s.Key(e), s.New()
	if kept, ok := memory[key]; ok && key != "" {
		if err := json.Unmarshal(kept, state); err != nil {
			t.Fatal(err)
		}
	}
	effects := s.Then(state, e)
	kept, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		memory[key] = kept
	} else if fresh, _ := json.Marshal(s.New()); string(kept) != string(fresh) {
		t.Errorf("%s remembers %s under no key", r.Name, kept)
	}
	return effects
}

// event is an event of own's aggregate id.
func event(id string, data any) domain.Recorded[any] {
	return domain.Recorded[any]{Data: data, ID: id, Tenant: own, EventID: "e-" + id, At: noon, Correlation: "req"}
}

type reactionCase struct {
	name     string
	reaction string
	given    []domain.Recorded[any] // before
	when     domain.Recorded[any]
	then     []domain.Effect
}

func run(t *testing.T, cases []reactionCase) {
	t.Helper()
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Helper()
			got := play(t, c.reaction, append(slices.Clone(c.given), c.when)...)
			if diff := cmp.Diff(shown(t, c.then), shown(t, got)); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
		})
	}
}

// shown is effects as the reactor keeps them, with data and commands as JSON,
// whatever the order of their fields.
func shown(t *testing.T, effects []domain.Effect) []any {
	t.Helper()
	var all []any
	for _, e := range effects {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		kind := reflect.TypeOf(e).Name()
		if d, ok := e.(domain.Dispatch); ok {
			kind = reflect.TypeOf(d.Command).String()
		}
		all = append(all, kind, v)
	}
	return all
}

// mail is one mail to each person.
func mail(template string, data any, people ...string) []domain.Effect {
	var effects []domain.Effect
	for _, p := range people {
		effects = append(effects, domain.Notice{To: p, Channel: domain.Mail, Template: template, Data: data})
	}
	return effects
}

type object = map[string]any

func about(v string) domain.Personal[string] { return domain.About("ann", v) }

func TestReactionsAreWellFormed(t *testing.T) {
	t.Parallel()
	recorded := map[reflect.Type]bool{}
	for _, c := range policy.Contracts {
		for _, e := range c.Events() {
			recorded[e.Type] = true
		}
	}
	names := map[string]bool{}
	for _, r := range policy.Reactions {
		if names[r.Name] || r.Name == "" {
			t.Errorf("two reactions are named %q", r.Name)
		}
		names[r.Name] = true
		for typ := range r.Steps {
			if !recorded[typ] {
				t.Errorf("%s waits for %v, which no aggregate records", r.Name, typ)
			}
		}
	}
}

// secret is in every personal value of the events below.
const secret = "PERSONAL"

// fill sets every field of v: plain strings to the same word, so that all
// events are about the same things, and personal values to the secret.
func fill(v reflect.Value, word string) {
	switch v.Kind() {
	case reflect.Struct:
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(noon))
		case strings.HasPrefix(v.Type().Name(), "Personal["):
			v.FieldByName("Subject").SetString("subject")
			fill(v.FieldByName("Value"), secret)
		default:
			for _, f := range v.Fields() {
				fill(f, word)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), word)
	case reflect.String:
		v.SetString(word)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	default: // of no interest to a reaction
	}
}

// Every event of every aggregate, full of personal values, goes through every
// reaction three times in different orders. What comes out may hold them in
// a [domain.Personal] only.
func TestNoReactionBaresAPersonalValue(t *testing.T) {
	t.Parallel()
	// Somebody must be there to be told, whom no event sends away.
	events := append(endpoints(), event("stays", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin, domain.BillingSupport}}),
		event(own, tenant.DomainVerified{Domain: "contoso.se", TwoProofs: true}), event("ann", admin.EmailAliasAdded{TakesProof: true}),
		event("place", reservation.Reserved{Kind: webhook.Places, Holder: "never", Tenant: own}),
		event("account-recovery", policyversion.PolicyVersionPublished{Name: "account-recovery", Version: 2}))
	for _, c := range policy.Contracts {
		for _, info := range c.Events() {
			for _, word := range []string{"alternateEmail", "global-admin", "never", "domain", "lost_card", "auditor", "deleted", own} {
				e := reflect.New(info.Type).Elem()
				fill(e, word)
				if f := e.FieldByName("Waiting"); f.IsValid() {
					f.SetBool(false)
				}
				r := event(word, e.Interface())
				r.Category, r.Actor = c.Category(), domain.Actor{ID: "by", Kind: domain.KindPerson, Tenant: partner}
				events = append(events, r)
			}
		}
	}
	carried, effects := 0, map[string]int{}
	for _, r := range policy.Reactions {
		memory := map[string][]byte{}
		for _, order := range [][]domain.Recorded[any]{events, reversed(events), events} {
			for _, e := range order {
				for _, effect := range step(t, r, memory, e) {
					carried += bare(t, r.Name, effect)
					effects[r.Name]++
				}
			}
		}
		for key, kept := range memory {
			var v any
			if err := json.Unmarshal(kept, &v); err != nil {
				t.Fatal(err)
			}
			if n := strip(v); holds(v) {
				t.Errorf("%s remembers of %s: %s", r.Name, key, kept)
			} else {
				carried += n
			}
		}
	}
	if carried == 0 {
		t.Error("no effect carried a personal value: the test sees nothing")
	}
	for _, r := range policy.Reactions {
		if effects[r.Name] == 0 {
			t.Errorf("%s had no effects: the test does not see it", r.Name)
		}
	}
}

// endpoints are called about everything, fail, and say that they are gone.
func endpoints() []domain.Recorded[any] {
	all := webhook.WebhookEndpointRegistered{URL: "https://hooks.contoso.example", Events: []string{webhook.All}, Secret: "s", At: noon}
	theirs := event("theirs", all)
	theirs.Tenant = partner
	attempt := delivery.Attempt{EndpointID: "ours", Round: 1, Number: 1}
	return []domain.Recorded[any]{
		event("ours", all), theirs,
		event("d", delivery.DeliveryAbandoned{Attempt: attempt, Why: delivery.WhyUsedUp, At: noon}),
		event("d", delivery.DeliveryAbandoned{Attempt: attempt, Why: delivery.WhyGone, At: noon}),
	}
}

func reversed(events []domain.Recorded[any]) []domain.Recorded[any] {
	r := slices.Clone(events)
	slices.Reverse(r)
	return r
}

// bare fails the test for a readable personal value in e, and returns how many
// there are where they belong. It also checks that a dispatch can be sent.
func bare(t *testing.T, name string, e domain.Effect) int {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	n := strip(v)
	if holds(v) {
		t.Errorf("%s bares a personal value: %s", name, b)
	}
	switch e := e.(type) {
	case domain.Dispatch:
		if !slices.ContainsFunc(policy.Contracts, func(c domain.Contract) bool {
			_, err := c.Encode(e.Command)
			return err == nil
		}) {
			t.Errorf("%s sends %T, which no aggregate accepts", name, e.Command)
		}
	case domain.Notice:
		if e.To == "" || e.Channel == "" || e.Template == "" {
			t.Errorf("%s tells nobody: %s", name, b)
		}
	}
	return n
}

// strip removes values from the open forms in v, and returns how many it was.
func strip(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		if open, ok := v["$personal"].(map[string]any); ok {
			delete(open, "value")
			return 1
		}
		for _, w := range v {
			n += strip(w)
		}
	case []any:
		for _, w := range v {
			n += strip(w)
		}
	}
	return n
}

func holds(v any) bool {
	b, _ := json.Marshal(v)
	return strings.Contains(string(b), secret)
}
