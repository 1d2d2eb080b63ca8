package projections_test

import (
	"encoding/json"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/policyversion"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestSecurityInfo(t *testing.T) {
	t.Parallel()
	db := open(t, projections.SecurityInfo)
	db.apply(everything(northwind).events...)
	got, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, month)
	if err != nil {
		t.Fatal(err)
	}
	want := projections.SecurityInfoRow{
		AdminID: anna,
		Contacts: []projections.Contact{
			{
				Slot: securityinfo.SlotMobile, Status: projections.ContactVerified, Verified: sealedValue[string](anna, "mobile"),
				VerifiedAt: start.Add(time.Minute), Type: securityinfo.Mobile, UpdatedAt: got.UpdatedAt,
			},
			{
				Slot: securityinfo.SlotAlternateEmail, Status: projections.ContactInvalidated,
				Invalidated: securityinfo.BecameTenantAddress, UpdatedAt: start,
			},
		},
		Recovery: projections.Readiness{
			AdminID: anna, Gate: securityinfo.GateTwo, Usable: []securityinfo.Slot{securityinfo.SlotMobile}, Missing: []string{projections.MissingEmail},
		},
		UpdatedAt: got.UpdatedAt, Revision: 16,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("SecurityInfoOf (-want +got):\n%s", d)
	}
	if !got.UpdatedAt.After(start.Add(time.Second)) {
		t.Errorf("updated at %v, want when the change was withdrawn", got.UpdatedAt)
	}
	got, err = projections.SecurityInfoOf(t.Context(), db, northwind, bo, month)
	if err != nil || len(got.Contacts) != 0 || got.Revision != 6 || got.Recovery.Ready {
		t.Errorf("SecurityInfoOf(bo) = %+v, %v, want an empty page at revision 6, after a recovery", got, err)
	}
}

// TestPendingContact follows one slot through its changes.
func TestPendingContact(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	db := open(t, projections.SecurityInfo)
	db.apply(h.then(anna, admin.EmployeeAdded{Tenant: northwind}))
	const slot = securityinfo.SlotMobile
	changed := func(what, verification string) securityinfo.PhoneMethodChanged {
		return securityinfo.PhoneMethodChanged{PhoneMethodAdded: securityinfo.PhoneMethodAdded{
			Slot: slot, Phone: sealedValue[securityinfo.Phone](anna, what), Type: securityinfo.Mobile, Verification: verification, At: start,
		}}
	}
	expires := start.Add(10 * time.Minute)
	for _, step := range []struct {
		name     string
		event    any
		status   projections.ContactStatus
		verified string
		pending  *projections.PendingContact
	}{
		{"set", changed("one", "v1").PhoneMethodAdded, projections.ContactPending, "", &projections.PendingContact{
			Type: securityinfo.Mobile, Verification: "v1", AttemptsLeft: 5,
		}},
		{"code sent", requested(slot, "one", "v1"), projections.ContactPending, "", &projections.PendingContact{
			Contact: sealedValue[string](anna, "one"), Type: securityinfo.Mobile, Channel: domain.SMS, Verification: "v1",
			ExpiresAt: expires, AttemptsLeft: 5,
		}},
		{
			"wrong code",
			securityinfo.ContactVerificationFailed{Slot: slot, Verification: "v1", Attempt: 4},
			projections.ContactPending, "", &projections.PendingContact{
				Contact: sealedValue[string](anna, "one"), Type: securityinfo.Mobile, Channel: domain.SMS, Verification: "v1",
				ExpiresAt: expires, AttemptsLeft: 1,
			},
		},
		{
			"code ran out",
			securityinfo.ContactVerificationExpired{Slot: slot, Verification: "v1"},
			projections.ContactPending, "", &projections.PendingContact{
				Contact: sealedValue[string](anna, "one"), Type: securityinfo.Mobile, Channel: domain.SMS, AttemptsLeft: 5,
			},
		},
		{"verified", verified(slot, "one"), projections.ContactVerified, "one", nil},
		{"changed", changed("two", "v2"), projections.ContactChangePending, "one", &projections.PendingContact{
			Type: securityinfo.Mobile, Channel: domain.SMS, Verification: "v2", AttemptsLeft: 5,
		}},
		{"withdrawn", securityinfo.ContactChangeWithdrawn{Slot: slot, Verification: "v2"}, projections.ContactVerified, "one", nil},
		{"changed again", changed("three", "v3"), projections.ContactChangePending, "one", &projections.PendingContact{
			Type: securityinfo.Mobile, Channel: domain.SMS, Verification: "v3", AttemptsLeft: 5,
		}},
		{"verified again", verified(slot, "three"), projections.ContactVerified, "three", nil},
	} {
		db.apply(h.then(anna, step.event))
		s, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, month)
		if err != nil || len(s.Contacts) != 1 {
			t.Fatalf("%s: %+v, %v", step.name, s, err)
		}
		want := domain.Personal[string]{}
		if step.verified != "" {
			want = sealedValue[string](anna, step.verified)
		}
		c := s.Contacts[0]
		if c.Status != step.status || !cmp.Equal(c.Verified, want) || s.Recovery.Ready != (step.verified != "") {
			t.Errorf("%s: status %s, verified %s, ready %t, want %s, %q", step.name, c.Status, c.Verified.Sealed, s.Recovery.Ready, step.status, step.verified)
		}
		if d := cmp.Diff(step.pending, c.Pending); d != "" {
			t.Errorf("%s: pending (-want +got):\n%s", step.name, d)
		}
	}
}

