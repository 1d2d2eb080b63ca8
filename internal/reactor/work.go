package reactor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"konto/domain"
)

// fetchRows is how many rows of each kind are taken from the outbox at a time;
// as many may be in memory beside those.
const fetchRows = 256

// pruneEvery is how often old rows are deleted.
const pruneEvery = time.Minute

// The outcomes of an attempt.
const (
	outcomeDone  = "done"
	outcomeRetry = "retry"
	outcomeDead  = "dead"
)

// result is how an attempt ended.
type result struct {
	row         row
	outcome     string
	class       string    // of error
	ended, next time.Time // next only for a retry
}

// work carries effects out until ctx ends: either the calls, which may take as
// long as others let them, or everything else.
func (e *engine) work(ctx context.Context, calls bool) {
	workers, wake := cmp.Or(e.Workers, 8), e.wake
	if calls {
		workers, wake = cmp.Or(e.Callers, 32), e.wakeCalls
	}
	m := &manager{
		engine: e, calls: calls, wake: wake, jobs: make(chan row), results: make(chan result, workers),
		held: map[int64]bool{}, lines: map[string][]row{}, fetch: true, settled: make(chan []result, 1),
	}
	var group sync.WaitGroup
	for range cap(m.results) {
		group.Go(func() {
			for r := range m.jobs {
				if x, ok := e.attempt(ctx, r); ok {
					m.results <- x
				}
			}
		})
	}
	m.run(ctx)
	close(m.jobs)
	go func() {
		group.Wait()
		close(m.results)
	}()
	// What was done while the end came is noted, or it would be done again.
	for x := range m.results {
		m.ended = append(m.ended, x)
	}
	if m.settling {
		<-m.settled
	}
	if len(m.ended) > 0 {
		if err := e.outbox.settle(context.WithoutCancel(ctx), m.ended); err != nil {
			e.Log.Warn().Err(err).Msg("outcomes not noted")
		}
	}
}

// manager hands rows to workers: of each target one at a time, in order. Only
// the goroutine of run touches it.
type manager struct {
	*engine
	calls   bool          // it makes the calls, and nothing else
	wake    chan struct{} // the outbox has more
	jobs    chan row
	results chan result
	held    map[int64]bool   // rows in memory, by seq
	lines   map[string][]row // rows of each target; the first is ready or with a worker
	ready   []string         // targets whose first row no worker has
	fetch   bool             // the outbox may have more

	// Outcomes are noted in one synced transaction for all that ended during
	// the one before.
	ended    []result
	settling bool
	settled  chan []result
}

func (m *manager) run(ctx context.Context) {
	due := time.NewTimer(0)
	defer due.Stop()
	prune := time.NewTicker(pruneEvery)
	defer prune.Stop()
	for ctx.Err() == nil {
		if m.fetch && len(m.held) <= fetchRows {
			if err := m.fill(ctx, due); err != nil && ctx.Err() == nil {
				m.Log.Warn().Err(err).Msg("outbox cannot be read")
				due.Reset(time.Second)
			}
		}
		m.settle(ctx)
		var jobs chan<- row
		var first row
		if len(m.ready) > 0 {
			jobs, first = m.jobs, m.lines[m.ready[0]][0]
		}
		select {
		case jobs <- first:
			m.ready = m.ready[1:]
		case r := <-m.results:
			m.end(r)
		case results := <-m.settled:
			m.free(results)
		case <-m.wake:
			m.fetch = true
		case <-due.C:
			m.fetch = true
		case <-prune.C:
			m.prune(ctx)
		case <-ctx.Done():
		}
	}
}

// fill takes rows from the outbox and sets due to when to look again.
func (m *manager) fill(ctx context.Context, due *time.Timer) error {
	m.fetch = false
	limit := fetchRows + len(m.held)
	now := m.Now()
	fetch := m.outbox.fetch
	if m.calls {
		fetch = m.outbox.fetchCalls
	}
	rows, err := fetch(ctx, now, limit)
	if err != nil {
		return err
	}
	touched := map[string]bool{}
	for _, r := range rows {
		if m.held[r.seq] {
			continue
		}
		m.held[r.seq] = true
		if len(m.lines[r.target]) == 0 {
			m.ready = append(m.ready, r.target)
			touched[r.target] = true
		}
		m.lines[r.target] = append(m.lines[r.target], r)
	}
	for target := range touched { // timed rows come first, whatever their seq
		slices.SortFunc(m.lines[target], func(a, b row) int { return cmp.Compare(a.seq, b.seq) })
	}
	m.fetch = len(rows) >= limit
	at, ok, err := m.outbox.nextDue(ctx, now)
	if err != nil {
		return err
	}
	due.Stop()
	if ok {
		due.Reset(max(0, at.Sub(m.Now())))
	}
	return nil
}

