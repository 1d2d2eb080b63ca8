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

// An address in use leaves a keyed hash, by which the accounts that share it
// are told, however it is written; a phone leaves none, and so does an address
// that nobody can read any more.
func TestI6SharedAddressesAreTold(t *testing.T) {
	t.Parallel()
	last := func(events []Event) string { return events[len(events)-1].(ContactVerified).EmailMAC }
	one := last(history(do(altMail(private)), confirm(SlotAlternateEmail)))
	for name, c := range map[string]struct {
		events []Event
		want   bool
	}{
		"I6: the same address in other letters": {history(do(altMail("Ann@HOME.example")), confirm(SlotAlternateEmail)), true},
		"I6: another address":                   {history(do(altMail(private2)), confirm(SlotAlternateEmail)), false},
		"I6: a phone":                           {history(do(mobile(number)), confirm(SlotMobile)), false},
		"I6: the address of a change":           {history(do(altMail(private2)), confirm(SlotAlternateEmail), do(altMail(private)), confirm(SlotAlternateEmail)), true},
	} {
		if got := last(c.events); (got == one) != c.want || one == "" {
			t.Errorf("%s: hash %q, the first's %q, want them equal = %v", name, got, one, c.want)
		}
	}
}
