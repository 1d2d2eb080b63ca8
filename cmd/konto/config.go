package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"

	"konto/internal/system"
)

// settings are the names of all settings: the tags of [system.Config].
func settings() []string { return tags("", reflect.TypeFor[system.Config]()) }

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

// unmarshal refuses what no setting is called.
func unmarshal(k *koanf.Koanf, cfg *system.Config) error {
	var unknown []string
	for _, key := range k.Keys() {
		if key != "" && !known(key) {
			unknown = append(unknown, key+didYouMean(key, settings()))
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("unknown settings: %s", strings.Join(unknown, ", "))
	}
	if err := k.Unmarshal("", cfg); err != nil {
		return errors.Join(errors.New("configuration"), err)
	}
	return nil
}

// variable is the environment variable for a setting.
func variable(name string) string {
	return "KONTO_" + strings.ToUpper(strings.NewReplacer(".", "__", "-", "_").Replace(name))
}

func configTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Settings of konto serve, as a YAML file has them (levels are nested), and as\nenvironment variables:\n")
	for _, name := range settings() {
		fmt.Fprintf(&b, "  %-24s %s\n", name, variable(name))
	}
	return &cobra.Command{Use: "config", Short: "Which settings there are", Long: b.String()}
}
