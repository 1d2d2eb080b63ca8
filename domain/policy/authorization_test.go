package policy_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/collection"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/domain/relationship"
)

// The tenants of the tests, and whom they are to each other.
const (
	own     = "11111111-1111-4111-8111-111111111111" // owns the aggregates; the customer
	other   = "22222222-2222-4222-8222-222222222222"
	partner = "33333333-3333-4333-8333-333333333333" // acts for own
	former  = "44444444-4444-4444-8444-444444444444" // acted for own
	person  = "55555555-5555-4555-8555-555555555555"
)

// roles are all roles, and none.
var roles = append([]domain.Role{""}, domain.Roles()...)

// relations are how an actor may stand to an aggregate.
var relations = []string{"self", "same", "other", "related", "former", "customer", "gateway", "foreign-gateway", "idp", "foreign-idp", "system", "foreign-system"}

// passes says who may send each command to what meets the row's condition, such
// as their own card (see others for what does not): a relation, then the roles, "*" for
// whatever roles. "same" includes "self", and "any" is every person.
var passes = map[string]string{
	"tenant/RegisterTenant":              "any:operator system:*",
	"tenant/VerifyDomain":                "any:operator system:*",
	"tenant/SetCloudVariant":             "any:operator system:*",
	"tenant/SetManagingPartner":          "any:operator system:*",
	"tenant/SeatGlobalAdmin":             "system:*",
	"tenant/UnseatGlobalAdmin":           "system:*",
	"tenant/WarnOfLockout":               "system:*",
	"tenant/ReviewRecovery":              "system:*",
	"policy/RecheckPolicyVersion":        "system:*",
	"exposure/ReviewOrganization":        "system:*",
	"exposure/ForeseeLockouts":           "system:*",
	"admin/ChangeUserName":               "same:global-admin system:*",
	"admin/SetPrimaryEmail":              "same:global-admin system:*",
	"admin/SwitchLanguage":               "self:* same:global-admin",
	"admin/OffboardEmployee":             "same:global-admin",
	"admin/CompleteOffboarding":          "system:*",
	"admin/RestoreEmployee":              "same:global-admin",
	"admin/ExpireRetention":              "system:*",
	"admin/AddEmployee":                  "same:global-admin system:*",
	"admin/AddAlias":                     "same:global-admin",
	"admin/AssignRole":                   "same:global-admin,profile-owner any:operator",
	"admin/RemoveRole":                   "same:global-admin,profile-owner any:operator",
	"admin/ChangeDisplayName":            "same:global-admin",
	"secinfo/UpdateSecurityInfo":         "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/AddPhoneMethod":             "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/ChangePhoneMethod":          "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/RemovePhoneMethod":          "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/AddAlternateEmail":          "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/ChangeAlternateEmail":       "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/RemoveAlternateEmail":       "self:* same:global-admin,auth-admin,privileged-auth-admin",
	"secinfo/UndoContactChange":          "self:* idp:* system:*",
	"secinfo/ReconfirmSecurityInfo":      "self:*",
	"secinfo/RequestReconfirmation":      "system:*",
	"secinfo/StartPasswordReset":         "idp:*",
	"secinfo/SendRecoveryCodes":          "system:*",
	"secinfo/SubmitRecoveryCode":         "idp:*",
	"secinfo/CompletePasswordReset":      "idp:*",
	"secinfo/RequestContactVerification": "self:*",
	"secinfo/ConfirmContactVerification": "self:*",
	"secinfo/ExpireContactVerification":  "system:*",
	"secinfo/RecheckAlternateEmail":      "system:*",
	"card/AddCard":                       "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"card/UpdateCardDetails":             "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"card/ReplaceCard":                   "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"card/ReplaceDeclinedCard":           "system:*",
	"card/RemoveCard":                    "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"card/RecordCardAutoUpdate":          "gateway:*",
	"card/RecordCardStatus":              "gateway:* system:*",
	"card/CheckCardExpiry":               "system:*",
	"card/AttachCard":                    "system:*",
	"card/DetachCard":                    "system:*",
	"billing/RegisterSubscription":       "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"billing/AddBackupCard":              "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"billing/ReorderBackupCards":         "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"billing/RemoveBackupCard":           "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"billing/RecordAssignedLicences":     "any:operator,billing-support system:*",
	"billing/CancelSubscription":         "same:global-admin,billing-admin any:billing-support",
	"billing/CancelUnpaidSubscription":   "system:*",
	"billing/ReactivateSubscription":     "same:global-admin,billing-admin",
	"billing/ChangeServiceUsageAddress":  "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"billing/ChangeBillToAddress":        "same:global-admin,billing-admin,profile-owner,profile-contributor",
	"billing/DeleteSubscription":         "system:*",
	"billing/ApplyCardReplacement":       "system:*",
	"billing/ChangePaymentMethodKind":    "system:*",
	"billing/PromoteBackupCard":          "system:*",
	"collection/RecordChargeResult":      "gateway:*",
	"collection/SettleBalance":           "same:global-admin,billing-admin,profile-owner,profile-contributor,invoice-manager",
	"collection/AdvanceCollection":       "system:*",
	"collection/ReconsiderCards":         "system:*",
	"collection/CoverByInvoice":          "system:*",
	"invswitch/RequestSwitchToInvoice":   "same:global-admin,billing-admin,profile-owner,profile-contributor any:billing-support",
	"invswitch/EvaluateEligibility":      "system:*",
	"invswitch/RecordSupportCase":        "any:billing-support",
	"invswitch/RecordCreditCheck":        "any:billing-support",
	"invswitch/ApproveSwitchToInvoice":   "any:billing-support",
	"invswitch/DenySwitchToInvoice":      "any:billing-support",
	"invswitch/ConfirmSwitchApplied":     "system:*",
	"invswitch/RequestSwitchToCard":      "same:global-admin,billing-admin",
	"customer/RegisterCustomer":          "related:global-admin,sales-agent",
	"customer/UpdateCustomerAccount":     "related:global-admin,sales-agent",
	// The leaver's account is no longer "self" to anybody.
	"org/UpdateOrganizationProfile":       "same:global-admin",
	"org/ChangeSoldToAddress":             "same:global-admin",
	"org/ChangeTechnicalContact":          "same:global-admin",
	"org/ChangePreferredLanguage":         "same:global-admin",
	"org/ChangeOrganizationContactEmail":  "same:global-admin",
	"org/SetInvoiceAttachment":            "same:global-admin",
	"feedback/SubmitFeedback":             "same:*",
	"offboard/FindOrphanedItems":          "system:*",
	"offboard/SettleOrphanedItem":         "system:*",
	"offboard/TakeOverSubscription":       "same:global-admin,billing-admin",
	"offboard/CloseOffboarding":           "system:*",
	"offboard/GrantFormerUserDataAccess":  "same:global-admin",
	"offboard/RevokeFormerUserDataAccess": "same:global-admin",
	"offboard/EndFormerUserDataAccess":    "system:*",
	"offboard/ExpireFormerUserDataAccess": "system:*",
	// Every partner owns the relationship that it is in, ended or not.
	"rel/RequestRelationship":       "same,related,former:global-admin,sales-agent,admin-agent",
	"rel/AcceptRelationship":        "customer:global-admin",
	"rel/EndRelationship":           "same,related,former,customer:global-admin",
	"subject/RequestErasure":        "self:* same:global-admin system:*",
	"subject/WithdrawErasure":       "self:* same:global-admin system:*",
	"subject/PlaceLegalHold":        "same:global-admin,auditor",
	"subject/ReleaseLegalHold":      "same:global-admin,auditor",
	"subject/ExportSubjectData":     "self:* same:global-admin",
	"subject/StartErasure":          "system:*",
	"subject/DestroySubjectKey":     "system:*",
	"subject/CertifyErasure":        "system:*",
	"resv/Reserve":                  "system:*",
	"resv/ConfirmReservation":       "system:*",
	"resv/ReleaseReservation":       "system:*",
	"notif/RecordNotification":      "system:*",
	"inlet/RecordGatewayEvent":      "gateway:* system:*",
	"policy/PublishPolicyVersion":   "any:operator",
	"audit/OpenAuditSession":        "self:auditor",
	"audit/CloseAuditSession":       "self:* same:global-admin system:*",
	"audit/ExpireAuditSession":      "system:*",
	"audit/RecordHistoryRead":       "self:auditor",
	"audit/ExportAuditBundle":       "self:auditor",
	"rel/RecordPartnerSubscription": "same,related,former:global-admin,sales-agent,admin-agent gateway:* system:*",
	"rel/RecordPartnerReservation":  "same,related,former:global-admin,sales-agent,admin-agent gateway:* system:*",
	"rel/GrantPurchasePermission":   "same,related,former:admin-agent",
	"rel/ApprovePurchasePermission": "same,related,former:admin-agent",
	"rel/RevokePurchasePermission":  "same,related,former:admin-agent",
	"rel/ExpirePurchasePermission":  "system:*",
	"rel/RecordCustomerPurchase":    "same,related,former:global-admin,sales-agent,admin-agent gateway:* system:*",
	// Other systems that are told.
	"webhook/RegisterWebhookEndpoint":    "same:global-admin",
	"webhook/ChangeWebhookEndpoint":      "same:global-admin",
	"webhook/RotateWebhookSecret":        "same:global-admin",
	"webhook/DisableWebhookEndpoint":     "same:global-admin",
	"webhook/EnableWebhookEndpoint":      "same:global-admin",
	"webhook/RemoveWebhookEndpoint":      "same:global-admin",
	"webhook/DisableGoneWebhookEndpoint": "system:*",
	"delivery/RequestDelivery":           "system:*",
	"delivery/RecordAttempt":             "system:*",
	"delivery/RedeliverWebhook":          "same:global-admin",
}

