package reactor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
)

const (
	// persistEvery is how many events without an effect may pass until the
	// checkpoint is written for them alone: a synced transaction for each
	// batch would cost the disk more than reading those events again does.
	persistEvery = 5000
	// namespace of effect IDs (RFC 9562, version 5); drawn once, for ever.
	namespace = "6f1f7b0e-6a56-4f0e-9a53-0d2f8f0e7a11"
)

// listen reacts to events until ctx ends.
func (e *engine) listen(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		before := e.at()
		err := e.listenFrom(ctx, before)
		if ctx.Err() != nil {
			break
		}
		if e.at() != before {
			failures = 0
		}
		failures++
		pause := min(e.backoff(failures), 30*time.Second)
		e.setProblem(err.Error())
		e.Log.Error().Err(err).Dur("retryIn", pause).Msg("reactor stands still")
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	// Nothing is lost without it, but less is read again after a start.
	if err := e.outbox.advance(context.WithoutCancel(ctx), e.at()); err != nil {
		e.Log.Warn().Err(err).Msg("checkpoint not written")
	}
}

func (e *engine) listenFrom(ctx context.Context, at eventstore.Position) error {
	passed := 0
	for events, err := range e.Feed.From(ctx, at) {
		if err != nil {
			return err
		}
		if len(events) == 0 {
			continue
		}
		if err := e.react(ctx, events, &passed); err != nil {
			return err
		}
	}
	return errors.New("reactor: the feed ended")
}

// react deals with a batch. Passed counts the events since the checkpoint was
// written.
func (e *engine) react(ctx context.Context, records []eventstore.Recorded, passed *int) error {
	began := e.Now()
	to := records[len(records)-1].Position
	var events []domain.Recorded[any]
	for _, x := range e.decoder.Batch(records) {
		switch {
		case x.Err != nil:
			return fmt.Errorf("%s at %s: %w", x.Record.Type, x.Record.Position, x.Err)
		case x.Decoded.Data != nil:
			events = append(events, x.Decoded)
		}
	}
	memory := newMemory(e.recall)
	effects, err := e.evaluate(ctx, events, memory)
	if err != nil {
		return err
	}
	rows := make([]row, len(effects))
	for i, x := range effects {
		if rows[i], err = e.row(ctx, x); err != nil {
			return err
		}
	}
	*passed += len(records)
	states, err := memory.changed()
	if err != nil {
		return err
	}
	if len(rows) > 0 || len(states) > 0 || *passed >= persistEvery {
		if err := e.outbox.record(ctx, to, states, rows); err != nil {
			e.recent.Purge() // it may have been stored
			return err
		}
		for k, text := range states {
			e.recent.Add(k, text)
		}
		*passed = 0
	}
	e.advanced(to)
	if len(rows) > 0 {
		e.signal()
	}
	took := e.Now().Sub(began)
	if e.Metrics.Reacted != nil {
		e.Metrics.Reacted(len(records), len(rows), took)
	}
	e.Log.Debug().Int("events", len(records)).Int("effects", len(rows)).Stringer("position", to).Dur("took", took).Msg("reacted")
	return nil
}

// effect is what a reaction asked for, and why.
type effect struct {
	id       uuid.UUID
	reaction string
	event    domain.Recorded[any]
	what     domain.Effect
}

// evaluate runs the reactions on events, in their order.
func (e *engine) evaluate(ctx context.Context, events []domain.Recorded[any], m *memory) (out []effect, err error) {
	for _, event := range events {
		t := reflect.TypeOf(event.Data)
		for _, reaction := range e.Reactions {
			step, ok := reaction.Steps[t]
			if !ok {
				continue
			}
			effects, err := m.take(ctx, reaction.Name, step, event)
			if err != nil {
				return nil, fmt.Errorf("reaction %s on %s %s: %w", reaction.Name, event.Type, event.EventID, err)
			}
			for i, what := range effects {
				out = append(out, effect{effectID(reaction.Name, event.EventID, i), reaction.Name, event, what})
			}
		}
	}
	return out, nil
}

func effectID(reaction, eventID string, index int) uuid.UUID {
	return uuid.NewSHA1(uuid.MustParse(namespace), []byte(reaction+"\x00"+eventID+"\x00"+strconv.Itoa(index)))
}

type stateKey struct{ reaction, key string }

// recentStates is how many states are kept at hand, some hundred bytes each:
// most events ask for one, and few change it.
const recentStates = 1 << 14

// recall is outbox.load with the states at hand. Only the goroutine that
// records states may call it.
func (e *engine) recall(ctx context.Context, k stateKey) (string, error) {
	if text, ok := e.recent.Get(k); ok {
		return text, nil
	}
	text, err := e.outbox.load(ctx, k)
	if err == nil {
		e.recent.Add(k, text)
	}
	return text, err
}

// memory is what processes remember, as far as a batch needs it.
type memory struct {
	load   func(context.Context, stateKey) (string, error)
	states map[stateKey]any
	before map[stateKey]string // as they were loaded, or as they begin
}

func newMemory(load func(context.Context, stateKey) (string, error)) *memory {
	return &memory{load, map[stateKey]any{}, map[stateKey]string{}}
}

