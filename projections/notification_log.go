package projections

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/notification"
)

//go:embed notification_log.sql
var notificationLogSQL string

// NotificationLog lists who was told what, over which channel, and what became
// of it. It holds no address and no text: digests and hashes prove both.
var NotificationLog = Projection{
	Name: "notification_log", Version: 1,
	Tables:   []string{"notification_log"},
	Schema:   notificationLogSQL,
	Handlers: []Handler{On(logSent), On(logFailed), On(logSuppressed)},
}

func logSent(ctx context.Context, tx Tx, e domain.Recorded[notification.NotificationSent]) error {
	return logNotification(ctx, tx, e.Tenant, e.Position, Notification{
		ID: e.ID, Message: e.Data.Message, Outcome: notification.Sent, Attempts: e.Data.Attempts,
		RecipientDigests: e.Data.RecipientDigests, TextHash: e.Data.TextHash, MessageID: e.Data.MessageID, At: e.Data.At,
	})
}

func logFailed(ctx context.Context, tx Tx, e domain.Recorded[notification.NotificationFailed]) error {
	return logNotification(ctx, tx, e.Tenant, e.Position, Notification{
		ID: e.ID, Message: e.Data.Message, Outcome: notification.Failed, Reason: e.Data.Reason,
		Attempts: e.Data.Attempts, RecipientDigests: e.Data.RecipientDigests, At: e.Data.At,
	})
}

func logSuppressed(ctx context.Context, tx Tx, e domain.Recorded[notification.NotificationSuppressed]) error {
	return logNotification(ctx, tx, e.Tenant, e.Position, Notification{
		ID: e.ID, Message: e.Data.Message, Outcome: notification.Suppressed, Reason: e.Data.Why, At: e.Data.At,
	})
}

// logNotification keeps the first outcome: a stream has one.
func logNotification(ctx context.Context, tx Tx, tenant string, position uint64, n Notification) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notification_log
		(tenant, notification_id, position, template, template_version, locale, channel, person, cause,
		 outcome, reason, attempts, recipient_digests, text_hash, message_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (tenant, notification_id) DO NOTHING`,
		tenant, n.ID, position, n.Template, n.TemplateVersion, n.Locale, string(n.Channel), n.Person, n.CauseEventID,
		string(n.Outcome), n.Reason, n.Attempts, strings.Join(n.RecipientDigests, " "), n.TextHash, n.MessageID, at(n.At))
	return err
}

// Notification is one message and what became of it.
type Notification struct {
	ID string `json:"id"`
	notification.Message
	Outcome          notification.Outcome `json:"outcome"`
	Reason           string               `json:"reason,omitzero"` // why it failed or was left out
	Attempts         int                  `json:"attempts,omitzero"`
	RecipientDigests []string             `json:"recipientDigests,omitempty"` // keyed hashes of the addresses
	TextHash         string               `json:"textHash,omitzero"`
	MessageID        string               `json:"messageId,omitzero"`
	At               time.Time            `json:"at"`
	Position         uint64               `json:"position"` // of the outcome in $all
}

const selectNotification = `SELECT notification_id, template, template_version, locale, channel, person, cause,
	outcome, reason, attempts, recipient_digests, text_hash, message_id, at, position
	FROM notification_log WHERE tenant = $1`

// NotificationByID returns one message. If there is none, it returns [database/sql.ErrNoRows].
func NotificationByID(ctx context.Context, db DB, tenant, id string) (Notification, error) {
	return scanNotification(db.QueryRowContext(ctx, selectNotification+` AND notification_id = $2`, tenant, id))
}

// NotificationFilter narrows the log. Zero fields narrow nothing.
type NotificationFilter struct {
	Person string // an admin's ID
	Cause  string // ID of the event that asked for the message
	// Templates are the messages that are listed; nil for all.
	Templates []string
}

// Notifications returns the tenant's messages, newest first, and the cursor of
// the next page or "". A cursor that is not one is an [ErrCursor].
func Notifications(ctx context.Context, db DB, tenant string, f NotificationFilter, cursor string, limit int) ([]Notification, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	const (
		from = selectNotification + ` AND position < $2
			AND ($3 = '' OR ' ' || $3 || ' ' LIKE '% ' || template || ' %')`
		order = ` ORDER BY position DESC LIMIT `
	)
	query, args := from+order+`$4`, []any{tenant, position, strings.Join(f.Templates, " ")}
	switch {
	case f.Person != "" && f.Cause != "":
		query, args = from+` AND person = $4 AND cause = $5`+order+`$6`, append(args, f.Person, f.Cause)
	case f.Person != "":
		query, args = from+` AND person = $4`+order+`$5`, append(args, f.Person)
	case f.Cause != "":
		query, args = from+` AND cause = $4`+order+`$5`, append(args, f.Cause)
	}
	key := func(n Notification) []string { return positionKey(n.Position) }
	return list(ctx, db, limit, scanNotification, key, query, args...)
}

func scanNotification(row scanner) (n Notification, err error) {
	var digests string
	err = row.Scan(&n.ID, &n.Template, &n.TemplateVersion, &n.Locale, &n.Channel, &n.Person, &n.CauseEventID,
		&n.Outcome, &n.Reason, &n.Attempts, &digests, &n.TextHash, &n.MessageID, instant{&n.At}, &n.Position)
	n.RecipientDigests = strings.Fields(digests)
	return n, err
}
