// Package gateway is the inlet for payment gateways: it verifies that a call
// is the gateway's, and turns what it reports into commands, once for each of
// the gateway's events however often it is delivered.
//
// The card that a charge was made on is found by its token's reservation, so
// it is found as soon as the card exists, and across tenants: the gateway does
// not say which tenant a charge is for, and is not asked to.
//
// # How Konto has a card charged
//
// It does not call the gateway. A due attempt waits in GET /v1/due-charges,
// which a token of kind "gateway" may read for its tenant. Whoever holds the
// gateway's key charges the token named there before the time named there,
// with the request's ID as the idempotency key (safe to repeat) and as the
// metadata konto_request, and the invoice's as konto_invoice. The webhook for
// that charge is the answer, and takes the request off the list. The gateway's
// own retries must be off.
//
// Every verified event leaves a trace in the store, also one that Konto has no
// use for. A call that is not verified leaves a log line and a count and
// nothing else, or anybody could fill the store.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"konto/domain"
	"konto/domain/inlet"
	"konto/domain/reservation"
	"konto/eventstore"
	"konto/internal/command"
)

// Commands carries commands out; [command.Handler] is one.
type Commands interface {
	Handle(ctx context.Context, req command.Request) (command.Result, error)
	View(ctx context.Context, category, id string, see func(state any, at eventstore.Revision, tenant string)) error
}

// Stripe takes webhooks from Stripe. It is an [http.Handler], safe for
// concurrent use.
type Stripe struct {
	Commands Commands
	// Secrets are the endpoint's signing secrets; two while one is rotated out.
	Secrets []string
	NewID   func() uuid.UUID
	Log     zerolog.Logger
	// Observe is told of every call that ended; nil for nobody.
	Observe func(eventType, outcome string)
	// Problem writes err as the API's problems are written.
	Problem func(w http.ResponseWriter, r *http.Request, status int, code, detail string)
}

const (
	provider = "stripe"
	maxBody  = 1 << 20 // bytes; Stripe's events are far smaller
)

// Tenant owns the traces of gateway events: no customer, but Konto's operator.
const Tenant = "00000000-0000-0000-0000-000000000000"

// space is the namespace of IDs that derive from a gateway's.
var space = uuid.MustParse("3f0b9a52-8a3c-5d4f-9e21-6b1f7a4c2d90")

// actor is who a command from Stripe is from.
var actor = domain.Actor{ID: provider, Kind: domain.KindGateway}

// Receipt is the answer to a verified event.
type Receipt struct {
	Event   string `json:"event" doc:"the gateway's ID of the event"`
	Outcome string `json:"outcome" doc:"carried-out, nothing, ignored, unknown-card, unknown-charge, malformed, or refused: CODE"`
}

// ServeHTTP implements [http.Handler]. A 5xx makes Stripe deliver the event
// again; everything that will not change by delivering it again is a 2xx or 4xx.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.refuse(w, r, http.StatusRequestEntityTooLarge, "body-too-large", "an event has at most 1 MiB")
		return
	}
	event, err := s.verify(body, r.Header.Get("Stripe-Signature"))
	switch {
	case errors.Is(err, webhook.ErrTooOld):
		s.refuse(w, r, http.StatusBadRequest, "timestamp-too-old", "the signature's timestamp is more than five minutes old")
		return
	case errors.Is(err, webhook.ErrNotSigned), errors.Is(err, webhook.ErrInvalidHeader), errors.Is(err, webhook.ErrNoValidSignature):
		s.refuse(w, r, http.StatusBadRequest, "signature-invalid", "the Stripe-Signature header does not sign this body")
		return
	case err != nil || event.ID == "" || event.Data == nil:
		s.refuse(w, r, http.StatusBadRequest, "malformed-event", "the body is signed, but it is no Stripe event")
		return
	}
	receipt, err := s.take(r.Context(), event)
	s.report(event, receipt, err)
	if err != nil {
		s.Problem(w, r, http.StatusServiceUnavailable, "store-unavailable", "the event could not be recorded; deliver it again")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(receipt) // the gateway has gone if this fails
}

