package securityinfo_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

// wrong is a code that no verification of these tests has.
func wrong(given []Event, slot Slot) string {
	right := code(verification(fold(given), slot))
	if right == "000000" {
		return "000001"
	}
	return "000000"
}

// failed returns given with n wrong codes for the mobile.
func failed(given []Event, n int) []Event {
	for i := range n {
		given = append(given, ContactVerificationFailed{
			Slot: SlotMobile, Verification: verification(fold(given), SlotMobile), Attempt: i + 1,
		})
	}
	return given
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	var (
		pending  = history(do(mobile(number)))
		v        = verification(fold(pending), SlotMobile)
		right    = code(v)
		changing = history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)))
		v2       = verification(fold(changing), SlotMobile)
		mail     = history(do(altMail(private)), confirm(SlotAlternateEmail), do(altMail(private2)))
		v3       = verification(fold(mail), SlotAlternateEmail)
		expired  = append(pending, ContactVerificationExpired{Slot: SlotMobile, Verification: v})
		again    = history(do(mobile(number)), at(2*time.Minute, RequestContactVerification{Slot: SlotMobile}))
		enter    = func(code string) ConfirmContactVerification {
			return ConfirmContactVerification{Slot: SlotMobile, Code: code}
		}
		verified = []Event{counting(ContactVerified{Slot: SlotMobile, Verification: v, Contact: about("+46701740605"), At: start})}
		failure  = func(n int) []Event {
			return []Event{ContactVerificationFailed{Slot: SlotMobile, Verification: v, Attempt: n}}
		}
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S6: right code", given: pending, when: enter(right), then: verified},
		{name: "S6: right code with space", given: pending, when: enter(" " + right[:3] + " " + right[3:]), then: verified},
		{name: "S6: right code with hyphen", given: pending, when: enter(right[:3] + "-" + right[3:]), then: verified},
		{name: "S6: right code of a change", given: changing, when: enter(code(v2)), then: []Event{replaced(ContactVerified{
			Slot: SlotMobile, Verification: v2, Contact: about("+46701740606"), Previous: about("+46701740605"), At: start,
		})}},
		{name: "S6: right code of a mail", given: mail, when: ConfirmContactVerification{Slot: SlotAlternateEmail, Code: code(v3)}, then: []Event{replaced(ContactVerified{
			Slot: SlotAlternateEmail, Verification: v3, Contact: about(private2), Previous: about(private), At: start, EmailMAC: mac("alternate-email", private2),
		})}},
		{name: "S6: code of the contact before", given: changing, when: enter(right), err: ErrWrongCode, then: []Event{
			ContactVerificationFailed{Slot: SlotMobile, Verification: v2, Attempt: 1},
		}},
		{name: "S6: code before it was asked for again", given: again, when: enter(right), err: ErrWrongCode, in: later(2 * time.Minute), then: []Event{
			ContactVerificationFailed{Slot: SlotMobile, Verification: verification(fold(again), SlotMobile), Attempt: 1},
		}},
		{name: "S6: wrong code", given: pending, when: enter(wrong(pending, SlotMobile)), err: ErrWrongCode, then: failure(1)},
		{name: "S6: fifth wrong code", given: failed(pending, 4), when: enter(wrong(pending, SlotMobile)), err: ErrWrongCode, then: failure(5)},
		{name: "S6: right code after four wrong ones", given: failed(pending, 4), when: enter(right), then: verified},
		{name: "S6: right code after five wrong ones", given: failed(pending, 5), when: enter(right), err: ErrTooManyAttempts},
		{name: "S6: wrong code after five wrong ones", given: failed(pending, 5), when: enter(wrong(pending, SlotMobile)), err: ErrTooManyAttempts},
		{name: "S6: letters", given: pending, when: enter("12345a"), err: ErrCodeForm},
		{name: "S6: five digits", given: pending, when: enter("12345"), err: ErrCodeForm},
		{name: "S6: other digits", given: pending, when: enter("١٢٣٤٥٦"), err: ErrCodeForm},
		{name: "S6: no code", given: pending, when: enter(""), err: ErrCodeForm},
		{name: "S6: at the last moment", given: pending, when: enter(right), in: later(10*time.Minute - time.Microsecond), then: []Event{
			counting(ContactVerified{Slot: SlotMobile, Verification: v, Contact: about("+46701740605"), At: start.Add(10*time.Minute - time.Microsecond)}),
		}},
		{name: "S6: too late", given: pending, when: enter(right), in: later(10 * time.Minute), err: ErrCodeExpired},
		{name: "S6: wrong and too late", given: pending, when: enter(wrong(pending, SlotMobile)), in: later(10 * time.Minute), err: ErrCodeExpired},
		{name: "S6: after it expired", given: expired, when: enter(right), err: ErrCodeExpired},
		{name: "S6: a mail after a day", given: mail, when: ConfirmContactVerification{Slot: SlotAlternateEmail, Code: code(v3)}, in: later(24 * time.Hour), err: ErrCodeExpired},
		{
			name: "S2: a number that another slot still has in use", when: ConfirmContactVerification{Slot: SlotOffice, Code: "000000"}, err: ErrSamePhone,
			given: history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), do(office(number))),
		},
		{name: "S6: twice", given: append(pending, verified...), when: enter(right), err: ErrNothingWaiting},
		{name: "S6: an empty slot", given: pending, when: ConfirmContactVerification{Slot: SlotOffice, Code: right}, err: ErrNothingWaiting},
		{name: "S6: an unknown slot", given: pending, when: ConfirmContactVerification{Slot: "fax", Code: right}, err: ErrSlot},
		{name: "S6: no security info", when: enter(right), err: ErrNotFound},
		{name: "I2: by an admin", given: pending, when: enter(right), in: by(globalAdmin()), err: ErrOwnCodeOnly},
	}))
}

