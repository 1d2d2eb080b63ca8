package command_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"konto/domain"
	"konto/domain/reservation"
	"konto/domain/webhook"
	"konto/internal/command"
)

const hook = `{"url":"https://hooks.acme.example/konto","events":["*"]}`

// limited returns a handler under a limit of endpoints.
func (w *world) limited(endpoints int) *command.Handler {
	w.Helper()
	return w.tuned(func(c *command.Config) {
		sources := []domain.Source{domain.FromInput(func(string) webhook.Site { return webhook.Site{} })}
		for _, s := range c.Sources {
			if s.Type != webhook.LimitPolicy.Need().Type {
				sources = append(sources, s)
			}
		}
		c.Sources = append(sources, domain.FromInput(func(name string) domain.Terms[webhook.LimitTerms] {
			return domain.Terms[webhook.LimitTerms]{Name: name, Versions: []domain.Version[webhook.LimitTerms]{
				{Number: 2, Rules: webhook.LimitTerms{Endpoints: endpoints}},
			}}
		}))
	})
}

func TestN22AnOrganizationHasALimitedNumberOfEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.limited(2)
	register := func(by domain.Actor, n int) error {
		_, err := w.send(h, by, "webhook", id(6, n), "RegisterWebhookEndpoint", hook)
		return err
	}
	for n := 1; n <= 2; n++ {
		if err := register(alice, n); err != nil {
			t.Fatalf("N22: endpoint %d: %v", n, err)
		}
	}
	before := w.head()
	err := register(alice, 3)
	if rule, ok := errors.AsType[*domain.Error](err); !ok || !rule.Is(webhook.ErrTooMany) || rule.Facts["limit"] != 2 {
		t.Fatalf("N22: a third: %v, want %v", err, webhook.ErrTooMany)
	}
	if w.head() != before {
		t.Error("N22: a refused endpoint left something behind")
	}
	if err := register(bob, 4); err != nil {
		t.Errorf("N22: another organization's first: %v", err)
	}
	dry := w.request(alice, "webhook", id(6, 3), "RegisterWebhookEndpoint", hook)
	dry.DryRun = true
	if _, err := h.Handle(t.Context(), dry); !errors.Is(err, webhook.ErrTooMany) {
		t.Errorf("N9: dry run of a third: %v, want %v", err, webhook.ErrTooMany)
	}
	// What the process does when one is removed.
	w.must(h, alice, "webhook", id(6, 1), "RemoveWebhookEndpoint", `{}`)
	req := w.request(command.System, "resv", reservation.ID(webhook.Places, acme, "1"), "ReleaseReservation", fmt.Sprintf(`{"holder":%q}`, id(6, 1)))
	req.Tenant = acme
	w.handled(h, req)
	if err := register(alice, 3); err != nil {
		t.Errorf("N22: one in the place of a removed one: %v", err)
	}
	if err := register(alice, 5); !errors.Is(err, webhook.ErrTooMany) {
		t.Errorf("N22: and one more: %v, want %v", err, webhook.ErrTooMany)
	}
	// A higher limit makes room, a lower one ends nothing.
	h = w.limited(3)
	if err := register(alice, 5); err != nil {
		t.Errorf("N22: under a higher limit: %v", err)
	}
	h = w.limited(1)
	w.must(h, alice, "webhook", id(6, 5), "RotateWebhookSecret", `{}`)
	if err := register(alice, 6); !errors.Is(err, webhook.ErrTooMany) {
		t.Errorf("N22: under a lower limit: %v, want %v", err, webhook.ErrTooMany)
	}
}

func TestN22TheLastPlaceGoesToOne(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		const most, all = 3, 8
		h := w.limited(most)
		var group sync.WaitGroup
		var made, refused atomic.Int64
		for n := range all {
			req := w.request(alice, "webhook", id(6, n+1), "RegisterWebhookEndpoint", hook)
			group.Go(func() {
				switch _, err := h.Handle(w.Context(), req); {
				case err == nil:
					made.Add(1)
				case errors.Is(err, webhook.ErrTooMany):
					refused.Add(1)
				default:
					w.Errorf("N22: %v", err)
				}
			})
		}
		group.Wait()
		if made.Load() != most || refused.Load() != all-most {
			w.Errorf("N22: %d endpoints and %d refusals, want %d and %d", made.Load(), refused.Load(), most, all-most)
		}
	})
}
