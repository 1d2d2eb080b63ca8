package projections

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/organization"
	"konto/domain/postal"
)

//go:embed organization_profiles.sql
var organizationProfilesSQL string

// OrganizationProfiles shows what organizations say of themselves.
var OrganizationProfiles = Projection{
	Name: "organization_profiles", Version: 1,
	Tables: []string{"organization_profiles"},
	Schema: organizationProfilesSQL,
	Handlers: []Handler{
		On(profileUpdated), On(profileMoved), On(profileTechnicalContact), On(profileLanguage), On(profileContactEmail), On(profileInvoices),
	},
}

func profileUpdated(ctx context.Context, tx Tx, e domain.Recorded[organization.OrganizationProfileUpdated]) error {
	if slices.Contains(e.Data.Changed, "name") {
		if err := setProfile(ctx, tx, e.Tenant, "name", e.Data.Name, e.At, e.Revision); err != nil {
			return err
		}
	}
	if !slices.Contains(e.Data.Changed, "phone") {
		return nil
	}
	return setProfile(ctx, tx, e.Tenant, "phone", seal(e.Data.Phone), e.At, e.Revision)
}

func profileMoved(ctx context.Context, tx Tx, e domain.Recorded[organization.SoldToAddressChanged]) error {
	if err := setProfile(ctx, tx, e.Tenant, "address", seal(e.Data.New), e.At, e.Revision); err != nil {
		return err
	}
	return setProfile(ctx, tx, e.Tenant, "address_grade", string(e.Data.Checked.Grade), e.At, e.Revision)
}

func profileTechnicalContact(ctx context.Context, tx Tx, e domain.Recorded[organization.TechnicalContactChanged]) error {
	return setProfile(ctx, tx, e.Tenant, "technical_contact", seal(e.Data.New), e.At, e.Revision)
}

func profileLanguage(ctx context.Context, tx Tx, e domain.Recorded[organization.PreferredLanguageChanged]) error {
	return setProfile(ctx, tx, e.Tenant, "language", e.Data.New, e.At, e.Revision)
}

func profileContactEmail(ctx context.Context, tx Tx, e domain.Recorded[organization.OrganizationContactEmailChanged]) error {
	return setProfile(ctx, tx, e.Tenant, "contact_email", seal(e.Data.New), e.At, e.Revision)
}

func profileInvoices(ctx context.Context, tx Tx, e domain.Recorded[organization.InvoiceAttachmentSet]) error {
	return setProfile(ctx, tx, e.Tenant, "invoices_attached", flag(e.Data.On), e.At, e.Revision)
}

// setProfile sets one column, which is a name of this file and nobody's input.
// The first event of a profile makes its row.
func setProfile(ctx context.Context, tx Tx, tenant, column string, value any, t time.Time, revision int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO organization_profiles
		(tenant, name, address_grade, language, invoices_attached, updated_at, revision)
		VALUES ($1, '', '', '', 0, $2, $3) ON CONFLICT (tenant) DO NOTHING`, tenant, at(t), revision)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(
		`UPDATE organization_profiles SET %s = $2, updated_at = $3, revision = $4 WHERE tenant = $1`, column),
		tenant, value, at(t), revision)
	return err
}

// OrganizationProfile is what an organization says of itself.
type OrganizationProfile struct {
	ID               string                          `json:"id"`
	Name             string                          `json:"name"`
	Address          domain.Personal[postal.Address] `json:"address,omitzero"`
	AddressGrade     postal.Grade                    `json:"addressGrade,omitzero"`
	Phone            domain.Personal[string]         `json:"phone,omitzero"` // E.164
	TechnicalContact domain.Personal[string]         `json:"technicalContact,omitzero"`
	ContactEmail     domain.Personal[string]         `json:"contactEmail,omitzero"`
	Language         string                          `json:"preferredLanguage"` // BCP 47
	InvoicesAttached bool                            `json:"invoicesAttached"`
	UpdatedAt        time.Time                       `json:"updatedAt"`
	Revision         int64                           `json:"revision"` // of the stream, as far as it is in the row
}

// OrganizationProfileOf returns the profile of a tenant. If it was never
// saved, it returns [database/sql.ErrNoRows].
func OrganizationProfileOf(ctx context.Context, db DB, tenant string) (p OrganizationProfile, err error) {
	var attached int64
	err = db.QueryRowContext(ctx, `SELECT tenant, name, address, address_grade, phone, technical_contact, contact_email,
		language, invoices_attached, updated_at, revision FROM organization_profiles WHERE tenant = $1`, tenant).
		Scan(&p.ID, &p.Name, sealed[postal.Address]{&p.Address}, &p.AddressGrade, sealed[string]{&p.Phone},
			sealed[string]{&p.TechnicalContact}, sealed[string]{&p.ContactEmail}, &p.Language, &attached,
			instant{&p.UpdatedAt}, &p.Revision)
	p.InvoicesAttached = attached != 0
	return p, err
}
