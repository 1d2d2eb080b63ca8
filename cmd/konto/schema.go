package main

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"konto/domain"
)

func (a *app) cmdSchema() *cobra.Command {
	return &cobra.Command{
		Use: "schema NAME", Short: "Show what a command takes", Args: oneArg("the command's NAME"),
		ValidArgs: commandNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := collectionOf(args[0]); err != nil {
				return err
			}
			var fields []fieldRow
			contracts(func(_ domain.Contract, info domain.CommandInfo) {
				if info.Name == args[0] {
					fields = fieldsOf("", info.Type)
				}
			})
			return a.print(fields, func(w *tabwriter.Writer) {
				_, _ = fmt.Fprintln(w, "FIELD\tTYPE\tREQUIRED")
				for _, f := range fields {
					_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, f.Type, map[bool]string{true: "yes"}[f.Required])
				}
			})
		},
	}
}

// fieldRow is a field of a command's body.
type fieldRow struct {
	Name     string `json:"name"` // with dots between levels
	Type     string `json:"type"` // "string", "integer", "boolean" or "list"
	Required bool   `json:"required"`
}

// fieldsOf are the fields of a struct as JSON has them, those of inner structs
// after their name and a dot.
func fieldsOf(prefix string, t reflect.Type) []fieldRow {
	var fields []fieldRow
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		name = prefix + cmp.Or(name, f.Name)
		required := options == "" && f.Type.Kind() != reflect.Pointer
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch {
		case kind.Kind() == reflect.Struct && kind.PkgPath() != "time":
			for _, inner := range fieldsOf(name+".", kind) {
				inner.Required = inner.Required && required
				fields = append(fields, inner)
			}
		default:
			fields = append(fields, fieldRow{name, typeName(kind.Kind()), required})
		}
	}
	return fields
}

func typeName(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Slice:
		return "list"
	default:
		return "string"
	}
}
