package inlet_test

import (
	"regexp"
	"testing"
	"time"

	"konto/domain/domaintest"
	. "konto/domain/inlet"
)

func TestInlet(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	m := Meta{At: at}
	record := RecordGatewayEvent{
		Provider: "stripe", GatewayEventID: "evt_1", Type: "charge.failed", Outcome: "accepted", Tenant: "t", Commands: []string{"c1"},
	}
	received := []Event{GatewayEventReceived{
		Provider: "stripe", GatewayEventID: "evt_1", Type: "charge.failed", Outcome: "accepted", Tenant: "t", Commands: []string{"c1"}, At: at,
	}}
	with := func(change func(*RecordGatewayEvent)) RecordGatewayEvent {
		c := record
		change(&c)
		return c
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[GatewayEvent]{
		{Name: "first call", When: record, Meta: m, Then: received},
		{Name: "second call", Given: received, When: record, Meta: Meta{At: at.Add(time.Hour)}},
		{Name: "second call, other outcome", Given: received, When: with(func(c *RecordGatewayEvent) { c.Outcome = "ignored" }), Meta: m},
		{Name: "another event under the same ID", Given: received, When: with(func(c *RecordGatewayEvent) { c.GatewayEventID = "evt_2" }), Meta: m, Err: ErrOther},
		{Name: "another type under the same ID", Given: received, When: with(func(c *RecordGatewayEvent) { c.Type = "charge.succeeded" }), Meta: m, Err: ErrOther},
		{Name: "another provider under the same ID", Given: received, When: with(func(c *RecordGatewayEvent) { c.Provider = "adyen" }), Meta: m, Err: ErrOther},
		{Name: "no provider", When: with(func(c *RecordGatewayEvent) { c.Provider = "" }), Meta: m, Err: ErrIncomplete},
		{Name: "no event ID", When: with(func(c *RecordGatewayEvent) { c.GatewayEventID = "" }), Meta: m, Err: ErrIncomplete},
		{Name: "no type", When: with(func(c *RecordGatewayEvent) { c.Type = "" }), Meta: m, Err: ErrIncomplete},
		{Name: "no outcome", When: with(func(c *RecordGatewayEvent) { c.Outcome = "" }), Meta: m, Err: ErrIncomplete},
	})
}

func TestID(t *testing.T) {
	t.Parallel()
	id := ID("stripe", "evt_1")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("ID = %s, want a UUIDv8", id)
	}
	if again := ID("stripe", "evt_1"); again != id {
		t.Errorf("ID = %s, then %s", id, again)
	}
	if other := ID("stripe", "evt_2"); other == id {
		t.Errorf("two calls share the ID %s", id)
	}
	if other := ID("adyen", "evt_1"); other == id {
		t.Errorf("two providers share the ID %s", id)
	}
}
