package projections

import (
	"context"
	"database/sql"
	_ "embed"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/collection"
)

//go:embed payment_methods.sql
var paymentMethodsSQL string

// PaymentMethods lists the cards of a tenant, its subscriptions, and which card
// pays for which. The subscription's stream is the authority on that.
var PaymentMethods = Projection{
	Name: "payment_methods", Version: 5,
	Tables: []string{"payment_methods", "subscriptions", "subscription_cards", "subscription_suspensions"},
	Schema: paymentMethodsSQL,
	Handlers: []Handler{
		On(cardAdded), On(cardDetailsUpdated), On(cardAutomaticallyUpdated), On(cardRemoved),
		On(cardReplaced), On(cardAttached), On(cardDetached), On(cardCharged), On(cardDeclined),
		On(subscriptionRegistered), On(backupCardAdded), On(primaryCardChanged), On(backupCardChanged), On(cardPromoted),
		On(paymentKindChanged), On(cardExpiringSoon), On(cardExpired), On(cardReportedLost), On(expiryCheckPostponed),
		On(backupCardsReordered), On(backupCardRemoved), On(licencesRecorded), On(cancellationRequested),
		On(subscriptionCanceled), On(subscriptionReactivated), On(subscriptionDeleted),
		On(serviceUsageChanged), On(billToChanged), On(subscriptionSuspended), On(suspensionEnded),
	},
}

func cardAdded(ctx context.Context, tx Tx, e domain.Recorded[card.CardAdded]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `INSERT INTO payment_methods
		(tenant, card_id, owner, brand, last4, exp_month, exp_year, funding, issuer_country, country,
		 holder, bill_to, phone, check_line1, check_postal, check_cvc, last_checked_at,
		 last_decline_class, last_decline_code, last_decline_invoice, manual_above_minor, manual_above_currency, warned_days, said_expired, blocked,
		 removed_at, added_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, $13, $14, $15, $16, '', '', '', $18, $19, 0, 0, 0,
		 0, $16, $16, $17)
		ON CONFLICT (tenant, card_id) DO NOTHING`,
		e.Tenant, e.ID, d.AddedBy, d.Brand, d.Last4, d.ExpMonth, d.ExpYear, d.Funding, d.IssuerCountry, d.Country,
		seal(d.Holder), seal(d.BillTo), d.Checks.Line1, d.Checks.Postal, d.Checks.CVC, at(d.At), e.Revision,
		d.ManualAboveMinor, d.ManualAboveCurrency)
	return err
}

func cardDetailsUpdated(ctx context.Context, tx Tx, e domain.Recorded[card.CardDetailsUpdated]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods
		SET exp_month = CASE WHEN $3 > 0 THEN $3 ELSE exp_month END,
			exp_year = CASE WHEN $4 > 0 THEN $4 ELSE exp_year END,
			holder = COALESCE($5, holder), bill_to = COALESCE($6, bill_to),
			phone = CASE WHEN $7 = 1 THEN $8 ELSE phone END,
			check_cvc = CASE WHEN $11 = '' THEN check_cvc ELSE $11 END,
			warned_days = CASE WHEN $3 + $4 > 0 THEN 0 ELSE warned_days END,
			said_expired = CASE WHEN $3 + $4 > 0 THEN 0 ELSE said_expired END,
			updated_at = $9, revision = $10
		WHERE tenant = $1 AND card_id = $2`,
		e.Tenant, e.ID, d.ExpMonth, d.ExpYear, seal(d.Holder), seal(d.BillTo),
		flag(slices.Contains(d.Changed, "phone")), seal(d.Phone), at(e.At), e.Revision, d.CVCCheck)
	return err
}

func cardAutomaticallyUpdated(ctx context.Context, tx Tx, e domain.Recorded[card.CardAutomaticallyUpdated]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods
		SET warned_days = CASE WHEN exp_month = $4 AND exp_year = $5 THEN warned_days ELSE 0 END,
			said_expired = CASE WHEN exp_month = $4 AND exp_year = $5 THEN said_expired ELSE 0 END,
			last4 = $3, exp_month = $4, exp_year = $5, brand = $6,
			blocked = CASE WHEN last4 = $3 AND $9 = 0 THEN blocked ELSE 0 END, last_checked_at = $7, updated_at = $7, revision = $8
		WHERE tenant = $1 AND card_id = $2`,
		e.Tenant, e.ID, d.Last4, d.ExpMonth, d.ExpYear, d.Brand, at(d.At), e.Revision, flag(d.Fingerprint != ""))
	return err
}

func cardRemoved(ctx context.Context, tx Tx, e domain.Recorded[card.CardRemoved]) error {
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods SET removed_at = $3, updated_at = $3, revision = $4
		WHERE tenant = $1 AND card_id = $2`, e.Tenant, e.ID, at(e.At), e.Revision)
	return err
}

func cardExpiringSoon(ctx context.Context, tx Tx, e domain.Recorded[card.CardExpiringSoon]) error {
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods SET warned_days = $3, revision = $4
		WHERE tenant = $1 AND card_id = $2`, e.Tenant, e.ID, e.Data.Days, e.Revision)
	return err
}

