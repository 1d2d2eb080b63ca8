package grpc

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// decoder is a message that the codec lets decode itself.
type decoder interface{ decode(b []byte) error }

// appendMessage is an AppendReq: options, or an event. Every append has at least
// two of them, so they are read without the maps of the generated type.
type appendMessage struct {
	options  *streams.AppendReq_Options
	proposed bool
	event    event
}

func (m *appendMessage) decode(b []byte) error {
	var all streams.AppendReq
	if err := proto.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	m.options = all.GetOptions()
	if p := all.GetProposedMessage(); p != nil {
		m.proposed = true
		m.event.take(p)
	}
	return nil
}

// proposedMessage is what a proposed event looks like in both kinds of append.
type proposedMessage interface {
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

func (e *event) take(p proposedMessage) {
	e.data, e.meta = p.GetData(), p.GetCustomMetadata()
	e.typ, e.hasType = p.GetMetadata()[keyType]
	e.content, e.hasContent = p.GetMetadata()[keyContentType]
	switch p := p.(type) {
	case *streams.AppendReq_ProposedMessage:
		e.id = p.GetId()
	case *streams.BatchAppendReq_ProposedMessage:
		e.id = p.GetId()
	}
}

// discarded is a message that nobody wants any more.
type discarded struct{ size int }

func (d *discarded) decode(b []byte) error {
	d.size += len(b) + protowire.SizeVarint(uint64(len(b)))
	return nil
}
