package audit_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/audit"
	"konto/domain/domaintest"
)

const (
	eva    = "00000002-0000-7000-8000-000000000003"
	card   = "card-00000003-0000-7000-8000-000000000001"
	digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	kinds = []string{"card", "billing", "secinfo", "rel"}
	cards = Scope{Kinds: []string{"card"}}
)

// at is what a decision about eva's access may know; versions are those of
// the policy that were published.
func at(when time.Time, versions ...domain.Version[SessionTerms]) Meta {
	m := Meta{
		ID: eva, Tenant: "t", At: when, Command: "cmd", Actor: domain.Actor{ID: eva, Kind: domain.KindPerson, Roles: []domain.Role{domain.Auditor}},
		Facts: domain.Facts{}.Knows(domain.Of[Kinds](""), Kinds{Known: kinds}),
	}
	m.Facts = SessionPolicy.Known(m.Facts, versions...)
	return m
}

func by(m Meta, actor domain.Actor) Meta {
	m.Actor = actor
	return m
}

func granted(session string, s Scope, since time.Time, minutes int) AuditAccessGranted {
	return AuditAccessGranted{
		Session: session, Auditor: eva, Purpose: domain.About(eva, "Cards of 2025"), Scope: s,
		Until: since.Add(time.Duration(minutes) * time.Minute), At: since,
	}
}

func expired(session string, when time.Time) AuditAccessExpired {
	return AuditAccessExpired{Session: session, Auditor: eva, At: when}
}

func ended(by string, when time.Time) AuditAccessEnded {
	return AuditAccessEnded{Session: "s1", Auditor: eva, EndedBy: by, Until: noon.Add(time.Hour), At: when}
}

// table collects the rows of one test.
type table struct{ rows []domaintest.Case[Access] }

