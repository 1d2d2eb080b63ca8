// Package quota holds callers to a number of requests a minute.
//
// Each caller has a bucket that holds a minute's worth of requests and fills
// up evenly: who has been idle may send a minute's worth at once, and from then
// on as many as come back. So nobody's average is above the quota for longer
// than that, and nobody waits a whole minute for the next request.
//
// A caller costs memory only while their bucket is not full: a full one is as
// good as none, so that callers who have been idle for a minute are forgotten.
// Counts are this process's own and gone when it ends.
package quota

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Window is the time that a quota is for.
const Window = time.Minute

// Quota counts callers' requests. It is safe for concurrent use.
type Quota struct {
	perMinute int
	now       func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	swept   time.Time
}

// Verdict says whether a request is within the quota, and what is left of it.
type Verdict struct {
	Allowed   bool
	Limit     int           // requests in a [Window]
	Remaining int           // requests that are left now
	Full      time.Duration // until everything is there again, if nothing more is asked
	Retry     time.Duration // until the next request is within the quota; 0 if it is now
}

// New returns a quota of that many requests a minute for each caller, by a
// clock. It panics if there is less than one, since then nobody could do anything.
func New(perMinute int, now func() time.Time) *Quota {
	if perMinute < 1 {
		panic("quota: want at least one request a minute")
	}
	return &Quota{perMinute: perMinute, now: now, buckets: map[string]*rate.Limiter{}, swept: now()}
}

// Take counts a request of a caller. One that is not allowed takes nothing: it
// does not put off the time when the next one is.
func (q *Quota) Take(caller string) Verdict {
	at := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sweep(at)
	b, ok := q.buckets[caller]
	if !ok {
		b = rate.NewLimiter(rate.Limit(float64(q.perMinute)/Window.Seconds()), q.perMinute)
		q.buckets[caller] = b
	}
	v := Verdict{Allowed: b.AllowN(at, 1), Limit: q.perMinute}
	left := max(0, b.TokensAt(at))
	v.Remaining = int(left)
	v.Full = q.take(float64(q.perMinute) - left)
	if left < 1 {
		v.Retry = q.take(1 - left)
	}
	return v
}

// take is how long it takes until that many requests have come back.
func (q *Quota) take(requests float64) time.Duration {
	return time.Duration(requests / float64(q.perMinute) * float64(Window))
}

// Callers is how many callers are remembered.
func (q *Quota) Callers() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.buckets)
}

// sweep forgets who has a full bucket. Once a window is often enough: what is
// remembered are the callers of the last two.
func (q *Quota) sweep(at time.Time) {
	if at.Sub(q.swept) < Window && !at.Before(q.swept) {
		return
	}
	q.swept = at
	for caller, b := range q.buckets {
		if b.TokensAt(at) >= float64(q.perMinute) {
			delete(q.buckets, caller)
		}
	}
}
