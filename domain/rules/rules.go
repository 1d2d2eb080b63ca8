// Package rules is the register of the business rules: where each comes from,
// which commands it governs, which policy holds its values, which messages
// tell of it, and which tests show it.
//
// The register is data that programs and people read (konto rules). Its tests
// keep it true: each sentence of the help pages that the rules follow from
// names rules that are there, and commands, policies and messages that a rule
// names exist. Which tests show a rule is found by their names, which begin
// with the rule's ID, and is kept in tests.json.
//
// Sentences are in our own words. Where the pages of several languages or
// years differ, the rule says which of them it follows.
package rules

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
)

// Rule is one business rule.
type Rule struct {
	ID string `json:"id"` // such as "C4", for ever: refusals name it
	// Says is the rule in our own words.
	Says string `json:"says"`
	// Source is where it comes from: a help page, a standard, or "proposed"
	// for what is ours.
	Source Source `json:"source"`
	// Policy holds its values, if they are data that may change.
	Policy string `json:"policy,omitempty"`
	// Commands are those that it governs, besides the rows of the
	// authorization table that name it.
	Commands []string `json:"commands,omitempty"`
	Messages []string `json:"messages,omitempty"`
}

// Source is where a rule comes from.
type Source struct {
	Page string `json:"page"` // its title in English, a standard's name, or "proposed"
	// Languages are those of the page's texts that were read, BCP 47.
	Languages []string `json:"languages,omitempty"`
}

// Sentence is what a help page asks for.
type Sentence struct {
	ID     string `json:"id"` // such as "card-4", for ever
	Source        // the page
	// Says is what it asks for, in our own words.
	Says  string   `json:"says"`
	Rules []string `json:"rules"` // that follow from it
}

// SentencesOf returns the sentences that the rule of that ID follows from, in
// the pages' order; none if it comes from elsewhere.
func SentencesOf(id string) []Sentence {
	var from []Sentence
	for _, s := range Sentences {
		if slices.Contains(s.Rules, id) {
			from = append(from, s)
		}
	}
	return from
}

// Kind is a group of rules.
type Kind struct {
	Prefix string `json:"prefix"` // of the rules' IDs
	Name   string `json:"name"`
}

// Kinds are the groups of rules, in the order of the register.
var Kinds = []Kind{
	{"S", "security info and organization"},
	{"I", "recovery"},
	{"F", "phone numbers"},
	{"E", "mail addresses"},
	{"C", "cards and payment"},
	{"K", "card data"},
	{"T", "decline codes"},
	{"D", "collection"},
	{"P", "partners and customers"},
	{"A", "postal addresses"},
	{"X", "concurrency and delivery"},
	{"N", "beyond the pages"},
}

// All are all rules, in the order of their kinds and numbers.
var All = slices.Concat(contactRules, cardRules, partnerRules)

// Find returns the rule of that ID.
func Find(id string) (Rule, bool) {
	i := slices.IndexFunc(All, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return All[i], true
}

// KindOf returns the group of the rule of that ID.
func KindOf(id string) Kind {
	prefix := strings.TrimRight(id, "0123456789")
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Prefix == prefix })
	if i < 0 {
		return Kind{}
	}
	return Kinds[i]
}

// Test is a test that shows a rule.
type Test struct {
	File string `json:"file"` // from the module's root
	Name string `json:"name"` // of the row or the function
}

//go:embed tests.json
var tests []byte

// Tests returns the tests that show each rule, by the rules' IDs. What it was
// built from is embedded in the program; make golden renews it.
func Tests() (map[string][]Test, error) {
	var found map[string][]Test
	err := json.Unmarshal(tests, &found)
	return found, err
}
