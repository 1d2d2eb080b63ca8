package securityinfo_test

import (
	"errors"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

func addedPhone(slot Slot, raw string, channel domain.Channel) []Event {
	n := numbers["SE "+raw]
	contact := n.E164
	if n.Ext != "" {
		contact += ";ext=" + n.Ext
	}
	return []Event{
		PhoneMethodAdded{
			Slot: slot, Phone: phone(raw), Type: n.Type, Valid: n.Valid, MetadataVersion: "v1",
			Verification: VerificationID("c", slot), At: start,
		},
		asked(slot, channel, contact, 1, start, 10*time.Minute),
	}
}

func TestSetPhone(t *testing.T) {
	t.Parallel()
	var (
		verified = history(do(mobile(number)), confirm(SlotMobile))
		pending  = history(do(mobile(number)))
		changing = history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)))
	)
	changed := func(raw, supersedes string, attempt int) []Event {
		n := numbers["SE "+raw]
		return []Event{
			PhoneMethodChanged{
				PhoneMethodAdded: PhoneMethodAdded{
					Slot: SlotMobile, Phone: phone(raw), Type: n.Type, Valid: n.Valid, MetadataVersion: "v1",
					Verification: VerificationID("c", SlotMobile), Supersedes: supersedes, At: start,
				},
				Old: phone(number),
			},
			asked(SlotMobile, domain.SMS, n.E164, attempt, start, 10*time.Minute),
		}
	}
	superseded := addedPhone(SlotMobile, other, domain.SMS)
	superseded[0] = PhoneMethodAdded{
		Slot: SlotMobile, Phone: phone(other), Type: Mobile, Valid: true, MetadataVersion: "v1",
		Verification: VerificationID("c", SlotMobile), Supersedes: VerificationID("h0", SlotMobile), At: start,
	}
	superseded[1] = asked(SlotMobile, domain.SMS, "+46701740606", 2, start, 10*time.Minute)

	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S1: add a mobile", when: mobile(number), then: addedPhone(SlotMobile, number, domain.SMS)},
		{name: "S1: add a number that may be a mobile", when: mobile("+1 2015550123"), then: addedPhone(SlotMobile, "+1 2015550123", domain.SMS)},
		{name: "S1: add a possible number that no plan knows", when: mobile("+1 4251234567"), then: addedPhone(SlotMobile, "+1 4251234567", domain.SMS)},
		{name: "S1: add an office with extension", when: office("+1 5555551234x123"), then: addedPhone(SlotOffice, "+1 5555551234x123", domain.Voice)},
		{name: "S1: add an office landline", when: office(landline + " x12"), then: addedPhone(SlotOffice, landline+" x12", domain.Voice)},
		{name: "S1: the same number again", given: pending, when: mobile(number)},
		{name: "S1: the same number otherwise written", given: verified, when: mobile("+46 70 174 06 05")},
		{name: "S1: keep everything", given: verified, when: UpdateSecurityInfo{}},
		{name: "S1: change a verified mobile", given: verified, when: mobile(other), then: changed(other, "", 2)},
		{name: "S1: change a mobile that waits", given: pending, when: mobile(other), then: superseded},
		{name: "S1: change a change that waits", given: changing, when: mobile(third), then: changed(third, VerificationID("h2", SlotMobile), 3)},
		{name: "S1: a change that waits again", given: changing, when: mobile(other)},
		{
			name: "S1: back to the verified one", given: changing, when: mobile(number),
			then: []Event{ContactChangeWithdrawn{Slot: SlotMobile, Verification: VerificationID("h2", SlotMobile)}},
		},
		{name: "F2: an impossible number", when: mobile("112"), err: ErrPhoneNotPossible},
		{name: "F2: a mobile with extension", when: mobile(number + "x12"), err: ErrExtension},
		{name: "F2: an unknown mobile with extension", when: mobile("+1 5555551234x123"), err: ErrExtension},
		{name: "F2: a landline as mobile", when: mobile(landline), err: ErrPhoneType},
		{name: "F2: a premium number as mobile", when: mobile(premium), err: ErrPhoneType},
		{name: "F2: a premium number as office", when: office(premium), err: ErrPhoneType},
		{name: "S2: alternate before mobile", when: altMob(other), err: ErrNeedsMobile},
		{
			name: "S1: alternate with mobile", when: UpdateSecurityInfo{Mobile: new(number), AlternateMobile: new(landline)},
			then: append(addedPhone(SlotMobile, number, domain.SMS), addedPhone(SlotAlternateMobile, landline, domain.Voice)...),
		},
		{name: "S1: alternate after mobile", given: verified, when: altMob(landline), then: addedPhone(SlotAlternateMobile, landline, domain.Voice)},
		{name: "S2: alternate equal to mobile", given: verified, when: altMob(number), err: ErrSamePhone},
		{name: "S2: office equal to a mobile that waits", given: changing, when: office(other), err: ErrSamePhone},
		{name: "S1: another extension of a number", given: history(do(office(landline))), when: UpdateSecurityInfo{Mobile: new(number), AlternateMobile: new(landline + " x12")}, then: append(
			addedPhone(SlotMobile, number, domain.SMS), addedPhone(SlotAlternateMobile, landline+" x12", domain.Voice)...)},
		{name: "S1: no account", when: mobile(number), in: func(w *world) { w.account = Account{} }, err: ErrNoAccount},
		{name: "S1: an account of another tenant", when: mobile(number), in: func(w *world) { w.account.Tenant = "fabrikam" }, err: ErrNoAccount},
		{name: "S1: by an admin", when: mobile(number), in: by(globalAdmin()), then: addedPhone(SlotMobile, number, domain.SMS)},
	}))
}

