package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/httpapi"
)

func (a *app) event() *cobra.Command {
	c := group(&cobra.Command{Use: "event", Short: "Follow what happens, or take the log along"})
	c.AddCommand(a.eventTail(), a.eventExport())
	return c
}

func (a *app) eventTail() *cobra.Command {
	var after string
	var limit int
	c := &cobra.Command{
		Use:   "tail",
		Short: "Print events as they are recorded, those that you may read",
		Example: `  konto event tail --as eva
  konto event tail --after 0 --limit 10 -o jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("limit") && limit < 1 {
				return usage(fmt.Errorf("--limit %d: want how many events, 1 or more; without it, tail follows for ever", limit))
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			path := "/v1/events"
			if after != "" {
				path += "?after=" + url.QueryEscape(after)
			}
			res, err := c.Open(cmd.Context(), http.MethodGet, path, nil, nil)
			if err != nil {
				return err
			}
			defer func() { _ = res.Body.Close() }()
			return a.printEvents(res.Body, limit)
		},
	}
	c.Flags().StringVar(&after, "after", "", "begin after this position; 0 is the beginning; default: now")
	c.Flags().IntVar(&limit, "limit", 0, "end after so many events, 1 or more; default: never")
	return c
}

func (a *app) eventExport() *cobra.Command {
	var after, file, format string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the events that you may read to a file, up to now",
		Long: `Writes the log as CSV or as JSON lines, in its order, each event with its
position. A file that broke off, or yesterday's, goes on with --after and the
last position in it. Personal values that you may not see are there as
commitments.`,
		Example: `  konto event export --format csv --file events.csv
  konto event export --format jsonl --after C:1200/P:1200`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "csv" && format != "jsonl" {
				return usage(fmt.Errorf("--format %s: want csv or jsonl", format))
			}
			path := "/v1/events?format=" + format + "&after=" + url.QueryEscape(after)
			return a.download(cmd.Context(), path, file, func(w io.Writer, r io.Reader) error {
				events, last, err := copyEvents(w, r, format)
				if err == nil && !a.quiet {
					_, _ = fmt.Fprintf(a.stderr, "%d events%s\n", events, upTo(last))
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&after, "after", "", "begin after this position; default: at the beginning")
	c.Flags().StringVar(&file, "file", "", "write to this `FILE`; default: standard output")
	c.Flags().StringVar(&format, "format", "jsonl", "`FORM` is csv or jsonl")
	return c
}

// copyEvents copies a log in a form, and returns how many events are in it and
// the position of the last; "" if there is none.
func copyEvents(w io.Writer, r io.Reader, form string) (events int, last string, err error) {
	r = io.TeeReader(r, w)
	if form == "csv" {
		rows := csv.NewReader(r)
		rows.ReuseRecord = true
		for n := 0; ; n++ { // the first row is the columns' names
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return max(n-1, 0), last, nil
			}
			if err != nil {
				return n, last, err
			}
			if n > 0 {
				last = strings.Clone(row[0])
			}
		}
	}
	var event struct {
		Position string `json:"position"`
	}
	for d := json.NewDecoder(r); ; events++ {
		err := d.Decode(&event)
		if errors.Is(err, io.EOF) {
			return events, event.Position, nil
		}
		if err != nil {
			return events, event.Position, err
		}
	}
}

func upTo(position string) string {
	if position == "" {
		return ""
	}
	return ", up to " + position
}

// maxLine bounds one event on the wire, in bytes.
const maxLine = 4 << 20

// errEnded: the server has gone.
var errEnded = errors.New("the connection ended")

func (a *app) printEvents(r io.Reader, limit int) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 0; lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if err := a.printEvent(data); err != nil {
			return err
		}
		if n++; n == limit {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errEnded
}

func (a *app) printEvent(data string) error {
	if a.output != "table" {
		_, err := fmt.Fprintln(a.stdout, data)
		return err
	}
	var e httpapi.TailEvent
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "%s  %-28s %s@%d  by %s %s\n",
		e.RecordedAt.UTC().Format(time.DateTime), visible(e.Type), visible(e.Stream), e.Revision, e.Actor.Kind, visible(e.Actor.ID))
	return err
}
