// Package securityinfo models how a person who lost their password can prove
// who they are: up to three phones and one mail address outside the
// organization, each of which counts only after a code sent to it came back.
//
// # What is guaranteed
//
// A contact that was never verified is used for nothing but its own code (I2).
// A changed contact waits beside the verified one, which stays in use until
// the new one has proved itself; a slot holds one waiting change, and setting
// it again supersedes that (I3). The last verified contact is replaced, never
// removed, and an account with a role keeps both kinds of contact once it had
// both (I1). So no global admin who could recover their account is made to
// lose that here, whoever asks and however many ask at once, and no
// organization its last one (I8): the rule needs to know nobody else. The
// alternate address is never one that the organization or the account itself
// controls (S3), or losing the account would lose it too.
//
// # Sharing
//
// Accounts may share a phone or an alternate address for recovery, as families
// and small offices do (I6). A number would have to be one account's alone for
// signing in by text message, which does not exist here. That an address in use
// recovers another account of the organization, too, is shown with it, since
// whoever has the mailbox has both; the organization's key keeps it from being
// told of accounts elsewhere.
//
// # One save, several events
//
// No event says that a page was saved. The events of a save are appended in
// one step and carry the command's ID in their metadata, with its name, who
// sent it, why and under which policies: an account's history shows them with
// it, so which save led to which events is answered without an event that
// would repeat it, and that no rule, reaction or read model would use. What was
// typed is kept with the command for back-tests; a refused save is recorded
// with the account's refusals.
//
// # Codes
//
// A code is a keyed function of its verification's ID ([domain.Meta].Code), so
// no event holds one. Three limits keep guessing hopeless ([CodePolicy]): five
// wrong codes end a verification, a code lives for minutes or a day, and a slot
// sends five codes per hour, however they are asked for.
//
// # Take-over
//
// Somebody who sits down at an open session cannot do much: a change asks for
// a recent sign-in (I5), a new contact recovers nothing for a day, and the
// contact that it took the place of may undo the change for three (I7), with a
// proof that only a message to it held. A second change does not take that
// away: undoing the first undoes the second, too.
//
// # Recovery
//
// A reset sends codes to contacts that are verified and past their cool-down.
// An account with a role needs a phone and the address (S4). Whoever starts a
// reset hears the same of an account that cannot be recovered as of one that
// can: the codes are sent afterwards, by Konto itself. One reset is open at a
// time, and completing it ends it, so it completes once.
//
// # What is not done here
//
// Whether the person may be somebody else is the permission table's to say;
// telling the other contacts of a change is a policy's. The password itself is
// the identity provider's.
package securityinfo

import (
	"time"

	"konto/domain"
)

// Event is a fact about a person's security info.
type Event = domain.Event[SecurityInfo]

// Meta is what a decision may know besides the security info and the command.
type Meta = domain.Meta

