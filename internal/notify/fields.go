package notify

import (
	"fmt"
	"strings"
)

// Words puts into a reader's language what is not a message: the findings of a
// declined card's fields, which a page shows as the mail about the decline
// does. It is immutable and safe for concurrent use.
type Words struct {
	catalog *catalog
	product string
}

// NewWords returns the words of all languages. Product is the name in them.
func NewWords(product string) (*Words, error) {
	c, err := loadCatalog(files)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return &Words{c, product}, nil
}

// Finding is what is found out about one field of a declined card. The names
// are those of package collection and of the read model of declines.
type Finding struct {
	Field  string // such as postalCode
	Status string // such as issuer-mismatch
	Fault  string // why it cannot be right, or empty
	Step   string // what to do next, such as edit-address
}

// Said is a [Finding] in words.
type Said struct {
	Title   string // the field's name
	Meaning string // what is known of it
	ToDo    string // the next step
}

// Say returns a finding in the language nearest to locale (BCP 47). A name
// that is newer than these words is an error.
func (w *Words) Say(locale string, f Finding) (Said, error) {
	in := Locale(locale)
	var err error
	say := func(key string) string {
		s, e := w.catalog.text(in, key, values{"Product": w.product})
		if e != nil && err == nil {
			err = e
		}
		return s
	}
	said := Said{
		Title: say("card_declined.field." + f.Field), Meaning: say("card_declined.finding." + f.Status), ToDo: say("card_declined.todo." + f.Step),
	}
	if f.Fault != "" {
		said.Meaning = say("card_declined.fault." + f.Fault)
	}
	return said, err
}

// declinedField is a field in the data of card_declined that something speaks
// against.
type declinedField struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Fault  string `json:"fault"`
}

// itemOf is the item of the checklist that a field belongs to.
func (f declinedField) itemOf() string {
	switch f.Name {
	case "street", "city", "state", "postalCode":
		return "address"
	}
	return f.Name
}

// findings are what is known to be wrong with an item of the checklist, as
// sentences to follow it. They name the field where the item is about several.
func (w *writer) findings(item string, wrong []declinedField) string {
	var s strings.Builder
	for _, f := range wrong {
		if f.itemOf() != item {
			continue
		}
		key := "card_declined.finding." + f.Status
		if f.Fault != "" {
			key = "card_declined.fault." + f.Fault
		}
		s.WriteString(" ")
		if f.Name != item {
			s.WriteString(w.t("card_declined.field."+f.Name, nil) + ": ")
		}
		s.WriteString(w.t(key, nil))
	}
	return s.String()
}
