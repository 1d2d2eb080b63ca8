package identity_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"konto/internal/identity"
)

const (
	kontoURL = "https://konto.example"
	provider = "https://login.example"
)

var reset = identity.Recovery{
	Person: "ann", Tenant: "contoso", Reset: "reset-1", Gate: "two", Methods: []string{"mobile", "alternateEmail"},
	At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2026, 11, 22, 9, 10, 0, 0, time.UTC),
}

func recoverySigner(t *testing.T) *identity.RecoverySigner {
	t.Helper()
	s, err := identity.OpenRecoverySigner(identity.RecoveryConfig{
		Issuer: kontoURL, Audience: provider, KeyFile: filepath.Join(t.TempDir(), "recovery.key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecoveryAssertion(t *testing.T) {
	t.Parallel()
	s, stranger := recoverySigner(t), recoverySigner(t)
	token, err := s.Sign(reset)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Sign(reset)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(token, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	for _, c := range []struct {
		name             string
		raw              string
		keys             jose.JSONWebKeySet
		issuer, audience string
		after            time.Duration
		err              error
	}{
		{"S4: fresh", token, s.Keys(), kontoURL, provider, 0, nil},
		{"S4: at the last moment", token, s.Keys(), kontoURL, provider, 10*time.Minute - time.Second, nil},
		{"S4: after ten minutes", token, s.Keys(), kontoURL, provider, 10 * time.Minute, identity.ErrExpired},
		{"S4: from the future", token, s.Keys(), kontoURL, provider, -2 * time.Minute, identity.ErrInvalid},
		{"S4: for another identity provider", token, s.Keys(), kontoURL, "https://other.example", 0, identity.ErrInvalid},
		{"S4: from another Konto", token, s.Keys(), "https://other.example", provider, 0, identity.ErrInvalid},
		{"S4: signed by a stranger", forged, s.Keys(), kontoURL, provider, 0, identity.ErrInvalid},
		{"S4: a stranger's key", token, stranger.Keys(), kontoURL, provider, 0, identity.ErrInvalid},
		{"S4: no keys", token, jose.JSONWebKeySet{}, kontoURL, provider, 0, identity.ErrInvalid},
		{"S4: without its signature", head + "." + claims + ".", s.Keys(), kontoURL, provider, 0, identity.ErrInvalid},
		{"S4: with other claims", head + "." + claims[:len(claims)-2] + "fQ." + signature, s.Keys(), kontoURL, provider, 0, identity.ErrInvalid},
		{"S4: no token", "", s.Keys(), kontoURL, provider, 0, identity.ErrInvalid},
		{"S4: too long", strings.Repeat("a", 1<<15), s.Keys(), kontoURL, provider, 0, identity.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := identity.VerifyRecovery(c.raw, c.keys, c.issuer, c.audience, reset.At.Add(c.after))
			if !errors.Is(err, c.err) {
				t.Fatalf("VerifyRecovery: %v, want %v", err, c.err)
			}
			if c.err == nil && !cmp.Equal(got, reset) {
				t.Errorf("VerifyRecovery (-want +got):\n%s", cmp.Diff(reset, got))
			}
		})
	}
}

// The same completed reset has the same assertion: there is one, ever.
func TestRecoveryAssertionIsTheSame(t *testing.T) {
	t.Parallel()
	s := recoverySigner(t)
	one, err := s.Sign(reset)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := s.Sign(reset); err != nil || one != two {
		t.Errorf("Sign = %s, %v, want %s again", two, err, one)
	}
}

func TestRecoveryIsComplete(t *testing.T) {
	t.Parallel()
	s := recoverySigner(t)
	for name, change := range map[string]func(*identity.Recovery){
		"no person":     func(r *identity.Recovery) { r.Person = "" },
		"no tenant":     func(r *identity.Recovery) { r.Tenant = "" },
		"no reset":      func(r *identity.Recovery) { r.Reset = "" },
		"no life":       func(r *identity.Recovery) { r.ExpiresAt = r.At },
		"too long life": func(r *identity.Recovery) { r.ExpiresAt = r.At.Add(10*time.Minute + time.Second) },
	} {
		r := reset
		change(&r)
		if token, err := s.Sign(r); err == nil {
			t.Errorf("S4: %s: Sign = %s, want an error", name, token)
		}
	}
	if _, err := identity.OpenRecoverySigner(identity.RecoveryConfig{Issuer: kontoURL, Audience: provider}); err == nil {
		t.Error("a signer without a key file was opened")
	}
}

// Neither kind of token is taken for the other.
func TestAccessTokenIsNoRecoveryAssertion(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "shared.key")
	issuer, err := identity.OpenIssuer(identity.IssuerConfig{URL: kontoURL, Audience: provider, KeyFile: key, Now: func() time.Time { return reset.At }})
	if err != nil {
		t.Fatal(err)
	}
	s, err := identity.OpenRecoverySigner(identity.RecoveryConfig{Issuer: kontoURL, Audience: provider, KeyFile: key})
	if err != nil {
		t.Fatal(err)
	}
	token, err := issuer.Mint(identity.Person{ID: "ann", Tenant: "contoso"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := identity.VerifyRecovery(token, s.Keys(), kontoURL, provider, reset.At); !errors.Is(err, identity.ErrInvalid) {
		t.Errorf("an access token is taken for %+v, %v", r, err)
	}
}