func TestRequest(t *testing.T) {
	t.Parallel()
	ask := RequestContactVerification{Slot: SlotMobile}
	var (
		pending = history(do(mobile(number)))
		five    = history(do(mobile(number)), at(1*time.Minute, ask), at(2*time.Minute, ask), at(3*time.Minute, ask), at(4*time.Minute, ask))
		expired = append(pending, ContactVerificationExpired{Slot: SlotMobile, Verification: verification(fold(pending), SlotMobile)})
		minutes = func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{
			name: "S6: after a minute", given: pending, when: ask, in: later(time.Minute),
			then: []Event{asked(SlotMobile, domain.SMS, "+46701740605", 2, minutes(1), 10*time.Minute)},
		},
		{name: "S6: within a minute", given: pending, when: ask, in: later(time.Minute - time.Microsecond), err: ErrTooSoon},
		{
			name: "S6: after it expired", given: expired, when: ask, in: later(11 * time.Minute),
			then: []Event{asked(SlotMobile, domain.SMS, "+46701740605", 2, minutes(11), 10*time.Minute)},
		},
		{
			name: "S6: after five wrong codes", given: failed(pending, 5), when: ask, in: later(time.Minute),
			then: []Event{asked(SlotMobile, domain.SMS, "+46701740605", 2, minutes(1), 10*time.Minute)},
		},
		{name: "S6: a sixth within an hour", given: five, when: ask, in: later(time.Hour - time.Microsecond), err: ErrTooManyRequests},
		{
			name: "S6: a sixth after an hour", given: five, when: ask, in: later(time.Hour),
			then: []Event{asked(SlotMobile, domain.SMS, "+46701740605", 5, minutes(60), 10*time.Minute)},
		},
		{name: "S6: a sixth through a change", given: five, when: mobile(other), in: later(30 * time.Minute), err: ErrTooManyRequests},
		{
			name:  "S6: a sixth through removal",
			given: append(five, PhoneMethodRemoved{Slot: SlotMobile, At: minutes(5)}),
			when:  mobile(other), in: later(30 * time.Minute), err: ErrTooManyRequests,
		},
		{
			name: "S6: another slot meanwhile", given: five, when: office(landline), in: later(30 * time.Minute),
			then: []Event{
				PhoneMethodAdded{
					Slot: SlotOffice, Phone: phone(landline), Type: FixedLine, Valid: true, MetadataVersion: "v1",
					Verification: VerificationID("c", SlotOffice), At: minutes(30),
				},
				asked(SlotOffice, domain.Voice, "+468123456", 1, minutes(30), 10*time.Minute),
			},
		},
		{name: "S6: what is verified", given: history(do(mobile(number)), confirm(SlotMobile)), when: ask, in: later(time.Hour), err: ErrNothingWaiting},
		{name: "S6: an empty slot", given: pending, when: RequestContactVerification{Slot: SlotAlternateEmail}, err: ErrNothingWaiting},
		{name: "S6: an unknown slot", given: pending, when: RequestContactVerification{Slot: "fax"}, err: ErrSlot},
		{name: "S6: no security info", when: ask, err: ErrNotFound},
	}))
}

