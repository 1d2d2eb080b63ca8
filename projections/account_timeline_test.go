package projections_test

import (
	"strconv"
	"strings"
	"testing"

	"konto/domain"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestTimelineLeavesNothingOut(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.AccountTimeline)
	db.apply(h.events...)
	got, next, err := projections.Timeline(t.Context(), db, northwind, projections.TimelineFilter{}, "", projections.MaxPage)
	if err != nil || next != "" {
		t.Fatalf("next %q, %v", next, err)
	}
	var want []projections.TimelineEntry
	for i := range h.events {
		e := h.events[len(h.events)-1-i]
		want = append(want, projections.TimelineEntry{
			Position: e.Position, Stream: e.Category + "-" + e.ID, Revision: e.Revision, EventID: e.EventID, Type: e.Type,
			Summary: got[i].Summary, At: e.At, ActorID: anna, ActorKind: domain.KindPerson, Correlation: e.Correlation,
		})
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Timeline (-want +got):\n%s", d)
	}
	for _, line := range db.dump() {
		if strings.Contains(line, "sealed") || strings.Contains(line, "stolen") {
			t.Errorf("the timeline holds what the event says: %s", line)
		}
	}
}

func TestTimelineSummaries(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.AccountTimeline)
	db.apply(h.events...)
	rows, _, err := projections.Timeline(t.Context(), db, northwind, projections.TimelineFilter{}, "", projections.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range rows {
		got[e.Summary] = true
	}
	for _, want := range []string{
		"tenant-registered", "employee-added", "role-assigned/auditor", "role-removed/auditor",
		"phone-method-added/mobile", "phone-method-changed/mobile", "phone-method-removed/office",
		"contact-change-withdrawn/mobile", "contact-verification-requested/alternateEmail", "contact-verified/mobile",
		"contact-verification-failed/mobile", "contact-verification-expired/office", "card-added", "card-replaced/all",
		"card-promoted-to-primary/funds", "charge-declined/data-address", "charge-declined/issuer-soft", "charge-succeeded",
		"relationship-requested/reseller", "relationship-established/reseller", "relationship-ended/advisor",
		"notification-sent/card_declined", "notification-failed/card_declined", "notification-suppressed/card_declined",
		"gateway-event-received/charge.failed",
	} {
		if !got[want] {
			t.Errorf("no entry has the summary %s", want)
		}
	}
	// An event in an older shape keeps its wire name; its summary has no version.
	old := h.events[0]
	old.Type, old.Position = "TenantRegistered.v2", 1_000_000
	db.apply(old)
	rows, _, err = projections.Timeline(t.Context(), db, northwind, projections.TimelineFilter{}, "", 1)
	if err != nil || rows[0].Summary != "tenant-registered" || rows[0].Type != "TenantRegistered.v2" {
		t.Errorf("Timeline = %+v, %v, want the summary without a version", rows, err)
	}
}

func TestTimelinePages(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.AccountTimeline)
	db.apply(h.events...)
	for _, f := range []projections.TimelineFilter{
		{},
		{Stream: "secinfo-" + anna},
		{Type: "ContactVerified"},
		{Stream: "secinfo-" + anna, Type: "ContactVerified"},
		{Stream: "secinfo-" + bo, Type: "ContactVerified"},
	} {
		var want []string
		for i := range h.events {
			e := h.events[len(h.events)-1-i]
			if (f.Stream == "" || f.Stream == e.Category+"-"+e.ID) && (f.Type == "" || f.Type == e.Type) {
				want = append(want, strconv.FormatUint(e.Position, 10))
			}
		}
		for _, limit := range []int{1, 7} {
			checkPages(t, want, func(cursor string) ([]string, string, error) {
				rows, next, err := projections.Timeline(t.Context(), db, northwind, f, cursor, limit)
				return keys(rows, func(e projections.TimelineEntry) string { return strconv.FormatUint(e.Position, 10) }), next, err
			})
		}
	}
}