// Aggregate is the contract of security info, whose ID is the admin's. Wire
// names are for ever.
var Aggregate = domain.NewAggregate(
	"secinfo", "security-info",
	domain.Accepts[UpdateSecurityInfo]("UpdateSecurityInfo", domain.Summary("Set, change or remove the phones and the mail address that recover an account"), domain.CallerSaw()),
	domain.Accepts[AddPhoneMethod]("AddPhoneMethod", domain.Summary("Put a phone into an empty slot")),
	domain.Accepts[ChangePhoneMethod]("ChangePhoneMethod", domain.Summary("Put another phone into a slot; the one in use stays until the new one is verified"), domain.CallerSaw()),
	domain.Accepts[RemovePhoneMethod]("RemovePhoneMethod", domain.Summary("Empty a phone slot"), domain.CallerSaw()),
	domain.Accepts[AddAlternateEmail]("AddAlternateEmail", domain.Summary("Set an alternate mail address where there is none")),
	domain.Accepts[ChangeAlternateEmail]("ChangeAlternateEmail", domain.Summary("Set another alternate mail address; the one in use stays until the new one is verified"), domain.CallerSaw()),
	domain.Accepts[RemoveAlternateEmail]("RemoveAlternateEmail", domain.Summary("Remove the alternate mail address"), domain.CallerSaw()),
	domain.Accepts[RequestContactVerification]("RequestContactVerification", domain.Summary("Send a new code to a contact that waits to be verified")),
	domain.Accepts[ConfirmContactVerification]("ConfirmContactVerification", domain.Summary("Verify a contact with the code that was sent to it"), domain.NotKept(), domain.Guessable()),
	domain.Accepts[ExpireContactVerification]("ExpireContactVerification", domain.Summary("End a verification whose code ran out"), domain.Internal()),
	domain.Accepts[UndoContactChange]("UndoContactChange", domain.Summary("Put a contact back that was changed or removed, with the proof that was sent to it"), domain.NotKept()),
	domain.Accepts[ReconfirmSecurityInfo]("ReconfirmSecurityInfo", domain.Summary("Say that all contacts in use are still right")),
	domain.Accepts[RequestReconfirmation]("RequestReconfirmation", domain.Summary("Ask the person whether their contacts are still right"), domain.Internal()),
	domain.Accepts[StartPasswordReset]("StartPasswordReset", domain.Summary("Begin to recover an account; codes go to its contacts, if it can be recovered")),
	domain.Accepts[SendRecoveryCodes]("SendRecoveryCodes", domain.Summary("Send the codes of a reset that has begun"), domain.Internal()),
	domain.Accepts[SubmitRecoveryCode]("SubmitRecoveryCode", domain.Summary("Prove the control of a contact with the code that was sent to it"), domain.NotKept(), domain.Guessable()),
	domain.Accepts[CompletePasswordReset]("CompletePasswordReset", domain.Summary("End a reset whose proofs are complete")),
	domain.Accepts[RecheckAlternateEmail]("RecheckAlternateEmail", domain.Summary("Drop an alternate address that has become the organization's own"), domain.Internal()),

	domain.Records[PhoneMethodAdded]("PhoneMethodAdded"),
	domain.Records[PhoneMethodChanged]("PhoneMethodChanged"),
	domain.Records[PhoneMethodRemoved]("PhoneMethodRemoved"),
	domain.Records[AlternateEmailAdded]("AlternateEmailAdded"),
	domain.Records[AlternateEmailChanged]("AlternateEmailChanged"),
	domain.Records[AlternateEmailRemoved]("AlternateEmailRemoved"),
	domain.Records[AlternateEmailInvalidated]("AlternateEmailInvalidated"),
	domain.Records[ContactChangeWithdrawn]("ContactChangeWithdrawn"),
	domain.Records[ContactVerificationRequested]("ContactVerificationRequested"),
	domain.Records[ContactVerified]("ContactVerified"),
	domain.Records[ContactVerificationFailed]("ContactVerificationFailed"),
	domain.Records[ContactVerificationExpired]("ContactVerificationExpired"),
	domain.Records[ContactChangeUndone]("ContactChangeUndone"),
	domain.Records[SecurityInfoReconfirmed]("SecurityInfoReconfirmed"),
	domain.Records[ReconfirmationPostponed]("ReconfirmationPostponed"),
	domain.Records[ReconfirmationRequested]("ReconfirmationRequested"),
	domain.Records[PasswordResetStarted]("PasswordResetStarted"),
	domain.Records[RecoveryCodeRequested]("RecoveryCodeRequested"),
	domain.Records[RecoveryProofAccepted]("RecoveryProofAccepted"),
	domain.Records[RecoveryProofRejected]("RecoveryProofRejected"),
	domain.Records[PasswordResetCompleted]("PasswordResetCompleted"),
)

// requestSpan is the time in which codes are counted.
const requestSpan = time.Hour

// SecurityInfo is how a person can be reached to recover their account.
type SecurityInfo struct {
	Mobile          Method[Phone]  `json:"mobile,omitzero"`
	AlternateMobile Method[Phone]  `json:"alternateMobile,omitzero"`
	Office          Method[Phone]  `json:"office,omitzero"`
	AlternateEmail  Method[string] `json:"alternateEmail,omitzero"`
	// HadBothKinds says that a phone and the address were verified at one
	// time. From then on an account with a role keeps both (I1).
	HadBothKinds bool      `json:"hadBothKinds,omitempty"`
	UpdatedAt    time.Time `json:"updatedAt,omitzero"` // when a contact was last set, verified or removed
	// ConfirmedAt is when the contacts were last said to be right, or the first
	// was verified, and ReconfirmBy when that is asked again; zero for never.
	ConfirmedAt time.Time `json:"confirmedAt,omitzero"`
	ReconfirmBy time.Time `json:"reconfirmBy,omitzero"`
	Reset       Reset     `json:"reset,omitzero"` // the one that is open
	// Resets are the times of the resets that were begun within a day.
	Resets []time.Time `json:"resets,omitempty"`
	// Undone are the changes that were undone within a month.
	Undone []Undone `json:"undone,omitempty"`
}

