package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
)

func verified(slot securityinfo.Slot, contact, previous domain.Personal[string]) securityinfo.ContactVerified {
	return securityinfo.ContactVerified{Slot: slot, Verification: "v", Contact: contact, Previous: previous, At: noon}
}

func contactChanged(slot, change string) object {
	return object{"slot": slot, "change": change, "at": noon}
}

func toldAt(channel domain.Channel, address domain.Personal[string], template string, data any) domain.Effect {
	return domain.Notice{To: "ann", Address: address, Channel: channel, Template: template, Data: data}
}

// butNew is Ann's mail, without the address that just became hers.
func butNew(template string, data any, fresh string) []domain.Effect {
	return []domain.Effect{domain.Notice{To: "ann", Without: about(fresh), Channel: domain.Mail, Template: template, Data: data}}
}

func TestContactCodes(t *testing.T) {
	requested := event("ann", securityinfo.ContactVerificationRequested{
		Verification: "v", Slot: securityinfo.SlotOffice, Channel: domain.Voice, Contact: about("+46812345;ext=7"),
		Attempt: 1, At: noon, ExpiresAt: noon.Add(10 * time.Minute),
	})
	run(t, []reactionCase{
		{
			name: "code goes to the contact that has to prove itself", reaction: "send-contact-code", when: requested,
			then: []domain.Effect{toldAt(domain.Voice, about("+46812345;ext=7"), "contact_code", object{
				"slot": "office", "channel": "voice", "verification": "v", "expiresAt": noon.Add(10 * time.Minute),
			})},
		},
		{
			name: "verification ends after its time", reaction: "expire-contact-verification", when: requested,
			then: []domain.Effect{domain.Dispatch{
				To: "ann", Command: securityinfo.ExpireContactVerification{Slot: "office", Verification: "v"},
				After: 10*time.Minute + time.Second,
			}},
		},
	})
}

func TestContactChanges(t *testing.T) {
	mobile := event("ann", verified(securityinfo.SlotMobile, about("+46701"), domain.Personal[string]{}))
	email := event("ann", verified(securityinfo.SlotAlternateEmail, about("a@home.example"), domain.Personal[string]{}))
	alternate := event("ann", verified(securityinfo.SlotAlternateMobile, about("+46703"), domain.Personal[string]{}))
	office := event("ann", verified(securityinfo.SlotOffice, about("+468;ext=7"), domain.Personal[string]{}))
	added, changed, removed := contactChanged("mobile", "added"), contactChanged("mobile", "changed"), contactChanged("mobile", "removed")
	const name, template = "tell-of-contact-change", "security_contact_changed"
	run(t, []reactionCase{
		{name: "mobile added", reaction: name, when: mobile, then: mail(template, added, "ann")},
		{
			name: "mobile replaced: the person and the old number, not the new one", reaction: name, given: []domain.Recorded[any]{mobile},
			when: event("ann", verified(securityinfo.SlotMobile, about("+46702"), about("+46701"))),
			then: append(mail(template, changed, "ann"), toldAt(domain.SMS, about("+46701"), template, changed)),
		},
		{
			name: "mobile removed", reaction: name, given: []domain.Recorded[any]{mobile, email},
			when: event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, Old: domain.About("ann", securityinfo.Phone{E164: "+46701"}), At: noon}),
			then: append(mail(template, removed, "ann"), toldAt(domain.SMS, about("+46701"), template, removed)),
		},
		{
			name: "mobile removed twice", reaction: name,
			given: []domain.Recorded[any]{mobile, event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, At: noon})},
			when:  event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, At: noon}),
		},
		{
			name: "mobile that never proved itself removed", reaction: name, given: []domain.Recorded[any]{email},
			when: event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, At: noon}),
		},
		{
			name: "office phone removed: called, and the mobile gets a text message", reaction: name,
			given: []domain.Recorded[any]{mobile, event("ann", verified(securityinfo.SlotOffice, about("+468"), domain.Personal[string]{}))},
			when:  event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotOffice, At: noon}),
			then: append(mail(template, contactChanged("office", "removed"), "ann"),
				domain.Notice{To: "ann", Channel: domain.SMS, Template: template, Data: contactChanged("office", "removed")},
				toldAt(domain.Voice, about("+468"), template, contactChanged("office", "removed"))),
		},
		{
			name: "I4: address replaced: the person and the old address, not the new one", reaction: name, given: []domain.Recorded[any]{mobile, email},
			when: event("ann", verified(securityinfo.SlotAlternateEmail, about("b@home.example"), about("a@home.example"))),
			then: append(butNew(template, contactChanged("alternateEmail", "changed"), "b@home.example"),
				domain.Notice{To: "ann", Channel: domain.SMS, Template: template, Data: contactChanged("alternateEmail", "changed")},
				toldAt(domain.Mail, about("a@home.example"), template, contactChanged("alternateEmail", "changed"))),
		},
		{
			name: "I4: address added: the person, not the new address", reaction: name, when: email,
			then: butNew(template, contactChanged("alternateEmail", "added"), "a@home.example"),
		},
		{
			name: "S5: address put back: the person there, too, and the one that goes", reaction: name, given: []domain.Recorded[any]{email},
			when: event("ann", securityinfo.ContactChangeUndone{
				Slot: securityinfo.SlotAlternateEmail, Contact: about("a@home.example"), Dropped: about("b@home.example"), At: noon,
			}),
			then: append(mail(template, contactChanged("alternateEmail", "changed"), "ann"),
				toldAt(domain.Mail, about("b@home.example"), template, contactChanged("alternateEmail", "changed"))),
		},
		{
			name: "S5: phones that are called hear of another contact", reaction: name, given: []domain.Recorded[any]{office, alternate},
			when: mobile,
			then: append(mail(template, added, "ann"),
				toldAt(domain.Voice, about("+46703"), template, added), toldAt(domain.Voice, about("+468;ext=7"), template, added)),
		},
		{
			name: "I4: a phone that just proved itself is not called", reaction: name, given: []domain.Recorded[any]{alternate},
			when: office,
			then: append(mail(template, contactChanged("office", "added"), "ann"),
				toldAt(domain.Voice, about("+46703"), template, contactChanged("office", "added"))),
		},
		{
			name: "S5: a phone that is no longer in use is not called", reaction: name,
			given: []domain.Recorded[any]{office, event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotOffice, At: noon})},
			when:  mobile,
			then:  mail(template, added, "ann"),
		},
		{
			name: "address removed after another was verified in its place", reaction: name,
			given: []domain.Recorded[any]{email, event("ann", verified(securityinfo.SlotAlternateEmail, about("b@home.example"), about("a@home.example")))},
			when:  event("ann", securityinfo.AlternateEmailRemoved{Old: about("b@home.example"), At: noon}),
			then: append(mail(template, contactChanged("alternateEmail", "removed"), "ann"),
				toldAt(domain.Mail, about("b@home.example"), template, contactChanged("alternateEmail", "removed"))),
		},
		{
			name: "another person's contacts are another's", reaction: name, given: []domain.Recorded[any]{mobile},
			when: event("bob", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, At: noon}),
		},
		{
			name: "address invalidated", reaction: name, given: []domain.Recorded[any]{email},
			when: event("ann", securityinfo.AlternateEmailInvalidated{Email: about("a@home.example"), At: noon}),
			then: append(mail("alternate_email_invalidated", object{}, "ann"),
				toldAt(domain.Mail, about("a@home.example"), "alternate_email_invalidated", object{})),
		},
		{
			name: "address invalidated that never proved itself: it hears nothing", reaction: name, given: []domain.Recorded[any]{email},
			when: event("ann", securityinfo.AlternateEmailInvalidated{Email: about("x@contoso.example"), Waiting: true, At: noon}),
			then: mail("alternate_email_invalidated", object{}, "ann"),
		},
		{
			name: "address removed after it was invalidated", reaction: name,
			given: []domain.Recorded[any]{email, event("ann", securityinfo.AlternateEmailInvalidated{Email: about("a@home.example"), At: noon})},
			when:  event("ann", securityinfo.AlternateEmailRemoved{At: noon}),
		},
	})
}

