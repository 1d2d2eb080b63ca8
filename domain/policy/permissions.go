package policy

import (
	"konto/domain"
	"konto/domain/relationship"
)

// twoPeople is the stricter edition of what permissions are bounded by: a year
// at the most, and never by one person alone.
func twoPeople() relationship.PermissionTerms {
	t := relationship.Limits.First
	t.MaxDays, t.SecondPerson = 365, true
	return t
}

// permissionReactions end permissions whose time has come.
func permissionReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("expire-purchase-permissions",
			domain.On(forgetful[relationship.PurchasePermissionProposed],
				func(_ *nothing, e domain.Recorded[relationship.PurchasePermissionProposed]) []domain.Effect {
					return expire(e.ID, e.Data.Allowance, e)
				}),
			domain.On(forgetful[relationship.PurchasePermissionGranted],
				func(_ *nothing, e domain.Recorded[relationship.PurchasePermissionGranted]) []domain.Effect {
					return expire(e.ID, e.Data.Allowance, e)
				}),
		),
	}
}

func expire[E any](id string, a relationship.Allowance, e domain.Recorded[E]) []domain.Effect {
	if a.ExpiresAt.IsZero() {
		return nil
	}
	return []domain.Effect{domain.Dispatch{
		To:      id,
		Command: relationship.ExpirePurchasePermission{Resource: a.Resource, Action: a.Action, ExpiresAt: a.ExpiresAt},
		After:   a.ExpiresAt.Sub(e.At),
	}}
}
