package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"konto/eventstore"
	"konto/internal/client"
	"konto/internal/storecopy"
	"konto/internal/system"
)

// The exit codes. They are for ever.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitForbidden   = 4
	exitConflict    = 5
	exitInvalid     = 6
	exitLater       = 7
	exitUnavailable = 8
	exitTimeout     = 124
	exitInterrupted = 130
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Konto's exit codes:
    0  done
    1  failed
    2  wrong use: an unknown flag, a missing argument
    3  not found
    4  not signed in, or not allowed
    5  conflict: the account has moved on, or its state forbids it
    6  invalid: the command breaks a rule whatever the state
    7  too many requests, or busy: try later
    8  unavailable: nobody answers, or the store is down
  124  timed out
  130  interrupted
konto dev, konto serve and konto node end with 0 when a signal stops them once
they run; a second signal ends them at once. With -o json or jsonl, what went
wrong is one JSON object on standard error.`,
	}
}

// oneLine gives cobra's "did you mean" the form that ours has.
func oneLine(err error) error {
	text, near, ok := strings.Cut(err.Error(), "\n\nDid you mean this?")
	if !ok {
		return err
	}
	return errors.New(text + "; did you mean " + strings.Join(strings.Fields(near), " or ") + "?")
}

// wantsJSON reports whether args ask for JSON. It is for when they could not
// be read.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "-ojson", "-ojsonl", "-o=json", "-o=jsonl", "--output=json", "--output=jsonl":
			return true
		case "-o", "--output":
			if i+1 < len(args) && (args[i+1] == "json" || args[i+1] == "jsonl") {
				return true
			}
		}
	}
	return false
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

// missingError is about something that is not there.
type missingError struct{ error }

func (e missingError) Unwrap() error { return e.error }

func missing(err error) error { return missingError{err} }

// exit prints err, if there is one, and returns the exit code for it.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitCode(ctx, err)
	if code == exitInterrupted {
		return code
	}
	var p *client.Problem
	isProblem := errors.As(err, &p)
	switch {
	case a.wantsLines() && isProblem:
		_, _ = fmt.Fprintln(a.stderr, string(p.Raw))
	case a.wantsLines():
		line, _ := json.Marshal(map[string]any{"error": err.Error(), "exitCode": code}) //nolint:errchkjson // strings and numbers marshal
		_, _ = fmt.Fprintln(a.stderr, string(line))
	case isProblem:
		a.printProblem(p)
	default:
		_, _ = fmt.Fprintln(a.stderr, a.style(a.stderr).bad("konto:"), err)
	}
	if errors.Is(err, client.ErrNobody) && !a.wantsLines() && !a.quiet {
		_, _ = fmt.Fprintln(a.stderr, "Start konto dev, or name another Konto with --url.")
	}
	if code == exitUsage && !a.wantsLines() && !a.quiet {
		_, _ = fmt.Fprintln(a.stderr, "Run 'konto --help' or 'konto COMMAND --help' for how it is used.")
	}
	return code
}

// wantsLines reports whether a program reads what is printed.
func (a *app) wantsLines() bool { return a.output == "json" || a.output == "jsonl" }

func exitCode(ctx context.Context, err error) int {
	var p *client.Problem
	var u usageError
	var m missingError
	switch {
	case errors.As(err, &p):
		return statusCode(p.Status)
	case errors.As(err, &u):
		return exitUsage
	case errors.As(err, &m):
		return exitNotFound
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, errNoDev), errors.Is(err, errEnded), errors.Is(err, eventstore.ErrUnavailable):
		return exitUnavailable
	case errors.Is(err, system.ErrInUse), errors.Is(err, storecopy.ErrOtherData):
		return exitConflict
	}
	return exitFailed
}

func statusCode(status int) int {
	switch status {
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitForbidden
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return exitConflict
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return exitInvalid
	case http.StatusTooManyRequests:
		return exitLater
	case http.StatusServiceUnavailable, http.StatusInsufficientStorage, http.StatusBadGateway, http.StatusGatewayTimeout:
		return exitUnavailable
	}
	return exitFailed
}
