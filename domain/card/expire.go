package card

import (
	"time"

	"konto/domain"
)

// CheckCardExpiry looks whether it is time to tell somebody that the card is
// about to expire, or has expired (process PM3). It is sent for the moment
// that the last look named; a card that got another expiry since is watched
// under another moment.
type CheckCardExpiry struct {
	DueAt time.Time `json:"dueAt"`
}

// Needs implements [domain.Needer].
func (c CheckCardExpiry) Needs(m Meta) []domain.Need { return watchNeeds(m) }

// watchNeeds is what [Card.watch] asks for.
func watchNeeds(m Meta) []domain.Need {
	needs := []domain.Need{ExpiryPolicy.Need(), domain.Of[Replacement](m.ID)}
	if m.Facts.Has(needs[1]) {
		needs = append(needs, domain.Of[Owner](domain.Fact[Replacement](m, m.ID).Owner))
	}
	return needs
}

// CardExpiringSoon records that the card has at most so many days left.
type CardExpiringSoon struct {
	Days          int      `json:"days"` // before the expiry: the last of the policy's that has come
	ExpMonth      int      `json:"expMonth"`
	ExpYear       int      `json:"expYear"`
	Subscriptions []string `json:"subscriptions,omitempty"` // that the card is on
	// OwnerCanAct says that the owner's account is open and may edit cards.
	OwnerCanAct bool `json:"ownerCanAct,omitzero"`
	// AskOthers says that other admins are asked for a backup card by now.
	AskOthers     bool      `json:"askOthers,omitzero"`
	Source        string    `json:"source,omitzero"` // who says so; empty for the card's own date
	ExpiryCheckAt time.Time `json:"expiryCheckAt,omitzero"`
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CardExpiringSoon) Evolve(c *Card) {
	c.WarnedDays = e.Days
	if !e.ExpiryCheckAt.IsZero() {
		c.ExpiryCheckAt = e.ExpiryCheckAt
	}
}

// CardExpired records that the card can be charged no more.
type CardExpired struct {
	ExpMonth      int       `json:"expMonth,omitzero"`
	ExpYear       int       `json:"expYear,omitzero"`
	Subscriptions []string  `json:"subscriptions,omitempty"` // that the card is on
	OwnerCanAct   bool      `json:"ownerCanAct,omitzero"`
	Source        string    `json:"source,omitzero"` // who says so; empty for the card's own date
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CardExpired) Evolve(c *Card) {
	c.Expired, c.ExpiryCheckAt = true, time.Time{}
}

// ExpiryCheckPostponed records that nobody needs to know yet, because the
// policy changed since the look was planned.
type ExpiryCheckPostponed struct {
	ExpiryCheckAt time.Time `json:"expiryCheckAt"`
}

// Evolve implements [domain.Event].
func (e ExpiryCheckPostponed) Evolve(c *Card) { c.ExpiryCheckAt = e.ExpiryCheckAt }

// Decide implements [domain.Command].
func (c CheckCardExpiry) Decide(s Card, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Removed || s.Expired || c.DueAt.IsZero() || !c.DueAt.Equal(s.ExpiryCheckAt) || m.At.Before(c.DueAt):
		return nil, nil
	case !m.At.Before(s.ValidUntil()):
		return []Event{s.expired(m, "")}, nil
	}
	terms := ExpiryPolicy.In(m)
	next := terms.next(s.ValidUntil(), m.At)
	stage := terms.stage(s.ValidUntil(), m.At)
	if stage == 0 {
		return []Event{ExpiryCheckPostponed{next}}, nil
	}
	return []Event{s.expiring(m, stage, "", next)}, nil
}

func (c Card) expiring(m Meta, days int, source string, next time.Time) CardExpiringSoon {
	return CardExpiringSoon{
		Days: days, ExpMonth: c.ExpMonth, ExpYear: c.ExpYear, Subscriptions: c.Subscriptions,
		OwnerCanAct: domain.Fact[Owner](m, c.Owner).CanAct(), AskOthers: days <= ExpiryPolicy.In(m).AskOthersDays,
		Source: source, ExpiryCheckAt: next, At: m.At,
	}
}

func (c Card) expired(m Meta, source string) CardExpired {
	return CardExpired{
		ExpMonth: c.ExpMonth, ExpYear: c.ExpYear, Subscriptions: c.Subscriptions,
		OwnerCanAct: domain.Fact[Owner](m, c.Owner).CanAct(), Source: source, At: m.At,
	}
}
