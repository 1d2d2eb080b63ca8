package projections

import (
	"context"
	"database/sql"
	_ "embed"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/admin"
)

//go:embed admins.sql
var adminsSQL string

// Admins lists the people who work for a tenant, and their roles.
var Admins = Projection{
	Name: "admins", Version: 2,
	Tables: []string{"admins", "admin_roles", "admin_aliases"},
	Schema: adminsSQL,
	Handlers: []Handler{
		On(adminAdded), On(adminAliasAdded), On(adminRoleAssigned), On(adminRoleRemoved), On(adminDisplayNameChanged),
		On(adminRenamed), On(adminMailMoved), On(adminLanguageSwitched),
		On(adminBlocked), On(adminOffboarded), On(adminRestored), On(adminGone),
	},
}

// The statuses of an account: in use, and on its way out.
const (
	AdminActive     = "active"
	AdminBlocked    = string(admin.Blocked)
	AdminOffboarded = string(admin.Offboarded)
	AdminGone       = string(admin.Gone)
)

func adminAdded(ctx context.Context, tx Tx, e domain.Recorded[admin.EmployeeAdded]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO admins
		(tenant, admin_id, sign_in_name, display_name, locale, status, retained_until, added_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7, $8)
		ON CONFLICT (tenant, admin_id) DO NOTHING`,
		e.Tenant, e.ID, seal(e.Data.SignInName), seal(e.Data.DisplayName), e.Data.Locale, AdminActive, at(e.At), e.Revision)
	if err != nil {
		return err
	}
	for _, role := range e.Data.Roles {
		if err := addAdminRole(ctx, tx, e.Tenant, e.ID, role); err != nil {
			return err
		}
	}
	return nil
}

func adminAliasAdded(ctx context.Context, tx Tx, e domain.Recorded[admin.EmailAliasAdded]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO admin_aliases (tenant, admin_id, revision, email)
		VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, admin_id, revision) DO NOTHING`,
		e.Tenant, e.ID, e.Revision, seal(e.Data.Email))
	if err != nil {
		return err
	}
	return touchAdmin(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func adminRoleAssigned(ctx context.Context, tx Tx, e domain.Recorded[admin.RoleAssigned]) error {
	if err := addAdminRole(ctx, tx, e.Tenant, e.ID, e.Data.Role); err != nil {
		return err
	}
	return touchAdmin(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func adminRoleRemoved(ctx context.Context, tx Tx, e domain.Recorded[admin.RoleRemoved]) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM admin_roles WHERE tenant = $1 AND admin_id = $2 AND role = $3`,
		e.Tenant, e.ID, string(e.Data.Role))
	if err != nil {
		return err
	}
	return touchAdmin(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func adminDisplayNameChanged(ctx context.Context, tx Tx, e domain.Recorded[admin.DisplayNameChanged]) error {
	_, err := tx.ExecContext(ctx, `UPDATE admins SET display_name = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2`,
		e.Tenant, e.ID, seal(e.Data.DisplayName), at(e.At), e.Revision)
	return err
}

// adminRenamed puts the old name where the new one was among the aliases, or
// after them.
func adminRenamed(ctx context.Context, tx Tx, e domain.Recorded[admin.UserNameChanged]) error {
	_, err := tx.ExecContext(ctx, `UPDATE admins SET sign_in_name = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2`, e.Tenant, e.ID, seal(e.Data.New), at(e.At), e.Revision)
	if err != nil {
		return err
	}
	if e.Data.Alias == 0 {
		_, err = tx.ExecContext(ctx, `INSERT INTO admin_aliases (tenant, admin_id, revision, email)
			VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, admin_id, revision) DO NOTHING`,
			e.Tenant, e.ID, e.Revision, seal(e.Data.Old))
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE admin_aliases SET email = $3 WHERE tenant = $1 AND admin_id = $2 AND revision =
		(SELECT revision FROM admin_aliases WHERE tenant = $1 AND admin_id = $2 ORDER BY revision LIMIT 1 OFFSET $4)`,
		e.Tenant, e.ID, seal(e.Data.Old), e.Data.Alias-1)
	return err
}

func adminMailMoved(ctx context.Context, tx Tx, e domain.Recorded[admin.PrimaryEmailChanged]) error {
	_, err := tx.ExecContext(ctx, `UPDATE admins SET primary_email = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2`, e.Tenant, e.ID, seal(e.Data.New), at(e.At), e.Revision)
	return err
}

func adminLanguageSwitched(ctx context.Context, tx Tx, e domain.Recorded[admin.LanguageSwitched]) error {
	_, err := tx.ExecContext(ctx, `UPDATE admins SET locale = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND admin_id = $2`, e.Tenant, e.ID, e.Data.New, at(e.At), e.Revision)
	return err
}

func adminBlocked(ctx context.Context, tx Tx, e domain.Recorded[admin.EmployeeBlocked]) error {
	return adminMoved(ctx, tx, e.Tenant, e.ID, AdminBlocked, time.Time{}, e.At, e.Revision)
}

