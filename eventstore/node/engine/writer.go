package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"konto/eventstore"
)

// writer is the state of the goroutine that runs [Store.write]; nobody else
// touches it, except groups.
type writer struct {
	next  uint64 // position of the next event
	heads *simplelru.LRU[string, head]
	facts map[string]fact // of the group
	// With Config.Indexes:
	ordinals *simplelru.LRU[string, uint64] // of the next event of an index
	postings postings                       // of the group
	looked   int                            // heads the group has asked for
	ids      *idCache
	groups   chan *group // to acknowledge, in order

	sincePace  int // bytes written since the last look at pebble's debt
	key, value []byte
	pieces     [][]byte // of a chunk
}

// group is what becomes durable with one sync.
type group struct {
	batch    *pebble.Batch // nil if the group stores nothing
	requests []*request
	events   []eventstore.Recorded
	indexes  []indexName // that have grown
	stored   int         // events of requests
	bytes    int         // of their records
	began    time.Time
}

const (
	// firstPosition leaves 0 to mean "before every event".
	firstPosition = 64
	// maxGroupBytes bounds a group, so that it fits into half a memtable of
	// 8 MiB (pebble treats larger batches differently) and no append waits for
	// megabytes of others.
	maxGroupBytes = 2 << 20
	// maxChunkBytes bounds a chunk of more than one record. A chunk this long
	// fills a block of a table, and is what must be read to get at one event.
	maxChunkBytes = 16 << 10
	// maxGroups is how many groups may wait for their sync while the next one
	// is put together. More of them would be smaller ones.
	maxGroups = 1
)

func (s *Store) startWriter() error {
	w := &s.writer
	w.groups = make(chan *group, maxGroups)
	heads, err := simplelru.NewLRU[string, head](s.config.CachedHeads, nil)
	if err != nil {
		return err
	}
	w.heads, w.ids, w.next = heads, newIDCache(s.config.RememberedIDs), firstPosition
	w.facts = map[string]fact{}
	return s.remember()
}

// remember learns the end of the log and the newest IDs.
func (s *Store) remember() error {
	type event struct {
		id eventstore.ID
		place
	}
	var newest []event // and no more of them: data would be megabytes
	back := eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward, Limit: s.config.RememberedIDs}
	for r, err := range s.readAll(context.Background(), back, everything) {
		if err != nil {
			return err
		}
		if len(newest) == 0 {
			s.writer.next = r.Position.Commit + uint64(recordLen(r.Stream, &r.Event)) //nolint:gosec // positive
			s.durable.Store(r.Position.Commit)
		}
		newest = append(newest, event{r.ID, placeOf(&r)})
	}
	for _, e := range slices.Backward(newest) {
		s.writer.ids.add(e.id, e.place)
	}
	s.tail.floor = s.durable.Load()
	return nil
}

// write takes all appends that wait, puts them into one batch and starts to
// write it, again and again, until the store is closed.
func (s *Store) write() {
	defer s.running.Done()
	defer close(s.writer.groups)
	var spare []*request
	for {
		s.queue.Lock()
		requests, closed := s.queue.waiting, s.queue.closed
		s.queue.waiting = spare[:0]
		s.queue.Unlock()
		if closed {
			for _, r := range requests {
				if r.state.CompareAndSwap(waiting, taken) {
					r.err = eventstore.ErrClosed
					r.done <- struct{}{}
				}
			}
			return
		}
		spare = requests
		if len(requests) == 0 {
			<-s.queue.filled
			continue
		}
		s.pace()
		for rest := requests; len(rest) > 0; {
			rest = s.commit(rest)
		}
		clear(requests)
	}
}

// headsOfOne is how many heads one request may ask for.
const headsOfOne = 6

