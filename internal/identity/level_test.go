package identity_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/internal/identity"
)

func TestLevel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name string
		acr  string
		amr  []string
		want domain.Level
	}{
		{"I5: nothing is said", "", nil, 0},
		{"I5: the issuer's own word for it", "urn:example:silver", nil, 0},
		{"I5: one proof, by name", identity.ACR(1), nil, 1},
		{"I5: two proofs, by name", identity.ACR(2), nil, 2},
		{"I5: a device that gives no key away, by name", identity.ACR(3), nil, 3},
		{"I5: phishing-resistant", "phr", nil, 2},
		{"I5: phishing-resistant, in hardware", "phrh", nil, 3},
		{"I5: a password", "", []string{"pwd"}, 1},
		{"I5: a password and a PIN are one kind", "", []string{"pwd", "pin"}, 1},
		{"I5: a password and a text message", "", []string{"pwd", "sms"}, 2},
		{"I5: a key and a fingerprint", "", []string{"hwk", "fpt"}, 2},
		{"I5: three kinds are no third level", "", []string{"hwk", "fpt", "pin"}, 2},
		{"I5: more than one, the issuer says", "", []string{"mfa"}, 2},
		{"I5: a place is no proof", "", []string{"pwd", "geo", "newer"}, 1},
		{"I5: the name counts before the methods", identity.ACR(1), []string{"pwd", "otp"}, 1},
		{"I5: methods count where the name is not known", "0", []string{"pwd", "otp"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := identity.Person{ID: "7", Tenant: "acme", ACR: c.acr, Methods: c.amr}
			got, err := w.verifier.Actor(t.Context(), mint(t, w.issuer, p, time.Hour))
			if err != nil || got.Level != c.want {
				t.Errorf("level = %d, %v, want %d", got.Level, err, c.want)
			}
		})
	}
}

func TestACR(t *testing.T) {
	t.Parallel()
	for _, l := range []domain.Level{-1, 0, domain.MaxLevel + 1} {
		if got := identity.ACR(l); got != "" {
			t.Errorf("ACR(%d) = %q, want none", l, got)
		}
	}
}
