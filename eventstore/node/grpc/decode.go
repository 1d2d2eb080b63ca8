package grpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

// decoder is a message that the codec lets decode itself. It may keep b.
type decoder interface{ decode(b []byte) error }

var (
	_ decoder = (*appendMessage)(nil)
	_ decoder = (*discarded)(nil)
)

// appendMessage is an AppendReq: options, or an event. Every append has at least
// one of each, and the map in the generated type costs more than all the rest of
// them. So what clients really send is read without it, and anything unusual
// (parts twice, unknown parts, errors) with it.
type appendMessage struct {
	hasOptions bool
	identified bool // there is a stream identifier
	stream     []byte
	expects    expects
	proposed   bool
	event      event
}

// event is an event that a client proposes.
type event struct {
	id                  eventstore.ID
	wrongID             error
	typ                 string
	hasType, hasContent bool
	json                bool
	data, meta          []byte
}

var errNoID = errors.New("no UUID")

func (m *appendMessage) decode(b []byte) error {
	*m = appendMessage{}
	if m.quick(b) {
		return nil
	}
	*m = appendMessage{}
	return m.slow(b)
}

func (m *appendMessage) slow(b []byte) error {
	var all streams.AppendReq
	if err := proto.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("decode an append: %w", err)
	}
	if o := all.GetOptions(); o != nil {
		m.hasOptions, m.identified, m.stream = true, o.GetStreamIdentifier() != nil, o.GetStreamIdentifier().GetStreamName()
		m.expects = expectsOf(o.GetExpectedStreamRevision() != nil, o)
	}
	if p := all.GetProposedMessage(); p != nil {
		m.proposed, m.event = true, eventOf(p.GetId(), p)
	}
	return nil
}

// proposedMessage is what a proposed event looks like in both kinds of append.
type proposedMessage interface {
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

func eventOf(id *shared.UUID, p proposedMessage) event {
	e := event{data: p.GetData(), meta: p.GetCustomMetadata()}
	e.id, e.wrongID = identity(id)
	e.typ, e.hasType = p.GetMetadata()[keyType]
	content, hasContent := p.GetMetadata()[keyContentType]
	e.json, e.hasContent = content == contentJSON, hasContent
	return e
}

// field cuts a field of bytes off b.
func field(b []byte) (number protowire.Number, value, rest []byte, ok bool) {
	number, t, n := protowire.ConsumeTag(b)
	if n < 0 || t != protowire.BytesType {
		return 0, nil, nil, false
	}
	value, k := protowire.ConsumeBytes(b[n:])
	if k < 0 {
		return 0, nil, nil, false
	}
	return number, value, b[n+k:], true
}

// quick reports whether b was an ordinary message.
func (m *appendMessage) quick(b []byte) bool {
	number, value, rest, ok := field(b)
	if !ok || len(rest) > 0 {
		return false
	}
	switch number {
	case 1:
		m.hasOptions = true
		return m.quickOptions(value)
	case 2:
		m.proposed = true
		return m.event.quick(value)
	default:
		return false
	}
}

func (m *appendMessage) quickOptions(b []byte) bool {
	number, value, b, ok := field(b)
	if !ok || number != 1 {
		return false
	}
	m.identified = true
	if len(value) > 0 {
		var rest []byte
		if number, m.stream, rest, ok = field(value); !ok || number != 3 || len(rest) > 0 {
			return false
		}
	}
	number, t, n := protowire.ConsumeTag(b)
	switch {
	case n < 0:
		return false
	case number == 2 && t == protowire.VarintType:
		revision, k := protowire.ConsumeVarint(b[n:])
		m.expects = expects{expectsNumber, revision}
		return k > 0 && n+k == len(b)
	}
	if number < 3 || number > 5 {
		return false
	}
	m.expects.kind = expectation(number)
	return t == protowire.BytesType && len(b) == n+1 && b[n] == 0
}

func (e *event) quick(b []byte) bool {
	e.wrongID = errNoID
	var seen [5]bool
	for len(b) > 0 {
		number, value, rest, ok := field(b)
		if !ok || number > 4 || seen[number] && number != 2 {
			return false
		}
		seen[number], b = true, rest
		switch number {
		case 1:
			ok = e.quickID(value)
		case 2:
			ok = e.quickMetadata(value)
		case 3:
			e.meta = value
		default:
			e.data = value
		}
		if !ok {
			return false
		}
	}
	return true
}

func (e *event) quickMetadata(b []byte) bool {
	number, key, b, ok := field(b)
	if !ok || number != 1 || !utf8.Valid(key) {
		return false
	}
	number, value, b, ok := field(b)
	if !ok || number != 2 || len(b) > 0 || !utf8.Valid(value) {
		return false
	}
	switch string(key) {
	case keyType:
		e.typ, e.hasType = string(value), true
	case keyContentType:
		e.json, e.hasContent = string(value) == contentJSON, true
	}
	return true
}

func (e *event) quickID(b []byte) bool {
	number, value, b, ok := field(b)
	if !ok || len(b) > 0 {
		return false
	}
	e.wrongID = nil
	if number == 2 {
		e.id, e.wrongID = parseID(string(value))
		return utf8.Valid(value)
	}
	for last := protowire.Number(0); len(value) > 0; {
		half, t, n := protowire.ConsumeTag(value)
		if n < 0 || t != protowire.VarintType || half <= last || half > 2 {
			return false
		}
		bits, k := protowire.ConsumeVarint(value[n:])
		if k < 0 {
			return false
		}
		binary.BigEndian.PutUint64(e.id[8*(half-1):], bits)
		last, value = half, value[n+k:]
	}
	return number == 1
}

// discarded is a message that nobody wants any more.
type discarded struct{ size int }

func (d *discarded) decode(b []byte) error {
	d.size += len(b) + protowire.SizeVarint(uint64(len(b)))
	return nil
}
