package notify

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

//go:embed locales/*/*.json layouts/*.tmpl
var files embed.FS

// supported are the languages that every message exists in. The first is what
// a person gets whose language, and whose tenant's language, we do not write.
func supported() []language.Tag {
	return []language.Tag{language.English, language.Swedish, language.Danish, language.Dutch}
}

// Locales are the languages that every message exists in, as BCP 47 tags. The
// first is the fallback.
func Locales() []string {
	var s []string
	for _, t := range supported() {
		s = append(s, t.String())
	}
	return s
}

// Locale returns the first of preferred (BCP 47) that we write or whose
// speakers read one that we write, and else the fallback. So nb-NO is da,
// nl-BE is nl, and fi followed by sv is sv.
func Locale(preferred ...string) string {
	m := language.NewMatcher(supported())
	for _, p := range preferred {
		t, err := language.Parse(p)
		if err != nil {
			continue
		}
		if base, _ := t.Base(); base.String() == "nn" {
			// CLDR sends readers of Bokmål on to Danish, and forgets Nynorsk.
			t = language.Norwegian
		}
		// The index, and not the tag that comes with it: for nl-BE that is
		// nl-u-rg-bezzzz, which names no file.
		if _, i, confidence := m.Match(t); confidence != language.No {
			return supported()[i].String()
		}
	}
	return supported()[0].String()
}

// catalog holds the strings of all languages.
type catalog struct {
	bundle *i18n.Bundle
	// source is what the files say, for the versions of templates.
	source map[string]map[string]json.RawMessage
}

// loadCatalog reads locales/<locale>/<topic>.json: a file for each message, and
// one for what messages have in common.
func loadCatalog(from fs.FS) (*catalog, error) {
	c := &catalog{bundle: i18n.NewBundle(language.English), source: map[string]map[string]json.RawMessage{}}
	for _, locale := range Locales() {
		c.source[locale] = map[string]json.RawMessage{}
		names, err := fs.Glob(from, "locales/"+locale+"/*.json")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := c.load(from, locale, name); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *catalog) load(from fs.FS, locale, name string) error {
	b, err := fs.ReadFile(from, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	f, err := c.bundle.ParseMessageFileBytes(b, locale+".json")
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	var strings map[string]json.RawMessage
	if err := json.Unmarshal(b, &strings); err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	if len(strings) != len(f.Messages) {
		return fmt.Errorf("parse %s: %d keys, %d messages", name, len(strings), len(f.Messages))
	}
	for key, s := range strings {
		if c.has(locale, key) {
			return fmt.Errorf("parse %s: %s stands in another file, too", name, key)
		}
		c.source[locale][key] = s
	}
	return nil
}

// has reports whether there is a string for key.
func (c *catalog) has(locale, key string) bool {
	_, ok := c.source[locale][key]
	return ok
}

// keys returns the keys of locale that match, sorted.
func (c *catalog) keys(locale string, match func(string) bool) []string {
	var keys []string
	for k := range c.source[locale] {
		if match(k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// strict makes a placeholder without a value an error. The default prints
// "<no value>" into a letter to a customer.
func strict() template.Parser { return &template.TextParser{Option: "missingkey=error"} }

// text returns the string for key with values put in. A value named Count
// chooses the plural form.
func (c *catalog) text(locale, key string, values map[string]any) (string, error) {
	if !c.has(locale, key) {
		return "", fmt.Errorf("no string %s in %s", key, locale)
	}
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: values, TemplateParser: strict()}
	if n, ok := values["Count"]; ok {
		config.PluralCount = n
	}
	s, err := i18n.NewLocalizer(c.bundle, locale).Localize(config)
	if err != nil {
		return "", fmt.Errorf("string %s in %s: %w", key, locale, err)
	}
	return s, nil
}
