package engine

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"konto/eventstore"
)

// indexedKey is where a store notes the position up to which its indexes are
// complete. Each group moves it while Config.Indexes is on; what was written
// while it was off is found by it later.
func indexedKey() []byte { return []byte("\x6dindexed") } // metaPrefix

// buildEvents is how many events are indexed at once when indexes are built.
const buildEvents = 1 << 14

// startIndexes makes the indexes complete.
func (s *Store) startIndexes() error {
	if !s.config.Indexes {
		return nil
	}
	w := &s.writer
	ordinals, err := simplelru.NewLRU[string, uint64](s.config.CachedHeads, nil)
	if err != nil {
		return err
	}
	w.ordinals, w.postings.at = ordinals, map[indexName]int{}
	done, err := s.indexedUpTo()
	if err != nil || done >= s.durable.Load() {
		return err
	}
	events := 0
	from := eventstore.ReadAll{From: eventstore.Position{Commit: done, Prepare: done}}
	for r, err := range s.readAll(context.Background(), from, 0) {
		if err != nil {
			return err
		}
		w.postings.post(&part{stream: r.Stream, events: []eventstore.Recorded{r}})
		done = r.Position.Commit
		if events++; events%buildEvents == 0 {
			if err := s.saveIndexes(done); err != nil {
				return err
			}
		}
	}
	return s.saveIndexes(done)
}

func (s *Store) indexedUpTo() (uint64, error) {
	value, closer, err := s.db.Get(indexedKey())
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, readError(err)
	}
	defer closer.Close() //nolint:errcheck // always nil
	if len(value) != 8 {
		return 0, corrupt("note about indexes of %d bytes", len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

// saveIndexes writes what was gathered. A power cut loses no more than the time
// it took: the note is in the same batch.
func (s *Store) saveIndexes(done uint64) error {
	batch := s.db.NewBatch()
	if _, err := s.sealIndexes(batch, done); err != nil {
		return err
	}
	s.writer.sincePace += batch.Len()
	if err := s.db.Apply(batch, pebble.Sync); err != nil {
		return err
	}
	s.pace()
	return s.failure()
}
