package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"konto/eventstore"
)

// postgresConns is how many connections PostgreSQL gets at most: more made it
// slower when it was measured on two cores.
const postgresConns = 64

func (s *storeBench) postgresContender() contender {
	return contender{
		kind: StorePostgres, what: "PostgreSQL, Unix socket, insert and commit each, unique on stream and version",
		append: func(ctx context.Context, dir string, writers int) (*side, error) {
			return s.postgresSide(ctx, dir, min(writers, postgresConns), nil)
		},
		read: func(ctx context.Context, dir string) (*side, error) {
			return s.postgresSide(ctx, dir, postgresReaders, s.postgresFill)
		},
	}
}

const postgresSchema = `
CREATE TABLE events (
	position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	stream TEXT NOT NULL,
	version BIGINT NOT NULL,
	id UUID NOT NULL,
	type TEXT NOT NULL,
	data BYTEA NOT NULL,
	meta BYTEA NOT NULL,
	at TIMESTAMPTZ NOT NULL DEFAULT now(),
	UNIQUE (stream, version)
)`

const (
	postgresInsert = `INSERT INTO events (stream, version, id, type, data, meta) VALUES ($1, $2, $3, $4, $5, $6)`
	postgresAll    = `SELECT stream, version, id, type, data, meta, at FROM events ORDER BY position`
	postgresStream = `SELECT stream, version, id, type, data, meta, at FROM events WHERE stream = $1 ORDER BY version`
)

// postgresReaders is how many connections a filled server gets.
const postgresReaders = 4

// postgresSide starts a server in dir with as many connections, and fills it if
// fill is not nil.
func (s *storeBench) postgresSide(ctx context.Context, dir string, conns int, fill func(context.Context, *pgxpool.Pool) error) (_ *side, err error) {
	server, err := startPostgres(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, server.stop())
		}
	}()
	cfg, err := pgxpool.ParseConfig(server.url())
	if err != nil {
		return nil, err
	}
	cfg.MaxConns, cfg.MinConns = int32(conns), int32(conns) //nolint:gosec // at most postgresConns
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, postgresSchema)
	if err == nil && fill != nil {
		err = fill(ctx, pool)
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &side{
		loop: func(w int) loop {
			return s.turns(w, func(ctx context.Context, stream string, expected int, e *eventstore.Event) error {
				_, err := pool.Exec(ctx, postgresInsert, stream, expected+1, e.ID, e.Type, e.Data, e.Meta)
				return err
			})
		},
		all:    func(ctx context.Context) (int, error) { return postgresRead(ctx, pool, postgresAll) },
		stream: func(ctx context.Context) (int, error) { return postgresRead(ctx, pool, postgresStream, "long") },
		short: func(ctx context.Context, n int) (int, error) {
			return postgresRead(ctx, pool, postgresStream, short(n))
		},
		close: func() error {
			pool.Close()
			return server.stop()
		},
	}, nil
}

// postgresFill writes what is to be read, short streams mixed, in one transaction.
func (s *storeBench) postgresFill(ctx context.Context, pool *pgxpool.Pool) error {
	n := 0
	total := s.Long + s.Short*shortStream
	rows := pgx.CopyFromFunc(func() ([]any, error) {
		if n == total {
			return nil, nil //nolint:nilnil // the end, says pgx
		}
		stream, version, e := "long", n, event(uint64(n)) //nolint:gosec // small
		if i := n - s.Long; i >= 0 {
			stream, version = short(i%s.Short), i/s.Short
			e = event(uint64(i%s.Short+1)<<40 + uint64(version)) //nolint:gosec // small
		}
		n++
		return []any{stream, version, e.ID, e.Type, e.Data, e.Meta}, nil
	})
	if _, err := pool.CopyFrom(ctx, pgx.Identifier{"events"}, []string{"stream", "version", "id", "type", "data", "meta"}, rows); err != nil {
		return err
	}
	_, err := pool.Exec(ctx, `VACUUM ANALYZE events`)
	return err
}

func postgresRead(ctx context.Context, pool *pgxpool.Pool, query string, args ...any) (n int, err error) {
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var r eventstore.Recorded
		if err := rows.Scan(&r.Stream, &r.Revision, &r.ID, &r.Type, &r.Data, &r.Meta, &r.At); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// postgres is a running server.
type postgres struct {
	cmd    *exec.Cmd
	log    bytes.Buffer
	socket string // directory
	ended  chan error
}

func (p *postgres) url() string {
	return "host=" + p.socket + " user=konto dbname=postgres sslmode=disable"
}

// How long a server may take to begin and to end.
const postgresLimit = 30 * time.Second

// startPostgres makes a cluster in dir and starts its server with PostgreSQL's
// own settings, which are durable. It is errLeftOut where that cannot be.
func startPostgres(ctx context.Context, dir string) (_ *postgres, err error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	as, err := postgresRunner()
	if err != nil {
		return nil, err
	}
	p := &postgres{socket: filepath.Join(dir, "socket"), ended: make(chan error, 1)}
	data := filepath.Join(dir, "data")
	for _, d := range []string{dir, p.socket, data} {
		if err := errors.Join(os.Mkdir(d, 0o700), as.own(d)); err != nil {
			return nil, err
		}
	}
	ctx = context.WithoutCancel(ctx)                                                                                                                     // stop ends it, in good order
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "konto", "--no-locale", "-E", "UTF8", "--no-sync") //nolint:gosec // where PostgreSQL is installed
	as.run(initdb, dir)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: initdb: %w: %s", errLeftOut, err, bytes.TrimSpace(out))
	}
	p.cmd = exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "-D", data, "-k", p.socket, "-c", "listen_addresses=") //nolint:gosec // as above
	as.run(p.cmd, dir)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: postgres: %w", errLeftOut, err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, p.ready(ctx)
}

// ready waits until the server answers.
func (p *postgres) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, postgresLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.url())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case ended := <-p.ended:
			return fmt.Errorf("%w: postgres ended: %w: %s", errLeftOut, ended, bytes.TrimSpace(p.log.Bytes()))
		default:
		}
		if !pause(ctx, 20*time.Millisecond) {
			return errors.Join(fmt.Errorf("postgres does not answer: %w", err), p.stop())
		}
	}
}

// stop is a fast shutdown: sessions end, and what was committed is kept.
func (p *postgres) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	limit := time.NewTimer(postgresLimit)
	defer limit.Stop()
	select {
	case err := <-p.ended:
		return err
	case <-limit.C:
		return errors.Join(errors.New("postgres does not end"), p.cmd.Process.Kill())
	}
}

// postgresBin returns the directory of PostgreSQL's programs: the one in PATH,
// or the newest where Debian puts them.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "initdb")); err == nil {
				return filepath.Dir(path), nil
			}
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		major := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })), nil
	}
	return "", fmt.Errorf("%w: PostgreSQL is not installed here (no postgres in PATH or /usr/lib/postgresql)", errLeftOut)
}
