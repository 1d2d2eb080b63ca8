package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"konto/domain"
	"konto/domain/audit"
	"konto/internal/client"
)

func (a *app) audit() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "audit",
		Short: "Read the history as an auditor: open a session, close it, see who read what",
		Long: `An auditor reads the history in a session, which has a purpose, a scope and an
end. Every reading and every export is recorded, and the organization's admins
see the records. One session is open at a time.`,
	})
	c.AddCommand(a.auditOpen(), a.auditClose())
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
			if length%time.Minute != 0 || length < 0 {
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
	f.DurationVar(&length, "for", 0, "end after this `TIME`, such as 90m; default: as the policy says")
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
