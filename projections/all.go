package projections

// All are the read models. No two have a table in common, so each can be
// dropped and rebuilt alone.
var All = []Projection{
	SecurityInfo,
	Admins,
	OrganizationProfiles,
	OrphanedItems,
	PaymentMethods,
	DeclineExplanations,
	CollectionCases,
	InvoiceSwitchCases,
	CustomerAccounts,
	PurchasePermissions,
	AccountTimeline,
	NotificationLog,
	AuditAccess,
	Webhooks,
}
