package projections

import (
	"context"
	"database/sql"
	_ "embed"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/customer"
	"konto/domain/relationship"
)

//go:embed customer_accounts.sql
var customerAccountsSQL string

// CustomerAccounts lists what partners keep about their customers, and which
// partner stands how with which customer.
var CustomerAccounts = Projection{
	Name: "customer_accounts", Version: 2,
	Tables: []string{"customer_accounts", "customer_partners"},
	Schema: customerAccountsSQL,
	Handlers: []Handler{
		On(customerRegistered), On(companyDetailsUpdated), On(billingInfoUpdated),
		On(relationshipRequested), On(relationshipEstablished), On(relationshipEnded),
	},
}

func customerRegistered(ctx context.Context, tx Tx, e domain.Recorded[customer.CustomerRegistered]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `INSERT INTO customer_accounts
		(tenant, registered_by, company_name, company_key, registration_number, country, domain, language,
		 billing_company_name, billing_culture, billing_language, contact, address, phone, registered_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $11, $5, $6, $7, '', '', '', NULL, NULL, $10, $8, $8, $9)
		ON CONFLICT (tenant) DO NOTHING`,
		e.ID, d.PartnerID, d.CompanyName, companyKey(d.CompanyName), d.Country, d.Domain, d.Language, at(d.At), e.Revision, seal(d.Phone),
		d.OrganizationRegistrationNumber)
	if err != nil {
		return err
	}
	return nameCustomer(ctx, tx, e.ID, d.CompanyName)
}

func companyDetailsUpdated(ctx context.Context, tx Tx, e domain.Recorded[customer.CustomerCompanyDetailsUpdated]) error {
	d := e.Data
	renamed := slices.Contains(d.Changed, "companyName")
	_, err := tx.ExecContext(ctx, `UPDATE customer_accounts
		SET company_name = CASE WHEN $2 = 1 THEN $3 ELSE company_name END,
			company_key = CASE WHEN $2 = 1 THEN $4 ELSE company_key END,
			registration_number = CASE WHEN $5 = 1 THEN $6 ELSE registration_number END,
			phone = CASE WHEN $9 = 1 THEN $10 ELSE phone END,
			updated_at = $7, revision = $8
		WHERE tenant = $1`,
		e.ID, flag(renamed), d.CompanyName, companyKey(d.CompanyName),
		flag(slices.Contains(d.Changed, "organizationRegistrationNumber")), d.OrganizationRegistrationNumber,
		at(e.At), e.Revision, flag(slices.Contains(d.Changed, "phone")), seal(d.Phone))
	if err != nil || !renamed {
		return err
	}
	return nameCustomer(ctx, tx, e.ID, d.CompanyName)
}

func billingInfoUpdated(ctx context.Context, tx Tx, e domain.Recorded[customer.CustomerBillingInfoUpdated]) error {
	d := e.Data
	changed := func(field string) int64 { return flag(slices.Contains(d.Changed, field)) }
	_, err := tx.ExecContext(ctx, `UPDATE customer_accounts
		SET billing_company_name = CASE WHEN $2 = 1 THEN $3 ELSE billing_company_name END,
			billing_culture = CASE WHEN $4 = 1 THEN $5 ELSE billing_culture END,
			billing_language = CASE WHEN $6 = 1 THEN $7 ELSE billing_language END,
			contact = COALESCE($8, contact), address = COALESCE($9, address),
			updated_at = $10, revision = $11
		WHERE tenant = $1`,
		e.ID, changed("companyName"), d.CompanyName, changed("culture"), d.Culture, changed("language"), d.Language,
		seal(d.Contact), seal(d.Address), at(e.At), e.Revision)
	return err
}

// nameCustomer puts the customer where its name belongs in its partners' lists.
func nameCustomer(ctx context.Context, tx Tx, tenant, company string) error {
	_, err := tx.ExecContext(ctx, `UPDATE customer_partners SET company_key = $2 WHERE tenant = $1`,
		tenant, companyKey(company))
	return err
}

