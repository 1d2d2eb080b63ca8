package securityinfo_test

import (
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

func proof(change string) UndoContactChange {
	return UndoContactChange{Change: change, Proof: mac(UndoPurpose, change)}
}

func identityProvider() domain.Actor {
	return domain.Actor{ID: "idp", Kind: domain.KindIdentity, Tenant: "contoso"}
}

func TestUndo(t *testing.T) {
	t.Parallel()
	var (
		day     = 24 * time.Hour
		changed = history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), confirm(SlotMobile))
		change  = VerificationID("h2", SlotMobile)
		twice   = history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), confirm(SlotMobile),
			at(time.Hour, mobile(third)), at(time.Hour, ConfirmContactVerification{Slot: SlotMobile}))
		second  = VerificationID("h4", SlotMobile)
		mailed  = history(do(altMail(private)), confirm(SlotAlternateEmail), do(altMail(private2)), confirm(SlotAlternateEmail))
		remail  = VerificationID("h2", SlotAlternateEmail)
		removed = history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline)}), confirm(SlotMobile), confirm(SlotOffice), do(office("")))
		removal = RemovalID("h3", SlotOffice)
		lately  = func(d time.Duration) func(*world) { return func(w *world) { w.after, w.actor = d, identityProvider() } }
		phoneUp = func(slot Slot, change, contact, dropped string, now time.Time) ContactChangeUndone {
			e := ContactChangeUndone{
				Slot: slot, Change: change, By: "previous-contact", Contact: about(contact),
				VerifiedAt: start, UsableFrom: start.Add(day), At: now,
			}
			if slot == SlotAlternateEmail {
				e.EmailMAC = mac("alternate-email", contact)
			}
			if dropped != "" {
				e.Dropped = about(dropped)
			}
			return e
		}
		undone = phoneUp(SlotMobile, change, "+46701740605", "+46701740606", start)
		owner  = func(domains ...string) func(*world) {
			return func(w *world) { w.organization.Domains = append(w.organization.Domains, domains...) }
		}
		elsewhere = history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), confirm(SlotMobile), do(office(number)))
		proved    = history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), confirm(SlotMobile), do(office(number)), confirm(SlotOffice))
	)
	domaintest.Run(t, Aggregate, cases([]row{
		{name: "I7: the number before puts itself back", given: changed, when: proof(change), then: []Event{undone}},
		{name: "I7: through the identity provider, without signing in", given: changed, when: proof(change), in: lately(0), then: []Event{undone}},
		{name: "I7: a session of any age: the proof is what counts", given: changed, when: proof(change), in: func(w *world) { w.actor.AuthenticatedAt = start.Add(-day) }, then: []Event{undone}},
		{name: "I7: at the last moment", given: changed, when: proof(change), in: lately(3*day - time.Microsecond), then: []Event{
			phoneUp(SlotMobile, change, "+46701740605", "+46701740606", start.Add(3*day-time.Microsecond)),
		}},
		{name: "I7: after three days", given: changed, when: proof(change), in: lately(3 * day), err: ErrUndoOver},
		{name: "I7: twice: it has been undone", given: append(changed, undone), when: proof(change), err: ErrUndone},
		{name: "I7: twice, when it would be too late", given: append(changed, undone), when: proof(change), in: lately(4 * day), err: ErrUndone},
		{name: "I7: twice, with a wrong proof", given: append(changed, undone), when: UndoContactChange{change, strings.Repeat("0", 32)}, err: ErrUndoProof},
		{name: "I7: by Konto, for who follows the link", given: changed, when: proof(change), in: func(w *world) {
			w.actor = domain.Actor{ID: "undo-link", Kind: domain.KindSystem}
		}, then: []Event{undone}},
		{name: "I7: a proof in capitals", given: changed, when: UndoContactChange{change, strings.ToUpper(mac(UndoPurpose, change))}, then: []Event{undone}},
		{name: "I7: no proof", given: changed, when: UndoContactChange{Change: change}, err: ErrUndoProof},
		{name: "I7: a wrong proof", given: changed, when: UndoContactChange{change, strings.Repeat("0", 32)}, err: ErrUndoProof},
		{name: "I7: the proof of another change", given: twice, when: UndoContactChange{change, mac(UndoPurpose, second)}, err: ErrUndoProof},
		{name: "I7: a keyed hash for another purpose", given: changed, when: UndoContactChange{change, mac("command", change)}, err: ErrUndoProof},
		{name: "I7: half a proof", given: changed, when: UndoContactChange{change, mac(UndoPurpose, change)[:16]}, err: ErrUndoProof},
		{name: "I7: a change that is not there is answered as a wrong proof is", given: changed, when: UndoContactChange{"x", "y"}, err: ErrUndoProof},
		{name: "I7: a change that is not there, proved", given: changed, when: proof("x"), err: ErrUndoOver},
		{name: "I7: by the one whose session it is, without the proof", given: changed, when: UndoContactChange{Change: change, Proof: "mine"}, in: by(self()), err: ErrUndoProof},
		{name: "I7: the second of two changes", given: twice, when: proof(second), in: lately(time.Hour), then: []Event{ContactChangeUndone{
			Slot: SlotMobile, Change: second, By: "previous-contact", Contact: about("+46701740606"), Dropped: about("+46701740607"),
			VerifiedAt: start, UsableFrom: start.Add(day), At: start.Add(time.Hour),
		}}},
		{name: "I7: a second change does not take the first undo away", given: twice, when: proof(change), in: lately(time.Hour), then: []Event{
			phoneUp(SlotMobile, change, "+46701740605", "+46701740607", start.Add(time.Hour)),
		}},
		{name: "I7: the second is gone with the first", given: append(twice, undone), when: proof(second), in: lately(time.Hour), err: ErrUndoOver},
		{name: "I7: an address", given: mailed, when: proof(remail), then: []Event{phoneUp(SlotAlternateEmail, remail, private, private2, start)}},
		{name: "I7: a removal", given: removed, when: proof(removal), then: []Event{phoneUp(SlotOffice, removal, "+468123456", "", start)}},
		{name: "I7: a removal of what only waited", given: history(do(mobile(number)), do(mobile(""))), when: proof(RemovalID("h1", SlotMobile)), err: ErrUndoOver},
		{name: "I7: a first contact takes nobody's place", given: both(), when: proof(VerificationID("h0", SlotMobile)), err: ErrUndoOver},
		{name: "I7: a change that waits is no change yet", given: history(do(mobile(number)), confirm(SlotMobile), do(mobile(other))), when: proof(VerificationID("h2", SlotMobile)), err: ErrUndoOver},
		{name: "S3: an address that has become the organization's", given: mailed, when: proof(remail), in: owner("home.example"), err: ErrTenantEmail},
		{name: "S3: an address that has become the account's", given: mailed, when: proof(remail), in: func(w *world) { w.account.Aliases = []string{private} }, err: ErrAccountEmail},
		{name: "I7: the number waits in another slot: it is withdrawn there", given: elsewhere, when: proof(change), then: []Event{
			PhoneMethodRemoved{Slot: SlotOffice, Withdrawn: VerificationID("h4", SlotOffice), At: start}, undone,
		}},
		{name: "S2: the number is in use in another slot", given: proved, when: proof(change), err: ErrSamePhone},
		{name: "I7: no account", given: changed, when: proof(change), in: func(w *world) { w.account = Account{} }, err: ErrNoAccount},
		{name: "I7: another tenant's account", given: changed, when: proof(change), in: func(w *world) { w.account.Tenant = "fabrikam" }, err: ErrNoAccount},
	}))
}

