package audit_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	. "konto/domain/audit"
)

// commands is how many commands the model is compared on:
//
//	go test ./domain/audit -run TestModel -audit.commands 1000000
var commands = flag.Int("audit.commands", 5000, "commands of the state machine test")

// A register is what a doorkeeper would write down: who is in until when, for
// which rooms, and who looked at what.
type register struct {
	session string
	until   time.Time
	in      bool // has not been let out
	rooms   []string
	known   bool
	looks   []look // in this session, at most 64 of the last minute
}

type look struct {
	what string
	at   time.Time
}

func (r *register) open(at time.Time) bool { return r.in && at.Before(r.until) }

func (r *register) enters(room string) bool {
	return slices.ContainsFunc(r.rooms, func(name string) bool { return name == "*" || strings.HasPrefix(room, name) })
}

// opens, closes, expires and reads tell how many events there are, and the
// refusal's code.
func (r *register) opens(id string, rooms []string, minutes int, at time.Time) (int, string) {
	if r.open(at) {
		return 0, "audit-session-open"
	}
	events := 1
	if r.in {
		events = 2 // the last one is let out first
	}
	*r = register{session: id, until: at.Add(time.Duration(minutes) * time.Minute), in: true, rooms: rooms, known: true}
	return events, ""
}

func (r *register) closes(at time.Time) (int, string) {
	switch {
	case !r.known:
		return 0, "audit-session-not-found"
	case !r.open(at):
		return 0, ""
	}
	r.in, r.looks = false, nil
	return 1, ""
}

func (r *register) expires(id string, at time.Time) (int, string) {
	if !r.in || r.session != id || at.Before(r.until) {
		return 0, ""
	}
	r.in, r.looks = false, nil
	return 1, ""
}

func (r *register) reads(room string, at time.Time) (int, string) {
	switch {
	case !r.open(at):
		return 0, "audit-session-required"
	case !r.enters(room):
		return 0, "audit-out-of-scope"
	}
	r.looks = slices.DeleteFunc(r.looks, func(l look) bool { return at.Sub(l.at) >= time.Minute })
	if slices.ContainsFunc(r.looks, func(l look) bool { return l.what == room }) {
		return 0, ""
	}
	r.looks = append(r.looks, look{room, at})
	if len(r.looks) > 64 {
		r.looks = r.looks[1:]
	}
	return 1, ""
}

var rooms = []string{"card-1", "card-2", "billing-1", "secinfo-1"}

var scopes = []struct {
	scope Scope
	rooms []string
}{
	{Scope{Whole: true}, []string{"*"}},
	{Scope{Kinds: []string{"card"}}, []string{"card-"}},
	{Scope{Kinds: []string{"billing"}, Accounts: []string{"card-2"}}, []string{"billing-", "card-2"}},
	{Scope{Accounts: []string{"secinfo-1"}, Personal: true}, []string{"secinfo-1"}},
}

// TestModel compares sessions with the register for commands at random moments.
// What is read is always covered by the session that was open at that moment.
func TestModel(t *testing.T) {
	t.Parallel()
	left := *commands
	rapid.Check(t, func(t *rapid.T) {
		var (
			state Access
			model register
			when  = noon
		)
		steps := rapid.IntRange(1, 200).Draw(t, "steps")
		for i := 0; i < steps && left > 0; i++ {
			left--
			when = when.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			m := at(when)
			m.Command = fmt.Sprintf("s%d", i)
			var cmd domain.Command[Access]
			var events int
			var code string
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0, 1:
				s, minutes := scopes[rapid.IntRange(0, len(scopes)-1).Draw(t, "scope")], rapid.IntRange(1, 5).Draw(t, "minutes")
				cmd = OpenAuditSession{Purpose: "cards", Scope: s.scope, Minutes: minutes}
				events, code = model.opens(m.Command, s.rooms, minutes, when)
			case 2:
				cmd = CloseAuditSession{}
				events, code = model.closes(when)
			case 3:
				id := model.session
				if rapid.Bool().Draw(t, "another") {
					id = "s0"
				}
				cmd = ExpireAuditSession{Session: id}
				events, code = model.expires(id, when)
			default:
				room := rapid.SampledFrom(rooms).Draw(t, "room")
				cmd = RecordHistoryRead{Query: Query{Kind: ReadHistory, Account: room}, Checkpoint: "7"}
				events, code = model.reads(room, when)
			}
			got, err := cmd.Decide(state, m)
			refused, _ := errors.AsType[*domain.Error](err)
			if len(got) != events || (refused == nil) != (code == "") || refused != nil && refused.Code != code {
				t.Fatalf("N20: %+v at %s: %d events, %v; the register says %d, %q\nstate %+v\nregister %+v", cmd, when, len(got), err, events, code, state, model)
			}
			for _, e := range got {
				e.Evolve(&state)
			}
			if state.Session.Open(when) != model.open(when) || len(state.Recent) > 64 {
				t.Fatalf("N20: the session is open: %v; the register says %v", state.Session.Open(when), model.open(when))
			}
		}
	})
}
