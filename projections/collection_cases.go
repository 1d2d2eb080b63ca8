package projections

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"strconv"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/collection"
)

//go:embed collection_cases.sql
var collectionCasesSQL string

// CollectionCases is the collection board: where the collecting of each unpaid
// invoice stands, what its card networks still allow (rule N14), and the
// charges that wait for the gateway's side.
var CollectionCases = Projection{
	Name: "collection_cases", Version: 2,
	Tables: []string{"collection_cases", "collection_attempts", "collection_budgets", "due_charges"},
	Schema: collectionCasesSQL,
	Handlers: []Handler{
		On(caseOpened),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.GraceStarted]) error {
			return setCase(ctx, tx, e, `grace_until = $4`, at(e.Data.Until))
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.RetryScheduled]) error {
			return setCase(ctx, tx, e, `retry_at = $4, retry_card_id = $5`, at(e.Data.At), e.Data.CardID)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.RetryWithdrawn]) error {
			return setCase(ctx, tx, e, noRetry)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.RetryBudgetExhausted]) error {
			return setCase(ctx, tx, e, noRetry)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.ManualPaymentRequested]) error {
			return setCase(ctx, tx, e, `by_hand = $4`, e.Data.CardID)
		}),
		On(chargeRequested),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeLapsed]) error {
			return dropDue(ctx, tx, e.Tenant, e.ID, e.Data.RequestID)
		}),
		On(caseDeclined), On(casePaid),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.PaymentPastDue]) error {
			return setCase(ctx, tx, e, noRetry+`, phase = $4`, string(collection.PastDue))
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.ServiceSuspended]) error {
			return setCase(ctx, tx, e, noRetry+`, phase = $4, cancel_at = $5, data_until = $6`,
				string(collection.Suspended), at(e.Data.CancelAt), at(e.Data.DataUntil))
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.AccountRecovered]) error {
			return setCase(ctx, tx, e, noRetry+`, phase = $4, grace_until = 0, cancel_at = 0, data_until = 0, disputed = 0, by_hand = ''`, string(collection.Recovered))
		}),
		On(caseClosed),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargebackOpened]) error {
			return errors.Join(dropAllDue(ctx, tx, e.Tenant, e.ID), setCase(ctx, tx, e, noRetry+`, disputed = 1`))
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargebackWon]) error {
			return setCase(ctx, tx, e, `disputed = 0`)
		}),
		On(func(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargebackAccepted]) error {
			return errors.Join(dropAllDue(ctx, tx, e.Tenant, e.ID), setCase(ctx, tx, e, noRetry+`, disputed = 0`))
		}),
	},
}

const noRetry = `retry_at = 0, retry_card_id = ''`

// setCase changes a case's row, if there is one; set names its columns from $4 on.
func setCase[E any](ctx context.Context, tx Tx, e domain.Recorded[E], set string, args ...any) error {
	_, err := tx.ExecContext(ctx, `UPDATE collection_cases SET `+set+`, revision = $3 WHERE tenant = $1 AND invoice_id = $2`,
		append([]any{e.Tenant, e.ID, e.Revision}, args...)...)
	return err
}

