package command

import (
	"context"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
)

// rehearse is the end of a dry run: what would have been stored, and what
// would have followed from it.
func (h *Handler) rehearse(ctx context.Context, t task, e *entry, m domain.Meta, events []any, trace []domain.Ruling, refused error) (Result, error) {
	res := Result{Stream: e.stream, Revision: e.revision, Trace: trace, Versions: t.versions}
	if err := h.reserve(ctx, t, m, refused); err != nil {
		return res, err
	}
	records, shown, err := h.record(ctx, t, e, m, events, refused)
	if err != nil {
		return res, err
	}
	res.Events = shown
	if h.Preview == nil {
		return res, refused
	}
	told := make([]domain.Recorded[any], len(records))
	for i, r := range records {
		meta, err := envelope.ParseMeta(r.Meta)
		if err != nil {
			return res, err
		}
		at := eventstore.Recorded{Event: r, Stream: e.stream, Revision: e.revision + 1 + eventstore.Revision(i), At: t.at}
		if told[i], err = h.Contracts.Decode(at, r.Data, meta); err != nil {
			return res, err
		}
	}
	if res.Effects, err = h.Preview(ctx, told); err != nil {
		return res, err
	}
	return res, refused
}
