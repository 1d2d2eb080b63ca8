// Package subject models what becomes of a person's data as a whole: that they
// asked for its erasure, that a legal hold keeps it, that it was erased, and
// that it was handed out to them. The ID is the person's: what was sealed about
// them can be read with their keys alone, so erasing them is destroying those
// (GDPR Art. 17), while events, positions and proofs stay.
//
// # The way of an erasure
//
// A request waits some days, so that a mistake can be taken back. Then the
// person is told, at addresses that can still be read, and an hour later the
// keys go: [SubjectKeyDestroyed] is the decision, from which there is no way
// back, [ErasureCertified] the evidence that it was carried out. A legal hold
// stops the way at any moment before the decision, and the end of the last hold
// lets it go on.
//
// Data that is kept for a former employee only until a time is erased after it
// without anybody's asking, by the same way: there is nothing left to be taken
// back, so the request does not wait, but a hold stops it (S13). From then
// on nobody takes an erasure back: what is kept longer than it may be would stay
// for ever.
//
// A request is about one departure. Somebody who comes back while it waits is
// not erased: their return takes the request back, and who leaves again is
// erased only if somebody asks again.
//
// # What is not guaranteed
//
// Whoever was shown a value before may have kept it. Backups of the key file
// have to be thrown away as the operator's manual says.
package subject

import (
	"fmt"
	"slices"
	"time"

	"konto/domain"
)

// Event is a fact about a subject.
type Event = domain.Event[Subject]

// Meta is what a decision may know besides the subject and the command.
type Meta = domain.Meta

// Aggregate is the subject's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"subject", "subjects",
	domain.Accepts[RequestErasure]("RequestErasure", domain.Summary("Ask for everything that is kept about a person to be made unreadable")),
	domain.Accepts[WithdrawErasure]("WithdrawErasure", domain.Summary("Take a request for erasure back, while it waits")),
	domain.Accepts[PlaceLegalHold]("PlaceLegalHold", domain.Summary("Keep a person's data readable for a legal case")),
	domain.Accepts[ReleaseLegalHold]("ReleaseLegalHold", domain.Summary("End a legal hold")),
	domain.Accepts[ExportSubjectData]("ExportSubjectData", domain.Summary("Take a copy of what is kept about a person: recorded first, then to be fetched")),
	domain.Accepts[StartErasure]("StartErasure", domain.Summary("Begin an erasure whose time has come"), domain.Internal()),
	domain.Accepts[DestroySubjectKey]("DestroySubjectKey", domain.Summary("Decide that the keys go"), domain.Internal()),
	domain.Accepts[CertifyErasure]("CertifyErasure", domain.Summary("Record the evidence that the keys are gone"), domain.Internal()),

	domain.Records[ErasureRequested]("ErasureRequested"),
	domain.Records[ErasureWithdrawn]("ErasureWithdrawn"),
	domain.Records[ErasureBlocked]("ErasureBlocked"),
	domain.Records[ErasureStarted]("ErasureStarted"),
	domain.Records[SubjectKeyDestroyed]("SubjectKeyDestroyed"),
	domain.Records[ErasureCertified]("ErasureCertified"),
	domain.Records[LegalHoldPlaced]("LegalHoldPlaced"),
	domain.Records[LegalHoldReleased]("LegalHoldReleased"),
	domain.Records[SubjectDataExported]("SubjectDataExported"),
)

// Subject is how far an erasure has come, and what keeps it.
type Subject struct {
	Status      Status    `json:"status,omitempty"`
	DueAt       time.Time `json:"dueAt,omitzero"`       // when the erasure may begin
	KeysGoAt    time.Time `json:"keysGoAt,omitzero"`    // once it has begun
	Offboarding string    `json:"offboarding,omitzero"` // which end of the account was asked about
	DestroyedAt time.Time `json:"destroyedAt,omitzero"` // of the decision
	Holds       []Hold    `json:"holds,omitempty"`
	Export      Export    `json:"export,omitzero"` // the latest
}

// Export is a copy of the data that somebody takes.
type Export struct {
	To string    `json:"to"` // a person's ID
	At time.Time `json:"at"`
}

