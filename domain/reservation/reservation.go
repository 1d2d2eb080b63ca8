// Package reservation models a key that one aggregate alone may hold, such as
// a card's token. Streams are consistent one by one; a key that must be unique
// across streams is therefore a stream of its own, named after the key.
//
// The command handler reserves a key before it appends the events that need
// it, confirms it afterwards and releases it if the append was refused. A
// reservation that nobody confirmed ends by itself after [Hold], so that a
// crash between the steps blocks a key for that long and no longer. What this
// does not do: a holder that confirms late, after another took the key, is
// refused, and its events are then already stored; Hold is long enough that
// only a caller stopped for an hour sees this.
package reservation

import (
	"crypto/sha1" //nolint:gosec // UUIDv5 is defined with SHA-1 (RFC 9562 §5.5); nothing secret depends on it.
	"encoding/hex"
	"time"

	"konto/domain"
)

// Event is a fact about a reservation.
type Event = domain.Event[Reservation]

// Meta is what a decision may know besides the reservation and the command.
type Meta = domain.Meta

// Hold is how long an unconfirmed reservation keeps others away.
const Hold = time.Hour

// Aggregate is the reservation's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"resv", "reservations",
	domain.Accepts[Reserve]("Reserve", domain.Summary("Claim a key for one aggregate"), domain.Internal(), domain.NotKept()),
	domain.Accepts[ConfirmReservation]("ConfirmReservation", domain.Summary("Keep a claimed key for good"), domain.Internal(), domain.NotKept()),
	domain.Accepts[ReleaseReservation]("ReleaseReservation", domain.Summary("Give a claimed key back"), domain.Internal(), domain.NotKept()),

	domain.Records[Reserved]("Reserved"),
	domain.Records[ReservationConfirmed]("ReservationConfirmed"),
	domain.Records[ReservationReleased]("ReservationReleased"),
)

// Reservation is who holds a key.
type Reservation struct {
	Kind      string    `json:"kind"`             // what the key is, such as "card-token"
	Holder    string    `json:"holder,omitempty"` // ID of the aggregate that holds it; empty: nobody
	Tenant    string    `json:"tenant,omitempty"` // that owns the holder
	Confirmed bool      `json:"confirmed"`
	Until     time.Time `json:"until,omitzero"` // when it ends, if it is not confirmed
}

// HeldAt reports whether somebody holds the key at t.
func (r Reservation) HeldAt(t time.Time) bool {
	return r.Holder != "" && (r.Confirmed || t.Before(r.Until))
}

// namespace is the UUIDv5 namespace of reservations, drawn once at random.
const namespace = "\x8f\x1d\x52\xc6\x0b\x7e\x4d\x19\xa3\x64\x5e\x90\x27\xc8\xf1\x3b"

// ID returns the ID of the reservation of key among keys of kind in scope, a
// tenant's ID or empty for all tenants: a UUIDv5, the same for ever.
func ID(kind, scope, key string) string {
	sum := sha1.Sum([]byte(namespace + kind + "\x00" + scope + "\x00" + key)) //nolint:gosec // See the import.
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x50 // version 5
	b[8] = b[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Rejections.
var (
	ErrNotFound    = domain.NotFound("reservation-not-found", "the key was never reserved")
	ErrReserved    = domain.Conflict("reserved", "another holds the key").ByRule("X4")
	ErrNotReserved = domain.Conflict("not-reserved", "nobody holds the key").ByRule("X4")
	ErrIncomplete  = domain.Invalid("reservation-incomplete", "a reservation names its kind and its holder").ByRule("X4")
)

// taken is the refusal for a key that r's holder keeps.
func taken(r Reservation) *domain.Error { return ErrReserved.With("holder", r.Holder) }
