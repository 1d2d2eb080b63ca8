package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
		Use:   "mail [NUMBER|latest]",
		Short: "Read the mailbox of konto dev",
		Example: `  konto mail
  konto mail 3
  konto mail latest --to anna
  konto mail --to anna -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != latest && !isNumber(args[0]) {
				return usage(errors.New("mail: want nothing, the NUMBER of a mail, or latest"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			if len(args) == 1 && args[0] != latest {
				return a.printNumbered(cmd.Context(), c, args[0])
			}
			all, err := mails(cmd.Context(), c, to)
			switch {
			case err != nil:
				return err
			case len(args) == 0:
				return a.printMailbox(all)
			case len(all) == 0:
				return missing(errors.New("there is no such mail yet"))
			}
			return a.printNumbered(cmd.Context(), c, all[0].ID)
		},
	}
	c.Flags().StringVar(&to, "to", "", "only mail to an address that contains this")
	return c
}

// latest stands for the newest mail.
const latest = "latest"

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// printNumbered prints the mail with a number.
func (a *app) printNumbered(ctx context.Context, c *client.Client, number string) error {
	var m mailbox.Message
	err := c.Get(ctx, "/-/mail/"+url.PathEscape(number)+".json", &m)
	if p := (*client.Problem)(nil); errors.As(err, &p) && p.Status == http.StatusNotFound {
		return missing(fmt.Errorf("there is no mail %s here; konto mail lists those of konto dev", number))
	}
	if err != nil {
		return err
	}
	return a.printMail(m)
}

func (a *app) printMail(m mailbox.Message) error {
	if a.output != "table" {
		return a.print(m, nil)
	}
	_, err := fmt.Fprintf(a.stdout, "To:        %s\nSubject:   %s\nReceived:  %s\n\n%s\n",
		visible(strings.Join(m.Recipients, ", ")), visible(m.Subject), m.ReceivedAt.Local().Format(time.DateTime), visibleLines(strings.TrimRight(m.Text, "\r\n")))
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
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, m.ReceivedAt.Local().Format(time.DateTime), visible(strings.Join(m.Recipients, ", ")), visible(m.Subject))
		}
	})
}
