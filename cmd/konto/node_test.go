package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"
)

// useEventStore calls an event store with the official client; what it reads
// is in stdout, a line for each event:
//
//	[!] esdb CONNECTION append STREAM DATA
//	[!] esdb CONNECTION read STREAM
func useEventStore(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || args[1] == "append" && len(args) != 4 || args[1] == "read" && len(args) != 3 {
		ts.Fatalf("usage: [!] esdb CONNECTION (append STREAM DATA | read STREAM)")
	}
	err := callEventStore(ts.Stdout(), args[0], args[1], args[2], args[len(args)-1])
	switch {
	case err != nil && !neg:
		ts.Fatalf("esdb %s: %v", strings.Join(args[1:], " "), err)
	case err == nil && neg:
		ts.Fatalf("esdb %s succeeded, want an error", strings.Join(args[1:], " "))
	case err != nil:
		_, _ = fmt.Fprintln(ts.Stderr(), err)
	}
}

func callEventStore(out io.Writer, connection, verb, stream, data string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := esdb.ParseConnectionString(connection)
	if err != nil {
		return err
	}
	c.Logger = esdb.NoopLogging()
	db, err := esdb.NewClient(c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it has served its purpose
	switch verb {
	case "append":
		event := esdb.EventData{EventID: uuid.New(), EventType: "said", ContentType: esdb.ContentTypeJson, Data: []byte(data)}
		_, err := db.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{}, event)
		return err
	case "read":
		events, err := db.ReadStream(ctx, stream, esdb.ReadStreamOptions{}, math.MaxInt64)
		if err != nil {
			return err
		}
		defer events.Close()
		for {
			e, err := events.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(out, string(e.OriginalEvent().Data))
		}
	}
	return fmt.Errorf("esdb %s: %w", verb, exec.ErrNotFound)
}