func cardExpired(ctx context.Context, tx Tx, e domain.Recorded[card.CardExpired]) error {
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods SET said_expired = 1, updated_at = $3, revision = $4
		WHERE tenant = $1 AND card_id = $2`, e.Tenant, e.ID, at(e.At), e.Revision)
	return err
}

func cardReportedLost(ctx context.Context, tx Tx, e domain.Recorded[card.CardReportedLost]) error {
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods SET blocked = 1, updated_at = $3, revision = $4
		WHERE tenant = $1 AND card_id = $2`, e.Tenant, e.ID, at(e.At), e.Revision)
	return err
}

func expiryCheckPostponed(ctx context.Context, tx Tx, e domain.Recorded[card.ExpiryCheckPostponed]) error {
	return cardSeen(ctx, tx, e.Tenant, e.ID, e.Revision)
}

// What a card's own stream says of subscriptions only moves its revision.

func cardReplaced(ctx context.Context, tx Tx, e domain.Recorded[card.CardReplaced]) error {
	return cardSeen(ctx, tx, e.Tenant, e.ID, e.Revision)
}

func cardAttached(ctx context.Context, tx Tx, e domain.Recorded[card.CardAttached]) error {
	return cardSeen(ctx, tx, e.Tenant, e.ID, e.Revision)
}

func cardDetached(ctx context.Context, tx Tx, e domain.Recorded[card.CardDetached]) error {
	return cardSeen(ctx, tx, e.Tenant, e.ID, e.Revision)
}

func cardSeen(ctx context.Context, tx Tx, tenant, id string, revision int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods SET revision = $3 WHERE tenant = $1 AND card_id = $2`,
		tenant, id, revision)
	return err
}

// A gateway's answers may come late; an older one than the last changes nothing.

func cardCharged(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeSucceeded]) error {
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods
		SET last_checked_at = $3, last_decline_class = '', last_decline_code = '', last_decline_invoice = ''
		WHERE tenant = $1 AND card_id = $2 AND last_checked_at <= $3`,
		e.Tenant, e.Data.CardID, at(e.Data.At))
	return err
}

func cardDeclined(ctx context.Context, tx Tx, e domain.Recorded[collection.ChargeDeclined]) error {
	d, shown := e.Data, e.Data.Shown()
	_, err := tx.ExecContext(ctx, `UPDATE payment_methods
		SET last_checked_at = $3, last_decline_class = $4, last_decline_code = $5, last_decline_invoice = $6,
			check_line1 = CASE WHEN $7 = '' THEN check_line1 ELSE $7 END,
			check_postal = CASE WHEN $8 = '' THEN check_postal ELSE $8 END,
			check_cvc = CASE WHEN $9 = '' THEN check_cvc ELSE $9 END
		WHERE tenant = $1 AND card_id = $2 AND last_checked_at <= $3`,
		e.Tenant, d.CardID, at(d.At), string(shown.Class), shown.Code, e.ID,
		d.Checks.Line1, d.Checks.Postal, d.Checks.CVC)
	return err
}

// CardStatus is whether a card can be charged, as far as can be known here.
type CardStatus string

// The statuses of a card.
const (
	CardActive  CardStatus = "active"
	CardExpired CardStatus = "expired"
	CardBlocked CardStatus = "blocked" // the bank accepts it no more; why is between it and the holder
	CardRemoved CardStatus = "removed"
)

// PaymentMethod is a card.
type PaymentMethod struct {
	CardID        string                        `json:"cardId"`
	Owner         string                        `json:"owner"` // the admin who added it
	Brand         string                        `json:"brand"`
	Last4         string                        `json:"last4"`
	ExpMonth      int                           `json:"expMonth"`              // 1-12; 0 if it may not be kept
	ExpYear       int                           `json:"expYear"`               // four digits; likewise
	ValidUntil    time.Time                     `json:"validUntil,omitzero"`   // when it stops being valid; likewise
	WarnedDays    int                           `json:"warnedDays,omitzero"`   // before the expiry: of the last warning
	ManualAbove   *Amount                       `json:"manualAbove,omitempty"` // what is more is paid by hand
	Funding       string                        `json:"funding"`
	IssuerCountry string                        `json:"issuerCountry"`
	Country       string                        `json:"country"`
	Status        CardStatus                    `json:"status"`
	Holder        domain.Personal[string]       `json:"holder,omitzero"`
	BillTo        domain.Personal[card.Address] `json:"billTo,omitzero"`
	Phone         domain.Personal[string]       `json:"phone,omitzero"`
	Checks        card.Checks                   `json:"checks"`
	LastCheckedAt time.Time                     `json:"lastCheckedAt"`
	LastDecline   *LastDecline                  `json:"lastDecline,omitempty"` // unless a charge has succeeded since
	Subscriptions []CardUse                     `json:"subscriptions"`         // that it is on, in the order of their IDs
	RemovedAt     time.Time                     `json:"removedAt,omitzero"`
	AddedAt       time.Time                     `json:"addedAt"`
	UpdatedAt     time.Time                     `json:"updatedAt"`
	Revision      int64                         `json:"revision"` // of the card's stream, as far as it is in the row
}

