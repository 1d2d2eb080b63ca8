package projections

import (
	"context"
	"time"
)

// UnknownDeclineCode is a decline code that the taxonomy has no place for, and
// how often it came. Such a decline is taken for a bank's plain no, so that
// somebody should find out what it means.
type UnknownDeclineCode struct {
	Code          string    `json:"code"` // the gateway's
	Declines      int       `json:"declines"`
	Organizations int       `json:"organizations"` // that were declined with it
	FirstAt       time.Time `json:"firstAt"`
	LastAt        time.Time `json:"lastAt"`
}

// UnknownDeclineCodes returns the codes of all tenants that no list has, the
// one that came last first, and at most limit of them. It names no tenant; who
// may see it is for the caller to know.
func UnknownDeclineCodes(ctx context.Context, db DB, limit int) (codes []UnknownDeclineCode, err error) {
	rows, err := db.QueryContext(ctx, `SELECT unknown_code, COUNT(*), COUNT(DISTINCT tenant), MIN(at), MAX(at)
		FROM decline_explanations WHERE unknown_code <> ''
		GROUP BY unknown_code ORDER BY MAX(at) DESC, unknown_code LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err says what went wrong
	codes = []UnknownDeclineCode{}
	for rows.Next() {
		var c UnknownDeclineCode
		if err := rows.Scan(&c.Code, &c.Declines, &c.Organizations, instant{&c.FirstAt}, instant{&c.LastAt}); err != nil {
			return nil, err
		}
		codes = append(codes, c)
	}
	return codes, rows.Err()
}
