package relay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"konto/eventstore"
)

// The headers of a message. Its data is the event's. The event's ID is the
// message's (Nats-Msg-Id).
const (
	HeaderPosition = "Konto-Position" // of the event, as [eventstore.Position.String] writes it
	HeaderPrevious = "Konto-Previous" // of the event published before it
	HeaderStream   = "Konto-Stream"
	HeaderRevision = "Konto-Revision"
	HeaderType     = "Konto-Type"
	HeaderAt       = "Konto-At"   // RFC 3339, when the store accepted the event
	HeaderMeta     = "Konto-Meta" // the event's metadata; personal values in it are sealed
	HeaderBinary   = "Konto-Binary"
	// HeaderReference says that the message stands for an event that is too
	// large to travel, or whose names or metadata no header can carry: read it
	// from the store.
	HeaderReference = "Konto-Reference"
)

// maxMeta is the longest metadata that travels, in bytes. JetStream refuses
// headers of 64 KiB together.
const maxMeta = 32 << 10

// errForeign: a message is none of ours, or another store's.
var errForeign = errors.New("relay: foreign message")

// message is a decoded message.
type message struct {
	id                 eventstore.ID
	position, previous eventstore.Position
	reference          bool
	event              eventstore.Recorded // unless reference
}

// encode returns the message of e, which follows the event at previous. Over
// limit bytes it is a reference.
func encode(e eventstore.Recorded, previous eventstore.Position, prefix string, limit int) *nats.Msg {
	category, _, _ := strings.Cut(e.Stream, "-")
	m := &nats.Msg{Subject: prefix + "." + token(category) + "." + token(e.Type)}
	m.Header = nats.Header{
		jetstream.MsgIDHeader: {uuid.UUID(e.ID).String()},
		HeaderPosition:        {e.Position.String()},
		HeaderPrevious:        {previous.String()},
	}
	if len(e.Data)+len(e.Meta)+len(e.Stream)+len(e.Type) > limit || len(e.Meta) > maxMeta ||
		len(e.Stream)+len(e.Type) > maxMeta/2 || !plain(e.Stream) || !plain(e.Type) || !plain(string(e.Meta)) {
		m.Header[HeaderReference] = []string{"1"}
		return m
	}
	m.Data = e.Data
	m.Header[HeaderStream] = []string{e.Stream}
	m.Header[HeaderRevision] = []string{strconv.FormatInt(int64(e.Revision), 10)}
	m.Header[HeaderType] = []string{e.Type}
	m.Header[HeaderAt] = []string{e.At.UTC().Format(time.RFC3339Nano)}
	if len(e.Meta) > 0 {
		m.Header[HeaderMeta] = []string{string(e.Meta)}
	}
	if e.Binary {
		m.Header[HeaderBinary] = []string{"1"}
	}
	return m
}

// decode is the inverse of encode. What it cannot read is an errForeign.
func decode(h nats.Header, data []byte) (message, error) {
	var m message
	id, err := uuid.Parse(h.Get(jetstream.MsgIDHeader))
	position, err2 := eventstore.ParsePosition(h.Get(HeaderPosition))
	previous, err3 := eventstore.ParsePosition(h.Get(HeaderPrevious))
	if err := errors.Join(err, err2, err3); err != nil {
		return m, fmt.Errorf("%w: %w", errForeign, err)
	}
	m.id, m.position, m.previous = eventstore.ID(id), position, previous
	if position.Compare(previous) <= 0 {
		return m, fmt.Errorf("%w: %s does not follow %s", errForeign, position, previous)
	}
	if m.reference = h.Get(HeaderReference) != ""; m.reference {
		return m, nil
	}
	revision, err := strconv.ParseInt(h.Get(HeaderRevision), 10, 64)
	at, err2 := time.Parse(time.RFC3339Nano, h.Get(HeaderAt))
	if err := errors.Join(err, err2); err != nil {
		return m, fmt.Errorf("%w: %w", errForeign, err)
	}
	m.event = eventstore.Recorded{
		Event:    eventstore.Event{ID: m.id, Type: h.Get(HeaderType), Data: data, Binary: h.Get(HeaderBinary) != ""},
		Stream:   h.Get(HeaderStream),
		Revision: eventstore.Revision(revision),
		Position: position,
		At:       at,
	}
	if meta := h.Get(HeaderMeta); meta != "" {
		m.event.Meta = []byte(meta)
	}
	if m.event.Stream == "" || m.event.Type == "" {
		return m, fmt.Errorf("%w: no stream or type", errForeign)
	}
	return m, nil
}

// plain reports whether s survives as a header's value: the client writes
// control characters as spaces and trims the ends.
func plain(s string) bool {
	if strings.TrimSpace(s) != s {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// maxToken is the longest part of a subject that is made from a name; NATS
// advises to keep subjects below 256 bytes.
const maxToken = 96

// token returns s as one part of a subject. Two names may share a token; a
// subject is for choosing, the headers say what it is.
func token(s string) string {
	if s == "" {
		return "_"
	}
	s = s[:min(len(s), maxToken)]
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
	}
	return strings.Map(func(r rune) rune {
		if safe(r) {
			return r
		}
		return '_'
	}, s)
}
