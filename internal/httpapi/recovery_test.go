package httpapi

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/securityinfo"
	"konto/internal/command"
	"konto/internal/identity"
)

// A completed reset has one assertion, which the identity provider can check;
// a repeated command, a dry run and any other event have none.
func TestRecoveryAssertionIsGivenOnce(t *testing.T) {
	t.Parallel()
	const issuer, audience = "https://konto.example", "https://login.example"
	signer, err := identity.OpenRecoverySigner(identity.RecoveryConfig{
		Issuer: issuer, Audience: audience, KeyFile: filepath.Join(t.TempDir(), "recovery.key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	data, err := json.Marshal(securityinfo.PasswordResetCompleted{
		Reset: "reset-1", Gate: securityinfo.GateTwo, Methods: []securityinfo.Slot{securityinfo.SlotMobile, securityinfo.SlotAlternateEmail},
		At: at, AssertionExpiresAt: at.Add(10 * time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	req := command.Request{Category: "secinfo", Target: "ann", Actor: domain.Actor{ID: "idp", Kind: domain.KindIdentity, Tenant: "contoso"}}
	res := command.Result{Events: []command.Event{{Type: "PasswordResetCompleted", Data: data}}}
	dry, again := req, res
	dry.DryRun, again.Replayed = true, true
	for _, c := range []struct {
		name   string
		signer *identity.RecoverySigner
		req    command.Request
		res    command.Result
		want   bool
	}{
		{"S4: a completed reset", signer, req, res, true},
		{"S4: the same command again", signer, req, again, false},
		{"S4: a dry run", signer, dry, res, false},
		{"S4: another event", signer, req, command.Result{Events: []command.Event{{Type: "RecoveryProofAccepted", Data: data}}}, false},
		{"S4: an event of another kind of account", signer, command.Request{Category: "card"}, res, false},
		{"S4: nobody signs", nil, req, res, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &server{Config: Config{Recovery: c.signer}}
			token, err := s.assertRecovery(c.req, c.res)
			if err != nil || (token != "") != c.want {
				t.Fatalf("assertRecovery = %q, %v, want one = %v", token, err, c.want)
			}
			if !c.want {
				return
			}
			got, err := identity.VerifyRecovery(token, signer.Keys(), issuer, audience, at.Add(time.Minute))
			if err != nil || got.Reset != "reset-1" || got.Person != "ann" || got.Tenant != "contoso" || len(got.Methods) != 2 {
				t.Errorf("VerifyRecovery = %+v, %v", got, err)
			}
		})
	}
}
