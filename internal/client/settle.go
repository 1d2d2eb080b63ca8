package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// look is how often Settle asks.
const look = 10 * time.Millisecond

// Settle blocks until everything that follows from what has happened has
// happened: read models have seen it, and messages and commands have gone out.
// What is meant for later is not waited for. With others at work it may never
// return before ctx ends.
//
// It needs no token. It believes what it is told when it is told the same
// twice, since the parts are not asked at the same moment.
func (c *Client) Settle(ctx context.Context) error {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for last := ""; ; {
		at, err := c.settledAt(ctx)
		if err != nil {
			return err
		}
		if at != "" && at == last {
			return nil
		}
		last = at
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for what follows: %w", ctx.Err())
		}
	}
}

// settledAt returns the store's position if nothing is waiting, else "".
func (c *Client) settledAt(ctx context.Context) (string, error) {
	var ready struct {
		Checks struct {
			Store struct {
				Facts struct {
					Position string `json:"position"`
				} `json:"facts"`
			} `json:"store"`
			Outbox struct {
				Facts struct {
					Waiting   int `json:"waiting"`
					LagEvents int `json:"lagEvents"`
				} `json:"facts"`
			} `json:"outbox"`
			Projections struct {
				Facts map[string]struct {
					LagEvents int `json:"lagEvents"`
				} `json:"facts"`
			} `json:"projections"`
		} `json:"checks"`
	}
	err := c.Get(ctx, "/readyz", &ready)
	var p *Problem
	if errors.As(err, &p) && p.Status == http.StatusServiceUnavailable {
		return "", nil // not ready yet
	}
	if err != nil {
		return "", err
	}
	lag := ready.Checks.Outbox.Facts.Waiting + ready.Checks.Outbox.Facts.LagEvents
	for _, p := range ready.Checks.Projections.Facts {
		lag += p.LagEvents
	}
	if lag > 0 {
		return "", nil
	}
	return ready.Checks.Store.Facts.Position, nil
}
