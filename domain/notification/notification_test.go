package notification_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/notification"
)

func TestNotification(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	m := Meta{ID: "effect", Tenant: "t", At: at}
	msg := Message{
		Template: "card_declined", TemplateVersion: "3", Locale: "sv", Channel: domain.Mail, Person: "ann", CauseEventID: "event",
	}
	send := RecordNotification{
		Outcome: Sent, Message: msg, RecipientDigests: []string{"d1", "d2"}, TextHash: "h", MessageID: "<m@konto>", Attempts: 2,
	}
	var (
		sent = []Event{NotificationSent{
			Message: msg, RecipientDigests: []string{"d1", "d2"}, TextHash: "h", MessageID: "<m@konto>", Attempts: 2, At: at,
		}}
		failed     = []Event{NotificationFailed{Message: msg, RecipientDigests: []string{"d1"}, Reason: "550 no such mailbox", Attempts: 5, At: at}}
		suppressed = []Event{NotificationSuppressed{Message: msg, Why: "no verified address", At: at}}
		fail       = RecordNotification{Outcome: Failed, Message: msg, RecipientDigests: []string{"d1"}, Reason: "550 no such mailbox", Attempts: 5}
		suppress   = RecordNotification{Outcome: Suppressed, Message: msg, Why: "no verified address"}
	)
	domaintest.Run(t, Aggregate, []domaintest.Case[Notification]{
		{Name: "sent", When: send, Meta: m, Then: sent},
		{Name: "failed", When: fail, Meta: m, Then: failed},
		{Name: "suppressed", When: suppress, Meta: m, Then: suppressed},
		{Name: "sent again", Given: sent, When: send, Meta: m},
		{Name: "failed again", Given: failed, When: fail, Meta: m},
		{Name: "suppressed again", Given: suppressed, When: suppress, Meta: m},
		{Name: "failed after sent", Given: sent, When: fail, Meta: m, Err: ErrRecorded},
		{Name: "sent after failed", Given: failed, When: send, Meta: m, Err: ErrRecorded},
		{Name: "sent after suppressed", Given: suppressed, When: send, Meta: m, Err: ErrRecorded},
		{Name: "unknown outcome", When: RecordNotification{Outcome: "lost", Message: msg}, Meta: m, Err: ErrOutcome},
		{Name: "no template", When: RecordNotification{Outcome: Sent, Message: Message{CauseEventID: "event"}}, Meta: m, Err: ErrIncomplete},
		{Name: "no cause", When: RecordNotification{Outcome: Sent, Message: Message{Template: "card_declined"}}, Meta: m, Err: ErrIncomplete},
	})
}
