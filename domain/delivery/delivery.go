// Package delivery models what becomes of one call that tells another system of
// one event (rule P11): each attempt and how it went, when it is tried again,
// and that it arrived or was given up.
//
// # What is guaranteed
//
// An event is delivered to an endpoint at least once, or given up for a reason
// that is on record. All attempts carry the same ID, this stream's, by which
// receivers recognize a call that they have had. One that was given up, or
// that the receiver lost, can be asked for again.
//
// Events hold how an attempt went in one word and the status of the answer,
// never what was answered.
//
// # What is not
//
// Deliveries come in no guaranteed order: what is tried again comes later. A
// call says that something happened and where to read it, and nothing else.
package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"konto/domain"
)

// Event is a fact about a delivery.
type Event = domain.Event[Delivery]

// Meta is what a decision may know besides the delivery and the command.
type Meta = domain.Meta

// Aggregate is the delivery's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"delivery", "webhook-deliveries",
	domain.Accepts[RequestDelivery]("RequestDelivery", domain.Summary("Tell an endpoint of an event"), domain.Internal(), domain.NotKept()),
	domain.Accepts[RecordAttempt]("RecordAttempt", domain.Summary("Call an endpoint, and note how it went"), domain.Internal(), domain.NotKept()),
	domain.Accepts[RedeliverWebhook]("RedeliverWebhook", domain.Summary("Tell an endpoint of an event once more, now")),

	domain.Records[DeliveryRequested]("DeliveryRequested"),
	domain.Records[DeliverySucceeded]("DeliverySucceeded"),
	domain.Records[DeliveryAttemptFailed]("DeliveryAttemptFailed"),
	domain.Records[DeliveryAbandoned]("DeliveryAbandoned"),
	domain.Records[RedeliveryRequested]("RedeliveryRequested"),
)

// Status is where a delivery stands.
type Status string

// The statuses.
const (
	Pending   Status = "pending"   // an attempt is to come
	Delivered Status = "delivered" // the endpoint took it
	Abandoned Status = "abandoned" // given up
)

// Delivery is one event for one endpoint.
type Delivery struct {
	Message
	Status   Status `json:"status"`
	Round    int    `json:"round"`    // 1, and one more each time that it is asked for again
	Attempts int    `json:"attempts"` // in this round
}

// Message says what is told to whom.
type Message struct {
	EndpointID string    `json:"endpointId"`
	Type       string    `json:"type"`     // {resource}-{action}
	EventID    string    `json:"eventId"`  // what is told of
	Stream     string    `json:"stream"`   // of the account that it happened to
	Revision   int64     `json:"revision"` // of that event in the stream
	At         time.Time `json:"at"`       // when it happened
}

// Exists reports whether there is such a delivery.
func (d Delivery) Exists() bool { return d.Status != "" }

// Due reports whether an attempt is the one to come: it was not made yet, and
// nobody asked for another round since.
func (d Delivery) Due(round, attempt int) bool {
	return d.Status == Pending && d.Round == round && d.Attempts+1 == attempt
}

// ID returns the ID of the delivery of an event to an endpoint: a UUIDv8 made
// with SHA-256 (RFC 9562 section 5.8), so that asking twice asks for one.
func ID(endpoint, event string) string {
	sum := sha256.Sum256([]byte("konto webhook delivery\x00" + endpoint + "\x00" + event))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80 // version 8
	b[8] = b[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Endpoint is the fact of where a delivery goes. Its key is the endpoint's ID.
type Endpoint struct {
	Active bool // it is called
}

// Rejections.
var (
	ErrNotFound   = domain.NotFound("webhook-delivery-not-found", "there is no such webhook delivery").ByRule("P11")
	ErrIncomplete = domain.Invalid("webhook-delivery-incomplete", "a delivery names its endpoint, a type and the event that it tells of").ByRule("P11")
	ErrOutcome    = domain.Invalid("webhook-outcome-unknown", "say how the attempt went").ByRule("P11").At("/outcome")
	ErrInactive   = domain.Conflict("webhook-endpoint-inactive", "the endpoint is disabled or was removed").ByRule("P11").Allowed("EnableWebhookEndpoint", domain.GlobalAdmin)
)
