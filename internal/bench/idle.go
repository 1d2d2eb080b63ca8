package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"konto/internal/client"
	"konto/internal/mailbox"
)

// IdleReport is about a system with nothing else to do.
type IdleReport struct {
	// Start is how long an empty system takes until requests are served, and
	// Ready until read models and reactor are at work.
	StartMS float64 `json:"startMs"`
	Command Spread  `json:"commandMs"` // sent until answered
	// Visible is from a command's answer to the answer of a query with
	// after=POSITION.
	Visible Spread `json:"visibleMs"`
	// Mail is from sending the gateway's webhook of a decline to the mail
	// server having the alert: the recording of the decline is part of it.
	Mail Spread `json:"declineToMailMs"`
}

// How often each is tried, and how long the system rests before.
const (
	idleCommands = 200
	idleDeclines = 50
	idleRest     = 10 * time.Millisecond
)

func (b *bench) idle(ctx context.Context, dir string) (_ *IdleReport, err error) {
	b.step("idle: %d commands and queries, one at a time", idleCommands)
	log, closeLog, err := logTo(dir)
	if err != nil {
		return nil, err
	}
	defer closeLog()
	began := b.Now()
	empty, err := b.open(ctx, filepath.Join(dir, "empty"), 0, true, log)
	if err != nil {
		return nil, err
	}
	r := &IdleReport{StartMS: millis(b.Now().Sub(began))}
	if err := empty.close(); err != nil {
		return nil, err
	}
	w, err := b.open(ctx, filepath.Join(dir, "idle"), perTenant, true, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.addCard(ctx); err != nil {
		return nil, err
	}
	if _, err := w.drain(ctx); err != nil {
		return nil, err
	}
	if err := w.visible(ctx, r); err != nil {
		return nil, err
	}
	b.step("idle: %d declined charges, until the mail is out", idleDeclines)
	return r, w.declines(ctx, r)
}

// visible sends commands and asks for what they wrote.
func (w *world) visible(ctx context.Context, r *IdleReport) error {
	var commands, queries []time.Duration
	for i := range idleCommands {
		if !pause(ctx, idleRest) {
			return ctx.Err()
		}
		a := w.accounts[i%len(w.accounts)]
		name, seen := fmt.Sprintf("Anna Lindqvist %d", a.changes), int64(a.changes)
		began := w.bench.Now()
		accepted, err := a.org.client.Send(ctx, client.Command{
			Collection: "admins", ID: a.id, Name: "ChangeDisplayName", Body: map[string]string{"displayName": name}, IfMatch: &seen,
		})
		if err != nil {
			return err
		}
		a.changes++
		answered := w.bench.Now()
		var found struct {
			DisplayName string `json:"displayName"`
		}
		err = a.org.client.Get(ctx, "/v1/admins/"+a.id+"?after="+url.QueryEscape(accepted.Position), &found)
		if err != nil {
			return err
		}
		if found.DisplayName != name {
			return fmt.Errorf("the query after %s says %q, not %q", accepted.Position, found.DisplayName, name)
		}
		commands, queries = append(commands, answered.Sub(began)), append(queries, w.bench.Now().Sub(answered))
	}
	r.Command, r.Visible = spread(commands), spread(queries)
	return nil
}

// declines reports declined charges as the gateway does and waits for the mails.
func (w *world) declines(ctx context.Context, r *IdleReport) error {
	var took []time.Duration
	for i := range idleDeclines {
		if !pause(ctx, idleRest) {
			return ctx.Err()
		}
		d, err := w.decline(ctx, i)
		if err != nil {
			return fmt.Errorf("decline %d: %w", i, err)
		}
		took = append(took, d)
	}
	r.Mail = spread(took)
	return nil
}

// mailLimit bounds the wait for a mail.
const mailLimit = 10 * time.Second

func (w *world) decline(ctx context.Context, i int) (time.Duration, error) {
	body, err := w.declined(i)
	if err != nil {
		return 0, err
	}
	last := 0
	for _, m := range w.Mailbox().Messages("") {
		if n, err := strconv.Atoi(m.ID); err == nil {
			last = max(last, n)
		}
	}
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: webhookSecret, Timestamp: w.bench.Now()})
	gateway := &client.Client{Base: w.URL(), HTTP: w.http}
	began := w.bench.Now()
	answer, err := gateway.Do(ctx, http.MethodPost, "/v1/gateways/stripe", http.Header{"Stripe-Signature": {signed.Header}}, body)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	m, err := w.Mailbox().Wait(ctx, func(m mailbox.Message) bool {
		n, err := strconv.Atoi(m.ID)
		return err == nil && n > last && m.Template == "card_declined"
	})
	if err != nil {
		return 0, fmt.Errorf("the gateway was told %s: %w", bytes.TrimSpace(answer), err)
	}
	return m.ReceivedAt.Sub(began), nil
}

// declined is the webhook's body: a declined charge on a new invoice.
func (w *world) declined(i int) ([]byte, error) {
	name := func(prefix string) string { return fmt.Sprintf("%s_bench%08d", prefix, i) }
	now := w.bench.Now().Unix()
	return json.Marshal(map[string]any{
		"id": name("evt"), "object": "event", "type": "charge.failed", "created": now, "api_version": "2025-01-27",
		"data": map[string]any{"object": map[string]any{
			"id": name("ch"), "object": "charge", "amount": 14_900, "currency": "sek", "created": now,
			"payment_method": gatewayToken, "invoice": name("in"), "failure_code": "card_declined",
			"outcome": map[string]any{"reason": "insufficient_funds"},
		}},
	})
}
