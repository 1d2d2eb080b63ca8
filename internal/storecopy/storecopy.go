package storecopy

import (
	"context"
	"errors"
	"fmt"

	"konto/eventstore"
)

// Errors of [Run]. What was copied before stays.
var (
	// ErrOtherData: the target has, in a stream of the source, an event that the
	// source has not.
	ErrOtherData = errors.New("the target holds other data")
	// ErrCannotCarry: the target has no way to take this.
	ErrCannotCarry = errors.New("the target cannot take it")
)

// Importer is a store that takes records as another store wrote them, with
// revision and time, in order; it stops at the first that it cannot take, and
// keeps those before it. A revision must be higher than those its stream has;
// one that is not is an [eventstore.ErrWrongRevision].
type Importer interface {
	Import(ctx context.Context, records []eventstore.Recorded) error
}

// Tombstoner is a store that can end a stream for ever. Without it, a source
// with tombstones is [ErrCannotCarry].
type Tombstoner interface {
	Tombstone(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error)
}

// Config says what to copy.
type Config struct {
	From, To eventstore.Store
	// CheckOnly compares and writes nothing.
	CheckOnly bool
	// Progress is told, from the goroutine that runs [Run], after some
	// thousand events; nil for nobody.
	Progress func(Progress)
}

// Phase is a part of the work.
type Phase string

// The phases, in their order. CheckOnly has the last alone.
const (
	Finding  Phase = "looking for what is there"
	Copying  Phase = "copying"
	Checking Phase = "checking"
)

// Progress is how far a phase is.
type Progress struct {
	Phase  Phase
	Events int64   // done in this phase
	Done   float64 // of the source's log, 0 to 1
}

// Report says what a copy did and what the check found.
type Report struct {
	Head     eventstore.Position `json:"-"`        // the source's end when the copy began: what was copied
	UpTo     string              `json:"upTo"`     // the same as text
	Grown    bool                `json:"grown"`    // the source has gone on since; another copy takes the rest
	Events   int64               `json:"events"`   // of the source that are carried
	Streams  int64               `json:"streams"`  // they are in; metadata streams count
	Found    int64               `json:"found"`    // events that the target had before
	Copied   int64               `json:"copied"`   // events that this run wrote; metadata may have been there
	LeftOut  int64               `json:"leftOut"`  // events of the node's own streams
	Metadata int64               `json:"metadata"` // streams with metadata
	Deleted  int64               `json:"deleted"`  // streams with a tombstone
	Fillers  int64               `json:"fillers"`  // events in the target that stand for scavenged ones
	// Exact: the target is an [Importer].
	Exact bool `json:"exact"`
	// Times counts events that were recorded at another time in the target: all
	// that were copied over the protocol. It is no difference.
	Times int64 `json:"times"`
	// Rewritten counts metadata that the target wrote itself, with the same content.
	Rewritten int64 `json:"rewritten"`
	// Foreign counts the target's events in streams that the source has not,
	// Later its events in streams of the source after all that was copied.
	Foreign int64 `json:"foreign"`
	Later   int64 `json:"later"`
	// Digest is the SHA-256 of all that was compared, as the source has it. A
	// check of the same history gives the same digest wherever it is.
	Digest string `json:"digest"`
	// Different counts what differs; Differences describes the first of it.
	Different   int64    `json:"different"`
	Differences []string `json:"differences,omitempty"`
}

// Same reports whether the target has all that is carried, as it was.
func (r Report) Same() bool { return r.Different == 0 }

// Run copies and then checks. An error means that it did not get to the end
// (the same call goes on); a report that is not [Report.Same] means that it did
// and that the check found differences. Nobody else may write to the target
// meanwhile.
func Run(ctx context.Context, cfg Config) (Report, error) {
	c := &copier{Config: cfg}
	c.importer, c.report.Exact = cfg.To.(Importer)
	var err error
	if c.report.Head, err = eventstore.Head(ctx, cfg.From); err != nil {
		return c.report, fmt.Errorf("end of the source: %w", err)
	}
	c.report.UpTo = c.report.Head.String()
	if !cfg.CheckOnly {
		if err := c.copy(ctx); err != nil {
			return c.report, err
		}
	}
	if err := c.check(ctx); err != nil {
		return c.report, fmt.Errorf("check: %w", err)
	}
	end, err := eventstore.Head(ctx, cfg.From)
	c.report.Grown = end.Compare(c.report.Head) > 0
	return c.report, err
}

// copier is one run.
type copier struct {
	Config
	importer Importer
	report   Report
	done     int64 // events in this phase
}

func (c *copier) copy(ctx context.Context) error {
	found, err := c.find(ctx)
	if err != nil {
		return err
	}
	c.report.Found = found.matched
	c.done = 0
	if c.importer != nil {
		return c.carryRecords(ctx, found.upTo)
	}
	return c.carryEvents(ctx, found)
}

// progressEvery is how many events lie between two reports of progress.
const progressEvery = 2048

// step counts an event of the source.
func (c *copier) step(p Phase, at eventstore.Position) {
	if c.done++; c.Progress == nil || c.done%progressEvery != 1 && at != c.report.Head {
		return
	}
	done := 1.0
	if head := c.report.Head.Commit; head > 0 {
		done = float64(at.Commit) / float64(head)
	}
	c.Progress(Progress{Phase: p, Events: c.done, Done: done})
}
