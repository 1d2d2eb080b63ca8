package reactor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"konto/eventstore"
	"konto/internal/readdb"
)

// A row's next_at is when it may be taken, in microseconds since 1970; 0 means
// at once, in the order of seq. A row behind a failed one of its target has
// the failed one's next_at, so that it neither passes it nor is looked at.
const schema = `
CREATE TABLE IF NOT EXISTS checkpoint (
	id BIGINT PRIMARY KEY,
	commit_position BIGINT NOT NULL,
	prepare_position BIGINT NOT NULL
);
INSERT INTO checkpoint (id, commit_position, prepare_position) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING;
CREATE TABLE IF NOT EXISTS process (
	reaction TEXT NOT NULL,
	key TEXT NOT NULL,
	state TEXT NOT NULL,
	PRIMARY KEY (reaction, key)
);
CREATE TABLE IF NOT EXISTS outbox (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	kind TEXT NOT NULL,
	type TEXT NOT NULL,
	tenant TEXT NOT NULL,
	correlation TEXT NOT NULL,
	causation TEXT NOT NULL,
	reaction TEXT NOT NULL,
	target TEXT NOT NULL,
	payload TEXT NOT NULL,
	event_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	attempts BIGINT NOT NULL,
	state TEXT NOT NULL,
	class TEXT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_next ON outbox (next_at, seq) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS outbox_own ON outbox (next_at, seq) WHERE state = 'pending' AND kind <> 'call';
CREATE INDEX IF NOT EXISTS outbox_calls ON outbox (target, seq, next_at) WHERE state = 'pending' AND kind = 'call';
CREATE INDEX IF NOT EXISTS outbox_target ON outbox (target) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS outbox_ended ON outbox (ended_at) WHERE state = 'done';
CREATE INDEX IF NOT EXISTS outbox_dead ON outbox (seq) WHERE state = 'dead'`

// row is an effect that waits.
type row struct {
	seq                                                             int64
	id, kind, typ, tenant, correlation, causation, reaction, target string
	payload                                                         []byte
	at                                                              time.Time // of the event
	delayed                                                         bool
	due                                                             time.Time // if delayed
	attempts                                                        int
}

// stream is the place that personal values in the payload are sealed for.
func (r row) stream() string { return "outbox-" + r.id }

// outbox is the reactor's file.
type outbox struct{ file *readdb.File }

// open makes the tables and returns the checkpoint.
func (o *outbox) open(ctx context.Context) (eventstore.Position, error) {
	if err := o.file.Write(ctx, func(ctx context.Context, tx *readdb.Tx) error { return tx.Script(ctx, schema) }); err != nil {
		return eventstore.Position{}, fmt.Errorf("outbox: %w", err)
	}
	var commit, prepare int64
	err := o.file.QueryRowContext(ctx, `SELECT commit_position, prepare_position FROM checkpoint WHERE id = 1`).Scan(&commit, &prepare)
	if err != nil {
		return eventstore.Position{}, fmt.Errorf("checkpoint: %w", err)
	}
	return eventstore.Position{Commit: uint64(commit), Prepare: uint64(prepare)}, nil //nolint:gosec // bits are kept
}

// reset forgets the checkpoint and what processes remember.
func (o *outbox) reset(ctx context.Context) error {
	err := o.file.Write(ctx, func(ctx context.Context, tx *readdb.Tx) error {
		return tx.Script(ctx, `DELETE FROM process; UPDATE checkpoint SET commit_position = 0, prepare_position = 0`)
	})
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	return nil
}

// load returns what a process remembers, as JSON; empty if that is nothing.
func (o *outbox) load(ctx context.Context, k stateKey) (text string, err error) {
	err = o.file.QueryRowContext(ctx, `SELECT state FROM process WHERE reaction = $1 AND key = $2`, k.reaction, k.key).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("process state: %w", err)
	}
	return text, nil
}

// advance moves the checkpoint.
func (o *outbox) advance(ctx context.Context, to eventstore.Position) error {
	return o.record(ctx, to, nil, nil)
}