// expected expands what a line of a table says.
func expected(line string) map[string]bool {
	m := map[string]bool{}
	for grant := range strings.FieldsSeq(line) {
		who, what, _ := strings.Cut(grant, ":")
		for relation := range strings.SplitSeq(who, ",") {
			group := []string{relation}
			switch relation {
			case "same":
				group = []string{"self", "same"}
			case "any":
				group = []string{"self", "same", "other", "related", "former", "customer"}
			}
			for _, relation := range group {
				for _, role := range roles {
					if what == "*" || slices.Contains(strings.Split(what, ","), string(role)) {
						m[relation+" "+string(role)] = true
					}
				}
			}
		}
	}
	return m
}

// scene is an aggregate and somebody who stands to it in some relation.
func scene(category, relation string, role domain.Role) (id, owner string, actor domain.Actor, facts domain.Facts) {
	id, owner = "66666666-6666-4666-8666-666666666666", own
	actor = domain.Actor{ID: "77777777-7777-4777-8777-777777777777", Kind: domain.KindPerson, Tenant: own, AuthenticatedAt: noon}
	if role != "" {
		actor.Roles = []domain.Role{role}
	}
	switch category {
	case "customer", "tenant", "org":
		id = own
	case "policy":
		id, owner = "customer-editors", policyversion.Tenant
	case "exposure":
		id, owner = "0", policyversion.Tenant
	}
	acting := partner
	if relation == "former" {
		acting = former
	}
	if category == "rel" {
		id, owner, actor.Tenant = relationship.ID(acting, own), acting, acting
	}
	switch relation {
	case "self":
		actor.ID = id
	case "other":
		actor.Tenant = other
	case "related", "former":
		actor.Tenant = acting
	case "customer":
		actor.Tenant = own
	case "gateway":
		actor.Kind, actor.Tenant = domain.KindGateway, owner
	case "foreign-gateway":
		actor.Kind, actor.Tenant = domain.KindGateway, other
	case "idp":
		actor.Kind, actor.Tenant = domain.KindIdentity, owner
	case "foreign-idp":
		actor.Kind, actor.Tenant = domain.KindIdentity, other
	case "system":
		actor.Kind, actor.Tenant = domain.KindSystem, ""
	case "foreign-system":
		actor.Kind, actor.Tenant = domain.KindSystem, other
	}
	facts = domain.Facts{}.
		Knows(domain.Of[policy.Relation](relationship.ID(partner, own)), policy.Relation{Active: true}).
		Knows(domain.Of[policy.Relation](relationship.ID(former, own)), policy.Relation{}).
		Knows(domain.Of[policy.Relation](relationship.ID(other, own)), policy.Relation{}).
		Knows(domain.Of[policy.Entrusted](id), policy.Entrusted{Until: map[string]time.Time{person: noon}}).
		Knows(domain.Of[policy.Home](id), policy.Home{Tenant: owner}).
		Knows(domain.Of[policy.Audited](actor.ID), policy.Audited{}).
		Knows(domain.Of[policy.Unpaid](id), policy.Unpaid{}).
		Knows(domain.Of[policy.Switching](id), policy.Switching{})
	facts = relationship.Grantors.Known(policy.CustomerEditors.Known(facts))
	return id, owner, actor, facts
}