func TestUndoWindowIsAPolicy(t *testing.T) {
	t.Parallel()
	changing := history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)))
	c := ConfirmContactVerification{Slot: SlotMobile, Code: code(verification(fold(changing), SlotMobile))}
	for hours, want := range map[int]time.Time{0: {}, 1: start.Add(time.Hour), 720: start.Add(720 * time.Hour)} {
		w := usual()
		w.terms.recovery.UndoHours = hours
		events, err := c.Decide(fold(changing), w.meta(c))
		if err != nil || len(events) != 1 || !events[0].(ContactVerified).UndoUntil.Equal(want) {
			t.Errorf("I7: with %d hours: %+v, %v, want until %v", hours, events, err, want)
		}
		remove := RemovePhoneMethod{SlotOffice}
		two := history(do(UpdateSecurityInfo{Mobile: new(number), Office: new(landline)}), confirm(SlotMobile), confirm(SlotOffice))
		events, err = remove.Decide(fold(two), w.meta(remove))
		if err != nil || !events[0].(PhoneMethodRemoved).UndoUntil.Equal(want) {
			t.Errorf("I7: removal with %d hours: %+v, %v, want until %v", hours, events, err, want)
		}
	}
}

func TestWhatUndoLeaves(t *testing.T) {
	t.Parallel()
	changed := history(do(mobile(number)), confirm(SlotMobile), do(mobile(other)), confirm(SlotMobile), do(mobile(third)))
	s := fold(append(changed, ContactChangeUndone{Slot: SlotMobile, Change: VerificationID("h2", SlotMobile), At: start}))
	if m := s.Mobile; m.Verified.Value.E164 != "+46701740605" || m.Waiting || len(m.Former) != 0 || !m.VerifiedAt.Equal(start) {
		t.Errorf("mobile = %+v, want the first number, verified when it was, and nothing waiting", m)
	}
	// An alternate mobile that came back without a mobile stands in no way.
	mobiles := history(do(UpdateSecurityInfo{Mobile: new(number), AlternateMobile: new(other), AlternateEmail: new(private)}),
		confirm(SlotMobile), confirm(SlotAlternateMobile), confirm(SlotAlternateEmail), do(altMob("")))
	s = fold(append(mobiles, PhoneMethodRemoved{Slot: SlotMobile, At: start},
		ContactChangeUndone{Slot: SlotAlternateMobile, Change: RemovalID("h4", SlotAlternateMobile), At: start}))
	if !s.AlternateMobile.InUse() || s.Mobile.InUse() {
		t.Fatalf("%+v, want the alternate mobile back and no mobile", s)
	}
	c := AddPhoneMethod{SlotOffice, landline}
	if _, err := c.Decide(s, usual().meta(c)); err != nil {
		t.Errorf("S2: another slot is refused with %v", err)
	}
}
