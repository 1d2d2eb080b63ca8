package reactor

import (
	"context"
	"errors"
	"fmt"

	"konto/internal/readdb"
)

// Reset makes the reactor of the file at path begin anew, for a store with other
// positions. Effects that wait stay. It must not be running. Effects are asked
// for again under the same IDs, so that each is still carried out once.
func Reset(ctx context.Context, path string) error {
	file, err := readdb.OpenFile(ctx, path, readdb.FileOptions{Durable: true})
	if err != nil {
		return fmt.Errorf("reset reactor: %w", err)
	}
	o := &outbox{file}
	_, err = o.open(ctx)
	if err == nil {
		err = o.reset(ctx)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("reset reactor: %w", err)
	}
	return nil
}