// only returns the facts that needs names, so that a rule which looks at
// others is found out.
func only(t *testing.T, known domain.Facts, needs []domain.Need) domain.Facts {
	t.Helper()
	var facts domain.Facts
	for _, n := range needs {
		if !known.Has(n) {
			t.Fatalf("unexpected need %v", n)
		}
		_ = carried[policy.Relation](n, known, &facts) || carried[policy.Entrusted](n, known, &facts) ||
			carried[policy.Home](n, known, &facts) || carried[policy.Audited](n, known, &facts) ||
			carried[policy.Unpaid](n, known, &facts) || carried[policy.Switching](n, known, &facts) ||
			carried[collection.Wallet](n, known, &facts) || carried[domain.Terms[domain.RoleTerms]](n, known, &facts) ||
			carriedForConditions(n, known, &facts)
	}
	return facts
}

// carried copies the fact that n names to facts, if it is an F.
func carried[F any](n domain.Need, known domain.Facts, facts *domain.Facts) bool {
	if n.Type != reflect.TypeFor[F]() {
		return false
	}
	*facts = facts.Knows(n, domain.Fact[F](domain.Meta{Facts: known}, n.Key))
	return true
}

// knows reports whether somebody in a relation may know of an aggregate.
func knows(category, relation string) bool {
	if category == "policy" && relation != "foreign-gateway" && relation != "foreign-idp" && relation != "foreign-system" {
		return true
	}
	if category == "exposure" && (relation == "self" || relation == "same") {
		return false // it is no organization's
	}
	switch relation {
	case "self", "same", "gateway", "idp", "system", "customer":
		return true
	case "related":
		return category == "customer" || category == "rel"
	case "former":
		return category == "rel" // their own, which has ended
	}
	return false
}

