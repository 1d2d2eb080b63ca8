package quota_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/internal/quota"
)

// clock is a clock that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Add(time.Duration(c.offset.Load()))
}

func (c *clock) pass(d time.Duration) { c.offset.Add(int64(d)) }

func take(q *quota.Quota, caller string, times int) (allowed int, last quota.Verdict) {
	for range times {
		if last = q.Take(caller); last.Allowed {
			allowed++
		}
	}
	return allowed, last
}

func TestTake(t *testing.T) {
	t.Parallel()
	type step struct {
		pass    time.Duration // before the requests
		caller  string
		times   int
		allowed int
		last    quota.Verdict // without Allowed, which follows from allowed
	}
	const minute = quota.Window
	for _, c := range []struct {
		name      string
		perMinute int
		steps     []step
	}{
		{"P12: a minute's worth passes, the next request does not", 500, []step{
			{0, "a", 500, 500, quota.Verdict{Limit: 500, Full: minute, Retry: 120 * time.Millisecond}},
			{0, "a", 1, 0, quota.Verdict{Limit: 500, Full: minute, Retry: 120 * time.Millisecond}},
		}},
		{"P12: the first request says what is left", 500, []step{
			{0, "a", 1, 1, quota.Verdict{Limit: 500, Remaining: 499, Full: 120 * time.Millisecond}},
		}},
		{"P12: another tenant is not affected", 10, []step{
			{0, "a", 20, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
			{0, "b", 10, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
		}},
		{"P12: requests come back one by one", 10, []step{
			{0, "a", 10, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
			{5 * time.Second, "a", 1, 0, quota.Verdict{Limit: 10, Full: 55 * time.Second, Retry: time.Second}},
			{time.Second, "a", 2, 1, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
		}},
		{"P12: what is refused does not put the next one off", 10, []step{
			{0, "a", 1000, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
			{6 * time.Second, "a", 1, 1, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
		}},
		{"P12: after a minute everything is there again, and no more than that", 10, []step{
			{0, "a", 10, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
			{time.Hour, "a", 11, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
		}},
		{"P12: a clock that is put back gives nothing away", 10, []step{
			{0, "a", 10, 10, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
			{-time.Hour, "a", 1, 0, quota.Verdict{Limit: 10, Full: minute, Retry: 6 * time.Second}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var now clock
			q := quota.New(c.perMinute, now.now)
			for i, s := range c.steps {
				now.pass(s.pass)
				allowed, last := take(q, s.caller, s.times)
				if allowed != s.allowed {
					t.Errorf("step %d: %d of %d requests passed, want %d", i, allowed, s.times, s.allowed)
				}
				last.Allowed = false
				last.Full, last.Retry = last.Full.Round(time.Microsecond), last.Retry.Round(time.Microsecond)
				if last != s.last {
					t.Errorf("step %d: the last verdict is %+v, want %+v", i, last, s.last)
				}
			}
		})
	}
}

// Many at once get no more than one after the other.
func TestP12_ConcurrentRequestsAreCounted(t *testing.T) {
	t.Parallel()
	var now clock
	q := quota.New(500, now.now)
	var passed [4]atomic.Int64
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for range 100 {
				if tenant := worker % len(passed); q.Take(strconv.Itoa(tenant)).Allowed {
					passed[tenant].Add(1)
				}
			}
		})
	}
	all.Wait()
	for tenant := range passed {
		if got := passed[tenant].Load(); got != 400 {
			t.Errorf("tenant %d: %d of its 400 requests passed, want all", tenant, got)
		}
	}
	for range 16 {
		all.Go(func() {
			for range 100 {
				if q.Take("0").Allowed {
					passed[0].Add(1)
				}
			}
		})
	}
	all.Wait()
	if got := passed[0].Load(); got != 500 {
		t.Errorf("%d requests of one tenant passed in a minute, want 500", got)
	}
}

// Who was idle for a minute is forgotten, who was not is not.
func TestP12_IdleTenantsAreForgotten(t *testing.T) {
	t.Parallel()
	var now clock
	q := quota.New(10, now.now)
	for i := range 10_000 {
		q.Take(strconv.Itoa(i))
	}
	now.pass(50 * time.Second)
	take(q, "busy", 10)
	if got := q.Callers(); got != 10_001 {
		t.Errorf("%d callers are remembered, want 10001", got)
	}
	now.pass(11 * time.Second)
	q.Take("another")
	if got := q.Callers(); got != 2 {
		t.Errorf("%d callers are remembered, want the two that have not got everything back", got)
	}
	if allowed, _ := take(q, "busy", 10); allowed != 1 {
		t.Errorf("%d requests of the busy one passed, want the one that came back", allowed)
	}
}

func TestNewRefusesNone(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("New(0) did not panic")
		}
	}()
	quota.New(0, time.Now)
}