func (t *table) add(name string, given []Event, when domain.Command[Access], m Meta, err error, then ...Event) {
	t.rows = append(t.rows, domaintest.Case[Access]{Name: name, Given: given, When: when, Meta: m, Then: then, Err: err})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	var rows table
	open := func(s Scope, minutes int) OpenAuditSession {
		return OpenAuditSession{Purpose: " Cards of 2025 ", Scope: s, Minutes: minutes}
	}
	ok := func(name string, s Scope) {
		rows.add(name, nil, open(s, 60), at(noon), nil, granted("cmd", s, noon, 60))
	}
	no := func(name string, c OpenAuditSession, err error) { rows.add(name, nil, c, at(noon), err) }

	ok("N20: a session for the whole organization", Scope{Whole: true})
	ok("N20: a session for kinds of accounts", Scope{Kinds: []string{"card", "billing"}})
	ok("N20: a session for one account", Scope{Accounts: []string{card}})
	ok("N20: a session for a kind and an account of another", Scope{Kinds: []string{"billing"}, Accounts: []string{card}})
	ok("N20: a session that shows personal values", Scope{Kinds: []string{"card"}, Personal: true})
	ok("N20: a relationship is an account", Scope{Accounts: []string{"rel-" + eva + "-" + eva}})
	ok("N20: a hundred accounts", Scope{Accounts: many(100)})
	no("N20: no scope is none", open(Scope{}, 60), ErrScope)
	no("N20: personal values of nothing", open(Scope{Personal: true}, 60), ErrScope)
	no("N20: everything and a kind", open(Scope{Whole: true, Kinds: []string{"card"}}, 60), ErrScope)
	no("N20: everything and an account", open(Scope{Whole: true, Accounts: []string{card}}, 60), ErrScope)
	no("N20: a hundred and one accounts", open(Scope{Accounts: many(101)}, 60), ErrScope)
	no("N20: a kind twice", open(Scope{Kinds: []string{"card", "card"}}, 60), ErrScope)
	no("N20: an account twice", open(Scope{Accounts: []string{card, card}}, 60), ErrScope)
	no("N20: a kind that is none", open(Scope{Kinds: []string{"cards"}}, 60), ErrKind)
	no("N20: an account without a kind", open(Scope{Accounts: []string{eva}}, 60), ErrAccount)
	no("N20: an account of no kind", open(Scope{Accounts: []string{"cards-" + eva}}, 60), ErrAccount)
	no("N20: an account without an ID", open(Scope{Accounts: []string{"card-"}}, 60), ErrAccount)
	no("N20: a person's name is no account", open(Scope{Accounts: []string{"card-anna"}}, 60), ErrAccount)
	no("N20: a long account", open(Scope{Accounts: []string{"card-" + strings.Repeat("a", 100)}}, 60), ErrAccount)

	rows.add("N20: as long as usual", nil, open(cards, 0), at(noon), nil, granted("cmd", cards, noon, 8*60))
	rows.add("N20: as long as the policy allows", nil, open(cards, 5*24*60), at(noon), nil, granted("cmd", cards, noon, 5*24*60))
	no("N20: longer than the policy allows", open(cards, 5*24*60+1), ErrLength)
	no("N20: less than nothing", open(cards, -1), ErrLength)

	no("N20: no purpose", OpenAuditSession{Scope: cards}, ErrPurpose)
	no("N20: an empty purpose", OpenAuditSession{Scope: cards, Purpose: " \t"}, ErrPurpose)
	no("N20: a long purpose", OpenAuditSession{Scope: cards, Purpose: strings.Repeat("å", 501)}, ErrPurpose)
	no("N20: a purpose of two lines", OpenAuditSession{Scope: cards, Purpose: "a\nb"}, ErrPurpose)
	no("N20: a purpose that nobody sees", OpenAuditSession{Scope: cards, Purpose: "\ufeff\u200b"}, ErrPurpose)
	no("N20: a purpose that turns what follows", OpenAuditSession{Scope: cards, Purpose: "a\u202eb"}, ErrPurpose)

	version := domain.Version[SessionTerms]{Number: 2, EffectiveAt: noon, Rules: SessionTerms{MaxMinutes: 30, DefaultMinutes: 10}}
	rows.add("N20: under a later version, no purpose is needed", nil, OpenAuditSession{Scope: cards}, at(noon, version), nil,
		AuditAccessGranted{Session: "cmd", Auditor: eva, Scope: cards, Until: noon.Add(10 * time.Minute), At: noon})
	rows.add("N20: under a later version, an hour is too long", nil, open(cards, 60), at(noon, version), ErrLength)
	rows.add("N20: before the later version, an hour is not", nil, open(cards, 60), at(noon.Add(-1), version), nil, granted("cmd", cards, noon.Add(-1), 60))

	first := []Event{granted("s1", cards, noon, 60)}
	rows.add("N20: one at a time", first, open(cards, 60), at(noon.Add(59*time.Minute)), ErrOpen)
	later := noon.Add(time.Hour)
	rows.add("N20: one whose end nobody has recorded", first, open(cards, 60), at(later), nil, expired("s1", later), granted("cmd", cards, later, 60))
	rows.add("N20: after one that expired", append(first, expired("s1", later)), open(cards, 60), at(later), nil, granted("cmd", cards, later, 60))
	rows.add("N20: after one that was closed", append(first, ended(eva, noon)), open(cards, 60), at(noon), nil, granted("cmd", cards, noon, 60))
	domaintest.Run(t, Aggregate, rows.rows)
}

func many(n int) (accounts []string) {
	for i := range n {
		accounts = append(accounts, fmt.Sprintf("card-%04d", i))
	}
	return accounts
}

