package privacy

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// schema of the key file. A data key is active, or destroyed and a tombstone;
// the newest version seals, all active ones open. A generation is active,
// retiring while keys move away from it, or destroyed. Times are Unix
// microseconds.
const schema = `
CREATE TABLE IF NOT EXISTS root_check (wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS kek (
	tenant TEXT NOT NULL, gen INTEGER NOT NULL, wrapped BLOB NOT NULL, state TEXT NOT NULL,
	created_at INTEGER NOT NULL, destroyed_at INTEGER,
	PRIMARY KEY (tenant, gen)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dek (
	tenant TEXT NOT NULL, subject TEXT NOT NULL, ver INTEGER NOT NULL, kek_gen INTEGER NOT NULL,
	wrapped BLOB NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL, destroyed_at INTEGER,
	digest BLOB,
	PRIMARY KEY (tenant, subject, ver)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tenant_key (
	tenant TEXT NOT NULL PRIMARY KEY, kek_gen INTEGER NOT NULL, wrapped BLOB NOT NULL, created_at INTEGER NOT NULL
) WITHOUT ROWID;`

const (
	active    = "active"
	retiring  = "retiring"
	destroyed = "destroyed"
)

const (
	// maxBatch is how many new keys share a transaction at most; a flush to
	// disk costs as much for a thousand as for one.
	maxBatch = 1024
	// readers is how many loads run side by side.
	readers = 4
)

// connect opens the database with its writer and its readers.
func (k *Keys) connect(ctx context.Context, path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, ownerOnly) //nolint:gosec // the operator's own file
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)"}, "_txlock": {"immediate"}}
	if k.write, err = sql.Open("sqlite", "file:"+path+"?"+pragmas.Encode()); err != nil {
		return err
	}
	k.write.SetMaxOpenConns(1)
	pragmas = url.Values{"_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	if k.read, err = sql.Open("sqlite", "file:"+path+"?"+pragmas.Encode()); err != nil {
		return errors.Join(err, k.write.Close())
	}
	k.read.SetMaxOpenConns(readers)
	k.read.SetMaxIdleConns(readers)
	if _, err := k.write.ExecContext(ctx, schema); err != nil {
		return errors.Join(err, k.disconnect())
	}
	// A process that was killed may have left destroyed keys in the log file.
	if err := k.checkpoint(ctx); err != nil {
		return errors.Join(err, k.disconnect())
	}
	return nil
}

func (k *Keys) disconnect() error { return errors.Join(k.read.Close(), k.write.Close()) }

// checkpoint empties SQLite's log, which holds earlier bytes of the pages.
func (k *Keys) checkpoint(ctx context.Context) error {
	var busy, log, done int
	if err := k.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if busy != 0 {
		return errors.New("checkpoint: the key file is in use")
	}
	return nil
}

// creation asks the writer for the key of a subject.
type creation struct {
	name dekName
	done chan created // has room for the answer
}

type created struct {
	dek *dek
	err error
}

// create makes new keys until Close, all that wait in one transaction.
func (k *Keys) create(ctx context.Context) {
	for {
		var batch []*creation
		select {
		case <-k.quit:
			return
		case c := <-k.creations:
			batch = append(batch, c)
		}
		for more := true; more && len(batch) < maxBatch; {
			select {
			case c := <-k.creations:
				batch = append(batch, c)
			default:
				more = false
			}
		}
		deks, err := k.createBatch(ctx, batch)
		for _, c := range batch {
			c.done <- created{deks[c.name], err}
		}
	}
}

