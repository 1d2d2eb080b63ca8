package policy_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/relationship"
)

func TestPermissionsExpire(t *testing.T) {
	const name = "expire-purchase-permissions"
	rel := relationship.ID(partner, own)
	granted := event(rel, relationship.PurchasePermissionGranted{})
	ends := relationship.Allowance{Resource: "r", Action: "a", ExpiresAt: granted.At.Add(72 * time.Hour)}
	then := []domain.Effect{domain.Dispatch{
		To: rel, After: 72 * time.Hour, Command: relationship.ExpirePurchasePermission{Resource: "r", Action: "a", ExpiresAt: ends.ExpiresAt},
	}}
	run(t, []reactionCase{
		{name: "N17: granted with an end", reaction: name, when: event(rel, relationship.PurchasePermissionGranted{Allowance: ends}), then: then},
		{name: "N17: proposed with an end", reaction: name, when: event(rel, relationship.PurchasePermissionProposed{Allowance: ends}), then: then},
		{name: "P8: granted until it is turned off", reaction: name, when: granted},
	})
}