func TestEnd(t *testing.T) {
	t.Parallel()
	var rows table
	open := []Event{granted("s1", cards, noon, 60)}
	anna := domain.Actor{ID: "anna", Kind: domain.KindPerson, Roles: []domain.Role{domain.GlobalAdmin}}
	konto := domain.Actor{ID: "konto", Kind: domain.KindSystem}
	half, over := noon.Add(30*time.Minute), noon.Add(time.Hour)

	rows.add("N20: the auditor is done", open, CloseAuditSession{}, at(half), nil, ended(eva, half))
	rows.add("N20: an admin ends it", open, CloseAuditSession{}, by(at(half), anna), nil, ended("anna", half))
	rows.add("N20: Konto ends it", open, CloseAuditSession{}, by(at(half), konto), nil, ended("konto", half))
	rows.add("N20: it was closed before", append(open, ended(eva, half)), CloseAuditSession{}, at(half), nil)
	rows.add("N20: its time is over", open, CloseAuditSession{}, at(over), nil)
	rows.add("N20: there never was one", nil, CloseAuditSession{}, by(at(noon), anna), ErrNeverOpened)
	rows.add("N20: there never was one for Konto to end", nil, CloseAuditSession{}, by(at(noon), konto), nil)

	expire := ExpireAuditSession{Session: "s1"}
	rows.add("N20: the time is over", open, expire, at(over), nil, expired("s1", over))
	rows.add("N20: a moment before", open, expire, at(over.Add(-1)), nil)
	rows.add("N20: over, and recorded", append(open, expired("s1", over)), expire, at(over), nil)
	rows.add("N20: over, but it was closed", append(open, ended(eva, half)), expire, at(over), nil)
	rows.add("N20: another session is open by now", append(open, ended(eva, half), granted("s2", cards, half, 10)), expire, at(over), nil)
	rows.add("N20: no session at all", nil, expire, at(over), nil)
	rows.add("N20: no session, and none is named", nil, ExpireAuditSession{}, at(over), nil)
	domaintest.Run(t, Aggregate, rows.rows)
}

