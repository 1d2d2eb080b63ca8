package past

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/mailbox"
	"konto/internal/simulate"
	"konto/internal/system"
)

const (
	// codeTime is how long a one-time code may take to arrive.
	codeTime = 10 * time.Second
	// demoTime is how long the demo company may take.
	demoTime = 30 * time.Second
	// tokenLife is how long a person's token lasts, on the clock that is moved.
	tokenLife = time.Hour
)

// codes finds a one-time code in a message.
var codes = regexp.MustCompile(`\b\d{6}\b`)

// Place is a Konto in development, by its URL, to be lived in: with everything
// but the clock. The secret signs what the gateway says; token returns a
// person's.
func Place(base, secret string, token func(demo.Person) (string, error)) simulate.Place {
	open := &client.Client{Base: base}
	return simulate.Place{
		As: func(_ context.Context, p simulate.Person) (*client.Client, error) {
			t, err := token(demo.Person{ID: p.ID, Tenant: p.Tenant, Roles: p.Roles, Kind: p.Kind})
			return &client.Client{Base: base, Token: t}, err
		},
		Webhook: func(ctx context.Context, event []byte) error {
			signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: event, Secret: secret})
			_, err := open.Do(ctx, http.MethodPost, "/v1/gateways/stripe", http.Header{"Stripe-Signature": {signed.Header}}, event)
			return err
		},
		Code: func(ctx context.Context, recipient string) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, codeTime)
			defer cancel()
			if err := open.Settle(ctx); err != nil {
				return "", err
			}
			var box struct {
				Messages []mailbox.Message `json:"messages"` // the newest first
			}
			if err := open.Get(ctx, "/-/mail.json?to="+url.QueryEscape(recipient), &box); err != nil {
				return "", err
			}
			for _, m := range box.Messages {
				if code := codes.FindString(m.Text); code != "" {
					return code, nil
				}
			}
			return "", simulate.ErrNoCode
		},
	}
}

// Demo makes the demo company in a Konto in development, or what is missing of it.
func Demo(ctx context.Context, s *system.System) error {
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	return demo.World{
		As: func(p demo.Person) (*client.Client, error) {
			token, err := s.Issuer().Mint(p.Identity(), time.Minute)
			return &client.Client{Base: s.URL(), Token: token}, err
		},
		Code: func(ctx context.Context, recipient string) (string, error) {
			m, err := s.Mailbox().Wait(ctx, func(m mailbox.Message) bool {
				return m.Template == "contact_code" && strings.HasPrefix(strings.Join(m.Recipients, " "), recipient)
			})
			return codes.FindString(m.Text), err
		},
	}.Make(ctx)
}
