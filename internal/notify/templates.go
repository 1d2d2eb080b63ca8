package notify

import (
	"encoding/json"
	"maps"
	"slices"
)

// The templates, by whom they concern.
const (
	// How somebody is reached, and gets back into their account.
	ContactCode               = "contact_code"
	SecurityContactChanged    = "security_contact_changed"
	AlternateEmailInvalidated = "alternate_email_invalidated"
	RecoveryCode              = "recovery_code"
	RecoveryNotReady          = "recovery_not_ready"
	LockoutForeseen           = "lockout_foreseen"
	AdminResetDone            = "admin_reset_done"
	SecurityInfoReconfirm     = "security_info_reconfirm"

	// The organization and its people.
	UserNameChanged    = "user_name_changed"
	OrgProfileChanged  = "org_profile_changed"
	OffboardingItems   = "offboarding_items"
	FormerUserAccess   = "former_user_access"
	ErasureDone        = "erasure_done"
	ErasureBlocked     = "erasure_blocked"
	SubjectAccessReady = "subject_access_ready"

	// Cards and what they pay for.
	CardChanged             = "card_changed"
	CardExpiring            = "card_expiring"
	CardExpired             = "card_expired"
	BackupCardRequested     = "backup_card_requested"
	BillingAddressChanged   = "billing_address_changed"
	SubscriptionCancelled   = "subscription_cancelled"
	SubscriptionReactivated = "subscription_reactivated"
	InvoiceSwitchStatus     = "invoice_switch_status"

	// Unpaid invoices.
	CardDeclined      = "card_declined"
	CardDeclinedFinal = "card_declined_final"
	PaymentByHand     = "payment_by_hand"
	ServiceSuspended  = "service_suspended"
	ServiceRestored   = "service_restored"

	// Customers and partners.
	CustomerAccountChanged    = "customer_account_changed"
	PurchasePermissionChanged = "purchase_permission_changed"
	PurchaseMade              = "purchase_made"
	RelationshipChanged       = "relationship_changed"

	// Other systems that are told.
	WebhookFailed   = "webhook_failed"
	WebhookDisabled = "webhook_disabled"
)

// tellsLeavers reports whether template is for somebody who has left: who is
// told of what becomes of their data has no account to be told in.
func tellsLeavers(template string) bool { return template == ErasureDone || template == ErasureBlocked }

// Templates are the names of all templates, sorted.
func Templates() []string { return slices.Sorted(maps.Keys(letters())) }

// letter is how a message is written, and made-up data to show it with.
type letter struct {
	build  func(*writer, *page) error
	sample string
}

func letters() map[string]letter {
	out := map[string]letter{}
	for _, topic := range []map[string]letter{
		contactTemplates(), peopleTemplates(), cardTemplates(), collectionTemplates(), customerTemplates(), webhookTemplates(),
	} {
		maps.Copy(out, topic)
	}
	return out
}

// Sample returns made-up data for a preview of template.
func Sample(template string) json.RawMessage { return json.RawMessage(letters()[template].sample) }
