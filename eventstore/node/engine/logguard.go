package engine

import (
	"encoding/binary"
	"time"
)

// pebble takes damage to the end of its log for a write the power cut off. So
// the store notes in a file of its own, now and then, how far the log has got;
// what Open finds must reach as far. It is not synced: it names what was
// durable before, so whatever a power cut leaves of it is true. Positions are
// never taken back: a scavenge keeps the newest event.

const (
	logGuardName = "log.guard"
	// logGuardEvery is the pause between two notes. Each is a write of 20 bytes to
	// the system's cache.
	logGuardEvery = 50 * time.Millisecond
)

// logGuard notes the position of the newest durable event. Open, then one
// goroutine and at last Close use it.
type logGuard struct {
	slots *slots
	noted uint64
	moved chan struct{} // holds a token when there is something to note
}

// checkEnd compares the end of the log with what was noted. A store that has no
// note, as those of earlier versions, passes.
func (s *Store) checkEnd() error {
	f, noted, err := openSlots(s.fence.FS, s.fence.PathJoin(s.path, logGuardName), 8)
	if err != nil {
		return err
	}
	s.logGuard.slots, s.logGuard.moved = f, make(chan struct{}, 1)
	if noted == nil {
		return s.logGuard.write(s.durable.Load())
	}
	s.logGuard.noted = binary.LittleEndian.Uint64(noted)
	if found := s.durable.Load(); found < s.logGuard.noted {
		return corrupt("the log ends at position %d, there was an event at %d", found, s.logGuard.noted)
	}
	return nil
}

func (g *logGuard) write(position uint64) error {
	g.noted = position
	return g.slots.write(binary.LittleEndian.AppendUint64(nil, position), false)
}

// noteEnd notes the end of the log if it has moved.
func (s *Store) noteEnd() {
	if end := s.durable.Load(); end > s.logGuard.noted && s.failure() == nil {
		if err := s.logGuard.write(end); err != nil {
			s.fence.fail(err)
		}
	}
}

// endMoved says that there is something to note. It does not wait.
func (s *Store) endMoved() {
	select {
	case s.logGuard.moved <- struct{}{}:
	default:
	}
}

// guardEnd notes the end of the log when it moves, and then not for a while.
func (s *Store) guardEnd() {
	defer s.running.Done()
	pause := time.NewTicker(logGuardEvery)
	defer pause.Stop()
	for {
		select {
		case <-s.logGuard.moved:
			s.noteEnd()
		case <-s.closed:
			return
		}
		pause.Reset(logGuardEvery)
		select {
		case <-pause.C:
		case <-s.closed:
			return
		}
	}
}
