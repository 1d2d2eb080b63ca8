package policy

import (
	"slices"

	"konto/domain"
)

// Reactions are all policies and processes. Their names are for ever.
var Reactions = slices.Concat(
	contactReactions(),
	recoveryReactions(),
	declineReactions(),
	collectionReactions(),
	invoiceSwitchReactions(),
	collectionNotices(),
	cardReactions(),
	expiryReactions(),
	subscriptionReactions(),
	customerReactions(),
	permissionReactions(),
	partnerReactions(),
	reservationReactions(),
	erasureReactions(),
	peopleReactions(),
	offboardingReactions(),
	lockoutReactions(),
	auditReactions(),
	peopleNotices(),
	webhookReactions(),
)

// The messages, by the names that package notify knows them under.
const (
	contactCode               = "contact_code"
	securityContactChanged    = "security_contact_changed"
	alternateEmailInvalidated = "alternate_email_invalidated"
	cardDeclinedFinal         = "card_declined_final"
	serviceSuspended          = "service_suspended"
	serviceRestored           = "service_restored"
	invoiceSwitchStatus       = "invoice_switch_status"
	cardDeclined              = "card_declined"
	paymentByHand             = "payment_by_hand"
	cardChanged               = "card_changed"
	cardExpiring              = "card_expiring"
	cardExpired               = "card_expired"
	backupCardRequested       = "backup_card_requested"
	billingAddressChanged     = "billing_address_changed"
	subscriptionCancelled     = "subscription_cancelled"
	subscriptionReactivated   = "subscription_reactivated"
	customerAccountChanged    = "customer_account_changed"
	userNameChanged           = "user_name_changed"
	orgProfileChanged         = "org_profile_changed"
	offboardingItems          = "offboarding_items"
	formerUserAccess          = "former_user_access"
	purchasePermissionChanged = "purchase_permission_changed"
	purchaseMade              = "purchase_made"
	relationshipChanged       = "relationship_changed"
	webhookFailed             = "webhook_failed"
	webhookDisabled           = "webhook_disabled"
)

// aboutBills are the messages about cards and payments.
var aboutBills = []string{
	cardChanged, cardExpiring, cardExpired, cardDeclined, cardDeclinedFinal, backupCardRequested, paymentByHand,
	billingAddressChanged, subscriptionCancelled, subscriptionReactivated, serviceSuspended, serviceRestored, invoiceSwitchStatus,
}

// team is who looks after a tenant's bills: its global and billing admins.
type team struct {
	Admins roster `json:"admins,omitempty"`
}

func (t *team) gain(id string, roles ...domain.Role) {
	for _, r := range roles {
		if r == domain.GlobalAdmin || r == domain.BillingAdmin {
			t.Admins.gain(id, r)
		}
	}
}

func (t *team) lose(id string, role domain.Role) { t.Admins.lose(id, role) }

func (t *team) leave(id string) { t.Admins.leave(id) }

// and returns the team and others, each person once, in an order that a
// replay repeats.
func (t *team) and(others ...string) []string {
	ids := append(slices.Clone(others), t.Admins.all()...)
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
}

// knowing are the steps by which a process with memory P, keyed by tenant,
// keeps its team.
func knowing[P any](of func(*P) *team, steps ...domain.Step[P]) []domain.Step[P] {
	return following(func(p *P) staffed { return of(p) }, steps...)
}

// tell is one mail for each person.
func tell(people []string, template string, data func(person string) any) []domain.Effect {
	var effects []domain.Effect
	for _, person := range people {
		effects = append(effects, domain.Notice{To: person, Channel: domain.Mail, Template: template, Data: data(person)})
	}
	return effects
}

func tenantOf[E any](e domain.Recorded[E]) string { return e.Tenant }

func aggregateOf[E any](e domain.Recorded[E]) string { return e.ID }

// nothing is the memory of a process that remembers nothing, and forgetful its key.
type nothing struct{}

func forgetful[E any](domain.Recorded[E]) string { return "" }
