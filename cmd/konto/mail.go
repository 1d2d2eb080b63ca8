package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

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
			answer, err := c.Do(cmd.Context(), http.MethodGet, "/-/mail.json?to="+url.QueryEscape(to), nil, nil)
			if err != nil {
				return err
			}
			return a.printMailbox(answer)
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

func (a *app) printMailbox(answer []byte) error {
	var box struct {
		Messages []mailbox.Message `json:"messages"`
	}
	if err := json.Unmarshal(answer, &box); err != nil {
		return err
	}
	return a.print(box.Messages, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "NO\tRECEIVED\tTO\tSUBJECT")
		for _, m := range box.Messages {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, m.ReceivedAt.Local().Format(time.TimeOnly), strings.Join(m.Recipients, ", "), m.Subject)
		}
	})
}