func TestSetAlternateEmail(t *testing.T) {
	t.Parallel()
	added := []Event{
		AlternateEmailAdded{Email: about(private), Verification: VerificationID("c", SlotAlternateEmail), At: start},
		asked(SlotAlternateEmail, domain.Mail, private, 1, start, 24*time.Hour),
	}
	var (
		verified = history(do(altMail(private)), confirm(SlotAlternateEmail))
		changing = history(do(altMail(private)), confirm(SlotAlternateEmail), do(altMail(private2)))
		invalid  = append(verified, AlternateEmailInvalidated{Reason: BecameTenantAddress, Email: about(private), At: start})
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S3: add", when: altMail(private), then: added},
		{name: "S3: again", given: verified, when: altMail("ANN@Home.example")},
		{name: "S3: change", given: verified, when: altMail(private2), then: []Event{
			AlternateEmailChanged{
				AlternateEmailAdded: AlternateEmailAdded{Email: about(private2), Verification: VerificationID("c", SlotAlternateEmail), At: start},
				Old:                 about(private),
			},
			asked(SlotAlternateEmail, domain.Mail, private2, 2, start, 24*time.Hour),
		}},
		{
			name: "S3: back to the verified one", given: changing, when: altMail(private),
			then: []Event{ContactChangeWithdrawn{Slot: SlotAlternateEmail, Verification: VerificationID("h2", SlotAlternateEmail)}},
		},
		{name: "S3: a change that waits again", given: changing, when: altMail(private2)},
		{name: "S3: after it was invalidated", given: invalid, when: altMail(private2), then: []Event{
			AlternateEmailAdded{Email: about(private2), Verification: VerificationID("c", SlotAlternateEmail), At: start},
			asked(SlotAlternateEmail, domain.Mail, private2, 2, start, 24*time.Hour),
		}},
		{name: "S3: no address", when: altMail("ann"), err: ErrEmail},
		{name: "S3: the sign-in name", when: altMail("Ann@Contoso.example"), in: func(w *world) { w.organization.Domains = nil }, err: ErrAccountEmail},
		{name: "S3: an alias", when: altMail("ANN@old.example"), err: ErrAccountEmail},
		{name: "S3: in the tenant's domain", when: altMail("private@contoso.se"), err: ErrTenantEmail},
		{name: "S3: below the tenant's domain", when: altMail("private@mail.contoso.se"), err: ErrTenantEmail},
		{name: "S3: beside the tenant's domain", when: altMail("private@notcontoso.se"), then: []Event{
			AlternateEmailAdded{Email: about("private@notcontoso.se"), Verification: VerificationID("c", SlotAlternateEmail), At: start},
			asked(SlotAlternateEmail, domain.Mail, "private@notcontoso.se", 1, start, 24*time.Hour),
		}},
		{name: "S3: of somebody else", when: altMail(private), in: by(globalAdmin()), err: ErrOwnEmailOnly},
		{name: "S3: remove somebody else's", given: verified, when: altMail(""), in: by(globalAdmin()), err: ErrOwnEmailOnly},
		{name: "S3: by Konto", when: altMail(private), in: by(konto()), then: added},
	}))
}

