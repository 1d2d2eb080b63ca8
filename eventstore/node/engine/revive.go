package engine

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"konto/eventstore"
)

// addFact adds what a request stores to the group and changes the facts about a
// stream accordingly: about one that ends, that comes back after a soft delete,
// or whose metadata is written. All that can go wrong goes wrong before
// anything is added.
func (s *Store) addFact(g *group, r *request) error {
	subject := r.target
	if described, ok := describes(r.target); ok {
		subject = described
	}
	f, err := s.groupFact(subject)
	if err != nil {
		return err
	}
	about, err := s.head(subject)
	if err != nil {
		return err
	}
	if r.kind == appends && about.deleted {
		if err := s.revive(r, f, about); err != nil {
			return err
		}
	}
	last := r.result.Revision + 1 // of what is also written
	if r.also != nil && r.also.stream != r.stream {
		m, err := s.head(r.also.stream)
		if err != nil {
			return err
		}
		last = m.revision + 1
	}
	r.result.Position = s.add(g, &r.part, r.result.Revision)
	if r.also != nil {
		s.add(g, r.also, last)
	}
	if subject == r.stream {
		about.revision = r.result.Revision
	}
	f.learn(r)
	s.writer.facts[subject] = f
	s.writer.heads.Add(subject, head{revision: about.revision, deleted: f.truncateBefore == deleted})
	return nil
}

// groupFact returns the facts about a stream, those included that the group
// changes.
func (s *Store) groupFact(stream string) (fact, error) {
	if f, ok := s.writer.facts[stream]; ok {
		return f, nil
	}
	return s.newestFact(stream)
}

// learn takes over what a request that is about to be written says.
func (f *fact) learn(r *request) {
	newest := &r.part
	switch {
	case r.kind == tombstones:
		f.tombstone = r.result.Position.Commit
		return
	case r.also != nil:
		newest = r.also
	}
	e := &newest.events[len(newest.events)-1]
	m, _ := parseMetadata(e) // what cannot be parsed is none
	f.metadata = e.Position.Commit
	f.limit(m)
}

// sealFacts adds the facts that the group changes to its batch.
func (s *Store) sealFacts(g *group) {
	w := &s.writer
	if len(w.facts) == 0 {
		return
	}
	s.facts.Store(true) // before anybody can see the events
	for stream, f := range w.facts {
		w.key = factKey(w.key, stream)
		w.value = appendFact(w.value, w.key, f)
		_ = g.batch.Set(w.key, w.value, nil) // a batch in memory: never fails
	}
	clear(w.facts)
}

// revive finds out what metadata has to be written with a request because a
// deleted stream comes back: with its first new event, or empty with its new
// metadata.
func (s *Store) revive(r *request, f fact, about head) error {
	var metadata eventstore.Recorded
	metastream := r.stream
	if _, ok := describes(r.stream); ok {
		metadata = r.events[len(r.events)-1]
	} else {
		metastream = metadataPrefix + r.stream
		if _, err := s.eventAt(f.metadata, &metadata); err != nil {
			return err
		}
	}
	data, ok := truncate(&metadata, about.revision+1)
	if ok { // or it is no metadata either
		p := newPart(metastream, []eventstore.Event{{ID: s.config.NewID(), Type: metadataType, Data: data}})
		r.also = &p
	}
	return nil
}

// truncated is the key of the metadata that truncates a stream.
const truncated = "$tb"

// truncate returns metadata that truncates before first. All other keys stay as
// they are, and in their order.
func truncate(metadata *eventstore.Recorded, first eventstore.Revision) ([]byte, bool) {
	if _, err := parseMetadata(metadata); err != nil {
		return nil, false
	}
	tb, out, done := strconv.FormatInt(int64(first), 10), []byte{'{'}, false
	d := decodeJSON(metadata.Data)
	err := members(d, func(key string) error {
		value, err := d.ReadValue()
		if err != nil || key == truncated && done {
			return err
		}
		if key == truncated {
			value, done = jsontext.Value(tb), true
		}
		name, err := jsontext.AppendQuote(nil, key)
		out = append(append(append(append(out, name...), ':'), value...), ',')
		return err
	})
	if !done {
		out = append(append(out, `"`+truncated+`":`...), tb...)
	}
	return append(bytes.TrimSuffix(out, []byte{','}), '}'), err == nil
}
