package persistent

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// All is the source of a group that reads $all.
const All = "$all"

// Key names a group: a group belongs to a stream, or to [All].
type Key struct{ Stream, Group string }

// String is also the identifier of a subscription to the group.
func (k Key) String() string { return k.Stream + "::" + k.Group }

func (k Key) all() bool { return k.Stream == All }

func (k Key) checkpoints() string { return "$persistentsubscription-" + k.String() + "-checkpoint" }
func (k Key) parked() string      { return "$persistentsubscription-" + k.String() + "-parked" }

// Start is where a group without a checkpoint begins. The zero value is the
// first event. Unlike where a plain subscription begins it is inclusive.
type Start struct {
	End      bool                // only what comes after the group was made
	Revision eventstore.Revision // of a stream
	Position eventstore.Position // of $all
}

// text is how EventStoreDB writes a start: "0", "12" or "-1", and for $all
// "C:0/P:0", "C:12/P:12" or "C:-1/P:-1".
func (s Start) text(all bool) string {
	switch {
	case all && s.End:
		return "C:-1/P:-1"
	case all:
		return s.Position.String()
	case s.End:
		return "-1"
	}
	return strconv.FormatInt(int64(s.Revision), 10)
}

func parseStart(text string, all bool) (Start, error) {
	if text == "-1" || text == "C:-1/P:-1" {
		return Start{End: true}, nil
	}
	p, err := parsePlace(text, all)
	return Start{Revision: p.revision, Position: p.position}, err
}

// first is the place after which a group begins that starts here.
func (s Start) first() place {
	p := place{revision: s.Revision - 1, position: s.Position}
	if p.position.Prepare > 0 {
		p.position.Prepare-- // lies before the record at s.Position, and after all earlier ones
	}
	return p
}

// Strategies say who gets a message.
const (
	RoundRobin          = "RoundRobin"          // one after the other
	DispatchToSingle    = "DispatchToSingle"    // the first with room, in the order they came
	Pinned              = "Pinned"              // events of a stream go to the same consumer
	PinnedByCorrelation = "PinnedByCorrelation" // events with the same $correlationId do
)

// Settings are how a group works.
type Settings struct {
	ResolveLinks       bool
	ExtraStatistics    bool          // measure how long consumers take
	MessageTimeout     time.Duration // for an answer; 0: until the next tick
	MaxRetryCount      int           // then a message is parked
	LiveBufferSize     int           // events that are held beside HistoryBufferSize once all was read
	ReadBatchSize      int           // events that are taken from the store at once
	HistoryBufferSize  int           // events that wait for consumers
	CheckpointAfter    time.Duration // with MinCheckpointCount; 0: the clock writes none
	MinCheckpointCount int           // finished events that are worth a checkpoint after CheckpointAfter
	MaxCheckpointCount int           // finished events that are worth one at once
	MaxSubscriberCount int           // 0: no limit
	Strategy           string
}

// DefaultSettings are those of EventStoreDB's clients.
func DefaultSettings() Settings {
	return Settings{
		MessageTimeout: 30 * time.Second, MaxRetryCount: 10,
		LiveBufferSize: 500, ReadBatchSize: 20, HistoryBufferSize: 500,
		CheckpointAfter: 2 * time.Second, MinCheckpointCount: 10, MaxCheckpointCount: 1000,
		Strategy: RoundRobin,
	}
}

// Definition is a group as it is made.
type Definition struct {
	Key
	Start    Start
	Filter   *filter.Spec // of $all; nil: everything
	Settings Settings
}

// validate returns an [*InvalidError].
func (d Definition) validate() error {
	s := d.Settings
	switch {
	case d.Stream == "" || d.Group == "":
		return invalid("a stream and a group need names")
	case d.Filter != nil && !d.all():
		return invalid("only $all can be filtered")
	case !d.Start.End && d.Start.Revision < 0:
		return invalid("bad start revision %d", d.Start.Revision)
	case newStrategy(s.Strategy) == nil:
		return invalid("unknown consumer strategy %q", s.Strategy)
	case s.ReadBatchSize < 1:
		return invalid("read batch size must be positive")
	case s.ReadBatchSize >= s.HistoryBufferSize:
		return invalid("read batch size must be smaller than history buffer size")
	case s.MessageTimeout < 0 || s.CheckpointAfter < 0 || s.MaxRetryCount < 0 || s.LiveBufferSize < 0 ||
		s.MinCheckpointCount < 0 || s.MaxCheckpointCount < 0 || s.MaxSubscriberCount < 0:
		return invalid("settings must not be negative")
	}
	if d.Filter != nil {
		if _, err := filter.Compile(*d.Filter); err != nil {
			return &InvalidError{Reason: err.Error()}
		}
	}
	return nil
}

// InvalidError says why something cannot be done, for the caller to see.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return "persistent: " + e.Reason }

func invalid(format string, a ...any) error {
	return &InvalidError{Reason: fmt.Sprintf(format, a...)}
}

// place is a point in a group's source, after an event: what a checkpoint says.
// Which part counts depends on the source.
type place struct {
	revision eventstore.Revision
	position eventstore.Position
}

// at is the place after r, as it is in the log.
func at(r *eventstore.Recorded) place { return place{r.Revision, r.Position} }

// text is "" before the first event.
func (p place) text(all bool) string {
	switch {
	case all && p.position == (eventstore.Position{}):
		return ""
	case all:
		return p.position.String()
	case p.revision < 0:
		return ""
	}
	return strconv.FormatInt(int64(p.revision), 10)
}

func parsePlace(text string, all bool) (place, error) {
	if all {
		position, err := eventstore.ParsePosition(text)
		return place{position: position}, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return place{}, fmt.Errorf("%w: revision %q", eventstore.ErrInvalid, text)
	}
	return place{revision: eventstore.Revision(n)}, nil
}

// parseCheckpoint reads the data of a checkpoint: a JSON string, or a number
// as older versions of EventStoreDB wrote it.
func parseCheckpoint(data []byte, all bool) (place, error) {
	text := strings.TrimSpace(string(data))
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return place{}, fmt.Errorf("%w: checkpoint: %w", eventstore.ErrInvalid, err)
		}
	}
	return parsePlace(text, all)
}

// milliseconds is d as the protocol has it.
func milliseconds(d time.Duration) int32 {
	return int32(min(d.Milliseconds(), math.MaxInt32)) //nolint:gosec // bounded
}
