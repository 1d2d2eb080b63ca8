package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// makeHistory makes a data directory with so many events, one by one, in a hundred
// streams that lie mixed:
//
//	history COUNT DIRECTORY
func makeHistory(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: history COUNT DIRECTORY")
	}
	count, err := strconv.Atoi(args[0])
	ts.Check(err)
	s, err := engine.Open(filepath.Join(ts.MkAbs(args[1]), "events"), engine.Config{})
	ts.Check(err)
	const streams = 100
	var records []eventstore.Recorded
	for n := range count {
		r := eventstore.Recorded{Stream: fmt.Sprintf("account-%d", n%streams), Revision: eventstore.Revision(n / streams)}
		r.Event = eventstore.Event{Type: "Happened", Data: fmt.Appendf(nil, `{"n":%d}`, n)}
		binary.BigEndian.PutUint64(r.ID[:], uint64(n+1))
		records = append(records, r)
	}
	ts.Check(errors.Join(s.Import(context.Background(), records), s.Close()))
}
