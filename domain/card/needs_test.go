package card_test

import (
	"slices"
	"testing"

	"konto/domain"
	. "konto/domain/card"
)

// A command gets no facts but those that it declares.
func TestNeeds(t *testing.T) {
	t.Parallel()
	organization, replacement := domain.Of[Organization](tenant), domain.Of[Replacement](other)
	move := Address{Line1: "Gatan 2", Country: "SE"}
	known := domain.Facts{}.Knows(organization, Organization{Country: "SE"}).Knows(home.Need(), found).Knows(move.Need(), found)
	by := domain.Facts{}.Knows(replacement, Replacement{Exists: true, Tenant: tenant, Owner: ann, ExpMonth: 1, ExpYear: 2030})
	for _, test := range []struct {
		when  domain.Command[Card]
		state Card
		want  []domain.Need
		facts domain.Facts
	}{
		{addCard(), Card{}, []domain.Need{organization, home.Need()}, known},
		{UpdateCardDetails{BillingAddress: &move}, Card{Owner: ann}, []domain.Need{organization, move.Need()}, known},
		{ReplaceCard{NewCardID: other, Scope: ScopeAll}, Card{Owner: bob, Subscriptions: []string{sub1}}, []domain.Need{replacement}, by},
	} {
		m := meta(ann)
		m.Facts = domain.Facts{}
		if got := test.when.(domain.Needer).Needs(m); !slices.Equal(got, test.want) {
			t.Errorf("%T.Needs = %v, want %v", test.when, got, test.want)
		}
		m.Facts = test.facts
		if got, err := test.when.Decide(test.state, m); err != nil || len(got) != 1 {
			t.Errorf("%T.Decide with what it needs = %v, %v, want one event", test.when, got, err)
		}
	}
}