func TestExpire(t *testing.T) {
	t.Parallel()
	pending := history(do(mobile(number)))
	v := verification(fold(pending), SlotMobile)
	expire := ExpireContactVerification{Slot: SlotMobile, Verification: v}
	expired := []Event{ContactVerificationExpired{Slot: SlotMobile, Verification: v}}
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S6: when due", given: pending, when: expire, in: later(10 * time.Minute), then: expired},
		{name: "S6: too early", given: pending, when: expire, in: later(10*time.Minute - time.Microsecond)},
		{name: "S6: twice", given: append(pending, expired...), when: expire, in: later(time.Hour)},
		{name: "S6: when verified", given: history(do(mobile(number)), confirm(SlotMobile)), when: expire, in: later(time.Hour)},
		{name: "S6: when superseded", given: history(do(mobile(number)), do(mobile(other))), when: expire, in: later(time.Hour)},
		{name: "S6: an unknown slot", given: pending, when: ExpireContactVerification{Slot: "fax", Verification: v}, err: ErrSlot},
		{name: "S6: no security info", when: expire, err: ErrNotFound},
	}))
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	recheck := RecheckAlternateEmail{}
	var (
		verified = history(do(altMail(private)), confirm(SlotAlternateEmail))
		changing = history(do(altMail(private)), confirm(SlotAlternateEmail), do(altMail(private2)))
	)
	owns := func(domains ...string) func(*world) {
		return func(w *world) { w.actor, w.organization.Domains = konto(), append(w.organization.Domains, domains...) }
	}
	alias := func(address string) func(*world) {
		return func(w *world) { w.actor, w.account.Aliases = konto(), append(w.account.Aliases, address) }
	}
	lost := AlternateEmailInvalidated{Reason: "became_tenant_address", Email: about(private), At: start}
	waiting := AlternateEmailInvalidated{Reason: "became_tenant_address", Email: about(private2), Waiting: true, At: start}
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "S3: nothing changed", given: verified, when: recheck, in: by(konto())},
		{name: "S3: domain verified", given: verified, when: recheck, in: owns("home.example"), then: []Event{lost}},
		{name: "S3: alias added", given: verified, when: recheck, in: alias("ANN@home.example"), then: []Event{lost}},
		{name: "S3: twice", given: append(verified, lost), when: recheck, in: owns("home.example")},
		{name: "S3: the one that waits", given: changing, when: recheck, in: owns("away.example"), then: []Event{waiting}},
		{name: "S3: both", given: changing, when: recheck, in: owns("home.example", "away.example"), then: []Event{waiting, lost}},
		{name: "S3: no address", given: history(do(mobile(number))), when: recheck, in: owns("home.example")},
		{name: "S3: no security info", when: recheck, in: by(konto()), err: ErrNotFound},
	}))
}

func TestWhatRecheckLeaves(t *testing.T) {
	t.Parallel()
	changing := history(
		do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotAlternateEmail),
		do(altMail(private2)),
	)
	waiting := AlternateEmailInvalidated{Email: about(private2), Waiting: true, At: start}
	if m := fold(append(changing, waiting)).AlternateEmail; m.Verified.Value != private || !m.InUse() || m.Waiting || !m.Pending.IsZero() {
		t.Errorf("address = %+v, want the verified one in use and none waiting", m)
	}
	lost := AlternateEmailInvalidated{Email: about(private), At: start}
	if m := fold(append(changing, lost)).AlternateEmail; m.InUse() || !m.Verified.IsZero() || m.Pending.Value != private2 || !m.Waiting {
		t.Errorf("address = %+v, want none in use and the new one waiting", m)
	}
	// Losing the address does not forget that there were both kinds.
	s := fold(append(changing, lost, ContactVerified{Slot: SlotMobile, At: start}))
	if !s.HadBothKinds || s.Ready() {
		t.Errorf("had both kinds = %v, ready = %v, want true, false", s.HadBothKinds, s.Ready())
	}
}

