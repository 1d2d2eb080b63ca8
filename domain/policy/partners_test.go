package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/relationship"
)

func TestBothSidesAreTold(t *testing.T) {
	rel := relationship.ID(partner, own)
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	left := int64(600)
	of := func(tenant string, e domain.Recorded[any]) domain.Recorded[any] {
		e.Tenant = tenant
		return e
	}
	people := []domain.Recorded[any]{
		of(partner, event("agent", admin.EmployeeAdded{Roles: []domain.Role{domain.AdminAgent}})),
		of(partner, event("seller", admin.EmployeeAdded{Roles: []domain.Role{domain.SalesAgent}})),
		of(partner, event("helper", admin.EmployeeAdded{Roles: []domain.Role{domain.HelpdeskAgent}})),
		of(partner, event("gone", admin.EmployeeAdded{Roles: []domain.Role{domain.AdminAgent}})),
		of(partner, event("gone", admin.RoleRemoved{Role: domain.AdminAgent})),
		of(own, event("admin", admin.EmployeeAdded{})),
		of(own, event("admin", admin.RoleAssigned{Role: domain.GlobalAdmin})),
		of(own, event("clerk", admin.EmployeeAdded{Roles: []domain.Role{domain.InvoiceManager}})),
		of(own, event("biller", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}})),
		of(other, event("stranger", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}})),
	}
	const sides = `"partnerId":"` + partner + `","customerId":"` + own + `",`
	notices := func(template, tenant, data string, to ...string) []domain.Effect {
		var all []domain.Effect
		for _, person := range to {
			all = append(all, domain.Notice{
				To: person, Tenant: tenant, Channel: domain.Mail, Template: template, Data: json.RawMessage("{" + sides + data + "}"),
			})
		}
		return all
	}
	a := relationship.Allowance{Resource: "r", Action: "a", CapMinor: 1000, Currency: "EUR", ExpiresAt: until, Products: []string{"p"}}
	var cases []reactionCase
	for _, c := range []struct {
		name, template string
		when           any
		data           string // empty if nobody is told
	}{
		{"N16: asked for", "relationship_changed", relationship.RelationshipRequested{PartnerID: partner, CustomerID: own, Type: relationship.Reseller}, `"change":"requested","type":"reseller"`},
		{"N16: accepted", "relationship_changed", relationship.RelationshipEstablished{PartnerID: partner, CustomerID: own, Type: relationship.Advisor}, `"change":"established","type":"advisor"`},
		{"N16: ended", "relationship_changed", relationship.RelationshipEnded{PartnerID: partner, CustomerID: own, Type: relationship.Support}, `"change":"ended","type":"support"`},
		{
			"P8: granted", "purchase_permission_changed",
			relationship.PurchasePermissionGranted{PartnerID: partner, CustomerID: own, Allowance: a},
			`"change":"granted","resource":"r","action":"a","capMinor":1000,"currency":"EUR","expiresAt":"2027-01-01T00:00:00Z","products":["p"]`,
		},
		{
			"P8: revoked", "purchase_permission_changed",
			relationship.PurchasePermissionRevoked{PartnerID: partner, CustomerID: own, Resource: "r", Action: "a", Reason: relationship.ReasonRevoked, Granted: true},
			`"change":"revoked","resource":"r","action":"a","products":[]`,
		},
		{
			"X6: ended with the relationship", "purchase_permission_changed",
			relationship.PurchasePermissionRevoked{PartnerID: partner, CustomerID: own, Resource: "r", Action: "a", Reason: relationship.ReasonRelationshipEnded, Granted: true},
			`"change":"revoked","resource":"r","action":"a","products":[]`,
		},
		{
			"N17: expired", "purchase_permission_changed",
			relationship.PurchasePermissionRevoked{PartnerID: partner, CustomerID: own, Resource: "r", Action: "a", Reason: relationship.ReasonExpired, Granted: true},
			`"change":"expired","resource":"r","action":"a","products":[]`,
		},
		{"N17: taken back before anybody approved it", "", relationship.PurchasePermissionRevoked{PartnerID: partner, CustomerID: own, Reason: relationship.ReasonRevoked}, ""},
		{
			"N16: bought", "purchase_made",
			relationship.CustomerPurchaseRecorded{PartnerID: partner, CustomerID: own, Product: "p", AmountMinor: 400, Currency: "EUR", CapLeftMinor: &left, At: until},
			`"product":"p","amountMinor":400,"currency":"EUR","at":"2027-01-01T00:00:00Z","capLeftMinor":600`,
		},
	} {
		when := of(partner, event(rel, c.when))
		toPartner, toCustomer := notices(c.template, partner, c.data, "agent", "seller"), notices(c.template, own, c.data, "admin")
		if c.data == "" {
			toPartner, toCustomer = nil, nil
		}
		cases = append(
			cases,
			reactionCase{c.name + ", to the partner", "tell-partner-of-relationship", people, when, toPartner},
			reactionCase{c.name + ", to the customer", "tell-customer-of-relationship", people, when, toCustomer},
		)
	}
	run(t, cases)
}

