package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v85"

	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/policy"
	"konto/domain/reservation"
	"konto/eventstore"
	"konto/internal/command"
)

var (
	errUnknownCard   = errors.New("no card has this token")
	errUnknownCharge = errors.New("no invoice has this charge")
	errMalformed     = errors.New("the event's object is not what its type says")
)

// cardAutomaticallyUpdated is what earlier versions of Stripe's API call
// [stripe.EventTypePaymentMethodAutomaticallyUpdated].
const cardAutomaticallyUpdated = "payment_method.card_automatically_updated"

// charge is what Konto reads of a Stripe charge. Fields that moved between
// Stripe's API versions are read in every place they have been.
type charge struct {
	ID            string            `json:"id"`
	Amount        int64             `json:"amount"`
	Currency      string            `json:"currency"`
	Created       int64             `json:"created"`
	FailureCode   string            `json:"failure_code"`
	Invoice       string            `json:"invoice"`
	PaymentIntent string            `json:"payment_intent"`
	PaymentMethod string            `json:"payment_method"`
	Metadata      map[string]string `json:"metadata"`
	Outcome       struct {
		AdviceCode         string `json:"advice_code"`
		NetworkDeclineCode string `json:"network_decline_code"`
		Reason             string `json:"reason"`
	} `json:"outcome"`
	Details struct {
		Card struct {
			Checks struct {
				Line1  string `json:"address_line1_check"`
				Postal string `json:"address_postal_code_check"`
				CVC    string `json:"cvc_check"`
			} `json:"checks"`
		} `json:"card"`
	} `json:"payment_method_details"`
}

// code is the issuer's decline code: "card_declined" only says that there is
// one, in the outcome's reason.
func (c charge) code() string {
	if c.FailureCode == "card_declined" && c.Outcome.Reason != "" {
		return c.Outcome.Reason
	}
	return c.FailureCode
}

// translate returns the command that event asks for, or nil for none.
func (s *Stripe) translate(ctx context.Context, event stripe.Event) (*command.Request, error) {
	switch event.Type {
	case stripe.EventTypeChargeFailed:
		return s.charge(ctx, event, collection.Declined)
	case stripe.EventTypeChargeSucceeded:
		return s.charge(ctx, event, collection.Succeeded)
	case stripe.EventTypeChargeDisputeCreated, stripe.EventTypeChargeDisputeClosed:
		return s.dispute(ctx, event)
	case stripe.EventTypePaymentMethodAutomaticallyUpdated, cardAutomaticallyUpdated:
		return s.update(ctx, event)
	case stripe.EventTypeCustomerSourceExpiring:
		return s.expiring(ctx, event)
	default:
		return nil, nil //nolint:nilnil // most of Stripe's types ask for nothing
	}
}

func (s *Stripe) charge(ctx context.Context, event stripe.Event, outcome string) (*command.Request, error) {
	var c charge
	if err := json.Unmarshal(event.Data.Raw, &c); err != nil || c.ID == "" {
		return nil, errMalformed
	}
	cardID, tenant, err := s.card(ctx, c.PaymentMethod)
	if err != nil {
		return nil, err
	}
	result := collection.RecordChargeResult{
		Outcome: outcome, CardID: cardID, AmountMinor: FromStripe(c.Amount, c.Currency), Currency: strings.ToUpper(c.Currency),
		OccurredAt: time.Unix(c.Created, 0).UTC(), GatewayEventID: event.ID,
		RequestID: c.Metadata["konto_request"], ChargeID: c.ID,
	}
	checks := c.Details.Card.Checks
	result.Checks = collection.Checks{Line1: checks.Line1, Postal: checks.Postal, CVC: checks.CVC}
	if outcome == collection.Declined {
		result.Code, result.NetworkCode, result.AdviceCode = c.code(), c.Outcome.NetworkDeclineCode, c.Outcome.AdviceCode
	}
	invoiceID := invoice(c, tenant)
	if result.SubscriptionID, err = s.subscription(ctx, c, cardID, invoiceID, tenant); err != nil {
		return nil, err
	}
	return s.request(event, collection.Aggregate.Category(), invoiceID, "RecordChargeResult", tenant, result)
}

// dispute translates what became of a chargeback. Stripe names the charge, and
// the charge's reservation the invoice. A dispute that is closed in another
// way than won or lost (an inquiry that came to nothing) has taken nothing.
func (s *Stripe) dispute(ctx context.Context, event stripe.Event) (*command.Request, error) {
	var d struct {
		Charge   string `json:"charge"`
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
		Status   string `json:"status"`
	}
	if err := json.Unmarshal(event.Data.Raw, &d); err != nil || d.Charge == "" {
		return nil, errMalformed
	}
	var invoiceID, tenant string
	err := s.Commands.View(ctx, reservation.Aggregate.Category(), reservation.ID(policy.ChargeKind, "", d.Charge),
		func(state any, _ eventstore.Revision, _ string) {
			r := state.(*reservation.Reservation)
			invoiceID, tenant = r.Holder, r.Tenant
		})
	switch {
	case err != nil:
		return nil, err
	case invoiceID == "":
		return nil, errUnknownCharge
	}
	result := collection.RecordChargeResult{
		Outcome: collection.Disputed, AmountMinor: FromStripe(d.Amount, d.Currency), Currency: strings.ToUpper(d.Currency),
		OccurredAt: time.Unix(event.Created, 0).UTC(), GatewayEventID: event.ID,
	}
	if event.Type == stripe.EventTypeChargeDisputeClosed {
		result.Outcome = collection.DisputeWon
		if d.Status == "lost" {
			result.Outcome = collection.DisputeEnd
		}
	}
	err = s.Commands.View(ctx, collection.Aggregate.Category(), invoiceID, func(state any, _ eventstore.Revision, _ string) {
		i := state.(*collection.Invoice)
		result.SubscriptionID, result.CardID = i.SubscriptionID, i.LastCardID
	})
	if err != nil {
		return nil, err
	}
	return s.request(event, collection.Aggregate.Category(), invoiceID, "RecordChargeResult", tenant, result)
}