// end lets the next row of r's target go, unless r must be tried again.
func (m *manager) end(r result) {
	m.ended = append(m.ended, r)
	target := r.row.target
	line := m.lines[target][1:]
	if r.outcome != outcomeRetry && len(line) > 0 {
		m.lines[target] = line
		m.ready = append(m.ready, target)
		return
	}
	if r.outcome != outcomeRetry {
		delete(m.lines, target)
	}
}

// settle starts to note what has ended, unless that is under way.
func (m *manager) settle(ctx context.Context) {
	if m.settling || len(m.ended) == 0 {
		return
	}
	results := m.ended
	m.ended, m.settling = nil, true
	go func() {
		for failures := 1; ; failures++ {
			err := m.outbox.settle(context.WithoutCancel(ctx), results)
			if err == nil {
				break
			}
			m.Log.Warn().Err(err).Msg("outcomes not noted")
			if !expired(ctx, time.NewTimer(min(m.backoff(failures), 5*time.Second))) {
				break // they are done again
			}
		}
		m.settled <- results
	}()
}

// free forgets rows whose outcome the outbox knows.
func (m *manager) free(results []result) {
	m.settling = false
	for _, r := range results {
		if r.outcome != outcomeRetry {
			delete(m.held, r.row.seq)
			m.fetch = m.fetch || m.calls // the next of its line was not looked at
			continue
		}
		// All of the line wait for its first; the outbox knows until when.
		for _, x := range m.lines[r.row.target] {
			delete(m.held, x.seq)
		}
		delete(m.lines, r.row.target)
		m.fetch = true
	}
	m.Log.Debug().Int("effects", len(results)).Msg("effects settled")
}

func (m *manager) prune(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = m.outbox.prune(ctx, m.Now().Add(-cmp.Or(m.Keep, 24*time.Hour))); err != nil {
			m.Log.Warn().Err(err).Msg("outbox not pruned")
			return
		}
	}
}

func expired(ctx context.Context, t *time.Timer) bool {
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt carries an effect out. It reports false if the end of ctx kept it
// from knowing: then it is as if nothing had been tried.
func (e *engine) attempt(ctx context.Context, r row) (result, bool) {
	if ctx.Err() != nil {
		return result{}, false
	}
	began := e.Now()
	err := e.do(ctx, r)
	if err != nil && ctx.Err() != nil {
		return result{}, false
	}
	ended := e.Now()
	x := result{row: r, outcome: outcomeDone, ended: ended}
	var permanent *permanentError
	switch {
	case errors.As(err, &permanent):
		x.outcome, x.class = outcomeDead, permanent.class
	case err != nil:
		x.outcome, x.class = outcomeRetry, "fault"
		x.next = ended.Add(e.backoff(r.attempts + 1))
	}
	if e.Metrics.Attempted != nil {
		e.Metrics.Attempted(r.kind, x.outcome, ended.Sub(began))
	}
	if err != nil {
		e.Log.Warn().Err(err).Str("effect", r.id).Str("reaction", r.reaction).Str("type", r.typ).
			Int("attempt", r.attempts+1).Str("outcome", x.outcome).Msg("effect failed")
	}
	return x, true
}

func (e *engine) do(ctx context.Context, r row) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	job, err := e.job(ctx, r)
	if err != nil {
		return err
	}
	if job.Dispatch != nil {
		return e.Dispatch(ctx, job)
	}
	return e.Notify(ctx, job)
}

// job opens a row.
func (e *engine) job(ctx context.Context, r row) (Job, error) {
	id, err := uuid.Parse(r.id)
	if err != nil {
		return Job{}, Permanent("outbox", err)
	}
	payload, err := e.Open(ctx, r.tenant, r.stream(), r.id, r.typ, r.payload)
	if err != nil {
		return Job{}, fmt.Errorf("open effect: %w", err)
	}
	job := Job{
		ID: id, Tenant: r.tenant, Correlation: r.correlation, Causation: r.causation,
		Reaction: r.reaction, At: r.at, Attempt: r.attempts + 1,
	}
	if r.kind == kindDispatch || r.kind == kindCall {
		job.Dispatch = new(DispatchJob)
		if err := json.Unmarshal(payload, job.Dispatch); err != nil {
			return Job{}, Permanent("outbox", err)
		}
		return job, nil
	}
	var n noticePayload
	if err := json.Unmarshal(payload, &n); err != nil {
		return Job{}, Permanent("outbox", err)
	}
	// Falling back to the person's own addresses would tell somebody else.
	if !n.Address.IsZero() && !n.Address.Readable() {
		return Job{}, Permanent("address-erased", domain.Conflict("address-erased", "the address can no longer be read"))
	}
	if !n.Without.IsZero() && !n.Without.Readable() {
		return Job{}, Permanent("address-erased", domain.Conflict("address-erased", "the address to leave out can no longer be read"))
	}
	job.Notice = &NoticeJob{n.To, cmp.Or(n.Tenant, r.tenant), n.Address.Value, n.Without.Value, n.Channel, n.Template, n.Data, n.Besides}
	return job, nil
}
