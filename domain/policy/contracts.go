// Package policy holds what no aggregate can know alone: who may send which
// command, who may read what, where facts about other aggregates come from,
// and what happens because something else happened. It is the one domain
// package that sees several aggregates.
//
// # What is guaranteed
//
// A command that has no row in [Table] is refused to everybody, and so is a
// reader that no line of the table names. Somebody of another tenant gets the
// same answer for an aggregate that is there as for one that is not, unless
// they are a party to it.
//
// Reactions are pure. They see personal values sealed and hand them on sealed;
// what they ask for depends on nothing but the events before.
//
// Every decision and every refusal names the version of the table that it was
// made under, and a version stands for one table: a row more or less is a new
// version. A back-test of an old decision asks the table of today, and shows
// by the versions that it was another one then.
//
// # What is not
//
// A row says who may ask. Whether the card is theirs, the code is right or
// the slot is free is the aggregate's rule to refuse.
package policy

import (
	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/delivery"
	"konto/domain/exposure"
	"konto/domain/feedback"
	"konto/domain/inlet"
	"konto/domain/invoiceswitch"
	"konto/domain/notification"
	"konto/domain/offboarding"
	"konto/domain/organization"
	"konto/domain/policyversion"
	"konto/domain/rejection"
	"konto/domain/relationship"
	"konto/domain/reservation"
	"konto/domain/securityinfo"
	"konto/domain/subject"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

// Contracts are all aggregates.
var Contracts = []domain.Contract{
	tenant.Aggregate,
	admin.Aggregate,
	offboarding.Aggregate,
	organization.Aggregate,
	feedback.Aggregate,
	securityinfo.Aggregate,
	card.Aggregate,
	billing.Aggregate,
	collection.Aggregate,
	invoiceswitch.Aggregate,
	customer.Aggregate,
	relationship.Aggregate,
	reservation.Aggregate,
	notification.Aggregate,
	inlet.Aggregate,
	subject.Aggregate,
	policyversion.Aggregate,
	exposure.Aggregate,
	audit.Aggregate,
	webhook.Aggregate,
	delivery.Aggregate,
	rejection.Aggregate,
}
