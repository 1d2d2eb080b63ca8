package engine

// Metrics returns pebble's own figures as text.
func (s *Store) Metrics() string { return s.db.Metrics().String() }

// HasTables reports whether a long read may take the events after a position
// out of tables.
func (s *Store) HasTables(position uint64) bool { return s.scanTables(position) != nil }