func TestRead(t *testing.T) {
	t.Parallel()
	var rows table
	open := []Event{granted("s1", cards, noon, 60)}
	whole := []Event{granted("s1", Scope{Whole: true}, noon, 60)}
	mixed := []Event{granted("s1", Scope{Kinds: []string{"billing"}, Accounts: []string{card}}, noon, 60)}
	one := Query{Kind: ReadHistory, Account: card}
	ask := func(q Query) RecordHistoryRead { return RecordHistoryRead{"s1", q, "C:120/P:120"} }
	read := func(q Query, when time.Time) AuditHistoryRead {
		return AuditHistoryRead{Session: "s1", Auditor: eva, Query: q, Checkpoint: "C:120/P:120", At: when}
	}
	yes := func(name string, given []Event, q Query) {
		rows.add(name, given, ask(q), at(noon), nil, read(q, noon))
	}
	no := func(name string, given []Event, q Query, err error) { rows.add(name, given, ask(q), at(noon), err) }

	yes("N20: an account of a kind in scope", open, one)
	yes("N20: an account in scope", mixed, one)
	yes("N20: any account, in a session for everything", whole, Query{Kind: ReadState, Account: "secinfo-" + eva, To: "2026-03-01T12:00:00Z"})
	yes("N20: all accounts, in a session for everything", whole, Query{Kind: ReadTimeline})
	yes("N20: between two revisions", open, Query{Kind: ReadDiff, Account: card, From: "0", To: "12"})
	yes("N20: from a position on", whole, Query{Kind: ReadEvents, From: "C:7/P:7"})
	yes("N20: events of one type", whole, Query{Kind: ReadTimeline, Type: "CardDetailsUpdated.v2"})
	no("N20: another kind is out of scope", open, Query{Kind: ReadHistory, Account: "secinfo-" + eva}, ErrOutOfScope)
	no("N20: another account of the kind is out of scope", []Event{granted("s1", Scope{Accounts: []string{card}}, noon, 60)},
		Query{Kind: ReadHistory, Account: card[:len(card)-1] + "2"}, ErrOutOfScope)
	no("N20: all accounts are out of scope of some kinds", open, Query{Kind: ReadTimeline}, ErrOutOfScope)
	no("N20: all accounts are out of scope of an account", mixed, Query{Kind: ReadTimeline}, ErrOutOfScope)

	no("N20: without a session", nil, one, ErrNoSession)
	rows.add("N20: in the last moment", open, ask(one), at(noon.Add(time.Hour-1)), nil, read(one, noon.Add(time.Hour-1)))
	rows.add("N20: at the end", open, ask(one), at(noon.Add(time.Hour)), ErrNoSession)
	rows.add("N20: before the session", open, ask(one), at(noon.Add(-1)), ErrNoSession)
	no("N20: after it was closed", append(open, ended("anna", noon)), one, ErrNoSession)
	no("N20: after it expired", append(open, expired("s1", noon)), one, ErrNoSession)
	narrower := append(open, ended(eva, noon), granted("s2", Scope{Kinds: []string{"billing"}}, noon, 60))
	no("N20: what an earlier session covered", narrower, one, ErrNoSession)
	rows.add("N20: the next session has its own scope", narrower, RecordHistoryRead{"s2", one, "C:120/P:120"}, at(noon), ErrOutOfScope)
	rows.add("N20: a refusal names no session", narrower, RecordHistoryRead{"", one, "C:120/P:120"}, at(noon), ErrOutOfScope)
	yes("N20: of the log, a session for a kind gets that kind", open, Query{Kind: ReadEvents, From: "0"})
	no("N20: the log without a session", nil, Query{Kind: ReadEvents, From: "0"}, ErrNoSession)

	before := append(open, read(one, noon))
	other := Query{Kind: ReadHistory, Account: card, From: "100"}
	rows.add("N20: the same within a minute is recorded once", before, ask(one), at(noon.Add(time.Minute-1)), nil)
	rows.add("N20: the same after a minute is recorded again", before, ask(one), at(noon.Add(time.Minute)), nil, read(one, noon.Add(time.Minute)))
	rows.add("N20: another page is another reading", before, ask(other), at(noon), nil, read(other, noon))
	rows.add("N20: the same after another", append(before, read(other, noon.Add(time.Second))), ask(one), at(noon.Add(2*time.Second)), nil)
	rows.add("N20: the same in the next session", append(before, ended(eva, noon), granted("s2", cards, noon, 60)), RecordHistoryRead{"s2", one, "C:120/P:120"}, at(noon), nil,
		AuditHistoryRead{Session: "s2", Auditor: eva, Query: one, Checkpoint: "C:120/P:120", At: noon})

	for name, q := range map[string]Query{
		"N20: a way of reading that is none":      {Kind: "guess", Account: card},
		"N20: no way of reading":                  {Account: card},
		"N20: a person's name as an account":      {Kind: ReadHistory, Account: "card-anna"},
		"N20: a mail address as a bound":          {Kind: ReadHistory, Account: card, From: "anna@example.com"},
		"N20: a long bound":                       {Kind: ReadHistory, Account: card, To: strings.Repeat("1", 41)},
		"N20: a phone number as a type of events": {Kind: ReadTimeline, Type: "+46 70 174 06 05"},
	} {
		no(name, whole, q, ErrQuery)
	}
	for _, checkpoint := range []string{"", "now", strings.Repeat("1", 41)} {
		rows.add("N20: a checkpoint that is no position: "+checkpoint, whole, RecordHistoryRead{"s1", one, checkpoint}, at(noon), ErrQuery)
	}
	domaintest.Run(t, Aggregate, rows.rows)
}

