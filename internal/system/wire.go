package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"konto/domain"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/callout"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/gateway"
	"konto/internal/httpapi"
	"konto/internal/identity"
	"konto/internal/mailbox"
	"konto/internal/notify"
	"konto/internal/obs"
	"konto/internal/privacy"
	"konto/internal/projector"
	"konto/internal/reactor"
	"konto/internal/relay"
	"konto/internal/undo"
	"konto/projections"
)

// issuerPath is where the issuer of development is served.
const issuerPath = "/dev/issuer"

// mailPath is where the mailbox of development is served.
const mailPath = "/-/mail"

func (s *System) component(name string) zerolog.Logger {
	return s.cfg.Log.With().Str("component", name).Logger()
}

func (s *System) startMailbox(ctx context.Context) error {
	if !s.cfg.Dev {
		return nil
	}
	box, err := mailbox.Start(ctx, mailbox.Config{Base: mailPath, Now: s.cfg.Now})
	if err != nil {
		return err
	}
	s.mailbox = box
	s.cfg.Mail = Mail{
		Addr: box.Addr(), TLS: string(notify.NoTLS), From: "Konto <konto@konto.localhost>",
		SMSDomain: "sms.konto.localhost", VoiceDomain: "voice.konto.localhost",
	}
	s.atStop("mailbox", func(context.Context) error { return box.Close() })
	return nil
}

func (s *System) openIdentity(context.Context) error {
	id := &s.cfg.Identity
	if s.cfg.Dev {
		issuer, err := identity.OpenIssuer(identity.IssuerConfig{
			URL: s.URL() + issuerPath, Audience: id.Audience, Now: s.cfg.Now,
			KeyFile: filepath.Join(s.cfg.Data, "issuer.key"),
		})
		if err != nil {
			return err
		}
		s.issuer = issuer
		*id = Identity{Issuer: s.URL() + issuerPath, Audience: id.Audience}
	}
	recovery, err := identity.OpenRecoverySigner(identity.RecoveryConfig{
		Issuer: cmp.Or(s.cfg.PublicURL, s.URL()), Audience: id.Issuer, KeyFile: filepath.Join(s.cfg.Data, "recovery.key"),
	})
	if err != nil {
		return err
	}
	s.recovery = recovery
	v, err := identity.New(identity.Config{
		Issuer: id.Issuer, Audience: id.Audience, JWKSURL: id.JWKSURL,
		TenantClaim: id.TenantClaim, RolesClaim: id.RolesClaim, Now: s.cfg.Now,
		Session: func(ctx context.Context, actor domain.Actor, issued time.Time) error {
			return s.sessions.Check(ctx, actor, issued)
		},
	})
	s.verifier = v
	return err
}

// wire makes the parts that know each other.
func (s *System) wire(ctx context.Context) error {
	s.metrics, s.declines = obs.NewMetrics(s.cfg.Version.Version), s.component("declines")
	if err := s.startTracing(ctx); err != nil {
		return err
	}
	patient := s.patient()
	feed := func(name string) *relay.Feed {
		return &relay.Feed{Store: patient, Conn: s.bus.Conn(), Stream: stream(), Now: s.cfg.Now, Log: s.component(name)}
	}
	s.relay = &relay.Relay{Store: patient, Conn: s.bus.Conn(), Stream: stream(), Now: s.cfg.Now, Rand: newRand(), Log: s.component("relay")}
	s.projector = &projector.Projector{
		Feed: feed("projector"), Store: patient, DB: s.read, Projections: projections.All, Contracts: s.contracts,
		Annotate: annotate, Now: s.cfg.Now, Rand: newRand(), Log: s.component("projector"),
		Metrics: projector.Metrics{Visible: s.traceVisible},
	}
	s.reactor = &reactor.Reactor{
		Path: filepath.Join(s.cfg.Data, "reactor.db"), Feed: feed("reactor"), Store: patient,
		Reactions: policy.Reactions, Contracts: s.contracts, Annotate: annotate,
		Seal: s.crypt(s.keys.Seal), Open: s.crypt(s.keys.Open),
		Now: s.cfg.Now, Rand: newRand(), Log: s.component("reactor"),
	}
	s.rejections = command.NewRejections(s.store, s.keys, s.cfg.Now, s.component("rejections"))
	s.commands = command.New(command.Config{
		Store: s.store, Keys: s.keys, Contracts: s.contracts,
		Sources: slices.Concat(policy.Sources, contact.Sources(), callout.Sources(s.cfg.Webhooks.Insecure)), Authorization: policy.Table,
		Now: s.cfg.Now, Log: s.component("command"), Tracer: s.tracer,
		Preview: s.preview, Rejections: s.rejections, CacheStates: s.cfg.CacheStates,
		Observe: func(o command.Observation) {
			if o.Outcome == "accepted" {
				s.sessions.Forget(o.Stream)
				s.watchDeclines(o)
			}
			s.metrics.Command(o.Command, o.Outcome, o.Duration, o.Retries)
		},
	})
	return s.wireEffects()
}

