package projections

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/collection"
)

//go:embed decline_explanations.sql
var declineExplanationsSQL string

// DeclineExplanations lists every declined charge and what a person can do
// about it (rule C7). The checklist is made of the row when it is read, so that
// a better explanation needs no rebuild.
var DeclineExplanations = Projection{
	Name: "decline_explanations", Version: 3,
	Tables: []string{"decline_explanations", "declinable_cards"},
	Schema: declineExplanationsSQL,
	Handlers: []Handler{
		On(declined), On(invoicePaid), On(declinableAdded), On(declinableEdited), On(declinableUpdated),
	},
}

func declinableAdded(ctx context.Context, tx Tx, e domain.Recorded[card.CardAdded]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `INSERT INTO declinable_cards (tenant, card_id, last4, exp_month, exp_year, holder, bill_to)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, card_id) DO NOTHING`,
		e.Tenant, e.ID, d.Last4, d.ExpMonth, d.ExpYear, seal(d.Holder), seal(d.BillTo))
	return err
}

func declinableEdited(ctx context.Context, tx Tx, e domain.Recorded[card.CardDetailsUpdated]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE declinable_cards
		SET exp_month = CASE WHEN $3 > 0 THEN $3 ELSE exp_month END,
			exp_year = CASE WHEN $4 > 0 THEN $4 ELSE exp_year END,
			holder = COALESCE($5, holder), bill_to = COALESCE($6, bill_to)
		WHERE tenant = $1 AND card_id = $2`,
		e.Tenant, e.ID, d.ExpMonth, d.ExpYear, seal(d.Holder), seal(d.BillTo))
	return err
}

func declinableUpdated(ctx context.Context, tx Tx, e domain.Recorded[card.CardAutomaticallyUpdated]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE declinable_cards SET last4 = $3, exp_month = $4, exp_year = $5
		WHERE tenant = $1 AND card_id = $2`, e.Tenant, e.ID, d.Last4, d.ExpMonth, d.ExpYear)
	return err
}

