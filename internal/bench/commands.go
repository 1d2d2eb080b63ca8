package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
)

// CommandReport is about commands over HTTP.
type CommandReport struct {
	Command  string        `json:"command"` // what is sent
	Accounts int           `json:"accounts"`
	Full     []CommandCell `json:"everythingOn"`
	Write    []CommandCell `json:"readSideStopped"`
	// PeakMB is the largest resident size while everything was on, load included.
	PeakMB float64 `json:"peakMB"`
	Events int     `json:"commands"` // that were carried out by then
}

// CommandCell is a load on the whole system, and the same load on the ceiling.
type CommandCell struct {
	Callers int `json:"callers"`
	Rate
	Ceiling Rate    `json:"ceiling"`
	Ratio   float64 `json:"ratio"` // of the rates
	// Of a system with everything on:
	Visible *Spread  `json:"visibleMs,omitempty"` // accepted until in all read models
	Backlog *int     `json:"backlog,omitempty"`   // events not in the read models when the load ended
	Drained *float64 `json:"drainedMs,omitempty"` // until they were, and the reactor had seen them
}

// What the load is, for people.
const commandText = "ChangeDisplayName by an organization's admin, each on another account: " +
	"token, Idempotency-Key, authorization, one personal value in the event and one in its metadata sealed, one synced append"

func (b *bench) commands(ctx context.Context, dir string) (*CommandReport, error) {
	r := &CommandReport{Command: commandText, Accounts: b.Accounts}
	var err error
	if r.Full, err = b.commandCells(ctx, filepath.Join(dir, "full"), true, r); err != nil {
		return nil, err
	}
	r.Write, err = b.commandCells(ctx, filepath.Join(dir, "write"), false, r)
	return r, err
}