func caseOpened(ctx context.Context, tx Tx, e domain.Recorded[collection.CollectionOpened]) error {
	d := e.Data
	phase := map[collection.Mode]collection.Phase{
		collection.ModeRegular: collection.Retrying, collection.ModeAccelerated: collection.Accelerated, collection.ModeChargeback: collection.ChargedBack,
	}[d.Mode]
	_, err := tx.ExecContext(ctx, `INSERT INTO collection_cases
		(tenant, invoice_id, position, subscription_id, card_id, owner, brand, last4, phase, mode, policy_version,
		 amount_minor, currency, disputed, opened_at, grace_until, retry_at, retry_card_id, cancel_at, data_until, by_hand, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15, 0, '', 0, 0, '', $16)
		ON CONFLICT (tenant, invoice_id) DO UPDATE SET position = excluded.position, card_id = excluded.card_id, owner = excluded.owner,
		 brand = excluded.brand, last4 = excluded.last4, phase = excluded.phase, mode = excluded.mode, policy_version = excluded.policy_version,
		 amount_minor = excluded.amount_minor, currency = excluded.currency, disputed = 0, opened_at = excluded.opened_at,
		 grace_until = excluded.grace_until, retry_at = 0, retry_card_id = '', cancel_at = 0, data_until = 0, by_hand = '', revision = excluded.revision`,
		e.Tenant, e.ID, e.Position, d.SubscriptionID, d.CardID, d.Owner, d.Brand, d.Last4, string(phase), string(d.Mode), d.PolicyVersion,
		d.AmountMinor, d.Currency, at(d.At), at(d.GraceUntil), e.Revision)
	if err != nil {
		return err
	}
	return putBudget(ctx, tx, e.Tenant, e.ID, d.Budget)
}

func chargeRequested(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeRequested]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `INSERT INTO due_charges
		(tenant, request_id, position, invoice_id, subscription_id, card_id, gateway_token, amount_minor, currency, reason, requested_at, until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (tenant, request_id) DO NOTHING`,
		e.Tenant, d.RequestID, e.Position, e.ID, d.SubscriptionID, d.CardID, d.GatewayToken, d.AmountMinor, d.Currency, string(d.Reason), at(d.At), at(d.Until))
	if err != nil {
		return err
	}
	set := `revision = $3`
	if d.Reason == collection.ForSchedule {
		set = noRetry
	}
	return errors.Join(
		putAttempt(ctx, tx, e.Tenant, e.ID, d.RequestID, d.Budget.Network, d.Until),
		putBudget(ctx, tx, e.Tenant, e.ID, d.Budget),
		setCase(ctx, tx, e, set),
	)
}

func caseDeclined(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeDeclined]) error {
	return answered(ctx, tx, e.Tenant, e.ID, e.Data.RequestID, e.Data.CardID, e.Data.GatewayEventID, e.Data.Brand, e.Data.At)
}

func casePaid(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeSucceeded]) error {
	return answered(ctx, tx, e.Tenant, e.ID, e.Data.RequestID, e.Data.CardID, e.Data.GatewayEventID, e.Data.Brand, e.Data.At)
}

// answered counts an attempt: the one that was asked for on that card, or one
// that nobody asked for.
func answered(ctx context.Context, tx Tx, tenant, invoice, request, card, gatewayEvent, brand string, when time.Time) error {
	if request == "" {
		err := tx.QueryRowContext(ctx, `SELECT request_id FROM due_charges WHERE tenant = $1 AND invoice_id = $2 AND card_id = $3`,
			tenant, invoice, card).Scan(&request)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return errors.Join(
		putAttempt(ctx, tx, tenant, invoice, cmp.Or(request, gatewayEvent), strings.ToLower(brand), when),
		dropDue(ctx, tx, tenant, invoice, request),
	)
}

func caseClosed(ctx context.Context, tx Tx, e domain.Recorded[collection.CollectionClosed]) error {
	if err := dropAllDue(ctx, tx, e.Tenant, e.ID); err != nil {
		return err
	}
	phase := map[string]collection.Phase{
		collection.OutcomeRecovered: collection.Recovered, collection.OutcomeCanceled: collection.Canceled, collection.OutcomeDeleted: collection.Deleted,
	}[e.Data.Outcome]
	return setCase(ctx, tx, e, noRetry+`, phase = $4, by_hand = ''`, string(phase))
}

func putAttempt(ctx context.Context, tx Tx, tenant, invoice, attempt, network string, when time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO collection_attempts (tenant, invoice_id, attempt, network, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, invoice_id, attempt) DO UPDATE SET at = excluded.at`, tenant, invoice, attempt, network, at(when))
	return err
}

func putBudget(ctx context.Context, tx Tx, tenant, invoice string, b collection.Budget) error {
	if b.Limit == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO collection_budgets (tenant, invoice_id, network, attempts, days) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, invoice_id, network) DO UPDATE SET attempts = excluded.attempts, days = excluded.days`,
		tenant, invoice, b.Network, b.Limit, b.Days)
	return err
}

