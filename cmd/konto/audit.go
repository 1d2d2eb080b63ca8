package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/domain"
	"konto/domain/audit"
	"konto/internal/client"
	"konto/internal/httpapi"
	"konto/projections"
)

func (a *app) audit() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "audit",
		Short: "Read the history as an auditor: open a session, close it, see who read what",
		Long: `An auditor reads the history in a session, which has a purpose, a scope and an
end. Every reading and every export is recorded, and the organization's admins
see the records. One session is open at a time.`,
	})
	c.AddCommand(a.auditOpen(), a.auditList(), a.auditClose(), a.auditExport())
	return c
}

const auditAccess = "audit-access" // the collection

// whoami returns who the caller is.
func (a *app) whoami(cmd *cobra.Command) (*client.Client, domain.Actor, error) {
	var actor domain.Actor
	c, err := a.client()
	if err == nil {
		err = c.Get(cmd.Context(), "/v1/whoami", &actor)
	}
	return c, actor, err
}

func (a *app) auditOpen() *cobra.Command {
	var open audit.OpenAuditSession
	var length time.Duration
	c := &cobra.Command{
		Use:   "open --purpose WHY --whole|--kind KIND|--account STREAM",
		Short: "Open a session in which you read what it covers",
		Long: `Opens a session for you, an auditor. It covers the whole organization, some kinds
of accounts (such as card), some accounts by their streams (such as card-0193…),
or kinds and accounts. Without --personal, names, addresses and the like are not
shown. It ends by itself; policy audit-sessions says after how long at most.`,
		Example: `  konto audit open --purpose "cards, second half of 2026" --kind card --kind billing --as eva
  konto audit open --purpose "complaint 4711" --account card-01930000-0000-7000-8000-000000000030 --personal --for 1h --as eva`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !open.Scope.Whole && len(open.Scope.Kinds)+len(open.Scope.Accounts) == 0 {
				return usage(errors.New("open: want --whole, --kind or --account"))
			}
			if length%time.Minute != 0 {
				return usage(errors.New("open: --for takes whole minutes, such as 90m or 8h"))
			}
			open.Minutes = int(length / time.Minute)
			c, me, err := a.whoami(cmd)
			if err != nil {
				return err
			}
			accepted, err := c.Send(cmd.Context(), client.Command{Collection: auditAccess, ID: me.ID, Name: "OpenAuditSession", Body: open})
			if err != nil {
				return err
			}
			return a.printAccepted(accepted, false)
		},
	}
	f := c.Flags()
	f.StringVar(&open.Purpose, "purpose", "", "what the history is read for, in your words")
	f.BoolVar(&open.Scope.Whole, "whole", false, "cover the whole organization")
	f.StringSliceVar(&open.Scope.Kinds, "kind", nil, "cover accounts of this `KIND`, such as card; may be given more than once")
	f.StringSliceVar(&open.Scope.Accounts, "account", nil, "cover the account with this `STREAM`; may be given more than once")
	f.BoolVar(&open.Scope.Personal, "personal", false, "show personal values, too")
	passingVar(f, &length, "for", 0, "end after this `TIME`, such as 90m or 2d; default: as the policy says")
	return c
}

func (a *app) auditClose() *cobra.Command {
	return &cobra.Command{
		Use:   "close [AUDITOR]",
		Short: "End a session before its time: your own, or an auditor's by their ID",
		Example: `  konto audit close --as eva
  konto audit close 01930000-0000-7000-8000-000000000012 --as anna`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(errors.New("close: want at most one auditor's ID"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, me, err := a.whoami(cmd)
			if err != nil {
				return err
			}
			auditor := me.ID
			if len(args) == 1 {
				auditor = args[0]
			}
			accepted, err := c.Send(cmd.Context(), client.Command{Collection: auditAccess, ID: auditor, Name: "CloseAuditSession", Body: audit.CloseAuditSession{}})
			if err != nil {
				return err
			}
			return a.printAccepted(accepted, false)
		},
	}
}

func (a *app) auditList() *cobra.Command {
	var reads bool
	var account string
	c := &cobra.Command{
		Use:   "list",
		Short: "List your organization's audit sessions, or what was read in them",
		Example: `  konto audit list
  konto audit list --reads --account card-01930000-0000-7000-8000-000000000030`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			if reads || account != "" {
				list, err := pages[projections.AuditRead](cmd.Context(), c, "/v1/audit-reads?limit=500&account="+url.QueryEscape(account))
				if err != nil {
					return err
				}
				return a.print(list, func(w *tabwriter.Writer) { printAuditReads(w, list) })
			}
			list, err := pages[auditSession](cmd.Context(), c, "/v1/audit-sessions?limit=500")
			if err != nil {
				return err
			}
			return a.print(list, func(w *tabwriter.Writer) { printAuditSessions(w, list) })
		},
	}
	c.Flags().BoolVar(&reads, "reads", false, "list what was read and taken along")
	c.Flags().StringVar(&account, "account", "", "list what was read of the account with this `STREAM`")
	return c
}

