package grpc

import (
	"google.golang.org/grpc/mem"

	"konto/eventstore"
)

// EncodeEvents encodes events one after another, as one call does.
func EncodeEvents(text bool, list ...eventstore.Recorded) (frames [][]byte) {
	var e encoder
	for i := range list {
		frames = append(frames, e.event(&list[i], list[i].ID != eventstore.ID{}, text))
	}
	return frames
}

// Appending is what the server finds in an AppendReq.
type Appending struct {
	Options, Identified bool
	Stream              string
	Expects             int
	Number              uint64
	Event               bool
	ID                  eventstore.ID
	WrongID             bool
	Type                string
	HasType, HasContent bool
	JSON                bool
	Data, Meta          string
}

// DecodeAppend decodes an AppendReq as the server does.
func DecodeAppend(b []byte) (Appending, error) {
	var m appendMessage
	if err := newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, &m); err != nil {
		return Appending{}, err
	}
	return appending(m), nil
}

// DecodeAppendSlowly decodes it with the generated type.
func DecodeAppendSlowly(b []byte) (Appending, error) {
	var m appendMessage
	if err := m.slow(b); err != nil {
		return Appending{}, err
	}
	return appending(m), nil
}

func appending(m appendMessage) Appending {
	a := Appending{
		Options: m.hasOptions, Identified: m.identified, Stream: string(m.stream), Expects: int(m.expects.kind), Number: m.expects.number,
		Event: m.proposed, WrongID: m.proposed && m.event.wrongID != nil,
		Type: m.event.typ, HasType: m.event.hasType, HasContent: m.event.hasContent, JSON: m.event.json,
		Data: string(m.event.data), Meta: string(m.event.meta),
	}
	if !a.WrongID {
		a.ID = m.event.id
	}
	return a
}

// Quick reports whether the server reads b without the generated type.
func Quick(b []byte) bool {
	var m appendMessage
	return m.quick(b)
}
