package admin_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	. "konto/domain/admin"
	"konto/domain/recovery"
)

// many makes a run of [TestLife] long, for a night's work.
var many = flag.Bool("many", false, "walk through a million commands")

// A life is what a person would expect of an account: whether it is in use,
// which addresses are its own, and since when it is on its way out.
type life struct {
	status    Status
	admin     bool // a global admin
	name      string
	addresses []string // all it ever had, the name included
	block     string   // the command that ended it
	blocked   time.Time
}

func (l life) usable() string {
	switch l.status {
	case Gone:
		return "admin-data-gone"
	case Blocked, Offboarded:
		return "admin-off-boarded"
	case Active:
	}
	return ""
}

// TestLife walks at random through everything that can happen to an account,
// and compares each answer and each state with what a person would expect.
func TestLife(t *testing.T) {
	t.Parallel()
	runs := 1
	if *many {
		runs = 100
	}
	for range runs {
		rapid.Check(t, walk)
	}
}

func walk(t *rapid.T) {
	var (
		a        = fold(added())
		l        = life{name: "Ann@contoso.se", addresses: []string{"Ann@contoso.se"}}
		now      time.Duration
		commands int
		alone    bool // nobody else is a global admin
		// mine and theirs say whose contacts would recover their account.
		mine, theirs bool
	)
	send := func(cmd domain.Command[Admin]) string {
		commands++
		w := usual().at(now)
		if w.command = fmt.Sprint("c", commands); alone {
			w = w.admins("ann")
		}
		if mine {
			w = w.reach("ann", recovery.Contacts{Phone: true, Mail: true})
		}
		if theirs {
			w = w.reach("gina", recovery.Contacts{Phone: true, Mail: true})
		}
		events, err := cmd.Decide(a, w.meta(cmd))
		for _, e := range events {
			e.Evolve(&a)
		}
		if refused, ok := errors.AsType[*domain.Error](err); ok {
			return refused.Code
		}
		return ""
	}
	expect := func(t *rapid.T, cmd domain.Command[Admin], want string) {
		t.Helper()
		if got := send(cmd); got != want {
			t.Fatalf("%T = %q, want %q", cmd, got, want)
		}
	}
	address := rapid.SampledFrom([]string{"Ann@contoso.se", "b@contoso.se", "c@contoso.se", "d@contoso.se"})
	t.Repeat(map[string]func(*rapid.T){
		"rename": func(t *rapid.T) {
			name, want := address.Draw(t, "name"), l.usable()
			if want == "" {
				l.name = name
			}
			expect(t, ChangeUserName{name}, want)
			l.own(want, name)
		},
		"alias": func(t *rapid.T) {
			alias, want := address.Draw(t, "alias"), l.usable()
			expect(t, AddAlias{alias}, want)
			l.own(want, alias)
		},
		"mail": func(t *rapid.T) {
			to, want := address.Draw(t, "to"), l.usable()
			if want == "" && !slices.Contains(l.addresses, to) {
				want = "address-not-own"
			}
			expect(t, SetPrimaryEmail{to}, want)
		},
		"promote": func(t *rapid.T) {
			want := l.usable()
			l.admin = l.admin || want == ""
			expect(t, AssignRole{domain.GlobalAdmin}, want)
		},
		"demote": func(t *rapid.T) {
			want := l.usable()
			switch {
			case want != "":
			case l.admin && alone:
				want = "last-global-admin"
			case l.admin && mine && !theirs:
				want = "last-recoverable-global-admin"
			default:
				l.admin = false
			}
			expect(t, RemoveRole{domain.GlobalAdmin}, want)
		},
		"off-board": func(t *rapid.T) {
			want := ""
			switch {
			case l.status != Active:
			case l.admin && alone:
				want = "last-global-admin"
			case l.admin && mine && !theirs:
				want = "last-recoverable-global-admin"
			default:
				l.status, l.block, l.blocked = Blocked, fmt.Sprint("c", commands+1), start.Add(now)
			}
			expect(t, OffboardEmployee{}, want)
		},
		"complete": func(t *rapid.T) {
			if l.status == Blocked {
				l.status = Offboarded
			}
			expect(t, CompleteOffboarding{l.block}, "")
		},
		"restore": func(t *rapid.T) {
			want, over := "", start.Add(now).Sub(l.blocked) >= 30*day
			switch {
			case l.status == Gone, l.status == Offboarded && over:
				want = "admin-data-gone"
			default:
				l.status = Active
			}
			expect(t, RestoreEmployee{}, want)
		},
		"expire": func(t *rapid.T) {
			if l.status == Offboarded && start.Add(now).Sub(l.blocked) >= 30*day {
				l.status = Gone
			}
			expect(t, ExpireRetention{l.block}, "")
		},
		"others": func(*rapid.T) { alone = !alone },
		"mine":   func(*rapid.T) { mine = !mine },
		"theirs": func(*rapid.T) { theirs = !theirs },
		"wait":   func(t *rapid.T) { now += time.Duration(rapid.IntRange(1, 20).Draw(t, "days")) * day },
		"": func(t *rapid.T) {
			if a.Status != l.status || a.SignInName.Value != l.name || a.Has(domain.GlobalAdmin) != (l.admin && l.status == Active) {
				t.Fatalf("%q as %s, a global admin %v; want %+v", a.Status, a.SignInName.Value, a.Has(domain.GlobalAdmin), l)
			}
			for _, address := range l.addresses {
				if !a.Answers(address) {
					t.Fatalf("%s is the account's no more", address)
				}
			}
		},
	})
}

// own notes that the account has an address, unless the command was refused.
func (l *life) own(refused, address string) {
	if refused == "" && !slices.Contains(l.addresses, address) {
		l.addresses = append(l.addresses, address)
	}
}
