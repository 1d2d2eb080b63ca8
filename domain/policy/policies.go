package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/delivery"
	"konto/domain/invoiceswitch"
	"konto/domain/offboarding"
	"konto/domain/policyversion"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/domain/subject"
	"konto/domain/webhook"
)

// Policies are all rules that are data, one line for each: what a new version
// of it must look like, what version 1 says, and where decisions learn of the
// versions that were published since. [Table] is versioned with the program.
var Policies = []Declared{
	declare(subject.ErasurePolicy, "how long a request for erasure waits before the keys go"),
	declare(audit.SessionPolicy, "how long auditors may read the history, and whether they say what for",
		edition("short", audit.SessionTerms{MaxMinutes: 8 * 60, DefaultMinutes: 60, PurposeNeeded: true})),
	declare(CustomerEditors, "who in a partner's company may change what it keeps about a customer",
		edition("role-table", domain.RoleTerms{Roles: []domain.Role{ga, sa, aa, ha}})),
	declare(invoiceswitch.Policy, "who may pay a subscription by invoice, and what is asked of them",
		edition("phone-only", invoiceswitch.PhoneOnly()), edition("large-orders", invoiceswitch.LargeOrders())),
	declare(collection.DunningPolicy, "when an unpaid invoice is tried again, and when the service ends",
		edition("two-weeks", collection.TwoWeeks()), edition("four-retries", collection.FourRetries()),
		edition("seven-declines", collection.SevenDeclines())),
	declare(securityinfo.CodePolicy, "how long a contact's code works, how many wrong ones end it, and how often one is sent"),
	declare(securityinfo.RecoveryPolicy, "what it takes to recover an account, and what protects one that is being taken over",
		edition("two-gates-always", alwaysTwoGates())),
	declare(securityinfo.SessionPolicy, "how recently, and how surely, somebody must have signed in to change contacts"),
	declare(securityinfo.ReconfirmPolicy, "how often people are asked whether their contacts are still right"),
	declare(securityinfo.HelpPolicy, "who may change what of other people's contacts",
		edition("2020", securityinfo.BillingNotifications2020())),
	declare(relationship.Grantors, "who in a partner's company may let a customer buy at the partner's expense",
		edition("page-heading", domain.RoleTerms{Roles: []domain.Role{ga, sa}})),
	declare(relationship.Limits, "what customers may be let buy, for how long, and whether a second person approves",
		edition("two-people", twoPeople())),
	declare(customer.RegistrationNumbers, "which countries' companies must give a registration number and a phone number"),
	declare(admin.UserNamePolicy, "how long the name to sign in with may be"),
	declare(offboarding.AccessPolicy, "for how long somebody may read a former employee's account"),
	declare(admin.OffboardingPolicy, "how long sessions, sign-in and data outlive the end of an account"),
	declare(card.EditPolicy, "who may edit a card, and whether an edit takes the security code",
		edition("2022", card.EditTerms{Editors: card.EditorsProfileRoles, CVVOnEdit: card.CVVNever}),
		edition("2024", card.EditTerms{Editors: card.EditorsProfileRoles, CVVOnEdit: card.CVVGatewayOnly})),
	declare(card.ExpiryPolicy, "when people are told that a card is about to expire"),
	declare(card.IssuerPolicy, "what differs for cards that are issued in some countries",
		edition("before-india-2022", card.IssuerTerms{Countries: map[string]card.IssuerRules{}})),
	declare(billing.UsePolicy, "who may put a card on a subscription",
		edition("2022", billing.UseTerms{Users: billing.UsersProfileRoles})),
	declare(delivery.RetryPolicy, "when another system that did not take a call is called again", edition("one-day", delivery.OneDay())),
	declare(webhook.LimitPolicy, "how many other systems an organization may have called"),
	declare(webhook.SecretPolicy, "for how long a webhook's secret that was replaced goes on signing"),
	declare(billing.CancelPolicy, "who may cancel a subscription themselves, and what is left of it for how long"),
}

