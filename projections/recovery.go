package projections

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"konto/domain"
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
)

// SecurityInfoRow is one person's security info.
type SecurityInfoRow struct {
	AdminID   string    `json:"adminId"`
	Contacts  []Contact `json:"contacts"` // slots that hold a contact, in the order of the page
	Recovery  Readiness `json:"recoveryReadiness"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"` // when a contact was last set, verified or removed
	Revision  int64     `json:"revision"`           // of the stream; -1 if there is none yet
}

// Contact is what one slot holds.
type Contact struct {
	Slot       securityinfo.Slot       `json:"slot"`
	Status     ContactStatus           `json:"status"`
	Verified   domain.Personal[string] `json:"verified,omitzero"` // in use: a mail address, or an RFC 3966 number without its scheme
	VerifiedAt time.Time               `json:"verifiedAt,omitzero"`
	Type       securityinfo.PhoneType  `json:"type,omitzero"` // of the phone in use
	Pending    *PendingContact         `json:"pending,omitempty"`
	// Invalidated is why the contact stopped counting, such as
	// [securityinfo.BecameTenantAddress].
	Invalidated string    `json:"invalidated,omitzero"`
	UpdatedAt   time.Time `json:"updatedAt"`
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

// Gate is how many proofs it takes to recover an account (rule S4).
type Gate string

// The gates.
const (
	GateOne Gate = "one" // one verified contact
	GateTwo Gate = "two" // a verified phone and a verified address: accounts with a role
)

// What [Readiness] may miss.
const (
	MissingPhone = "phone"
	MissingEmail = "email"
	MissingAny   = "any" // one contact of either kind
)

// Readiness is whether a person could recover their account now.
type Readiness struct {
	AdminID string              `json:"adminId"`
	Gate    Gate                `json:"gate"`
	Usable  []securityinfo.Slot `json:"usableMethods"` // verified, in the order of the page
	Ready   bool                `json:"ready"`
	Missing []string            `json:"missing"` // [MissingPhone], [MissingEmail] or [MissingAny]
}

// slots in the order of the page.
func slots() []securityinfo.Slot {
	return []securityinfo.Slot{
		securityinfo.SlotMobile, securityinfo.SlotAlternateMobile, securityinfo.SlotOffice, securityinfo.SlotAlternateEmail,
	}
}

func pageOrder(a, b securityinfo.Slot) int {
	return slices.Index(slots(), a) - slices.Index(slots(), b)
}

// readiness judges verified contacts alone (rule I2).
func readiness(id string, hasRole bool, usable []securityinfo.Slot) Readiness {
	slices.SortFunc(usable, pageOrder)
	r := Readiness{AdminID: id, Gate: GateOne, Usable: usable, Missing: []string{}}
	if hasRole {
		r.Gate = GateTwo
		email := slices.Contains(usable, securityinfo.SlotAlternateEmail)
		if !slices.ContainsFunc(usable, func(s securityinfo.Slot) bool { return s != securityinfo.SlotAlternateEmail }) {
			r.Missing = append(r.Missing, MissingPhone)
		}
		if !email {
			r.Missing = append(r.Missing, MissingEmail)
		}
	} else if len(usable) == 0 {
		r.Missing = append(r.Missing, MissingAny)
	}
	r.Ready = len(r.Missing) == 0
	return r
}

const selectReadiness = `SELECT a.admin_id,
	(SELECT COUNT(*) FROM security_roles r WHERE r.tenant = a.tenant AND r.admin_id = a.admin_id),
	(SELECT string_agg(c.slot, ' ') FROM security_contacts c
		WHERE c.tenant = a.tenant AND c.admin_id = a.admin_id AND c.verified_at <> 0)
	FROM security_accounts a WHERE a.tenant = $1`

func scanReadiness(row scanner) (Readiness, error) {
	var id string
	var roles int
	var verified sql.NullString
	err := row.Scan(&id, &roles, &verified)
	usable := []securityinfo.Slot{}
	for s := range strings.FieldsSeq(verified.String) {
		usable = append(usable, securityinfo.Slot(s))
	}
	return readiness(id, roles > 0, usable), err
}

// RecoveryReadiness returns which of the tenant's people could recover their
// account now, in the order of their IDs, and the cursor of the next page or
// "". A cursor that is not one is an [ErrCursor].
func RecoveryReadiness(ctx context.Context, db DB, tenant, cursor string, limit int) ([]Readiness, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanReadiness, func(r Readiness) []string { return []string{r.AdminID} },
		selectReadiness+` AND a.admin_id > $2 ORDER BY a.admin_id LIMIT $3`, tenant, key[0])
}

// SecurityInfoOf returns one person's security info, also when no contact was
// ever set. If there is no such account, it returns [sql.ErrNoRows].
func SecurityInfoOf(ctx context.Context, db DB, tenant, adminID string) (SecurityInfoRow, error) {
	ready, err := scanReadiness(db.QueryRowContext(ctx, selectReadiness+` AND a.admin_id = $2`, tenant, adminID))
	if err != nil {
		return SecurityInfoRow{}, err
	}
	contacts, err := all(ctx, db, scanContact, `SELECT slot, verified, verified_at, verified_type,
		pending, pending_type, waiting, verification, channel, expires_at, failures, invalidated, updated_at, revision
		FROM security_contacts WHERE tenant = $1 AND admin_id = $2`, tenant, adminID)
	if err != nil {
		return SecurityInfoRow{}, err
	}
	slices.SortFunc(contacts, func(a, b contactRow) int { return pageOrder(a.Slot, b.Slot) })
	s := SecurityInfoRow{AdminID: adminID, Contacts: []Contact{}, Revision: -1}
	usable := []securityinfo.Slot{}
	for _, c := range contacts {
		s.Revision = max(s.Revision, c.revision)
		if c.UpdatedAt.After(s.UpdatedAt) {
			s.UpdatedAt = c.UpdatedAt
		}
		if c.Status != "" {
			s.Contacts = append(s.Contacts, c.Contact)
		}
		if !c.VerifiedAt.IsZero() {
			usable = append(usable, c.Slot)
		}
	}
	// Judged by the contacts that are shown, so that the answer never
	// contradicts itself.
	s.Recovery = readiness(adminID, ready.Gate == GateTwo, usable)
	return s, nil
}

type contactRow struct {
	Contact
	revision int64
}

func scanContact(row scanner) (c contactRow, err error) {
	var p PendingContact
	var waiting, failures int
	err = row.Scan(&c.Slot, sealed[string]{&c.Verified}, instant{&c.VerifiedAt}, &c.Type,
		sealed[string]{&p.Contact}, &p.Type, &waiting, &p.Verification, &p.Channel, instant{&p.ExpiresAt}, &failures,
		&c.Invalidated, instant{&c.UpdatedAt}, &c.revision)
	if waiting != 0 {
		p.AttemptsLeft = max(0, securityinfo.MaxFailures-failures)
		c.Pending = &p
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