// Amount is a sum of money.
type Amount struct {
	AmountMinor int64  `json:"amountMinor"` // in the currency's smallest unit
	Currency    string `json:"currency"`    // ISO 4217
}

// LastDecline is what may be shown of why a card was last declined. See
// [Decline] for what to do about it.
type LastDecline struct {
	Class     collection.Class `json:"class"`
	Code      string           `json:"code"`
	InvoiceID string           `json:"invoiceId"`
	At        time.Time        `json:"at"`
}

// CardUse is a subscription that a card is on.
type CardUse struct {
	SubscriptionID string `json:"subscriptionId"`
	Primary        bool   `json:"primary"`
}

const selectPaymentMethod = `SELECT card_id, owner, brand, last4, exp_month, exp_year, funding, issuer_country, country,
	holder, bill_to, phone, check_line1, check_postal, check_cvc, last_checked_at,
	last_decline_class, last_decline_code, last_decline_invoice,
	manual_above_minor, manual_above_currency, warned_days, said_expired, blocked, removed_at, added_at, updated_at, revision,
	(SELECT string_agg(s.subscription_id || CASE WHEN s.priority = 0 THEN '=1' ELSE '=0' END, ' ')
		FROM subscription_cards s WHERE s.tenant = m.tenant AND s.card_id = m.card_id)
	FROM payment_methods m WHERE tenant = $1`

// PaymentMethodByID returns a card, also a removed one. Now decides whether it has
// expired. If there is none, it returns [sql.ErrNoRows].
func PaymentMethodByID(ctx context.Context, db DB, tenant, cardID string, now time.Time) (PaymentMethod, error) {
	return scanPaymentMethod(now)(db.QueryRowContext(ctx, selectPaymentMethod+` AND card_id = $2`, tenant, cardID))
}

// PaymentMethodFilter narrows the cards. Zero fields narrow nothing.
type PaymentMethodFilter struct {
	Owner       string // an admin's ID
	WithRemoved bool   // removed cards, too
}

// PaymentMethodList returns the tenant's cards in the order of their IDs, and
// the cursor of the next page or "". Now decides which have expired. A cursor
// that is not one is an [ErrCursor].
func PaymentMethodList(
	ctx context.Context, db DB, tenant string, f PaymentMethodFilter, now time.Time, cursor string, limit int,
) ([]PaymentMethod, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanPaymentMethod(now), func(m PaymentMethod) []string { return []string{m.CardID} },
		selectPaymentMethod+` AND card_id > $2 AND ($3 = '' OR owner = $3) AND ($4 = 1 OR removed_at = 0)
		ORDER BY card_id LIMIT $5`, tenant, key[0], f.Owner, flag(f.WithRemoved))
}

func scanPaymentMethod(now time.Time) func(scanner) (PaymentMethod, error) {
	return func(row scanner) (m PaymentMethod, err error) {
		var last LastDecline
		var uses sql.NullString
		var manual Amount
		var expired, blocked int
		err = row.Scan(&m.CardID, &m.Owner, &m.Brand, &m.Last4, &m.ExpMonth, &m.ExpYear, &m.Funding,
			&m.IssuerCountry, &m.Country, sealed[string]{&m.Holder}, sealed[card.Address]{&m.BillTo}, sealed[string]{&m.Phone},
			&m.Checks.Line1, &m.Checks.Postal, &m.Checks.CVC, instant{&m.LastCheckedAt},
			&last.Class, &last.Code, &last.InvoiceID, &manual.AmountMinor, &manual.Currency, &m.WarnedDays, &expired, &blocked,
			instant{&m.RemovedAt}, instant{&m.AddedAt}, instant{&m.UpdatedAt},
			&m.Revision, &uses)
		if err != nil {
			return m, err
		}
		if last.Class != "" {
			last.At = m.LastCheckedAt
			m.LastDecline = &last
		}
		if manual.AmountMinor > 0 {
			m.ManualAbove = &manual
		}
		m.ValidUntil = card.ValidUntil(m.ExpMonth, m.ExpYear)
		m.Subscriptions = cardUses(uses.String)
		m.Status = CardActive
		switch {
		case !m.RemovedAt.IsZero():
			m.Status = CardRemoved
		case blocked == 1:
			m.Status = CardBlocked
		case expired == 1 || !m.ValidUntil.IsZero() && !now.Before(m.ValidUntil):
			m.Status = CardExpired
		}
		return m, nil
	}
}

// cardUses reads what selectPaymentMethod makes of the card's subscriptions.
func cardUses(list string) []CardUse {
	uses := []CardUse{}
	for use := range strings.FieldsSeq(list) {
		id, primary, _ := strings.Cut(use, "=")
		uses = append(uses, CardUse{id, primary == "1"})
	}
	slices.SortFunc(uses, func(a, b CardUse) int { return strings.Compare(a.SubscriptionID, b.SubscriptionID) })
	return uses
}