// Method is one slot: the contact in use and the one that waits.
type Method[T any] struct {
	Verified   domain.Personal[T] `json:"verified,omitzero"` // in use
	VerifiedAt time.Time          `json:"verifiedAt,omitzero"`
	// UsableFrom is when the contact in use may first recover the account.
	UsableFrom time.Time          `json:"usableFrom,omitzero"`
	Pending    domain.Personal[T] `json:"pending,omitzero"` // waits for its code
	Challenge
	// Former are the contacts that were in use and may come back, oldest first.
	Former []Former[T] `json:"former,omitempty"`
}

// Former is a contact that was replaced or removed and may undo that.
type Former[T any] struct {
	Change     string             `json:"change"` // ID of the change that took it out of use
	Contact    domain.Personal[T] `json:"contact"`
	VerifiedAt time.Time          `json:"verifiedAt"`
	UsableFrom time.Time          `json:"usableFrom,omitzero"`
	Until      time.Time          `json:"until"`
}

// Challenge is the verification of the contact that waits in a slot.
type Challenge struct {
	Waiting      bool      `json:"waiting,omitempty"`      // a contact waits
	Verification string    `json:"verification,omitempty"` // its verification's ID; empty: its code ran out
	ExpiresAt    time.Time `json:"expiresAt,omitzero"`     // zero: its code ran out
	Failures     int       `json:"failures,omitempty"`     // wrong codes so far
	Tries        int       `json:"tries,omitempty"`        // wrong codes that end the verification; 0 is [CodePolicy]'s first
	// Requests are the times of the codes sent in the last hour, also for
	// contacts that the slot no longer has.
	Requests []time.Time `json:"requests,omitempty"`
}

// Phone is a phone number.
type Phone struct {
	E164 string `json:"e164"`          // such as "+46701740605"
	Ext  string `json:"ext,omitempty"` // digits, dialled after the call is answered
	Raw  string `json:"raw,omitempty"` // as it was typed
}

// String returns p as RFC 3966 writes it, without the scheme.
func (p Phone) String() string {
	if p.E164 == "" || p.Ext == "" {
		return p.E164
	}
	return p.E164 + ";ext=" + p.Ext
}

// Slot names a method.
type Slot string

// The slots, and the field of [UpdateSecurityInfo] that each is set by.
const (
	SlotMobile          Slot = "mobile"
	SlotAlternateMobile Slot = "alternateMobile"
	SlotOffice          Slot = "office"
	SlotAlternateEmail  Slot = "alternateEmail"
)

// Slots are all slots, in the order of the page.
func Slots() []Slot { return []Slot{SlotMobile, SlotAlternateMobile, SlotOffice, SlotAlternateEmail} }

// Channel returns how a code travels to the slot: text messages reach the
// mobile only, other phones are called (S2).
func (s Slot) Channel() domain.Channel {
	switch s {
	case SlotMobile:
		return domain.SMS
	case SlotAlternateMobile, SlotOffice:
		return domain.Voice
	default:
		return domain.Mail
	}
}

func (s Slot) pointer() string { return "/" + string(s) }

// InUse reports whether the slot has a verified contact.
func (m Method[T]) InUse() bool { return !m.VerifiedAt.IsZero() }

// isSet reports whether the slot has any contact.
func (m Method[T]) isSet() bool { return m.InUse() || m.Waiting }

// Ready reports whether a verified phone and a verified address are in use.
func (s SecurityInfo) Ready() bool { return s.phones() > 0 && s.AlternateEmail.InUse() }

// phones returns how many verified phones are in use.
func (s SecurityInfo) phones() int {
	n := 0
	for _, m := range []Method[Phone]{s.Mobile, s.AlternateMobile, s.Office} {
		if m.InUse() {
			n++
		}
	}
	return n
}

// usable returns how many verified contacts are in use.
func (s SecurityInfo) usable() int {
	if s.AlternateEmail.InUse() {
		return s.phones() + 1
	}
	return s.phones()
}

// phone returns the phone in slot, or nil.
func (s *SecurityInfo) phone(slot Slot) *Method[Phone] {
	switch slot {
	case SlotMobile:
		return &s.Mobile
	case SlotAlternateMobile:
		return &s.AlternateMobile
	case SlotOffice:
		return &s.Office
	default:
		return nil
	}
}

// challenge returns the verification of slot, or nil.
func (s *SecurityInfo) challenge(slot Slot) *Challenge {
	if slot == SlotAlternateEmail {
		return &s.AlternateEmail.Challenge
	}
	if m := s.phone(slot); m != nil {
		return &m.Challenge
	}
	return nil
}
