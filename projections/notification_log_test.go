package projections_test

import (
	"testing"

	"konto/domain/notification"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestNotifications(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.NotificationLog)
	db.apply(h.events...)
	sent, err := projections.NotificationByID(t.Context(), db, northwind, id(6, 1))
	if err != nil {
		t.Fatal(err)
	}
	want := projections.Notification{
		ID: id(6, 1), Message: message(anna), Outcome: notification.Sent, Attempts: 1,
		RecipientDigests: []string{"d1", "d2"}, TextHash: "hash", MessageID: "m-1", At: start, Position: sent.Position,
	}
	if d := cmp.Diff(want, sent); d != "" {
		t.Errorf("NotificationByID (-want +got):\n%s", d)
	}
	for _, c := range []struct {
		filter projections.NotificationFilter
		want   []string
	}{
		{projections.NotificationFilter{}, []string{"suppressed no verified contact", "failed refused", "sent "}},
		{projections.NotificationFilter{Person: anna}, []string{"sent "}},
		{projections.NotificationFilter{Cause: "cause-1"}, []string{"suppressed no verified contact", "failed refused", "sent "}},
		{projections.NotificationFilter{Person: bo, Cause: "cause-1"}, []string{"suppressed no verified contact", "failed refused"}},
		{projections.NotificationFilter{Person: bo, Cause: "cause-2"}, nil},
		{projections.NotificationFilter{Person: anna, Templates: []string{"card_changed", "card_declined"}}, []string{"sent "}},
		{projections.NotificationFilter{Person: bo, Cause: "cause-1", Templates: []string{"card_declined_final", "card_decline"}}, nil},
		{projections.NotificationFilter{Cause: "cause-1", Templates: []string{"card"}}, nil},
		{projections.NotificationFilter{Templates: []string{"contact_code"}}, nil},
	} {
		checkPages(t, c.want, func(cursor string) ([]string, string, error) {
			rows, next, err := projections.Notifications(t.Context(), db, northwind, c.filter, cursor, 1)
			return keys(rows, func(n projections.Notification) string { return string(n.Outcome) + " " + n.Reason }), next, err
		})
	}
}

// A stream has one outcome; a second one is a mistake that hides nothing.
func TestFirstOutcomeStands(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	h.then(id(6, 1), notification.NotificationSent{Message: message(anna), At: start})
	h.then(id(6, 1), notification.NotificationFailed{Message: message(anna), Reason: "late", At: start})
	db := open(t, projections.NotificationLog)
	db.apply(h.events...)
	n, err := projections.NotificationByID(t.Context(), db, northwind, id(6, 1))
	if err != nil || n.Outcome != notification.Sent {
		t.Errorf("outcome = %s, %v, want sent", n.Outcome, err)
	}
}
