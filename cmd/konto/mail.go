package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/client"
	"konto/internal/mailbox"
)

func (a *app) mail() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "mail [NUMBER]",
		Short: "Read the mailbox of konto dev",
		Example: `  konto mail
  konto mail 3
  konto mail --to anna -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(errors.New("mail: want at most one NUMBER"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				var m mailbox.Message
				if err := c.Get(cmd.Context(), "/-/mail/"+url.PathEscape(args[0])+".json", &m); err != nil {
					return err
				}
				return a.printMail(m)
			}
			all, err := mails(cmd.Context(), c, to)
			if err != nil {
				return err
			}
			return a.printMailbox(all)
		},
	}
	c.Flags().StringVar(&to, "to", "", "only mail to an address that contains this")
	return c
}

func (a *app) printMail(m mailbox.Message) error {
	if a.output != "table" {
		return a.print(m, nil)
	}
	_, err := fmt.Fprintf(a.stdout, "To:        %s\nSubject:   %s\nReceived:  %s\n\n%s\n",
		strings.Join(m.Recipients, ", "), m.Subject, m.ReceivedAt.Local().Format(time.DateTime), strings.TrimRight(m.Text, "\n"))
	return err
}

// mails returns the mails to addresses that contain to, the newest first.
func mails(ctx context.Context, c *client.Client, to string) ([]mailbox.Message, error) {
	var box struct {
		Messages []mailbox.Message `json:"messages"`
	}
	err := c.Get(ctx, "/-/mail.json?to="+url.QueryEscape(to), &box)
	return box.Messages, err
}

func (a *app) printMailbox(all []mailbox.Message) error {
	return a.print(all, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "NO\tRECEIVED\tTO\tSUBJECT")
		for _, m := range all {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, m.ReceivedAt.Local().Format(time.TimeOnly), strings.Join(m.Recipients, ", "), m.Subject)
		}
	})
}
