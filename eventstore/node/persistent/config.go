package persistent

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// All definitions together are one event in this stream, the newest counts.
const (
	configStream  = "$persistentSubscriptionConfig"
	configType    = "$PersistentConfig"
	configVersion = "2"
)

// stored is a definition as it is stored.
type stored struct {
	Definition
	// Origin is, for a start at the end, where that was when the group was
	// defined, and CreatedBy the event that defined it: no event of the group's.
	Origin    place
	CreatedBy eventstore.ID
}

type configFile struct {
	Version string    `json:"version"`
	Updated time.Time `json:"updated"`
	Entries []entry   `json:"entries"`
}

// entry is a group in a configFile; times are milliseconds.
type entry struct {
	Stream                string       `json:"stream"`
	Group                 string       `json:"group"`
	StartPosition         string       `json:"startPosition"`
	Origin                string       `json:"origin,omitempty"`
	CreatedBy             string       `json:"createdBy,omitempty"`
	Filter                *filter.Spec `json:"filter,omitempty"`
	ResolveLinkTos        bool         `json:"resolveLinkTos"`
	ExtraStatistics       bool         `json:"extraStatistics"`
	MessageTimeout        int64        `json:"messageTimeout"`
	MaxRetryCount         int          `json:"maxRetryCount"`
	LiveBufferSize        int          `json:"liveBufferSize"`
	ReadBatchSize         int          `json:"readBatchSize"`
	HistoryBufferSize     int          `json:"historyBufferSize"`
	CheckPointAfter       int64        `json:"checkPointAfter"`
	MinCheckPointCount    int          `json:"minCheckPointCount"`
	MaxCheckPointCount    int          `json:"maxCheckPointCount"`
	MaxSubscriberCount    int          `json:"maxSubscriberCount"`
	NamedConsumerStrategy string       `json:"namedConsumerStrategy"`
}

func (d stored) entry() entry {
	s := d.Settings
	e := entry{
		Stream: d.Stream, Group: d.Group, StartPosition: d.Start.text(d.all()), Filter: d.Filter,
		ResolveLinkTos: s.ResolveLinks, ExtraStatistics: s.ExtraStatistics,
		MessageTimeout: s.MessageTimeout.Milliseconds(), MaxRetryCount: s.MaxRetryCount,
		LiveBufferSize: s.LiveBufferSize, ReadBatchSize: s.ReadBatchSize, HistoryBufferSize: s.HistoryBufferSize,
		CheckPointAfter:    s.CheckpointAfter.Milliseconds(),
		MinCheckPointCount: s.MinCheckpointCount, MaxCheckPointCount: s.MaxCheckpointCount,
		MaxSubscriberCount: s.MaxSubscriberCount, NamedConsumerStrategy: s.Strategy,
	}
	if d.Start.End {
		e.Origin, e.CreatedBy = d.Origin.text(d.all()), hex.EncodeToString(d.CreatedBy[:])
	}
	return e
}

func (e entry) stored() (stored, error) {
	d := stored{Definition: Definition{
		Key: Key{e.Stream, e.Group}, Filter: e.Filter,
		Settings: Settings{
			ResolveLinks: e.ResolveLinkTos, ExtraStatistics: e.ExtraStatistics,
			MessageTimeout: time.Duration(e.MessageTimeout) * time.Millisecond, MaxRetryCount: e.MaxRetryCount,
			LiveBufferSize: e.LiveBufferSize, ReadBatchSize: e.ReadBatchSize, HistoryBufferSize: e.HistoryBufferSize,
			CheckpointAfter:    time.Duration(e.CheckPointAfter) * time.Millisecond,
			MinCheckpointCount: e.MinCheckPointCount, MaxCheckpointCount: e.MaxCheckPointCount,
			MaxSubscriberCount: e.MaxSubscriberCount, Strategy: e.NamedConsumerStrategy,
		},
	}}
	var err error
	if d.Start, err = parseStart(e.StartPosition, d.all()); err != nil {
		return d, err
	}
	d.Origin = place{revision: eventstore.NoStream}
	if e.Origin != "" {
		if d.Origin, err = parsePlace(e.Origin, d.all()); err != nil {
			return d, err
		}
	}
	id, err := hex.DecodeString(e.CreatedBy)
	if err != nil {
		return d, fmt.Errorf("%w: id of a group's event: %w", eventstore.ErrInvalid, err)
	}
	copy(d.CreatedBy[:], id)
	return d, d.validate()
}

// readConfig returns what the newest event says that can be understood: who may
// write to system streams can write nonsense there, and must not keep the node
// from starting.
func (g *Groups) readConfig(ctx context.Context) (map[Key]stored, error) {
	newest := eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward}
	for e, err := range g.config.Store.Read(ctx, configStream, newest) {
		switch {
		case errors.Is(err, eventstore.ErrStreamNotFound), errors.Is(err, eventstore.ErrStreamDeleted):
			return map[Key]stored{}, nil
		case err != nil:
			return nil, fmt.Errorf("read definitions: %w", err)
		}
		defs, err := parseConfig(e)
		if err == nil {
			return defs, nil
		}
		g.config.Log.Warn().Err(err).Int64("revision", int64(e.Revision)).Msg("definitions of persistent subscriptions are not understood, older ones are used")
	}
	return map[Key]stored{}, nil
}

func parseConfig(e eventstore.Recorded) (map[Key]stored, error) {
	if e.Type != configType {
		return nil, fmt.Errorf("%w: type %s", eventstore.ErrInvalid, e.Type)
	}
	var file configFile
	if err := json.Unmarshal(e.Data, &file); err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	defs := make(map[Key]stored, len(file.Entries))
	for _, entry := range file.Entries {
		d, err := entry.stored()
		if err != nil {
			return nil, fmt.Errorf("definition of %v: %w", d.Key, err)
		}
		defs[d.Key] = d
	}
	return defs, nil
}

// writeConfig stores definitions as the event id.
func (g *Groups) writeConfig(ctx context.Context, id eventstore.ID, defs map[Key]stored) error {
	file := configFile{Version: configVersion, Updated: g.config.Now().UTC(), Entries: []entry{}}
	for _, d := range defs {
		file.Entries = append(file.Entries, d.entry())
	}
	slices.SortFunc(file.Entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Group, b.Group))
	})
	data, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("definitions: %w", err)
	}
	_, err = g.config.Store.Append(ctx, configStream, eventstore.Any, eventstore.Event{ID: id, Type: configType, Data: data})
	return err
}
