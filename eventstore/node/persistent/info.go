package persistent

import (
	"context"
	"errors"
	"strings"
)

// Info is what is to be known about a group. Counts are of now.
type Info struct {
	Definition
	Status           string // "Live" or "Behind", perhaps after "ReplayingParkedMessages, "
	StartFrom        string // as EventStoreDB writes it: "0", "-1", "C:1/P:1"
	LastCheckpointed string // "" if there is none
	LastKnown        string // the newest event of the source; "" if there is none
	Connections      []Connection

	AveragePerSecond int32 // messages given to consumers, in the last second that was measured
	TotalItems       int64 // messages given to consumers since the group started
	SinceMeasured    int64 // of these, since the rate was measured
	ReadBuffer       int   // events that wait for consumers
	LiveBuffer       int   // events that wait behind these
	RetryBuffer      int   // messages that wait to be tried again, replayed ones included
	InFlight         int   // messages that consumers have
	Outstanding      int   // in flight, to be tried again, or being parked
	Parked           int64 // messages in the parked stream that were not replayed
}

// Connection is a consumer of a group.
type Connection struct {
	Consumer
	AveragePerSecond int32
	TotalItems       int64
	SinceMeasured    int64
	Measurements     []Measurement // nil without ExtraStatistics
	AvailableSlots   int
	InFlight         int
}

// Milliseconds are the times of the settings as the protocol has them.
func (s Settings) Milliseconds() (messageTimeout, checkpointAfter int32) {
	return milliseconds(s.MessageTimeout), milliseconds(s.CheckpointAfter)
}

// Info describes a group. Errors: [ErrNotFound], [ErrNotReady], the store's, ctx's.
func (g *Groups) Info(ctx context.Context, key Key) (Info, error) {
	r, err := g.find(key)
	if err != nil {
		return Info{}, err
	}
	info, err := g.describe(ctx, r)
	if errors.Is(err, ErrDropped) {
		err = ErrNotReady
	}
	return info, err
}

// List describes all groups, or those of a stream, by stream and name. Errors:
// [ErrNotFound] if the stream has none, [ErrNotReady], the store's, ctx's.
func (g *Groups) List(ctx context.Context, stream string) ([]Info, error) {
	if _, err := g.find(Key{}); errors.Is(err, ErrNotReady) {
		return nil, err
	}
	var list []Info
	for _, r := range g.all() {
		if stream != "" && r.Stream != stream {
			continue
		}
		switch info, err := g.describe(ctx, r); {
		case err == nil:
			list = append(list, info)
		case !errors.Is(err, ErrDropped): // it was deleted meanwhile
			return nil, err
		}
	}
	if stream != "" && len(list) == 0 {
		return nil, ErrNotFound
	}
	return list, nil
}

// describe asks a group.
func (g *Groups) describe(ctx context.Context, r *group) (Info, error) {
	var info Info
	if err := r.do(ctx, func() { info = r.state.info() }); err != nil {
		return info, err
	}
	info.Definition, info.StartFrom = r.Definition, r.Start.text(r.all())
	if strings.HasSuffix(info.Status, behind) {
		end, err := g.end(ctx, r.Key)
		if err != nil {
			return info, err
		}
		info.LastKnown = end.text(r.all())
	}
	return info, nil
}

const (
	live      = "Live"
	behind    = "Behind"
	replaying = "ReplayingParkedMessages, "
)

func (s *state) info() Info {
	i := Info{
		Status:           behind,
		LastKnown:        s.seen.text(s.all),
		AveragePerSecond: s.meter.rate(), TotalItems: s.meter.count, SinceMeasured: s.meter.count - s.meter.measured,
		ReadBuffer: len(s.history.items), LiveBuffer: len(s.live.items),
		RetryBuffer: len(s.retry.items) + len(s.replay.items),
		Parked:      int64(max(s.parkedEnd-s.replayAt, 0)),
	}
	if s.caughtUp {
		i.Status = live
	}
	if s.replaying() {
		i.Status = replaying + i.Status
	}
	if s.stored {
		i.LastCheckpointed = s.resumed.text(s.all)
	}
	for _, c := range s.consumers {
		i.InFlight += c.count
		i.Connections = append(i.Connections, Connection{
			Consumer:         c.Consumer,
			AveragePerSecond: c.meter.rate(), TotalItems: c.meter.count, SinceMeasured: c.meter.count - c.meter.measured,
			Measurements: c.latency.measurements(), AvailableSlots: c.Slots - c.count, InFlight: c.count,
		})
	}
	i.Outstanding = i.InFlight + i.RetryBuffer + len(s.toPark) + len(s.parking)
	return i
}