// changed returns the states that are not what they were, as JSON. Most events
// change none: writing those again would cost a synced transaction a batch.
func (m *memory) changed() (map[stateKey]string, error) {
	out := map[stateKey]string{}
	for k, state := range m.states {
		text, err := json.Marshal(state)
		if err != nil {
			return nil, fmt.Errorf("memory of %s: %w", k.reaction, err)
		}
		if string(text) != m.before[k] {
			out[k] = string(text)
		}
	}
	return out, nil
}

// take runs one step of a reaction, which is pure but may be mistaken.
func (m *memory) take(ctx context.Context, reaction string, s domain.ReactionStep, event domain.Recorded[any]) (effects []domain.Effect, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	key := s.Key(event)
	if key == "" {
		return s.Then(s.New(), event), nil
	}
	k := stateKey{reaction, key}
	state, ok := m.states[k]
	if !ok {
		state = s.New()
		kept, err := m.load(ctx, k)
		if err == nil && kept != "" {
			err = json.Unmarshal([]byte(kept), state)
		}
		if err != nil {
			return nil, fmt.Errorf("memory: %w", err)
		}
		text, err := json.Marshal(state)
		if err != nil {
			return nil, err
		}
		m.states[k], m.before[k] = state, string(text)
	}
	return s.Then(state, event), nil
}

// command is how a command type travels.
type command struct {
	contract domain.Contract
	name     string
}

func commandsOf(cs envelope.Contracts) map[any]command {
	out := map[any]command{}
	for _, c := range cs {
		for _, info := range c.Commands() {
			out[info.Type] = command{c, info.Name}
		}
	}
	return out
}

func wants(reactions []domain.Reaction) func(reflect.Type) bool {
	return func(t reflect.Type) bool {
		return slices.ContainsFunc(reactions, func(r domain.Reaction) bool { _, ok := r.Steps[t]; return ok })
	}
}

// The kinds of effect.
const (
	kindDispatch = "dispatch"
	kindNotice   = "notice"
	kindCall     = "call" // a dispatch that waits for somebody else's system
)

// noticePayload is a notice as it waits.
type noticePayload struct {
	To       string                  `json:"to"`
	Tenant   string                  `json:"tenant,omitzero"` // To's, if not the event's
	Address  domain.Personal[string] `json:"address,omitzero"`
	Without  domain.Personal[string] `json:"without,omitzero"`
	Channel  domain.Channel          `json:"channel"`
	Template string                  `json:"template"`
	Data     json.RawMessage         `json:"data"`
	Besides  []string                `json:"besides,omitempty"`
}

// row makes the outbox row of x.
func (e *engine) row(ctx context.Context, x effect) (row, error) {
	out := row{
		id: x.id.String(), tenant: x.event.Tenant, correlation: x.event.Correlation, causation: x.event.EventID,
		reaction: x.reaction, at: x.event.At,
	}
	var payload any
	switch what := x.what.(type) {
	case domain.Dispatch:
		c, ok := e.commands[reflect.TypeOf(what.Command)]
		if !ok {
			return row{}, fmt.Errorf("reaction %s: %T: %w", x.reaction, what.Command, domain.ErrUnknownType)
		}
		raw, err := c.contract.Encode(what.Command)
		if err != nil {
			return row{}, fmt.Errorf("reaction %s: command %s: %w", x.reaction, c.name, err)
		}
		out.kind, out.typ, out.target = kindDispatch, c.name, envelope.Stream(c.contract.Category(), what.To)
		payload = DispatchJob{c.contract.Category(), what.To, what.Tenant, c.name, raw.Data}
		if what.Line != "" {
			out.kind, out.target = kindCall, "line "+what.Line
		}
		if what.After > 0 {
			out.delayed, out.due = true, x.event.At.Add(what.After)
		}
	case domain.Notice:
		data, err := json.Marshal(what.Data)
		if err != nil {
			return row{}, fmt.Errorf("reaction %s: notice %s: %w", x.reaction, what.Template, err)
		}
		out.kind, out.typ, out.target = kindNotice, what.Template, "person "+what.To+" "+string(what.Channel)
		payload = noticePayload{what.To, what.Tenant, what.Address, what.Without, what.Channel, what.Template, data, what.Besides}
	default:
		return row{}, fmt.Errorf("reaction %s: effect %T: %w", x.reaction, x.what, domain.ErrUnknownType)
	}
	plain, err := json.Marshal(payload)
	if err != nil {
		return row{}, fmt.Errorf("reaction %s: %w", x.reaction, err)
	}
	if out.payload, err = e.Seal(ctx, out.tenant, out.stream(), out.id, out.typ, plain); err != nil {
		return row{}, fmt.Errorf("seal effect %s: %w", out.id, err)
	}
	return out, nil
}

func (e *engine) at() eventstore.Position {
	e.state.Lock()
	defer e.state.Unlock()
	return e.state.at
}

func (e *engine) advanced(to eventstore.Position) {
	e.state.Lock()
	e.state.at, e.state.problem = to, ""
	e.state.Unlock()
}

func (e *engine) setProblem(s string) {
	e.state.Lock()
	e.state.problem = s
	e.state.Unlock()
}

// signal tells the workers that the outbox has more.
func (e *engine) signal() {
	for _, wake := range []chan struct{}{e.wake, e.wakeCalls} {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}