func attempt(t *testing.T, category, command, relation string, role domain.Role, exists bool) domain.Attempt {
	t.Helper()
	return attemptOn(t, category, command, relation, role, exists, yours)
}

func TestRuleMatrix(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, contract := range policy.Contracts {
		for _, command := range contract.Commands() {
			name := contract.Category() + "/" + command.Name
			line, listed := passes[name]
			if !listed {
				t.Errorf("%s: no expectation", name)
			}
			want := expected(line)
			for _, relation := range relations {
				if relation == "customer" && contract.Category() != "rel" {
					continue
				}
				for _, role := range roles {
					checked++
					a := attempt(t, contract.Category(), command.Name, relation, role, true)
					trace, err := policy.Table.Rule(a)
					checkRuling(t, name+" by "+relation+" "+string(role), want[relation+" "+string(role)], knows(contract.Category(), relation), trace, err)
				}
			}
		}
	}
	if least := len(passes) * len(roles) * (len(relations) - 1); checked < least {
		t.Errorf("checked %d cells, want %d or more", checked, least)
	}
}

func checkRuling(t *testing.T, cell string, pass, known bool, trace []domain.Ruling, err error) {
	t.Helper()
	if len(trace) < 2 || trace[len(trace)-1].Passed != pass {
		t.Errorf("%s: trace = %+v, want one that ends with passed = %v", cell, trace, pass)
	}
	if pass {
		if err != nil {
			t.Errorf("%s: refused with %v", cell, err)
		}
		return
	}
	got := refusal(err)
	switch {
	case got == nil:
		t.Errorf("%s: err = %v, want a refusal", cell, err)
	case known && got.Kind != domain.KindForbidden, !known && got.Kind != domain.KindNotFound:
		t.Errorf("%s: refused with %+v, known = %v", cell, got, known)
	case known && (got.Code != "not-allowed" || got.Rule == "" || got.Facts["policyVersion"] != policy.Table.Version):
		t.Errorf("%s: refusal = %+v, want rule and policy version", cell, got)
	case !known && len(trace) != 2:
		t.Errorf("%s: trace = %+v tells more than that there is nothing", cell, trace)
	}
}

