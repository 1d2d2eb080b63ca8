package projections

import (
	"context"
	_ "embed"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/securityinfo"
)

//go:embed security_info.sql
var securityInfoSQL string

// SecurityInfo lists how each person can be reached to recover their account,
// and whether that would be enough. A contact that was never verified is shown
// as waiting and counts for nothing (rule I2).
var SecurityInfo = Projection{
	Name: "security_info", Version: 4,
	Tables: []string{"security_contacts", "security_accounts", "security_roles", "security_tenants", "security_domains", "security_terms"},
	Schema: securityInfoSQL,
	Handlers: []Handler{
		On(recoveryAccountAdded), On(recoveryRoleAssigned), On(recoveryRoleRemoved),
		On(phoneAdded), On(phoneChanged), On(phoneRemoved),
		On(emailAdded), On(emailChanged), On(emailRemoved), On(emailInvalidated),
		On(changeWithdrawn), On(verificationRequested), On(contactVerified),
		On(verificationFailed), On(verificationExpired), On(changeUndone),
		On(infoReconfirmed), On(reconfirmPostponed), On(reconfirmRequested),
		On(infoSeen[securityinfo.PasswordResetStarted]), On(infoSeen[securityinfo.RecoveryCodeRequested]),
		On(infoSeen[securityinfo.RecoveryProofAccepted]), On(infoSeen[securityinfo.RecoveryProofRejected]),
		On(infoSeen[securityinfo.PasswordResetCompleted]),
		On(gateTenantRegistered), On(gateDomainVerified), On(gateTermsPublished), On(gateTermsPostponed),
	},
}

func recoveryAccountAdded(ctx context.Context, tx Tx, e domain.Recorded[admin.EmployeeAdded]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO security_accounts (tenant, admin_id, reconfirm_by, asked_at, revision)
		VALUES ($1, $2, 0, 0, -1) ON CONFLICT (tenant, admin_id) DO NOTHING`, e.Tenant, e.ID)
	if err != nil {
		return err
	}
	for _, role := range e.Data.Roles {
		if err := addRecoveryRole(ctx, tx, e.Tenant, e.ID, role); err != nil {
			return err
		}
	}
	return nil
}

func recoveryRoleAssigned(ctx context.Context, tx Tx, e domain.Recorded[admin.RoleAssigned]) error {
	return addRecoveryRole(ctx, tx, e.Tenant, e.ID, e.Data.Role)
}

func recoveryRoleRemoved(ctx context.Context, tx Tx, e domain.Recorded[admin.RoleRemoved]) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM security_roles WHERE tenant = $1 AND admin_id = $2 AND role = $3`,
		e.Tenant, e.ID, string(e.Data.Role))
	return err
}