// TestI6SharedAddressesAreFlagged shows the flag on both accounts of the
// organization, on none of another, and no longer than both addresses count.
func TestI6SharedAddressesAreFlagged(t *testing.T) {
	t.Parallel()
	db := open(t, projections.SecurityInfo)
	const email = securityinfo.SlotAlternateEmail
	in := func(mac string) []any {
		v := verified(email, "x")
		v.EmailMAC = mac
		return []any{securityinfo.AlternateEmailAdded{Email: sealedValue[string](anna, "x"), Verification: "v", At: start}, v}
	}
	ours, theirs, dora := established(northwind), established(contoso), id(2, 9)
	for person, mac := range map[string]string{anna: "m1", bo: "m1", cleo: "m2"} {
		ours.then(person, admin.EmployeeAdded{Tenant: northwind})
		for _, e := range in(mac) {
			ours.then(person, e)
		}
	}
	theirs.then(dora, admin.EmployeeAdded{Tenant: contoso})
	for _, e := range in("m1") {
		theirs.then(dora, e)
	}
	db.apply(ours.events...)
	db.apply(theirs.events...)
	flags := func(why string, owner string, want map[string]bool) {
		t.Helper()
		list, _, err := projections.RecoveryReadiness(t.Context(), db, owner, month, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.SharedEmail != want[r.AdminID] {
				t.Errorf("I6: %s: %s shares an address = %v, want %v", why, r.AdminID, r.SharedEmail, want[r.AdminID])
			}
			s, err := projections.SecurityInfoOf(t.Context(), db, owner, r.AdminID, month)
			if err != nil || len(s.Contacts) > 0 && s.Contacts[0].Shared != want[r.AdminID] || s.Recovery.SharedEmail != want[r.AdminID] {
				t.Errorf("I6: %s: %+v, %v, want shared = %v", why, s, err, want[r.AdminID])
			}
		}
	}
	flags("in use", northwind, map[string]bool{anna: true, bo: true})
	flags("another organization's", contoso, nil)
	db.apply(ours.then(bo, securityinfo.AlternateEmailRemoved{At: start}))
	flags("one of them removed", northwind, nil)
	db.apply(ours.then(bo, securityinfo.ContactChangeUndone{Slot: email, Contact: sealedValue[string](bo, "x"), VerifiedAt: start, At: start, EmailMAC: "m1"}))
	flags("and come back", northwind, map[string]bool{anna: true, bo: true})
}

// month is when these tests look: whatever cools down has done so.
var month = start.AddDate(0, 1, 0)

// established is the history of an organization with a domain of its own.
func established(id string) *history {
	h := startHistory(id)
	h.then(id, tenant.TenantRegistered{Name: "Northwind", Country: "SE", Currency: "SEK", Locale: "sv", Domain: "northwind.example"})
	h.then(id, tenant.DomainVerified{Domain: "northwind.se"})
	return h
}

