package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// rewrapBatch is how many keys are rewrapped in one transaction: few enough
// that callers with new subjects hardly wait.
const rewrapBatch = 512

// Rotation is what a rotation did.
type Rotation struct {
	Generation int64   // the active one now; 0 if the tenant has no keys
	Destroyed  []int64 // the generations that are no more
	Rewrapped  int     // how many keys moved, those of destroyed subjects not among them
}

// Rotate starts a new generation of the tenant's key-encryption key, rewraps
// the tenant's live keys under it and destroys the old one, so that a copy of
// the key file made after this holds no trace of subjects that were destroyed
// before. What is sealed stays as it is and opens as before. It finishes a
// rotation that was interrupted first, so after an error or a crash call it
// again; until then both generations work. It blocks for as long as the tenant
// has keys to rewrap, but lets others use them meanwhile.
func (k *Keys) Rotate(ctx context.Context, tenant string) (Rotation, error) {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	var r Rotation
	err := k.finishRotation(ctx, tenant, &r)
	if err == nil {
		err = k.startRotation(ctx, tenant)
	}
	if err == nil {
		err = k.finishRotation(ctx, tenant, &r)
	}
	if err == nil {
		err = k.checkpoint(ctx)
	}
	if err != nil {
		return r, fmt.Errorf("rotate the keys of tenant %s: %w", tenant, k.closed(err))
	}
	return r, nil
}

// startRotation makes the next generation the active one.
func (k *Keys) startRotation(ctx context.Context, tenant string) error {
	return k.inWrite(ctx, func(tx *sql.Tx) error {
		var gen int64
		err := tx.QueryRowContext(ctx, `SELECT gen FROM kek WHERE tenant = ? AND state = '`+active+`'`, tenant).Scan(&gen)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE kek SET state = '`+retiring+`' WHERE tenant = ? AND gen = ?`, tenant, gen); err != nil {
			return err
		}
		_, err = k.newGeneration(ctx, tx, tenant, gen+1)
		return err
	})
}

// finishRotation empties the retiring generations and destroys them.
func (k *Keys) finishRotation(ctx context.Context, tenant string, r *Rotation) error {
	old, err := k.generations(ctx, tenant, r)
	if err != nil || len(old) == 0 {
		return err
	}
	var after dekName
	for more := true; more; {
		err := k.inWrite(ctx, func(tx *sql.Tx) error {
			n, last, err := k.rewrap(ctx, tx, tenant, old, after)
			r.Rewrapped += n
			more, after = last.subject != "", last
			return err
		})
		if err != nil {
			return err
		}
	}
	return k.inWrite(ctx, func(tx *sql.Tx) error {
		if err := k.rewrapTenantKey(ctx, tx, tenant, old); err != nil {
			return err
		}
		var left int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM dek d JOIN kek k ON k.tenant = d.tenant AND k.gen = d.kek_gen
			WHERE d.tenant = ? AND k.state = '`+retiring+`' AND d.state <> '`+destroyed+`'`, tenant).Scan(&left)
		if err != nil {
			return err
		}
		if left > 0 {
			return fmt.Errorf("%d keys are still under an old generation", left)
		}
		_, err = tx.ExecContext(ctx, `UPDATE kek SET state = '`+destroyed+`', wrapped = zeroblob(length(wrapped)), destroyed_at = ?
			WHERE tenant = ? AND state = '`+retiring+`'`, micros(k.now()), tenant)
		for gen := range old {
			r.Destroyed = append(r.Destroyed, gen)
		}
		return err
	})
}

// generations returns the retiring generations and notes the active one.
func (k *Keys) generations(ctx context.Context, tenant string, r *Rotation) (old map[int64]kek, err error) {
	rows, err := k.write.QueryContext(ctx, `SELECT gen, wrapped, state FROM kek WHERE tenant = ? AND state <> '`+destroyed+`'`, tenant)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	old = make(map[int64]kek)
	for rows.Next() {
		var gen int64
		var wrapped []byte
		var state string
		if err := rows.Scan(&gen, &wrapped, &state); err != nil {
			return nil, err
		}
		if state == active {
			r.Generation = gen
			continue
		}
		if old[gen], err = k.unwrapKEK(tenant, gen, wrapped); err != nil {
			return nil, err
		}
	}
	return old, rows.Err()
}

// rewrap moves the next keys after a name to the active generation. The zero
// name means that there are no more.
func (k *Keys) rewrap(ctx context.Context, tx *sql.Tx, tenant string, old map[int64]kek, after dekName) (n int, last dekName, err error) {
	g, err := k.generation(ctx, tx, tenant)
	if err != nil {
		return 0, dekName{}, err
	}
	batch, err := nextWrapped(ctx, tx, tenant, after)
	if err != nil {
		return 0, dekName{}, err
	}
	for _, w := range batch {
		last = w.name
		from, ok := old[w.gen]
		if !ok {
			continue // made under the active generation
		}
		key, err := from.box.open(w.wrapped, wrapData(tenant, w.name.subject, w.name.ver, w.gen))
		if err != nil {
			return 0, dekName{}, fmt.Errorf("key of subject %q: %w", w.name.subject, ErrForged)
		}
		_, err = tx.ExecContext(ctx, `UPDATE dek SET kek_gen = ?, wrapped = ? WHERE tenant = ? AND subject = ? AND ver = ?`,
			g.gen, g.box.seal(nil, key, wrapData(tenant, w.name.subject, w.name.ver, g.gen)), tenant, w.name.subject, w.name.ver)
		if err != nil {
			return 0, dekName{}, err
		}
		n++
	}
	return n, last, nil
}

type wrappedDEK struct {
	name    dekName
	gen     int64
	wrapped []byte
}

func nextWrapped(ctx context.Context, tx *sql.Tx, tenant string, after dekName) (batch []wrappedDEK, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT subject, ver, kek_gen, wrapped FROM dek
		WHERE tenant = ? AND (subject, ver) > (?, ?) AND state <> '`+destroyed+`' ORDER BY subject, ver LIMIT ?`,
		tenant, after.subject, after.ver, rewrapBatch)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		w := wrappedDEK{name: dekName{tenant: tenant}}
		if err := rows.Scan(&w.name.subject, &w.name.ver, &w.gen, &w.wrapped); err != nil {
			return nil, err
		}
		batch = append(batch, w)
	}
	return batch, rows.Err()
}

func (k *Keys) rewrapTenantKey(ctx context.Context, tx *sql.Tx, tenant string, old map[int64]kek) error {
	var gen int64
	var wrapped []byte
	err := tx.QueryRowContext(ctx, `SELECT kek_gen, wrapped FROM tenant_key WHERE tenant = ?`, tenant).Scan(&gen, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	from, ok := old[gen]
	if !ok {
		return nil
	}
	g, err := k.generation(ctx, tx, tenant)
	if err != nil {
		return err
	}
	key, err := from.box.open(wrapped, tenantKeyData(tenant, gen))
	if err != nil {
		return ErrForged
	}
	_, err = tx.ExecContext(ctx, `UPDATE tenant_key SET kek_gen = ?, wrapped = ? WHERE tenant = ?`,
		g.gen, g.box.seal(nil, key, tenantKeyData(tenant, g.gen)), tenant)
	return err
}

// inWrite runs do in a transaction of the writer.
func (k *Keys) inWrite(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := k.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
