package rules

var partnerRules = []Rule{
	{ID: "P1", Says: "A partner's global admins and sales agents change what it keeps about its customer, while their relationship is in force. Others do if the policy says so.", Source: customer, Policy: "customer-editors", Commands: []string{"RegisterCustomer", "UpdateCustomerAccount"}, Messages: []string{"customer_account_changed"}},
	{ID: "P2", Says: "A change of company details or of billing information is one event each, with the old and the new, who, and for whom.", Source: customer, Commands: []string{"UpdateCustomerAccount"}, Messages: []string{"customer_account_changed"}},
	{ID: "P3", Says: "Billing information is a contact, a culture, a language, a company name and an address; company details are a name, a domain and a registration number.", Source: linked("Update a customer's billing profile"), Commands: []string{"UpdateCustomerAccount"}},
	{ID: "P4", Says: "Who changes a customer's account names the revision that they saw.", Source: linked("Update a customer's billing profile"), Commands: []string{"UpdateCustomerAccount"}},
	{ID: "P5", Says: "A command that is sent again with the same key is carried out once.", Source: linked("Partner Center REST headers"), Commands: []string{"UpdateCustomerAccount"}},
	{ID: "P6", Says: "States are checked against a list where there is one; an address that could not be checked says so, and a suggestion is for the person to confirm.", Source: linked("Validate an address"), Commands: []string{"UpdateCustomerAccount"}},
	{ID: "P7", Says: "Some countries ask for a registration number and a phone; elsewhere a registration number is refused.", Source: linked("Partner Center REST error codes"), Policy: "registration-numbers", Commands: []string{"UpdateCustomerAccount"}},
	{ID: "P8", Says: "The permission to buy for a customer is off until an admin agent gives it, bounded in time, amount and products; both sides are told.", Source: customer, Policy: "purchase-permission", Commands: []string{"GrantPurchasePermission", "RevokePurchasePermission"}, Messages: []string{"purchase_permission_changed", "purchase_made"}},
	{ID: "P9", Says: "A relationship is asked for by the partner, accepted by the customer and ended by either, but not while something is open.", Source: linked("Remove a reseller relationship with a customer"), Commands: []string{"RequestRelationship", "AcceptRelationship", "EndRelationship"}, Messages: []string{"relationship_changed"}},
	{ID: "P10", Says: "What was done, by whom, with the old and the new value, is kept for ever.", Source: linked("Auditing resources")},
	{ID: "P11", Says: "Subscribers hear of changes in signed calls.", Source: linked("Partner Center webhook events")},
	{ID: "P12", Says: "A tenant sends at most so many requests a minute about customers; others are not affected, and who is refused hears when to come again.", Source: linked("Customer resources")},

	{ID: "A1", Says: "Which parts an address has, and how its postal code looks, is its country's; a state must agree with its postal code.", Source: Source{Page: "libaddressinput"}, Commands: []string{"AddCard", "UpdateCustomerAccount"}},
	{ID: "A2", Says: "A checked address says how far it was checked, and keeps what was typed; a correction needs the person's consent.", Source: linked("Validate an address"), Commands: []string{"UpdateCustomerAccount"}},
	{ID: "A3", Says: "A card is billed in the organization's country, which never changes.", Source: linked("Manage payment methods"), Commands: []string{"AddCard", "UpdateCardDetails"}},

	{ID: "X1", Says: "Who replaces what they have seen names its revision. Is it old, they are told what changed; edits of other fields can be merged.", Source: Source{Page: "RFC 9110 section 13, RFC 6585"}, Commands: []string{"UpdateCardDetails"}},
	{ID: "X2", Says: "A key makes a command happen once; the same key with another body is refused.", Source: Source{Page: "draft-ietf-httpapi-idempotency-key-header"}, Commands: []string{"RecordGatewayEvent"}},
	{ID: "X3", Says: "A read model counts each event once and in order; a message leaves once for each person and channel.", Source: proposed, Commands: []string{"RecordNotification"}},
	{ID: "X4", Says: "What must be unique across accounts is reserved before it is recorded, and given back when it is not.", Source: proposed, Commands: []string{"Reserve", "ConfirmReservation", "ReleaseReservation"}},
	{ID: "X5", Says: "A query given a command's position answers from a read model that has seen it.", Source: proposed},
	{ID: "X6", Says: "Who acts for a customer does so until the relationship ends, at that very position.", Source: proposed, Commands: []string{"UpdateCustomerAccount"}},

	{ID: "N4", Says: "A person's data is erased by destroying their key, unless a legal hold stands; the history stays whole and can still be proved. They get a copy on request.", Source: Source{Page: "GDPR Art. 15 and 17"}, Policy: "erasure", Commands: []string{"RequestErasure", "WithdrawErasure", "PlaceLegalHold", "ReleaseLegalHold", "ExportSubjectData", "DestroySubjectKey", "CertifyErasure"}, Messages: []string{"erasure_done", "erasure_blocked", "subject_access_ready"}},
	{ID: "N5", Says: "A decline is explained field by field: number, expiry, name, street, city, state and postal code, each with what the bank and the country's tables say of it, what it was and is, and the next step.", Source: proposed, Commands: []string{"RecordChargeResult"}, Messages: []string{"card_declined"}},
	{ID: "N6", Says: "Cards and subscriptions that hang on one person are found, and others are asked for a backup in time.", Source: proposed, Messages: []string{"backup_card_requested"}},
	{ID: "N7", Says: "Whether somebody could recover their account, now and after a change that is only thought of, is answered without doing anything.", Source: proposed, Policy: "account-recovery"},
	{ID: "N9", Says: "A dry run of any command shows the events, the messages and the authorization, and writes nothing.", Source: proposed},
	{ID: "N10", Says: "A refusal names its rule, the sentence it comes from, who may, and what is allowed instead. What no row allows is denied.", Source: proposed},
	{ID: "N11", Says: "Rules that change are versions of policies. Events name those that they were decided under, and old commands can be decided again under others.", Source: proposed, Commands: []string{"PublishPolicyVersion"}},
	{ID: "N14", Says: "How many attempts a network still allows is counted and shown.", Source: Source{Page: "Visa rules on excessive retries"}},
	{ID: "N16", Says: "Partner and customer hear of the same things: permissions, purchases, the end of a relationship.", Source: proposed, Messages: []string{"purchase_made", "purchase_permission_changed", "relationship_changed"}},
	{ID: "N17", Says: "A permission to buy can be bounded in time, amount and products.", Source: proposed, Policy: "purchase-permission-limits"},
	{ID: "N20", Says: "An auditor reads history in a session with a purpose, a scope and an end. Each reading and each export is recorded before it is answered, and the organization sees the records. An export is one file with its counts and its digest.", Source: proposed, Policy: "audit-sessions", Commands: []string{"OpenAuditSession", "CloseAuditSession", "ExpireAuditSession", "RecordHistoryRead", "ExportAuditBundle"}},
}
