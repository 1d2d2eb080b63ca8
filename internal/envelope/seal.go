package envelope

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"konto/eventstore"
	"konto/internal/privacy"
)

// Seal returns e with its metadata, personal values in both sealed, as it is
// appended to stream.
func Seal(ctx context.Context, k *privacy.Keys, stream, tenant string, e eventstore.Event, m Meta) (eventstore.Event, error) {
	where := privacy.Context{Tenant: tenant, Stream: stream, EventID: uuid.UUID(e.ID).String(), Type: e.Type}
	var err error
	if e.Data, err = k.Seal(ctx, where, e.Data); err != nil {
		return e, fmt.Errorf("data: %w", err)
	}
	meta, err := m.encode()
	if err != nil {
		return e, fmt.Errorf("metadata: %w", err)
	}
	if e.Meta, err = k.Seal(ctx, where.Metadata(), meta); err != nil {
		return e, fmt.Errorf("metadata: %w", err)
	}
	return e, nil
}

// OpenData returns r's data with its personal values open.
func OpenData(ctx context.Context, k *privacy.Keys, r eventstore.Recorded, tenant string) ([]byte, error) {
	return k.Open(ctx, Where(r, tenant), r.Data)
}

// OpenMeta returns r's metadata with its personal values open.
func OpenMeta(ctx context.Context, k *privacy.Keys, r eventstore.Recorded, tenant string) ([]byte, error) {
	return k.Open(ctx, Where(r, tenant).Metadata(), r.Meta)
}

// Where is the place that sealed values in r's data are bound to.
func Where(r eventstore.Recorded, tenant string) privacy.Context {
	return privacy.Context{Tenant: tenant, Stream: r.Stream, EventID: uuid.UUID(r.ID).String(), Type: r.Type}
}
