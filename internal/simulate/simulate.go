// Package simulate makes believable histories: companies with people who prove
// their contacts, forget their passwords, leave, come back and are forgotten;
// with cards that expire, are declined, replaced and backed up; with
// subscriptions that are cancelled, taken back and paid by invoice; with
// partners who look after them and pay for what they let them buy; with
// auditors, disputes and legal holds. Demos, tests and benchmarks use it.
//
// It lives through the years on a clock that can be moved, and acts through the
// command API and the gateway's webhook as people and gateways would: what it
// makes is what the rules allow, and what follows from a command (codes,
// retries, reminders) happens at its own time. A command that a rule refuses is
// part of life, and counted.
//
// It sends nothing that would reach outside (webhook endpoints are called),
// change the rules for everybody (policies, clouds, managing partners), or need
// the link in a message that undoes a change.
//
// # What is guaranteed
//
// The same seed, numbers and start make the same commands, with the same IDs,
// in the same order, in every version that has the same rules. On a clock that
// stands still between steps events have the same times, too; what is sealed
// and the order in which independent effects end differ.
//
// People are invented. Domains end in .example (RFC 2606), Swedish phones are
// of the range that the Swedish PTS keeps for fiction, others are libphonenumber's
// examples. Cards are tokens; there is no card number anywhere.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"konto/domain"
	"konto/internal/client"
)

// Config says what to make.
type Config struct {
	Tenants int // companies, 1 to 10,000
	Years   int // that each lives through, 1 to 50
	Seed    uint64
	Start   time.Time // when the first company comes; the clock must not be after it
	Place   Place
	// Settled are companies that are there already, which live through the years
	// as well. The first is the partner that looks after all others, and of the
	// other settled ones it is the reseller already.
	Settled []Settled
	// Progress is told how far it has come; nil for nobody.
	Progress func(at time.Time, done, total int)
}

// Settled is a company that is there already. What it has stays as it is: it
// hires, buys and changes besides, and nobody of its own is written to, changed
// or let go.
type Settled struct {
	ID, Name, Domain string
	Country          string   // SE, DK or NL
	People           []Person // the first is a global admin
	// Standing are its subscriptions, which are charged every month, and paid.
	Standing []Standing
}

// Standing is a subscription with the card that pays for it.
type Standing struct {
	SubscriptionID, CardToken string
	AmountMinor               int64 // in the country's currency
}

// Place is the Konto to make it in. All functions are required.
type Place struct {
	// As returns a client that calls as a person, with a token of the clock's time.
	As func(context.Context, Person) (*client.Client, error)
	// AdvanceTo moves the clock and returns when all that was due has happened.
	AdvanceTo func(ctx context.Context, to time.Time) error
	// Webhook hands a payment gateway's signed event over.
	Webhook func(ctx context.Context, event []byte) error
	// Code returns the newest one-time code that was sent to a recipient, or
	// [ErrNoCode].
	Code func(ctx context.Context, recipient string) (string, error)
}

// ErrNoCode says that no code was sent to a recipient.
var ErrNoCode = errors.New("no code came")

// Person is who sends a command.
type Person struct {
	ID     string
	Tenant string
	Roles  []domain.Role
	Kind   domain.ActorKind // empty: a person
}

// Report says what was made.
type Report struct {
	Tenants  int            `json:"tenants"`
	People   int            `json:"people"`
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Commands map[string]int `json:"commands"` // accepted, by name
	Charges  map[string]int `json:"charges"`  // by outcome: succeeded, or the decline code
	Refused  map[string]int `json:"refused"`  // by problem code
}

