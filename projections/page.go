package projections

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"konto/domain"
)

// Sizes of a page. A query takes a limit: DefaultPage if it is not positive,
// and never more than MaxPage.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// ErrCursor rejects a cursor that no query returned.
var ErrCursor = domain.Malformed("cursor-malformed", "the cursor is not one that this list returned").At("/cursor")

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// list returns the page of rows that query yields, and the cursor of the page
// after it, or "". Query ends in "LIMIT $n", whose argument list adds: one row
// more than asked for, which tells whether there is another page.
func list[R any](
	ctx context.Context, db DB, limit int, scan func(scanner) (R, error), key func(R) []string,
	query string, args ...any,
) ([]R, string, error) {
	limit = pageSize(limit)
	rows, err := all(ctx, db, scan, query, append(args, limit+1)...)
	if err != nil || len(rows) <= limit {
		return rows, "", err
	}
	rows = rows[:limit]
	return rows, cursor(key(rows[limit-1])...), nil
}

// all returns all rows that query yields, and never nil.
func all[R any](ctx context.Context, db DB, scan func(scanner) (R, error), query string, args ...any) ([]R, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := []R{}
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func pageSize(limit int) int {
	if limit <= 0 {
		return DefaultPage
	}
	return min(limit, MaxPage)
}

// cursor returns the opaque form of a row's key. It carries no right: each
// query names its tenant beside the cursor.
func cursor(key ...string) string {
	b, _ := json.Marshal(key) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// after returns the n parts of a cursor's key, or n empty strings for "".
func after(cursor string, n int) ([]string, error) {
	key := make([]string, n)
	if cursor == "" {
		return key, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, ErrCursor
	}
	if json.Unmarshal(b, &key) != nil || len(key) != n {
		return nil, ErrCursor
	}
	return key, nil
}

// before returns the position that a cursor holds, or the highest for "": the
// lists in order of position begin with the newest.
func before(cursor string) (int64, error) {
	if cursor == "" {
		return math.MaxInt64, nil
	}
	key, err := after(cursor, 1)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(key[0], 10, 64)
	if err != nil || n < 0 {
		return 0, ErrCursor
	}
	return n, nil
}

func positionKey(position uint64) []string { return []string{strconv.FormatUint(position, 10)} }
