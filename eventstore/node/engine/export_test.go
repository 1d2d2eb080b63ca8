package engine

import (
	"encoding/binary"

	"konto/eventstore"
)

// ParseMetadata reads the data of a metadata event.
func ParseMetadata(data []byte, binary bool) (Metadata, error) {
	return parseMetadata(&eventstore.Recorded{Event: eventstore.Event{Data: data, Binary: binary}})
}

// Metrics returns pebble's own figures as text.
func (s *Store) Metrics() string { return s.db.Metrics().String() }

// HasTables reports whether a long read may take the events after a position
// out of tables.
func (s *Store) HasTables(position uint64) bool { return s.scanTables(position) != nil }

// NotedEnd returns the position that the file says the log reaches.
func (s *Store) NotedEnd() (uint64, error) {
	_, noted, err := openSlots(s.fence.FS, s.fence.PathJoin(s.path, logGuardName), 8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(noted), nil
}
