package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// dekName names a data key. Version 0 is the current one.
type dekName struct {
	tenant, subject string
	ver             uint32
}

// dek is a data key in memory.
type dek struct {
	box    box
	ver    uint32
	erased bool // a tombstone: there is no key any more
	at     time.Time
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// current returns the key that values about subject are sealed under, and makes
// it if there is none.
func (k *Keys) current(ctx context.Context, tenant, subject string) (*dek, error) {
	if tenant == "" || subject == "" {
		return nil, fmt.Errorf("%w: tenant or subject is empty", ErrMalformed)
	}
	n := dekName{tenant, subject, 0}
	d, epoch := k.cached(n)
	if d != nil {
		return d, nil
	}
	d, err := k.loadDEK(ctx, k.read, n)
	if err != nil {
		return nil, k.closed(err)
	}
	if d == nil {
		if d, err = k.submit(ctx, n); err != nil {
			return nil, err
		}
	}
	k.keep(n, d, epoch)
	return d, nil
}

// version returns one version of a subject's key.
func (k *Keys) version(ctx context.Context, tenant, subject string, ver uint32) (*dek, error) {
	n := dekName{tenant, subject, ver}
	d, epoch := k.cached(n)
	if d != nil {
		return d, nil
	}
	d, err := k.loadDEK(ctx, k.read, n)
	if err != nil {
		return nil, k.closed(err)
	}
	if d == nil {
		return nil, ErrNoKey
	}
	k.keep(n, d, epoch)
	return d, nil
}

// cached returns a key that was loaded less than a minute ago, and the epoch
// to give to keep if there is none.
func (k *Keys) cached(n dekName) (*dek, uint64) {
	if d, ok := k.deks.Get(n); ok && k.now().Sub(d.at) < cacheLife {
		return d, 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return nil, k.epoch
}

// keep caches d, unless keys were destroyed since epoch: d may be one of them.
func (k *Keys) keep(n dekName, d *dek, epoch uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.epoch != epoch {
		return
	}
	k.deks.Add(n, d)
	if n.ver == 0 {
		k.deks.Add(dekName{n.tenant, n.subject, d.ver}, d)
	}
}

// forget drops a subject's keys from memory.
func (k *Keys) forget(tenant, subject string, versions []uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.epoch++
	k.deks.Remove(dekName{tenant, subject, 0})
	for _, v := range versions {
		k.deks.Remove(dekName{tenant, subject, v})
	}
}

// Forget drops a subject's keys from memory: they may have been destroyed by
// another process with the same file, which is asked again.
func (k *Keys) Forget(tenant, subject string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.epoch++
	for _, n := range k.deks.Keys() {
		if n.tenant == tenant && n.subject == subject {
			k.deks.Remove(n)
		}
	}
}

// ForgetAll drops all subjects' keys from memory.
func (k *Keys) ForgetAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.epoch++
	k.deks.Purge()
}

// submit has the writer make a key, together with those of other callers.
func (k *Keys) submit(ctx context.Context, n dekName) (*dek, error) {
	c := &creation{name: n, done: make(chan created, 1)}
	select {
	case k.creations <- c:
	case <-k.quit:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case r := <-c.done:
		if r.err != nil {
			return nil, fmt.Errorf("new key: %w", r.err)
		}
		return r.dek, nil
	case <-k.quit:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// loadDEK reads a key, nil if there is none.
func (k *Keys) loadDEK(ctx context.Context, q querier, n dekName) (*dek, error) {
	const columns = `SELECT d.ver, d.kek_gen, d.wrapped, d.state, k.wrapped
		FROM dek d LEFT JOIN kek k ON k.tenant = d.tenant AND k.gen = d.kek_gen WHERE d.tenant = ? AND d.subject = ?`
	var (
		ver                 uint32
		gen                 int64
		wrapped, wrappedKEK []byte
		state               string
		err                 error
	)
	if n.ver == 0 {
		err = q.QueryRowContext(ctx, columns+` ORDER BY d.ver DESC LIMIT 1`, n.tenant, n.subject).Scan(&ver, &gen, &wrapped, &state, &wrappedKEK)
	} else {
		err = q.QueryRowContext(ctx, columns+` AND d.ver = ?`, n.tenant, n.subject, n.ver).Scan(&ver, &gen, &wrapped, &state, &wrappedKEK)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil //nolint:nilnil // no key is an answer
	case err != nil:
		return nil, fmt.Errorf("load key: %w", err)
	case state == destroyed:
		return &dek{ver: ver, erased: true, at: k.now()}, nil
	}
	g, err := k.unwrapKEK(n.tenant, gen, wrappedKEK)
	if err != nil {
		return nil, err
	}
	key, err := g.box.open(wrapped, wrapData(n.tenant, n.subject, ver, gen))
	if err != nil {
		return nil, fmt.Errorf("key of subject %q: %w", n.subject, ErrForged)
	}
	b, err := newBox(key)
	if err != nil {
		return nil, err
	}
	return &dek{box: b, ver: ver, at: k.now()}, nil
}

// closed says ErrClosed for what a closed database says.
func (k *Keys) closed(err error) error {
	select {
	case <-k.quit:
		return fmt.Errorf("%w: %w", ErrClosed, err)
	default:
		return err
	}
}