func dropDue(ctx context.Context, tx Tx, tenant, invoice, request string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM due_charges WHERE tenant = $1 AND invoice_id = $2 AND request_id = $3`, tenant, invoice, request)
	return err
}

func dropAllDue(ctx context.Context, tx Tx, tenant, invoice string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM due_charges WHERE tenant = $1 AND invoice_id = $2`, tenant, invoice)
	return err
}

// CollectionCase is where the collecting of an invoice stands.
type CollectionCase struct {
	InvoiceID      string              `json:"invoiceId"`
	SubscriptionID string              `json:"subscriptionId"`
	Phase          collection.Phase    `json:"phase"`
	Mode           collection.Mode     `json:"mode"`
	PolicyVersion  int                 `json:"policyVersion"` // of the policy "dunning"
	CardID         string              `json:"cardId"`        // that was declined or charged back
	Owner          string              `json:"owner"`         // of the card: an admin's ID
	Brand          string              `json:"brand"`
	Last4          string              `json:"last4"`
	AmountMinor    int64               `json:"amountMinor"` // in the currency's smallest unit
	Currency       string              `json:"currency"`    // ISO 4217
	Disputed       bool                `json:"disputed"`    // the bank decides on a chargeback
	OpenedAt       time.Time           `json:"openedAt"`
	GraceUntil     time.Time           `json:"graceUntil,omitzero"` // when the service is suspended
	RetryAt        time.Time           `json:"retryAt,omitzero"`    // when the next attempt is planned
	RetryCardID    string              `json:"retryCardId,omitzero"`
	ByHand         string              `json:"byHand,omitzero"`    // the card with which somebody was asked to pay
	CancelAt       time.Time           `json:"cancelAt,omitzero"`  // until when a payment brings the service back
	DataUntil      time.Time           `json:"dataUntil,omitzero"` // when data are gone
	Budgets        []collection.Budget `json:"budgets"`            // by network; what is used now
	Revision       int64               `json:"revision"`           // of the stream, as far as it is in the row
	Position       uint64              `json:"position"`
}

const selectCase = `SELECT invoice_id, position, subscription_id, card_id, owner, brand, last4, phase, mode, policy_version,
	amount_minor, currency, disputed, opened_at, grace_until, retry_at, retry_card_id, cancel_at, data_until, by_hand, revision
	FROM collection_cases WHERE tenant = $1`

// CollectionCaseByID returns an invoice's case as it is at a time. If there is
// none, it returns [sql.ErrNoRows].
func CollectionCaseByID(ctx context.Context, db DB, tenant, invoice string, now time.Time) (CollectionCase, error) {
	c, err := scanCase(db.QueryRowContext(ctx, selectCase+` AND invoice_id = $2`, tenant, invoice))
	if err == nil {
		c.Budgets, err = budgets(ctx, db, tenant, invoice, now)
	}
	return c, err
}

// CollectionCaseFilter narrows the cases. Zero fields narrow nothing.
type CollectionCaseFilter struct {
	SubscriptionID string
	Phase          collection.Phase
}

// CollectionCaseList returns the tenant's cases, those opened last first, and
// the cursor of the next page or "". A cursor that is not one is an [ErrCursor].
func CollectionCaseList(ctx context.Context, db DB, tenant string, f CollectionCaseFilter, now time.Time, cursor string, limit int) ([]CollectionCase, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	const (
		from  = selectCase + ` AND position < $2`
		order = ` ORDER BY position DESC LIMIT `
	)
	query, args := from+order+`$3`, []any{tenant, position}
	switch phase := string(f.Phase); {
	case f.SubscriptionID != "" && phase != "":
		query, args = from+` AND subscription_id = $3 AND phase = $4`+order+`$5`, append(args, f.SubscriptionID, phase)
	case f.SubscriptionID != "":
		query, args = from+` AND subscription_id = $3`+order+`$4`, append(args, f.SubscriptionID)
	case phase != "":
		query, args = from+` AND phase = $3`+order+`$4`, append(args, phase)
	}
	rows, next, err := list(ctx, db, limit, scanCase, func(c CollectionCase) []string { return positionKey(c.Position) }, query, args...)
	for i := range rows {
		if err == nil {
			rows[i].Budgets, err = budgets(ctx, db, tenant, rows[i].InvoiceID, now)
		}
	}
	return rows, next, err
}

