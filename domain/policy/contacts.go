package policy

import (
	"maps"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
)

func contactReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Whenever("send-contact-code", sendCode),
		domain.Whenever("expire-contact-verification", expireVerification),
		domain.Whenever("send-recovery-codes", sendRecoveryCodes),
		domain.Process("ask-to-reconfirm-contacts",
			domain.On(forgetful[securityinfo.ContactVerified], reconfirmVerified),
			domain.On(forgetful[securityinfo.SecurityInfoReconfirmed], reconfirmAgain),
			domain.On(forgetful[securityinfo.ReconfirmationPostponed], reconfirmLater),
		),
		domain.Process("tell-of-contact-change",
			domain.On(aggregateOf[securityinfo.ContactVerified], contactInUse),
			domain.On(aggregateOf[securityinfo.PhoneMethodRemoved], phoneGone),
			domain.On(aggregateOf[securityinfo.AlternateEmailRemoved], emailGone),
			domain.On(aggregateOf[securityinfo.AlternateEmailInvalidated], emailInvalid),
			domain.On(aggregateOf[securityinfo.ContactChangeUndone], contactBack),
		),
		domain.Process("recheck-alternate-emails",
			domain.On(tenantOf[securityinfo.AlternateEmailAdded], emailToCheck[securityinfo.AlternateEmailAdded]),
			domain.On(tenantOf[securityinfo.AlternateEmailChanged], emailToCheck[securityinfo.AlternateEmailChanged]),
			domain.On(tenantOf[securityinfo.AlternateEmailRemoved], nothingToCheck),
			domain.On(tenantOf[securityinfo.ContactVerified], recheckVerified),
			domain.On(tenantOf[securityinfo.ContactChangeUndone], recheckUndone),
			domain.On(tenantOf[admin.EmailAliasAdded], recheckAccount[admin.EmailAliasAdded]),
			domain.On(tenantOf[admin.UserNameChanged], recheckAccount[admin.UserNameChanged]),
			domain.On(tenantOf[tenant.DomainVerified], recheckTenant),
		),
	}
}

// codeSent is what contact_code shows. The code itself is derived from the
// verification when the message leaves.
type codeSent struct {
	Slot         securityinfo.Slot `json:"slot"`
	Channel      domain.Channel    `json:"channel"`
	Verification string            `json:"verification"`
	ExpiresAt    time.Time         `json:"expiresAt"`
}

// sendCode sends the code to the contact that has to prove itself, and to no
// other.
func sendCode(e domain.Recorded[securityinfo.ContactVerificationRequested]) []domain.Effect {
	return []domain.Effect{domain.Notice{
		To: e.ID, Address: e.Data.Contact, Channel: e.Data.Channel, Template: contactCode,
		Data: codeSent{e.Data.Slot, e.Data.Channel, e.Data.Verification, e.Data.ExpiresAt},
	}}
}

// late is how much after its time a verification is ended. A command that
// came too early would do nothing and not be sent again.
const late = time.Second

func expireVerification(e domain.Recorded[securityinfo.ContactVerificationRequested]) []domain.Effect {
	return []domain.Effect{domain.Dispatch{
		To:      e.ID,
		Command: securityinfo.ExpireContactVerification{Slot: e.Data.Slot, Verification: e.Data.Verification},
		After:   e.Data.ExpiresAt.Sub(e.Data.At) + late,
	}}
}

// sendRecoveryCodes is how a reset goes on: whether there is anything to send
// is decided apart from its start, so that the answer to that tells nobody.
func sendRecoveryCodes(e domain.Recorded[securityinfo.PasswordResetStarted]) []domain.Effect {
	return []domain.Effect{domain.Dispatch{To: e.ID, Command: securityinfo.SendRecoveryCodes{Reset: e.Data.Reset}}}
}

func reconfirmVerified(_ *nothing, e domain.Recorded[securityinfo.ContactVerified]) []domain.Effect {
	return askToReconfirm(e.ID, e.Data.At, e.Data.ReconfirmBy)
}

func reconfirmAgain(_ *nothing, e domain.Recorded[securityinfo.SecurityInfoReconfirmed]) []domain.Effect {
	return askToReconfirm(e.ID, e.Data.At, e.Data.DueAt)
}

