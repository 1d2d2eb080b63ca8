package httpapi_test

import (
	"fmt"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/offboarding"
	"konto/domain/securityinfo"
)

// id returns a UUID that says what it is for.
func id(kind, n int) string { return fmt.Sprintf("%08d-0000-7000-8000-%012d", kind, n) }

// The tenants.
var (
	home    = id(1, 1) // in Sweden, with all kinds of accounts
	partner = id(1, 2) // in Denmark, home's partner
	other   = id(1, 3)
	staff   = id(1, 9)
	rel     = partner + "-" + home
	asked   = partner + "-" + other    // not accepted yet
	second  = partner + "-" + id(1, 7) // a permission waits for a second person
	third   = partner + "-" + id(1, 8) // without a permission
)

// The people.
var (
	ann    = id(2, 1) // a global admin
	bert   = id(2, 2) // the other global admin
	bea    = id(2, 3)
	paul   = id(2, 6)  // profile owner
	eva    = id(2, 9)  // auditor
	per    = id(2, 10) // no roles
	lea    = id(2, 11) // has left
	lou    = id(2, 12) // no roles
	lena   = id(2, 13) // a billing admin who will leave
	leo    = id(2, 14) // has left and will be erased, as will liv and lars
	liv    = id(2, 15)
	lars   = id(2, 16)
	eve    = id(2, 18) // auditor
	lisa   = id(2, 17) // has left, and nothing has followed from it yet
	pga    = id(2, 21)
	psa    = id(2, 22)
	paa    = id(2, 23)
	paa2   = id(2, 25)
	oga    = id(2, 31)
	op     = id(2, 41)
	bs     = id(2, 42)
	stripe = id(2, 51)
	idp    = id(2, 52)
)

// people are all who call, one for each role at least.
func people() []domain.Actor {
	person := func(id, tenant string, roles ...domain.Role) domain.Actor {
		return domain.Actor{ID: id, Kind: domain.KindPerson, Tenant: tenant, Roles: roles}
	}
	return []domain.Actor{
		person(ann, home, domain.GlobalAdmin), person(bert, home, domain.GlobalAdmin), person(bea, home, domain.BillingAdmin),
		person(id(2, 4), home, domain.AuthAdmin), person(id(2, 5), home, domain.PrivilegedAuthAdmin),
		person(paul, home, domain.ProfileOwner), person(id(2, 7), home, domain.ProfileContributor),
		person(id(2, 8), home, domain.InvoiceManager), person(eva, home, domain.Auditor), person(eve, home, domain.Auditor), person(per, home), person(lou, home),
		person(lea, home, domain.BillingAdmin), person(lena, home, domain.BillingAdmin), person(leo, home), person(liv, home), person(lars, home), person(lisa, home, domain.BillingAdmin),
		person(pga, partner, domain.GlobalAdmin), person(psa, partner, domain.SalesAgent), person(paa, partner, domain.AdminAgent),
		person(paa2, partner, domain.AdminAgent), person(id(2, 24), partner, domain.HelpdeskAgent),
		person(oga, other, domain.GlobalAdmin), person(id(2, 32), id(1, 7), domain.GlobalAdmin), person(id(2, 33), id(1, 8), domain.GlobalAdmin), person(op, staff, domain.Operator), person(bs, staff, domain.BillingSupport),
		{ID: stripe, Kind: domain.KindGateway, Tenant: home},
		{ID: idp, Kind: domain.KindIdentity, Tenant: home},
	}
}

func cardID(n int) string { return id(3, n) }
func subID(n int) string  { return id(4, n) }
func invID(n int) string  { return id(5, n) }
func caseID(n int) string { return id(6, n) }

const (
	address = `{"line1":"Zqxwvmrkgatan 1","city":"Umeå","postalCode":"903 26","country":"SE"}`
	newCard = `{"gatewayToken":"pm_%[1]d","brand":"visa","last4":"4242","expMonth":%[2]d,"expYear":%[3]d,"funding":"credit","issuerCountry":"SE",` +
		`"fingerprint":"fp_%[1]d","holderName":"Zqxwvmrk Holder","billTo":` + address + `}`
	declined  = `{"outcome":"declined","subscriptionId":"%s","cardId":"%s","amountMinor":14900,"currency":"SEK","code":"%s","gatewayEventId":"evt_%d","chargeId":"ch_%d"}`
	buying    = `{"resource":"azure-reserved-instances","action":"purchase","capMinor":900000,"currency":"SEK","products":["reserved-vm"],"acknowledge":["partner-pays-for-every-purchase","only-partner-can-change-or-cancel"]%s}`
	toInvoice = `{"subscriptionId":"%s","reason":"amount-rises","amountMinor":900000,"currency":"SEK","name":"Zqxwvmrk Payer","phone":"070-174 06 78","address":` + address + `,"poNumber":"PO-7"}`
)

