package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/domain/notification"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/internal/command"
	"konto/internal/demo"
	"konto/internal/envelope"
	"konto/internal/privacy"
	"konto/internal/projector"
	"konto/internal/readdb"
	"konto/projections"
)

// check looks at what the program has left behind.
func (c *crash) check(cycles int) {
	c.Helper()
	store, err := engine.Open(filepath.Join(c.data, "events"), engine.Config{})
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	all := c.events(store)
	lost := c.lost(all)
	declined, alerts := c.alerts(all)
	c.rebuilt(store)
	c.Logf("%d kills: %d events, %d commands and %d declines acknowledged (%d sent again), %d lost; %d alerts for %d declined charges, %d arrivals of %d mails",
		cycles, len(all), len(c.answered), c.declines, c.resent, lost, alerts, declined, c.box.Arrivals(), len(c.box.Messages("")))
}

// recorded is an event and what its metadata says.
type recorded struct {
	eventstore.Recorded
	meta envelope.Meta
}

// events reads the store and finds whatever happened twice.
func (c *crash) events(store eventstore.Store) []recorded {
	c.Helper()
	var all []recorded
	ids := map[eventstore.ID]bool{}
	next := map[string]eventstore.Revision{}
	index := map[string]int{}      // of a command's next event
	streams := map[string]string{} // that a command wrote to
	last := map[string]string{}    // command of a stream's last event
	for r, err := range store.ReadAll(c.Context(), eventstore.ReadAll{}) {
		if err != nil {
			c.Fatal(err)
		}
		if r.System() {
			continue
		}
		meta, err := envelope.ParseMeta(r.Meta)
		if err != nil {
			c.Fatal(err)
		}
		if ids[r.ID] || r.Revision != next[r.Stream] {
			c.Errorf("%s@%d: event %x twice, or a gap before it", r.Stream, r.Revision, r.ID)
		}
		id := uuid.MustParse(meta.Command)
		at := index[meta.Command]
		if uuid.UUID(r.ID) != command.EventID(id, at) || at > 0 && (streams[meta.Command] != r.Stream || last[r.Stream] != meta.Command) {
			c.Errorf("%s@%d: command %s was carried out twice", r.Stream, r.Revision, meta.Command)
		}
		ids[r.ID], next[r.Stream], index[meta.Command] = true, r.Revision+1, at+1
		streams[meta.Command], last[r.Stream] = r.Stream, meta.Command
		all = append(all, recorded{r, meta})
	}
	return all
}

// lost counts what was acknowledged and is not there.
func (c *crash) lost(all []recorded) (lost int) {
	c.Helper()
	where := map[string]recorded{}
	for _, r := range all {
		where[uuid.UUID(r.ID).String()] = r
	}
	for _, a := range c.answered {
		for i, id := range a.events {
			r, ok := where[id]
			if want := a.revision - int64(len(a.events)-1-i); !ok || r.Stream != a.stream || int64(r.Revision) != want {
				c.Errorf("lost: %s@%d, event %s", a.stream, want, id)
				lost++
			}
		}
	}
	return lost
}

// alerts compares declined charges with the mails that arrived.
func (c *crash) alerts(all []recorded) (declined, alerts int) {
	c.Helper()
	mails := map[string]bool{}
	for _, m := range c.box.Messages("") {
		if m.Template == "card_declined" {
			mails[m.MessageID] = true
		}
	}
	told := map[string]int{} // by charge and person
	for _, r := range all {
		var sent notification.NotificationSent
		if r.Type != "NotificationSent" || json.Unmarshal(r.Data, &sent) != nil || sent.Template != "card_declined" {
			continue
		}
		alerts++
		told[sent.CauseEventID+" "+sent.Person]++
		if !mails[sent.MessageID] {
			c.Errorf("alert %s never arrived", sent.MessageID)
		}
		delete(mails, sent.MessageID)
	}
	anna, _ := demo.Find("anna")
	mikkel, _ := demo.Find("mikkel")
	for _, r := range all {
		if r.Type != "ChargeDeclined" {
			continue
		}
		declined++
		for _, p := range []demo.Person{anna, mikkel} {
			if n := told[uuid.UUID(r.ID).String()+" "+p.ID]; n != 1 {
				c.Errorf("%s was told %d times of %s@%d, want once", p.Name, n, r.Stream, r.Revision)
			}
		}
	}
	if declined != c.declines || alerts != 2*declined || len(mails) > 0 {
		c.Errorf("%d declined charges of %d acknowledged, %d alerts, %d mails that nothing accounts for", declined, c.declines, alerts, len(mails))
	}
	return declined, alerts
}

// rebuilt compares the read models with new ones made of the same events.
func (c *crash) rebuilt(store eventstore.Store) {
	c.Helper()
	open := func(path string) *readdb.DB {
		db, err := readdb.Open(c.Context(), readdb.Config{Path: path, Now: time.Now})
		if err != nil {
			c.Fatal(err)
		}
		c.Cleanup(func() { _ = db.Close() })
		return db
	}
	live, fresh := open(filepath.Join(c.data, "read.db")), open(filepath.Join(c.TempDir(), "fresh.db"))
	p := projector.Projector{
		Store: store, DB: fresh, Projections: projections.All, Contracts: envelope.Index(policy.Contracts), Now: time.Now, Log: zerolog.Nop(),
		Annotate: func(data []byte, tenant, stream, eventID, typ string) []byte {
			return privacy.Annotate(data, privacy.Context{Tenant: tenant, Stream: stream, EventID: eventID, Type: typ})
		},
	}
	if err := p.Rebuild(c.Context(), fresh, nil); err != nil {
		c.Fatal(err)
	}
	for _, p := range projections.All {
		for _, table := range p.Tables {
			got, want := c.dump(live, table), c.dump(fresh, table)
			if d := gocmp.Diff(want, got); d != "" {
				c.Errorf("table %s differs from a rebuild (-rebuild +live):\n%.2000s", table, d)
			}
		}
	}
}

func (c *crash) dump(db *readdb.DB, table string) []string {
	c.Helper()
	rows, err := db.QueryContext(c.Context(), `SELECT * FROM "`+table+`"`)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		c.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			c.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%q", fmt.Sprint(values...)))
	}
	if err := rows.Err(); err != nil {
		c.Fatal(err)
	}
	slices.SortFunc(all, cmp.Compare[string])
	return all
}
