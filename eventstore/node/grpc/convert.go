package grpc

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
)

// ticks is a time on the wire: hundreds of nanoseconds since 1970.
func ticks(t time.Time) int64 { return t.UnixNano() / 100 }

// structured is an ID on the wire: the two halves of its bytes, big endian.
func structured(id eventstore.ID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])), //nolint:gosec // the same bits
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])), //nolint:gosec // the same bits
	}}}
}

func text(id eventstore.ID) string {
	return string(appendText(nil, id))
}

// appendText appends the canonical form of an ID, 36 bytes.
func appendText(b []byte, id eventstore.ID) []byte {
	for i, half := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, half)
	}
	return b
}

// identity reads an ID in either form.
func identity(u *shared.UUID) (eventstore.ID, error) {
	switch v := u.GetValue().(type) {
	case *shared.UUID_Structured_:
		var id eventstore.ID
		binary.BigEndian.PutUint64(id[:8], uint64(v.Structured.GetMostSignificantBits()))  //nolint:gosec // the same bits
		binary.BigEndian.PutUint64(id[8:], uint64(v.Structured.GetLeastSignificantBits())) //nolint:gosec // the same bits
		return id, nil
	case *shared.UUID_String_:
		return parseID(v.String_)
	}
	return eventstore.ID{}, errNoID
}

// parseID takes the canonical form, in upper or lower case.
func parseID(s string) (eventstore.ID, error) {
	var id eventstore.ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, fmt.Errorf("a UUID of %d bytes", len(s))
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return id, fmt.Errorf("parse UUID: %w", err)
	}
	return id, nil
}

// streamName reads a stream's name.
func streamName(i *shared.StreamIdentifier) (string, error) {
	return nameOf(i.GetStreamName(), i != nil)
}

func nameOf(name []byte, there bool) (string, error) {
	if !there || !utf8.Valid(name) {
		return "", invalidArgument("the stream identifier is missing or not UTF-8")
	}
	return string(name), nil
}

// target is the name of a stream that is written to.
func target(name []byte, there bool) (string, error) {
	if there && len(name) == 0 {
		return "", unhandled("a stream without a name")
	}
	return nameOf(name, there)
}

// revision reads a revision that a client gave as a number. Those from 2^63 on
// do not exist, except the last one, which stands for another constant.
func revision(n uint64, last eventstore.Revision) (eventstore.Revision, error) {
	switch {
	case n == math.MaxUint64:
		return last, nil
	case n > math.MaxInt64:
		return 0, unhandled("revision %d", n)
	}
	return eventstore.Revision(n), nil
}
