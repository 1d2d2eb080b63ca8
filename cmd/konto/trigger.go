package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/stripe/stripe-go/v85/webhook"

	"konto/domain/collection"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/gateway"
	"konto/internal/money"
)

// triggers are what `konto trigger` can make happen: a name, and the type of
// Stripe event that reports it.
var triggers = map[string]string{
	"card.declined": "charge.failed",
	"card.charged":  "charge.succeeded",
	"card.updated":  "payment_method.automatically_updated",
}

// happening says what a triggered event is about.
type happening struct {
	method       string // the gateway's token for the card
	code         string // of a decline
	amount       int64  // in the currency's smallest unit
	currency     string
	invoice      string // Stripe's; each has its attempts counted
	subscription string // Konto's
	eventID      string
}

func (a *app) trigger() *cobra.Command {
	var h happening
	names := make([]string, 0, len(triggers))
	for name := range triggers {
		names = append(names, name)
	}
	slices.Sort(names)
	c := &cobra.Command{
		Use:   "trigger " + strings.Join(names, "|"),
		Short: "Send konto dev a signed webhook, as the payment gateway would",
		Example: `  konto trigger card.declined
  konto trigger card.declined --code expired_card --invoice in_7`,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || triggers[args[0]] == "" {
				near := ""
				if len(args) == 1 {
					near = didYouMean(args[0], names)
				}
				return usage(fmt.Errorf("trigger: want one of %s%s", strings.Join(names, ", "), near))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, ok := money.Code(h.currency); !ok {
				return usage(fmt.Errorf("--currency: %q is not the ISO 4217 code of a currency in use, such as sek", h.currency))
			}
			return a.runTrigger(cmd.Context(), h, args[0])
		},
	}
	f := c.Flags()
	f.StringVar(&h.method, "card", demo.AnnasToken, "the gateway's token for the card")
	f.StringVar(&h.code, "code", "insufficient_funds", "decline code")
	f.Int64Var(&h.amount, "amount", 149_00, "in the currency's smallest unit")
	f.StringVar(&h.currency, "currency", "sek", "ISO 4217 code of the amount's currency")
	f.StringVar(&h.invoice, "invoice", "", "Stripe's invoice ID; default: a new one")
	f.StringVar(&h.subscription, "subscription", demo.Subscription, "ID of the subscription that was to be paid for")
	f.StringVar(&h.eventID, "event", "", "Stripe's event ID; the same one again is taken once; default: a new one")
	_ = c.RegisterFlagCompletionFunc("code", cobra.FixedCompletions(collection.Codes(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// settleTime is how long a trigger waits for what follows from it.
const settleTime = 5 * time.Second

// runTrigger sends the event, waits for what follows from it, and says who was
// told.
func (a *app) runTrigger(ctx context.Context, h happening, name string) error {
	l, err := readLocal(a.devData)
	if err != nil {
		return err
	}
	now, err := l.now() // the signature goes by the real clock, what happened by the test clock
	if err != nil {
		return err
	}
	body, err := h.event(triggers[name], now())
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	before, err := mails(ctx, c, "")
	if err != nil {
		return err
	}
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: l.StripeSecret})
	answer, err := c.Do(ctx, http.MethodPost, "/v1/gateways/stripe", http.Header{"Stripe-Signature": {signed.Header}}, body)
	if err != nil {
		return err
	}
	settled, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	followed := a.slow("sent; waiting for what follows")
	err = c.Settle(settled)
	followed()
	if err != nil {
		return err
	}
	if a.output != "table" {
		return a.printRaw(answer)
	}
	return a.printTriggered(ctx, c, name, answer, len(before))
}

func (a *app) printTriggered(ctx context.Context, c *client.Client, name string, answer []byte, before int) error {
	var receipt gateway.Receipt
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return err
	}
	after, err := mails(ctx, c, "")
	if err != nil {
		return err
	}
	return a.print(nil, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", name, receipt.Outcome, receipt.Event)
		for i := max(len(after)-before, 0) - 1; i >= 0; i-- { // newest first
			m := after[i]
			_, _ = fmt.Fprintf(w, "told\t%s\t%s\tkonto mail %s\n", strings.Join(m.Recipients, ", "), m.Subject, m.ID)
		}
	})
}

// event returns the webhook's body.
func (h happening) event(kind string, now time.Time) ([]byte, error) {
	id := func(given, prefix string) string {
		if given != "" {
			return given
		}
		return prefix + strings.ReplaceAll(uuid.NewString(), "-", "")[:24]
	}
	object := map[string]any{
		"id": id("", "ch_"), "object": "charge", "amount": gateway.ToStripe(h.amount, h.currency), "currency": strings.ToLower(h.currency),
		"created":        now.Unix(),
		"payment_method": h.method, "invoice": id(h.invoice, "in_"),
		"metadata": map[string]string{"konto_subscription": h.subscription},
		"payment_method_details": map[string]any{"card": map[string]any{"checks": map[string]any{
			"address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": "unchecked",
		}}},
	}
	switch kind {
	case "charge.failed":
		object["failure_code"] = "card_declined"
		object["outcome"] = map[string]any{"reason": h.code, "network_status": "declined_by_network"}
	case "payment_method.automatically_updated":
		object = map[string]any{"id": h.method, "object": "payment_method", "card": map[string]any{
			"brand": "visa", "last4": "1881", "exp_month": int(now.Month()), "exp_year": now.Year() + 4,
		}}
	}
	return json.Marshal(map[string]any{
		"id": id(h.eventID, "evt_"), "object": "event", "type": kind, "created": now.Unix(),
		"api_version": "2025-01-27", "data": map[string]any{"object": object},
	})
}