func reconfirmLater(_ *nothing, e domain.Recorded[securityinfo.ReconfirmationPostponed]) []domain.Effect {
	return askToReconfirm(e.ID, e.Data.At, e.Data.DueAt)
}

func askToReconfirm(person string, at, due time.Time) []domain.Effect {
	if due.IsZero() {
		return nil
	}
	return []domain.Effect{domain.Dispatch{
		To: person, Command: securityinfo.RequestReconfirmation{DueAt: due}, After: due.Sub(at) + late,
	}}
}

// contacts is what tell-of-contact-change remembers of a person: the contacts
// in use. A removed phone is told through what is remembered here, since the
// event holds it in a form that is no address, sealed.
type contacts struct {
	InUse map[securityinfo.Slot]domain.Personal[string] `json:"inUse,omitempty"`
}

// contactChange is what security_contact_changed shows.
type contactChange struct {
	Slot   securityinfo.Slot `json:"slot"`
	Change string            `json:"change"` // "added", "changed" or "removed"
	At     time.Time         `json:"at"`
	// Undo is in the message to the contact that was in use before, and in no
	// other: with it comes the proof that it may be put back.
	Undo *undo `json:"undo,omitempty"`
}

// undo names a change that may be undone until a time.
type undo struct {
	Change string    `json:"change"`
	Until  time.Time `json:"until"`
}

func undoable(change string, until time.Time) *undo {
	if until.IsZero() {
		return nil
	}
	return &undo{change, until}
}

// contactInUse tells of a change when it takes effect. Until then the contact
// in use is unchanged, and nobody but the new contact hears anything (I3, I4).
func contactInUse(c *contacts, e domain.Recorded[securityinfo.ContactVerified]) []domain.Effect {
	change := "added"
	if !e.Data.Previous.IsZero() {
		change = "changed"
	}
	if c.InUse == nil {
		c.InUse = map[securityinfo.Slot]domain.Personal[string]{}
	}
	c.InUse[e.Data.Slot] = e.Data.Contact
	return c.tell(e.ID, turn{
		shown: contactChange{Slot: e.Data.Slot, Change: change, At: e.Data.At},
		old:   e.Data.Previous, fresh: e.Data.Contact, undo: undoable(e.Data.Verification, e.Data.UndoUntil),
	})
}

func phoneGone(c *contacts, e domain.Recorded[securityinfo.PhoneMethodRemoved]) []domain.Effect {
	return c.gone(e.ID, e.Data.Slot, e.Data.At, undoable(e.Data.Change, e.Data.UndoUntil))
}

func emailGone(c *contacts, e domain.Recorded[securityinfo.AlternateEmailRemoved]) []domain.Effect {
	return c.gone(e.ID, securityinfo.SlotAlternateEmail, e.Data.At, undoable(e.Data.Change, e.Data.UndoUntil))
}

// gone tells of a contact that was in use. One that never proved itself never
// counted, so its end is no change.
func (c *contacts) gone(person string, slot securityinfo.Slot, at time.Time, u *undo) []domain.Effect {
	old, inUse := c.InUse[slot]
	if !inUse {
		return nil
	}
	delete(c.InUse, slot)
	return c.tell(person, turn{shown: contactChange{Slot: slot, Change: "removed", At: at}, old: old, undo: u})
}

// turn is what there is to tell of one slot.
type turn struct {
	shown contactChange
	old   domain.Personal[string] // not in use any more; zero if nothing was
	fresh domain.Personal[string] // just proved itself; zero if nothing did
	undo  *undo                   // for the old contact's eyes
}

// tell tells the person at all contacts in use, and at the one that no longer
// is: whoever changed it without the owner's knowledge cannot keep that from
// them. A contact that just proved itself was told enough by its code, and may
// be a stranger's.
func (c *contacts) tell(person string, t turn) []domain.Effect {
	change := t.shown
	mail := domain.Notice{To: person, Channel: domain.Mail, Template: securityContactChanged, Data: change}
	if change.Slot.Channel() == domain.Mail {
		mail.Without = t.fresh
	}
	effects := []domain.Effect{mail}
	if _, mobile := c.InUse[securityinfo.SlotMobile]; mobile && change.Slot != securityinfo.SlotMobile {
		effects = append(effects, domain.Notice{To: person, Channel: domain.SMS, Template: securityContactChanged, Data: change})
	}
	if !t.old.IsZero() {
		before := change
		before.Undo = t.undo
		effects = append(effects, domain.Notice{
			To: person, Address: t.old, Channel: change.Slot.Channel(), Template: securityContactChanged, Data: before,
		})
	}
	// An effect's place in the list is part of its ID, so what is new is last.
	for _, slot := range []securityinfo.Slot{securityinfo.SlotAlternateMobile, securityinfo.SlotOffice} {
		if phone, inUse := c.InUse[slot]; inUse && slot != change.Slot {
			effects = append(effects, domain.Notice{
				To: person, Address: phone, Channel: slot.Channel(), Template: securityContactChanged, Data: change,
			})
		}
	}
	return effects
}