func scanCase(row scanner) (c CollectionCase, err error) {
	err = row.Scan(&c.InvoiceID, &c.Position, &c.SubscriptionID, &c.CardID, &c.Owner, &c.Brand, &c.Last4, &c.Phase, &c.Mode, &c.PolicyVersion,
		&c.AmountMinor, &c.Currency, &c.Disputed, instant{&c.OpenedAt}, instant{&c.GraceUntil}, instant{&c.RetryAt}, &c.RetryCardID,
		instant{&c.CancelAt}, instant{&c.DataUntil}, &c.ByHand, &c.Revision)
	return c, err
}

// budgets returns what is used of each network's limit. An attempt counts for
// so many days; one that was asked for counts from the last moment that it may
// be made.
func budgets(ctx context.Context, db DB, tenant, invoice string, now time.Time) ([]collection.Budget, error) {
	return all(ctx, db, func(row scanner) (b collection.Budget, err error) {
		err = row.Scan(&b.Network, &b.Limit, &b.Days, &b.Used)
		return b, err
	}, `SELECT b.network, b.attempts, b.days, (SELECT COUNT(*) FROM collection_attempts a
		WHERE a.tenant = b.tenant AND a.invoice_id = b.invoice_id AND a.network = b.network AND a.at > $3 - b.days * 86400000000)
		FROM collection_budgets b WHERE b.tenant = $1 AND b.invoice_id = $2 ORDER BY b.network`, tenant, invoice, now.UnixMicro())
}

// DueCharge is a charge that the gateway's side is to carry out, once.
type DueCharge struct {
	RequestID      string            `json:"requestId"` // the idempotency key
	InvoiceID      string            `json:"invoiceId"`
	SubscriptionID string            `json:"subscriptionId"`
	CardID         string            `json:"cardId"`
	GatewayToken   string            `json:"gatewayToken,omitzero"`
	AmountMinor    int64             `json:"amountMinor"` // in the currency's smallest unit
	Currency       string            `json:"currency"`    // ISO 4217
	Reason         collection.Reason `json:"reason"`
	At             time.Time         `json:"at"`
	Until          time.Time         `json:"until"` // it must not be carried out after this
	Position       uint64            `json:"position"`
}

// DueCharges returns the charges that a tenant's gateway is to carry out at a
// time, the oldest first, and the cursor of the next page or "". A cursor that
// is not one is an [ErrCursor].
func DueCharges(ctx context.Context, db DB, tenant string, now time.Time, cursor string, limit int) ([]DueCharge, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	position, err := strconv.ParseInt(cmp.Or(key[0], "-1"), 10, 64)
	if err != nil {
		return nil, "", ErrCursor
	}
	return list(ctx, db, limit, func(row scanner) (d DueCharge, err error) {
		err = row.Scan(&d.RequestID, &d.Position, &d.InvoiceID, &d.SubscriptionID, &d.CardID, &d.GatewayToken,
			&d.AmountMinor, &d.Currency, &d.Reason, instant{&d.At}, instant{&d.Until})
		return d, err
	}, func(d DueCharge) []string { return positionKey(d.Position) },
		`SELECT request_id, position, invoice_id, subscription_id, card_id, gateway_token, amount_minor, currency, reason, requested_at, until
		FROM due_charges WHERE tenant = $1 AND until > $2 AND position > $3 ORDER BY position LIMIT $4`, tenant, now.UnixMicro(), position)
}