func declined(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeDeclined]) error {
	d, shown := e.Data, e.Data.Shown()
	check, err := json.Marshal(d.BillToCheck)
	if err != nil {
		return err
	}
	unknown := ""
	if d.UnknownCode {
		unknown = d.Code
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO decline_explanations
		(tenant, invoice_id, attempt, position, subscription_id, card_id, owner, brand, last4, exp_month, exp_year,
		 valid_until, amount_minor, currency, class, code, retry, who_fixes, checklist_item,
		 check_line1, check_postal, check_cvc, paid, at, address_check, unknown_code, holder, bill_to)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26,
			(SELECT c.holder FROM declinable_cards c WHERE c.tenant = $1 AND c.card_id = $6),
			(SELECT c.bill_to FROM declinable_cards c WHERE c.tenant = $1 AND c.card_id = $6))
		ON CONFLICT (tenant, invoice_id, attempt) DO NOTHING`,
		e.Tenant, e.ID, d.Attempt, e.Position, d.SubscriptionID, d.CardID, d.Owner, d.Brand, d.Last4, d.ExpMonth, d.ExpYear,
		at(d.ValidUntil), d.AmountMinor, d.Currency,
		string(shown.Class), shown.Code, string(shown.Retry), string(shown.WhoFixes), string(shown.ChecklistItem),
		d.Checks.Line1, d.Checks.Postal, d.Checks.CVC, flag(d.AfterPayment), at(d.At), string(check), unknown)
	return err
}

func invoicePaid(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeSucceeded]) error {
	_, err := tx.ExecContext(ctx, `UPDATE decline_explanations SET paid = 1
		WHERE tenant = $1 AND invoice_id = $2 AND paid = 0`, e.Tenant, e.ID)
	return err
}

// DeclineExplanation is a declined charge, and what a person can do about it.
// It shows no more than anybody with the card in hand may know.
type DeclineExplanation struct {
	InvoiceID      string    `json:"invoiceId"`
	Attempt        int       `json:"attempt"` // 1 is the invoice's first
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	Owner          string    `json:"owner"` // of the card: an admin's ID
	Brand          string    `json:"brand"`
	Last4          string    `json:"last4"`
	ExpMonth       int       `json:"expMonth"`    // 1-12
	ExpYear        int       `json:"expYear"`     // four digits
	AmountMinor    int64     `json:"amountMinor"` // in the currency's smallest unit
	Currency       string    `json:"currency"`    // ISO 4217
	At             time.Time `json:"at"`
	Paid           bool      `json:"paid"` // the invoice is paid, by then or since
	collection.Shown
	Checklist []collection.Item `json:"checklist"` // number, expiry, name, address, bank
	NextStep  NextStep          `json:"nextStep"`
	Fields    []DeclinedField   `json:"fields"` // number, expiry, name, street, city, state, postal code
	Position  uint64            `json:"position"`
	// Charged and Now are what was typed about the card, when it was charged
	// and now. [DeclineExplanation.Explain] takes them apart once somebody who
	// may has opened them.
	Charged Typed `json:"-"`
	Now     Typed `json:"-"`
}

// NextStep is what to do first about a decline: a code for a message catalogue.
type NextStep string

// The next steps.
const (
	StepNone              NextStep = "none"                // nothing: it is paid, or nobody can do anything
	StepReplaceCard       NextStep = "replace-card"        // its number is wrong
	StepEditExpiry        NextStep = "edit-expiry"         // its expiry is wrong
	StepEditAddress       NextStep = "edit-address"        // its billing address is wrong
	StepEditName          NextStep = "edit-name"           // its holder's name is wrong
	StepCallBank          NextStep = "call-bank"           // only the bank knows
	StepConfirmPayment    NextStep = "confirm-payment"     // prove to the bank who pays
	StepEnterSecurityCode NextStep = "enter-security-code" // once more, at the gateway
	StepUseAnotherCard    NextStep = "use-another-card"    // this one will not do
	StepWait              NextStep = "wait"                // it is tried again
)

// nextStep looks at the checklist first, in whose order a person works, and
// then at who could do something.
func nextStep(s collection.Shown, paid bool) NextStep {
	if paid {
		return StepNone
	}
	switch s.ChecklistItem {
	case collection.ItemNumber:
		if s.Retry == collection.AfterUpdater {
			return StepWait // the network is about to send the new one
		}
		return StepReplaceCard
	case collection.ItemExpiry:
		return StepEditExpiry
	case collection.ItemAddress:
		return StepEditAddress
	case collection.ItemName:
		return StepEditName
	case collection.ItemBank:
		return StepCallBank
	}
	switch {
	case s.Retry == collection.WithCustomer:
		return StepConfirmPayment
	case s.Class == collection.DataCVC:
		return StepEnterSecurityCode
	case s.WhoFixes == collection.Time:
		return StepWait
	case s.WhoFixes == collection.Customer:
		return StepUseAnotherCard
	}
	return StepNone
}

const selectDecline = `SELECT d.invoice_id, d.attempt, d.position, d.subscription_id, d.card_id, d.owner, d.brand, d.last4, d.exp_month, d.exp_year,
	d.valid_until, d.amount_minor, d.currency, d.class, d.code, d.retry, d.who_fixes, d.checklist_item,
	d.check_line1, d.check_postal, d.check_cvc, d.paid, d.at, d.address_check, d.holder, d.bill_to,
	COALESCE(c.last4, d.last4), COALESCE(c.exp_month, d.exp_month), COALESCE(c.exp_year, d.exp_year), c.holder, c.bill_to
	FROM decline_explanations d LEFT JOIN declinable_cards c ON c.tenant = d.tenant AND c.card_id = d.card_id
	WHERE d.tenant = $1`

// Decline returns an invoice's last declined attempt. If there is none, it
// returns [database/sql.ErrNoRows].
func Decline(ctx context.Context, db DB, tenant, invoiceID string) (DeclineExplanation, error) {
	return scanDecline(db.QueryRowContext(ctx,
		selectDecline+` AND d.invoice_id = $2 ORDER BY d.attempt DESC LIMIT 1`, tenant, invoiceID))
}

// DeclineFilter narrows the declines. Zero fields narrow nothing.
type DeclineFilter struct {
	InvoiceID string
	CardID    string
}

// DeclineList returns the tenant's declines, newest first, and the cursor of
// the next page or "". A cursor that is not one is an [ErrCursor].
func DeclineList(ctx context.Context, db DB, tenant string, f DeclineFilter, cursor string, limit int) ([]DeclineExplanation, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	const (
		from  = selectDecline + ` AND d.position < $2`
		order = ` ORDER BY d.position DESC LIMIT `
	)
	query, args := from+order+`$3`, []any{tenant, position}
	switch {
	case f.InvoiceID != "" && f.CardID != "":
		query, args = from+` AND d.invoice_id = $3 AND d.card_id = $4`+order+`$5`, append(args, f.InvoiceID, f.CardID)
	case f.InvoiceID != "":
		query, args = from+` AND d.invoice_id = $3`+order+`$4`, append(args, f.InvoiceID)
	case f.CardID != "":
		query, args = from+` AND d.card_id = $3`+order+`$4`, append(args, f.CardID)
	}
	key := func(d DeclineExplanation) []string { return positionKey(d.Position) }
	return list(ctx, db, limit, scanDecline, key, query, args...)
}

func scanDecline(row scanner) (d DeclineExplanation, err error) {
	var e collection.ChargeDeclined
	var check string
	err = row.Scan(&d.InvoiceID, &d.Attempt, &d.Position, &d.SubscriptionID, &d.CardID, &d.Owner, &d.Brand, &d.Last4,
		&d.ExpMonth, &d.ExpYear, instant{&e.ValidUntil}, &d.AmountMinor, &d.Currency,
		&e.Class, &e.Code, &e.Retry, &e.WhoFixes, &e.ChecklistItem,
		&e.Checks.Line1, &e.Checks.Postal, &e.Checks.CVC, &d.Paid, instant{&d.At}, &check,
		sealed[string]{&d.Charged.Holder}, sealed[card.Address]{&d.Charged.BillTo},
		&d.Now.Last4, &d.Now.ExpMonth, &d.Now.ExpYear, sealed[string]{&d.Now.Holder}, sealed[card.Address]{&d.Now.BillTo})
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(check), &e.BillToCheck); err != nil {
		return d, err
	}
	// The row holds what may be shown already.
	e.At, e.ShowCode = d.At, collection.ShowCode
	d.Shown = e.Shown()
	d.Checklist = collection.Checklist(e)
	d.NextStep = nextStep(d.Shown, d.Paid)
	d.Charged.Last4, d.Charged.ExpMonth, d.Charged.ExpYear = d.Last4, d.ExpMonth, d.ExpYear
	for _, f := range collection.Explain(e) {
		d.Fields = append(d.Fields, DeclinedField{Field: f, NextStep: fieldStep(f, d.NextStep, d.Paid)})
	}
	d.Explain(d.Charged, d.Now)
	return d, nil
}
