package engine

// Metrics returns pebble's own figures as text.
func (s *Store) Metrics() string { return s.db.Metrics().String() }