// Declared is a policy of any type of terms.
type Declared struct {
	Name    string
	Summary string
	First   json.RawMessage // the rules of version 1
	// Editions are rules that were in force somewhere at some time, or are in
	// a page that says otherwise, ready to be published.
	Editions []Edition
	// Source is where decisions learn of its versions.
	Source domain.Source
	// Check returns rules as they are stored, or an error for people.
	Check func(rules json.RawMessage) (json.RawMessage, error)
}

// Edition is rules with a name.
type Edition struct {
	Name  string          `json:"name"` // such as "2024"
	Rules json.RawMessage `json:"rules"`
}

// Find returns the policy of that name.
func Find(name string) (Declared, bool) {
	i := slices.IndexFunc(Policies, func(d Declared) bool { return d.Name == name })
	if i < 0 {
		return Declared{}, false
	}
	return Policies[i], true
}

// terms are the values of a policy.
type terms interface {
	// Validate says what is wrong with the values, for people.
	Validate() error
}

// named are the terms of an edition.
type named[P terms] struct {
	name  string
	rules P
}

func edition[P terms](name string, rules P) named[P] { return named[P]{name, rules} }

func declare[P terms](p domain.Policy[P], summary string, editions ...named[P]) Declared {
	d := Declared{
		Name: p.Name, Summary: summary, First: written(p.First),
		Source: domain.FromState(policyversion.Aggregate, termsOf[P]),
		Check:  checked[P],
	}
	for _, e := range editions {
		d.Editions = append(d.Editions, Edition{e.name, written(e.rules)})
	}
	return d
}

// termsOf returns what was published. A version that P can no longer take is
// left out: a test keeps the forms of P readable.
func termsOf[P terms](name string, p policyversion.Policy) domain.Terms[P] {
	t := domain.Terms[P]{Name: name}
	for _, v := range p.Versions {
		var rules P
		if json.Unmarshal(v.Rules, &rules) == nil {
			t.Versions = append(t.Versions, domain.Version[P]{Number: v.Number, EffectiveAt: v.EffectiveAt, Rules: rules})
		}
	}
	return t
}

// checked reads rules strictly: no field too many, none too few, each within
// its range.
func checked[P terms](rules json.RawMessage) (json.RawMessage, error) {
	var p P
	d := json.NewDecoder(bytes.NewReader(rules))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("the rules are not this policy's JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON value")
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	canonical := written(p)
	var given, all map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(rules, &given), json.Unmarshal(canonical, &all)); err != nil {
		return nil, fmt.Errorf("the rules must be an object: %w", err)
	}
	for name := range given {
		delete(all, name)
	}
	if len(all) > 0 {
		return nil, fmt.Errorf("the rules lack %s", strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	return canonical, nil
}

// written is rules as JSON. Terms are plain values, so it does not fail.
func written(rules any) json.RawMessage {
	b, err := json.Marshal(rules)
	if err != nil {
		panic("policy: terms that are no JSON: " + err.Error())
	}
	return b
}

// policySources say where decisions learn of policies, and what the list of
// policies says of rules that somebody wants to publish.
func policySources() []domain.Source {
	sources := []domain.Source{domain.FromInput(verdict)}
	for _, d := range Policies {
		// Policies whose terms have one form share a source: the key names them.
		if !slices.ContainsFunc(sources, func(s domain.Source) bool { return s.Type == d.Source.Type }) {
			sources = append(sources, d.Source)
		}
	}
	return sources
}

func verdict(key string) policyversion.Verdict {
	name, rules, _ := strings.Cut(key, "\x00")
	d, ok := Find(name)
	if !ok {
		return policyversion.Verdict{}
	}
	canonical, err := d.Check(json.RawMessage(rules))
	if err != nil {
		return policyversion.Verdict{Known: true, Problem: err.Error()}
	}
	return policyversion.Verdict{Known: true, Rules: canonical}
}