func TestRemove(t *testing.T) {
	t.Parallel()
	var (
		one      = history(do(mobile(number)), confirm(SlotMobile))
		both     = history(do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotAlternateEmail))
		three    = history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotOffice), confirm(SlotAlternateEmail))
		phones   = history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline)}), confirm(SlotMobile), confirm(SlotOffice))
		mobiles  = history(do(UpdateSecurityInfo{Mobile: new(number), AlternateMobile: new(other), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotAlternateMobile), confirm(SlotAlternateEmail))
		waiting  = history(do(mobile(number)))
		oneMail  = history(do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotAlternateEmail))
		changing = history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline)}), confirm(SlotMobile), confirm(SlotOffice), do(mobile(other)))
		lost     = append(both, AlternateEmailInvalidated{Reason: BecameTenantAddress, Email: about(private), At: start})
		lost2    = append(three, AlternateEmailInvalidated{Reason: BecameTenantAddress, Email: about(private), At: start})
	)
	plain := func(w *world) { w.account.Roles = nil }
	gone := func(slot Slot, raw string) []Event {
		return []Event{goneFrom(slot, PhoneMethodRemoved{Old: phone(raw), At: start})}
	}
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "I1: what is not there", given: one, when: altMob(" ")},
		{name: "I1: the last", given: one, when: mobile(""), err: ErrLastMethod},
		{name: "I1: the last, of an account without roles", given: one, when: mobile(""), in: plain, err: ErrLastMethod},
		{name: "I1: all", given: both, when: UpdateSecurityInfo{Mobile: new(""), AlternateEmail: new("")}, in: plain, err: ErrLastMethod},
		{name: "I1: the last while another waits", given: oneMail, when: altMail(""), err: ErrLastMethod},
		{name: "I1: the last, with another set", given: one, when: UpdateSecurityInfo{Mobile: new(""), AlternateEmail: new(private)}, err: ErrLastMethod},
		{name: "I1: one of two kinds", given: both, when: altMail(""), err: ErrSecondKind},
		{name: "I1: the other of two kinds", given: both, when: mobile(""), err: ErrSecondKind},
		{
			name: "I1: one of two kinds, without roles", given: both, when: altMail(""), in: plain,
			then: []Event{AlternateEmailRemoved{
				Old: about(private), At: start, Change: RemovalID("c", SlotAlternateEmail), UndoUntil: start.Add(72 * time.Hour),
			}},
		},
		{name: "I1: a second phone", given: three, when: office(""), then: gone(SlotOffice, landline)},
		{name: "I1: one of two phones that were all there ever was", given: phones, when: office(""), then: gone(SlotOffice, landline)},
		{name: "I1: a second phone without a usable address", given: lost2, when: office(""), err: ErrSecondKind},
		{name: "I1: the last after the address was invalidated", given: lost, when: mobile(""), err: ErrLastMethod},
		{name: "I1: the address after it was invalidated", given: lost, when: altMail("")},
		{
			name: "I1: what waits", given: waiting, when: mobile(""),
			then: []Event{PhoneMethodRemoved{Slot: SlotMobile, Withdrawn: VerificationID("h0", SlotMobile), At: start}},
		},
		{name: "I1: what is verified and what waits", given: changing, when: mobile(""), then: []Event{
			goneFrom(SlotMobile, PhoneMethodRemoved{Old: phone(number), Withdrawn: VerificationID("h3", SlotMobile), At: start}),
		}},
		{name: "S2: the mobile under an alternate", given: mobiles, when: mobile(""), err: ErrNeedsMobile},
		{name: "I1: the alternate mobile", given: mobiles, when: altMob(""), then: gone(SlotAlternateMobile, other)},
	}))
}

func TestEverythingWrongIsListed(t *testing.T) {
	t.Parallel()
	c := UpdateSecurityInfo{Mobile: new("112"), AlternateMobile: new(premium), Office: new(premium), AlternateEmail: new("ann@contoso.se")}
	events, err := c.Decide(SecurityInfo{}, usual().meta(c))
	sum, ok := errors.AsType[*domain.Error](err)
	if !ok || len(events) > 0 {
		t.Fatalf("Decide = %v, %v, want a refusal and no events", events, err)
	}
	got := map[string]string{}
	for _, cause := range sum.Causes {
		got[cause.Pointer] = cause.Code
	}
	want := map[string]string{
		"/mobile": "phone-not-possible", "/alternateMobile": "phone-type-not-allowed",
		"/office": "phone-type-not-allowed", "/alternateEmail": "alternate-email-in-tenant-domain",
	}
	for pointer, code := range want {
		if got[pointer] != code {
			t.Errorf("refusal at %s = %q, want %q", pointer, got[pointer], code)
		}
	}
	if sum.Kind != domain.KindInvalid || len(sum.Causes) != len(want) {
		t.Errorf("%d problems of kind %d, want %d of kind %d", len(sum.Causes), sum.Kind, len(want), domain.KindInvalid)
	}
}

func TestErasedContactIsNoFault(t *testing.T) {
	t.Parallel()
	gone := domain.Personal[Phone]{Subject: "ann", Erased: true}
	erased := []Event{
		PhoneMethodAdded{Slot: SlotMobile, Phone: gone, Type: Mobile, Verification: "v", At: start},
		ContactVerificationRequested{
			Verification: "v", Slot: SlotMobile, Channel: domain.SMS, Contact: domain.Personal[string]{Subject: "ann", Erased: true},
			Attempt: 1, At: start, ExpiresAt: start.Add(time.Minute),
		},
	}
	inUse := append(erased, ContactVerified{Slot: SlotMobile, Verification: "v", Contact: domain.Personal[string]{Subject: "ann", Erased: true}, At: start})
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "I2: ask for a code", given: erased, when: RequestContactVerification{Slot: SlotMobile}, in: later(time.Hour), err: ErrErased},
		{name: "I2: confirm", given: erased, when: ConfirmContactVerification{Slot: SlotMobile, Code: code("v")}, then: []Event{counting(ContactVerified{
			Slot: SlotMobile, Verification: "v", Contact: domain.Personal[string]{Subject: "ann", Erased: true}, At: start,
		})}},
		{name: "I2: remove", given: inUse, when: mobile(""), err: ErrLastMethod},
		{name: "I2: recheck", given: inUse, when: RecheckAlternateEmail{}},
	}))
}