// Hold is a legal hold in force.
type Hold struct {
	Reference string    `json:"reference"` // of the legal case
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until,omitzero"` // zero: until it is released
}

// Status is how far an erasure has come.
type Status string

// The statuses. A subject whose erasure nobody asked for has none.
const (
	StatusRequested Status = "requested"
	StatusStarted   Status = "started"   // the person has been told
	StatusDestroyed Status = "destroyed" // decided: no way back
	StatusCertified Status = "certified"
)

// held reports whether a hold is in force at a time.
func (s Subject) held(at time.Time) bool {
	return slices.ContainsFunc(s.Holds, func(h Hold) bool { return h.Until.IsZero() || at.Before(h.Until) })
}

// Begun reports whether an erasure goes on that only a hold stops, or is done.
func (s Subject) Begun() bool { return s.Status == StatusStarted || s.erased() }

func (s Subject) erased() bool { return s.Status == StatusDestroyed || s.Status == StatusCertified }

// Account is the fact of the account that a subject's ID names.
type Account struct {
	Exists bool
	Active bool // the person has not left
	// Gone says that the end of the time is recorded for which a leaver's data
	// is kept, and KeptUntil when that is, before it is recorded and after.
	Gone      bool
	KeptUntil time.Time
	// Offboarding is the ID of the end of a leaver's account: another departure
	// has another.
	Offboarding string
}

// over reports whether the time is over for which a leaver's data is kept.
func (a Account) over(at time.Time) bool {
	return a.Gone || !a.KeptUntil.IsZero() && !at.Before(a.KeptUntil)
}

// overtaken reports whether the person came back after the erasure was asked
// for, though they may have left again. What is no longer kept is past that.
func (s Subject) overtaken(a Account) bool {
	return a.Active || !a.Gone && s.Offboarding != "" && s.Offboarding != a.Offboarding
}

// Terms are the rules that may change. See [ErasurePolicy].
type Terms struct {
	WaitDays int `json:"waitDays"` // between a request and the erasure, 0 to 30
}

// Validate says what is wrong with t. GDPR Art. 12(3) gives one month.
func (t Terms) Validate() error {
	if t.WaitDays < 0 || t.WaitDays > 30 {
		return fmt.Errorf("waitDays is %d, want 0 to 30", t.WaitDays)
	}
	return nil
}

// ErasurePolicy says how long a request for erasure waits.
var ErasurePolicy = domain.Policy[Terms]{Name: "erasure", First: Terms{WaitDays: 7}}

// Rejections. N4 is the promise that erasure leaves replay and proofs valid.
var (
	ErrNotFound = domain.NotFound("subject-not-found", "there is no account of this person").
			ByRule("N4").Allowed("", domain.GlobalAdmin)
	ErrActive = domain.Conflict("account-active", "the account is in use: off-board the person first").
			ByRule("N4").Allowed("OffboardEmployee", domain.GlobalAdmin)
	ErrErased = domain.Conflict("already-erased", "the person's data was erased: nobody can read it, and nothing is added to it").
			ByRule("N4").Allowed("", domain.GlobalAdmin)
	ErrNothingToWithdraw = domain.Conflict("no-erasure-waits", "no erasure waits, or it has begun").
				ByRule("N4").Allowed("PlaceLegalHold", domain.GlobalAdmin)
	ErrKeptNoLonger = domain.Conflict("data-kept-no-longer", "the time is over for which the data is kept, so its erasure cannot be taken back; a legal hold keeps it for a legal case").
			ByRule("S13").Allowed("PlaceLegalHold", domain.GlobalAdmin, domain.Auditor)
	ErrReference = domain.Invalid("reference-invalid", "the reference is 1 to 64 letters of ASCII, digits and ./_-, and names no person").
			ByRule("N4").Allowed("", domain.GlobalAdmin).At("/reference")
	ErrHoldUntil = domain.Invalid("hold-until-passed", "a hold must end later than now").
			ByRule("N4").Allowed("", domain.GlobalAdmin).At("/until")
	ErrHoldUnknown = domain.Conflict("hold-not-found", "no hold with this reference is in force").
			ByRule("N4").Allowed("PlaceLegalHold", domain.GlobalAdmin)
)