func adminOffboarded(ctx context.Context, tx Tx, e domain.Recorded[admin.EmployeeOffboarded]) error {
	return adminMoved(ctx, tx, e.Tenant, e.ID, AdminOffboarded, e.Data.RetainedUntil, e.At, e.Revision)
}

func adminRestored(ctx context.Context, tx Tx, e domain.Recorded[admin.EmployeeRestored]) error {
	return adminMoved(ctx, tx, e.Tenant, e.ID, AdminActive, time.Time{}, e.At, e.Revision)
}

func adminGone(ctx context.Context, tx Tx, e domain.Recorded[admin.EmployeeDataRetentionExpired]) error {
	return adminMoved(ctx, tx, e.Tenant, e.ID, AdminGone, time.Time{}, e.At, e.Revision)
}

func adminMoved(ctx context.Context, tx Tx, tenant, id, status string, until, t time.Time, revision int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE admins SET status = $3, retained_until = $4, updated_at = $5, revision = $6
		WHERE tenant = $1 AND admin_id = $2`, tenant, id, status, at(until), at(t), revision)
	return err
}

func addAdminRole(ctx context.Context, tx Tx, tenant, id string, role domain.Role) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO admin_roles (tenant, admin_id, role)
		VALUES ($1, $2, $3) ON CONFLICT (tenant, admin_id, role) DO NOTHING`, tenant, id, string(role))
	return err
}

func touchAdmin(ctx context.Context, tx Tx, tenant, id string, t time.Time, revision int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE admins SET updated_at = $3, revision = $4
		WHERE tenant = $1 AND admin_id = $2`, tenant, id, at(t), revision)
	return err
}

// AdminRow is a person's account.
type AdminRow struct {
	ID          string                  `json:"id"`
	SignInName  domain.Personal[string] `json:"signInName,omitzero"` // a mail address
	DisplayName domain.Personal[string] `json:"displayName,omitzero"`
	// PrimaryEmail is where mail goes; absent: to the sign-in name.
	PrimaryEmail domain.Personal[string]   `json:"primaryEmail,omitzero"`
	Aliases      []domain.Personal[string] `json:"aliases,omitempty"` // mail addresses; only [Admin] fills it
	Locale       string                    `json:"locale,omitzero"`   // BCP 47; empty: the organization's
	Roles        []domain.Role             `json:"roles"`
	Status       string                    `json:"status"` // [AdminActive], [AdminBlocked], [AdminOffboarded] or [AdminGone]
	// RetainedUntil is when a former employee's data goes, and with it the
	// last chance to restore the account.
	RetainedUntil time.Time `json:"retainedUntil,omitzero"`
	AddedAt       time.Time `json:"addedAt"`
	UpdatedAt     time.Time `json:"updatedAt"`
	Revision      int64     `json:"revision"` // of the stream, as far as it is in the row
}

const selectAdmin = `SELECT admin_id, sign_in_name, display_name, primary_email, locale, status, retained_until, added_at, updated_at, revision,
	(SELECT string_agg(r.role, ' ') FROM admin_roles r WHERE r.tenant = a.tenant AND r.admin_id = a.admin_id)
	FROM admins a WHERE tenant = $1`

// Admin returns one person's account. If there is none, it returns [sql.ErrNoRows].
func Admin(ctx context.Context, db DB, tenant, id string) (AdminRow, error) {
	a, err := scanAdmin(db.QueryRowContext(ctx, selectAdmin+` AND admin_id = $2`, tenant, id))
	if err != nil {
		return AdminRow{}, err
	}
	a.Aliases, err = all(ctx, db, scanAlias,
		`SELECT email FROM admin_aliases WHERE tenant = $1 AND admin_id = $2 ORDER BY revision`, tenant, id)
	return a, err
}

// AdminList returns the tenant's people in the order of their IDs, and the
// cursor of the next page or "". A cursor that is not one is an [ErrCursor].
func AdminList(ctx context.Context, db DB, tenant, cursor string, limit int) ([]AdminRow, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanAdmin, func(a AdminRow) []string { return []string{a.ID} },
		selectAdmin+` AND admin_id > $2 ORDER BY admin_id LIMIT $3`, tenant, key[0])
}

func scanAdmin(row scanner) (a AdminRow, err error) {
	var roles sql.NullString
	err = row.Scan(&a.ID, sealed[string]{&a.SignInName}, sealed[string]{&a.DisplayName}, sealed[string]{&a.PrimaryEmail}, &a.Locale, &a.Status,
		instant{&a.RetainedUntil}, instant{&a.AddedAt}, instant{&a.UpdatedAt}, &a.Revision, &roles)
	a.Roles = []domain.Role{}
	for r := range strings.FieldsSeq(roles.String) {
		a.Roles = append(a.Roles, domain.Role(r))
	}
	slices.Sort(a.Roles) // the databases promise no order
	return a, err
}

func scanAlias(row scanner) (email domain.Personal[string], err error) {
	err = row.Scan(sealed[string]{&email})
	return email, err
}
