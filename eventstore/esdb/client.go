package esdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// connection is one client from its discovery to its end, and the calls in it.
//
// The client has a goroutine that gives out its gRPC connection, over a
// channel without a buffer. Whoever sends to it when it has ended waits for
// ever, and it ends when a discovery fails. It discovers anew when a call asks
// for the connection after another call has reported it lost. So two things
// must not overlap, and this type keeps them apart: calls that ask for the
// connection, and a report that it is lost.
//
//   - A call counts as entering until the client asks its context for the
//     deadline, the first thing that it does with a connection in hand.
//   - The client logs a failed call before it reports the loss. At that moment
//     the connection is retired, which lets no call enter any more, and the
//     report waits until those that are entering are through.
//
// If a later client did either differently, calls could hang again; the
// watchdogs in [do] and [reader] would release their callers, and give the client up.
type connection struct {
	client *esdb.Client
	log    zerolog.Logger
	limit  time.Duration // how long a call may take to enter
	over   chan struct{} // closed when it is retired
	proved atomic.Bool   // it has been of use to a call

	mu       sync.Mutex
	through  sync.Cond // entering is 0; uses mu
	retired  bool
	closed   bool
	entering int // calls that do not have the client's connection yet
	inside   int // calls that have not returned
	hanging  int // of those, how many nobody waits for any more
}

// maxHanging is how many calls may hang in a client until it is given up. It
// bounds the goroutines that wait in vain.
const maxHanging = 64

// errPanicked: the client panicked. It does so on answers that it does not
// know, and when a call meets its end.
var errPanicked = errors.New("the client panicked")

// errHangs: the call did not return.
var errHangs = errors.New("a call hangs in the client")

func newConnection(config esdb.Configuration, log zerolog.Logger) (*connection, error) {
	// When a node names another leader the client connects to that before it
	// goes on, which gossipTimeout bounds.
	limit := time.Duration(config.GossipTimeout)*time.Second + 5*time.Second
	c := &connection{log: log, limit: limit, over: make(chan struct{})}
	c.through.L = &c.mu
	config.Logger = c.listen
	client, err := esdb.NewClient(&config)
	c.client = client
	return c, err
}

// discover makes the client look for a node and ask what it can do. It must
// be the first call. It cannot be interrupted, but each step has a limit
// (gossipTimeout).
func (c *connection) discover() (err error) {
	defer recovered(&err)
	_, err = c.client.GetServerVersion()
	return err
}

// listen is the client's log. A failed call is logged right before the loss
// of the connection is reported, in the goroutine of the call.
func (c *connection) listen(level esdb.LogLevel, format string, args ...any) {
	c.log.Debug().Str("kind", level).Msgf("client: "+format, args...)
	if format != "unexpected exception: %v" || len(args) != 1 {
		return
	}
	if err, ok := args[0].(error); ok && status.Code(err) == codes.Unavailable {
		c.retire()
		c.mu.Lock()
		for c.entering > 0 {
			c.through.Wait()
		}
		c.mu.Unlock()
	}
}

// retire lets no call enter any more. The client is closed when the last one
// has left.
func (c *connection) retire() {
	c.mu.Lock()
	if !c.retired {
		c.retired = true
		close(c.over)
	}
	c.mu.Unlock()
	c.closeIfLeft()
}

// spoil is for when the client's goroutine must be supposed to have ended:
// whoever waits for it waits in vain. Closing the client frees them: they
// panic, and are recovered.
func (c *connection) spoil() {
	c.retire()
	c.close(true)
}

func (c *connection) closeIfLeft() { c.close(false) }

// close closes the client if nobody needs it, or anyway.
func (c *connection) close(anyway bool) {
	c.mu.Lock()
	now := c.retired && !c.closed && (anyway || c.inside == c.hanging)
	c.closed = c.closed || now
	c.mu.Unlock()
	if now {
		_ = c.client.Close() // never fails
	}
}

// call is the context of one call, from which the client's asking shows.
type call struct {
	context.Context //nolint:containedctx // it is one
	of              *connection
	// The rest is under the connection's mu.
	asked  bool // the client has its connection, and may have sent something
	passed bool // it does not count as entering any more
	left   bool // it has returned
	given  bool // it counts as hanging
}

// enter begins a call, unless the connection is retired.
func (c *connection) enter(ctx context.Context) (*call, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		return nil, false
	}
	c.entering++
	c.inside++
	return &call{Context: ctx, of: c}, true
}

// Deadline implements [context.Context].
func (x *call) Deadline() (time.Time, bool) {
	x.of.mu.Lock()
	x.asked = true
	x.pass()
	x.of.mu.Unlock()
	return x.Context.Deadline()
}

// pass needs mu.
func (x *call) pass() {
	if x.passed {
		return
	}
	x.passed = true
	if x.of.entering--; x.of.entering == 0 {
		x.of.through.Broadcast()
	}
}

// sent reports whether the client may have sent anything.
func (x *call) sent() bool {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	return x.asked
}

// leave ends the call.
func (x *call) leave() {
	c := x.of
	c.mu.Lock()
	x.pass()
	x.left = true
	c.inside--
	if x.given {
		c.hanging--
	}
	c.mu.Unlock()
	c.closeIfLeft()
}

// abandon says that nobody waits for the call any more. If it has not
// returned after a while, it hangs.
func (x *call) abandon() { time.AfterFunc(grace, x.hangs) }

func (x *call) hangs() {
	c := x.of
	c.mu.Lock()
	if x.left || x.given {
		c.mu.Unlock()
		return
	}
	entering := !x.passed
	x.pass() // no report of a loss waits for it
	x.given = true
	c.hanging++
	many := c.hanging > maxHanging
	c.mu.Unlock()
	switch {
	case entering:
		c.log.Warn().Msg("a call hangs in the event store's client, which is made anew")
		c.spoil()
	case many:
		c.retire()
	default:
		c.closeIfLeft()
	}
}

// overdue is called when the time to enter is over. It reports whether the
// call hangs.
func (x *call) overdue() bool {
	if !x.sent() {
		x.hangs()
	}
	return x.hung()
}

func (x *call) hung() bool {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	return x.given
}

// do runs f, which is one call of the client, and returns when it has ended,
// or when ctx has and f does not notice.
func do[T any](x *call, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		out T
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		func() {
			defer x.leave()
			defer recovered(&r.err)
			r.out, r.err = f(x)
		}()
		done <- r
	}()
	timer := time.NewTimer(x.of.limit)
	defer timer.Stop()
	for {
		select {
		case r := <-done:
			switch {
			case r.err == nil:
				x.of.proved.Store(true)
			case !x.sent(): // the client has no connection, and looked for one in vain
				x.of.spoil()
			}
			return r.out, r.err
		case <-x.Done():
			if x.sent() { // it is with gRPC, which knows the context
				timer.Reset(grace)
				select {
				case r := <-done:
					return r.out, r.err
				case <-timer.C:
				}
			}
			x.abandon()
			return *new(T), errHangs
		case <-timer.C:
			if x.sent() { // the client's own deadline will end it
				continue
			}
			x.hangs()
			return *new(T), errHangs
		}
	}
}

// recovered turns a panic of the client into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errPanicked, p)
	}
}