// preview says what would follow from events. While the reactor starts or has
// stopped nobody knows, and the caller may ask again.
func (s *System) preview(ctx context.Context, events []domain.Recorded[any]) ([]domain.Effect, error) {
	effects, err := s.reactor.Preview(ctx, events)
	if errors.Is(err, reactor.ErrNotRunning) {
		err = fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	return effects, err
}

// Links are what messages lead to: resources of the API, which need the token of
// whoever follows them, and two pages, which do not, Undo and Home.
func Links() notify.Links {
	return notify.Links{
		SecurityInfo: "/v1/security-info/{id}", Card: "/v1/cards/{id}",
		Subscription: "/v1/subscriptions/{id}", Customer: "/v1/customers/{id}",
		Admin: "/v1/admins/{id}", Organization: "/v1/accounts/org-{id}/history",
		Invoice: "/v1/invoices/{id}/decline", Relationship: "/v1/relationships",
		Permission: "/v1/purchase-permissions", Webhook: "/v1/webhook-endpoints/{id}",
		Export: "/v1/subjects/{id}/export", Undo: undo.Path + "{id}", Home: "/docs",
	}
}

func (s *System) wireEffects() error {
	mail := s.cfg.Mail
	notifier, err := notify.New(notify.Config{
		Directory: people{s.commands}, Recorder: outcomes{s.commands, s.metrics}, Now: s.cfg.Now,
		Digest: s.keys.MAC, Code: s.keys.Code, Log: s.component("notify"),
		SMTP: notify.SMTP{Addr: mail.Addr, TLS: notify.TLS(mail.TLS), Username: mail.Username, Password: mail.Password},
		From: mail.From, SMSDomain: mail.SMSDomain, VoiceDomain: mail.VoiceDomain, BaseURL: s.cfg.PublicURL,
		Links: Links(),
	})
	if err != nil {
		return err
	}
	caller := callout.New(callout.Config{
		Development: s.cfg.Webhooks.Insecure, Now: s.cfg.Now, UserAgent: "Konto/" + cmp.Or(s.cfg.Version.Version, "dev"),
	})
	s.atStop("webhooks", func(context.Context) error { caller.Close(); return nil })
	e := effects{s.commands, notifier, s.keys, s.tracer, s.AwaitStore, hooks{s.commands, s.keys, caller, s.metrics, strings.TrimSuffix(s.cfg.PublicURL, "/")}}
	s.reactor.Dispatch, s.reactor.Notify = e.dispatch, e.notify
	return nil
}

func (s *System) startRejections(context.Context) error {
	s.run("rejections", s.rejections.Run)
	return nil
}

func (s *System) startRelay(context.Context) error {
	if !s.cfg.WriteOnly {
		s.run("relay", s.relay.Run)
	}
	return nil
}

func (s *System) startProjector(context.Context) error {
	if !s.cfg.WriteOnly {
		s.run("projector", s.derived(s.projector.Run))
	}
	return nil
}

func (s *System) startReactor(context.Context) error {
	if !s.cfg.WriteOnly {
		s.run("reactor", s.derived(s.reactor.Run))
	}
	return nil
}

func (s *System) api() http.Handler {
	back := (&undo.Page{
		Handle: s.commands.Handle, Proves: s.keys.Proves, Locale: people{s.commands}.Locale,
		Source: httpapi.Source, NewID: newID, Log: s.component("undo"),
	}).Handler()
	extra := map[string]http.Handler{
		"GET /v1/recovery-keys":        s.recovery.Handler(),
		"GET " + undo.Path + "{token}": back, "POST " + undo.Path + "{token}": back,
	}
	if len(s.cfg.Stripe.Secrets) > 0 {
		extra["POST /v1/gateways/stripe"] = &gateway.Stripe{
			Commands: s.commands, Secrets: s.cfg.Stripe.Secrets, NewID: newID, Log: s.component("gateway"),
			Observe: func(_, outcome string) { s.metrics.Gateway(outcome) }, Problem: httpapi.WriteProblem,
		}
	}
	if s.cfg.Dev {
		extra[issuerPath+"/"] = s.issuer.Handler()
		if s.cfg.Clock != nil {
			extra[clockPath] = http.HandlerFunc(s.clock)
		}
		extra[mailPath] = s.mailbox.Handler()
		extra[mailPath+".json"] = s.mailbox.Handler()
		extra[mailPath+"/"] = s.mailbox.Handler()
	}
	s.metrics.Watch(s.projectionLag, s.outboxDepth)
	return httpapi.New(httpapi.Config{
		Commands: s.commands, Contracts: policy.Contracts, Reading: policy.Table, Store: s.store, Keys: s.keys,
		Read: s.read, Verifier: s.verifier, Now: s.cfg.Now, NewID: newID, Log: s.component("http"),
		Version: s.cfg.Version, Tracer: s.tracer, Checks: s.checks(), Metrics: s.metrics.Registry, Extra: extra, Ending: s.ending,
		Recovery: s.recovery, CustomerRequests: s.cfg.Limits.CustomerRequests,
	})
}

// stream bounds what the bus keeps: whoever is further behind reads the store.
func stream() relay.Stream { return relay.Stream{MaxBytes: 1 << 30} }

func annotate(data []byte, tenant, stream, eventID, typ string) []byte {
	return privacy.Annotate(data, privacy.Context{Tenant: tenant, Stream: stream, EventID: eventID, Type: typ})
}

// crypt gives the reactor the keys without the reactor knowing them.
func (s *System) crypt(f func(context.Context, privacy.Context, []byte) ([]byte, error)) reactor.Crypt {
	return func(ctx context.Context, tenant, stream, eventID, typ string, data []byte) ([]byte, error) {
		return f(ctx, privacy.Context{Tenant: tenant, Stream: stream, EventID: eventID, Type: typ}, data)
	}
}

// newRand is for jitter, which need not be unpredictable.
func newRand() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) } //nolint:gosec // jitter