// commit starts to write one group of requests and returns the others. A group
// asks for no more heads than there is room for: the head of a stream that the
// group writes to must stay in memory until the batch can be read.
func (s *Store) commit(requests []*request) []*request {
	w := &s.writer
	w.looked = 0
	g := &group{began: s.now(), requests: make([]*request, 0, len(requests))}
	for len(requests) > 0 && g.bytes < maxGroupBytes && (w.looked == 0 || w.looked+headsOfOne <= s.config.CachedHeads) {
		r := requests[0]
		h, err := s.head(r.target)
		if g.stored > 0 && (r.mayRepeat(h) || h.deleted) {
			break // what it has to look at may be in this batch, where it cannot be read yet
		}
		requests = requests[1:]
		if !r.state.CompareAndSwap(waiting, taken) {
			continue
		}
		g.requests = append(g.requests, r)
		if broken := s.failure(); broken != nil {
			err = unavailable(r, broken)
		}
		if err == nil {
			err = s.process(g, r, h)
		}
		if err != nil {
			r.result, r.stored, r.err = eventstore.Appended{}, false, err
			if r.stopped != nil {
				*r.stopped = true
			}
		}
	}
	if g.stored > 0 {
		if err := s.seal(g); err != nil {
			s.fence.fail(err) // an index that cannot be read must not get a hole
			g.batch = nil
		} else if err := s.db.ApplyNoSyncWait(g.batch, pebble.Sync); err != nil {
			s.fence.fail(err) // impossible as far as pebble's code says
			g.batch = nil
		}
		w.sincePace += g.bytes
	}
	if len(g.requests) > 0 {
		w.groups <- g
	}
	return requests
}

// process decides a request and adds what it stores to the group.
func (s *Store) process(g *group, r *request, h head) (err error) {
	if r.result, r.stored, err = s.decide(r, h); err != nil || !r.stored {
		return err
	}
	if r.kind == imports {
		return s.addImport(g, r, h)
	}
	if _, ok := describes(r.stream); ok || h.deleted || r.kind != appends {
		return s.addFact(g, r)
	}
	r.result.Position = s.add(g, &r.part, r.result.Revision)
	return nil
}

// add gives the events of a part their places, the last one the given revision.
// It returns the position of the last.
func (s *Store) add(g *group, p *part, last eventstore.Revision) (at eventstore.Position) {
	w := &s.writer
	revision := uint64(last) + 1 - uint64(len(p.events)) //nolint:gosec // decide: at least len(events)-1
	records := p.records
	for i := range p.events {
		e := &p.events[i]
		n := recordSize(records)
		e.Revision, e.At = eventstore.Revision(revision), cmp.Or(e.At, g.began) //nolint:gosec // below 2^63
		finishRecord(records[:n], w.next, revision, e.At)
		e.Position = eventstore.Position{Commit: w.next, Prepare: w.next}
		w.ids.add(e.ID, placeOf(e))
		at = e.Position
		records = records[n:]
		w.next += uint64(n) //nolint:gosec // positive
		revision++
	}
	w.heads.Add(p.stream, head{revision: last})
	g.stored += len(p.events)
	g.bytes += len(p.records)
	return at
}

// batchOverhead is about what a request adds to a batch besides its records.
const batchOverhead = 128

// seal makes the group's batch.
func (s *Store) seal(g *group) error {
	w := &s.writer
	g.batch = s.db.NewBatchWithSize(g.bytes + batchOverhead*len(g.requests))
	g.events = make([]eventstore.Recorded, 0, g.stored)
	size, end := 0, w.next-uint64(g.bytes) //nolint:gosec // not negative
	for _, r := range g.requests {
		if !r.stored {
			continue
		}
		size, end = s.sealPart(g, &r.part, size, end)
		if r.also != nil {
			size, end = s.sealPart(g, r.also, size, end)
		}
	}
	s.addChunk(g, end, size)
	s.sealFacts(g)
	if !s.config.Indexes {
		return nil
	}
	var err error
	g.indexes, err = s.sealIndexes(g.batch, g.events[len(g.events)-1].Position.Commit)
	return err
}