// live makes the world's history.
func (w *world) live() {
	w.Helper()
	for _, tenant := range []string{home + " Home SE SEK sv-SE home", partner + " Partner DK DKK da-DK partner", other + " Other SE SEK sv-SE other"} {
		n, rest, _ := strings.Cut(tenant, " ")
		f := strings.Fields(rest)
		w.do(op, "tenant", n, "RegisterTenant", fmt.Sprintf(`{"name":"%s AB","country":"%s","currency":"%s","locale":"%s","domain":"%s.example"}`, f[0], f[1], f[2], f[3], f[4]))
	}
	w.do(op, "tenant", home, "VerifyDomain", `{"domain":"first.example"}`)
	w.do(op, "policy", "erasure", "PublishPolicyVersion", `{"number":2,"note":"sooner","rules":{"waitDays":1}}`)
	domains := map[string]string{home: "home", partner: "partner", other: "other"}
	for n, a := range w.actors {
		if domains[a.Tenant] == "" || a.Kind != domain.KindPerson {
			continue
		}
		by := map[string]string{home: ann, partner: pga, other: oga}[a.Tenant]
		roles := `[]`
		if len(a.Roles) > 0 {
			roles = `["` + string(a.Roles[0]) + `"]`
		}
		w.do(by, "admin", a.ID, "AddEmployee", fmt.Sprintf(
			`{"signInName":"zqxwvmrk.%d@%s.example","displayName":"Zqxwvmrk P%d","locale":"sv-SE","roles":%s}`, n, domains[a.Tenant], n, roles))
	}
	for n, who := range []string{ann, bert, lena, lou} {
		w.contacts(who, n)
	}
	w.do(ann, "admin", per, "AddAlias", `{"email":"zqxwvmrk.second@home.example"}`)
	w.do(ann, "org", home, "UpdateOrganizationProfile", `{"name":"Home AB","address":`+address+`,"phone":"070-174 06 71","technicalContact":"zqxwvmrk.tech@privat.example","preferredLanguage":"sv"}`)
	w.cards()
	w.partners()
	w.leavers()
	w.subjects()
	w.now = w.now.AddDate(0, 0, 3) // contacts count by now
	w.do(op, "policy", "customer-editors", "PublishPolicyVersion", `{"number":2,"effectiveAt":"2027-01-01T00:00:00Z","note":"Zqxwvmrk asked","rules":{"roles":["global-admin"]}}`)
	w.do(eva, "audit", eva, "OpenAuditSession", `{"purpose":"Zqxwvmrk v. Home","scope":{"whole":true,"personal":true},"minutes":60}`)
	w.recoveries()
	w.held = true
	w.do("", "subject", lars, "DestroySubjectKey", `{}`)
	w.do(bea, "billing", subID(6), "AddBackupCard", fmt.Sprintf(`{"cardId":"%s"}`, cardID(2)))
	w.do(op, "tenant", home, "VerifyDomain", `{"domain":"lous.example"}`)
	w.do(idp, "secinfo", lou, "StartPasswordReset", `{}`)
	w.do(bs, "invswitch", caseID(3), "ApproveSwitchToInvoice", `{}`)
	w.do(ann, "admin", lisa, "OffboardEmployee", `{}`)
	w.do(bea, "secinfo", bea, "UpdateSecurityInfo", `{"mobile":"070-174 06 72"}`)
	w.hooks()
	w.handmade()
}

// hooks are endpoints, on and off, and deliveries.
func (w *world) hooks() {
	for n := range 4 {
		w.do(ann, "webhook", id(11, n), "RegisterWebhookEndpoint", fmt.Sprintf(`{"url":"https://hooks.home.example/%d","events":["invoice-paid"]}`, n))
	}
	w.do(ann, "webhook", id(11, 2), "DisableWebhookEndpoint", `{}`)
	for n := range 2 {
		w.do("", "delivery", id(12, n), "RequestDelivery", fmt.Sprintf(
			`{"endpointId":"%s","type":"invoice-paid","eventId":"%s","stream":"collection-%s","revision":1,"at":"2026-11-22T09:00:00Z"}`, id(11, 1), id(9, 20+n), invID(1)))
	}
}