func TestRecoveryReadiness(t *testing.T) {
	t.Parallel()
	admins := []domain.Role{domain.BillingAdmin}
	phone, email := securityinfo.SlotMobile, securityinfo.SlotAlternateEmail
	for i, c := range []struct {
		name     string
		roles    []domain.Role
		verified []securityinfo.Slot
		waiting  []securityinfo.Slot
		gate     securityinfo.Gate
		missing  []string
	}{
		{"nobody's contact", nil, nil, nil, securityinfo.GateOne, []string{"any"}},
		{"one of either kind", nil, []securityinfo.Slot{email}, nil, securityinfo.GateOne, []string{}},
		{"waiting counts for nothing", nil, nil, []securityinfo.Slot{phone, email}, securityinfo.GateOne, []string{"any"}},
		{"a role without contacts", admins, nil, nil, securityinfo.GateTwo, []string{"phone", "email"}},
		{"two phones are one kind", admins, []securityinfo.Slot{phone, securityinfo.SlotOffice}, nil, securityinfo.GateTwo, []string{"email"}},
		{"an address and a waiting phone", admins, []securityinfo.Slot{email}, []securityinfo.Slot{phone}, securityinfo.GateTwo, []string{"phone"}},
		{"both kinds", admins, []securityinfo.Slot{securityinfo.SlotOffice, email}, nil, securityinfo.GateTwo, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := established(northwind)
			h.then(anna, admin.EmployeeAdded{Tenant: northwind, Roles: c.roles})
			for _, slot := range append(c.verified, c.waiting...) {
				h.then(anna, securityinfo.PhoneMethodAdded{Slot: slot, Verification: "v", At: start})
				h.then(anna, requested(slot, string(slot), "v"))
			}
			for _, slot := range c.verified {
				h.then(anna, verified(slot, string(slot)))
			}
			db := open(t, projections.SecurityInfo)
			db.apply(h.events...)
			want := projections.Readiness{
				AdminID: anna, Gate: c.gate, Usable: append([]securityinfo.Slot{}, c.verified...),
				Ready: len(c.missing) == 0, Missing: c.missing,
			}
			rows, _, err := projections.RecoveryReadiness(t.Context(), db, northwind, month, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]projections.Readiness{want}, rows); d != "" {
				t.Errorf("case %d: RecoveryReadiness (-want +got):\n%s", i, d)
			}
			one, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, month)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, one.Recovery); d != "" {
				t.Errorf("case %d: SecurityInfoOf (-want +got):\n%s", i, d)
			}
		})
	}
}

func TestRecoveryGateFollowsRoles(t *testing.T) {
	t.Parallel()
	h := established(northwind)
	db := open(t, projections.SecurityInfo)
	db.apply(h.events...)
	gate := func(event any) securityinfo.Gate {
		t.Helper()
		db.apply(h.then(anna, event))
		s, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, month)
		if err != nil {
			t.Fatal(err)
		}
		return s.Recovery.Gate
	}
	if g := gate(admin.EmployeeAdded{Tenant: northwind}); g != securityinfo.GateOne {
		t.Errorf("without a role: gate %s, want one", g)
	}
	if g := gate(admin.RoleAssigned{Role: domain.Auditor}); g != securityinfo.GateTwo {
		t.Errorf("with a role: gate %s, want two", g)
	}
	if g := gate(admin.RoleRemoved{Role: domain.Auditor}); g != securityinfo.GateOne {
		t.Errorf("without the role: gate %s, want one", g)
	}
}

// A contact that no longer waits, or is no longer in use, is gone.
func TestNothingStaysBehind(t *testing.T) {
	t.Parallel()
	db := open(t, projections.SecurityInfo)
	db.apply(everything(northwind).events...)
	var left int
	err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM security_contacts
		WHERE waiting = 0 AND (pending IS NOT NULL OR pending_type <> '' OR verification <> '' OR expires_at <> 0 OR failures <> 0)
			OR verified_at = 0 AND verified IS NOT NULL`).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d rows, %v, hold what was withdrawn or removed", left, err)
	}
}

// A version that was put off asks for nothing more yet.
func TestRecoveryGateFollowsPostponements(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	h.then(northwind, tenant.TenantRegistered{Name: "Northwind", Country: "SE", Domain: "northwind.example"})
	h.then(anna, admin.EmployeeAdded{Tenant: northwind, Roles: []domain.Role{domain.Auditor}})
	name := securityinfo.RecoveryPolicy.Name
	for _, c := range []struct {
		event any
		want  securityinfo.Gate
	}{
		{policyversion.PolicyVersionPublished{Name: name, Version: 2, EffectiveAt: month.AddDate(0, 0, -1), Rules: json.RawMessage(`{}`)}, securityinfo.GateTwo},
		{policyversion.PolicyVersionPostponed{Name: "erasure", Version: 2, EffectiveAt: month.AddDate(0, 0, 6)}, securityinfo.GateTwo},
		{policyversion.PolicyVersionPostponed{Name: name, Version: 2, EffectiveAt: month.AddDate(0, 0, 6)}, securityinfo.GateOne},
	} {
		h.then(name, c.event)
		db := open(t, projections.SecurityInfo)
		db.apply(h.events...)
		s, err := projections.SecurityInfoOf(t.Context(), db, northwind, anna, month)
		if err != nil || s.Recovery.Gate != c.want {
			t.Errorf("I8: after %T: gate %s, %v, want %s", c.event, s.Recovery.Gate, err, c.want)
		}
	}
}