func (b *bench) commandCells(ctx context.Context, dir string, readSide bool, report *CommandReport) (_ []CommandCell, err error) {
	what := "everything on"
	if !readSide {
		what = "read side stopped"
	}
	b.step("commands, %s: making %d accounts", what, b.Accounts)
	log, closeLog, err := logTo(dir)
	if err != nil {
		return nil, err
	}
	defer closeLog()
	w, err := b.open(ctx, dir, b.Accounts, readSide, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if readSide {
		if _, err := w.drain(ctx); err != nil {
			return nil, err
		}
	}
	runtime.GC()
	resetMemory()
	var cells []CommandCell
	for _, callers := range b.Callers {
		b.step("commands, %s: %d callers", what, callers)
		c, length, err := w.commandCell(ctx, callers, readSide)
		if err != nil {
			return nil, err
		}
		b.step("the ceiling: %d callers", callers)
		if c.Ceiling, err = b.echo(ctx, w, callers, length); err != nil {
			return nil, err
		}
		c.Ratio = round(c.PerSecond / c.Ceiling.PerSecond)
		cells = append(cells, c)
	}
	if readSide {
		report.PeakMB = memory()
		for _, a := range w.accounts {
			report.Events += a.changes
		}
	}
	return cells, nil
}

// logTo is a log like a server's: every command has its line.
func logTo(dir string) (zerolog.Logger, func(), error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return zerolog.Nop(), nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "konto.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // our own directory
	if err != nil {
		return zerolog.Nop(), nil, err
	}
	return zerolog.New(f).Level(zerolog.InfoLevel).With().Timestamp().Logger(), func() { _ = f.Close() }, nil
}

// commandCell loads the system. It also returns the length of an answer.
func (w *world) commandCell(ctx context.Context, callers int, readSide bool) (CommandCell, int, error) {
	cell := CommandCell{Callers: callers}
	var watch *watcher
	if readSide {
		watch = w.watch(ctx)
	}
	length := 0
	loops, done, err := w.callers(ctx, w.addr(), w.accounts, callers, func(r reply) {
		if length == 0 {
			length = r.length
		}
		if watch != nil {
			watch.accepted(r.position, w.bench.Now())
		}
	})
	if err != nil {
		return cell, 0, err
	}
	defer done()
	if cell.Rate, err = w.bench.closed(ctx, w.bench.Duration, loops); err != nil || !readSide {
		return cell, length, err
	}
	visible := watch.stop()
	cell.Visible = &visible
	backlog, err := w.backlog(ctx)
	if err != nil {
		return cell, length, err
	}
	drained, err := w.drain(ctx)
	cell.Backlog, cell.Drained = &backlog, &drained
	return cell, length, err
}

// callers returns a loop for each caller and what ends their connections. Seen
// is told of the first caller's answers alone, and must be quick.
func (w *world) callers(ctx context.Context, addr string, accounts []*account, n int, seen func(reply)) ([]loop, func(), error) {
	var open []*lean
	done := func() {
		for _, l := range open {
			l.close()
		}
	}
	loops := make([]loop, n)
	for i := range n {
		l, err := dial(ctx, addr)
		if err != nil {
			done()
			return nil, nil, err
		}
		open = append(open, l)
		var mine []*prepared
		for j := i; j < len(accounts); j += n {
			mine = append(mine, prepare(addr, accounts[j]))
		}
		turn := 0
		loops[i] = func(context.Context) (time.Duration, error) {
			p := mine[turn%len(mine)]
			turn++
			request := p.next()
			began := w.bench.Now()
			r, err := l.send(request)
			took := w.bench.Now().Sub(began)
			if err != nil {
				return took, err
			}
			p.account.changes++
			if i == 0 {
				seen(r)
			}
			return took, nil
		}
	}
	return loops, done, nil
}

// prepared is a request made beforehand, but for three numbers: of the
// revision that the caller saw, of the key and of the name.
type prepared struct {
	account         *account
	head, mid, tail string
	request         []byte
}

func prepare(addr string, a *account) *prepared {
	const name = `{"displayName":"Anna Lindqvist `
	length := len(name) + digits + len(`"}`)
	return &prepared{
		account: a,
		head: "POST /v1/admins/" + a.id + "/ChangeDisplayName HTTP/1.1\r\nHost: " + addr +
			"\r\nUser-Agent: konto-bench/1\r\nAuthorization: Bearer " + a.org.token +
			"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\nIf-Match: \"",
		mid:  "\"\r\nIdempotency-Key: " + a.id + "-n",
		tail: "\r\n\r\n" + name,
	}
}

// digits is how long the number in a name is.
const digits = 8

// next is the request for the account's next change.
func (p *prepared) next() []byte {
	n := p.account.changes
	b := strconv.AppendInt(append(p.request[:0], p.head...), int64(n), 10)
	b = strconv.AppendInt(append(b, p.mid...), int64(n), 10)
	b = append(append(b, p.tail...), "00000000"...)
	for i := len(b) - 1; n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	p.request = append(b, `"}`...)
	return p.request
}

// watcher samples how long accepted commands take to be visible.
type watcher struct {
	samples chan sample
	group   sync.WaitGroup
	mu      sync.Mutex
	took    []time.Duration
}

type sample struct {
	position eventstore.Position
	at       time.Time
}

// watchers is how many commands are followed at the same time.
const watchers = 8

func (w *world) watch(ctx context.Context) *watcher {
	v := &watcher{samples: make(chan sample)}
	for range watchers {
		v.group.Go(func() {
			for s := range v.samples {
				if w.Read().Wait(ctx, s.position) != nil {
					continue
				}
				took := w.bench.Now().Sub(s.at)
				v.mu.Lock()
				v.took = append(v.took, took)
				v.mu.Unlock()
			}
		})
	}
	return v
}

// accepted follows a command if somebody is free to.
func (v *watcher) accepted(position []byte, at time.Time) {
	p, err := eventstore.ParsePosition(string(position))
	if err != nil {
		return
	}
	select {
	case v.samples <- sample{p, at}:
	default:
	}
}

func (v *watcher) stop() Spread {
	close(v.samples)
	v.group.Wait()
	return spread(v.took)
}

// backlog returns how many events the projection that is behind most has to apply.
func (w *world) backlog(ctx context.Context) (int, error) {
	all, err := w.Projector().Status(ctx)
	most := 0
	for _, p := range all {
		most = max(most, p.LagEvents)
	}
	return most, err
}

// drainLimit bounds how long a backlog may take.
const drainLimit = time.Minute

// drain waits until the read models have all that is stored and the reactor
// has seen it, and returns how long that took in milliseconds.
func (w *world) drain(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	began := w.bench.Now()
	head, err := eventstore.Head(ctx, w.Store())
	if err != nil {
		return 0, err
	}
	if err := w.Read().Wait(ctx, head); err != nil {
		return 0, fmt.Errorf("read models: %w", err)
	}
	for {
		idle, err := w.reactorIdle(ctx)
		if err != nil {
			return 0, err
		}
		if idle {
			return millis(w.bench.Now().Sub(began)), nil
		}
		if !pause(ctx, 10*time.Millisecond) {
			return 0, fmt.Errorf("reactor: %w", ctx.Err())
		}
	}
}

// reactorIdle reports whether the reactor has seen all events and carried out
// what was due.
func (w *world) reactorIdle(ctx context.Context) (bool, error) {
	answer, err := w.operator.Do(ctx, "GET", "/readyz", nil, nil)
	if err != nil {
		return false, err
	}
	var ready struct {
		Checks struct {
			Outbox struct {
				Facts struct {
					Waiting   int `json:"waiting"`
					LagEvents int `json:"lagEvents"`
				} `json:"facts"`
			} `json:"outbox"`
		} `json:"checks"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(answer), &ready); err != nil {
		return false, err
	}
	f := ready.Checks.Outbox.Facts
	return f.Waiting == 0 && f.LagEvents == 0, nil
}