// Run makes it. It blocks until it is made; a minute of one core makes some ten
// companies and years. It stops at the first fault: what a rule refuses is none.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.Tenants < 1 || cfg.Tenants > 10_000 {
		return Report{}, fmt.Errorf("simulate: %d companies: want 1 to 10000", cfg.Tenants)
	}
	if cfg.Years < 1 || cfg.Years > 50 {
		return Report{}, fmt.Errorf("simulate: %d years: want 1 to 50", cfg.Years)
	}
	s := &simulation{Config: cfg, replacing: replacing(), report: Report{
		Tenants: cfg.Tenants, From: cfg.Start, To: cfg.Start.AddDate(cfg.Years, 0, 0),
		Commands: map[string]int{}, Charges: map[string]int{}, Refused: map[string]int{},
	}}
	if err := s.people(); err != nil {
		return s.report, err
	}
	for s.agenda.Len() > 0 {
		next := s.agenda.next()
		if next.at.After(s.report.To) {
			break
		}
		if err := s.Place.AdvanceTo(ctx, next.at); err != nil {
			return s.report, fmt.Errorf("simulate: to %s: %w", next.at.Format(time.RFC3339), err)
		}
		s.now = next.at
		if err := next.do(ctx); err != nil {
			return s.report, fmt.Errorf("simulate: at %s: %w", next.at.Format(time.RFC3339), err)
		}
		s.tell(next.at)
	}
	if err := s.Place.AdvanceTo(ctx, s.report.To); err != nil {
		return s.report, fmt.Errorf("simulate: to %s: %w", s.report.To.Format(time.RFC3339), err)
	}
	return s.report, nil
}

// simulation is one run.
type simulation struct {
	Config
	agenda agenda
	now    time.Time
	told   time.Time
	report Report
	// replacing is what [replacing] returns.
	replacing map[string]string
}

// tell tells of progress once a month.
func (s *simulation) tell(at time.Time) {
	if s.Progress != nil && (at.Month() != s.told.Month() || at.Year() != s.told.Year()) {
		s.told = at
		s.Progress(at, int(at.Sub(s.report.From)/time.Hour), int(s.report.To.Sub(s.report.From)/time.Hour))
	}
}

// at plans something.
func (s *simulation) at(t time.Time, do func(context.Context) error) { s.agenda.add(t, do) }

// people plans all companies. Each has its own random numbers, so that one more
// does not change the others. Without a settled partner each is looked after by
// the one before it.
func (s *simulation) people() error {
	var partner *company
	for i, settled := range s.Settled {
		c := s.found(s.Tenants + i)
		if err := c.settle(settled, partner); err != nil {
			return err
		}
		s.at(c.begins, c.settleIn)
		if i == 0 {
			partner = c
		}
	}
	for n := range s.Tenants {
		c := s.found(n)
		c.partner = partner
		s.at(c.begins, c.open)
		if len(s.Settled) == 0 {
			partner = c
		}
	}
	return nil
}

// found makes a company that will come within four weeks.
func (s *simulation) found(n int) *company {
	rng := rand.New(rand.NewPCG(s.Seed, uint64(n))) //nolint:gosec // believable, not secret
	c := &company{simulation: s, n: n, rng: rng, land: lands()[rng.IntN(len(lands()))], tokens: map[string]string{}}
	c.begins = s.Start.Add(time.Duration(rng.IntN(28*24*60)) * time.Minute)
	c.id = c.newID(c.begins)
	return c
}

// send sends a command. A refusal is counted and reported as not ok; anything
// else that goes wrong is an error.
func (s *simulation) send(ctx context.Context, by Person, cmd client.Command) (ok bool, err error) {
	c, err := s.Place.As(ctx, by)
	if err != nil {
		return false, err
	}
	_, err = c.Send(ctx, cmd)
	var p *client.Problem
	switch {
	case errors.As(err, &p) && p.Status < 500:
		s.report.Refused[cmd.Name+": "+p.Code]++
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w", cmd.Name, err)
	}
	s.report.Commands[cmd.Name]++
	return true, nil
}

// Names returns the names of what was counted, the most frequent first.
func Names(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
}

func asProblem(err error) (*client.Problem, bool) { return errors.AsType[*client.Problem](err) }
