package rules_test

// What the register names ahead of the program. It shrinks to nothing.
var (
	untested = []string{
		"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15", "I1", "I2",
		"I3", "I4", "I5", "I6", "I7", "I8", "I9", "F1", "F2", "F3", "F4", "E1", "C2", "C3", "C9", "C11", "C12",
		"C13", "K2", "K5", "T1", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "P2", "P4", "P5", "P7", "P8", "P10",
		"P11", "P12", "X2", "X3", "X4", "X5", "X6", "N9", "N10", "N14", "N17",
	}
	awaitedCommands = []string{
		"ApproveSwitchToInvoice", "CancelSubscription", "ChangeBillToAddress", "ChangeLocale",
		"ChangeOrganizationContactEmail", "ChangePreferredLanguage", "ChangeServiceUsageAddress",
		"ChangeSoldToAddress", "ChangeTechnicalContact", "ChangeUserName", "CompletePasswordReset",
		"DenySwitchToInvoice", "GrantFormerUserDataAccess", "GrantPurchasePermission", "OffboardEmployee",
		"ReactivateSubscription", "ReconfirmSecurityInfo", "RecordCreditCheck", "RequestSwitchToInvoice",
		"RestoreEmployee", "RevokeFormerUserDataAccess", "RevokePurchasePermission", "SetPrimaryEmail",
		"SettleBalance", "StartPasswordReset", "SubmitFeedback", "SubmitRecoveryCode", "UndoContactChange",
		"UpdateOrganizationProfile",
	}
	awaitedMessages = []string{
		"admin_reset_done", "backup_card_requested", "billing_address_changed", "card_declined_final",
		"card_expired", "card_expiring", "former_user_access", "invoice_switch_status", "offboarding_items",
		"org_profile_changed", "purchase_made", "purchase_permission_changed", "recovery_code",
		"recovery_not_ready", "relationship_changed", "security_info_reconfirm", "service_restored",
		"service_suspended", "subscription_cancelled", "subscription_reactivated", "user_name_changed",
	}
)
