package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"

	"konto/domain/policy"
	"konto/eventstore/node/engine"
	"konto/internal/envelope"
	"konto/internal/privacy"
	"konto/internal/projector"
	"konto/internal/readdb"
	"konto/projections"

	_ "modernc.org/sqlite" // to read what the projector wrote
)

// rebuilt DIR builds all read models of a data directory anew and compares
// them, row by row, with those that grew while its history was made.
func rebuilt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rebuilt DIR")
	}
	dir, fresh := ts.MkAbs(args[0]), filepath.Join(ts.MkAbs("."), "rebuilt.db")
	ts.Check(rebuild(context.Background(), dir, fresh))
	for _, p := range projections.All {
		for _, table := range p.Tables {
			live, err := rowsOf(filepath.Join(dir, "read.db"), table)
			ts.Check(err)
			anew, err := rowsOf(fresh, table)
			ts.Check(err)
			if !slices.Equal(live, anew) {
				ts.Fatalf("table %s of %s has %d rows, built anew %d; first difference:\n%s", table, p.Name, len(live), len(anew), difference(live, anew))
			}
			ts.Logf("%s: %d rows", table, len(live))
		}
	}
}

func rebuild(ctx context.Context, dir, into string) (err error) {
	store, err := engine.Open(filepath.Join(dir, "events"), engine.Config{Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	db, err := readdb.Open(ctx, readdb.Config{Path: into, Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return (&projector.Projector{
		Store: store, DB: db, Projections: projections.All, Contracts: envelope.Index(policy.Contracts), Now: time.Now, Log: zerolog.Nop(),
		Annotate: func(data []byte, tenant, stream, eventID, typ string) []byte {
			return privacy.Annotate(data, privacy.Context{Tenant: tenant, Stream: stream, EventID: eventID, Type: typ})
		},
	}).Rebuild(ctx, db, nil)
}

// rowsOf returns a table's rows as text, sorted.
func rowsOf(file, table string) (lines []string, err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT * FROM " + table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		var b strings.Builder
		for i, c := range columns {
			fmt.Fprintf(&b, " %s=%v", c, values[i])
		}
		lines = append(lines, b.String())
	}
	slices.Sort(lines)
	return lines, rows.Err()
}

func difference(a, b []string) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return "only anew:" + b[i]
		case i >= len(b):
			return "only live:" + a[i]
		case a[i] != b[i]:
			return "live:" + a[i] + "\nanew:" + b[i]
		}
	}
	return ""
}
