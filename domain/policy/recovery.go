package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
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
		domain.Process("review-recovery", append(following(func(r *roster) staffed { return r },
			domain.On(tenantOf[securityinfo.ContactVerified], reviewContacts[securityinfo.ContactVerified]),
			domain.On(tenantOf[securityinfo.ContactChangeUndone], reviewContacts[securityinfo.ContactChangeUndone]),
			domain.On(tenantOf[securityinfo.PhoneMethodRemoved], reviewContacts[securityinfo.PhoneMethodRemoved]),
			domain.On(tenantOf[securityinfo.AlternateEmailRemoved], reviewContacts[securityinfo.AlternateEmailRemoved]),
			domain.On(tenantOf[securityinfo.AlternateEmailInvalidated], reviewContacts[securityinfo.AlternateEmailInvalidated]),
			domain.On(tenantOf[tenant.DomainVerified], func(r *roster, e domain.Recorded[tenant.DomainVerified]) []domain.Effect {
				if !e.Data.TwoProofs {
					return nil
				}
				return reviewRecovery(0, e.Tenant, r.all()...)
			}),
		), // What people gain and lose is reviewed, too.
			domain.On(tenantOf[admin.EmployeeAdded], func(r *roster, e domain.Recorded[admin.EmployeeAdded]) []domain.Effect {
				return r.joins(e.Tenant, e.ID, timeToSettleIn, e.Data.Roles...)
			}),
			domain.On(tenantOf[admin.RoleAssigned], func(r *roster, e domain.Recorded[admin.RoleAssigned]) []domain.Effect {
				return r.joins(e.Tenant, e.ID, timeToSettleIn, e.Data.Role)
			}),
			domain.On(tenantOf[admin.EmployeeRestored], func(r *roster, e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
				return r.joins(e.Tenant, e.ID, 0, e.Data.Roles...)
			}),
			domain.On(tenantOf[admin.RoleRemoved], func(r *roster, e domain.Recorded[admin.RoleRemoved]) []domain.Effect {
				r.lose(e.ID, e.Data.Role)
				return reviewRecovery(0, e.Tenant, e.ID)
			}),
			domain.On(tenantOf[admin.EmployeeBlocked], func(r *roster, e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
				r.leave(e.ID)
				return reviewRecovery(0, e.Tenant, e.ID)
			}),
		)...),
		domain.Process("tell-of-recovery", following(func(r *roster) staffed { return r },
			domain.On(tenantOf[tenant.RecoveryGapFound], notReady),
			domain.On(tenantOf[securityinfo.PasswordResetCompleted], resetDone),
		)...),
	}
}

// timeToSettleIn is how long whoever is new in a role has to add contacts
// before anybody is told that they have not.
const timeToSettleIn = 24 * time.Hour

func (r *roster) joins(org, id string, after time.Duration, roles ...domain.Role) []domain.Effect {
	r.gain(id, roles...)
	if len(roles) == 0 {
		return nil
	}
	return reviewRecovery(after, org, id)
}

// reviewContacts looks again at somebody with a role whose contacts changed.
func reviewContacts[E any](r *roster, e domain.Recorded[E]) []domain.Effect {
	if len((*r)[e.ID]) == 0 {
		return nil
	}
	return reviewRecovery(0, e.Tenant, e.ID)
}

func reviewRecovery(after time.Duration, org string, people ...string) []domain.Effect {
	var effects []domain.Effect
	for _, id := range people {
		effects = append(effects, domain.Dispatch{To: org, Command: tenant.ReviewRecovery{AdminID: id}, After: after})
	}
	return effects
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

// notReady tells of somebody with a role who could not recover their account.
func notReady(r *roster, e domain.Recorded[tenant.RecoveryGapFound]) []domain.Effect {
	return tell(r.concerned(e.Data.AdminID), recoveryNotReady, func(person string) any {
		return struct {
			Missing          []string      `json:"missing"`
			Gate             recovery.Gate `json:"gate"`
			AdminID          string        `json:"adminId"`
			AdminIsRecipient bool          `json:"adminIsRecipient"`
		}{e.Data.Missing, e.Data.Gate, e.Data.AdminID, person == e.Data.AdminID}
	})
}

// resetDone tells the person, and of an account with a role the other global
// admins, too: a reset that nobody asked for is somebody taking it over.
func resetDone(r *roster, e domain.Recorded[securityinfo.PasswordResetCompleted]) []domain.Effect {
	people := []string{e.ID}
	if len((*r)[e.ID]) > 0 {
		people = r.concerned(e.ID)
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
func (r *roster) concerned(id string) []string {
	others := slices.DeleteFunc(r.with(domain.GlobalAdmin), func(other string) bool { return other == id })
	return append([]string{id}, others...)
}