// companyKey is what company names are sorted and searched by.
func companyKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// CustomerAccount is what partners keep about a customer.
type CustomerAccount struct {
	ID                             string                  `json:"id"`           // the customer's tenant
	RegisteredBy                   string                  `json:"registeredBy"` // the partner's tenant
	CompanyName                    string                  `json:"companyName"`
	OrganizationRegistrationNumber string                  `json:"organizationRegistrationNumber,omitzero"`
	Country                        string                  `json:"country"` // ISO 3166-1 alpha-2
	Domain                         string                  `json:"domain"`
	Language                       string                  `json:"language"`       // BCP 47
	Phone                          domain.Personal[string] `json:"phone,omitzero"` // the company's, E.164
	BillingInfo                    customer.BillingInfo    `json:"billingInfo"`
	Partners                       []string                `json:"partners"` // tenants with a relationship in force
	RegisteredAt                   time.Time               `json:"registeredAt"`
	UpdatedAt                      time.Time               `json:"updatedAt"`
	Revision                       int64                   `json:"revision"` // of the stream, as far as it is in the row
}

const (
	accountColumns = `c.tenant, c.registered_by, c.company_name, c.registration_number, c.country, c.domain, c.language,
		c.billing_company_name, c.billing_culture, c.billing_language, c.contact, c.address, c.phone,
		c.registered_at, c.updated_at, c.revision,
		(SELECT string_agg(a.partner_id, ' ') FROM customer_partners a WHERE a.tenant = c.tenant AND a.status = '` + string(relationship.StatusActive) + `')`
	fromPartner = ` FROM customer_partners p JOIN customer_accounts c ON c.tenant = p.tenant
		WHERE p.partner_id = $1 AND p.status = '` + string(relationship.StatusActive) + `'`
)

// Customer returns the account of a customer, for the customer itself. If it
// is nobody's customer, it returns [sql.ErrNoRows].
func Customer(ctx context.Context, db DB, tenant string) (CustomerAccount, error) {
	return scanCustomer(db.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM customer_accounts c WHERE c.tenant = $1`, tenant))
}

// CustomerOf returns the account of a partner's customer. If partner has no
// relationship with it that is in force, it returns [sql.ErrNoRows].
func CustomerOf(ctx context.Context, db DB, partner, tenant string) (CustomerAccount, error) {
	return scanCustomer(db.QueryRowContext(ctx, `SELECT `+accountColumns+fromPartner+` AND p.tenant = $2`, partner, tenant))
}

// CustomersOf returns the customers with whom partner has a relationship in
// force and whose company name begins with prefix, whatever its case, in the
// order of their names, and the cursor of the next page or "". A cursor that is
// not one is an [ErrCursor]. A cursor names a customer, not its name: a company
// may be called after a person.
func CustomersOf(ctx context.Context, db DB, partner, prefix, cursor string, limit int) ([]CustomerAccount, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanCustomer, func(c CustomerAccount) []string { return []string{c.ID} },
		`SELECT `+accountColumns+fromPartner+` AND p.company_key LIKE $2 ESCAPE '\'
		AND (p.company_key, p.tenant) > (COALESCE(
			(SELECT l.company_key FROM customer_partners l WHERE l.tenant = $3 AND l.partner_id = $1), ''), $3)
		ORDER BY p.company_key, p.tenant LIMIT $4`, partner, beginsWith(companyKey(prefix)), key[0])
}

// beginsWith returns the pattern of what begins with prefix.
func beginsWith(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(prefix) + "%"
}

func scanCustomer(row scanner) (c CustomerAccount, err error) {
	var partners sql.NullString
	b := &c.BillingInfo
	err = row.Scan(&c.ID, &c.RegisteredBy, &c.CompanyName, &c.OrganizationRegistrationNumber, &c.Country, &c.Domain, &c.Language,
		&b.CompanyName, &b.Culture, &b.Language, sealed[customer.BillingContact]{&b.Contact}, sealed[customer.Address]{&b.DefaultAddress}, sealed[string]{&c.Phone},
		instant{&c.RegisteredAt}, instant{&c.UpdatedAt}, &c.Revision, &partners)
	c.Partners = append([]string{}, strings.Fields(partners.String)...)
	slices.Sort(c.Partners) // the databases promise no order
	return c, err
}