// contactBack tells of a contact that came back, as of any change. What had
// taken its place is told, too: it may have been the owner's.
func contactBack(c *contacts, e domain.Recorded[securityinfo.ContactChangeUndone]) []domain.Effect {
	if c.InUse == nil {
		c.InUse = map[securityinfo.Slot]domain.Personal[string]{}
	}
	change := "changed"
	if e.Data.Dropped.IsZero() {
		change = "added"
	}
	c.InUse[e.Data.Slot] = e.Data.Contact
	return c.tell(e.ID, turn{shown: contactChange{Slot: e.Data.Slot, Change: change, At: e.Data.At}, old: e.Data.Dropped})
}

// emailInvalid tells the person, and the address unless it never proved itself.
func emailInvalid(c *contacts, e domain.Recorded[securityinfo.AlternateEmailInvalidated]) []domain.Effect {
	effects := []domain.Effect{
		domain.Notice{To: e.ID, Channel: domain.Mail, Template: alternateEmailInvalidated, Data: nothing{}},
	}
	if e.Data.Waiting {
		return effects
	}
	delete(c.InUse, securityinfo.SlotAlternateEmail)
	return append(effects, domain.Notice{
		To: e.ID, Address: e.Data.Email, Channel: domain.Mail, Template: alternateEmailInvalidated, Data: nothing{},
	})
}

// checkable is what recheck-alternate-emails remembers of a tenant: whose
// security info has an alternate address.
type checkable struct {
	Admins map[string]bool `json:"admins,omitempty"`
}

func emailToCheck[E any](c *checkable, e domain.Recorded[E]) []domain.Effect {
	if c.Admins == nil {
		c.Admins = map[string]bool{}
	}
	c.Admins[e.ID] = true
	return nil
}

func nothingToCheck(c *checkable, e domain.Recorded[securityinfo.AlternateEmailRemoved]) []domain.Effect {
	delete(c.Admins, e.ID)
	return nil
}

// recheckVerified closes a gap: a domain that was verified after an address
// was looked at and before it was stored came too early for recheckTenant.
func recheckVerified(c *checkable, e domain.Recorded[securityinfo.ContactVerified]) []domain.Effect {
	if e.Data.Slot != securityinfo.SlotAlternateEmail {
		return nil
	}
	return c.recheck(e.ID)
}

// recheckUndone looks at an address that came back: the command's own look was
// at the domains of that moment.
func recheckUndone(c *checkable, e domain.Recorded[securityinfo.ContactChangeUndone]) []domain.Effect {
	if e.Data.Slot != securityinfo.SlotAlternateEmail {
		return nil
	}
	emailToCheck(c, e)
	return c.recheck(e.ID)
}

// recheckAccount looks at one person: their names and aliases count for their
// own account only.
func recheckAccount[E any](c *checkable, e domain.Recorded[E]) []domain.Effect {
	return c.recheck(e.ID)
}

func recheckTenant(c *checkable, _ domain.Recorded[tenant.DomainVerified]) []domain.Effect {
	return c.recheck(slices.Sorted(maps.Keys(c.Admins))...)
}

func (c *checkable) recheck(admins ...string) []domain.Effect {
	var effects []domain.Effect
	for _, id := range admins {
		if c.Admins[id] {
			effects = append(effects, domain.Dispatch{To: id, Command: securityinfo.RecheckAlternateEmail{}})
		}
	}
	return effects
}

// alwaysTwoGates are version 1's terms without its two exceptions.
func alwaysTwoGates() securityinfo.RecoveryTerms {
	terms := securityinfo.RecoveryPolicy.First
	terms.TrialDays, terms.OneGateWithoutDomain = 0, false
	return terms
}
