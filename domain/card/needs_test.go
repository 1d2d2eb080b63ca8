package card_test

import (
	"slices"
	"testing"

	"konto/domain"
	. "konto/domain/card"
	"konto/domain/postal"
)

// A command gets no facts but those that it declares.
func TestNeeds(t *testing.T) {
	t.Parallel()
	organization := domain.Of[Organization](tenant)
	mine, other := domain.Of[Replacement](id), domain.Of[Replacement](other)
	ofBob := domain.Of[Owner](bob)
	moved := home.With(postal.Line1, "Gatan 2")
	for _, test := range []struct {
		name  string
		when  domain.Command[Card]
		by    string
		state Card
		want  []domain.Need
	}{
		{"add", addCard(), ann, Card{}, []domain.Need{organization, ExpiryPolicy.Need(), IssuerPolicy.Need(), home.Need()}},
		{"C4: own card", UpdateCardDetails{BillingAddress: &moved}, bob, Card{Owner: bob, ExpMonth: 6, ExpYear: 2029}, []domain.Need{
			EditPolicy.Need(), mine, organization, ExpiryPolicy.Need(), moved.Need(),
		}},
		{"C4: another's card", UpdateCardDetails{ExpYear: new(2030)}, ann, Card{Owner: bob, ExpMonth: 6, ExpYear: 2029}, []domain.Need{
			EditPolicy.Need(), mine, ofBob, organization, ExpiryPolicy.Need(),
		}},
		{"F1: a phone number", UpdateCardDetails{Phone: new("070-174 06 05")}, bob, Card{Owner: bob}, []domain.Need{
			EditPolicy.Need(), mine, organization, ExpiryPolicy.Need(), domain.Of[PhoneNumber]("SE 070-174 06 05"),
		}},
		{"F1: no phone number", UpdateCardDetails{Phone: new("")}, bob, Card{Owner: bob}, []domain.Need{
			EditPolicy.Need(), mine, organization, ExpiryPolicy.Need(),
		}},
		{"C6: by an own card", ReplaceCard{NewCardID: other.Key, Scope: ScopeAll}, bob, Card{Owner: ann, Subscriptions: []string{sub1}}, []domain.Need{
			other, EditPolicy.Need(),
		}},
		{"C6: by another's card", ReplaceCard{NewCardID: other.Key, Scope: ScopeAll}, ann, Card{Owner: ann, Subscriptions: []string{sub1}}, []domain.Need{
			other, EditPolicy.Need(), ofBob,
		}},
		{"C6: remove", RemoveCard{}, ann, Card{Owner: bob}, []domain.Need{EditPolicy.Need(), mine, ofBob}},
		{"C3: look", CheckCardExpiry{day(11, 24)}, "konto", Card{Owner: bob, ExpMonth: 11, ExpYear: 2026, ExpiryCheckAt: day(11, 24)}, []domain.Need{
			ExpiryPolicy.Need(), mine, ofBob,
		}},
		{"K5: status", RecordCardStatus{StatusExpired, "stripe"}, "stripe", Card{Owner: bob}, []domain.Need{ExpiryPolicy.Need(), mine, ofBob}},
		{"K4: update", RecordCardAutoUpdate{Last4: "1881", ExpMonth: 1, ExpYear: 2030, Brand: "visa", Source: "x"}, "stripe", Card{Owner: bob, ExpMonth: 1, ExpYear: 2029}, []domain.Need{ExpiryPolicy.Need()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			known, m := meta(test.by), meta(test.by)
			m.Facts = domain.Facts{}
			for range 3 { // one fact leads to another
				m.Facts = only(known, test.when.(domain.Needer).Needs(m))
			}
			got := test.when.(domain.Needer).Needs(m)
			for _, n := range test.want {
				if !slices.Contains(got, n) {
					t.Errorf("Needs = %v, want %v", got, n)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("%d needs, want %d: %v", len(got), len(test.want), got)
			}
			_, _ = test.when.Decide(test.state, m) // panics if a fact is missing
		})
	}
}

// only returns the facts of known that needs names.
func only(known Meta, needs []domain.Need) domain.Facts {
	var f domain.Facts
	for _, n := range needs {
		switch n {
		case EditPolicy.Need():
			f = EditPolicy.Known(f)
		case ExpiryPolicy.Need():
			f = ExpiryPolicy.Known(f)
		case IssuerPolicy.Need():
			f = IssuerPolicy.Known(f)
		case domain.Of[Organization](n.Key):
			f = f.Knows(n, domain.Fact[Organization](known, n.Key))
		case domain.Of[Replacement](n.Key):
			f = f.Knows(n, domain.Fact[Replacement](known, n.Key))
		case domain.Of[PhoneNumber](n.Key):
			f = f.Knows(n, domain.Fact[PhoneNumber](known, n.Key))
		case domain.Of[Owner](n.Key):
			f = f.Knows(n, domain.Fact[Owner](known, n.Key))
		default:
			f = f.Knows(n, domain.Fact[postal.Verdict](known, n.Key))
		}
	}
	return f
}
