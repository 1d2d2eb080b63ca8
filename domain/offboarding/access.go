package offboarding

import (
	"errors"
	"strings"
	"time"

	"konto/domain"
)

// AccessPolicy says for how long somebody may read a former employee's account.
var AccessPolicy = domain.Policy[AccessTerms]{
	Name:  "former-user-access",
	First: AccessTerms{MaxDays: 30}, // as long as the data is kept
}

// AccessTerms are the limits of a grant.
type AccessTerms struct {
	MaxDays int `json:"maxDays"` // from the grant to its end, 1 to 365
}

// Validate says that the limit is out of its range.
func (t AccessTerms) Validate() error {
	if t.MaxDays < 1 || t.MaxDays > 365 {
		return errors.New("maxDays must be 1 to 365")
	}
	return nil
}

// GrantFormerUserDataAccess lets somebody of the organization, the actor
// included, read the leaver's account until a time. A grant to somebody who
// has one takes its place.
type GrantFormerUserDataAccess struct {
	GranteeID string    `json:"granteeId"` // an admin's ID
	ExpiresAt time.Time `json:"expiresAt"`
	Reason    string    `json:"reason"`
}

// Needs implements [domain.Needer].
func (c GrantFormerUserDataAccess) Needs(m Meta) []domain.Need {
	return []domain.Need{AccessPolicy.Need(), domain.Of[Leaver](m.ID), domain.Of[Person](c.GranteeID)}
}

// Cautions implements [domain.Cautioner].
func (GrantFormerUserDataAccess) Cautions() []domain.Caution {
	return []domain.Caution{
		{Code: "revoke-when-done", Detail: "end the access as soon as it is no longer needed; it is in the organization's history who had it, and why"},
	}
}

// Decide implements [domain.Command].
func (c GrantFormerUserDataAccess) Decide(o Offboarding, m Meta) ([]Event, error) {
	var (
		leaver  = domain.Fact[Leaver](m, m.ID)
		grantee = domain.Fact[Person](m, c.GranteeID)
		latest  = m.At.AddDate(0, 0, AccessPolicy.In(m).MaxDays)
		reason  = strings.TrimSpace(c.Reason)
		wrong   []*domain.Error
	)
	switch {
	case !o.Exists():
		return nil, ErrNotFound
	case !o.Open || !leaver.Former || leaver.Tenant != m.Tenant:
		return nil, ErrNotFormer
	}
	if c.GranteeID == m.ID || !grantee.Active || grantee.Tenant != m.Tenant {
		wrong = append(wrong, ErrGrantee)
	}
	if !c.ExpiresAt.After(m.At) || c.ExpiresAt.After(latest) {
		wrong = append(wrong, ErrExpiry.With("latest", latest))
	}
	if domain.Blank(reason) || !domain.Line(reason, 500) {
		wrong = append(wrong, ErrReason)
	}
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	return []Event{FormerUserDataAccessGranted{
		Grant: m.Command, GranteeID: c.GranteeID, ExpiresAt: c.ExpiresAt.UTC().Truncate(time.Microsecond),
		Reason: domain.About(m.ID, reason), GrantedBy: m.Actor.ID, At: m.At,
	}}, nil
}

// FormerUserDataAccessGranted records that somebody may read the account.
type FormerUserDataAccessGranted struct {
	Grant     string                  `json:"grant"` // its ID
	GranteeID string                  `json:"granteeId"`
	ExpiresAt time.Time               `json:"expiresAt"`
	Reason    domain.Personal[string] `json:"reason"` // about the leaver
	GrantedBy string                  `json:"grantedBy"`
	At        time.Time               `json:"at"`
}

// Evolve implements [domain.Event].
func (e FormerUserDataAccessGranted) Evolve(o *Offboarding) {
	grants := make([]Grant, 0, len(o.Grants)+1)
	for _, g := range o.Grants {
		if g.GranteeID != e.GranteeID {
			grants = append(grants, g)
		}
	}
	o.Grants = append(grants, Grant{ID: e.Grant, GranteeID: e.GranteeID, ExpiresAt: e.ExpiresAt})
}

// RevokeFormerUserDataAccess ends somebody's grant before its time.
type RevokeFormerUserDataAccess struct {
	GranteeID string `json:"granteeId"`
}

// Decide implements [domain.Command].
func (c RevokeFormerUserDataAccess) Decide(o Offboarding, m Meta) ([]Event, error) {
	i := o.grant(c.GranteeID)
	switch {
	case !o.Exists():
		return nil, ErrNotFound
	case i < 0:
		return nil, ErrNoGrant
	}
	g := o.Grants[i]
	return []Event{FormerUserDataAccessRevoked{Grant: g.ID, GranteeID: g.GranteeID, ExpiresAt: g.ExpiresAt, Why: "revoked", At: m.At}}, nil
}

// GranteeLeft is why a grant ends whose grantee was off-boarded themselves.
const GranteeLeft = "grantee-left"

// EndFormerUserDataAccess ends the grant of somebody who was off-boarded, so
// that a restore does not bring it back. One that has ended changes nothing.
type EndFormerUserDataAccess struct {
	GranteeID string `json:"granteeId"`
}

// Decide implements [domain.Command].
func (c EndFormerUserDataAccess) Decide(o Offboarding, m Meta) ([]Event, error) {
	if !o.Exists() {
		return nil, ErrNotFound
	}
	i := o.grant(c.GranteeID)
	if i < 0 {
		return nil, nil
	}
	g := o.Grants[i]
	return []Event{FormerUserDataAccessRevoked{Grant: g.ID, GranteeID: g.GranteeID, ExpiresAt: g.ExpiresAt, Why: GranteeLeft, At: m.At}}, nil
}

// FormerUserDataAccessRevoked records that a grant ended before its time.
type FormerUserDataAccessRevoked struct {
	Grant     string    `json:"grant"`
	GranteeID string    `json:"granteeId"`
	ExpiresAt time.Time `json:"expiresAt"` // when it would have ended
	Why       string    `json:"why"`       // "revoked", [GranteeLeft], or an [End]
	At        time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e FormerUserDataAccessRevoked) Evolve(o *Offboarding) { o.end(e.Grant) }

// ExpireFormerUserDataAccess ends a grant whose time is over. Before its time,
// and for one that has ended or made way for another, it does nothing.
type ExpireFormerUserDataAccess struct {
	Grant string `json:"grant"`
}

// Decide implements [domain.Command].
func (c ExpireFormerUserDataAccess) Decide(o Offboarding, m Meta) ([]Event, error) {
	if !o.Exists() {
		return nil, ErrNotFound
	}
	for _, g := range o.Grants {
		if g.ID == c.Grant && !m.At.Before(g.ExpiresAt) {
			return []Event{FormerUserDataAccessExpired{Grant: g.ID, GranteeID: g.GranteeID, At: m.At}}, nil
		}
	}
	return nil, nil
}

// FormerUserDataAccessExpired records that the time of a grant is over.
type FormerUserDataAccessExpired struct {
	Grant     string    `json:"grant"`
	GranteeID string    `json:"granteeId"`
	At        time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e FormerUserDataAccessExpired) Evolve(o *Offboarding) { o.end(e.Grant) }
