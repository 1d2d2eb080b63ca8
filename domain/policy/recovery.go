package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/securityinfo"
)

// The messages about recovery.
const (
	recoveryCode          = "recovery_code"
	recoveryNotReady      = "recovery_not_ready"
	lockoutForeseen       = "lockout_foreseen"
	adminResetDone        = "admin_reset_done"
	securityInfoReconfirm = "security_info_reconfirm"
)

func recoveryReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Whenever("send-recovery-code", sendRecoveryCode),
		domain.Whenever("remind-to-reconfirm-contacts", remindToReconfirm),
		domain.Process("tell-of-recovery", append(following(func(s *staff) staffed { return &s.Roles },
			domain.On(tenantOf[securityinfo.ContactVerified], func(s *staff, e domain.Recorded[securityinfo.ContactVerified]) []domain.Effect {
				s.use(e.ID, e.Data.Slot)
				return nil
			}),
			domain.On(tenantOf[securityinfo.ContactChangeUndone], func(s *staff, e domain.Recorded[securityinfo.ContactChangeUndone]) []domain.Effect {
				s.use(e.ID, e.Data.Slot)
				return nil
			}),
			domain.On(tenantOf[securityinfo.PhoneMethodRemoved], func(s *staff, e domain.Recorded[securityinfo.PhoneMethodRemoved]) []domain.Effect {
				return s.without(e.ID, e.Data.Slot)
			}),
			domain.On(tenantOf[securityinfo.AlternateEmailRemoved], func(s *staff, e domain.Recorded[securityinfo.AlternateEmailRemoved]) []domain.Effect {
				return s.without(e.ID, securityinfo.SlotAlternateEmail)
			}),
			domain.On(tenantOf[securityinfo.AlternateEmailInvalidated], addressLost),
			domain.On(tenantOf[securityinfo.PasswordResetCompleted], resetDone),
		), domain.On(tenantOf[admin.EmployeeRestored], func(s *staff, e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
			return s.back(e.ID, e.Data.Roles)
		}))...),
	}
}

// recoveryCodeSent is what recovery_code shows. The code itself is derived
// from the reset and the slot when the message leaves.
type recoveryCodeSent struct {
	Slot      securityinfo.Slot `json:"slot"`
	Reset     string            `json:"reset"`
	ExpiresAt time.Time         `json:"expiresAt"`
}

// sendRecoveryCode sends the code to the contact whose control it proves, and
// to no other.
func sendRecoveryCode(e domain.Recorded[securityinfo.RecoveryCodeRequested]) []domain.Effect {
	return []domain.Effect{domain.Notice{
		To: e.ID, Address: e.Data.Contact, Channel: e.Data.Channel, Template: recoveryCode,
		Data: recoveryCodeSent{e.Data.Slot, e.Data.Reset, e.Data.ExpiresAt},
	}}
}

func remindToReconfirm(e domain.Recorded[securityinfo.ReconfirmationRequested]) []domain.Effect {
	return tell([]string{e.ID}, securityInfoReconfirm, func(string) any {
		return struct {
			DueAt time.Time `json:"dueAt"`
		}{e.Data.DueAt}
	})
}

// staff is what tell-of-recovery remembers of a tenant: who has which roles,
// and which of their contacts are in use.
type staff struct {
	Roles roster                         `json:"roles,omitempty"`
	InUse map[string][]securityinfo.Slot `json:"inUse,omitempty"`
}

func (s *staff) use(id string, slot securityinfo.Slot) {
	if s.InUse == nil {
		s.InUse = map[string][]securityinfo.Slot{}
	}
	if !slices.Contains(s.InUse[id], slot) {
		s.InUse[id] = append(s.InUse[id], slot)
	}
}

// without tells of an account with a role that could be recovered and no
// longer can.
func (s *staff) without(id string, slot securityinfo.Slot) []domain.Effect {
	ready := securityinfo.Passed(securityinfo.GateTwo, s.InUse[id])
	if kept := slices.DeleteFunc(s.InUse[id], func(u securityinfo.Slot) bool { return u == slot }); len(kept) > 0 {
		s.InUse[id] = kept
	} else {
		delete(s.InUse, id)
	}
	if !ready || len(s.Roles[id]) == 0 || securityinfo.Passed(securityinfo.GateTwo, s.InUse[id]) {
		return nil
	}
	missing := "phone"
	if slot == securityinfo.SlotAlternateEmail {
		missing = string(slot)
	}
	return s.notReady(id, missing)
}

// back tells of somebody who has come back to their roles and could not
// recover the account: what they had before may be out of date, or never was.
func (s *staff) back(id string, roles []domain.Role) []domain.Effect {
	s.Roles.gain(id, roles...)
	var missing []string
	if !slices.ContainsFunc(s.InUse[id], func(u securityinfo.Slot) bool { return u != securityinfo.SlotAlternateEmail }) {
		missing = append(missing, "phone")
	}
	if !slices.Contains(s.InUse[id], securityinfo.SlotAlternateEmail) {
		missing = append(missing, string(securityinfo.SlotAlternateEmail))
	}
	if len(roles) == 0 || len(missing) == 0 {
		return nil
	}
	return s.notReady(id, missing...)
}

func (s *staff) notReady(id string, missing ...string) []domain.Effect {
	return tell(s.concerned(id), recoveryNotReady, func(person string) any {
		return struct {
			Missing          []string `json:"missing"`
			AdminID          string   `json:"adminId"`
			AdminIsRecipient bool     `json:"adminIsRecipient"`
		}{missing, id, person == id}
	})
}

func addressLost(s *staff, e domain.Recorded[securityinfo.AlternateEmailInvalidated]) []domain.Effect {
	if e.Data.Waiting {
		return nil
	}
	return s.without(e.ID, securityinfo.SlotAlternateEmail)
}

// resetDone tells the person, and of an account with a role the other global
// admins, too: a reset that nobody asked for is somebody taking it over.
func resetDone(s *staff, e domain.Recorded[securityinfo.PasswordResetCompleted]) []domain.Effect {
	people := []string{e.ID}
	if len(s.Roles[e.ID]) > 0 {
		people = s.concerned(e.ID)
	}
	return tell(people, adminResetDone, func(person string) any {
		return struct {
			AdminID          string    `json:"adminId"`
			At               time.Time `json:"at"`
			AdminIsRecipient bool      `json:"adminIsRecipient"`
		}{e.ID, e.Data.At, person == e.ID}
	})
}

// concerned returns the person first and then the other global admins, in an
// order that a replay repeats.
func (s *staff) concerned(id string) []string {
	others := slices.DeleteFunc(s.Roles.with(domain.GlobalAdmin), func(other string) bool { return other == id })
	return append([]string{id}, others...)
}