// A contact in the events is sealed when the reactor runs; it has to stay so.
func TestRememberedContactStaysSealed(t *testing.T) {
	t.Parallel()
	const form = `{"$sealed":{"k":"1","c":"AAAA"}}`
	var sealed domain.Personal[string]
	if err := json.Unmarshal([]byte(form), &sealed); err != nil {
		t.Fatal(err)
	}
	effects := play(t, "tell-of-contact-change",
		event("ann", verified(securityinfo.SlotMobile, sealed, domain.Personal[string]{})),
		event("ann", securityinfo.PhoneMethodRemoved{Slot: securityinfo.SlotMobile, At: noon}))
	if len(effects) != 2 {
		t.Fatalf("%d effects, want 2", len(effects))
	}
	if got := string(effects[1].(domain.Notice).Address.Sealed); got != form {
		t.Errorf("address = %s, want %s", got, form)
	}
}

func TestRecheckOfAlternateEmails(t *testing.T) {
	const name = "recheck-alternate-emails"
	recheck := func(people ...string) []domain.Effect {
		var effects []domain.Effect
		for _, p := range people {
			effects = append(effects, domain.Dispatch{To: p, Command: securityinfo.RecheckAlternateEmail{}})
		}
		return effects
	}
	elsewhere := event("zoe", securityinfo.AlternateEmailAdded{})
	elsewhere.Tenant = other
	given := []domain.Recorded[any]{
		event("cid", securityinfo.AlternateEmailAdded{}),
		event("ann", securityinfo.AlternateEmailAdded{}),
		event("bob", securityinfo.AlternateEmailChanged{}),
		event("dan", securityinfo.AlternateEmailAdded{}),
		event("dan", securityinfo.AlternateEmailRemoved{}),
		event("eva", securityinfo.PhoneMethodAdded{}),
		elsewhere,
	}
	run(t, []reactionCase{
		{name: "domain verified: everybody of the tenant who has one", reaction: name, given: given, when: event(own, tenant.DomainVerified{Domain: "x.example"}), then: recheck("ann", "bob", "cid")},
		{name: "domain verified, nobody has one", reaction: name, when: event(own, tenant.DomainVerified{Domain: "x.example"})},
		{name: "alias added: that account", reaction: name, given: given, when: event("bob", admin.EmailAliasAdded{}), then: recheck("bob")},
		{name: "alias added, no alternate address", reaction: name, given: given, when: event("dan", admin.EmailAliasAdded{})},
		{name: "address verified: once more", reaction: name, given: given, when: event("ann", verified(securityinfo.SlotAlternateEmail, about("a@home.example"), domain.Personal[string]{})), then: recheck("ann")},
		{name: "phone verified", reaction: name, given: given, when: event("ann", verified(securityinfo.SlotMobile, about("+46701"), domain.Personal[string]{}))},
	})
}
