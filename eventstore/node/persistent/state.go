package persistent

import (
	"math"
	"time"

	"konto/eventstore"
)

// state is a group. Its methods are what may happen to it; they do no I/O, and
// time is an argument. Nothing here may be used by two goroutines.
//
// A message is in one place at a time: live or history (it waits for its first
// consumer), with a consumer, retry or replay (it waits for another one), or
// among those that are being parked.
type state struct {
	all       bool
	settings  Settings
	strategy  strategy
	consumers []*consumer // in the order they came

	retry, replay, history, live queue
	open, reopened               unfinished // of the source; of the parked stream
	toPark, parking              []parked   // decided; being written

	seen     place  // what was read of the source, wanted or not
	seq      uint64 // of the last message from the source
	caughtUp bool

	resumed  place // where a restart would resume
	stored   bool  // a checkpoint says so
	storedAt time.Time
	finished int // events since

	parkedEnd eventstore.Revision // of the parked stream, exclusive
	replayAt  eventstore.Revision // the first parked message that was not read again
	replayTo  eventstore.Revision // where the replay ends, exclusive
	truncated eventstore.Revision // where the parked stream begins

	meter meter
}

// parked is a message on its way to the parked stream.
type parked struct {
	*message
	reason string
	at     time.Time
	id     eventstore.ID // of the event there
}

// chunk is what was read of the source at once.
type chunk struct {
	messages []*message
	skipped  int   // events that were not wanted
	seen     place // the last event
	live     bool  // there was no more
	err      error // the source cannot be read any more
}

// room reports whether a chunk would be welcome. Once it has caught up a group
// holds live_buffer_size events more, so that it can stay with its source.
func (s *state) room() bool {
	limit := s.settings.HistoryBufferSize
	if s.caughtUp {
		limit += s.settings.LiveBufferSize
	}
	if len(s.history.items)+len(s.live.items)+s.settings.ReadBatchSize <= limit {
		return true
	}
	s.caughtUp = false
	return false
}

func (s *state) accept(c chunk) {
	for _, m := range c.messages {
		s.seq++
		m.seq, m.bucket = s.seq, -1
		s.open.add(m)
		s.live.push(m)
	}
	s.refill()
	s.finished += c.skipped
	if c.skipped > 0 || len(c.messages) > 0 {
		s.seen = c.seen
	}
	s.caughtUp = c.live || s.caughtUp
}

// refill moves events from live to history.
func (s *state) refill() {
	room := s.settings.HistoryBufferSize - len(s.history.items)
	s.live.sweep(func(m *message) verdict {
		if room <= 0 {
			return stopped
		}
		room--
		s.history.push(m)
		return given
	})
}

func (s *state) join(c *consumer) error {
	if limit := s.settings.MaxSubscriberCount; limit > 0 && len(s.consumers) >= limit {
		return ErrSubscriberLimit
	}
	if s.settings.ExtraStatistics {
		c.latency = &latency{}
	}
	s.consumers = append(s.consumers, c)
	s.strategy.joined(c, s.consumers)
	return nil
}

// leave takes back what c has. What it never fetched does not count as tried.
func (s *state) leave(c *consumer, now time.Time) {
	rest := make([]*consumer, 0, len(s.consumers))
	for _, o := range s.consumers {
		if o != c {
			rest = append(rest, o)
		}
	}
	if len(rest) == len(s.consumers) {
		return
	}
	s.consumers = rest
	s.strategy.left(c)
	for _, m := range c.holding() {
		s.giveUp(m, "the consumer was lost", now)
	}
}

// giveUp takes a message from its holder, for somebody else.
func (s *state) giveUp(m *message, why string, now time.Time) {
	taken := m.taken
	m.holder.release(m)
	switch {
	case !taken:
		s.requeue(m)
	case m.retries >= s.settings.MaxRetryCount:
		s.park(m, "the retry limit was reached: "+why, now)
	default:
		m.retries++
		s.requeue(m)
	}
}

func (s *state) requeue(m *message) {
	if m.replayed {
		s.replay.insert(m)
	} else {
		s.retry.insert(m)
	}
}

func (s *state) ack(c *consumer, ids []eventstore.ID, now time.Time) {
	for _, id := range ids {
		if m := c.answered(id); m != nil {
			if c.latency != nil {
				c.latency.add(now.Sub(m.since))
			}
			c.release(m)
			s.finish(m)
		}
	}
}

