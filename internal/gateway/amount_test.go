package gateway_test

import (
	"net/http"
	"testing"

	"konto/domain/collection"
	"konto/internal/gateway"
)

// Stripe counts three currencies in another unit than ISO 4217.
func TestAmountsAreInISOsSmallestUnit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		currency      string
		stripe, minor int64
	}{
		{"sek", 14900, 14900},
		{"jpy", 500, 500},
		{"kwd", 5120, 5120},
		{"huf", 100000, 100000},
		{"isk", 14900, 149},
		{"ISK", 100, 1},
		{"ugx", 500, 5},
		{"mga", 5, 500},
	} {
		if got := gateway.FromStripe(c.stripe, c.currency); got != c.minor {
			t.Errorf("FromStripe(%d, %s) = %d, want %d", c.stripe, c.currency, got, c.minor)
		}
		if got := gateway.ToStripe(c.minor, c.currency); got != c.stripe {
			t.Errorf("ToStripe(%d, %s) = %d, want %d", c.minor, c.currency, got, c.stripe)
		}
	}
	if got := gateway.FromStripe(4010, "isk"); got != 41 {
		t.Errorf("FromStripe(40.10 ISK) = %d, want 41", got)
	}
}

func TestADeclineIsInISOsSmallestUnit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status, r := w.deliver(event("evt_1", "charge.failed", charge(map[string]any{"currency": "isk", "failure_code": "expired_card"})))
	if status != http.StatusOK || r.Outcome != "carried-out" {
		t.Fatalf("the decline: %d %+v, want carried-out", status, r)
	}
	if d := find[collection.ChargeDeclined](w, "ChargeDeclined"); len(d) != 1 || d[0].AmountMinor != 149 || d[0].Currency != "ISK" {
		t.Errorf("declines = %+v, want one of 149 ISK", d)
	}
}
