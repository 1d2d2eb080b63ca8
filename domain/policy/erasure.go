package policy

import (
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/subject"
)

// The messages of an erasure.
const (
	erasureDone    = "erasure_done"
	erasureBlocked = "erasure_blocked"
)

func erasureReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Whenever("start-erasure", func(e domain.Recorded[subject.ErasureRequested]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: subject.StartErasure{}, After: e.Data.DueAt.Sub(e.Data.At) + late}}
		}),
		domain.Whenever("keep-data-of-returned", func(e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: subject.WithdrawErasure{}}}
		}),
		domain.Whenever("start-erasure-after-hold", func(e domain.Recorded[subject.LegalHoldReleased]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: subject.StartErasure{}}}
		}),
		domain.Whenever("start-erasure-when-hold-ends", holdEnds),
		domain.Whenever("destroy-subject-key", erasureStarts),
		domain.Whenever("certify-erasure", func(e domain.Recorded[subject.SubjectKeyDestroyed]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: subject.CertifyErasure{}}}
		}),
		domain.Whenever("tell-of-blocked-erasure", func(e domain.Recorded[subject.ErasureBlocked]) []domain.Effect {
			return []domain.Effect{domain.Notice{To: e.ID, Channel: domain.Mail, Template: erasureBlocked, Data: moment{e.Data.At}}}
		}),
	}
}

// moment is what a message shows that tells of no more than that something
// happened.
type moment struct {
	At time.Time `json:"at"`
}

// holdEnds lets an erasure go on when a hold ends by itself.
func holdEnds(e domain.Recorded[subject.LegalHoldPlaced]) []domain.Effect {
	if e.Data.Until.IsZero() {
		return nil
	}
	return []domain.Effect{domain.Dispatch{To: e.ID, Command: subject.StartErasure{}, After: e.Data.Until.Sub(e.Data.At) + late}}
}

// erasureStarts tells the person while there is an address to be read, and has
// the keys go after that.
func erasureStarts(e domain.Recorded[subject.ErasureStarted]) []domain.Effect {
	return []domain.Effect{
		domain.Notice{To: e.ID, Channel: domain.Mail, Template: erasureDone, Data: moment{e.Data.KeysGoAt}},
		domain.Dispatch{To: e.ID, Command: subject.DestroySubjectKey{}, After: e.Data.KeysGoAt.Sub(e.Data.At) + late},
	}
}