func (s *state) nack(c *consumer, ids []eventstore.ID, action Action, reason string, now time.Time) {
	for _, id := range ids {
		m := c.answered(id)
		if m == nil {
			continue
		}
		switch action {
		case Park:
			c.release(m)
			s.park(m, reason, now)
		case Skip, Stop:
			c.release(m)
			s.finish(m)
		default:
			s.giveUp(m, reason, now)
		}
	}
}

// finish is the end of a message.
func (s *state) finish(m *message) {
	if m.replayed {
		s.reopened.remove(m)
		return
	}
	s.open.remove(m)
	s.finished++
}

func (s *state) park(m *message, reason string, now time.Time) {
	s.toPark = append(s.toPark, parked{message: m, reason: reason, at: now})
}

// beginPark returns what must be written to the parked stream next: the same
// until endPark is called, so that a write whose outcome is not known can be
// repeated.
func (s *state) beginPark(most int) []parked {
	if len(s.parking) == 0 {
		n := min(most, len(s.toPark))
		s.parking, s.toPark = s.toPark[:n:n], s.toPark[n:]
	}
	return s.parking
}

// endPark says that what beginPark returned was written, the last of it as
// revision last.
func (s *state) endPark(last eventstore.Revision) {
	for _, p := range s.parking {
		s.finish(p.message)
	}
	s.parking, s.parkedEnd = nil, last+1
}

// expire takes messages back whose consumers did not answer in time.
func (s *state) expire(now time.Time) {
	for _, c := range s.consumers {
		for _, m := range c.holding() {
			if now.Sub(m.since) >= s.settings.MessageTimeout {
				s.giveUp(m, "no answer in time", now)
			}
		}
	}
}

// pump gives what waits to those who have room: retries first, then replayed
// messages, then new ones.
func (s *state) pump(now time.Time) {
	free := 0
	for _, c := range s.consumers {
		free += min(c.Slots-c.count, math.MaxInt32)
	}
	give := func(m *message) verdict {
		if free <= 0 {
			return stopped
		}
		c := s.strategy.pick(m, s.consumers)
		if c == nil {
			if s.strategy.overtakes() {
				return skipped
			}
			return stopped
		}
		free--
		c.give(m, now)
		s.meter.count++
		return given
	}
	s.retry.sweep(give)
	s.replay.sweep(give)
	for before := -1; free > 0 && len(s.history.items) != before; s.refill() {
		before = len(s.history.items)
		s.history.sweep(give)
	}
}

// resume is where the group would go on if everything but the checkpoint were lost.
func (s *state) resume() place {
	if m := s.open.oldest(); m != nil {
		return m.before
	}
	return s.seen
}

// due reports whether a checkpoint is, and where.
func (s *state) due(now time.Time, timer bool) (place, bool) {
	enough := s.finished >= max(s.settings.MaxCheckpointCount, 1)
	if timer && s.settings.CheckpointAfter > 0 {
		enough = enough || s.finished >= s.settings.MinCheckpointCount && now.Sub(s.storedAt) >= s.settings.CheckpointAfter
	}
	if !enough {
		return place{}, false
	}
	p := s.resume()
	return p, p != s.resumed
}

// checkpointed says that a checkpoint at p was written, and how many events
// were finished when it was begun.
func (s *state) checkpointed(p place, finished int, now time.Time) {
	s.resumed, s.stored, s.storedAt = p, true, now
	s.finished -= finished
}

// startReplay brings parked messages back, those before revision stopAt.
func (s *state) startReplay(stopAt eventstore.Revision) {
	s.replayTo = max(s.replayTo, min(stopAt, s.parkedEnd))
}

func (s *state) replaying() bool { return s.replayAt < s.replayTo }

// wantsReplayed reports whether a page of parked messages would be welcome.
func (s *state) wantsReplayed() bool {
	return s.replaying() && len(s.replay.items) < s.settings.HistoryBufferSize
}

// replayed adds a page of parked messages; the next one begins at next.
func (s *state) replayed(page []*message, next eventstore.Revision) {
	for _, m := range page {
		m.replayed, m.bucket = true, -1
		s.reopened.add(m)
		s.replay.insert(m)
	}
	s.replayAt = next
}

// finishedParked is the revision before which parked messages are finished.
func (s *state) finishedParked() eventstore.Revision {
	if m := s.reopened.oldest(); m != nil {
		return eventstore.Revision(m.seq) //nolint:gosec // it was one
	}
	return s.replayAt
}
