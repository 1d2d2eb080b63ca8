package securityinfo

import "konto/domain"

// Rejections.
var (
	ErrNoAccount = domain.NotFound("admin-not-found", "there is no such account")
	ErrNotFound  = domain.NotFound("security-info-not-found", "the account has no security info yet").Allowed("UpdateSecurityInfo")
	ErrSlot      = domain.Invalid("slot-unknown", "the slot must be mobile, alternateMobile, office or alternateEmail").ByRule("S2").At("/slot")

	ErrPhoneNotPossible = domain.Invalid("phone-not-possible", "no phone number of its country looks like this; write it as +<country code> <number>").ByRule("F2")
	ErrPhoneType        = domain.Invalid("phone-type-not-allowed", "this kind of number cannot receive the code").ByRule("F2")
	ErrExtension        = domain.Invalid("phone-extension-not-allowed", "a mobile has no extension; text messages do not reach one").ByRule("F2")
	ErrSamePhone        = domain.Invalid("phone-already-used", "the number is in another slot; a second way to the same phone is no second way").ByRule("S2")
	ErrNeedsMobile      = domain.Conflict("mobile-required", "an alternate mobile needs a mobile").ByRule("S2").At("/alternateMobile")

	ErrEmail          = domain.Invalid("mail-address-invalid", "the address is not a valid mail address").ByRule("S3").At("/alternateEmail")
	ErrAccountEmail   = domain.Invalid("alternate-email-is-account-email", "the alternate address must not be one of the account's own").ByRule("S3").At("/alternateEmail")
	ErrTenantEmail    = domain.Invalid("alternate-email-in-tenant-domain", "the alternate address must not be in a domain of the organization").ByRule("S3").At("/alternateEmail")
	ErrOldSession     = domain.Forbidden("sign-in-too-old", "sign in again: contacts are changed soon after signing in only").ByRule("I5")
	ErrWeakSession    = domain.Forbidden("sign-in-too-weak", "sign in again with a further proof, such as a code or a security key: contacts are changed by who signed in surely enough only").ByRule("I5")
	ErrAdminsContacts = domain.Forbidden("contacts-of-an-admin", "the contacts of an account with a role are changed by itself and by those who look after admins").ByRule("S1")
	ErrAddressAlone   = domain.Forbidden("alternate-email-alone", "of other people's contacts, the alternate address of admins is all that this role changes").ByRule("S1")
	ErrOwnEmailOnly   = domain.Forbidden("alternate-email-own-only", "an alternate address is changed by the person it belongs to only").ByRule("S1").For(domain.WhoSelf).Allowed("AddPhoneMethod").At("/alternateEmail")

	ErrLastMethod = domain.Conflict("last-recovery-method", "the last verified contact can be replaced but not removed").ByRule("I1").Allowed("UpdateSecurityInfo")
	ErrSecondKind = domain.Conflict("last-recovery-method", "an account with a role keeps a verified phone and a verified address once it had both").ByRule("I1").Allowed("UpdateSecurityInfo")

	ErrNothingWaiting  = domain.Conflict("nothing-to-verify", "no contact waits to be verified in this slot").ByRule("S6").At("/slot").Allowed("UpdateSecurityInfo")
	ErrErased          = domain.Conflict("contact-erased", "the contact was erased").ByRule("S6").At("/slot").Allowed("UpdateSecurityInfo")
	ErrTooSoon         = domain.Conflict("verification-too-soon", "a code was sent a moment ago").ByRule("S6")
	ErrTooManyRequests = domain.Conflict("verification-too-many", "too many codes were sent within an hour").ByRule("S6")
	ErrOwnCodeOnly     = domain.Forbidden("verification-own-only", "a contact is verified by the person it belongs to only").ByRule("I2").For(domain.WhoSelf).Allowed("UpdateSecurityInfo")
	ErrCodeForm        = domain.Invalid("code-malformed", "a code has six digits").ByRule("S6").At("/code")
	ErrWrongCode       = domain.Conflict("wrong-code", "this is not the code that was sent").ByRule("S6").At("/code")
	ErrTooManyAttempts = domain.Conflict("too-many-attempts", "too many wrong codes; ask for a new one").ByRule("S6").Allowed("RequestContactVerification")
	ErrSlotSet         = domain.Conflict("slot-in-use", "there is a contact in the slot").ByRule("S2").At("/slot").Allowed("ChangePhoneMethod")
	ErrSlotEmpty       = domain.Conflict("slot-empty", "there is no contact in the slot").ByRule("S2").At("/slot").Allowed("AddPhoneMethod")
	ErrPhoneSlot       = domain.Invalid("slot-unknown", "the slot must be mobile, alternateMobile or office").ByRule("S2").At("/slot")
	ErrEmailSet        = domain.Conflict("slot-in-use", "there is an alternate address").ByRule("S2").Allowed("ChangeAlternateEmail")
	ErrEmailMissing    = domain.Conflict("slot-empty", "there is no alternate address").ByRule("S2").Allowed("AddAlternateEmail")

	ErrUndoProof   = domain.Forbidden("undo-proof-invalid", "this is not the proof that was sent to the contact").ByRule("I7").At("/proof")
	ErrUndoOver    = domain.Conflict("undo-over", "the change can no longer be undone").ByRule("I7").Allowed("UpdateSecurityInfo")
	ErrUndone      = domain.Conflict("undo-done", "the change has been undone").ByRule("I7")
	ErrReconfirm   = domain.Forbidden("reconfirm-own-only", "only the person they belong to knows whether contacts are still right").ByRule("I9").For(domain.WhoSelf).Allowed("UpdateSecurityInfo")
	ErrNoContact   = domain.Conflict("no-contact-in-use", "no contact is in use").ByRule("I9").Allowed("UpdateSecurityInfo")
	ErrResets      = domain.Conflict("reset-too-many", "too many resets were begun within a day").ByRule("S4")
	ErrNoReset     = domain.Conflict("reset-not-open", "no reset is open; begin one").ByRule("S4").Allowed("StartPasswordReset")
	ErrResetWrong  = domain.Conflict("too-many-attempts", "too many wrong codes; begin a new reset").ByRule("S4").Allowed("StartPasswordReset")
	ErrProof       = domain.Conflict("wrong-code", "this is not a code that was sent to this contact, or it has expired").ByRule("S4").At("/code")
	ErrMoreProofs  = domain.Conflict("proofs-missing", "too few contacts have been proven for this reset: enter a code that was sent to one that is not proven yet").ByRule("S4").Allowed("SubmitRecoveryCode")
	ErrResetMethod = domain.Invalid("slot-unknown", "each method must be mobile, alternateMobile, office or alternateEmail, and named once").ByRule("S4").At("/methods")

	ErrCodeExpired = domain.Conflict("code-expired", "the code has expired; ask for a new one").ByRule("S6").Allowed("RequestContactVerification")
)