// verify checks the signature over the raw body with each secret. The
// tolerance is the library's: five minutes.
func (s *Stripe) verify(body []byte, signature string) (stripe.Event, error) {
	err := webhook.ErrNoValidSignature
	for _, secret := range s.Secrets {
		var event stripe.Event
		event, err = webhook.ConstructEventWithOptions(body, signature, secret, webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
		if !errors.Is(err, webhook.ErrNoValidSignature) {
			return event, err
		}
	}
	return stripe.Event{}, err
}

// take carries out what event asks for and records that it came.
func (s *Stripe) take(ctx context.Context, event stripe.Event) (Receipt, error) {
	receipt := Receipt{Event: event.ID, Outcome: "ignored"}
	req, err := s.translate(ctx, event)
	var rule *domain.Error
	switch {
	case errors.Is(err, errUnknownCard):
		receipt.Outcome = "unknown-card"
	case errors.Is(err, errUnknownCharge):
		receipt.Outcome = "unknown-charge"
	case errors.Is(err, errMalformed):
		receipt.Outcome = "malformed"
	case err != nil:
		return receipt, err
	case req != nil:
		res, err := s.Commands.Handle(ctx, *req)
		switch {
		case errors.As(err, &rule):
			receipt.Outcome = "refused: " + rule.Code
		case err != nil:
			return receipt, err
		case len(res.Events) == 0:
			receipt.Outcome = "nothing"
		default:
			receipt.Outcome = "carried-out"
		}
	}
	return receipt, s.trace(ctx, event, receipt, req)
}

func (s *Stripe) trace(ctx context.Context, event stripe.Event, receipt Receipt, req *command.Request) error {
	record := inlet.RecordGatewayEvent{Provider: provider, GatewayEventID: event.ID, Type: string(event.Type), Outcome: receipt.Outcome}
	correlation := s.NewID().String()
	if req != nil {
		record.Tenant, record.Commands, correlation = req.Tenant, []string{req.ID.String()}, req.Correlation
	}
	body, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("trace %s: %w", event.ID, err)
	}
	_, err = s.Commands.Handle(ctx, command.Request{
		ID: s.NewID(), Category: inlet.Aggregate.Category(), Target: inlet.ID(provider, event.ID),
		Command: "RecordGatewayEvent", Body: body, Actor: actor, Tenant: Tenant, Correlation: correlation,
	})
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return nil // recorded before, with the outcome it had then
	}
	return err
}

// card returns the card that holds a token, and the tenant that owns it.
func (s *Stripe) card(ctx context.Context, token string) (id, tenant string, err error) {
	if token == "" {
		return "", "", errUnknownCard
	}
	err = s.Commands.View(ctx, reservation.Aggregate.Category(), reservation.ID("card-token", "", token),
		func(state any, _ eventstore.Revision, _ string) {
			r := state.(*reservation.Reservation)
			id, tenant = r.Holder, r.Tenant
		})
	if err == nil && id == "" {
		err = errUnknownCard
	}
	return id, tenant, err
}

func (s *Stripe) refuse(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	s.Log.Warn().Str("provider", provider).Str("code", code).Msg("gateway call refused")
	if s.Observe != nil {
		s.Observe("", code)
	}
	s.Problem(w, r, status, code, detail)
}

func (s *Stripe) report(event stripe.Event, receipt Receipt, err error) {
	outcome, level := receipt.Outcome, zerolog.InfoLevel
	if err != nil {
		outcome, level = "failed", zerolog.WarnLevel
	}
	s.Log.WithLevel(level).AnErr(zerolog.ErrorFieldName, err).Str("provider", provider).Str("gateway_event", event.ID).Str("type", string(event.Type)).
		Str("outcome", outcome).Msg("gateway event")
	if s.Observe != nil {
		s.Observe(string(event.Type), outcome)
	}
}