// auditSession is a session as people see it.
type auditSession struct {
	Session string      `json:"session"`
	Auditor string      `json:"auditor"`
	Purpose string      `json:"purpose,omitempty"`
	Scope   audit.Scope `json:"scope"`
	Since   time.Time   `json:"since"`
	Until   time.Time   `json:"until"`
	Open    bool        `json:"open"`
	EndedAt *time.Time  `json:"endedAt,omitempty"`
	EndedBy string      `json:"endedBy,omitempty"`
	Reads   int64       `json:"reads"`
	Exports int64       `json:"exports"`
}

// pages returns all items of a list.
func pages[T any](ctx context.Context, c *client.Client, path string) ([]T, error) {
	items := []T{}
	for cursor := ""; ; {
		var page httpapi.Page[T]
		if err := c.Get(ctx, path+"&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items, nil
		}
	}
}

func printAuditSessions(w *tabwriter.Writer, list []auditSession) {
	_, _ = fmt.Fprintln(w, "AUDITOR\tSINCE\tUNTIL\tSTATUS\tREADS\tEXPORTS\tSCOPE\tPURPOSE")
	for _, s := range list {
		status, until := "over", s.Until
		if s.Open {
			status = "open"
		}
		if s.EndedBy != "" && s.EndedAt != nil {
			status, until = "closed", *s.EndedAt
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Auditor, s.Since.UTC().Format(time.DateTime),
			until.UTC().Format(time.DateTime), status, s.Reads, s.Exports, scopeText(s.Scope), visible(s.Purpose))
	}
}

func scopeText(s audit.Scope) string {
	text := strings.Join(append(append([]string{}, s.Kinds...), s.Accounts...), " ")
	if s.Whole {
		text = "everything"
	}
	if s.Personal {
		text += ", personal values shown"
	}
	return text
}

func printAuditReads(w *tabwriter.Writer, list []projections.AuditRead) {
	_, _ = fmt.Fprintln(w, "AT\tAUDITOR\tWHAT\tACCOUNT\tFROM\tTO\tEVENTS")
	for _, r := range list {
		account, events := r.Account, ""
		if account == "" {
			account = "all that the session covers"
		}
		if r.Kind == "export" {
			events = strconv.FormatInt(r.Events, 10)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.At.UTC().Format(time.DateTime), r.Auditor, r.Kind, account, r.From, r.To, events)
	}
}

func (a *app) auditExport() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "export [--file FILE]",
		Short: "Take everything along that your session covers, as one file",
		Long: `Writes a bundle of JSON lines: a head that says whose it is and up to where, the
events in their order, and an end with their count and the SHA-256 of all lines
before it, which is in the organization's history, too. A bundle whose end does
not agree is refused. Personal values that the session does not show are there
as commitments.`,
		Example: "  konto audit export --file bundle.jsonl --as eva",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.download(cmd.Context(), "/v1/audit-bundle", file, func(w io.Writer, r io.Reader) error {
				end, err := copyBundle(w, r)
				if err == nil && !a.quiet {
					_, _ = fmt.Fprintf(a.stderr, "%d events, SHA-256 %s\n", end.Events, end.SHA256)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&file, "file", "", "write to this `FILE`; default: standard output")
	return c
}

// download copies an answer to a file, or to standard output if it has no name.
func (a *app) download(ctx context.Context, path, file string, copyTo func(io.Writer, io.Reader) error) (err error) {
	c, err := a.client()
	if err != nil {
		return err
	}
	res, err := c.Open(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if file == "" {
		return copyTo(a.stdout, res.Body)
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the caller names it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return copyTo(out, res.Body)
}

// errBundle says that a bundle is not what its end says.
var errBundle = errors.New("the bundle broke off, or its end does not agree with it: take it again")

// copyBundle copies a bundle and checks it on the way.
func copyBundle(w io.Writer, r io.Reader) (end httpapi.BundleEnd, err error) {
	sum, events := sha256.New(), int64(-1) // the head is no event
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil {
			return end, errors.Join(errBundle, err)
		}
		if _, err := w.Write(line); err != nil {
			return end, err
		}
		if bytes.HasPrefix(line, []byte(`{"end":true`)) {
			if err := json.Unmarshal(line, &end); err != nil {
				return end, errors.Join(errBundle, err)
			}
			continue
		}
		_, _ = sum.Write(line)
		events++
	}
	if !end.End || end.Events != events || end.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
		return end, errBundle
	}
	return end, nil
}