// subscription is what the charge's metadata names, or else what earlier
// attempts on the invoice were for, or else the first subscription that the
// card is the primary card of, or else the first that it backs up. Where a
// card pays for several, that may be another one than the invoice's: a decline
// that nobody hears of would be worse.
func (s *Stripe) subscription(ctx context.Context, c charge, cardID, invoiceID, tenant string) (id string, err error) {
	if u, err := uuid.Parse(c.Metadata["konto_subscription"]); err == nil {
		return u.String(), nil
	}
	err = s.Commands.View(ctx, collection.Aggregate.Category(), invoiceID, func(state any, _ eventstore.Revision, owner string) {
		if owner == tenant {
			id = state.(*collection.Invoice).SubscriptionID
		}
	})
	if err != nil || id != "" {
		return id, err
	}
	return s.paidBy(ctx, cardID)
}

// paidBy returns the first subscription that the card is the primary card of,
// or else the first that it backs up, or "".
func (s *Stripe) paidBy(ctx context.Context, cardID string) (string, error) {
	var all []string
	err := s.Commands.View(ctx, card.Aggregate.Category(), cardID, func(state any, _ eventstore.Revision, _ string) {
		all = slices.Clone(state.(*card.Card).Subscriptions)
	})
	if err != nil || len(all) == 0 {
		return "", err
	}
	for _, id := range all {
		primary := false
		err := s.Commands.View(ctx, billing.Aggregate.Category(), id, func(state any, _ eventstore.Revision, _ string) {
			primary = state.(*billing.Subscription).Primary == cardID
		})
		if err != nil || primary {
			return id, err
		}
	}
	return all[0], nil
}

// invoice is the ID of the invoice that the charge is an attempt on: what its
// metadata names, or one that derives from Stripe's.
func invoice(c charge, tenant string) string {
	if u, err := uuid.Parse(c.Metadata["konto_invoice"]); err == nil {
		return u.String()
	}
	key := c.ID
	for _, id := range []string{c.PaymentIntent, c.Invoice} {
		if id != "" {
			key = id
		}
	}
	return uuid.NewSHA1(space, []byte(tenant+"\x00invoice\x00"+key)).String()
}

func (s *Stripe) update(ctx context.Context, event stripe.Event) (*command.Request, error) {
	var method struct {
		ID   string `json:"id"`
		Card struct {
			Brand       string `json:"brand"`
			Last4       string `json:"last4"`
			ExpMonth    int    `json:"exp_month"`
			ExpYear     int    `json:"exp_year"`
			Fingerprint string `json:"fingerprint"`
		} `json:"card"`
	}
	if err := json.Unmarshal(event.Data.Raw, &method); err != nil || method.ID == "" {
		return nil, errMalformed
	}
	cardID, tenant, err := s.card(ctx, method.ID)
	if err != nil {
		return nil, err
	}
	return s.request(event, "card", cardID, "RecordCardAutoUpdate", tenant, card.RecordCardAutoUpdate{
		Brand: method.Card.Brand, Last4: method.Card.Last4,
		ExpMonth: method.Card.ExpMonth, ExpYear: method.Card.ExpYear, Source: "account-updater",
		Fingerprint: method.Card.Fingerprint,
	})
}

// expiring is what Stripe says of a card in its last month.
func (s *Stripe) expiring(ctx context.Context, event stripe.Event) (*command.Request, error) {
	var source struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(event.Data.Raw, &source); err != nil || source.ID == "" {
		return nil, errMalformed
	}
	cardID, tenant, err := s.card(ctx, source.ID)
	if err != nil {
		return nil, err
	}
	return s.request(event, card.Aggregate.Category(), cardID, "RecordCardStatus", tenant,
		card.RecordCardStatus{Status: card.StatusExpiring, Source: provider})
}

// request returns the command with an ID that derives from the event's, so that
// a second delivery is the same command.
func (s *Stripe) request(event stripe.Event, category, target, name, tenant string, cmd any) (*command.Request, error) {
	body, err := json.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	id := uuid.NewSHA1(space, []byte(provider+"\x00"+event.ID))
	return &command.Request{
		ID: id, Category: category, Target: target, Command: name, Body: body,
		Actor: actor, Tenant: tenant, Correlation: id.String(),
	}, nil
}
