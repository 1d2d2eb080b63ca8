package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain/audit"
	"konto/projections"
)

func TestAuditSessions(t *testing.T) {
	t.Parallel()
	db := open(t, projections.AuditAccess)
	db.apply(everything(contoso).events...)
	db.apply(everything(northwind).events...)
	eva := id(2, 98)
	want := func(session string) projections.AuditSession {
		return projections.AuditSession{
			Session: session, Auditor: eva, Purpose: sealedValue[string](eva, "purpose"),
			Scope: audit.Scope{Kinds: []string{"card"}, Personal: true}, Since: start, Until: start.Add(time.Hour),
		}
	}
	closed, expired, standing := want(id(6, 1)), want(id(6, 2)), want(id(6, 3))
	closed.EndedAt, closed.EndedBy, closed.Reads, closed.Exports = start, anna, 2, 1
	expired.EndedAt = start.Add(time.Hour)
	standing.Open = true
	sessions := func(auditor string, now time.Time) (all []projections.AuditSession) {
		for cursor := ""; ; {
			rows, next, err := projections.AuditSessions(t.Context(), db, northwind, auditor, now, cursor, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				if r.Position == 0 {
					t.Errorf("%s has no position", r.Session)
				}
				r.Position = 0
				all = append(all, r)
			}
			if cursor = next; next == "" {
				return all
			}
		}
	}
	if d := cmp.Diff([]projections.AuditSession{standing, expired, closed}, sessions("", start)); d != "" {
		t.Errorf("N20: sessions, newest first (-want +got):\n%s", d)
	}
	if d := cmp.Diff(sessions("", start), sessions(eva, start)); d != "" {
		t.Errorf("N20: of one auditor (-want +got):\n%s", d)
	}
	if got := sessions(bo, start); len(got) != 0 {
		t.Errorf("N20: sessions of somebody who has none: %v", got)
	}
	if got := sessions("", start.Add(time.Hour)); got[0].Open {
		t.Error("N20: a session is open at its end")
	}
}

func TestAuditReads(t *testing.T) {
	t.Parallel()
	db := open(t, projections.AuditAccess)
	db.apply(everything(contoso).events...)
	db.apply(everything(northwind).events...)
	eva := id(2, 98)
	diff := projections.AuditRead{Session: id(6, 1), Auditor: eva, Kind: "diff", Account: "card-" + visa, From: "0", To: "2", Checkpoint: "C:7/P:7", At: start}
	events := projections.AuditRead{Session: id(6, 1), Auditor: eva, Kind: "events", Type: "T", Checkpoint: "C:8/P:8", At: start}
	export := projections.AuditRead{Session: id(6, 1), Auditor: eva, Kind: "export", Checkpoint: "C:9/P:9", Events: 3, Digest: "ab", At: start}
	for _, c := range []struct {
		name   string
		filter projections.AuditReadFilter
		want   []projections.AuditRead
	}{
		{"N20: all, newest first", projections.AuditReadFilter{}, []projections.AuditRead{export, events, diff}},
		{"N20: of a session", projections.AuditReadFilter{Session: id(6, 1)}, []projections.AuditRead{export, events, diff}},
		{"N20: of a session in which nothing was read", projections.AuditReadFilter{Session: id(6, 2)}, nil},
		{"N20: of an auditor", projections.AuditReadFilter{Auditor: eva}, []projections.AuditRead{export, events, diff}},
		{"N20: of another", projections.AuditReadFilter{Auditor: anna}, nil},
		{"N20: of an account", projections.AuditReadFilter{Account: "card-" + visa}, []projections.AuditRead{diff}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []projections.AuditRead
			for cursor := ""; ; {
				rows, next, err := projections.AuditReads(t.Context(), db, northwind, c.filter, cursor, 2)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					r.Position = 0
					got = append(got, r)
				}
				if cursor = next; next == "" {
					break
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("AuditReads (-want +got):\n%s", d)
			}
		})
	}
}
