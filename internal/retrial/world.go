package retrial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"konto/domain"
	"konto/domain/policyversion"
	"konto/eventstore"
	"konto/internal/envelope"
)

// world is all accounts as they were at a position that only grows.
type world struct {
	*Tester
	sources  map[reflect.Type]domain.Source
	accounts *lru.Cache[string, *account]
}

// account is the folded state of a stream.
type account struct {
	state    any
	revision eventstore.Revision
	tenant   string
}

// maxAccounts bounds how many folded states are kept; others are folded anew.
const maxAccounts = 1 << 14

// latest is a position after all others.
const latest = math.MaxUint64

func newWorld(t *Tester) *world {
	accounts, err := lru.New[string, *account](maxAccounts)
	if err != nil {
		panic(err) // only for a size below 1
	}
	w := &world{Tester: t, sources: map[reflect.Type]domain.Source{}, accounts: accounts}
	for _, s := range t.Sources {
		w.sources[s.Type] = s
	}
	return w
}

// at returns an account as it was before the event at position. Asked for an
// earlier position than before, it folds anew.
func (w *world) at(ctx context.Context, category, id string, position uint64) (*account, error) {
	contract, ok := w.Contracts[category]
	if !ok {
		return nil, fmt.Errorf("category %q: %w", category, domain.ErrUnknownType)
	}
	stream := envelope.Stream(category, id)
	a, ok := w.accounts.Get(stream)
	if !ok || position == latest {
		a = &account{state: contract.New(), revision: eventstore.NoStream}
	}
	if position != latest {
		w.accounts.Add(stream, a)
	}
	for r, err := range w.Store.Read(ctx, stream, eventstore.ReadStream{From: a.revision + 1}) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		if r.Position.Commit >= position {
			break
		}
		if err := w.fold(ctx, contract, a, r); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (w *world) fold(ctx context.Context, c domain.Contract, a *account, r eventstore.Recorded) error {
	head, err := envelope.ParseHead(r.Meta)
	if err != nil {
		return err
	}
	data, err := envelope.OpenData(ctx, w.Keys, r, head.Tenant)
	if err != nil {
		return err
	}
	event, err := c.DecodeEvent(domain.Raw{Type: r.Type, Data: data})
	if err != nil {
		return err
	}
	a.revision, a.tenant = r.Revision, head.Tenant
	return c.Evolve(a.state, event)
}

// forced are the rules that a policy has instead of its versions; none if the
// name is empty.
type forced struct {
	policy string
	rules  json.RawMessage
}

// fact returns what n names, as it was known before position.
func (w *world) fact(ctx context.Context, n domain.Need, position uint64, f forced) (any, error) {
	s, ok := w.sources[n.Type]
	switch {
	case !ok:
		return nil, fmt.Errorf("fact %v: %w", n.Type, domain.ErrUnknownType)
	case s.Contract == nil:
		return s.Input(n.Key), nil
	case f.policy != "" && s.Contract.Category() == policyversion.Aggregate.Category() && n.Key == f.policy:
		return s.State(n.Key, &policyversion.Policy{Versions: []policyversion.Version{
			{Number: 1, EffectiveAt: time.Time{}, Rules: f.rules},
		}}), nil
	}
	a, err := w.at(ctx, s.Contract.Category(), n.Key, position)
	if err != nil {
		return nil, err
	}
	return s.State(n.Key, a.state), nil
}

func (w *world) gather(ctx context.Context, known domain.Facts, position uint64, f forced, needs func(domain.Facts) []domain.Need) (domain.Facts, error) {
	for more := true; more; {
		more = false
		for _, n := range needs(known) {
			if known.Has(n) {
				continue
			}
			fact, err := w.fact(ctx, n, position, f)
			if err != nil {
				return known, err
			}
			known, more = known.Knows(n, fact), true
		}
	}
	return known, nil
}

// decide carries c out in mind: the authorization, then the aggregate's rule.
func (w *world) decide(ctx context.Context, c candidate, body json.RawMessage, f forced) (outcome, error) {
	contract := w.Contracts[c.category]
	cmd, err := contract.DecodeCommand(domain.Raw{Type: c.meta.CommandType, Data: body})
	if err != nil {
		return refusal(err)
	}
	position := c.first.Position.Commit
	a, err := w.at(ctx, c.category, c.id, position)
	if err != nil {
		return outcome{}, err
	}
	attempt := domain.Attempt{
		Category: c.category, Command: c.meta.CommandType, ID: c.id, Owner: c.meta.Tenant, Exists: a.revision >= 0,
		Actor: c.meta.Actor, At: c.meta.At,
	}
	attempt.Facts, err = w.gather(ctx, domain.Facts{}, position, f, func(known domain.Facts) []domain.Need {
		attempt.Facts = known
		return w.Authorization.Needs(attempt)
	})
	if err != nil {
		return outcome{}, err
	}
	if _, err := w.Authorization.Rule(attempt); err != nil {
		return refusal(err)
	}
	keys, err := w.Keys.Tenant(ctx, c.meta.Tenant)
	if err != nil {
		return outcome{}, err
	}
	m := domain.Meta{
		ID: c.id, Tenant: c.meta.Tenant, Actor: c.meta.Actor, At: c.meta.At, Command: c.meta.Command,
		Code: keys.Code, MAC: keys.MAC, Facts: attempt.Facts,
	}
	if n, ok := cmd.(domain.Needer); ok {
		m.Facts, err = w.gather(ctx, m.Facts, position, f, func(known domain.Facts) []domain.Need {
			m.Facts = known
			return n.Needs(m)
		})
		if err != nil {
			return outcome{}, err
		}
	}
	events, refused := contract.Decide(a.state, cmd, m)
	o, err := refusal(refused)
	if err != nil {
		return o, err
	}
	for _, e := range events {
		raw, err := contract.Encode(e)
		if err != nil {
			return o, err
		}
		o.events = append(o.events, raw)
	}
	return o, nil
}

// refusal is the outcome of a rule that refused, or err if it is a fault.
func refusal(err error) (outcome, error) {
	if rule, ok := errors.AsType[*domain.Error](err); ok {
		return outcome{refused: rule}, nil
	}
	return outcome{}, err
}

// faithful reports whether was is what was recorded of c.
func (w *world) faithful(ctx context.Context, c candidate, was outcome) (bool, error) {
	if (was.refused == nil) != (c.meta.Refused == nil) || was.refused != nil && was.refused.Code != c.meta.Refused.Code {
		return false, nil
	}
	o := eventstore.ReadStream{From: c.first.Revision, Limit: len(was.events) + 1}
	n := 0
	for r, err := range w.Store.Read(ctx, c.first.Stream, o) {
		if err != nil {
			return false, err
		}
		head, err := envelope.ParseHead(r.Meta)
		if err != nil {
			return false, err
		}
		if head.Command != c.meta.Command {
			break
		}
		data, err := envelope.OpenData(ctx, w.Keys, r, head.Tenant)
		if err != nil {
			return false, err
		}
		if n == len(was.events) || r.Type != was.events[n].Type || !bytes.Equal(data, was.events[n].Data) {
			return false, nil
		}
		n++
	}
	return n == len(was.events), nil
}
