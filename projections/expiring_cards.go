package projections

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"konto/domain/card"
)

// ExpiringCard is a card that ends soon, or has ended, and what depends on it.
type ExpiringCard struct {
	CardID     string    `json:"cardId"`
	Owner      string    `json:"owner"` // the admin who added it
	Brand      string    `json:"brand"`
	Last4      string    `json:"last4"`
	ExpMonth   int       `json:"expMonth"`
	ExpYear    int       `json:"expYear"`
	ValidUntil time.Time `json:"validUntil"`
	Days       int       `json:"days"`                // that are left, begun ones counted; 0 if it has expired
	WarnedDays int       `json:"warnedDays,omitzero"` // before the expiry: of the last warning
	// Alone are the subscriptions that only this card pays for.
	Alone         []string  `json:"alone"`
	Subscriptions []CardUse `json:"subscriptions"` // that it is on, in the order of their IDs
}

// ExpiringCards returns the tenant's cards that are valid for no more than so
// many days from now, the first to end first, and the cursor of the next page
// or "". Cards whose expiry is not known are not among them. A cursor that is
// not one is an [ErrCursor].
func ExpiringCards(
	ctx context.Context, db DB, tenant string, now time.Time, days int, cursor string, limit int,
) ([]ExpiringCard, string, error) {
	key, err := after(cursor, 2)
	if err != nil {
		return nil, "", err
	}
	from := 0
	if key[0] != "" {
		if from, err = strconv.Atoi(key[0]); err != nil {
			return nil, "", ErrCursor
		}
	}
	// A card of a month ends with the next one's first noon UTC.
	until := now.AddDate(0, 0, days).UTC().Add(-12 * time.Hour)
	last := time.Date(until.Year(), until.Month(), 0, 0, 0, 0, 0, time.UTC)
	scan := func(row scanner) (e ExpiringCard, err error) {
		var uses, alone sql.NullString
		err = row.Scan(&e.CardID, &e.Owner, &e.Brand, &e.Last4, &e.ExpMonth, &e.ExpYear, &e.WarnedDays, &uses, &alone)
		e.ValidUntil = card.ValidUntil(e.ExpMonth, e.ExpYear)
		e.Days = max(0, int((e.ValidUntil.Sub(now)+24*time.Hour-1)/(24*time.Hour)))
		e.Subscriptions, e.Alone = cardUses(uses.String), []string{}
		for _, use := range cardUses(alone.String) {
			e.Alone = append(e.Alone, use.SubscriptionID)
		}
		return e, err
	}
	return list(ctx, db, limit, scan,
		func(e ExpiringCard) []string { return []string{strconv.Itoa(e.ExpYear*100 + e.ExpMonth), e.CardID} },
		`SELECT card_id, owner, brand, last4, exp_month, exp_year, warned_days,
			(SELECT string_agg(s.subscription_id || CASE WHEN s.priority = 0 THEN '=1' ELSE '=0' END, ' ')
				FROM subscription_cards s WHERE s.tenant = m.tenant AND s.card_id = m.card_id),
			(SELECT string_agg(s.subscription_id || '=1', ' ')
				FROM subscription_cards s WHERE s.tenant = m.tenant AND s.card_id = m.card_id AND s.priority = 0
				AND NOT EXISTS (SELECT 1 FROM subscription_cards b
					WHERE b.tenant = s.tenant AND b.subscription_id = s.subscription_id AND b.priority > 0))
		FROM payment_methods m
		WHERE tenant = $1 AND removed_at = 0 AND exp_month > 0 AND exp_year * 100 + exp_month <= $2
			AND (exp_year * 100 + exp_month > $3 OR exp_year * 100 + exp_month = $3 AND card_id > $4)
		ORDER BY exp_year * 100 + exp_month, card_id LIMIT $5`,
		tenant, last.Year()*100+int(last.Month()), from, key[1])
}

// CardImpact is what depends on a card: what would move if it were replaced,
// and what would stop if it failed.
type CardImpact struct {
	CardID        string               `json:"cardId"`
	Revision      int64                `json:"revision"` // of the card's stream, as far as it is in the row
	Subscriptions []ImpactSubscription `json:"subscriptions"`
}

// ImpactSubscription is a subscription that a card is on.
type ImpactSubscription struct {
	SubscriptionID string             `json:"subscriptionId"`
	Product        string             `json:"product"`
	Status         SubscriptionStatus `json:"status"`
	Primary        bool               `json:"primary"`
	Backups        int                `json:"backups"` // other cards that could step in
	Stops          bool               `json:"stops"`   // nothing else would pay for it
}

// Impact returns what depends on a card. If there is no such card, it returns
// [sql.ErrNoRows].
func Impact(ctx context.Context, db DB, tenant, cardID string) (CardImpact, error) {
	i := CardImpact{CardID: cardID, Subscriptions: []ImpactSubscription{}}
	err := db.QueryRowContext(ctx, `SELECT revision FROM payment_methods WHERE tenant = $1 AND card_id = $2`, tenant, cardID).Scan(&i.Revision)
	if err != nil {
		return i, err
	}
	rows, err := db.QueryContext(ctx, `SELECT s.subscription_id, s.product, s.cancelled_at, s.deleted_at, c.priority,
			`+suspendedAt+`,
			(SELECT COUNT(*) FROM subscription_cards b WHERE b.tenant = c.tenant
				AND b.subscription_id = c.subscription_id AND b.card_id <> c.card_id AND b.priority > 0)
		FROM subscription_cards c JOIN subscriptions s ON s.tenant = c.tenant AND s.subscription_id = c.subscription_id
		WHERE c.tenant = $1 AND c.card_id = $2 ORDER BY s.subscription_id`, tenant, cardID)
	if err != nil {
		return i, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		var s ImpactSubscription
		var suspended, cancelled, deleted time.Time
		var priority int
		if err := rows.Scan(&s.SubscriptionID, &s.Product, instant{&cancelled}, instant{&deleted}, &priority, instant{&suspended}, &s.Backups); err != nil {
			return i, err
		}
		s.Status = subscriptionStatus(suspended, cancelled, deleted)
		s.Primary = priority == 0
		s.Stops = s.Primary && s.Backups == 0
		i.Subscriptions = append(i.Subscriptions, s)
	}
	return i, rows.Err()
}