// createBatch returns the current key of each subject in batch. All of them are
// on disk when it returns.
func (k *Keys) createBatch(ctx context.Context, batch []*creation) (map[dekName]*dek, error) {
	tx, err := k.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	insert, err := tx.PrepareContext(ctx, `INSERT INTO dek (tenant, subject, ver, kek_gen, wrapped, state, created_at)
		VALUES (?, ?, 1, ?, ?, '`+active+`', ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = insert.Close() }()
	deks := make(map[dekName]*dek, len(batch))
	keks := make(map[string]kek)
	for _, c := range batch {
		if deks[c.name] != nil {
			continue
		}
		g, ok := keks[c.name.tenant]
		if !ok {
			if g, err = k.generation(ctx, tx, c.name.tenant); err != nil {
				return nil, err
			}
			keks[c.name.tenant] = g
		}
		if deks[c.name], err = k.insertDEK(ctx, tx, insert, g, c.name); err != nil {
			return nil, err
		}
	}
	return deks, tx.Commit()
}

func (k *Keys) insertDEK(ctx context.Context, tx *sql.Tx, insert *sql.Stmt, g kek, n dekName) (*dek, error) {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	wrapped := g.box.seal(nil, key, wrapData(n.tenant, n.subject, 1, g.gen))
	r, err := insert.ExecContext(ctx, n.tenant, n.subject, g.gen, wrapped, micros(k.now()))
	if err != nil {
		return nil, err
	}
	if inserted, err := r.RowsAffected(); err != nil || inserted == 0 {
		// Another caller, another process or an erasure was first.
		d, err := k.loadDEK(ctx, tx, n)
		if d == nil && err == nil {
			err = ErrNoKey
		}
		return d, err
	}
	b, err := newBox(key)
	if err != nil {
		return nil, err
	}
	return &dek{box: b, ver: 1, at: k.now()}, nil
}

// kek is a tenant's key-encryption key of one generation.
type kek struct {
	gen int64
	box box
}

// generation returns the tenant's active generation, the first one if it has none.
func (k *Keys) generation(ctx context.Context, tx *sql.Tx, tenant string) (kek, error) {
	var gen int64
	var wrapped []byte
	err := tx.QueryRowContext(ctx, `SELECT gen, wrapped FROM kek WHERE tenant = ? AND state = '`+active+`'`, tenant).Scan(&gen, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return k.newGeneration(ctx, tx, tenant, 1)
	}
	if err != nil {
		return kek{}, err
	}
	return k.unwrapKEK(tenant, gen, wrapped)
}

func (k *Keys) newGeneration(ctx context.Context, tx *sql.Tx, tenant string, gen int64) (kek, error) {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return kek{}, err
	}
	wrapped := k.root.seal(nil, key, kekData(tenant, gen))
	_, err := tx.ExecContext(ctx, `INSERT INTO kek (tenant, gen, wrapped, state, created_at) VALUES (?, ?, ?, '`+active+`', ?)`,
		tenant, gen, wrapped, micros(k.now()))
	if err != nil {
		return kek{}, err
	}
	b, err := newBox(key)
	return kek{gen, b}, err
}

func (k *Keys) unwrapKEK(tenant string, gen int64, wrapped []byte) (kek, error) {
	key, err := k.root.open(wrapped, kekData(tenant, gen))
	if err != nil {
		return kek{}, fmt.Errorf("generation %d of tenant %s: %w", gen, tenant, ErrForged)
	}
	b, err := newBox(key)
	return kek{gen, b}, err
}

// kekData and wrapData bind a wrapped key to its row.
func kekData(tenant string, gen int64) []byte {
	return binary.BigEndian.AppendUint64(appendFields(nil, "konto-kek/1", tenant), uint64(gen)) //nolint:gosec // counts from 1
}

func wrapData(tenant, subject string, ver uint32, gen int64) []byte {
	b := binary.BigEndian.AppendUint32(appendFields(nil, "konto-dek/1", tenant, subject), ver)
	return binary.BigEndian.AppendUint64(b, uint64(gen)) //nolint:gosec // counts from 1
}

func tenantKeyData(tenant string, gen int64) []byte {
	return binary.BigEndian.AppendUint64(appendFields(nil, "konto-tenant-key/1", tenant), uint64(gen)) //nolint:gosec // counts from 1
}

func micros(t time.Time) int64 { return t.UnixMicro() }
