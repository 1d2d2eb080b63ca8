package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/privacy"
	"konto/internal/projector"
	"konto/internal/readdb"
	"konto/projections"
)

// ReplayReport is about one account of many events, from a cold cache.
type ReplayReport struct {
	Account string `json:"account"` // its category
	Events  int    `json:"events"`
	// ReplayMS is read, opened, decoded and folded by the command handler, the
	// best of several.
	ReplayMS float64 `json:"replayMs"`
	// The same one after the other, in microseconds per event.
	ReadUS   float64 `json:"readUs"`
	OpenUS   float64 `json:"openUs"` // one sealed value
	MetaUS   float64 `json:"metaUs"`
	DecodeUS float64 `json:"decodeUs"`
	FoldUS   float64 `json:"foldUs"`
}

// RebuildReport is about all read models, built anew.
type RebuildReport struct {
	Events    int     `json:"events"`
	Accounts  int     `json:"accounts"`
	Models    int     `json:"models"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
	PeakMB    float64 `json:"peakMB"`
	CPU       CPU     `json:"cpu"`
}

const replayEvents = 10_000

// parts are what a history needs without a system around it.
type parts struct {
	store     *engine.Store
	keys      *privacy.Keys
	contracts envelope.Contracts
	now       func() time.Time
}

func (b *bench) parts(ctx context.Context, dir string) (*parts, error) {
	store, err := engine.Open(filepath.Join(dir, "events"), engine.Config{Now: b.Now})
	if err != nil {
		return nil, err
	}
	keys, err := privacy.Open(ctx, privacy.Config{
		Path: filepath.Join(dir, "keys.db"), RootKeyFile: filepath.Join(dir, "root.key"), Now: b.Now,
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &parts{store, keys, envelope.Index(policy.Contracts), b.Now}, nil
}

func (p *parts) close() error { return errors.Join(p.store.Close(), p.keys.Close()) }

// append gives an account its history, all of it sealed and with the metadata
// of a person's commands.
func (p *parts) append(ctx context.Context, a stream, nth func(int) any) error {
	const batch = 250
	n, tenant, name := a.events, a.tenant, envelope.Stream(a.contract.Category(), a.id)
	events := make([]eventstore.Event, 0, batch)
	for i := range n {
		raw, err := a.contract.Encode(nth(i))
		if err != nil {
			return err
		}
		cmd := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s/%d", name, i))
		e := eventstore.Event{ID: eventstore.ID(command.EventID(cmd, 0)), Type: raw.Type, Data: raw.Data}
		e, err = envelope.Seal(ctx, p.keys, name, tenant, e, envelope.Meta{
			Correlation: cmd.String(), Causation: cmd.String(), Tenant: tenant,
			Actor:   domain.Actor{ID: id(2, 0), Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.GlobalAdmin}, AuthenticatedAt: p.now().UTC()},
			Command: cmd.String(), CommandType: "Change", At: p.now().UTC(), BodyMAC: p.keys.MAC(tenant, "command", cmd.String()),
			Source: domain.About(id(2, 0), envelope.Source{Address: "127.0.0.1", Agent: "konto-bench/1"}),
		})
		if err != nil {
			return err
		}
		if events = append(events, e); len(events) < batch && i < n-1 {
			continue
		}
		if _, err := p.store.Append(ctx, name, eventstore.Revision(i-len(events)), events...); err != nil {
			return err
		}
		events = events[:0]
	}
	return nil
}

// cardEvent is the nth event of a card whose holder is renamed again and again.
func cardEvent(tenant, owner string) func(int) any {
	return func(i int) any {
		if i == 0 {
			return card.CardAdded{
				Tenant: tenant, GatewayToken: "pm", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2031, Funding: "credit",
				IssuerCountry: "SE", Fingerprint: "f", Holder: domain.About(owner, "Anna Lindqvist"), Country: "SE", AddedBy: owner,
				BillTo: domain.About(owner, card.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}),
			}
		}
		return card.CardDetailsUpdated{Changed: []string{"holderName"}, Holder: domain.About(owner, fmt.Sprint("Anna Lindqvist ", i)), PolicyVersion: 1}
	}
}

// adminEvent is the same for a person's account.
func adminEvent(tenant, person string) func(int) any {
	return func(i int) any {
		if i == 0 {
			return admin.EmployeeAdded{
				Tenant: tenant, SignInName: domain.About(person, person+"@o.example"), DisplayName: domain.About(person, "Anna"), Locale: "sv-SE",
			}
		}
		return admin.DisplayNameChanged{DisplayName: domain.About(person, fmt.Sprint("Anna Lindqvist ", i))}
	}
}

func (b *bench) replay(ctx context.Context, dir string) (_ *ReplayReport, err error) {
	p, a, err := b.longest(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	b.step("replay: folding it")
	r := &ReplayReport{Account: a.contract.Category(), Events: a.events}
	const rounds = 5
	for range rounds {
		h := command.New(command.Config{
			Store: p.store, Keys: p.keys, Contracts: p.contracts, Authorization: policy.Table, Now: b.Now,
			Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
		})
		runtime.GC()
		began := b.Now()
		var at eventstore.Revision
		err := h.View(ctx, r.Account, a.id, func(_ any, revision eventstore.Revision, _ string) { at = revision })
		took := millis(b.Now().Sub(began))
		switch {
		case err != nil:
			return nil, err
		case int(at) != a.events-1:
			return nil, fmt.Errorf("folded to %s, not %d", at, a.events-1)
		case r.ReplayMS == 0 || took < r.ReplayMS:
			r.ReplayMS = took
		}
	}
	return r, p.stages(ctx, a, r, b.Now)
}

// stream is the history of one account.
type stream struct {
	contract   domain.Contract
	id, tenant string
	events     int
}

// longest is the account of most events in a data directory, or one that is
// made.
func (b *bench) longest(ctx context.Context, dir string) (_ *parts, a stream, err error) {
	if b.History == "" {
		b.step("replay: making an account of %d events", replayEvents)
		p, err := b.parts(ctx, dir)
		if err != nil {
			return nil, a, err
		}
		a = stream{card.Aggregate, id(4, 0), id(1, 0), replayEvents}
		if err := p.append(ctx, a, cardEvent(a.tenant, id(2, 0))); err != nil {
			return nil, a, errors.Join(err, p.close())
		}
		return p, a, nil
	}
	b.step("replay: looking for the longest account of %s", b.History)
	p, err := b.parts(ctx, b.History)
	if err != nil {
		return nil, a, err
	}
	for e, err := range p.store.ReadAll(ctx, eventstore.ReadAll{}) {
		if err != nil {
			return nil, a, errors.Join(err, p.close())
		}
		category, id, _ := envelope.Split(e.Stream)
		if contract := p.contracts[category]; contract != nil && int(e.Revision) >= a.events {
			head, err := envelope.ParseHead(e.Meta)
			if err != nil {
				return nil, a, errors.Join(err, p.close())
			}
			a = stream{contract, id, head.Tenant, int(e.Revision) + 1}
		}
	}
	if a.events == 0 {
		return nil, a, errors.Join(fmt.Errorf("%s has no account", b.History), p.close())
	}
	return p, a, nil
}

// stages does the parts of a replay one after the other.
func (p *parts) stages(ctx context.Context, a stream, r *ReplayReport, now func() time.Time) error {
	at := now()
	lap := func(us *float64) {
		*us = round(float64(now().Sub(at).Nanoseconds()) / 1000 / float64(r.Events))
		at = now()
	}
	records := make([]eventstore.Recorded, 0, r.Events)
	for rec, err := range p.store.Read(ctx, envelope.Stream(r.Account, a.id), eventstore.ReadStream{}) {
		if err != nil {
			return err
		}
		records = append(records, rec)
	}
	lap(&r.ReadUS)
	opened := make([][]byte, len(records))
	var err error
	for i, rec := range records {
		if opened[i], err = envelope.OpenData(ctx, p.keys, rec, a.tenant); err != nil {
			return err
		}
	}
	lap(&r.OpenUS)
	for _, rec := range records {
		if _, err := envelope.ParseHead(rec.Meta); err != nil {
			return err
		}
	}
	lap(&r.MetaUS)
	events := make([]any, len(records))
	for i, rec := range records {
		if events[i], err = a.contract.DecodeEvent(domain.Raw{Type: rec.Type, Data: json.RawMessage(opened[i])}); err != nil {
			return err
		}
	}
	lap(&r.DecodeUS)
	state := a.contract.New()
	for _, e := range events {
		if err := a.contract.Evolve(state, e); err != nil {
			return err
		}
	}
	lap(&r.FoldUS)
	return nil
}

// eventsEach is how many events an account has in the history that is rebuilt.
const eventsEach = 50

func (b *bench) rebuild(ctx context.Context, dir string) (_ *RebuildReport, err error) {
	r := &RebuildReport{Accounts: max(1, b.Events/eventsEach), Models: len(projections.All)}
	p, err := b.history(ctx, dir, r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	db, err := readdb.Open(ctx, readdb.Config{Path: filepath.Join(dir, "read.db"), Now: b.Now, Log: zerolog.Nop()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rebuilt := &projector.Projector{
		Store: p.store, DB: db, Projections: projections.All, Contracts: p.contracts, Now: b.Now, Log: zerolog.Nop(),
		Annotate: func(data []byte, tenant, stream, eventID, typ string) []byte {
			return privacy.Annotate(data, privacy.Context{Tenant: tenant, Stream: stream, EventID: eventID, Type: typ})
		},
	}
	runtime.GC()
	resetMemory()
	b.step("rebuild: all read models")
	var m meter
	m.start()
	began := b.Now()
	err = rebuilt.Rebuild(ctx, db, func(done, total int) {
		r.Events = done
		if b.Progress != nil && total > 0 {
			b.Progress(fmt.Sprintf("rebuild: all read models, %d of %d events", done, total), b.done-1, b.steps())
		}
	})
	r.Seconds, r.CPU, r.PeakMB = round(b.Now().Sub(began).Seconds()), m.stop(), memory()
	r.PerSecond = float64(int(float64(r.Events) / b.Now().Sub(began).Seconds()))
	return r, err
}

// history is what is rebuilt: that of a data directory, or one of accounts
// that are made for it.
func (b *bench) history(ctx context.Context, dir string, r *RebuildReport) (*parts, error) {
	if b.History != "" {
		b.step("rebuild: counting the accounts of %s", b.History)
		p, err := b.parts(ctx, b.History)
		if err != nil {
			return nil, err
		}
		r.Accounts, err = p.accounts(ctx)
		return p, err
	}
	b.step("rebuild: making %d events", b.Events)
	p, err := b.parts(ctx, dir)
	if err != nil {
		return nil, err
	}
	return p, each(ctx, r.Accounts, func(ctx context.Context, i int) error {
		tenant := id(1, i/perTenant)
		if i%2 == 0 {
			return p.append(ctx, stream{card.Aggregate, id(4, i), tenant, eventsEach}, cardEvent(tenant, id(2, i/perTenant)))
		}
		return p.append(ctx, stream{admin.Aggregate, id(3, i), tenant, eventsEach}, adminEvent(tenant, id(3, i)))
	})
}

// accounts counts the streams of the store.
func (p *parts) accounts(ctx context.Context) (n int, err error) {
	for e, err := range p.store.ReadAll(ctx, eventstore.ReadAll{}) {
		switch {
		case err != nil:
			return 0, err
		case !e.System() && e.Revision == 0:
			n++
		}
	}
	return n, nil
}

// round keeps three decimals.
func round(f float64) float64 { return float64(int(f*1000+0.5)) / 1000 }
