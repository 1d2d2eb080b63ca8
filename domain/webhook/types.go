package webhook

import (
	"maps"
	"slices"
)

// All stands for all types of events, also those that are not known yet.
const All = "*"

// types says which events a call tells of, and by which name: {resource}-{action}
// (rule P11). An event that is not listed is our own business. Names are for
// ever: receivers go by them.
var types = map[string]map[string]string{ // by category and event
	"tenant": {
		"TenantRegistered": "organization-registered", "DomainVerified": "organization-domain-verified",
		"CloudVariantSet": "organization-cloud-variant-set", "ManagingPartnerSet": "organization-managing-partner-set",
	},
	"org": {
		"OrganizationProfileUpdated": "organization-updated", "SoldToAddressChanged": "organization-sold-to-address-changed",
		"TechnicalContactChanged": "organization-technical-contact-changed", "PreferredLanguageChanged": "organization-language-changed",
		"OrganizationContactEmailChanged": "organization-contact-email-changed", "InvoiceAttachmentSet": "organization-invoice-attachment-set",
	},
	"admin": {
		"EmployeeAdded": "admin-added", "EmailAliasAdded": "admin-alias-added", "UserNameChanged": "admin-user-name-changed",
		"PrimaryEmailChanged": "admin-primary-email-changed", "RoleAssigned": "admin-role-assigned", "RoleRemoved": "admin-role-removed",
		"DisplayNameChanged": "admin-display-name-changed", "LanguageSwitched": "admin-language-changed",
		"EmployeeBlocked": "admin-blocked", "SessionsRevoked": "admin-sessions-revoked", "EmployeeOffboarded": "admin-offboarded",
		"EmployeeRestored": "admin-restored", "EmployeeDataRetentionExpired": "admin-deleted",
	},
	"offboard": {
		"OrphanedItemsFound": "offboarding-items-found", "OrphanedItemSettled": "offboarding-item-settled", "OffboardingClosed": "offboarding-closed",
		"FormerUserDataAccessGranted": "offboarding-access-granted", "FormerUserDataAccessRevoked": "offboarding-access-revoked",
		"FormerUserDataAccessExpired": "offboarding-access-expired",
	},
	"secinfo": {
		"PhoneMethodAdded": "security-info-phone-added", "PhoneMethodChanged": "security-info-phone-changed", "PhoneMethodRemoved": "security-info-phone-removed",
		"AlternateEmailAdded": "security-info-email-added", "AlternateEmailChanged": "security-info-email-changed",
		"AlternateEmailRemoved": "security-info-email-removed", "AlternateEmailInvalidated": "security-info-email-invalidated",
		"ContactVerified": "security-info-contact-verified", "ContactChangeUndone": "security-info-change-undone",
		"SecurityInfoReconfirmed": "security-info-reconfirmed", "PasswordResetStarted": "security-info-reset-started",
		"PasswordResetCompleted": "security-info-reset-completed",
	},
	"card": {
		"CardAdded": "card-added", "CardDetailsUpdated": "card-updated", "CardReplaced": "card-replaced", "CardRemoved": "card-removed",
		"CardAutomaticallyUpdated": "card-automatically-updated", "CardExpiringSoon": "card-expiring", "CardExpired": "card-expired",
		"CardReportedLost": "card-reported-lost", "CardAttached": "card-attached", "CardDetached": "card-detached",
	},
	"billing": {
		"SubscriptionRegistered": "subscription-registered", "BackupCardAdded": "subscription-backup-card-added",
		"BackupCardChanged": "subscription-backup-card-changed", "BackupCardsReordered": "subscription-backup-cards-reordered",
		"BackupCardRemoved": "subscription-backup-card-removed", "PrimaryCardChanged": "subscription-card-changed",
		"CardPromotedToPrimary": "subscription-backup-card-promoted", "AssignedLicencesRecorded": "subscription-licences-changed",
		"SubscriptionCancellationRequested": "subscription-cancellation-requested", "SubscriptionCanceled": "subscription-canceled",
		"SubscriptionReactivated": "subscription-reactivated", "SubscriptionDeleted": "subscription-deleted",
		"ServiceUsageAddressChanged": "subscription-usage-address-changed", "BillToAddressChanged": "subscription-bill-to-address-changed",
		"PaymentMethodKindChanged": "subscription-payment-method-changed",
	},
	"collection": {
		"ChargeDeclined": "card-declined", "ChargeSucceeded": "invoice-paid", "ChargebackOpened": "invoice-chargeback-opened",
		"ChargebackWon": "invoice-chargeback-won", "ChargebackAccepted": "invoice-chargeback-accepted",
		"CollectionOpened": "invoice-collection-opened", "GraceStarted": "invoice-grace-started", "RetryScheduled": "invoice-retry-scheduled",
		"RetryWithdrawn": "invoice-retry-withdrawn", "RetryBudgetExhausted": "invoice-retries-exhausted", "PaymentPastDue": "invoice-past-due",
		"ServiceSuspended": "invoice-service-suspended", "BalanceSettled": "invoice-settled", "AccountRecovered": "invoice-service-restored",
		"CollectionClosed": "invoice-collection-closed",
	},
	"invswitch": {
		"InvoiceSwitchRequested": "invoice-switch-requested", "EligibilityEvaluated": "invoice-switch-evaluated",
		"SupportCaseRecorded": "invoice-switch-case-recorded", "CreditCheckRecorded": "invoice-switch-credit-checked",
		"InvoiceSwitchApproved": "invoice-switch-approved", "InvoiceSwitchDenied": "invoice-switch-denied", "InvoiceSwitchApplied": "invoice-switch-applied",
	},
	"customer": {
		"CustomerRegistered": "customer-registered", "CustomerCompanyDetailsUpdated": "customer-updated",
		"CustomerBillingInfoUpdated": "customer-billing-info-updated",
	},
	"rel": {
		"RelationshipRequested": "relationship-requested", "RelationshipEstablished": "relationship-established", "RelationshipEnded": "relationship-ended",
		"PartnerSubscriptionRecorded": "relationship-subscription-recorded", "PartnerReservationRecorded": "relationship-reservation-recorded",
		"PurchasePermissionGranted": "purchase-permission-changed", "PurchasePermissionRevoked": "purchase-permission-changed",
		"CustomerPurchaseRecorded": "purchase-made",
	},
	"subject": {
		"ErasureRequested": "erasure-requested", "ErasureWithdrawn": "erasure-withdrawn", "ErasureBlocked": "erasure-blocked",
		"ErasureStarted": "erasure-started", "ErasureCertified": "erasure-certified",
		"LegalHoldPlaced": "legal-hold-placed", "LegalHoldReleased": "legal-hold-released", "SubjectDataExported": "subject-data-exported",
	},
}

// TypeOf returns the name by which a call tells of an event, or "" if none does.
func TypeOf(category, event string) string { return types[category][event] }

// Types returns all names, sorted.
func Types() []string {
	var all []string
	for _, events := range types {
		all = slices.AppendSeq(all, maps.Values(events))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Told returns the names of the events of a category that calls tell of, sorted.
func Told(category string) []string { return slices.Sorted(maps.Keys(types[category])) }

// Categories returns the categories that calls tell of, sorted.
func Categories() []string { return slices.Sorted(maps.Keys(types)) }