// A permission that waits for a second person is told to those who could be
// it, and to nobody else.
func TestSecondPersonIsAsked(t *testing.T) {
	const name = "tell-partner-of-relationship"
	rel := relationship.ID(partner, own)
	at := func(e domain.Recorded[any]) domain.Recorded[any] {
		e.Tenant = partner
		return e
	}
	has := func(id string, roles ...domain.Role) domain.Recorded[any] {
		return at(event(id, admin.EmployeeAdded{Roles: roles}))
	}
	proposal := func(approvers ...domain.Role) domain.Recorded[any] {
		return at(event(rel, relationship.PurchasePermissionProposed{
			PartnerID: partner, CustomerID: own, ProposedBy: "agent", Allowance: relationship.Allowance{Resource: "r", Action: "a"}, Approvers: approvers,
		}))
	}
	asks := func(approvers []any, people ...string) []domain.Effect {
		var all []domain.Effect
		for _, p := range people {
			all = append(all, domain.Notice{
				To: p, Tenant: partner, Channel: domain.Mail, Template: "purchase_permission_changed",
				Data: object{"partnerId": partner, "customerId": own, "change": "proposed", "resource": "r", "action": "a", "products": []any{}, "approvers": approvers},
			})
		}
		return all
	}
	proposed, agents := proposal(aa), []any{"admin-agent"}
	tells := func(people ...string) []domain.Effect { return asks(agents, people...) }
	heading, named := proposal(domain.GlobalAdmin, domain.SalesAgent), []any{"global-admin", "sales-agent"}
	agent, second, boss, seller := has("agent", aa), has("second", aa), has("boss", domain.GlobalAdmin), has("seller", domain.SalesAgent)
	run(t, []reactionCase{
		{name: "N17: the other admin agents are asked", reaction: name, given: []domain.Recorded[any]{agent, second, has("third", aa), boss, seller}, when: proposed, then: tells("second", "third")},
		{name: "N17: without another agent the global admins are told", reaction: name, given: []domain.Recorded[any]{agent, boss, seller}, when: proposed, then: tells("boss")},
		{name: "N17: who is both is asked once", reaction: name, given: []domain.Recorded[any]{agent, has("second", aa, domain.GlobalAdmin)}, when: proposed, then: tells("second")},
		{name: "N17: who proposed it is not asked", reaction: name, given: []domain.Recorded[any]{has("agent", aa, domain.GlobalAdmin)}, when: proposed},
		{name: "N17: who has left is not asked", reaction: name, given: []domain.Recorded[any]{agent, second, boss, at(event("second", admin.EmployeeBlocked{}))}, when: proposed, then: tells("boss")},
		{
			name: "N17: who came back is asked", reaction: name, when: proposed, then: tells("second"),
			given: []domain.Recorded[any]{agent, second, at(event("second", admin.EmployeeBlocked{})), at(event("second", admin.EmployeeRestored{Roles: []domain.Role{aa}}))},
		},
		{name: "P8, N17: under another version, those are asked whom it names", reaction: name, given: []domain.Recorded[any]{agent, second, boss, seller}, when: heading, then: asks(named, "boss", "seller")},
		{
			name: "P8, N17: a role that looks after no customers may be named", reaction: name, given: []domain.Recorded[any]{agent, boss, has("helper", domain.HelpdeskAgent), has("other", domain.BillingAdmin)},
			when: proposal(domain.HelpdeskAgent), then: asks([]any{"helpdesk-agent"}, "helper"),
		},
		{name: "P8, N17: the one whom it names has proposed it", reaction: name, given: []domain.Recorded[any]{has("agent", domain.SalesAgent), second, boss}, when: proposal(domain.SalesAgent), then: asks([]any{"sales-agent"}, "boss")},
		{name: "N17: who was asked for before roles were named", reaction: name, given: []domain.Recorded[any]{agent, second, seller}, when: proposal(), then: tells("second")},
		{name: "N17: the customer is not told of a proposal", reaction: "tell-customer-of-relationship", given: []domain.Recorded[any]{event("admin", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}})}, when: proposed},
	})
}

const aa = domain.AdminAgent
