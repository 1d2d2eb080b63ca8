package projections

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
)

// ContactStatus is how far a contact has come.
type ContactStatus string

// The statuses of a slot.
const (
	ContactPending       ContactStatus = "pending"        // waits for its first code
	ContactVerified      ContactStatus = "verified"       // in use
	ContactChangePending ContactStatus = "change-pending" // in use, and another one waits to replace it
	ContactInvalidated   ContactStatus = "invalidated"    // stopped counting
	ContactRemoved       ContactStatus = "removed"        // empty, but what was there may come back
)

// SecurityInfoRow is one person's security info.
type SecurityInfoRow struct {
	AdminID  string    `json:"adminId"`
	Contacts []Contact `json:"contacts"` // slots that hold a contact, in the order of the page
	Recovery Readiness `json:"recoveryReadiness"`
	// ReconfirmBy is when the person is asked whether their contacts are still
	// right, and ReconfirmAskedAt when they were and have not answered.
	ReconfirmBy      time.Time `json:"reconfirmBy,omitzero"`
	ReconfirmAskedAt time.Time `json:"reconfirmAskedAt,omitzero"`
	UpdatedAt        time.Time `json:"updatedAt,omitzero"` // when a contact was last set, verified or removed
	Revision         int64     `json:"revision"`           // of the stream; -1 if there is none yet
}

