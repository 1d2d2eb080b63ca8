package projections

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/inlet"
	"konto/domain/notification"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
)

//go:embed account_timeline.sql
var accountTimelineSQL string

// AccountTimeline lists every event of every account: who did what, and when.
// It leaves no event out, however technical, and holds nothing of what the
// event says but a code.
var AccountTimeline = Projection{
	Name: "account_timeline", Version: 2,
	Tables: []string{"account_timeline"},
	Schema: accountTimelineSQL,
	Every:  timelineEvent,
}

func timelineEvent(ctx context.Context, tx Tx, e domain.Recorded[any]) error {
	policies := ""
	if len(e.PolicyVersions) > 0 {
		b, err := json.Marshal(e.PolicyVersions)
		if err != nil {
			return err
		}
		policies = string(b)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO account_timeline
		(tenant, position, stream, revision, event_id, type, summary, at, actor_id, actor_kind, correlation, policies)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (tenant, position) DO NOTHING`,
		e.Tenant, e.Position, e.Category+"-"+e.ID, e.Revision, e.EventID, e.Type, summary(e),
		at(e.At), e.Actor.ID, string(e.Actor.Kind), e.Correlation, policies)
	return err
}

// summary returns the code of what happened: the event's type in kebab-case
// and, where the type alone says too little, a detail that is not personal.
// Of a decline it shows no more than may be shown.
func summary(e domain.Recorded[any]) string {
	code := kebab(e.Type)
	if d := detail(e.Data); d != "" {
		return code + "/" + d
	}
	return code
}

func detail(event any) string {
	switch d := event.(type) {
	case admin.RoleAssigned:
		return string(d.Role)
	case admin.RoleRemoved:
		return string(d.Role)
	case billing.CardPromotedToPrimary:
		return d.Reason
	case card.CardReplaced:
		return d.Scope
	case collection.ChargeDeclined:
		return string(d.Shown().Class)
	case inlet.GatewayEventReceived:
		return d.Type
	case notification.NotificationSent:
		return d.Template
	case notification.NotificationFailed:
		return d.Template
	case notification.NotificationSuppressed:
		return d.Template
	case relationship.RelationshipRequested:
		return string(d.Type)
	case relationship.RelationshipEstablished:
		return string(d.Type)
	case relationship.RelationshipEnded:
		return string(d.Type)
	}
	return string(slotOf(event))
}

func slotOf(event any) securityinfo.Slot {
	switch d := event.(type) {
	case securityinfo.PhoneMethodAdded:
		return d.Slot
	case securityinfo.PhoneMethodChanged:
		return d.Slot
	case securityinfo.PhoneMethodRemoved:
		return d.Slot
	case securityinfo.ContactChangeWithdrawn:
		return d.Slot
	case securityinfo.ContactVerificationRequested:
		return d.Slot
	case securityinfo.ContactVerified:
		return d.Slot
	case securityinfo.ContactVerificationFailed:
		return d.Slot
	case securityinfo.ContactVerificationExpired:
		return d.Slot
	}
	return ""
}

// kebab returns a wire name in kebab-case, without the version of its shape.
func kebab(name string) string {
	name, _, _ = strings.Cut(name, ".")
	var b strings.Builder
	b.Grow(len(name) + 4)
	for i, r := range name {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteByte('-')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// TimelineEntry is one event of an account.
type TimelineEntry struct {
	Position    uint64           `json:"position"`
	Stream      string           `json:"stream"`
	Revision    int64            `json:"revision"`
	EventID     string           `json:"eventId"`
	Type        string           `json:"type"`
	Summary     string           `json:"summary"` // "<code>" or "<code>/<detail>", for a message catalogue
	At          time.Time        `json:"at"`
	ActorID     string           `json:"actorId"`
	ActorKind   domain.ActorKind `json:"actorKind"`
	Correlation string           `json:"correlation"`
	// PolicyVersions are the versions of the policies that it was decided under.
	PolicyVersions map[string]int `json:"policyVersions,omitempty"`
}

// TimelineFilter narrows a timeline. Zero fields narrow nothing.
type TimelineFilter struct {
	Stream string // "<category>-<aggregate ID>"
	Type   string // wire name
}

// Timeline returns the tenant's events, newest first, and the cursor of the
// next page or "". A cursor that is not one is an [ErrCursor].
func Timeline(ctx context.Context, db DB, tenant string, f TimelineFilter, cursor string, limit int) ([]TimelineEntry, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	const (
		from = `SELECT position, stream, revision, event_id, type, summary, at, actor_id, actor_kind, correlation, policies
			FROM account_timeline WHERE tenant = $1 AND position < $2`
		order = ` ORDER BY position DESC LIMIT `
	)
	query, args := from+order+`$3`, []any{tenant, position}
	switch {
	case f.Stream != "" && f.Type != "":
		query, args = from+` AND stream = $3 AND type = $4`+order+`$5`, append(args, f.Stream, f.Type)
	case f.Stream != "":
		query, args = from+` AND stream = $3`+order+`$4`, append(args, f.Stream)
	case f.Type != "":
		query, args = from+` AND type = $3`+order+`$4`, append(args, f.Type)
	}
	key := func(e TimelineEntry) []string { return positionKey(e.Position) }
	return list(ctx, db, limit, scanTimelineEntry, key, query, args...)
}

func scanTimelineEntry(row scanner) (e TimelineEntry, err error) {
	var policies string
	err = row.Scan(&e.Position, &e.Stream, &e.Revision, &e.EventID, &e.Type, &e.Summary, instant{&e.At},
		&e.ActorID, &e.ActorKind, &e.Correlation, &policies)
	if err == nil && policies != "" {
		err = json.Unmarshal([]byte(policies), &e.PolicyVersions)
	}
	return e, err
}