func addRecoveryRole(ctx context.Context, tx Tx, tenant, id string, role domain.Role) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO security_roles (tenant, admin_id, role)
		VALUES ($1, $2, $3) ON CONFLICT (tenant, admin_id, role) DO NOTHING`, tenant, id, string(role))
	return err
}

func phoneAdded(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.PhoneMethodAdded]) error {
	d := e.Data
	return contactWaits(ctx, tx, slotKey{e.Tenant, e.ID, d.Slot}, e.Revision, d.At, string(d.Type), d.Verification)
}

func phoneChanged(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.PhoneMethodChanged]) error {
	d := e.Data
	return contactWaits(ctx, tx, slotKey{e.Tenant, e.ID, d.Slot}, e.Revision, d.At, string(d.Type), d.Verification)
}

func phoneRemoved(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.PhoneMethodRemoved]) error {
	u := undo{e.Data.Change, e.Data.UndoUntil}
	return contactRemoved(ctx, tx, slotKey{e.Tenant, e.ID, e.Data.Slot}, e.Revision, e.Data.At, u)
}

func emailAdded(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.AlternateEmailAdded]) error {
	k := slotKey{e.Tenant, e.ID, securityinfo.SlotAlternateEmail}
	return contactWaits(ctx, tx, k, e.Revision, e.Data.At, "", e.Data.Verification)
}

func emailChanged(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.AlternateEmailChanged]) error {
	k := slotKey{e.Tenant, e.ID, securityinfo.SlotAlternateEmail}
	return contactWaits(ctx, tx, k, e.Revision, e.Data.At, "", e.Data.Verification)
}

func emailRemoved(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.AlternateEmailRemoved]) error {
	u := undo{e.Data.Change, e.Data.UndoUntil}
	return contactRemoved(ctx, tx, slotKey{e.Tenant, e.ID, securityinfo.SlotAlternateEmail}, e.Revision, e.Data.At, u)
}

func emailInvalidated(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.AlternateEmailInvalidated]) error {
	k := slotKey{e.Tenant, e.ID, securityinfo.SlotAlternateEmail}
	if e.Data.Waiting {
		return contactWithdrawn(ctx, tx, k, e.Revision, e.Data.At)
	}
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET verified = NULL, verified_at = 0, usable_from = 0, invalidated = $4, updated_at = $5, revision = $6
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		k.tenant, k.admin, string(k.slot), e.Data.Reason, at(e.Data.At), e.Revision)
	return err
}

func changeWithdrawn(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ContactChangeWithdrawn]) error {
	return contactWithdrawn(ctx, tx, slotKey{e.Tenant, e.ID, e.Data.Slot}, e.Revision, e.At)
}

// verificationRequested is where the contact that waits comes from, in the one
// form that all slots share: it follows each change of a slot.
func verificationRequested(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ContactVerificationRequested]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET pending = $4, verification = $5, channel = $6, expires_at = $7, failures = 0, tries = $8, revision = $9
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		e.Tenant, e.ID, string(d.Slot), seal(d.Contact), d.Verification, string(d.Channel), at(d.ExpiresAt), d.Tries, e.Revision)
	return err
}

func contactVerified(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ContactVerified]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET verified = $4, verified_at = $5,
			verified_type = CASE WHEN waiting = 1 THEN pending_type ELSE verified_type END, invalidated = '',
			pending = NULL, pending_type = '', waiting = 0, verification = '', expires_at = 0, failures = 0,
			usable_from = $7, email_mac = $8, updated_at = $5, revision = $6
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		e.Tenant, e.ID, string(d.Slot), seal(d.Contact), at(d.At), e.Revision, at(d.UsableFrom), d.EmailMAC)
	if err != nil {
		return err
	}
	if err := undoable(ctx, tx, slotKey{e.Tenant, e.ID, d.Slot}, undo{d.Verification, d.UndoUntil}); err != nil {
		return err
	}
	if d.ReconfirmBy.IsZero() {
		return nil
	}
	return reconfirmBy(ctx, tx, e.Tenant, e.ID, d.ReconfirmBy)
}

func verificationFailed(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ContactVerificationFailed]) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts SET failures = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		e.Tenant, e.ID, string(e.Data.Slot), e.Data.Attempt, e.Revision)
	return err
}

// verificationExpired leaves the contact waiting, for a new code.
func verificationExpired(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ContactVerificationExpired]) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET verification = '', expires_at = 0, failures = 0, revision = $4
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		e.Tenant, e.ID, string(e.Data.Slot), e.Revision)
	return err
}

// slotKey names a row of security_contacts.
type slotKey struct {
	tenant, admin string
	slot          securityinfo.Slot
}

// contactWaits makes a contact wait in a slot, beside the one in use.
func contactWaits(ctx context.Context, tx Tx, k slotKey, revision int64, t time.Time, line, verification string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO security_contacts
		(tenant, admin_id, slot, verified, verified_at, verified_type, pending, pending_type, waiting,
		 verification, channel, expires_at, failures, tries, usable_from, undo_change, undo_until, email_mac, invalidated, updated_at, revision)
		VALUES ($1, $2, $3, NULL, 0, '', NULL, $4, 1, $5, '', 0, 0, 0, 0, '', 0, '', '', $6, $7)
		ON CONFLICT (tenant, admin_id, slot) DO UPDATE
		SET pending = NULL, pending_type = excluded.pending_type, waiting = 1,
			verification = excluded.verification, expires_at = 0, failures = 0,
			updated_at = excluded.updated_at, revision = excluded.revision`,
		k.tenant, k.admin, string(k.slot), line, verification, at(t), revision)
	return err
}

// contactWithdrawn leaves a slot with the contact in use alone.
func contactWithdrawn(ctx context.Context, tx Tx, k slotKey, revision int64, t time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET pending = NULL, pending_type = '', waiting = 0, verification = '', expires_at = 0, failures = 0,
			updated_at = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		k.tenant, k.admin, string(k.slot), at(t), revision)
	return err
}

// contactRemoved empties a slot. The row stays, to tell when and at which
// revision.
func contactRemoved(ctx context.Context, tx Tx, k slotKey, revision int64, t time.Time, u undo) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET verified = NULL, verified_at = 0, verified_type = '', pending = NULL, pending_type = '', waiting = 0,
			verification = '', expires_at = 0, failures = 0, usable_from = 0, invalidated = '', updated_at = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		k.tenant, k.admin, string(k.slot), at(t), revision)
	if err != nil {
		return err
	}
	return undoable(ctx, tx, k, u)
}

// undo is a change that the contact before it may undo, until a time.
type undo struct {
	change string
	until  time.Time
}

// undoable notes the last change of a slot that may be undone.
func undoable(ctx context.Context, tx Tx, k slotKey, u undo) error {
	if u.until.IsZero() {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts SET undo_change = $4, undo_until = $5
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`, k.tenant, k.admin, string(k.slot), u.change, at(u.until))
	return err
}

// changeUndone puts a contact back. What kind of line it is was known once and
// is not kept.
func changeUndone(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ContactChangeUndone]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE security_contacts
		SET verified = $4, verified_at = $5, verified_type = '', usable_from = $6, invalidated = '',
			pending = NULL, pending_type = '', waiting = 0, verification = '', expires_at = 0, failures = 0,
			undo_change = '', undo_until = 0, updated_at = $7, revision = $8, email_mac = $9
		WHERE tenant = $1 AND admin_id = $2 AND slot = $3`,
		e.Tenant, e.ID, string(d.Slot), seal(d.Contact), at(d.VerifiedAt), at(d.UsableFrom), at(d.At), e.Revision, d.EmailMAC)
	return err
}
