package tenant_test

import (
	"testing"

	"konto/domain"
	"konto/domain/domaintest"
	"konto/domain/recovery"
	. "konto/domain/tenant"
)

func TestReviewRecovery(t *testing.T) {
	t.Parallel()
	var (
		cases  []domaintest.Case[Tenant]
		review = ReviewRecovery{AdminID: "ann"}
		custom = contoso().has("contoso.se")
		here   = Officer{Tenant: "contoso", Is: true}
		none   = recovery.Contacts{}
		phone  = recovery.Contacts{Phone: true}
		mail   = recovery.Contacts{Mail: true}
		both   = recovery.Contacts{Phone: true, Mail: true}
		found  = func(gate recovery.Gate, missing ...string) []Event {
			return []Event{RecoveryGapFound{AdminID: "ann", Gate: gate, Missing: missing}}
		}
		closed = []Event{RecoveryGapClosed{AdminID: "ann"}}
	)
	row := func(name string, o office, a Officer, c recovery.Contacts, before, then []Event) {
		m := o.meta(review)
		m.Facts = m.Facts.Knows(domain.Of[Officer]("ann"), a).Knows(domain.Of[recovery.Contacts]("ann"), c)
		cases = append(cases, domaintest.Case[Tenant]{Name: "S4: " + name, Given: append(o.given(), before...), When: review, Meta: m, Then: then})
	}
	row("two proofs are needed, and there is none", custom, here, none, nil, found(recovery.GateTwo, MissingPhone, MissingEmail))
	row("two proofs are needed, and there is a phone", custom, here, phone, nil, found(recovery.GateTwo, MissingEmail))
	row("two proofs are needed, and there is an address", custom, here, mail, nil, found(recovery.GateTwo, MissingPhone))
	row("two proofs are needed, and both are there", custom, here, both, nil, nil)
	row("one is enough without a domain, and there is a phone", contoso(), here, phone, nil, nil)
	row("one is enough without a domain, and there is an address", contoso(), here, mail, nil, nil)
	row("one is enough without a domain, and there is none", contoso(), here, none, nil, found(recovery.GateOne, MissingPhone, MissingEmail))
	row("one is enough on a trial", custom.trial(), here, phone, nil, nil)
	row("the first days of the trial are over", custom.trial().later(30*day), here, phone, nil, found(recovery.GateTwo, MissingEmail))
	row("a version that asks for two without a domain, too", contoso().asks(strict, start), here, phone, nil, found(recovery.GateTwo, MissingEmail))
	row("somebody without a role, or who cannot sign in", custom, Officer{Tenant: "contoso"}, none, nil, nil)
	row("somebody of another organization", custom, Officer{Tenant: "fabrikam", Is: true}, none, nil, nil)
	row("it was found already", custom, here, phone, found(recovery.GateTwo, MissingEmail), nil)
	row("more is missing than was found", custom, here, none, found(recovery.GateTwo, MissingEmail), found(recovery.GateTwo, MissingPhone, MissingEmail))
	row("less is missing than was found", custom, here, phone, found(recovery.GateTwo, MissingPhone, MissingEmail), nil)
	row("nothing is missing any more", custom, here, both, found(recovery.GateTwo, MissingEmail), closed)
	row("who has lost the role has nothing to miss", custom, Officer{Tenant: "contoso"}, none, found(recovery.GateTwo, MissingEmail), closed)
	row("it was closed, and is found again", custom, here, phone, append(found(recovery.GateTwo, MissingEmail), closed...), found(recovery.GateTwo, MissingEmail))
	cases = append(cases, domaintest.Case[Tenant]{Name: "S4: of no organization", When: review, Meta: contoso().meta(ReviewRecovery{}), Err: ErrNotFound})
	domaintest.Run(t, Aggregate, cases)
}
