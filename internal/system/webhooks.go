package system

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"konto/domain/delivery"
	"konto/domain/webhook"
	"konto/eventstore"
	"konto/internal/callout"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/obs"
	"konto/internal/privacy"
	"konto/internal/reactor"
)

// hooks makes the calls that deliveries ask for (rule P11).
type hooks struct {
	commands *command.Handler
	keys     *privacy.Keys
	caller   *callout.Caller
	metrics  *obs.Metrics
	base     string // what addresses of this system begin with
}

// notice is the body of a call: that something happened, and where to read it.
// It says nothing of what it is about, so that whoever overhears it, or was
// given an address by mistake, learns nothing that their token does not open.
type notice struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"` // the webhook-id
	At          time.Time `json:"at"`
	ResourceURI string    `json:"resourceUri"`
	AuditURI    string    `json:"auditUri"`
}

// call makes the call that an attempt is about, and writes into the command how
// it went. An attempt that was made already, or that nobody waits for any more,
// is no call. After a crash between the call and its record it is made again,
// with the same webhook-id.
func (h hooks) call(ctx context.Context, j *reactor.Job) error {
	var attempt delivery.RecordAttempt
	if err := json.Unmarshal(j.Dispatch.Data, &attempt); err != nil {
		return reactor.Permanent("malformed", err)
	}
	var told delivery.Delivery
	var owner string
	err := h.commands.View(ctx, j.Dispatch.Category, j.Dispatch.To, func(state any, _ eventstore.Revision, tenant string) {
		told, owner = *state.(*delivery.Delivery), tenant
	})
	if err != nil || !told.Due(attempt.Round, attempt.Attempt) {
		return err
	}
	r, err := h.attempt(ctx, j.Dispatch.To, owner, told)
	if err != nil {
		return err
	}
	attempt.Outcome, attempt.Status, attempt.CalledAt, attempt.TookMS = r.Outcome, r.Status, r.At, r.Took.Milliseconds()
	attempt.RetryAfterSeconds = int64((r.RetryAfter + time.Second - 1) / time.Second)
	d := *j.Dispatch
	if d.Data, err = json.Marshal(attempt); err != nil {
		return fmt.Errorf("record attempt: %w", err)
	}
	j.Dispatch = &d
	h.metrics.Webhook(string(r.Outcome))
	return nil
}

func (h hooks) attempt(ctx context.Context, id, owner string, told delivery.Delivery) (callout.Result, error) {
	var to webhook.Endpoint
	err := h.commands.View(ctx, webhook.Aggregate.Category(), told.EndpointID, func(state any, _ eventstore.Revision, tenant string) {
		if tenant == owner {
			to = *state.(*webhook.Endpoint)
		}
	})
	if err != nil {
		return callout.Result{}, err
	}
	now := h.commands.Now()
	if !to.Active() {
		return callout.Result{Outcome: delivery.Inactive, At: now}, nil
	}
	m := callout.Message{URL: to.URL, ID: id}
	for _, secret := range to.Secrets(now) {
		s, err := callout.Secret(ctx, h.keys, owner, told.EndpointID, secret)
		if err != nil {
			return callout.Result{}, err
		}
		m.Secrets = append(m.Secrets, s)
	}
	if m.Body, err = json.Marshal(h.notice(id, told.Message)); err != nil {
		return callout.Result{}, err
	}
	return h.caller.Call(ctx, m)
}

func (h hooks) notice(id string, m delivery.Message) notice {
	return notice{
		Type: m.Type, ID: id, At: m.At, ResourceURI: h.base + ResourcePath(m.Stream),
		AuditURI: fmt.Sprintf("%s/v1/accounts/%s/history?from=%d&limit=1", h.base, m.Stream, m.Revision),
	}
}

// ResourcePath is where an account is read: its resource of the API if it has
// one, and its state otherwise. It needs the token of whoever follows it.
func ResourcePath(stream string) string {
	category, id, _ := envelope.Split(stream)
	pattern, ok := map[string]string{
		"org": "/v1/organizations/{id}", "admin": "/v1/admins/{id}", "secinfo": "/v1/security-info/{id}",
		"card": "/v1/cards/{id}", "billing": "/v1/subscriptions/{id}", "collection": "/v1/invoices/{id}/collection",
		"invswitch": "/v1/invoice-switch-cases/{id}", "customer": "/v1/customers/{id}",
	}[category]
	if !ok {
		return "/v1/accounts/" + stream + "/state"
	}
	return strings.ReplaceAll(pattern, "{id}", id)
}
