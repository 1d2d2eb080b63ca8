package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"konto/internal/demo"
)

func (a *app) newToken() *cobra.Command {
	return &cobra.Command{
		Use:   "token [NAME]",
		Short: "Print an access token for a person of the demo company",
		Long: `Prints a token of the local issuer, good for 12 hours, for use with curl and
other clients. Without a NAME it lists who there is.`,
		Example: `  curl -H "Authorization: Bearer $(konto token anna)" http://127.0.0.1:8080/v1/cards`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(errors.New("token: want at most one NAME"))
			}
			return nil
		},
		ValidArgs: names(),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listPeople()
			}
			person, ok := demo.Find(args[0])
			if !ok {
				return usage(fmt.Errorf("nobody is called %s%s; konto token lists who there is", args[0], didYouMean(args[0], names())))
			}
			l, err := readLocal(a.devData)
			if err != nil {
				return err
			}
			token, err := l.mint(a.devData, person)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, token)
			return err
		},
	}
}

func (a *app) listPeople() error {
	people := demo.People()
	return a.print(people, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "NAME\tID\tWHO")
		for _, p := range people {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.ID, p.Title)
		}
	})
}