func TestEveryCommandHasOneRow(t *testing.T) {
	t.Parallel()
	rows := map[string]policy.Row{}
	for _, r := range policy.Table.Commands {
		name := r.Category + "/" + r.Command
		if _, twice := rows[name]; twice {
			t.Errorf("%s has two rows", name)
		}
		if r.Rule == "" || len(r.Grants) == 0 {
			t.Errorf("%s: row %+v names no rule or nobody", name, r)
		}
		rows[name] = r
	}
	for _, contract := range policy.Contracts {
		for _, c := range contract.Commands() {
			name := contract.Category() + "/" + c.Name
			row, ok := rows[name]
			if !ok {
				t.Errorf("%s has no row", name)
			}
			delete(rows, name)
			forPeople := slices.ContainsFunc(row.Grants, func(g policy.Grant) bool {
				return g.Scope != policy.System && g.Scope != policy.Gateway
			})
			if c.Internal && forPeople {
				t.Errorf("%s is internal, but a person may send it", name)
			}
		}
	}
	for name := range rows {
		t.Errorf("the row %s is for no command", name)
	}
}

func TestMissingRowIsDenied(t *testing.T) {
	t.Parallel()
	for _, relation := range relations {
		for _, role := range roles {
			a := attempt(t, "card", "AddCard", relation, role, true)
			trace, err := policy.Rules{Version: 7}.Rule(a)
			if got := refusal(err); got == nil || got.Kind != domain.KindForbidden || got.Rule != "N10" || trace[0].Passed {
				t.Errorf("%s %s without a row: %v, %+v, want denied", relation, role, err, trace)
			}
		}
	}
	a := attempt(t, "card", "StealCard", "same", domain.GlobalAdmin, true)
	if _, err := policy.Table.Rule(a); err == nil {
		t.Error("an unknown command passed")
	}
	a = attempt(t, "card", "AddCard", "same", domain.GlobalAdmin, true)
	a.Actor.Kind = "robot"
	if _, err := policy.Table.Rule(a); err == nil {
		t.Error("an actor of an unknown kind passed")
	}
	a = attempt(t, "card", "AddCard", "same", domain.GlobalAdmin, true)
	a.Owner, a.Actor.Tenant = "", ""
	if _, err := policy.Table.Rule(a); err == nil {
		t.Error("nobody's tenant passed for the actor's own")
	}
}

// Somebody of another tenant must not tell an aggregate that is there from one
// that is not. The command's own rule answers where the table lets pass.
func TestOtherTenantsAggregatesAreAsGoodAsNone(t *testing.T) {
	t.Parallel()
	for _, row := range policy.Table.Commands {
		if row.Creates && row.Category != "secinfo" {
			continue
		}
		for _, relation := range []string{"other", "former", "related"} {
			if knows(row.Category, relation) {
				continue
			}
			for _, role := range roles {
				_, there := policy.Table.Rule(attempt(t, row.Category, row.Command, relation, role, true))
				_, none := policy.Table.Rule(attempt(t, row.Category, row.Command, relation, role, false))
				if none == nil {
					none = policy.NotFound(row.Category) // what Decide says
				}
				if there == nil && (role == domain.Operator || role == domain.BillingSupport) {
					continue // may know
				}
				if !cmp.Equal(refusal(there), refusal(none)) {
					t.Errorf("%s/%s by %s %s: %v if it is there, %v if not", row.Category, row.Command, relation, role, there, none)
				}
			}
		}
	}
}

// refusal is err as a caller is shown it.
func refusal(err error) *domain.Error {
	e, _ := errors.AsType[*domain.Error](err)
	return e
}
