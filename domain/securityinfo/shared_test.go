package securityinfo_test

import (
	"testing"

	"konto/domain"
	. "konto/domain/securityinfo"
)

// Accounts may share a phone and an alternate address for recovery, as families
// and small offices do: nothing that sets one reserves it. Nobody signs in here
// by text message, for which a number would have to be one account's alone.
func TestI6ContactsMayBeShared(t *testing.T) {
	t.Parallel()
	for _, c := range Aggregate.Commands() {
		cmd, err := Aggregate.DecodeCommand(domain.Raw{Type: c.Name, Data: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := cmd.(domain.Reserver); ok {
			t.Errorf("%s reserves %v, want contacts that accounts can share", c.Name, r.Reserves(domain.Meta{}))
		}
	}
}
