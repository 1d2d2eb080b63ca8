package policy

import (
	"slices"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/delivery"
	"konto/domain/exposure"
	"konto/domain/invoiceswitch"
	"konto/domain/offboarding"
	"konto/domain/organization"
	"konto/domain/policyversion"
	"konto/domain/relationship"
	"konto/domain/reservation"
	"konto/domain/securityinfo"
	"konto/domain/subject"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

// Short names keep the table readable.
const (
	ga = domain.GlobalAdmin
	ba = domain.BillingAdmin
	sa = domain.SalesAgent
	aa = domain.AdminAgent
	ha = domain.HelpdeskAgent
	bs = domain.BillingSupport
	au = domain.Auditor
	op = domain.Operator
	po = domain.ProfileOwner
	pc = domain.ProfileContributor
	im = domain.InvoiceManager
	pr = domain.ProfileReader

	aua = domain.AuthAdmin
	paa = domain.PrivilegedAuthAdmin
)

func may(scope Scope, roles ...domain.Role) Grant { return Grant{Scope: scope, Roles: roles} }

// mayBy grants to the roles that the version of p in force names.
func mayBy(scope Scope, p domain.Policy[domain.RoleTerms]) Grant {
	return mayAs(scope, p, "", func(t domain.RoleTerms) []domain.Role { return t.Roles })
}

// mayAs is mayBy for a policy that says more than roles.
func mayAs[P any](scope Scope, p domain.Policy[P], terms string, roles func(P) []domain.Role) Grant {
	return Grant{Scope: scope, Policy: rolesOf(p, terms, roles)}
}

func contactHelpers() Grant {
	return mayAs(OwnTenant, securityinfo.HelpPolicy, "roles", securityinfo.HelpTerms.Helpers)
}

func addressHelpers() Grant {
	return mayAs(OwnTenant, securityinfo.HelpPolicy, "roles or alternateEmailRoles", securityinfo.HelpTerms.AddressHelpers)
}

// Table is the policy in force. Its version stands for all that it says: what
// a version said is kept beside the tests (testdata/authorization), and one
// that says something else has the next number. Version 1 grew with the
// program until it was first kept, as version 2.
//
// A domain is recorded as verified by staff alone, because nothing here checks
// the proof, and a claim that nobody checked would keep the true owner out.
// A customer's account is what its partner keeps about it (rule P1), so the
// customer's own admins do not edit it.
// Of leavers and messages, billing admins see in lists what they look after:
// what is left behind, which they may take over, and who was told what about
// cards and payments. Whose contacts changed, who got a code and who may read a
// leaver's account is no part of the bills.
// A wish to pay by invoice belongs to the organization whose subscription it is
// about, so billing support opens one there for whoever calls (rule C10).
var Table = Rules{
	Version: 8,
	Commands: []Row{
		{Category: "tenant", Command: "RegisterTenant", Rule: "S8", Creates: true, Grants: []Grant{may(AnyTenant, op), may(System)}},
		{Category: "tenant", Command: "VerifyDomain", Rule: "S3", Grants: []Grant{may(AnyTenant, op), may(System)}},
		{Category: "tenant", Command: "SetCloudVariant", Rule: "S15", Grants: []Grant{may(AnyTenant, op), may(System)}},
		{Category: "tenant", Command: "SetManagingPartner", Rule: "S11", Grants: []Grant{may(AnyTenant, op), may(System)}},
		{Category: "tenant", Command: "SeatGlobalAdmin", Rule: "I8", Grants: []Grant{may(System)}},
		{Category: "tenant", Command: "UnseatGlobalAdmin", Rule: "I8", Grants: []Grant{may(System)}},
		{Category: "tenant", Command: "WarnOfLockout", Rule: "I8", Grants: []Grant{may(System)}},
		{Category: "tenant", Command: "ReviewRecovery", Rule: "S4", Grants: []Grant{may(System)}},

		{Category: "admin", Command: "AddEmployee", Rule: "S12", Creates: true, Grants: []Grant{may(OwnTenant, ga), may(System)}},
		{Category: "admin", Command: "AddAlias", Rule: "S11", Grants: []Grant{may(OwnTenant, ga)}, If: ownNames},
		{Category: "admin", Command: "ChangeUserName", Rule: "S11", Grants: []Grant{may(OwnTenant, ga), may(System)}, If: ownNames},
		{Category: "admin", Command: "SetPrimaryEmail", Rule: "S11", Grants: []Grant{may(OwnTenant, ga), may(System)}, If: ownNames},
		{Category: "admin", Command: "AssignRole", Rule: "S12", Grants: []Grant{may(OwnTenant, ga, po), may(AnyTenant, op)}, Body: "the role is one of the billing profile, if its owner gives it, and of Konto's staff only if an operator does"},
		{Category: "admin", Command: "RemoveRole", Rule: "S12", Grants: []Grant{may(OwnTenant, ga, po), may(AnyTenant, op)}, Body: "the role is one of the billing profile, if its owner takes it away, and of Konto's staff only if an operator does"},
		{Category: "admin", Command: "ChangeDisplayName", Rule: "S11", Grants: []Grant{may(OwnTenant, ga)}, If: ownNames},
		{Category: "admin", Command: "SwitchLanguage", Rule: "C13", Grants: []Grant{may(Self), may(OwnTenant, ga)}},
		{Category: "admin", Command: "OffboardEmployee", Rule: "S13", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "admin", Command: "CompleteOffboarding", Rule: "S13", Grants: []Grant{may(System)}},
		{Category: "admin", Command: "RestoreEmployee", Rule: "S13", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "admin", Command: "ExpireRetention", Rule: "S13", Grants: []Grant{may(System)}},

		{Category: "org", Command: "UpdateOrganizationProfile", Rule: "S8", Creates: true, Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "org", Command: "ChangeSoldToAddress", Rule: "S9", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "org", Command: "ChangeTechnicalContact", Rule: "S8", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "org", Command: "ChangePreferredLanguage", Rule: "S8", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "org", Command: "ChangeOrganizationContactEmail", Rule: "S8", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "org", Command: "SetInvoiceAttachment", Rule: "S8", Grants: []Grant{may(OwnTenant, ga)}},

		{Category: "feedback", Command: "SubmitFeedback", Rule: "C12", Creates: true, Grants: []Grant{may(OwnTenant)}},

		{Category: "offboard", Command: "FindOrphanedItems", Rule: "S13", Creates: true, Grants: []Grant{may(System)}},
		{Category: "offboard", Command: "SettleOrphanedItem", Rule: "S13", Grants: []Grant{may(System)}},
		{Category: "offboard", Command: "TakeOverSubscription", Rule: "S13", Grants: []Grant{may(OwnTenant, ga, ba)}},
		{Category: "offboard", Command: "CloseOffboarding", Rule: "S13", Grants: []Grant{may(System)}},
		{Category: "offboard", Command: "GrantFormerUserDataAccess", Rule: "S14", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "offboard", Command: "RevokeFormerUserDataAccess", Rule: "S14", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "offboard", Command: "EndFormerUserDataAccess", Rule: "S14", Grants: []Grant{may(System)}},
		{Category: "offboard", Command: "ExpireFormerUserDataAccess", Rule: "S14", Grants: []Grant{may(System)}},

		{Category: "secinfo", Command: "UpdateSecurityInfo", Rule: "S1", Creates: true, Grants: []Grant{may(Self), addressHelpers()}, If: securityInfo, Body: "only what contact-help lets the actor change is named"},
		{Category: "secinfo", Command: "AddPhoneMethod", Rule: "S1", Creates: true, Grants: []Grant{may(Self), contactHelpers()}, If: phones},
		{Category: "secinfo", Command: "ChangePhoneMethod", Rule: "S1", Grants: []Grant{may(Self), contactHelpers()}, Instead: "AddPhoneMethod", If: phones},
		{Category: "secinfo", Command: "RemovePhoneMethod", Rule: "S1", Grants: []Grant{may(Self), contactHelpers()}, If: phones},
		{Category: "secinfo", Command: "AddAlternateEmail", Rule: "S1", Creates: true, Grants: []Grant{may(Self), addressHelpers()}, If: alternateEmail},
		{Category: "secinfo", Command: "ChangeAlternateEmail", Rule: "S1", Grants: []Grant{may(Self), addressHelpers()}, Instead: "AddAlternateEmail", If: alternateEmail},
		{Category: "secinfo", Command: "RemoveAlternateEmail", Rule: "S1", Grants: []Grant{may(Self), addressHelpers()}, If: alternateEmail},
		{Category: "secinfo", Command: "RequestContactVerification", Rule: "S6", Grants: []Grant{may(Self)}, Instead: "UpdateSecurityInfo"},
		{Category: "secinfo", Command: "ConfirmContactVerification", Rule: "I2", Grants: []Grant{may(Self)}, Instead: "UpdateSecurityInfo"},
		{Category: "secinfo", Command: "ExpireContactVerification", Rule: "S6", Grants: []Grant{may(System)}},
		{Category: "secinfo", Command: "UndoContactChange", Rule: "I7", Grants: []Grant{may(Self), may(Identity), may(System)}},
		{Category: "secinfo", Command: "ReconfirmSecurityInfo", Rule: "I9", Grants: []Grant{may(Self)}},
		{Category: "secinfo", Command: "RequestReconfirmation", Rule: "I9", Grants: []Grant{may(System)}},
		{Category: "secinfo", Command: "StartPasswordReset", Rule: "S4", Creates: true, Grants: []Grant{may(Identity)}},
		{Category: "secinfo", Command: "SendRecoveryCodes", Rule: "S4", Grants: []Grant{may(System)}},
		{Category: "secinfo", Command: "SubmitRecoveryCode", Rule: "S4", Grants: []Grant{may(Identity)}},
		{Category: "secinfo", Command: "CompletePasswordReset", Rule: "S4", Grants: []Grant{may(Identity)}},
		{Category: "secinfo", Command: "RecheckAlternateEmail", Rule: "S3", Grants: []Grant{may(System)}},

		{Category: "card", Command: "AddCard", Rule: "C6", Creates: true, Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}},
		{Category: "card", Command: "UpdateCardDetails", Rule: "C4", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}, If: ownCard},
		{Category: "card", Command: "ReplaceCard", Rule: "C6", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}, Body: "the new card is the actor's own (card-edit)"},
		{Category: "card", Command: "ReplaceDeclinedCard", Rule: "C8", Grants: []Grant{may(System)}},
		{Category: "card", Command: "RemoveCard", Rule: "C6", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}, If: ownCard},
		{Category: "card", Command: "RecordCardAutoUpdate", Rule: "K4", Grants: []Grant{may(Gateway)}, Instead: "UpdateCardDetails"},
		{Category: "card", Command: "RecordCardStatus", Rule: "K5", Grants: []Grant{may(Gateway), may(System)}, Instead: "ReplaceCard"},
		{Category: "card", Command: "CheckCardExpiry", Rule: "C3", Grants: []Grant{may(System)}},
		{Category: "card", Command: "AttachCard", Rule: "C6", Grants: []Grant{may(System)}},
		{Category: "card", Command: "DetachCard", Rule: "C6", Grants: []Grant{may(System)}},

		{Category: "billing", Command: "RegisterSubscription", Rule: "C1", Creates: true, Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}, Body: "the card is the actor's own (card-use)"},
		{Category: "billing", Command: "AddBackupCard", Rule: "C5", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}, Body: "the card is the actor's own (card-use)"},
		{Category: "billing", Command: "ReorderBackupCards", Rule: "C5", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}},
		{Category: "billing", Command: "RemoveBackupCard", Rule: "C5", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}},
		{Category: "billing", Command: "RecordAssignedLicences", Rule: "C11", Grants: []Grant{may(AnyTenant, op, bs), may(System)}},
		{Category: "billing", Command: "CancelSubscription", Rule: "C11", Grants: []Grant{may(OwnTenant, ga, ba), may(AnyTenant, bs)}, If: fewLicences},
		{Category: "billing", Command: "CancelUnpaidSubscription", Rule: "C9", Grants: []Grant{may(System)}},
		{Category: "billing", Command: "ReactivateSubscription", Rule: "C11", Grants: []Grant{may(OwnTenant, ga, ba)}},
		{Category: "billing", Command: "ChangeServiceUsageAddress", Rule: "S9", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}},
		{Category: "billing", Command: "ChangeBillToAddress", Rule: "S9", Grants: []Grant{may(OwnTenant, ga, ba, po, pc)}},
		{Category: "billing", Command: "DeleteSubscription", Rule: "C11", Grants: []Grant{may(System)}},
		{Category: "billing", Command: "ApplyCardReplacement", Rule: "C6", Grants: []Grant{may(System)}},
		{Category: "billing", Command: "ChangePaymentMethodKind", Rule: "C10", Grants: []Grant{may(System)}},
		{Category: "billing", Command: "PromoteBackupCard", Rule: "C5", Grants: []Grant{may(System)}},

		{Category: "collection", Command: "RecordChargeResult", Rule: "C7", Creates: true, Grants: []Grant{may(Gateway)}, Instead: "SettleBalance"},
		{Category: "collection", Command: "SettleBalance", Rule: "C8", Grants: []Grant{may(OwnTenant, ga, ba, po, pc, im)}, Body: "the card is the actor's own, or the actor has a role on the billing profile"},
		{Category: "collection", Command: "AdvanceCollection", Rule: "D6", Grants: []Grant{may(System)}},
		{Category: "collection", Command: "ReconsiderCards", Rule: "D4", Grants: []Grant{may(System)}},
		{Category: "collection", Command: "CoverByInvoice", Rule: "C10", Grants: []Grant{may(System)}},

		{Category: "invswitch", Command: "RequestSwitchToInvoice", Rule: "C10", Creates: true, Grants: []Grant{may(OwnTenant, ga, ba, po, pc), may(AnyTenant, bs)}, Body: "billing support's case is named, where only a call may start it (card-to-invoice)"},
		{Category: "invswitch", Command: "EvaluateEligibility", Rule: "C10", Grants: []Grant{may(System)}},
		{Category: "invswitch", Command: "RecordSupportCase", Rule: "C10", Grants: []Grant{may(AnyTenant, bs)}},
		{Category: "invswitch", Command: "RecordCreditCheck", Rule: "C10", Grants: []Grant{may(AnyTenant, bs)}},
		{Category: "invswitch", Command: "ApproveSwitchToInvoice", Rule: "C10", Grants: []Grant{may(AnyTenant, bs)}, Instead: "RequestSwitchToInvoice"},
		{Category: "invswitch", Command: "DenySwitchToInvoice", Rule: "C10", Grants: []Grant{may(AnyTenant, bs)}},
		{Category: "invswitch", Command: "ConfirmSwitchApplied", Rule: "C10", Grants: []Grant{may(System)}},
		{Category: "invswitch", Command: "RequestSwitchToCard", Rule: "C10", Grants: []Grant{may(OwnTenant, ga, ba)}, Instead: "RegisterSubscription"},

		{Category: "customer", Command: "RegisterCustomer", Rule: "P1", Creates: true, Grants: []Grant{may(RelatedPartner, ga, sa)}},
		{Category: "customer", Command: "UpdateCustomerAccount", Rule: "P1", Grants: []Grant{mayBy(RelatedPartner, CustomerEditors)}},

		{Category: "rel", Command: "RequestRelationship", Rule: "P9", Creates: true, Grants: []Grant{may(OwnTenant, ga, sa, aa)}, Instead: "AcceptRelationship"},
		{Category: "rel", Command: "AcceptRelationship", Rule: "P9", Grants: []Grant{may(CustomerSide, ga)}, Instead: "EndRelationship"},
		{Category: "rel", Command: "EndRelationship", Rule: "P9", Grants: []Grant{may(OwnTenant, ga), may(CustomerSide, ga)}},
		{Category: "rel", Command: "RecordPartnerSubscription", Rule: "P9", Grants: []Grant{may(OwnTenant, ga, sa, aa), may(Gateway), may(System)}},
		{Category: "rel", Command: "RecordPartnerReservation", Rule: "P9", Grants: []Grant{may(OwnTenant, ga, sa, aa), may(Gateway), may(System)}},
		{Category: "rel", Command: "GrantPurchasePermission", Rule: "P8", Grants: []Grant{mayBy(OwnTenant, relationship.Grantors)}},
		{Category: "rel", Command: "ApprovePurchasePermission", Rule: "N17", Grants: []Grant{mayBy(OwnTenant, relationship.Grantors)}, Body: "it is not the actor's own proposal"},
		{Category: "rel", Command: "RevokePurchasePermission", Rule: "P8", Grants: []Grant{mayBy(OwnTenant, relationship.Grantors)}},
		{Category: "rel", Command: "ExpirePurchasePermission", Rule: "N17", Grants: []Grant{may(System)}},
		{Category: "rel", Command: "RecordCustomerPurchase", Rule: "P8", Grants: []Grant{may(OwnTenant, ga, sa, aa), may(Gateway), may(System)}},

		{Category: "subject", Command: "RequestErasure", Rule: "N4", Creates: true, Grants: []Grant{may(Self), may(OwnTenant, ga), may(System)}},
		{Category: "subject", Command: "WithdrawErasure", Rule: "N4", Grants: []Grant{may(Self), may(OwnTenant, ga), may(System)}},
		{Category: "subject", Command: "PlaceLegalHold", Rule: "N4", Creates: true, Grants: []Grant{may(OwnTenant, ga, au)}},
		{Category: "subject", Command: "ReleaseLegalHold", Rule: "N4", Grants: []Grant{may(OwnTenant, ga, au)}},
		{Category: "subject", Command: "ExportSubjectData", Rule: "N4", Creates: true, Grants: []Grant{may(Self), may(OwnTenant, ga)}},
		{Category: "subject", Command: "StartErasure", Rule: "N4", Grants: []Grant{may(System)}},
		{Category: "subject", Command: "DestroySubjectKey", Rule: "N4", Grants: []Grant{may(System)}},
		{Category: "subject", Command: "CertifyErasure", Rule: "N4", Grants: []Grant{may(System)}},

		{Category: "resv", Command: "Reserve", Rule: "X4", Creates: true, Grants: []Grant{may(System)}},
		{Category: "resv", Command: "ConfirmReservation", Rule: "X4", Grants: []Grant{may(System)}},
		{Category: "resv", Command: "ReleaseReservation", Rule: "X4", Grants: []Grant{may(System)}},
		{Category: "notif", Command: "RecordNotification", Rule: "X3", Creates: true, Grants: []Grant{may(System)}},
		{Category: "inlet", Command: "RecordGatewayEvent", Rule: "X2", Creates: true, Grants: []Grant{may(Gateway), may(System)}},

		{Category: "audit", Command: "OpenAuditSession", Rule: "N20", Creates: true, Grants: []Grant{may(Self, au)}},
		{Category: "audit", Command: "CloseAuditSession", Rule: "N20", Grants: []Grant{may(Self), may(OwnTenant, ga), may(System)}},
		{Category: "audit", Command: "ExpireAuditSession", Rule: "N20", Grants: []Grant{may(System)}},
		{Category: "audit", Command: "RecordHistoryRead", Rule: "N20", Creates: true, Grants: []Grant{may(Self, au)}},
		{Category: "audit", Command: "ExportAuditBundle", Rule: "N20", Creates: true, Grants: []Grant{may(Self, au)}},

		{Category: "webhook", Command: "RegisterWebhookEndpoint", Rule: "P11", Creates: true, Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "webhook", Command: "ChangeWebhookEndpoint", Rule: "P11", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "webhook", Command: "RotateWebhookSecret", Rule: "P11", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "webhook", Command: "DisableWebhookEndpoint", Rule: "P11", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "webhook", Command: "EnableWebhookEndpoint", Rule: "P11", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "webhook", Command: "RemoveWebhookEndpoint", Rule: "P11", Grants: []Grant{may(OwnTenant, ga)}},
		{Category: "webhook", Command: "DisableGoneWebhookEndpoint", Rule: "P11", Grants: []Grant{may(System)}},
		{Category: "delivery", Command: "RequestDelivery", Rule: "P11", Creates: true, Grants: []Grant{may(System)}},
		{Category: "delivery", Command: "RecordAttempt", Rule: "P11", Grants: []Grant{may(System)}},
		{Category: "delivery", Command: "RedeliverWebhook", Rule: "P11", Grants: []Grant{may(OwnTenant, ga)}},

		{Category: "policy", Command: "PublishPolicyVersion", Rule: "N11", Creates: true, Grants: []Grant{may(AnyTenant, op)}},
		{Category: "policy", Command: "RecheckPolicyVersion", Rule: "I8", Grants: []Grant{may(System)}},
		{Category: "exposure", Command: "ReviewOrganization", Rule: "I8", Creates: true, Grants: []Grant{may(System)}},
		{Category: "exposure", Command: "ForeseeLockouts", Rule: "I8", Creates: true, Grants: []Grant{may(System)}},
	},
	Readers: []Reader{
		{Grant: may(Self), Categories: []string{"admin", "secinfo", "subject", "audit", "notif"}, Personal: []string{"admin", "secinfo", "audit"}},
		{Grant: may(FormerUser), Categories: []string{"admin", "secinfo"}, Personal: []string{"admin"}},
		{Grant: may(OwnTenant, ga), Categories: all, Personal: all},
		{Grant: may(OwnTenant, au), Extent: Now, Categories: all},
		{Grant: may(OwnTenant, au), Extent: InSession, Categories: all, Personal: all},
		{
			Grant:      may(OwnTenant, ba),
			Categories: []string{"card", "billing", "collection", "invswitch", "customer", "tenant", "org"},
			Personal:   []string{"card", "billing"},
		},
		{Grant: may(OwnTenant, ba), Extent: Listed, Categories: []string{"offboard"}},
		{Grant: may(OwnTenant, ba), Extent: Listed, Categories: []string{"notif"}, Messages: aboutBills},
		{Grant: may(OwnTenant, aua, paa), Categories: []string{"admin", "secinfo"}, Personal: []string{"admin", "secinfo"}},
		{Grant: may(OwnTenant, po, pc), Categories: []string{"card", "billing", "collection", "invswitch"}, Personal: []string{"card", "billing"}},
		{Grant: may(OwnTenant, im), Categories: []string{"billing", "collection"}},
		{Grant: may(OwnTenant, pr), Categories: []string{"card", "billing", "collection", "invswitch"}},
		{Grant: may(RelatedPartner, ga, sa, aa, ha), Categories: []string{"customer", "rel"}, Personal: []string{"customer", "rel"}},
		{Grant: may(CustomerSide, ga), Categories: []string{"rel"}},
		{Grant: may(CustomerSide, au), Extent: Now, Categories: []string{"rel"}},
		{Grant: may(CustomerSide, au), Extent: InSession, Categories: []string{"rel"}},
		{Grant: may(Gateway), Categories: []string{"collection"}},
		{Grant: may(AnyTenant, bs), Extent: Now, Categories: []string{"card", "billing", "collection", "invswitch"}},
		{Grant: may(AnyTenant, bs), Extent: InCase, Categories: []string{"card", "billing", "collection", "invswitch"}},
		{Grant: may(AnyTenant, op), Categories: []string{"feedback", "tenant", "notif", "inlet", "resv", "audit", "rejections", "exposure"}},
		{Grant: may(AnyTenant), Categories: []string{"policy"}},
	},
}

