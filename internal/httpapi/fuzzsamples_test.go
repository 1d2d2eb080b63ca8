package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"konto/domain/policy"
	"konto/domain/recovery"
)

// A sample is a command that the world carries out as it stands.
type sample struct {
	by       string // an actor's ID; empty is Konto itself
	category string
	target   string
	command  string
	body     string
	at       time.Time // zero is when the world's history ends
}

func (s sample) name() string { return s.category + "/" + s.command }

// idle are commands whose samples lead to no event: they are refused whatever
// the account looks like, or what they ask for is there, or nobody in the world
// is about to be locked out.
var idle = []string{
	"invswitch/RequestSwitchToCard", "tenant/WarnOfLockout", "policy/RecheckPolicyVersion",
	"exposure/ReviewOrganization", "exposure/ForeseeLockouts",
}

// handmade adds the samples that the history has not left, one of a command.
func (w *world) handmade() {
	changed := `{"line1":"Zqxwvmrkvägen 2","city":"Umeå","postalCode":"903 27","country":"SE"}`
	all := []sample{
		{op, "tenant", id(1, 5), "RegisterTenant", `{"name":"New AB","country":"SE","currency":"SEK","locale":"sv-SE","domain":"new.example"}`, time.Time{}},
		{op, "tenant", home, "VerifyDomain", `{"domain":"second.example"}`, time.Time{}},
		{op, "tenant", home, "SetCloudVariant", `{"variant":"21vianet"}`, time.Time{}},
		{op, "tenant", home, "SetManagingPartner", fmt.Sprintf(`{"partnerId":"%s"}`, partner), time.Time{}},
		{"", "tenant", home, "SeatGlobalAdmin", fmt.Sprintf(`{"adminId":"%s"}`, lou), time.Time{}},
		{"", "tenant", home, "UnseatGlobalAdmin", fmt.Sprintf(`{"adminId":"%s"}`, bert), time.Time{}},

		{ann, "admin", id(2, 61), "AddEmployee", `{"signInName":"zqxwvmrk.new@home.example","displayName":"Zqxwvmrk New","locale":"sv-SE","roles":["auditor"],"firstCredentials":{"by":"personal-mail","to":"zqxwvmrk.new@privat.example"}}`, time.Time{}},
		{ann, "admin", per, "AddAlias", `{"email":"zqxwvmrk.alias@home.example"}`, time.Time{}},
		{ann, "admin", per, "ChangeUserName", `{"userName":"zqxwvmrk.other@home.example"}`, time.Time{}},
		{ann, "admin", per, "SetPrimaryEmail", `{"email":"zqxwvmrk.second@home.example"}`, time.Time{}},
		{ann, "admin", per, "AssignRole", `{"role":"billing-admin"}`, time.Time{}},
		{ann, "admin", bea, "RemoveRole", `{"role":"billing-admin"}`, time.Time{}},
		{ann, "admin", per, "ChangeDisplayName", `{"displayName":"Zqxwvmrk Other"}`, time.Time{}},
		{per, "admin", per, "SwitchLanguage", `{"locale":"nl-NL"}`, time.Time{}},
		{ann, "admin", lena, "OffboardEmployee", `{}`, time.Time{}},
		{"", "admin", lisa, "CompleteOffboarding", `{"offboarding":"$lisas"}`, time.Time{}},
		{ann, "admin", lea, "RestoreEmployee", `{}`, time.Time{}},

		{ann, "org", home, "UpdateOrganizationProfile", `{"name":"Home Nu AB","address":` + changed + `,"phone":"070-174 06 73","technicalContact":"zqxwvmrk.tk@privat.example","preferredLanguage":"da"}`, time.Time{}},
		{ann, "org", home, "ChangeSoldToAddress", `{"address":` + changed + `}`, time.Time{}},
		{ann, "org", home, "ChangeTechnicalContact", `{"email":"zqxwvmrk.tk2@privat.example"}`, time.Time{}},
		{ann, "org", home, "ChangePreferredLanguage", `{"language":"nl"}`, time.Time{}},
		{ann, "org", home, "ChangeOrganizationContactEmail", `{"email":"zqxwvmrk.org@privat.example"}`, time.Time{}},
		{ann, "org", home, "SetInvoiceAttachment", `{"on":true}`, time.Time{}},
		{per, "feedback", id(7, 1), "SubmitFeedback", `{"helpful":true,"text":"Zqxwvmrk helped me well"}`, time.Time{}},

		{bea, "offboard", lea, "TakeOverSubscription", fmt.Sprintf(`{"subscriptionId":"%s"}`, subID(10)), time.Time{}},
		{"", "offboard", lea, "SettleOrphanedItem", fmt.Sprintf(`{"itemId":"%s","how":"card-removed"}`, cardID(8)), time.Time{}},
		{"", "offboard", lea, "CloseOffboarding", `{"offboarding":"$leaving","why":"restored"}`, time.Time{}},
		{"", "offboard", lea, "EndFormerUserDataAccess", fmt.Sprintf(`{"granteeId":"%s"}`, bea), time.Time{}},
		{ann, "offboard", lea, "GrantFormerUserDataAccess", fmt.Sprintf(`{"granteeId":"%s","expiresAt":"$soon","reason":"Zqxwvmrk asked"}`, bert), time.Time{}},
		{ann, "offboard", lea, "RevokeFormerUserDataAccess", fmt.Sprintf(`{"granteeId":"%s"}`, bea), time.Time{}},

		{ann, "secinfo", ann, "UpdateSecurityInfo", `{"mobile":"+46 701740674","office":"08-123 456 00"}`, time.Time{}},
		{per, "secinfo", per, "AddPhoneMethod", `{"slot":"mobile","number":"070-174 06 75"}`, time.Time{}},
		{ann, "secinfo", ann, "ChangePhoneMethod", `{"slot":"mobile","number":"070-174 06 76"}`, time.Time{}},
		{lou, "secinfo", lou, "RemovePhoneMethod", `{"slot":"mobile"}`, time.Time{}},
		{per, "secinfo", per, "AddAlternateEmail", `{"email":"zqxwvmrk.per@privat.example"}`, time.Time{}},
		{bert, "secinfo", bert, "ChangeAlternateEmail", `{"email":"zqxwvmrk.bert@privat.example"}`, time.Time{}},
		{lou, "secinfo", lou, "RemoveAlternateEmail", `{}`, time.Time{}},
		{bea, "secinfo", bea, "RequestContactVerification", `{"slot":"mobile"}`, w.now.Add(5 * time.Minute)},
		{bea, "secinfo", bea, "ConfirmContactVerification", `{"slot":"mobile","code":"$beasCode"}`, time.Time{}},
		{idp, "secinfo", ann, "UndoContactChange", `{"change":"$change","proof":"$proof"}`, time.Time{}},
		{ann, "secinfo", ann, "ReconfirmSecurityInfo", `{}`, time.Time{}},
		{idp, "secinfo", ann, "StartPasswordReset", `{}`, time.Time{}},
		{idp, "secinfo", bert, "SubmitRecoveryCode", `{"slot":"mobile","code":"$bertsCode"}`, time.Time{}},
		{idp, "secinfo", lena, "CompletePasswordReset", `{}`, time.Time{}},
		{"", "secinfo", lou, "RecheckAlternateEmail", `{}`, time.Time{}},

		{ann, "card", cardID(21), "AddCard", fmt.Sprintf(newCard, 21, 9, 2029), time.Time{}},
		{ann, "card", cardID(1), "UpdateCardDetails", `{"holderName":"Zqxwvmrk Wed","billingAddress":` + changed + `,"expMonth":10,"expYear":2030,"phone":"070-174 06 77"}`, time.Time{}},
		{ann, "card", cardID(1), "ReplaceCard", fmt.Sprintf(`{"newCardId":"%s","scope":"all"}`, cardID(3)), time.Time{}},
		{"", "card", cardID(1), "ReplaceDeclinedCard", fmt.Sprintf(`{"newCardId":"%s"}`, cardID(3)), time.Time{}},
		{bea, "card", cardID(22), "RemoveCard", `{}`, time.Time{}},
		{stripe, "card", cardID(1), "RecordCardAutoUpdate", `{"last4":"1881","expMonth":1,"expYear":2031,"brand":"visa","source":"account-updater"}`, time.Time{}},
		{stripe, "card", cardID(1), "RecordCardStatus", `{"status":"reported-lost","source":"gateway"}`, time.Time{}},
		{"", "card", cardID(3), "AttachCard", fmt.Sprintf(`{"subscriptionId":"%s"}`, subID(1)), time.Time{}},
		{"", "card", cardID(1), "DetachCard", fmt.Sprintf(`{"subscriptionId":"%s"}`, subID(1)), time.Time{}},

		{ann, "billing", subID(21), "RegisterSubscription", fmt.Sprintf(`{"product":"Business","cardId":"%s","licences":3}`, cardID(1)), time.Time{}},
		{bea, "billing", subID(3), "AddBackupCard", fmt.Sprintf(`{"cardId":"%s"}`, cardID(2)), time.Time{}},
		{bea, "billing", subID(1), "ReorderBackupCards", fmt.Sprintf(`{"cardIds":["%s","%s"]}`, cardID(7), cardID(2)), time.Time{}},
		{bea, "billing", subID(1), "RemoveBackupCard", fmt.Sprintf(`{"cardId":"%s"}`, cardID(2)), time.Time{}},
		{bs, "billing", subID(1), "RecordAssignedLicences", `{"licences":30}`, time.Time{}},
		{ann, "billing", subID(5), "CancelSubscription", `{"reason":"Zqxwvmrk saves","customDomainRemoved":true}`, time.Time{}},
		{ann, "billing", subID(2), "ReactivateSubscription", `{}`, time.Time{}},
		{ann, "billing", subID(1), "ChangeServiceUsageAddress", `{"address":` + changed + `}`, time.Time{}},
		{ann, "billing", subID(9), "ChangeBillToAddress", `{"name":"Zqxwvmrk Bills","phone":"070-174 06 79","address":` + changed + `}`, time.Time{}},
		{"", "billing", subID(1), "ApplyCardReplacement", fmt.Sprintf(`{"oldCardId":"%s","newCardId":"%s","reason":"requested"}`, cardID(1), cardID(3)), time.Time{}},
		{"", "billing", subID(4), "ChangePaymentMethodKind", `{"kind":"invoice","poNumber":"PO-8"}`, time.Time{}},
		{"", "billing", subID(1), "PromoteBackupCard", fmt.Sprintf(`{"failedCardId":"%s","reason":"expired"}`, cardID(1)), time.Time{}},

		{stripe, "collection", invID(3), "RecordChargeResult", fmt.Sprintf(declined, subID(4), cardID(6), "expired_card", 3, 3), time.Time{}},
		{ann, "collection", invID(1), "SettleBalance", fmt.Sprintf(`{"cardId":"%s"}`, cardID(1)), time.Time{}},
		{"", "collection", invID(2), "ReconsiderCards", fmt.Sprintf(`{"cardId":"%s","change":"added"}`, cardID(2)), time.Time{}},
		{"", "collection", invID(1), "CoverByInvoice", fmt.Sprintf(`{"caseId":"%s"}`, caseID(2)), time.Time{}},

		{bea, "invswitch", caseID(21), "RequestSwitchToInvoice", fmt.Sprintf(toInvoice, subID(1)), time.Time{}},
		{"", "invswitch", caseID(1), "EvaluateEligibility", fmt.Sprintf(`{"customerSince":"2025-01-01T00:00:00Z","unpaid":["%s"]}`, invID(1)), time.Time{}},
		{bs, "invswitch", caseID(1), "RecordSupportCase", `{"caseRef":"SR-3"}`, time.Time{}},
		{bs, "invswitch", caseID(1), "RecordCreditCheck", `{"passed":true,"reference":"CR-3"}`, time.Time{}},
		{bs, "invswitch", caseID(2), "ApproveSwitchToInvoice", `{"note":"Zqxwvmrk was right"}`, time.Time{}},
		{bs, "invswitch", caseID(2), "DenySwitchToInvoice", `{"why":"other"}`, time.Time{}},
		{"", "invswitch", caseID(3), "ConfirmSwitchApplied", `{}`, time.Time{}},
		{ann, "invswitch", caseID(1), "RequestSwitchToCard", `{}`, time.Time{}},

		{psa, "customer", id(1, 7), "RegisterCustomer", `{"companyName":"Other AB","country":"SE","domain":"other.example","language":"sv"}`, time.Time{}},
		{psa, "customer", home, "UpdateCustomerAccount", `{"billingInfo":{"firstName":"Zqxwvmrk","lastName":"Zqxwvmrksson","email":"zqxwvmrk.bill@privat.example","culture":"sv-SE","language":"sv","companyName":"Home AB","defaultAddress":{"firstName":"Zqxwvmrk","lastName":"Zqxwvmrksson","line1":"Zqxwvmrkgatan 4","city":"Umeå","postalCode":"903 26","country":"SE","phone":"070-174 06 63"}},"companyDetails":{"companyName":"Home Nu AB"}}`, time.Time{}},

		{psa, "rel", partner + "-" + id(1, 6), "RequestRelationship", `{"type":"reseller"}`, time.Time{}},
		{oga, "rel", asked, "AcceptRelationship", `{}`, time.Time{}},
		{pga, "rel", asked, "EndRelationship", `{"reason":"Zqxwvmrk is done"}`, time.Time{}},
		{psa, "rel", rel, "RecordPartnerSubscription", `{"subscriptionId":"sub-2","active":true,"ownerRole":true}`, time.Time{}},
		{psa, "rel", rel, "RecordPartnerReservation", `{"reservationId":"res-1","open":false}`, time.Time{}},
		{paa2, "rel", second, "ApprovePurchasePermission", `{"resource":"azure-reserved-instances","action":"purchase"}`, time.Time{}},
		{paa, "rel", third, "GrantPurchasePermission", fmt.Sprintf(buying, `,"expiresAt":"2026-12-23T00:00:00Z"`), time.Time{}},
		{paa, "rel", rel, "RevokePurchasePermission", `{"resource":"azure-reserved-instances","action":"purchase"}`, time.Time{}},
		{paa, "rel", rel, "RecordCustomerPurchase", `{"resource":"azure-reserved-instances","action":"purchase","purchaseId":"buy-1","product":"reserved-vm","amountMinor":1000,"currency":"SEK"}`, time.Time{}},

		{ann, "subject", lea, "RequestErasure", `{}`, time.Time{}},
		{ann, "subject", leo, "WithdrawErasure", `{}`, time.Time{}},
		{eva, "subject", leo, "PlaceLegalHold", `{"reference":"A18/26"}`, time.Time{}},
		{eva, "subject", lea, "ReleaseLegalHold", `{"reference":"A17/26"}`, time.Time{}},
		{per, "subject", per, "ExportSubjectData", `{}`, time.Time{}},
		{"", "subject", leo, "StartErasure", `{}`, time.Time{}},
		{"", "subject", liv, "DestroySubjectKey", `{}`, w.now.AddDate(0, 0, 30)},
		{"", "subject", lars, "CertifyErasure", `{"keys":2,"digest":"00ff"}`, time.Time{}},

		{eve, "audit", eve, "OpenAuditSession", `{"purpose":"Zqxwvmrk asked","scope":{"kinds":["card"],"accounts":["admin-` + ann + `"]},"minutes":30}`, time.Time{}},
		{eva, "audit", eva, "CloseAuditSession", `{}`, time.Time{}},
		{eva, "audit", eva, "RecordHistoryRead", `{"query":{"kind":"history","account":"card-` + cardID(1) + `","from":"0"},"checkpoint":"C:1/P:1"}`, time.Time{}},
		{eva, "audit", eva, "ExportAuditBundle", `{"checkpoint":"C:1/P:1","events":2,"kinds":{"card":2},"digest":"` + strings.Repeat("0f", 32) + `"}`, time.Time{}},

		{ann, "webhook", id(11, 9), "RegisterWebhookEndpoint", `{"url":"https://hooks.home.example/x","events":["card-declined","purchase-made"]}`, time.Time{}},
		{ann, "webhook", id(11, 1), "ChangeWebhookEndpoint", `{"url":"https://hooks.home.example/new","events":["*"]}`, time.Time{}},
		{ann, "webhook", id(11, 1), "RotateWebhookSecret", `{"endOld":true}`, time.Time{}},
		{ann, "webhook", id(11, 1), "DisableWebhookEndpoint", `{}`, time.Time{}},
		{ann, "webhook", id(11, 2), "EnableWebhookEndpoint", `{}`, time.Time{}},
		{ann, "webhook", id(11, 3), "RemoveWebhookEndpoint", `{}`, time.Time{}},
		{"", "webhook", id(11, 1), "DisableGoneWebhookEndpoint", `{"calledAt":"2027-01-01T00:00:00Z"}`, time.Time{}},
		{"", "delivery", id(12, 9), "RequestDelivery", fmt.Sprintf(`{"endpointId":"%s","type":"invoice-paid","eventId":"%s","stream":"collection-%s","revision":0,"at":"2026-11-22T09:00:00Z"}`, id(11, 1), id(9, 29), invID(1)), time.Time{}},
		{"", "delivery", id(12, 0), "RecordAttempt", `{"round":1,"attempt":1,"outcome":"failed","status":503,"calledAt":"2026-11-22T09:00:01Z","tookMs":12}`, time.Time{}},
		{ann, "delivery", id(12, 1), "RedeliverWebhook", `{}`, time.Time{}},

		{"", "resv", claim(1), "Reserve", fmt.Sprintf(`{"kind":"card-token","holder":"%s","tenant":"%s"}`, cardID(21), home), time.Time{}},
		{"", "resv", claim(2), "ConfirmReservation", fmt.Sprintf(`{"holder":"%s"}`, cardID(22)), time.Time{}},
		{"", "resv", claim(2), "ReleaseReservation", fmt.Sprintf(`{"holder":"%s"}`, cardID(22)), time.Time{}},
		{"", "notif", id(8, 1), "RecordNotification", fmt.Sprintf(`{"causeEventId":"%s","person":"%s","template":"card_changed","channel":"mail","outcome":"sent","locale":"sv","attempts":1,"recipientDigests":["00ff"],"textHash":"ff00"}`, id(9, 1), ann), time.Time{}},
		{"", "inlet", id(8, 2), "RecordGatewayEvent", `{"provider":"stripe","gatewayEventId":"evt_9","type":"charge.failed","outcome":"carried-out"}`, time.Time{}},
		{"", "tenant", home, "ReviewRecovery", fmt.Sprintf(`{"adminId":"%s"}`, bea), time.Time{}},
		{"", "tenant", home, "WarnOfLockout", `{"from":"2027-01-01T00:00:00Z"}`, time.Time{}},
		{"", "policy", "account-recovery", "RecheckPolicyVersion", `{"version":2}`, time.Time{}},
		{"", "exposure", recovery.ShardOf(home), "ReviewOrganization", fmt.Sprintf(`{"tenantId":"%s"}`, home), time.Time{}},
		{"", "exposure", recovery.ShardOf(home), "ForeseeLockouts", `{"version":2}`, time.Time{}},
		{op, "policy", "customer-editors", "PublishPolicyVersion", `{"number":3,"effectiveAt":"2027-02-01T00:00:00Z","note":"as before","rules":{"roles":["global-admin","sales-agent"]}}`, time.Time{}},
	}
	for _, s := range all {
		s.body = w.fill(s.body)
		if i := slices.IndexFunc(w.samples, func(t sample) bool { return t.name() == s.name() }); i >= 0 {
			w.samples[i] = s
			continue
		}
		w.samples = append(w.samples, s)
	}
	for _, c := range policy.Contracts {
		for _, info := range c.Commands() { // all are sent, also without a sample
			s := sample{"", c.Category(), id(99, 2), info.Name, `{}`, w.now}
			if !slices.ContainsFunc(w.samples, func(t sample) bool { return t.name() == s.name() }) {
				w.samples = append(w.samples, s)
				w.bare = append(w.bare, s.name())
			}
		}
	}
	for i := range w.samples {
		if w.samples[i].at.Before(w.now) {
			w.samples[i].at = w.now
		}
	}
}

// claim returns the ID of a reservation.
func claim(n int) string { return fmt.Sprintf("card-token-%032d", n) }
