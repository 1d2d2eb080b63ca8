package privacy

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
)

// Erasure is what the destruction of a subject's keys leaves to record.
type Erasure struct {
	Versions   []uint32 // of the keys that are destroyed
	Generation int64    // that the last of them was wrapped under; 0 if there were none
	// Digest is the SHA-256 of the SHA-256 of each wrapped key, in the order of
	// the versions; zero if there were none.
	Digest [sha256.Size]byte
}

// Destroy destroys the keys of subject and leaves a tombstone, so that none is
// made again. When it returns nil, nothing opens what was sealed about the
// subject: the keys are overwritten in the file and gone from its log, and this
// process has forgotten them. It can be repeated, with the same answer; after
// an error it must be, since the keys may be destroyed but not yet overwritten.
// It blocks for a flush to disk and for readers of the key file.
func (k *Keys) Destroy(ctx context.Context, tenant, subject string) (Erasure, error) {
	if tenant == "" || subject == "" {
		return Erasure{}, fmt.Errorf("destroy: %w: tenant or subject is empty", ErrMalformed)
	}
	e, err := k.destroy(ctx, tenant, subject)
	if err != nil {
		return Erasure{}, fmt.Errorf("destroy the keys of subject %q: %w", subject, k.closed(err))
	}
	if err := k.checkpoint(ctx); err != nil {
		return Erasure{}, fmt.Errorf("destroy the keys of subject %q: %w", subject, k.closed(err))
	}
	return e, nil
}

// Erased reports whether the keys of subject are destroyed, so that nothing can
// be sealed about it. A new subject gets a key. It blocks as Seal does.
func (k *Keys) Erased(ctx context.Context, tenant, subject string) (bool, error) {
	d, err := k.current(ctx, tenant, subject)
	if err != nil {
		return false, fmt.Errorf("key of subject %q: %w", subject, err)
	}
	return d.erased, nil
}

func (k *Keys) destroy(ctx context.Context, tenant, subject string) (e Erasure, err error) {
	// Even if the commit's answer is lost the keys may be destroyed.
	defer func() { k.forget(tenant, subject, e.Versions) }()
	tx, err := k.write.BeginTx(ctx, nil)
	if err != nil {
		return e, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if e, err = tombstones(ctx, tx, tenant, subject); err != nil {
		return e, err
	}
	if len(e.Versions) == 0 {
		// Without a key there is nothing to destroy, but one to prevent.
		_, err = tx.ExecContext(ctx, `INSERT INTO dek (tenant, subject, ver, kek_gen, wrapped, state, created_at, destroyed_at)
			VALUES (?, ?, 1, 0, x'', '`+destroyed+`', ?, ?) ON CONFLICT DO NOTHING`, tenant, subject, micros(k.now()), micros(k.now()))
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE dek SET state = '`+destroyed+`', wrapped = zeroblob(length(wrapped)), destroyed_at = ?
			WHERE tenant = ? AND subject = ? AND state <> '`+destroyed+`'`, micros(k.now()), tenant, subject)
	}
	if err != nil {
		return e, err
	}
	return e, tx.Commit()
}

// tombstones reads what a subject has of keys, and writes the digests of those
// that are about to go.
func tombstones(ctx context.Context, tx *sql.Tx, tenant, subject string) (e Erasure, err error) {
	type row struct {
		ver             uint32
		gen             int64
		wrapped, digest []byte
	}
	var rows []row
	r, err := tx.QueryContext(ctx, `SELECT ver, kek_gen, wrapped, digest FROM dek
		WHERE tenant = ? AND subject = ? AND kek_gen > 0 ORDER BY ver`, tenant, subject)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for r.Next() {
		var v row
		if err := r.Scan(&v.ver, &v.gen, &v.wrapped, &v.digest); err != nil {
			return e, err
		}
		rows = append(rows, v)
	}
	if err := r.Err(); err != nil {
		return e, err
	}
	all := sha256.New()
	for _, v := range rows {
		if v.digest == nil {
			sum := sha256.Sum256(v.wrapped)
			v.digest = sum[:]
			if _, err := tx.ExecContext(ctx, `UPDATE dek SET digest = ? WHERE tenant = ? AND subject = ? AND ver = ?`,
				v.digest, tenant, subject, v.ver); err != nil {
				return e, err
			}
		}
		all.Write(v.digest)
		e.Versions, e.Generation = append(e.Versions, v.ver), v.gen
	}
	if len(rows) > 0 {
		all.Sum(e.Digest[:0])
	}
	return e, nil
}