func TestExport(t *testing.T) {
	t.Parallel()
	var rows table
	scope := Scope{Kinds: []string{"card"}, Personal: true}
	open := []Event{granted("s1", scope, noon, 60)}
	take := func(change func(*ExportAuditBundle)) ExportAuditBundle {
		c := ExportAuditBundle{Checkpoint: "C:120/P:120", Events: 3, Kinds: map[string]int64{"card": 2, "billing": 1}, Digest: digest}
		change(&c)
		return c
	}
	same := take(func(*ExportAuditBundle) {})
	taken := AuditBundleExported{
		Session: "s1", Auditor: eva, Scope: scope, Checkpoint: "C:120/P:120", Events: 3, Kinds: same.Kinds, Digest: digest, At: noon,
	}
	rows.add("N20: a bundle", open, same, at(noon), nil, taken)
	rows.add("N20: each bundle is recorded", append(open, taken), same, at(noon), nil, taken)
	rows.add("N20: an empty bundle", open, ExportAuditBundle{Checkpoint: "0", Digest: digest}, at(noon), nil,
		AuditBundleExported{Session: "s1", Auditor: eva, Scope: scope, Checkpoint: "0", Digest: digest, At: noon})
	rows.add("N20: a bundle without a session", nil, same, at(noon), ErrNoSession)
	rows.add("N20: a bundle after the end", open, same, at(noon.Add(time.Hour)), ErrNoSession)
	rows.add("N20: a bundle after the session was closed", append(open, ended("anna", noon)), same, at(noon), ErrNoSession)
	for name, change := range map[string]func(*ExportAuditBundle){
		"N20: a bundle without a checkpoint":           func(c *ExportAuditBundle) { c.Checkpoint = "" },
		"N20: a bundle with a checkpoint that is none": func(c *ExportAuditBundle) { c.Checkpoint = "end" },
		"N20: a bundle of fewer than no events":        func(c *ExportAuditBundle) { c.Events, c.Kinds = -1, map[string]int64{"card": -1} },
		"N20: a bundle whose kinds are not all":        func(c *ExportAuditBundle) { c.Events = 4 },
		"N20: a bundle without a digest":               func(c *ExportAuditBundle) { c.Digest = "" },
		"N20: a bundle with a short digest":            func(c *ExportAuditBundle) { c.Digest = c.Digest[:62] },
		"N20: a bundle with a digest that is none":     func(c *ExportAuditBundle) { c.Digest = strings.Repeat("x", 64) },
	} {
		rows.add(name, open, take(change), at(noon), ErrBundle)
	}
	domaintest.Run(t, Aggregate, rows.rows)
}

// However much is read in a minute, what is remembered of it has a bound.
func TestRememberedReadsAreBounded(t *testing.T) {
	t.Parallel()
	var a Access
	granted("s1", Scope{Whole: true}, noon, 60).Evolve(&a)
	for i := range 500 {
		AuditHistoryRead{Session: "s1", Query: Query{Kind: ReadHistory, Account: card, From: strconv.Itoa(i)}, At: noon}.Evolve(&a)
	}
	if a.Reads != 500 || len(a.Recent) != 64 || a.Recent[63].Query.From != "499" {
		t.Errorf("N20: %d reads, of which %d are remembered", a.Reads, len(a.Recent))
	}
	AuditHistoryRead{Session: "s1", At: noon.Add(time.Minute)}.Evolve(&a)
	if len(a.Recent) != 1 {
		t.Errorf("N20: a minute later, %d reads are remembered, want 1", len(a.Recent))
	}
}

func TestTermsHaveRanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		terms SessionTerms
		ok    bool
	}{
		{"N20: a minute", SessionTerms{MaxMinutes: 1, DefaultMinutes: 1}, true},
		{"N20: thirty days", SessionTerms{MaxMinutes: 43200, DefaultMinutes: 43200}, true},
		{"N20: longer than thirty days", SessionTerms{MaxMinutes: 43201, DefaultMinutes: 1}, false},
		{"N20: no time at all", SessionTerms{}, false},
		{"N20: usually none", SessionTerms{MaxMinutes: 60}, false},
		{"N20: usually longer than allowed", SessionTerms{MaxMinutes: 60, DefaultMinutes: 61}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.terms.Validate(); (err == nil) != c.ok {
				t.Errorf("Validate(%+v) = %v", c.terms, err)
			}
		})
	}
}