// contacts gives a person a phone and an address that recover the account.
func (w *world) contacts(who string, n int) {
	w.do(who, "secinfo", who, "UpdateSecurityInfo", fmt.Sprintf(`{"mobile":"070-174 06 6%d","alternateEmail":"zqxwvmrk.%d@%s.example"}`, n, n, map[bool]string{false: "privat", true: "lous"}[who == lou]))
	for _, slot := range []securityinfo.Slot{securityinfo.SlotMobile, securityinfo.SlotAlternateEmail} {
		w.do(who, "secinfo", who, "ConfirmContactVerification", fmt.Sprintf(`{"slot":"%s","code":"%s"}`, slot, w.code(who, slot)))
	}
}

// cards are of several people and in several states.
func (w *world) cards() {
	for n, owner := range []string{"", ann, bea, ann, lena, ann, ann, paul, lea} {
		if n == 0 {
			continue
		}
		month, year := 9, 2029
		if n == 6 {
			month, year = 11, 2026 // ends soon
		}
		w.do(owner, "card", cardID(n), "AddCard", fmt.Sprintf(newCard, n, month, year))
	}
	for n, s := range []struct {
		by   string
		card int
	}{{}, {ann, 1}, {ann, 1}, {lena, 4}, {ann, 6}, {ann, 3}, {paul, 7}, {lea, 8}, {ann, 1}, {ann, 3}, {lea, 8}} {
		if n > 0 {
			w.do(s.by, "billing", subID(n), "RegisterSubscription", fmt.Sprintf(`{"product":"Business","cardId":"%s","licences":3}`, cardID(s.card)))
		}
	}
	w.do(bea, "billing", subID(1), "AddBackupCard", fmt.Sprintf(`{"cardId":"%s"}`, cardID(2)))
	w.do(paul, "billing", subID(1), "AddBackupCard", fmt.Sprintf(`{"cardId":"%s"}`, cardID(7)))
	w.do(bea, "card", cardID(22), "AddCard", fmt.Sprintf(newCard, 22, 9, 2029))
	w.do("", "billing", subID(9), "ChangePaymentMethodKind", `{"kind":"invoice","poNumber":"PO-9"}`)
	w.do(ann, "card", cardID(8), "ReplaceCard", fmt.Sprintf(`{"newCardId":"%s","scope":"subscription","subscriptionId":"%s"}`, cardID(1), subID(10)))
	w.do(ann, "card", cardID(5), "RemoveCard", `{}`)
	w.do(ann, "billing", subID(2), "CancelSubscription", `{"reason":"Zqxwvmrk left","customDomainRemoved":true}`)
	w.do(stripe, "collection", invID(1), "RecordChargeResult", fmt.Sprintf(declined, subID(1), cardID(1), "insufficient_funds", 1, 1))
	w.do(stripe, "collection", invID(2), "RecordChargeResult", fmt.Sprintf(declined, subID(6), cardID(7), "stolen_card", 2, 2))
	w.do(ann, "invswitch", caseID(1), "RequestSwitchToInvoice", fmt.Sprintf(toInvoice, subID(5)))
	w.do(bea, "invswitch", caseID(2), "RequestSwitchToInvoice", fmt.Sprintf(toInvoice, subID(4)))
	w.do("", "invswitch", caseID(2), "EvaluateEligibility", `{"customerSince":"2025-01-01T00:00:00Z"}`)
	w.do(bs, "invswitch", caseID(2), "RecordSupportCase", `{"caseRef":"SR-1"}`)
	w.do(bs, "invswitch", caseID(2), "RecordCreditCheck", `{"passed":true,"reference":"CR-1"}`)
	w.do(ann, "invswitch", caseID(3), "RequestSwitchToInvoice", fmt.Sprintf(toInvoice, subID(8)))
	w.do("", "invswitch", caseID(3), "EvaluateEligibility", `{"customerSince":"2025-01-01T00:00:00Z"}`)
	w.do(bs, "invswitch", caseID(3), "RecordSupportCase", `{"caseRef":"SR-2"}`)
	w.do(bs, "invswitch", caseID(3), "RecordCreditCheck", `{"passed":true,"reference":"CR-2"}`)
}

