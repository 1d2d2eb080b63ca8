package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"text/tabwriter"
)

// print writes v as JSON or, with a line for each element, as JSON lines, or
// calls table. What a table's line holds is written as [visible] does; only on a
// terminal are lines cut to its width.
func (a *app) print(v any, table func(w *tabwriter.Writer)) error {
	switch a.output {
	case "json":
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.stdout, string(b))
		return err
	case "jsonl":
		return a.printLines(v)
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	table(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, cut(visibleLines(b.String()), width(a.stdout)))
	return err
}

func (a *app) printLines(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return e.Encode(v)
	}
	for i := range list.Len() {
		if err := e.Encode(list.Index(i).Interface()); err != nil {
			return err
		}
	}
	return nil
}

// printRaw writes an answer that is JSON already: indented for people, as it
// is for programs that read lines. Anything else is written as it is, but that
// a terminal obeys none of it.
func (a *app) printRaw(answer json.RawMessage) error {
	if a.output == "jsonl" {
		_, err := fmt.Fprintln(a.stdout, string(bytes.TrimSpace(answer)))
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(answer), "", "  "); err != nil {
		_, err := io.WriteString(a.stdout, a.harmless(string(answer)))
		return err
	}
	_, err := fmt.Fprintln(a.stdout, a.harmless(b.String()))
	return err
}

// harmless is [visibleLines] of an answer that a person reads. A program gets
// what is there.
func (a *app) harmless(answer string) string {
	if !terminal(a.stdout) {
		return answer
	}
	return visibleLines(answer)
}
