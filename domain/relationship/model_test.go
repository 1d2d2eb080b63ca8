package relationship_test

import (
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	. "konto/domain/relationship"
)

// commands is how many commands the model is compared on:
//
//	go test ./domain/relationship -run TestModel -relationship.commands 1000000
var commands = flag.Int("relationship.commands", 5000, "commands of the state machine test")

// A model is what the two sides would tell each other: are we together, what
// runs, and what may you buy. It knows one resource.
type model struct {
	strict  bool // the rules in force let nothing be granted for more than strictDays
	status  Status
	kind    Type
	running map[string]bool // subscriptions, by whether the partner owns them
	open    map[string]bool // reservations
	permit  string          // "", "waits" or "granted"
	by      string
	cap     int64
	spent   int64
	until   time.Time
	bought  map[string]bool
}

// strictDays is the longest that a permission lasts under the stricter rules.
const strictDays = 1

// long reports whether what ends at until, or never, is too long to be granted.
func (m *model) long(until, at time.Time) bool {
	return m.strict && (until.IsZero() || until.After(at.AddDate(0, 0, strictDays)))
}

func (m *model) has(at time.Time) bool {
	return m.permit != "" && (m.until.IsZero() || at.Before(m.until))
}

func (m *model) reset(s Status, k Type) {
	*m = model{strict: m.strict, status: s, kind: k, running: map[string]bool{}, open: map[string]bool{}, bought: map[string]bool{}}
}

func (m *model) grants() string {
	owns := false
	for _, owner := range m.running {
		owns = owns || owner
	}
	switch {
	case m.status == "":
		return "relationship-not-found"
	case m.status != StatusActive || m.kind != Reseller:
		return "not-an-active-reseller"
	case !owns:
		return "no-active-subscription"
	}
	return ""
}

// does tells what becomes of cmd: the refusal's code, or none.
func (m *model) does(cmd domain.Command[Relationship], who string, at time.Time) string {
	switch c := cmd.(type) {
	case RequestRelationship:
		switch {
		case m.status == StatusActive && m.kind != c.Type:
			return "relationship-active"
		case m.status != StatusActive:
			m.reset(StatusRequested, c.Type)
		}
	case AcceptRelationship:
		switch m.status {
		case "":
			return "relationship-not-found"
		case StatusEnded:
			return "relationship-ended"
		case StatusRequested:
			m.reset(StatusActive, m.kind)
		case StatusActive:
		}
	case EndRelationship:
		switch {
		case m.status == "":
			return "relationship-not-found"
		case m.status == StatusEnded:
		case len(m.running)+len(m.open) > 0:
			return "relationship-in-use"
		default:
			m.reset(StatusEnded, m.kind)
		}
	case RecordPartnerSubscription:
		return m.holds(m.running, c.SubscriptionID, c.Active, c.OwnerRole)
	case RecordPartnerReservation:
		return m.holds(m.open, c.ReservationID, c.Open, true)
	case GrantPurchasePermission:
		return m.granted(c, who, at)
	case ApprovePurchasePermission:
		switch no := m.grants(); {
		case no != "":
			return no
		case !m.has(at):
			return "no-purchase-permission"
		case m.permit == "waits" && m.by == who:
			return "second-person-needed"
		case m.permit == "waits" && m.long(m.until, at):
			return "proposal-outdated"
		}
		if m.permit == "waits" {
			m.permit = "granted"
		}
	case RevokePurchasePermission:
		if m.status == "" {
			return "relationship-not-found"
		}
		m.permit = ""
	case RecordCustomerPurchase:
		return m.buys(c, at)
	}
	return ""
}

func (m *model) holds(what map[string]bool, id string, there, value bool) string {
	switch {
	case m.status == "":
		return "relationship-not-found"
	case m.status != StatusActive || m.kind != Reseller:
		return "not-an-active-reseller"
	}
	delete(what, id)
	if there {
		what[id] = value
	}
	return ""
}

func (m *model) granted(c GrantPurchasePermission, who string, at time.Time) string {
	if no := m.grants(); no != "" {
		return no
	}
	if m.long(c.ExpiresAt, at) {
		return "permission-bounds-invalid"
	}
	if m.has(at) {
		if m.cap != c.CapMinor || !m.until.Equal(c.ExpiresAt) {
			return "permission-exists"
		}
		return ""
	}
	m.permit, m.by, m.cap, m.until, m.spent, m.bought = "granted", who, c.CapMinor, c.ExpiresAt, 0, map[string]bool{}
	if c.SecondPerson {
		m.permit = "waits"
	}
	return ""
}