func (w *world) partners() {
	w.do(psa, "rel", rel, "RequestRelationship", `{"type":"reseller"}`)
	w.do(ann, "rel", rel, "AcceptRelationship", `{}`)
	w.do(psa, "rel", asked, "RequestRelationship", `{"type":"advisor"}`)
	for i, r := range []string{second, third} {
		admin := id(2, 32+i)
		w.do(psa, "rel", r, "RequestRelationship", `{"type":"reseller"}`)
		w.do(admin, "rel", r, "AcceptRelationship", `{}`)
		w.do(psa, "rel", r, "RecordPartnerSubscription", `{"subscriptionId":"sub-1","active":true,"ownerRole":true}`)
	}
	w.do(paa, "rel", second, "GrantPurchasePermission", fmt.Sprintf(buying, `,"secondPerson":true`))
	w.do("", "resv", claim(2), "Reserve", fmt.Sprintf(`{"kind":"card-token","holder":"%s","tenant":"%s"}`, cardID(22), home))
	w.do(psa, "customer", home, "RegisterCustomer", `{"companyName":"Home AB","country":"SE","domain":"home.example","language":"sv"}`)
	w.do(psa, "rel", rel, "RecordPartnerSubscription", `{"subscriptionId":"sub-1","active":true,"ownerRole":true}`)
	w.do(psa, "rel", rel, "RecordPartnerReservation", `{"reservationId":"res-1","open":true}`)
	w.do(paa, "rel", rel, "GrantPurchasePermission", fmt.Sprintf(buying, `,"expiresAt":"2026-12-24T00:00:00Z"`))
}

// recoveries are resets that are under way, and changes that may be undone.
func (w *world) recoveries() {
	w.do(ann, "secinfo", ann, "ChangeAlternateEmail", `{"email":"zqxwvmrk.new@privat.example"}`)
	w.do(ann, "secinfo", ann, "ConfirmContactVerification", fmt.Sprintf(`{"slot":"alternateEmail","code":"%s"}`, w.code(ann, securityinfo.SlotAlternateEmail)))
	for _, who := range []string{lena, bert} {
		w.do(idp, "secinfo", who, "StartPasswordReset", `{}`)
		w.do("", "secinfo", who, "SendRecoveryCodes", fmt.Sprintf(`{"reset":"%s"}`, w.resetOf(who)))
	}
	for _, slot := range []securityinfo.Slot{securityinfo.SlotMobile, securityinfo.SlotAlternateEmail} {
		w.do(idp, "secinfo", lena, "SubmitRecoveryCode", fmt.Sprintf(`{"slot":"%s","code":"%s"}`, slot, w.recoveryCode(lena, slot)))
	}
}

func (w *world) recoveryCode(who string, slot securityinfo.Slot) string {
	return w.tenantKeys().Code(securityinfo.RecoveryCodeID(w.resetOf(who), slot))
}

func (w *world) resetOf(who string) string {
	var s securityinfo.SecurityInfo
	w.see("secinfo", who, &s)
	return s.Reset.ID
}

func (w *world) leavers() {
	w.do(ann, "admin", lea, "OffboardEmployee", `{}`)
	for _, who := range []string{leo, liv, lars} {
		w.do(ann, "admin", who, "OffboardEmployee", `{}`)
	}
	w.do(ann, "offboard", lea, "GrantFormerUserDataAccess", fmt.Sprintf(`{"granteeId":"%s","expiresAt":"%s","reason":"Zqxwvmrk audit"}`, bea, w.now.AddDate(0, 0, 20).Format(time.RFC3339)))
}

func (w *world) subjects() {
	w.do(eva, "subject", lea, "PlaceLegalHold", `{"reference":"A17/26"}`)
	for _, who := range []string{leo, liv, lars} {
		w.do(ann, "subject", who, "RequestErasure", `{}`)
	}
	w.now = w.now.Add(25 * time.Hour)
	w.do("", "subject", liv, "StartErasure", `{}`)
	w.do("", "subject", lars, "StartErasure", `{}`)
}

// fill puts what only the world knows into a body.
func (w *world) fill(body string) string {
	if !strings.Contains(body, "$") {
		return body
	}
	for name, value := range map[string]func() string{
		"$beasCode":   func() string { return w.code(bea, securityinfo.SlotMobile) },
		"$bertsCode":  func() string { return w.recoveryCode(bert, securityinfo.SlotMobile) },
		"$bertsReset": func() string { return w.resetOf(bert) },
		"$change":     func() string { return w.annsChange() },
		"$proof":      func() string { return w.tenantKeys().MAC(securityinfo.UndoPurpose, w.annsChange()) },
		"$leaving": func() string {
			var o offboarding.Offboarding
			w.see("offboard", lea, &o)
			return o.Offboarding
		},
		"$lisas": func() string {
			var a admin.Admin
			w.see("admin", lisa, &a)
			return a.Leaving.Offboarding
		},
		"$soon": func() string { return w.now.AddDate(0, 0, 5).Format(time.RFC3339) },
	} {
		if strings.Contains(body, name) {
			body = strings.ReplaceAll(body, name, value())
		}
	}
	return body
}

func (w *world) annsChange() string {
	var s securityinfo.SecurityInfo
	w.see("secinfo", ann, &s)
	return s.AlternateEmail.Former[0].Change
}
