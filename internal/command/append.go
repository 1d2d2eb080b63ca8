package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"konto/domain"
	"konto/domain/reservation"
	"konto/domain/subject"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// EventID returns the ID of the event with the given index among those of a
// command: the same for ever, so that a repeated append is recognized.
func EventID(command uuid.UUID, index int) uuid.UUID {
	return uuid.NewSHA1(command, strconv.AppendInt([]byte("event/"), int64(index), 10))
}

// append stores events and folds them into e. A refusal that must be
// remembered comes with its events and is returned once they are stored.
func (h *Handler) append(ctx context.Context, t task, e *entry, m domain.Meta, events []any, refused error) (Result, error) {
	if err := h.reserve(ctx, t, m, refused); err != nil {
		if moved := h.believe(ctx, e); moved != nil {
			return Result{}, moved
		}
		return Result{Stream: e.stream, Revision: e.revision}, err
	}
	records, shown, err := h.record(ctx, t, e, m, events, refused)
	if err != nil {
		return Result{Stream: e.stream, Revision: e.revision, Versions: t.versions}, err
	}
	ctx, span := h.Tracer.Start(ctx, "append")
	at, err := h.Store.Append(ctx, e.stream, e.revision, records...)
	span.End()
	if err != nil {
		e.behind = true // perhaps stored, perhaps beaten: the next turn reads on
		return Result{}, fmt.Errorf("append to %s: %w", e.stream, err)
	}
	for _, event := range events {
		if err := e.contract.Evolve(e.state, event); err != nil {
			return Result{}, err // impossible: the aggregate decided it
		}
	}
	e.revision, e.tenant = at.Revision, m.Tenant
	e.commands[commandKey(t.ID)] = at.Revision
	return Result{Stream: e.stream, Revision: at.Revision, Position: at.Position, Events: shown, Versions: t.versions}, refused
}

// record turns decided events into what is stored, and into what the caller is
// shown. An event that tells something personal of somebody who was erased is
// refused, here for all commands: no aggregate knows whom another's value is about.
func (h *Handler) record(ctx context.Context, t task, e *entry, m domain.Meta, events []any, refused error) ([]eventstore.Event, []Event, error) {
	meta := about(ctx, t, m, refused)
	body, err := h.body(ctx, t, e, m, events)
	if err != nil {
		return nil, nil, err
	}
	records, shown := make([]eventstore.Event, len(events)), make([]Event, len(events))
	for i, event := range events {
		raw, err := e.contract.Encode(event)
		if err != nil {
			return nil, nil, err
		}
		id := EventID(t.ID, i)
		shown[i] = Event{ID: id, Type: raw.Type, Data: raw.Data}
		meta.Body = body
		body = domain.Personal[string]{} // the first event alone has it
		records[i], err = envelope.Seal(ctx, h.Keys, e.stream, m.Tenant, eventstore.Event{ID: eventstore.ID(id), Type: raw.Type, Data: raw.Data}, meta)
		switch {
		case errors.Is(err, privacy.ErrErased):
			return nil, nil, h.whoMay(t, m, subject.ErrErased)
		case err != nil:
			return nil, nil, fmt.Errorf("seal %s: %w", raw.Type, err)
		}
	}
	return records, shown, nil
}

// body returns the command as it is kept for back-tests: sealed under the keys
// of everybody whom the aggregate and the events know something personal of,
// else under a key of the tenant's. What cannot be kept is left out.
func (h *Handler) body(ctx context.Context, t task, e *entry, m domain.Meta, events []any) (domain.Personal[string], error) {
	if t.info.NotKept || len(events) == 0 {
		return domain.Personal[string]{}, nil
	}
	people := domain.Subjects(append([]any{e.state}, events...)...)
	if len(people) == 0 {
		people = []string{m.Tenant}
	}
	first := eventstore.Event{ID: eventstore.ID(EventID(t.ID, 0))}
	raw, err := e.contract.Encode(events[0])
	if err != nil {
		return domain.Personal[string]{}, err
	}
	first.Type = raw.Type
	body, err := envelope.CloseBody(ctx, h.Keys, e.stream, m.Tenant, first, people, t.Body)
	if errors.Is(err, envelope.ErrNoBody) || errors.Is(err, privacy.ErrErased) {
		return domain.Personal[string]{}, nil
	}
	return body, err
}