// Kinds are the categories of what an organization has a history of.
func Kinds() []string { return slices.Clone(all) }

var all = []string{"tenant", "org", "admin", "offboard", "secinfo", "card", "billing", "collection", "invswitch", "customer", "rel", "resv", "notif", "inlet", "subject", "audit", "webhook", "delivery", "rejections"}

// NotFound returns what somebody hears who asks for an aggregate that is not
// there for them: the same, whether it is not there at all or another
// tenant's.
func NotFound(category string) *domain.Error {
	switch category {
	case "tenant":
		return tenant.ErrNotFound
	case "admin":
		return admin.ErrNotFound
	case "org":
		return organization.ErrNotFound
	case "offboard":
		return offboarding.ErrNotFound
	case "secinfo":
		return securityinfo.ErrNoAccount
	case "card":
		return card.ErrNotFound
	case "billing":
		return billing.ErrNotFound
	case "collection":
		return collection.ErrNotFound
	case "invswitch":
		return invoiceswitch.ErrNotFound
	case "customer":
		return customer.ErrNotFound
	case "rel":
		return relationship.ErrNotFound
	case "resv":
		return reservation.ErrNotFound
	case "subject":
		return subject.ErrNotFound
	case "policy":
		return policyversion.ErrUnknown
	case "exposure":
		return exposure.ErrUnknown
	case "audit":
		return audit.ErrNeverOpened
	case "webhook":
		return webhook.ErrNotFound
	case "delivery":
		return delivery.ErrNotFound
	}
	return domain.NotFound("not-found", "there is no such thing")
}
