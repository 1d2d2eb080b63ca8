package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"

	"konto/eventstore/node"
	"konto/internal/system"
)

// settings are the names of all settings: the tags of [system.Config], and
// below node those of [node.Config].
func settings() []string {
	return append(tags("", reflect.TypeFor[system.Config]()), tags("node.", reflect.TypeFor[node.Config]())...)
}

func tags(prefix string, t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		tag := f.Tag.Get("koanf")
		switch {
		case tag == "" || tag == "-":
		case f.Type.Kind() == reflect.Struct:
			names = append(names, tags(prefix+tag+".", f.Type)...)
		default:
			names = append(names, prefix+tag)
		}
	}
	return names
}

func known(name string) bool { return slices.Contains(settings(), name) }

// checkNames refuses what no setting is called.
func checkNames(k *koanf.Koanf) error {
	var unknown []string
	for _, key := range k.Keys() {
		if key != "" && !known(key) {
			unknown = append(unknown, key+didYouMean(key, settings()))
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("unknown settings: %s", strings.Join(unknown, ", "))
	}
	return nil
}

// variable is the environment variable for a setting.
func variable(name string) string {
	return "KONTO_" + strings.ToUpper(strings.NewReplacer(".", "__", "-", "_").Replace(name))
}

func configTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Settings of konto serve and, below node, of konto node, as a YAML file has them\n(levels are nested), and as environment variables:\n")
	for _, name := range settings() {
		fmt.Fprintf(&b, "  %-24s %s\n", name, variable(name))
	}
	return &cobra.Command{Use: "config", Short: "Which settings there are", Long: b.String()}
}
