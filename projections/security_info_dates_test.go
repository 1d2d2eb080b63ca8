package projections_test

import (
	"testing"
	"time"

	"konto/domain/admin"
	"konto/domain/securityinfo"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func newMobile(what, verification string) securityinfo.PhoneMethodAdded {
	return securityinfo.PhoneMethodAdded{
		Slot: securityinfo.SlotMobile, Phone: sealedValue[securityinfo.Phone](anna, what), Type: securityinfo.Mobile,
		Verification: verification, At: start,
	}
}

// A new contact cools down, and the one before it may undo the change, each
// until a time.
func TestCoolingDownAndUndo(t *testing.T) {
	t.Parallel()
	h := established(northwind)
	h.then(anna, admin.EmployeeAdded{Tenant: northwind})
	h.then(anna, newMobile("old", "v1"))
	h.then(anna, verified(securityinfo.SlotMobile, "old"))
	h.then(anna, securityinfo.PhoneMethodChanged{PhoneMethodAdded: newMobile("new", "v2")})
	usable, undoable := start.AddDate(0, 0, 1), start.AddDate(0, 0, 3)
	changed := verified(securityinfo.SlotMobile, "new")
	changed.Verification, changed.Previous = "v2", sealedValue[string](anna, "old")
	changed.UsableFrom, changed.UndoUntil = usable, undoable
	h.then(anna, changed)
	db := open(t, projections.SecurityInfo)
	db.apply(h.events...)

	undo := &projections.Undo{Change: "v2", Until: undoable}
	cooling := []projections.CoolingDown{{Slot: securityinfo.SlotMobile, UsableFrom: usable}}
	mobile := []securityinfo.Slot{securityinfo.SlotMobile}
	for _, c := range []struct {
		name    string
		at      time.Time
		usable  []securityinfo.Slot
		cooling []projections.CoolingDown
		undo    *projections.Undo
	}{
		{"I7: a contact that is new recovers nothing", start, nil, cooling, undo},
		{"I7: nor a moment before its time", usable.Add(-time.Microsecond), nil, cooling, undo},
		{"I7: at its time it does", usable, mobile, nil, undo},
		{"I7: the change can be undone until the last moment", undoable.Add(-time.Microsecond), mobile, nil, undo},
		{"I7: and not from then on", undoable, mobile, nil, nil},
	} {
		got, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, c.at)
		if err != nil || len(got.Contacts) != 1 {
			t.Fatalf("%s: %+v, %v", c.name, got, err)
		}
		if len(c.usable) != len(got.Recovery.Usable) || len(c.usable) > 0 && got.Recovery.Usable[0] != c.usable[0] {
			t.Errorf("%s: usable %v, want %v", c.name, got.Recovery.Usable, c.usable)
		}
		if d := cmp.Diff(c.cooling, got.Recovery.CoolingDown); d != "" {
			t.Errorf("%s: cooling down (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(c.undo, got.Contacts[0].Undo); d != "" {
			t.Errorf("%s: undo (-want +got):\n%s", c.name, d)
		}
		if !got.Contacts[0].UsableFrom.Equal(usable) {
			t.Errorf("%s: usable from %s, want %s", c.name, got.Contacts[0].UsableFrom, usable)
		}
	}
}

// A contact that was removed is shown for as long as that can be undone.
func TestRemovedContactCanBeUndone(t *testing.T) {
	t.Parallel()
	h := established(northwind)
	h.then(anna, admin.EmployeeAdded{Tenant: northwind})
	h.then(anna, newMobile("phone", "v1"))
	h.then(anna, verified(securityinfo.SlotMobile, "phone"))
	h.then(anna, securityinfo.AlternateEmailAdded{Email: sealedValue[string](anna, "mail"), Verification: "v2", At: start})
	h.then(anna, verified(securityinfo.SlotAlternateEmail, "mail"))
	until := start.AddDate(0, 0, 3)
	h.then(anna, securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, Change: "c1", UndoUntil: until, At: start})
	db := open(t, projections.SecurityInfo)
	db.apply(h.events...)
	statuses := func(at time.Time) map[securityinfo.Slot]projections.ContactStatus {
		t.Helper()
		got, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, at)
		if err != nil {
			t.Fatal(err)
		}
		all := map[securityinfo.Slot]projections.ContactStatus{}
		for _, c := range got.Contacts {
			all[c.Slot] = c.Status
		}
		return all
	}
	want := map[securityinfo.Slot]projections.ContactStatus{
		securityinfo.SlotMobile: projections.ContactRemoved, securityinfo.SlotAlternateEmail: projections.ContactVerified,
	}
	if d := cmp.Diff(want, statuses(start)); d != "" {
		t.Errorf("I7: right after the removal (-want +got):\n%s", d)
	}
	delete(want, securityinfo.SlotMobile)
	if d := cmp.Diff(want, statuses(until)); d != "" {
		t.Errorf("I7: when it can be undone no more (-want +got):\n%s", d)
	}
	db.apply(h.then(anna, securityinfo.ContactChangeUndone{
		Slot: securityinfo.SlotMobile, Change: "c1", Contact: sealedValue[string](anna, "phone"), VerifiedAt: start, At: start,
	}))
	want[securityinfo.SlotMobile] = projections.ContactVerified
	if d := cmp.Diff(want, statuses(start)); d != "" {
		t.Errorf("I7: undone (-want +got):\n%s", d)
	}
}

// The page says when the person is asked about their contacts, and since when
// they are.
func TestReconfirmation(t *testing.T) {
	t.Parallel()
	h := established(northwind)
	due, later := start.AddDate(0, 0, 180), start.AddDate(0, 0, 360)
	db := open(t, projections.SecurityInfo)
	db.apply(h.events...)
	db.apply(h.then(anna, admin.EmployeeAdded{Tenant: northwind}))
	first := verified(securityinfo.SlotMobile, "phone")
	first.ReconfirmBy = due
	for _, step := range []struct {
		name      string
		event     any
		by, asked time.Time
	}{
		{"I9: planned with the first contact", first, due, time.Time{}},
		{"I9: a second contact plans nothing anew", verified(securityinfo.SlotAlternateEmail, "mail"), due, time.Time{}},
		{"I9: asked", securityinfo.ReconfirmationRequested{DueAt: due, At: due}, time.Time{}, due},
		{"I9: confirmed, and planned again", securityinfo.SecurityInfoReconfirmed{At: due, DueAt: later}, later, time.Time{}},
		{"I9: postponed, since a change says as much", securityinfo.ReconfirmationPostponed{DueAt: later.AddDate(0, 0, 30), At: due}, later.AddDate(0, 0, 30), time.Time{}},
	} {
		db.apply(h.then(anna, step.event))
		got, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, month)
		if err != nil || !got.ReconfirmBy.Equal(step.by) || !got.ReconfirmAskedAt.Equal(step.asked) {
			t.Errorf("%s: by %s, asked %s, %v, want %s and %s", step.name, got.ReconfirmBy, got.ReconfirmAskedAt, err, step.by, step.asked)
		}
	}
}