// about is what is stored about the events of t.
func about(ctx context.Context, t task, decided domain.Meta, refused error) envelope.Meta {
	m := envelope.Meta{
		Correlation: t.Correlation, Causation: t.Causation, Tenant: decided.Tenant, Actor: t.Actor,
		Command: t.ID.String(), CommandType: t.Command, At: t.at, BodyMAC: bodyMAC(decided.MAC, t),
		PolicyVersions: t.versions,
	}
	if m.Causation == "" {
		m.Causation = m.Command
	}
	if t.Reason != "" {
		m.Reason = domain.About(t.Actor.ID, t.Reason)
	}
	if t.Source != (envelope.Source{}) {
		m.Source = domain.About(t.Actor.ID, t.Source)
	}
	var rule *domain.Error
	if refused != nil && errors.As(refused, &rule) {
		m.Refused = rule
	}
	if trace.SpanContextFromContext(ctx).IsValid() {
		carrier := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(ctx, carrier)
		m.TraceParent = carrier["traceparent"]
	}
	return m
}

// bodyMAC is what tells a retry from another command under the same key.
func bodyMAC(mac func(purpose, value string) string, t task) string {
	return mac("command", t.Command+"\x00"+string(t.Body))
}

// reserve takes the keys that t must be alone with: all of them, or none.
func (h *Handler) reserve(ctx context.Context, t task, m domain.Meta, refused error) error {
	r, ok := t.cmd.(domain.Reserver)
	if !ok || refused != nil {
		return nil //nolint:nilerr // a refusal that is remembered needs no key
	}
	var taken []domain.Reservation
	for _, want := range r.Reserves(m) {
		got, fresh, err := h.take(ctx, t, m, want)
		var rule *domain.Error
		if errors.As(err, &rule) && rule.Is(reservation.ErrReserved) {
			if err := h.giveBack(ctx, t, m, taken); err != nil {
				return err
			}
			holder, _ := rule.Facts["holder"].(string)
			return h.whoMay(t, m, want.Taken(holder))
		}
		if err != nil {
			return fmt.Errorf("reserve %s: %w", want.Kind, err)
		}
		if fresh {
			taken = append(taken, got)
		}
	}
	return nil
}

// take claims the first of want's keys that nobody else holds, and reports
// whether t did not have it before. If all are taken, it returns the last refusal.
func (h *Handler) take(ctx context.Context, t task, m domain.Meta, want domain.Reservation) (got domain.Reservation, fresh bool, err error) {
	for _, key := range append([]string{want.Key}, want.Else...) {
		got = want
		got.Key = key
		res, refused := h.claim(ctx, t, m, got, "Reserve", reservation.Reserve{Kind: want.Kind, Holder: t.Target, Tenant: m.Tenant})
		var rule *domain.Error
		if err = refused; errors.As(err, &rule) && rule.Is(reservation.ErrReserved) {
			continue
		}
		return got, err == nil && len(res.Events) > 0 && !res.Replayed && !t.DryRun, err
	}
	return got, false, err
}

// giveBack releases what a refused command has just taken, or its key would be
// blocked until the claim runs out.
func (h *Handler) giveBack(ctx context.Context, t task, m domain.Meta, taken []domain.Reservation) error {
	for _, r := range taken {
		if _, err := h.claim(ctx, t, m, r, "ReleaseReservation", reservation.ReleaseReservation{Holder: t.Target}); err != nil {
			return fmt.Errorf("release %s: %w", r.Kind, err)
		}
	}
	return nil
}

// claim sends a command to a reservation. Its ID holds the time of the attempt:
// when the caller sends t again, the key may have gone to somebody else, and
// what an earlier attempt was told counts no more.
func (h *Handler) claim(ctx context.Context, t task, m domain.Meta, r domain.Reservation, name string, cmd any) (Result, error) {
	body, err := json.Marshal(cmd)
	if err != nil {
		return Result{}, err
	}
	target := reservation.ID(r.Kind, r.Scope, r.Key)
	return h.Handle(ctx, Request{
		ID:       uuid.NewSHA1(t.ID, []byte(name+"/"+target+"/"+strconv.FormatInt(t.at.UnixMicro(), 10))),
		Category: reservation.Aggregate.Category(), Target: target, Command: name, Body: body,
		Actor: System, Tenant: m.Tenant, Correlation: t.Correlation, Causation: t.ID.String(), DryRun: t.DryRun,
	})
}

// System is the actor that Konto itself is.
var System = domain.Actor{ID: "konto", Kind: domain.KindSystem}
