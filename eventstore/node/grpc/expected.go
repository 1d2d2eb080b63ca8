package grpc

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
)

// expects is what a write expects of a stream, as clients say it. The kinds are
// the numbers of the fields in the options of an append.
type expects struct {
	kind   expectation
	number uint64
}

type expectation int8

const (
	expectsUnsaid expectation = iota
	_
	expectsNumber
	expectsNoStream
	expectsAny
	expectsStream
)

// expecting are options of a write.
type expecting interface {
	GetRevision() uint64
	GetNoStream() *shared.Empty
	GetAny() *shared.Empty
	GetStreamExists() *shared.Empty
}

// expectsOf reads the options of a write; said reports whether the oneof is set.
func expectsOf(said bool, o expecting) expects {
	switch {
	case !said:
		return expects{}
	case o.GetAny() != nil:
		return expects{kind: expectsAny}
	case o.GetNoStream() != nil:
		return expects{kind: expectsNoStream}
	case o.GetStreamExists() != nil:
		return expects{kind: expectsStream}
	}
	return expects{expectsNumber, o.GetRevision()}
}

// revision is what the store expects then.
func (e expects) revision() (eventstore.Revision, error) {
	switch e.kind {
	case expectsAny:
		return eventstore.Any, nil
	case expectsNoStream:
		return eventstore.NoStream, nil
	case expectsStream:
		return eventstore.StreamExists, nil
	case expectsNumber:
		return revision(e.number, eventstore.NoStream)
	case expectsUnsaid:
	}
	return 0, unhandled("a write without an expected revision")
}