// record writes what a batch led to, all or nothing.
func (o *outbox) record(ctx context.Context, to eventstore.Position, states map[stateKey]string, rows []row) error {
	err := o.file.Write(ctx, func(ctx context.Context, tx *readdb.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE checkpoint SET commit_position = $1, prepare_position = $2 WHERE id = 1`,
			int64(to.Commit), int64(to.Prepare)) //nolint:gosec // bits are kept
		if err != nil {
			return err
		}
		for k, state := range states {
			_, err := tx.ExecContext(ctx, `INSERT INTO process (reaction, key, state) VALUES ($1, $2, $3)
				ON CONFLICT (reaction, key) DO UPDATE SET state = $3`, k.reaction, k.key, state)
			if err != nil {
				return err
			}
		}
		for _, r := range rows {
			if err := insert(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

func insert(ctx context.Context, tx *readdb.Tx, r row) error {
	due, next := r.at, int64(0)
	if r.delayed {
		due, next = r.due, r.due.UnixMicro()
	}
	// A target whose first effect has failed is passed by nobody.
	_, err := tx.ExecContext(ctx, `
		INSERT INTO outbox (id, kind, type, tenant, correlation, causation, reaction, target, payload,
			event_at, due_at, next_at, attempts, state, class, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
			max($12, coalesce((SELECT max(next_at) FROM outbox WHERE target = $8 AND state = 'pending' AND attempts > 0), 0)),
			0, 'pending', '', 0)
		ON CONFLICT (id) DO NOTHING`,
		r.id, r.kind, r.typ, r.tenant, r.correlation, r.causation, r.reaction, r.target, string(r.payload),
		r.at.UnixMicro(), due.UnixMicro(), next)
	return err
}

// fetch returns rows that may be taken: those whose time has come before those
// that came without one, at most limit of each. Calls are not among them.
func (o *outbox) fetch(ctx context.Context, now time.Time, limit int) ([]row, error) {
	const own = columns + `WHERE state = 'pending' AND kind <> 'call' AND `
	timed, err := o.rows(ctx, own+`next_at > 0 AND next_at <= $1 ORDER BY next_at, seq LIMIT $2`, now.UnixMicro(), limit)
	if err != nil {
		return nil, err
	}
	plain, err := o.rows(ctx, own+`next_at = 0 ORDER BY seq LIMIT $1`, limit)
	return append(timed, plain...), err
}

const columns = `SELECT seq, id, kind, type, tenant, correlation, causation, reaction, target, payload, event_at, attempts FROM outbox `

// fetchCalls returns the first call of each line that may be made, at most limit.
// The others of a line are not looked at: a slow system with a long line would
// leave no room for those of the rest.
func (o *outbox) fetchCalls(ctx context.Context, now time.Time, limit int) ([]row, error) {
	return o.rows(ctx, columns+`WHERE seq IN (SELECT min(seq) FROM outbox
		WHERE state = 'pending' AND kind = 'call' AND next_at <= $1 GROUP BY target) ORDER BY seq LIMIT $2`, now.UnixMicro(), limit)
}

func (o *outbox) rows(ctx context.Context, query string, args ...any) (out []row, err error) {
	rows, err := o.file.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r row
		var at int64
		err := rows.Scan(&r.seq, &r.id, &r.kind, &r.typ, &r.tenant, &r.correlation, &r.causation, &r.reaction, &r.target, &r.payload, &at, &r.attempts)
		if err != nil {
			return nil, fmt.Errorf("outbox: %w", err)
		}
		r.at = time.UnixMicro(at).UTC()
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return out, nil
}

// nextDue returns when the next row's time comes after now; ok is false if
// none waits for its time.
func (o *outbox) nextDue(ctx context.Context, now time.Time) (at time.Time, ok bool, err error) {
	var micros sql.NullInt64
	err = o.file.QueryRowContext(ctx, `SELECT min(next_at) FROM outbox WHERE state = 'pending' AND next_at > $1`, now.UnixMicro()).Scan(&micros)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("outbox: %w", err)
	}
	return time.UnixMicro(micros.Int64), micros.Valid, nil
}

// settle writes how attempts ended.
func (o *outbox) settle(ctx context.Context, results []result) error {
	err := o.file.Write(ctx, func(ctx context.Context, tx *readdb.Tx) error {
		for _, r := range results {
			if err := r.write(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

func (r result) write(ctx context.Context, tx *readdb.Tx) error {
	attempts := r.row.attempts + 1
	switch r.outcome {
	case outcomeDone: // the content has no further use
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET state = 'done', payload = '', class = '', attempts = $1, ended_at = $2 WHERE seq = $3`,
			attempts, r.ended.UnixMicro(), r.row.seq)
		return err
	case outcomeDead:
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET state = 'dead', class = $1, attempts = $2, ended_at = $3 WHERE seq = $4`,
			r.class, attempts, r.ended.UnixMicro(), r.row.seq)
		return err
	}
	next := r.next.UnixMicro()
	_, err := tx.ExecContext(ctx, `UPDATE outbox SET class = $1, attempts = $2, next_at = $3 WHERE seq = $4`, r.class, attempts, next, r.row.seq)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE outbox SET next_at = $1 WHERE target = $2 AND state = 'pending' AND next_at < $1`, next, r.row.target)
	return err
}

// prune deletes rows that were done before a time, some at a time, and reports
// whether there may be more.
func (o *outbox) prune(ctx context.Context, before time.Time) (more bool, err error) {
	const some = 1000
	err = o.file.Write(ctx, func(ctx context.Context, tx *readdb.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE seq IN (
			SELECT seq FROM outbox WHERE state = 'done' AND ended_at < $1 ORDER BY ended_at LIMIT $2)`, before.UnixMicro(), some)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		more = n == some
		return err
	})
	if err != nil {
		return false, fmt.Errorf("outbox: %w", err)
	}
	return more, nil
}
