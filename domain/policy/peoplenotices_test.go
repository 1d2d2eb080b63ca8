package policy_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/offboarding"
	"konto/domain/organization"
)

func TestPeopleAreTold(t *testing.T) {
	team := []domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("bo", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
		event("cleo", admin.EmployeeAdded{Roles: []domain.Role{domain.Auditor}}),
	}
	due := noon.Add(time.Hour)
	access := func(change string) object {
		return object{"adminId": "eva", "granteeId": "cleo", "expiresAt": due, "change": change}
	}
	changed := func(name string) []domain.Effect {
		return mail("org_profile_changed", object{"changed": []string{name}}, "ann", "bo")
	}
	const org = "tell-of-organization"
	run(t, []reactionCase{
		{
			name: "S11: of a new name", reaction: "tell-of-user-name", when: event("ann", admin.UserNameChanged{Old: about("old"), New: about("new")}),
			then: append(mail("user_name_changed", object{"userName": about("new"), "at": noon}, "ann"),
				toldAt(domain.Mail, about("old"), "user_name_changed", object{"userName": about("new"), "at": noon})),
		},
		{
			name: "S11: of a new name, at no old one that was erased before", reaction: "tell-of-user-name",
			when: event("ann", admin.UserNameChanged{New: about("new")}),
			then: mail("user_name_changed", object{"userName": about("new"), "at": noon}, "ann"),
		},
		{
			name: "S5: of mail that goes to another address, also at the one before", reaction: "tell-of-user-name",
			when: event("ann", admin.PrimaryEmailChanged{Old: about("old"), New: about("new")}),
			then: append(mail("user_name_changed", object{"primaryEmail": about("new"), "at": noon}, "ann"),
				toldAt(domain.Mail, about("old"), "user_name_changed", object{"primaryEmail": about("new"), "at": noon})),
		},
		{
			name: "S5: of a new name, at the old one only if mail went there", reaction: "tell-of-user-name",
			given: []domain.Recorded[any]{event("ann", admin.PrimaryEmailChanged{Old: about("old"), New: about("box")})},
			when:  event("ann", admin.UserNameChanged{Old: about("old"), New: about("new")}),
			then:  mail("user_name_changed", object{"userName": about("new"), "at": noon}, "ann"),
		},
		{
			name: "S5: where another person's mail goes is another's", reaction: "tell-of-user-name",
			given: []domain.Recorded[any]{event("bo", admin.PrimaryEmailChanged{Old: about("old"), New: about("box")})},
			when:  event("ann", admin.UserNameChanged{Old: about("old"), New: about("new")}),
			then: append(mail("user_name_changed", object{"userName": about("new"), "at": noon}, "ann"),
				toldAt(domain.Mail, about("old"), "user_name_changed", object{"userName": about("new"), "at": noon})),
		},
		{name: "S8: of a name", reaction: org, given: team, when: event(own, organization.OrganizationProfileUpdated{Changed: []string{"name"}}), then: changed("name")},
		{name: "S8: of a technical contact", reaction: org, given: team, when: event(own, organization.TechnicalContactChanged{}), then: changed("technicalContact")},
		{name: "S8: of a language", reaction: org, given: team, when: event(own, organization.PreferredLanguageChanged{}), then: changed("preferredLanguage")},
		{name: "S8: of a contact address", reaction: org, given: team, when: event(own, organization.OrganizationContactEmailChanged{}), then: changed("contactEmail")},
		{name: "S8: of invoices", reaction: org, given: team, when: event(own, organization.InvoiceAttachmentSet{}), then: changed("invoiceAttachment")},
		{
			name: "S9: of the sold-to address", reaction: org, given: team, when: event(own, organization.SoldToAddressChanged{}),
			then: mail("billing_address_changed", object{"kind": "sold-to"}, "ann", "bo"),
		},
		{
			name: "S13: of what a leaver leaves behind", reaction: "tell-of-off-boarding", given: team,
			when: event("eva", offboarding.OrphanedItemsFound{Cards: []string{"c1"}, Subscriptions: []string{"s1"}, Bought: []string{"s2"}, DueAt: due}),
			then: mail("offboarding_items", object{"adminId": "eva", "cardIds": []string{"c1"}, "subscriptionIds": []string{"s1", "s2"}, "dueAt": due}, "ann"),
		},
		{name: "S13: of nothing left behind", reaction: "tell-of-off-boarding", given: team, when: event("eva", offboarding.OrphanedItemsFound{DueAt: due})},
		{
			name: "S14: of access", reaction: "tell-of-off-boarding", given: team, when: event("eva", offboarding.FormerUserDataAccessGranted{GranteeID: "cleo", ExpiresAt: due}),
			then: mail("former_user_access", access("granted"), "ann", "cleo"),
		},
		{
			name: "S14: of its end", reaction: "tell-of-off-boarding", given: team, when: event("eva", offboarding.FormerUserDataAccessRevoked{GranteeID: "cleo", ExpiresAt: due}),
			then: mail("former_user_access", access("revoked"), "ann", "cleo"),
		},
		{
			name: "S14: a global admin who reads is told once", reaction: "tell-of-off-boarding", given: team,
			when: event("eva", offboarding.FormerUserDataAccessGranted{GranteeID: "ann", ExpiresAt: due}),
			then: mail("former_user_access", object{"adminId": "eva", "granteeId": "ann", "expiresAt": due, "change": "granted"}, "ann"),
		},
	})
}
