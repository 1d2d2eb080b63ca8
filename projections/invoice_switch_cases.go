package projections

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"konto/domain"
	"konto/domain/invoiceswitch"
)

//go:embed invoice_switch_cases.sql
var invoiceSwitchCasesSQL string

// InvoiceSwitchCases lists who wants to pay by invoice, and how far that has
// come (rule C10).
var InvoiceSwitchCases = Projection{
	Name: "invoice_switch_cases", Version: 2,
	Tables: []string{"invoice_switch_cases"},
	Schema: invoiceSwitchCasesSQL,
	Handlers: []Handler{
		On(switchRequested),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.EligibilityEvaluated]) error {
			checks, err := json.Marshal(e.Data.Checks)
			if err != nil {
				return err
			}
			return setSwitch(ctx, tx, e, `checks = $5`, string(checks))
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.SupportCaseRecorded]) error {
			return setSwitch(ctx, tx, e, `case_ref = $5`, e.Data.CaseRef)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.CreditCheckRecorded]) error {
			credit := "failed"
			if e.Data.Passed {
				credit = "passed"
			}
			return setSwitch(ctx, tx, e, `credit = $5`, credit)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.InvoiceSwitchApproved]) error {
			return setSwitch(ctx, tx, e, `status = $5`, string(invoiceswitch.Approved))
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.InvoiceSwitchDenied]) error {
			return setSwitch(ctx, tx, e, `status = $5, why = $6`, string(invoiceswitch.Denied), e.Data.Why)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.InvoiceSwitchApplied]) error {
			return setSwitch(ctx, tx, e, `status = $5`, string(invoiceswitch.Applied))
		}),
	},
}

// setSwitch changes a case's row; set names its columns from $5 on.
func setSwitch[E any](ctx context.Context, tx Tx, e domain.Recorded[E], set string, args ...any) error {
	_, err := tx.ExecContext(ctx, `UPDATE invoice_switch_cases SET `+set+`, revision = $3, updated_at = $4 WHERE tenant = $1 AND case_id = $2`,
		append([]any{e.Tenant, e.ID, e.Revision, at(e.At)}, args...)...)
	return err
}

func switchRequested(ctx context.Context, tx Tx, e domain.Recorded[invoiceswitch.InvoiceSwitchRequested]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `INSERT INTO invoice_switch_cases
		(tenant, case_id, position, subscription_id, status, reason, why, requested_by, opened_by, amount_minor, currency, country, po_number,
		 case_ref, credit, credit_due, checks, contact, requested_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9, $10, $11, $12, $13, '', $14, '', $15, $16, $17, $18)
		ON CONFLICT (tenant, case_id) DO NOTHING`,
		e.Tenant, e.ID, e.Position, d.SubscriptionID, string(invoiceswitch.Requested), string(d.Reason), d.By, d.OpenedBy, d.AmountMinor, d.Currency,
		d.Country, d.PONumber, d.CaseRef, at(d.CreditDue), seal(d.Contact), at(d.At), at(e.At), e.Revision)
	return err
}

// InvoiceSwitchCase is a wish to pay a subscription by invoice.
type InvoiceSwitchCase struct {
	ID             string                                 `json:"id"`
	SubscriptionID string                                 `json:"subscriptionId"`
	Status         invoiceswitch.Status                   `json:"status"`
	Reason         invoiceswitch.Reason                   `json:"reason"`
	Why            string                                 `json:"why,omitzero"`      // of a denied one
	RequestedBy    string                                 `json:"requestedBy"`       // an admin's ID
	OpenedBy       string                                 `json:"openedBy,omitzero"` // who of billing support opened it for them
	AmountMinor    int64                                  `json:"amountMinor"`       // of a month, in the currency's smallest unit
	Currency       string                                 `json:"currency"`          // ISO 4217
	Country        string                                 `json:"country"`           // where the invoice goes
	PONumber       string                                 `json:"poNumber,omitzero"`
	CaseRef        string                                 `json:"caseRef,omitzero"` // billing support's
	Credit         string                                 `json:"credit,omitzero"`  // "passed" or "failed"
	CreditDue      time.Time                              `json:"creditDue,omitzero"`
	Checks         []invoiceswitch.Check                  `json:"checks"` // empty until they were judged
	Contact        domain.Personal[invoiceswitch.Contact] `json:"contact,omitzero"`
	RequestedAt    time.Time                              `json:"requestedAt"`
	UpdatedAt      time.Time                              `json:"updatedAt"`
	Revision       int64                                  `json:"revision"` // of the stream, as far as it is in the row
	Position       uint64                                 `json:"position"`
}

const selectSwitch = `SELECT case_id, position, subscription_id, status, reason, why, requested_by, opened_by, amount_minor, currency, country, po_number,
	case_ref, credit, credit_due, checks, contact, requested_at, updated_at, revision
	FROM invoice_switch_cases WHERE tenant = $1`

// InvoiceSwitchCaseByID returns a case. If there is none, it returns
// [database/sql.ErrNoRows].
func InvoiceSwitchCaseByID(ctx context.Context, db DB, tenant, id string) (InvoiceSwitchCase, error) {
	return scanSwitch(db.QueryRowContext(ctx, selectSwitch+` AND case_id = $2`, tenant, id))
}

// InvoiceSwitchCaseList returns the tenant's cases, newest first, and the
// cursor of the next page or "". A cursor that is not one is an [ErrCursor].
func InvoiceSwitchCaseList(ctx context.Context, db DB, tenant, cursor string, limit int) ([]InvoiceSwitchCase, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanSwitch, func(c InvoiceSwitchCase) []string { return positionKey(c.Position) },
		selectSwitch+` AND position < $2 ORDER BY position DESC LIMIT $3`, tenant, position)
}

func scanSwitch(row scanner) (c InvoiceSwitchCase, err error) {
	var checks string
	err = row.Scan(&c.ID, &c.Position, &c.SubscriptionID, &c.Status, &c.Reason, &c.Why, &c.RequestedBy, &c.OpenedBy, &c.AmountMinor, &c.Currency,
		&c.Country, &c.PONumber, &c.CaseRef, &c.Credit, instant{&c.CreditDue}, &checks, sealed[invoiceswitch.Contact]{&c.Contact},
		instant{&c.RequestedAt}, instant{&c.UpdatedAt}, &c.Revision)
	c.Checks = []invoiceswitch.Check{}
	if err == nil && checks != "" {
		err = json.Unmarshal([]byte(checks), &c.Checks)
	}
	return c, err
}
