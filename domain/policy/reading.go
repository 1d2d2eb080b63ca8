package policy

import (
	"slices"
	"strings"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/collection"
)

// Reader says what an actor may read whom Grant lets pass.
type Reader struct {
	Grant
	Extent     Extent
	Categories []string
	Personal   []string // the categories in which personal values are shown
	Messages   []string // the templates of the messages that a list shows; nil for all
}

// Extent is how much of an account a reader sees, and when.
type Extent string

// The extents.
const (
	Everything Extent = ""                 // what is so, and its history
	Now        Extent = "now"              // what is so, not its history
	Listed     Extent = "in lists"         // what lists show of what is so, and no account as a whole
	InSession  Extent = "in audit session" // its history, in an audit session that covers it, and recorded
	InCase     Extent = "in support case"  // its history, while a case about it is open
)

// Audited is the fact of an auditor's session. Its key is the auditor's ID.
type Audited struct{ audit.Session }

// SupportCase is the fact of what billing support works on. Its key is the ID
// of an invoice, or of a wish to pay by invoice, by its type.
type SupportCase struct {
	Open         bool
	Subscription string
	CardID       string // that was charged last
}

// Unpaid is the case of an invoice that is not paid.
type Unpaid struct{ SupportCase }

// Switching is the case of a wish to pay by invoice.
type Switching struct{ SupportCase }

// ReadNeeds implements [domain.Reading].
func (Rules) ReadNeeds(l domain.Look) []domain.Need {
	s := beholder(l)
	needs := s.partnership()
	if s.in(OwnTenant) {
		switch {
		case s.Category == "rel" && s.ID != "":
			needs = append(needs, domain.Of[Relation](s.ID))
		case (s.Category == "admin" || s.Category == "secinfo") && s.ID != "" && s.ID != s.Actor.ID:
			needs = append(needs, domain.Of[Entrusted](s.ID))
		}
	}
	if l.Past && s.Actor.Has(domain.Auditor) && (s.in(OwnTenant) || s.in(CustomerSide)) {
		needs = append(needs, domain.Of[Audited](s.Actor.ID))
	}
	if l.Past && s.Actor.Has(domain.BillingSupport) {
		needs = append(needs, caseNeeds(l)...)
	}
	return needs
}

// Read implements [domain.Reading]. Somebody who may read for several reasons
// sees what the best of them shows, without an audit session if that is enough.
func (t Rules) Read(l domain.Look) (domain.Sight, error) {
	var (
		s       = beholder(l)
		may     bool
		sight   domain.Sight
		audited domain.Sight // what a session adds
		refused *domain.Error
	)
	for _, r := range t.Readers {
		if !slices.Contains(r.Categories, l.Category) || !s.in(r.Scope) || !r.has(l.Actor) || !r.Extent.reaches(l) {
			continue
		}
		personal := slices.Contains(r.Personal, l.Category)
		if r.Extent != InSession {
			if !may || r.Messages == nil {
				sight.Messages = r.Messages
			} else if sight.Messages != nil {
				sight.Messages = slices.Concat(sight.Messages, r.Messages)
			}
			may = true
			sight.Personal = sight.Personal || personal
			continue
		}
		session := domain.Fact[Audited](domain.Meta{Facts: l.Facts}, l.Actor.ID)
		if refused = session.Covers(l.Category, streamOf(l), l.At); refused == nil {
			audited = domain.Sight{Personal: personal && session.Scope.Personal, Session: session.ID, Until: session.Until}
		}
	}
	switch {
	case audited.Session != "" && (!may || audited.Personal && !sight.Personal):
		return audited, nil
	case may:
		return sight, nil
	case refused != nil:
		return domain.Sight{}, refused
	}
	return domain.Sight{}, NotFound(l.Category)
}

// reaches reports whether what l asks for is within e. Whether a session covers
// it is asked by itself, since the refusal says so.
func (e Extent) reaches(l domain.Look) bool {
	switch e {
	case Everything:
		return true
	case Now:
		return !l.Past
	case Listed:
		return !l.Past && l.ID == ""
	case InSession:
		return l.Past
	case InCase:
		return l.Past && handled(l)
	}
	return false
}

func streamOf(l domain.Look) string {
	if l.ID == "" {
		return ""
	}
	return l.Category + "-" + l.ID
}

// caseOf returns which case l is about: the one that it names, or the account
// that is one itself.
func caseOf(l domain.Look) (kind, id string) {
	name := l.Case
	if name == "" {
		name = streamOf(l)
	}
	kind, id, _ = strings.Cut(name, "-")
	return kind, id
}

func caseNeeds(l domain.Look) []domain.Need {
	var needs []domain.Need
	switch kind, id := caseOf(l); kind {
	case "collection":
		needs = append(needs, domain.Of[Unpaid](id))
	case "invswitch":
		needs = append(needs, domain.Of[Switching](id))
	}
	if c := supportCase(l); c.Open && l.Category == "card" {
		needs = append(needs, domain.Of[collection.Wallet](c.Subscription))
	}
	return needs
}

// supportCase returns the case that l is about; none is open by default.
func supportCase(l domain.Look) SupportCase {
	m := domain.Meta{Facts: l.Facts}
	kind, id := caseOf(l)
	switch {
	case kind == "collection" && l.Facts.Has(domain.Of[Unpaid](id)):
		return domain.Fact[Unpaid](m, id).SupportCase
	case kind == "invswitch" && l.Facts.Has(domain.Of[Switching](id)):
		return domain.Fact[Switching](m, id).SupportCase
	}
	return SupportCase{}
}

// handled reports whether l asks for an open case, or for what it is about:
// the subscription, and the cards that pay for it.
func handled(l domain.Look) bool {
	c := supportCase(l)
	kind, id := caseOf(l)
	switch {
	case !c.Open:
		return false
	case l.Category == kind:
		return l.ID == id
	case l.Category == "billing":
		return l.ID == c.Subscription
	case l.Category == "card":
		wallet := domain.Fact[collection.Wallet](domain.Meta{Facts: l.Facts}, c.Subscription)
		return l.ID != "" && (l.ID == c.CardID || slices.Contains(wallet.Cards, l.ID))
	}
	return false
}

func beholder(l domain.Look) standing {
	return standing{Category: l.Category, ID: l.ID, Owner: l.Owner, Actor: l.Actor, At: l.At, Facts: l.Facts}
}
