package system

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"konto/domain"
	"konto/domain/delivery"
	"konto/domain/notification"
	"konto/domain/subject"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/notify"
	"konto/internal/obs"
	"konto/internal/privacy"
	"konto/internal/reactor"
)

// effects carries out what reactions ask for.
type effects struct {
	commands *command.Handler
	notifier *notify.Notifier
	keys     *privacy.Keys
	tracer   trace.Tracer
	// await blocks while the event store is away: an effect that failed because
	// of that would be left alone for long.
	await func(context.Context) error
	hooks hooks
}

// dispatch sends the command of an effect. Its ID is the effect's, so that a
// second try is the same command.
func (e effects) dispatch(ctx context.Context, j reactor.Job) error {
	if err := e.await(ctx); err != nil {
		return err
	}
	if j.Dispatch.Category == subject.Aggregate.Category() && j.Dispatch.Command == "CertifyErasure" {
		if err := e.shred(ctx, &j); err != nil {
			return err
		}
	}
	if j.Dispatch.Category == delivery.Aggregate.Category() && j.Dispatch.Command == "RecordAttempt" {
		if err := e.hooks.call(ctx, &j); err != nil {
			return err
		}
	}
	_, err := e.commands.Handle(ctx, command.Request{
		ID: j.ID, Category: j.Dispatch.Category, Target: j.Dispatch.To, Command: j.Dispatch.Command, Body: j.Dispatch.Data,
		Actor: command.System, Tenant: cmp.Or(j.Dispatch.Tenant, j.Tenant), Correlation: j.Correlation, Causation: j.Causation,
	})
	if rule, ok := errors.AsType[*domain.Error](err); ok {
		return reactor.Permanent(rule.Code, err)
	}
	return err
}

// shred destroys the keys of the person whose erasure was decided, and writes
// into the command what there is to show for it. It can be repeated: the
// answer is the same, and so is the command.
func (e effects) shred(ctx context.Context, j *reactor.Job) error {
	gone, err := e.keys.Destroy(ctx, j.Tenant, j.Dispatch.To)
	if err != nil {
		return err
	}
	e.commands.Forget()
	evidence := subject.CertifyErasure{Keys: len(gone.Versions)}
	if evidence.Keys > 0 {
		evidence.Digest = hex.EncodeToString(gone.Digest[:])
	}
	d := *j.Dispatch
	if d.Data, err = json.Marshal(evidence); err != nil {
		return fmt.Errorf("certify erasure: %w", err)
	}
	j.Dispatch = &d
	return nil
}

func (e effects) notify(ctx context.Context, j reactor.Job) error {
	ctx, span := e.tracer.Start(ctx, "notify "+string(j.Notice.Channel), trace.WithAttributes(
		attribute.String("konto.correlation_id", j.Correlation), attribute.String("konto.template", j.Notice.Template)))
	defer span.End()
	if err := e.await(ctx); err != nil {
		return err
	}
	// The notifier hashes with the tenant's keys and cannot say that they are missing.
	if _, err := e.keys.Tenant(ctx, j.Notice.Tenant); err != nil {
		return err
	}
	return e.notifier.Deliver(ctx, notify.Message{
		ID: j.ID.String(), Tenant: j.Notice.Tenant, Cause: j.Causation, Correlation: j.Correlation,
		To: j.Notice.To, Address: j.Notice.Address, Without: j.Notice.Without, Channel: j.Notice.Channel,
		Template: j.Notice.Template, Data: j.Notice.Data, Besides: j.Notice.Besides, Attempt: j.Attempt,
	})
}

// outcomes records what became of messages, each in a stream of its own.
type outcomes struct {
	commands *command.Handler
	metrics  *obs.Metrics
}

// Outcome implements [notify.Recorder].
func (o outcomes) Outcome(ctx context.Context, _, messageID string) (found bool, err error) {
	err = o.commands.View(ctx, notification.Aggregate.Category(), messageID, func(_ any, at eventstore.Revision, _ string) {
		found = at >= 0
	})
	return found, err
}

// Record implements [notify.Recorder].
func (o outcomes) Record(ctx context.Context, m notify.Message, out notify.Outcome) error {
	record := notification.RecordNotification{
		Outcome: notification.Outcome(out.Kind),
		Message: notification.Message{
			Template: out.Template, TemplateVersion: out.TemplateVersion, Locale: out.Locale,
			Channel: out.Channel, Person: out.Person, CauseEventID: out.Cause,
		},
		RecipientDigests: out.RecipientDigests, TextHash: out.TextHash, MessageID: out.MessageID, Attempts: out.Attempts,
	}
	switch out.Kind {
	case notify.Failed:
		record.Reason = out.Reason
	case notify.Suppressed:
		record.Why = out.Reason
	case notify.Sent:
	}
	body, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("outcome of %s: %w", m.ID, err)
	}
	id, err := uuid.Parse(m.ID)
	if err != nil {
		return fmt.Errorf("outcome of %s: %w", m.ID, err)
	}
	_, err = o.commands.Handle(ctx, command.Request{
		ID: uuid.NewSHA1(id, []byte("outcome")), Category: notification.Aggregate.Category(), Target: m.ID,
		Command: "RecordNotification", Body: body, Actor: command.System, Tenant: m.Tenant,
		Correlation: m.Correlation, Causation: m.Cause,
	})
	var rule *domain.Error
	if errors.As(err, &rule) && rule.Is(notification.ErrRecorded) {
		return nil // another outcome was first, and stays
	}
	if err == nil {
		o.metrics.Notification(out.Template, out.Locale, string(out.Channel), string(out.Kind))
	}
	return err
}