// Contact is what one slot holds.
type Contact struct {
	Slot       securityinfo.Slot       `json:"slot"`
	Status     ContactStatus           `json:"status"`
	Verified   domain.Personal[string] `json:"verified,omitzero"` // in use: a mail address, or an RFC 3966 number without its scheme
	VerifiedAt time.Time               `json:"verifiedAt,omitzero"`
	Type       securityinfo.PhoneType  `json:"type,omitzero"` // of the phone in use
	// UsableFrom is when the contact in use may first recover the account.
	UsableFrom time.Time       `json:"usableFrom,omitzero"`
	Pending    *PendingContact `json:"pending,omitempty"`
	// Shared says that the address in use recovers another account of the
	// organization, too (rule I6): whoever has the mailbox has both.
	Shared bool `json:"shared,omitzero"`
	// Undo is the last change of the contact in use that the one before it may
	// undo, with the proof that was sent to it.
	Undo *Undo `json:"undo,omitempty"`
	// Invalidated is why the contact stopped counting, such as
	// [securityinfo.BecameTenantAddress].
	Invalidated string    `json:"invalidated,omitzero"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// Undo is a change that may be undone until a time.
type Undo struct {
	Change string    `json:"change"`
	Until  time.Time `json:"until"`
}

// PendingContact is a contact that waits for its code.
type PendingContact struct {
	Contact      domain.Personal[string] `json:"contact,omitzero"`
	Type         securityinfo.PhoneType  `json:"type,omitzero"`
	Channel      domain.Channel          `json:"channel"`
	Verification string                  `json:"verification,omitzero"` // its ID; empty: the code ran out
	ExpiresAt    time.Time               `json:"expiresAt,omitzero"`    // of the code; zero: it ran out
	AttemptsLeft int                     `json:"attemptsLeft"`          // wrong codes until the verification is dead
}

// What [Readiness] may miss.
const (
	MissingPhone = "phone"
	MissingEmail = "email"
	MissingAny   = "any" // one contact of either kind
)

// Readiness is whether a person could recover their account now.
type Readiness struct {
	AdminID string              `json:"adminId"`
	Gate    securityinfo.Gate   `json:"gate"`
	Usable  []securityinfo.Slot `json:"usableMethods"` // verified and past their cool-down, in the order of the page
	// CoolingDown are verified contacts that recover nothing yet (rule I7).
	CoolingDown []CoolingDown `json:"coolingDown,omitempty"`
	Ready       bool          `json:"ready"`
	Missing     []string      `json:"missing"` // [MissingPhone], [MissingEmail] or [MissingAny]
	// SharedEmail says that the alternate address in use recovers another
	// account of the organization, too (rule I6).
	SharedEmail bool `json:"sharedAlternateEmail,omitzero"`
}

// CoolingDown is a contact that is verified but too new to recover an account.
type CoolingDown struct {
	Slot       securityinfo.Slot `json:"slot"`
	UsableFrom time.Time         `json:"usableFrom"`
}

func pageOrder(a, b securityinfo.Slot) int {
	return slices.Index(securityinfo.Slots(), a) - slices.Index(securityinfo.Slots(), b)
}

// candidate is an account as far as it decides who could recover it.
type candidate struct {
	id       string
	hasRole  bool
	standing recovery.Standing
	verified []CoolingDown // contacts in use
	shared   bool          // the alternate address
}

// readiness judges verified contacts alone (rule I2).
func (c candidate) readiness(terms securityinfo.RecoveryTerms, now time.Time) Readiness {
	r := Judge(c.id, terms.GateOf(c.hasRole, c.standing, now), c.verified, now)
	r.SharedEmail = c.shared
	return r
}

// Judge says whether verified contacts pass a gate at a time. It sorts them.
func Judge(id string, gate securityinfo.Gate, verified []CoolingDown, now time.Time) Readiness {
	slices.SortFunc(verified, func(a, b CoolingDown) int { return pageOrder(a.Slot, b.Slot) })
	r := Readiness{AdminID: id, Gate: gate, Usable: []securityinfo.Slot{}, Missing: []string{}}
	for _, v := range verified {
		if now.Before(v.UsableFrom) {
			r.CoolingDown = append(r.CoolingDown, v)
		} else {
			r.Usable = append(r.Usable, v.Slot)
		}
	}
	r.Ready = securityinfo.Passed(r.Gate, r.Usable)
	if r.Ready {
		return r
	}
	if r.Gate == securityinfo.GateOne {
		r.Missing = append(r.Missing, MissingAny)
		return r
	}
	if !slices.ContainsFunc(r.Usable, func(s securityinfo.Slot) bool { return s != securityinfo.SlotAlternateEmail }) {
		r.Missing = append(r.Missing, MissingPhone)
	}
	if !slices.Contains(r.Usable, securityinfo.SlotAlternateEmail) {
		r.Missing = append(r.Missing, MissingEmail)
	}
	return r
}

const selectCandidate = `SELECT a.admin_id,
	(SELECT COUNT(*) FROM security_roles r WHERE r.tenant = a.tenant AND r.admin_id = a.admin_id),
	(SELECT COUNT(*) FROM security_domains d WHERE d.tenant = a.tenant),
	(SELECT t.trial_since FROM security_tenants t WHERE t.tenant = a.tenant),
	(SELECT string_agg(c.slot || ':' || CAST(c.usable_from AS TEXT), ' ') FROM security_contacts c
		WHERE c.tenant = a.tenant AND c.admin_id = a.admin_id AND c.verified_at <> 0),
	(SELECT COUNT(*) FROM security_contacts c JOIN security_contacts o
			ON o.tenant = c.tenant AND o.email_mac = c.email_mac AND o.admin_id <> c.admin_id AND o.verified_at <> 0
		WHERE c.tenant = a.tenant AND c.admin_id = a.admin_id AND c.email_mac <> '' AND c.verified_at <> 0)
	FROM security_accounts a WHERE a.tenant = $1`

func scanCandidate(row scanner) (c candidate, err error) {
	var roles, sharing int
	var verified sql.NullString
	if err := row.Scan(&c.id, &roles, &c.standing.Domains, instant{&c.standing.TrialSince}, &verified, &sharing); err != nil {
		return c, err
	}
	c.hasRole, c.shared = roles > 0, sharing > 0
	for v := range strings.FieldsSeq(verified.String) {
		slot, from, _ := strings.Cut(v, ":")
		micros, err := strconv.ParseInt(from, 10, 64)
		if err != nil {
			return c, err
		}
		contact := CoolingDown{Slot: securityinfo.Slot(slot)}
		if micros != 0 {
			contact.UsableFrom = time.UnixMicro(micros).UTC()
		}
		c.verified = append(c.verified, contact)
	}
	return c, nil
}

// RecoveryReadiness returns which of the tenant's people could recover their
// account at a time, in the order of their IDs, and the cursor of the next
// page or "". A cursor that is not one is an [ErrCursor].
func RecoveryReadiness(ctx context.Context, db DB, tenant string, now time.Time, cursor string, limit int) ([]Readiness, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	terms, err := recoveryTerms(ctx, db, now)
	if err != nil {
		return nil, "", err
	}
	judged := func(row scanner) (Readiness, error) {
		c, err := scanCandidate(row)
		return c.readiness(terms, now), err
	}
	return list(ctx, db, limit, judged, func(r Readiness) []string { return []string{r.AdminID} },
		selectCandidate+` AND a.admin_id > $2 ORDER BY a.admin_id LIMIT $3`, tenant, key[0])
}

// SecurityInfoOf returns one person's security info at a time, also when no
// contact was ever set. If there is no such account, it returns
// [sql.ErrNoRows].
func SecurityInfoOf(ctx context.Context, db DB, tenant, adminID string, now time.Time) (SecurityInfoRow, error) {
	person, err := scanCandidate(db.QueryRowContext(ctx, selectCandidate+` AND a.admin_id = $2`, tenant, adminID))
	if err != nil {
		return SecurityInfoRow{}, err
	}
	terms, err := recoveryTerms(ctx, db, now)
	if err != nil {
		return SecurityInfoRow{}, err
	}
	s := SecurityInfoRow{AdminID: adminID, Contacts: []Contact{}}
	err = db.QueryRowContext(ctx, `SELECT reconfirm_by, asked_at, revision FROM security_accounts WHERE tenant = $1 AND admin_id = $2`,
		tenant, adminID).Scan(instant{&s.ReconfirmBy}, instant{&s.ReconfirmAskedAt}, &s.Revision)
	if err != nil {
		return SecurityInfoRow{}, err
	}
	contacts, err := all(ctx, db, scanContact, `SELECT slot, verified, verified_at, verified_type,
		pending, pending_type, waiting, verification, channel, expires_at, failures, tries, usable_from, undo_change, undo_until,
		invalidated, updated_at, revision
		FROM security_contacts WHERE tenant = $1 AND admin_id = $2`, tenant, adminID)
	if err != nil {
		return SecurityInfoRow{}, err
	}
	slices.SortFunc(contacts, func(a, b contactRow) int { return pageOrder(a.Slot, b.Slot) })
	// Judged by the contacts that are shown, so that the answer never
	// contradicts itself.
	person.verified = nil
	for _, c := range contacts {
		s.Revision = max(s.Revision, c.revision)
		if c.UpdatedAt.After(s.UpdatedAt) {
			s.UpdatedAt = c.UpdatedAt
		}
		if c.Undo != nil && !now.Before(c.Undo.Until) {
			c.Undo = nil
		}
		if c.Status == "" && c.Undo != nil {
			c.Status = ContactRemoved
		}
		c.Shared = person.shared && c.Slot == securityinfo.SlotAlternateEmail
		if c.Status != "" {
			s.Contacts = append(s.Contacts, c.Contact)
		}
		if !c.VerifiedAt.IsZero() {
			person.verified = append(person.verified, CoolingDown{c.Slot, c.UsableFrom})
		}
	}
	s.Recovery = person.readiness(terms, now)
	return s, nil
}

type contactRow struct {
	Contact
	revision int64
}

func scanContact(row scanner) (c contactRow, err error) {
	var p PendingContact
	var waiting, failures, tries int
	var u Undo
	err = row.Scan(&c.Slot, sealed[string]{&c.Verified}, instant{&c.VerifiedAt}, &c.Type,
		sealed[string]{&p.Contact}, &p.Type, &waiting, &p.Verification, &p.Channel, instant{&p.ExpiresAt}, &failures,
		&tries, instant{&c.UsableFrom}, &u.Change, instant{&u.Until}, &c.Invalidated, instant{&c.UpdatedAt}, &c.revision)
	if waiting != 0 {
		p.AttemptsLeft = max(0, cmp.Or(tries, securityinfo.CodePolicy.First.WrongCodes)-failures)
		c.Pending = &p
	}
	if u.Change != "" {
		c.Undo = &u
	}
	c.Status = contactStatus(!c.VerifiedAt.IsZero(), waiting != 0, c.Invalidated != "")
	return c, err
}

func contactStatus(inUse, waiting, invalidated bool) ContactStatus {
	switch {
	case inUse && waiting:
		return ContactChangePending
	case inUse:
		return ContactVerified
	case waiting:
		return ContactPending
	case invalidated:
		return ContactInvalidated
	}
	return ""
}