func (m *model) buys(c RecordCustomerPurchase, at time.Time) string {
	switch {
	case m.status == "":
		return "relationship-not-found"
	case m.permit != "" && m.bought[c.PurchaseID]:
		return ""
	case !m.has(at) || m.permit != "granted":
		return "no-purchase-permission"
	case m.cap > 0 && m.spent+c.AmountMinor > m.cap:
		return "purchase-over-cap"
	}
	m.spent += c.AmountMinor
	m.bought[c.PurchaseID] = true
	return ""
}

func TestModel(t *testing.T) {
	t.Parallel()
	done := 0
	for done < *commands {
		rapid.Check(t, func(t *rapid.T) {
			var m model
			var r Relationship
			m.reset("", "")
			at := now
			stricter := rapid.IntRange(0, 150).Draw(t, "stricter from")
			for i := range rapid.IntRange(1, 100).Draw(t, "length") {
				at = at.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
				m.strict = i >= stricter
				cmd, meta := draw(t, at, m.strict)
				want := m.does(cmd, meta.Actor.ID, at)
				r = step(t, r, cmd, meta, want)
				compare(t, m, r, at)
				done++
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d commands", done)
}

func step(t *rapid.T, r Relationship, cmd domain.Command[Relationship], meta Meta, want string) Relationship {
	events, err := cmd.Decide(r, meta)
	code := ""
	if refused, ok := errors.AsType[*domain.Error](err); ok {
		code = refused.Code
	}
	if code != want || err != nil && len(events) > 0 {
		t.Fatalf("%T%+v: %q with %d events, want %q", cmd, cmd, code, len(events), want)
	}
	for _, e := range events {
		e.Evolve(&r)
	}
	if again, err := cmd.Decide(r, meta); err == nil && want == "" && len(again) > 0 {
		t.Fatalf("%T%+v again: %v", cmd, cmd, again)
	}
	return r
}

func compare(t *rapid.T, m model, r Relationship, at time.Time) {
	var p Permission
	if i := slices.IndexFunc(r.Permissions, func(p Permission) bool { return p.ExpiresAt.IsZero() || at.Before(p.ExpiresAt) }); i >= 0 {
		p = r.Permissions[i]
	}
	spent := m.spent
	if m.cap == 0 || !m.has(at) {
		spent = 0
	}
	if r.Status != m.status || len(r.Subscriptions) != len(m.running) || len(r.Reservations) != len(m.open) ||
		p.Granted != (m.has(at) && m.permit == "granted") || (p.Resource != "") != m.has(at) || p.SpentMinor != spent {
		t.Fatalf("state %+v, model %+v", r, m)
	}
	if p.CapMinor > 0 && p.SpentMinor > p.CapMinor {
		t.Fatalf("%d spent of %d", p.SpentMinor, p.CapMinor)
	}
	if r.Status == StatusEnded && len(r.Permissions) > 0 {
		t.Fatalf("permissions after the end: %+v", r.Permissions)
	}
}

func draw(t *rapid.T, at time.Time, strict bool) (domain.Command[Relationship], Meta) {
	var terms []PermissionTerms
	if strict {
		terms = append(terms, Limits.First)
		terms[0].MaxDays = strictDays
	}
	partner := agent(rapid.SampledFrom([]string{ann, bob}).Draw(t, "who"), at, terms...)
	customers := meta(customer, domain.GlobalAdmin)
	customers.At = at
	thing := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "thing")
	yes := rapid.Bool()
	switch rapid.IntRange(0, 12).Draw(t, "command") {
	case 0:
		return RequestRelationship{rapid.SampledFrom([]Type{Reseller, Reseller, Advisor}).Draw(t, "type")}, partner
	case 1, 2:
		return AcceptRelationship{}, customers
	case 3:
		return EndRelationship{}, customers
	case 4, 5:
		return RecordPartnerSubscription{thing, yes.Draw(t, "active"), yes.Draw(t, "owner")}, partner
	case 6:
		return RecordPartnerReservation{thing, yes.Draw(t, "open")}, partner
	case 7, 8:
		a := plain
		if yes.Draw(t, "capped") {
			a.CapMinor, a.Currency = 100, "EUR"
		}
		if yes.Draw(t, "ends") {
			a.ExpiresAt = at.Add(time.Duration(rapid.IntRange(1, 2).Draw(t, "days")) * 24 * time.Hour)
		}
		c := grant(a)
		c.SecondPerson = yes.Draw(t, "second")
		return c, partner
	case 9:
		return ApprovePurchasePermission{resource, action}, partner
	case 10:
		return RevokePurchasePermission{resource, action}, partner
	}
	id := rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}).Draw(t, "purchase")
	return RecordCustomerPurchase{id, resource, action, "vm", int64(rapid.IntRange(1, 60).Draw(t, "amount")), "EUR"}, machine(domain.KindGateway, at)
}