// sealPart adds a part to the batch, and to the chunk that has size bytes so
// far and ends at end.
func (s *Store) sealPart(g *group, p *part, size int, end uint64) (int, uint64) {
	w := &s.writer
	first, last := &p.events[0], &p.events[len(p.events)-1]
	run := run{first: first.Position.Commit, last: last.Position.Commit, revision: uint64(first.Revision), count: uint64(len(p.events))} //nolint:gosec // not negative
	w.key = runKey(w.key, p.stream, run.revision)
	w.value = appendRun(w.value, w.key, run)
	_ = g.batch.Set(w.key, w.value, nil) // a batch in memory: never fails
	g.events = append(g.events, p.events...)
	if s.config.Indexes {
		w.postings.post(p)
	}
	for records := p.records; len(records) > 0; {
		n := fit(records, maxChunkBytes-size)
		if n == 0 && size == 0 {
			n = recordSize(records) // a long one has a chunk of its own
		}
		if n > 0 {
			w.pieces = append(w.pieces, records[:n])
			size, end, records = size+n, end+uint64(n), records[n:]
		}
		if len(records) > 0 {
			s.addChunk(g, end, size)
			size = 0
		}
	}
	return size, end
}

// fit returns the length of as many whole records as there is room for.
func fit(records []byte, room int) (n int) {
	if len(records) <= room {
		return len(records)
	}
	for n < len(records) {
		size := recordSize(records[n:])
		if n+size > room {
			break
		}
		n += size
	}
	return n
}

// addChunk puts the pieces, which make up size bytes, into the batch.
func (s *Store) addChunk(g *group, end uint64, size int) {
	if size == 0 {
		return
	}
	w := &s.writer
	op := g.batch.SetDeferred(chunkKeyLen, chunkHead+size)
	chunkKey(op.Key, end)
	n := chunkHead
	for _, piece := range w.pieces {
		n += copy(op.Value[n:], piece)
	}
	sealChunk(op.Value, s.mark, end)
	_ = op.Finish()
	clear(w.pieces)
	w.pieces = w.pieces[:0]
}

// acknowledge waits for the sync of each group, shows its events to readers and
// then answers its requests.
func (s *Store) acknowledge() {
	defer s.running.Done()
	for g := range s.writer.groups {
		var cause error
		if g.batch != nil {
			cause = g.batch.SyncWait()
			if cause != nil {
				s.fence.fail(cause)
			}
		}
		if failed := s.failure(); failed != nil {
			cause = failed
		}
		if cause == nil && len(g.events) > 0 {
			s.durable.Store(g.events[len(g.events)-1].Position.Commit)
			s.tail.publish(g.events, g.bytes)
			s.watch.publish(g.events, g.indexes)
			s.endMoved()
		}
		for _, r := range g.requests {
			r.answer(cause)
		}
		if g.batch != nil {
			_ = g.batch.Close() // nothing to report: memory goes back to a pool
		}
		if cause != nil {
			continue
		}
		s.config.Listener.Committed(Group{Appends: len(g.requests), Events: len(g.events), Bytes: g.bytes, Took: s.now().Sub(g.began)})
	}
}

// Bounds of pebble's debt: beyond them appends wait, as they would in pebble.
const (
	maxMemTables  = 4
	maxL0         = 24
	paceBytes     = 4 << 20
	pacePollEvery = 2 * time.Millisecond
)

// indebted reports whether flushes and compactions lag behind.
func (s *Store) indebted() bool {
	m := s.db.Metrics()
	limit := uint64(maxMemTables * s.config.MemTableBytes) //nolint:gosec // positive
	return m.MemTable.Size > limit || m.Levels[0].Sublevels > maxL0
}

// pace waits until flushes and compactions have caught up.
func (s *Store) pace() {
	if s.writer.sincePace < paceBytes {
		return
	}
	s.writer.sincePace = 0
	slowed := false
	for s.failure() == nil && s.indebted() {
		if !slowed {
			slowed = true
			s.config.Listener.Slowed(true)
		}
		poll := time.NewTimer(pacePollEvery)
		select {
		case <-poll.C:
		case <-s.closed:
			poll.Stop()
			return
		}
	}
	if slowed {
		s.config.Listener.Slowed(false)
	}
}