func TestOldContactStaysInUse(t *testing.T) {
	t.Parallel()
	s := fold(history(do(mobile(number)), confirm(SlotMobile), do(mobile(other))))
	if s.Mobile.Verified.Value.E164 != "+46701740605" || s.Mobile.Pending.Value.E164 != "+46701740606" || !s.Mobile.InUse() {
		t.Errorf("mobile = %+v, want the old one in use and the new one waiting", s.Mobile)
	}
	s = fold(history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), confirm(SlotMobile)))
	if s.Mobile.Verified.Value.E164 != "+46701740606" || !s.Mobile.Pending.IsZero() || s.Mobile.Waiting {
		t.Errorf("mobile = %+v, want the new one in use and none waiting", s.Mobile)
	}
	s = fold(append(history(do(mobile(number)), confirm(SlotMobile), do(mobile(other))),
		ContactChangeWithdrawn{Slot: SlotMobile, Verification: "v"}))
	if s.Mobile.Verified.Value.E164 != "+46701740605" || s.Mobile.Waiting {
		t.Errorf("mobile = %+v, want the old one in use and none waiting", s.Mobile)
	}
}

func TestUnverifiedNeverCounts(t *testing.T) {
	t.Parallel()
	everything := UpdateSecurityInfo{Mobile: new(number), AlternateMobile: new(other), Office: new(landline), AlternateEmail: new(private)}
	s := fold(history(do(everything)))
	if s.Ready() || s.HadBothKinds || s.Mobile.InUse() || s.AlternateEmail.InUse() {
		t.Errorf("%+v counts contacts that only wait", s)
	}
	s = fold(history(do(everything), confirm(SlotOffice), confirm(SlotAlternateEmail)))
	if !s.Ready() || !s.HadBothKinds {
		t.Errorf("%+v does not count verified contacts", s)
	}
}

func TestRefusalTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	given := history(do(mobile(number)))
	c := ConfirmContactVerification{Slot: SlotMobile, Code: wrong(given, SlotMobile)}
	_, err := c.Decide(fold(failed(given, 2)), usual().meta(c))
	var refused *domain.Error
	if !errors.As(err, &refused) || refused.Facts["attemptsLeft"] != 2 {
		t.Errorf("Decide = %v, want two attempts left", err)
	}
	again := RequestContactVerification{Slot: SlotMobile}
	_, err = again.Decide(fold(given), usual().meta(again))
	if !errors.As(err, &refused) || refused.Facts["retryAt"] != start.Add(time.Minute) {
		t.Errorf("Decide = %v with %v, want a retry after a minute", err, refused.Facts)
	}
}

func TestVerificationID(t *testing.T) {
	t.Parallel()
	id := VerificationID("c", SlotMobile)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("VerificationID = %s, want a UUIDv8", id)
	}
	if id == VerificationID("c", SlotOffice) || id == VerificationID("d", SlotMobile) || id != VerificationID("c", SlotMobile) {
		t.Error("an ID must follow from command and slot, and from nothing else")
	}
}

// No event and no refusal may hold a code, whatever is done.
func TestNoEventHoldsACode(t *testing.T) {
	t.Parallel()
	events := history(
		do(UpdateSecurityInfo{Mobile: new(number), AlternateEmail: new(private)}), confirm(SlotMobile), confirm(SlotAlternateEmail),
		do(mobile(other)), at(time.Minute, RequestContactVerification{Slot: SlotMobile}),
		do(ConfirmContactVerification{Slot: SlotMobile, Code: "000000"}),
	)
	codes := []string{}
	for _, e := range events {
		if r, ok := e.(ContactVerificationRequested); ok {
			codes = append(codes, code(r.Verification))
		}
	}
	if len(codes) != 4 {
		t.Fatalf("%d codes were asked for, want 4", len(codes))
	}
	for _, e := range events {
		raw, err := Aggregate.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range codes {
			if strings.Contains(string(raw.Data), c) {
				t.Errorf("%s holds the code %s: %s", raw.Type, c, raw.Data)
			}
		}
	}
}
