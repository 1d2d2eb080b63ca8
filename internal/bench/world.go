package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/tenant"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/identity"
	"konto/internal/system"
)

// StartSystem starts a whole system; see [system.Start].
type StartSystem func(ctx context.Context, cfg system.Config) (*system.System, error)

const (
	// perTenant is how many accounts a tenant has.
	perTenant = 32
	// seeders is how many commands make the world at the same time.
	seeders = 32

	webhookSecret = "whsec_bench" //nolint:gosec // signs for a system that lives for seconds
	tokenLife     = time.Hour
)

// world is a running system with organizations in it.
type world struct {
	*system.System
	bench    *bench
	http     *http.Client
	operator *client.Client
	tenants  []org
	accounts []*account
}

// org is an organization whose global admin sends the commands.
type org struct {
	id, admin, token string
	client           *client.Client
}

// account is an account that commands go to. One caller at a time has it.
type account struct {
	id      string
	org     *org
	changes int // carried out since it was made: its revision
}

// id returns the nth ID of a kind. They look like what callers make up.
func id(kind, n int) string { return fmt.Sprintf("01940000-%04x-7000-8000-%012x", kind, n) }

// open starts a system in dir and makes accounts in it.
func (b *bench) open(ctx context.Context, dir string, accounts int, readSide bool, log zerolog.Logger) (_ *world, err error) {
	s, err := b.Start(ctx, system.Config{
		Data: dir, Addr: "127.0.0.1:0", Dev: true, WriteOnly: !readSide, Now: b.Now, Log: log,
		Stripe: system.Stripe{Secrets: []string{webhookSecret}},
	})
	if err != nil {
		return nil, err
	}
	w := &world{System: s, bench: b, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: seeders}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	for _, p := range demo.People() {
		if p.Name == "operator" {
			if w.operator, _, err = w.as(identity.Person{ID: p.ID, Tenant: p.Tenant, Roles: p.Roles}); err != nil {
				return nil, err
			}
		}
	}
	return w, w.populate(ctx, accounts)
}

// stopLimit bounds the stop of a system.
const stopLimit = 20 * time.Second

func (w *world) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	w.http.CloseIdleConnections()
	return w.Stop(ctx)
}

func (w *world) as(p identity.Person) (*client.Client, string, error) {
	token, err := w.Issuer().Mint(p, tokenLife)
	return &client.Client{Base: w.URL(), Token: token, HTTP: w.http}, token, err
}

func (w *world) addr() string { return strings.TrimPrefix(w.URL(), "http://") }

// populate makes the organizations, each with its admin, and then the accounts.
func (w *world) populate(ctx context.Context, accounts int) error {
	n := (accounts + perTenant - 1) / perTenant
	w.tenants = make([]org, n)
	if err := each(ctx, n, func(ctx context.Context, i int) error { return w.organize(ctx, &w.tenants[i], i) }); err != nil {
		return err
	}
	w.accounts = make([]*account, accounts)
	return each(ctx, accounts, func(ctx context.Context, i int) error {
		a := &account{id: id(3, i), org: &w.tenants[i%n]}
		w.accounts[i] = a
		_, err := a.org.client.Send(ctx, client.Command{
			Collection: "admins", ID: a.id, Name: "AddEmployee",
			Body: admin.AddEmployee{SignInName: fmt.Sprintf("p%d@o%d.example", i, i%n), DisplayName: "Anna Lindqvist", Locale: "sv-SE"},
		})
		return err
	})
}

func (w *world) organize(ctx context.Context, o *org, i int) (err error) {
	*o = org{id: id(1, i), admin: id(2, i)}
	o.client, o.token, err = w.as(identity.Person{ID: o.admin, Tenant: o.id, Roles: []domain.Role{domain.GlobalAdmin}})
	if err != nil {
		return err
	}
	_, err = w.operator.Send(ctx, client.Command{Collection: "tenants", ID: o.id, Name: "RegisterTenant", Body: tenant.RegisterTenant{
		Name: fmt.Sprintf("Organisation %d AB", i), Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: fmt.Sprintf("o%d.example", i),
	}})
	if err != nil {
		return err
	}
	_, err = o.client.Send(ctx, client.Command{Collection: "admins", ID: o.admin, Name: "AddEmployee", Body: admin.AddEmployee{
		SignInName: fmt.Sprintf("boss@o%d.example", i), DisplayName: "Bo Friis", Locale: "sv-SE", Roles: []domain.Role{domain.GlobalAdmin},
	}})
	return err
}

// gatewayToken names the card that declines are about.
const gatewayToken = "pm_bench"

// addCard gives the first organization a card that pays for something.
func (w *world) addCard(ctx context.Context) error {
	c, cardID := w.tenants[0].client, id(4, 0)
	_, err := c.Send(ctx, client.Command{Collection: "cards", ID: cardID, Name: "AddCard", Body: card.AddCard{
		GatewayToken: gatewayToken, Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: w.bench.Now().Year() + 3,
		Funding: "credit", IssuerCountry: "SE", Fingerprint: "bench", HolderName: "Bo Friis",
		BillTo: card.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"},
	}})
	if err != nil {
		return err
	}
	_, err = c.Send(ctx, client.Command{
		Collection: "subscriptions", ID: id(5, 0), Name: "RegisterSubscription",
		Body: billing.RegisterSubscription{Product: "Business Standard", CardID: cardID},
	})
	return err
}

// each calls do for 0 to n-1, some at the same time, until one fails.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for range seeders {
		group.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}
