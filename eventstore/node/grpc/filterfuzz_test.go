package grpc_test

import (
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/filter"
	nodegrpc "konto/eventstore/node/grpc"
)

type (
	groupFilter     = persistent.CreateReq_AllOptions_FilterOptions
	groupExpression = persistent.CreateReq_AllOptions_FilterOptions_Expression
)

// FuzzFilter compares which events a read of $all and a group of $all want with
// what the expression or the prefixes in the request say.
func FuzzFilter(f *testing.F) {
	for _, pattern := range []string{"", "^a", "(?i)A", "[a-z-[a]]", "(", `\d+$`, "(a*)*b", "a{1000}{1000}", `^[^\$]`, "^$", "-(checkpoint|parked)$"} {
		f.Add(pattern, "acc", "$", "account-1", "added", uint32(32), uint32(1), byte(0))
		f.Add(pattern, "", "x", "$epoch-information", "$metadata", uint32(0), uint32(1<<31), byte(1))
		f.Add(pattern, "card.", "", "$persistentsubscription-$all::g-parked", "card.added", uint32(1<<31), uint32(7), byte(2))
	}
	f.Add("", "$per", "", "$persistentsubscription-$all::g-checkpoint", "$SubscriptionCheckpoint", uint32(1), uint32(1), byte(3))
	f.Fuzz(func(t *testing.T, pattern, first, second, stream, typ string, window, interval uint32, kind byte) {
		byType, unlimited, subscribe := kind&1 != 0, kind&2 != 0, kind&4 != 0
		prefixes := []string{first, second}
		got, err := nodegrpc.ParseFilter(readFilter(pattern, prefixes, window, interval, byType, unlimited), subscribe)
		spec, groupErr := nodegrpc.ParseGroupFilter(groupFilterOf(pattern, prefixes, byType))
		re, reErr := regexp.Compile(pattern)
		if unlimited {
			window = 32 // EventStoreDB's
		}
		checkpoints := uint64(window) * uint64(interval)
		none := subscribe && checkpoints == 0
		if reErr != nil && (err == nil || groupErr == nil) || reErr == nil && !strings.Contains(pattern, "-[") && (groupErr != nil || (err != nil) != none) {
			t.Fatalf("filter %q, %d of %d: %v; of a group: %v; RE2: %v", pattern, interval, window, err, groupErr, reErr)
		}
		r := &eventstore.Recorded{Event: eventstore.Event{Type: typ}, Stream: stream}
		name := stream
		if byType {
			name = typ
		}
		wants := false
		if groupErr == nil {
			wants = pattern != "" && re.MatchString(name) || pattern == "" && (strings.HasPrefix(name, first) || strings.HasPrefix(name, second))
			group, err := filter.Compile(*spec)
			if err != nil || group.Matches(r) != wants {
				t.Errorf("a group with %+v (%v) wants %+v: %v, want %v", spec, err, r, !wants, wants)
			}
		}
		switch {
		case err != nil && status.Code(err) != codes.InvalidArgument:
			t.Errorf("filter %q: %v, want InvalidArgument", pattern, err)
		case err == nil && (got.Interval != checkpoints || got.Wants(r) != (wants && !own.MatchString(stream))):
			t.Errorf("filter %q, %q: wants %+v = %v, every %d, want %v, %d", pattern, prefixes, r, got.Wants(r), got.Interval, wants, checkpoints)
		}
	})
}

// own are streams that EventStoreDB does not show in $all.
var own = regexp.MustCompile(`(?s)^(\$epoch-information|\$persistentsubscription-\$all::.*-(checkpoint|parked))\z`)

func readFilter(pattern string, prefixes []string, window, interval uint32, byType, unlimited bool) *filterOptions {
	e := &expression{Regex: pattern, Prefix: prefixes}
	o := &filterOptions{
		Window:                       &streams.ReadReq_Options_FilterOptions_Max{Max: window},
		CheckpointIntervalMultiplier: interval,
		Filter:                       &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: e},
	}
	if byType {
		o.Filter = &streams.ReadReq_Options_FilterOptions_EventType{EventType: e}
	}
	if unlimited {
		o.Window = &streams.ReadReq_Options_FilterOptions_Count{Count: &shared.Empty{}}
	}
	return o
}

func groupFilterOf(pattern string, prefixes []string, byType bool) *groupFilter {
	e := &groupExpression{Regex: pattern, Prefix: prefixes}
	if byType {
		return &groupFilter{Filter: &persistent.CreateReq_AllOptions_FilterOptions_EventType{EventType: e}}
	}
	return &groupFilter{Filter: &persistent.CreateReq_AllOptions_FilterOptions_StreamIdentifier{StreamIdentifier: e}}
}
