package projections

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"konto/domain"
)

// ErrNotSealed reports a personal value in clear on its way to a table. The
// read database is no place for it: its files and backups are not erased when
// a person's key is.
var ErrNotSealed = errors.New("personal value is not sealed")

// sealed is a column that holds a personal value, as JSON in exactly the form
// in which the event had it, or NULL for none.
type sealed[T any] struct{ p *domain.Personal[T] }

func seal[T any](p domain.Personal[T]) sealed[T] { return sealed[T]{&p} }

// Value implements [driver.Valuer].
func (s sealed[T]) Value() (driver.Value, error) {
	switch {
	case s.p.IsZero():
		return nil, nil
	case s.p.Readable():
		return nil, fmt.Errorf("about %s: %w", s.p.Subject, ErrNotSealed)
	}
	b, err := s.p.MarshalJSON()
	return string(b), err
}

// Scan implements [database/sql.Scanner].
func (s sealed[T]) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*s.p = domain.Personal[T]{}
		return nil
	case string:
		return json.Unmarshal([]byte(src), s.p)
	case []byte:
		return json.Unmarshal(src, s.p)
	}
	return fmt.Errorf("a personal value is text, not %T", src)
}

// instant is a column that holds a time, in microseconds since 1970 UTC, or 0
// for none.
type instant struct{ t *time.Time }

func at(t time.Time) instant { return instant{&t} }

// Value implements [driver.Valuer].
func (i instant) Value() (driver.Value, error) {
	if i.t.IsZero() {
		return int64(0), nil
	}
	return i.t.UnixMicro(), nil
}

// Scan implements [database/sql.Scanner].
func (i instant) Scan(src any) error {
	n, ok := src.(int64)
	switch {
	case src == nil || ok && n == 0:
		*i.t = time.Time{}
	case !ok:
		return fmt.Errorf("a time is a number, not %T", src)
	default:
		*i.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// flag returns b as the INTEGER that both databases have.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
