// Package inlet models one signed call of a payment gateway: that it came,
// what it said and which commands it led to. A gateway repeats its calls until
// they are answered; a stream for each call, named after the gateway's own
// event ID, makes the second one recognizable for ever.
package inlet

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"konto/domain"
)

// Event is a fact about a gateway's call.
type Event = domain.Event[GatewayEvent]

// Meta is what a decision may know besides the call and the command.
type Meta = domain.Meta

// Aggregate is the call's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"inlet", "gateway-events",
	domain.Accepts[RecordGatewayEvent]("RecordGatewayEvent", domain.Summary("Record what a payment gateway reported"), domain.Internal(), domain.NotKept()),

	domain.Records[GatewayEventReceived]("GatewayEventReceived"),
)

// GatewayEvent is what a gateway's call said and led to.
type GatewayEvent struct {
	Provider       string    `json:"provider"`
	GatewayEventID string    `json:"gatewayEventId"`
	Type           string    `json:"type"`               // the gateway's name for what happened
	Outcome        string    `json:"outcome"`            // what Konto did with it
	Tenant         string    `json:"tenant,omitempty"`   // whom it is about, if known
	Commands       []string  `json:"commands,omitempty"` // IDs of the commands it led to
	At             time.Time `json:"at"`
}

// ID returns the ID of the stream of a gateway's call: a UUIDv8 made of the
// provider's name and the gateway's event ID with SHA-256 (RFC 9562 §5.8),
// the same for ever.
func ID(provider, gatewayEventID string) string {
	sum := sha256.Sum256([]byte("konto inlet\x00" + provider + "\x00" + gatewayEventID))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80 // version 8
	b[8] = b[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Rejections.
var (
	ErrIncomplete = domain.Invalid("gateway-event-incomplete", "a gateway's call names its provider, its ID, its type and its outcome").ByRule("X2")
	ErrOther      = domain.Conflict("gateway-event-differs", "another call was recorded under this ID").ByRule("X2")
)

// RecordGatewayEvent records a gateway's call. Recording it again does
// nothing, whatever became of it the second time.
type RecordGatewayEvent struct {
	Provider       string   `json:"provider"`
	GatewayEventID string   `json:"gatewayEventId"`
	Type           string   `json:"type"`
	Outcome        string   `json:"outcome"`
	Tenant         string   `json:"tenant,omitempty"`
	Commands       []string `json:"commands,omitempty"`
}

// Decide implements [domain.Command].
func (c RecordGatewayEvent) Decide(g GatewayEvent, m Meta) ([]Event, error) {
	switch {
	case c.Provider == "" || c.GatewayEventID == "" || c.Type == "" || c.Outcome == "":
		return nil, ErrIncomplete
	case g.GatewayEventID == "":
		return []Event{GatewayEventReceived{
			Provider: c.Provider, GatewayEventID: c.GatewayEventID, Type: c.Type, Outcome: c.Outcome,
			Tenant: c.Tenant, Commands: slices.Clone(c.Commands), At: m.At,
		}}, nil
	case g.Provider != c.Provider || g.GatewayEventID != c.GatewayEventID || g.Type != c.Type:
		return nil, ErrOther
	}
	return nil, nil
}

// GatewayEventReceived records that a gateway called.
type GatewayEventReceived struct {
	Provider       string    `json:"provider"`
	GatewayEventID string    `json:"gatewayEventId"`
	Type           string    `json:"type"`
	Outcome        string    `json:"outcome"`
	Tenant         string    `json:"tenant,omitempty"`
	Commands       []string  `json:"commands,omitempty"`
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e GatewayEventReceived) Evolve(g *GatewayEvent) { *g = GatewayEvent(e) }
