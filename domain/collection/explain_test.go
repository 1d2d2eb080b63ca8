package collection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	. "konto/domain/collection"
	"konto/domain/postal"
)

// fits is what the tables say of an address that they find nothing wrong with.
var fits = LocalCheck{Grade: postal.RegionConsistent, HasState: true, HasPostalCode: true, DataVersion: "tables/1"}

// wrong is fits with something wrong.
func wrong(field postal.Field, fault postal.Fault) LocalCheck {
	return LocalCheck{Grade: postal.Unchecked, Problems: []LocalProblem{{field, fault}}, HasState: true, HasPostalCode: true}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	const nobody = "number ok, expiry ok, name not-checkable, street not-checkable, city not-checkable, state not-checkable, postalCode not-checkable"
	// instead returns nobody with what is known of some fields.
	instead := func(fields ...string) string {
		all := strings.Split(nobody, ", ")
		for _, f := range fields {
			name, _, _ := strings.Cut(f, " ")
			for i := range all {
				if strings.HasPrefix(all[i], name+" ") {
					all[i] = f
				}
			}
		}
		return strings.Join(all, ", ")
	}
	for _, test := range []struct {
		name   string
		code   string
		advice string
		checks Checks
		local  LocalCheck
		late   bool // charged after the card's last day
		want   string
	}{
		{name: "N5: a plain no says nothing of what nobody checks", code: "do_not_honor", want: nobody},
		{name: "N5: the bank names the number", code: "incorrect_number", want: instead("number issuer-mismatch")},
		{name: "N5: the bank has newer details", code: "new_account_information_available", want: instead("number issuer-mismatch")},
		{name: "N5: the advice is to confirm the card's data", code: "do_not_honor", advice: "confirm_card_data", want: instead("number issuer-mismatch")},
		{name: "N5: the bank names the expiry", code: "invalid_expiry_year", want: instead("expiry issuer-mismatch")},
		{name: "N5: the expiry has passed", code: "do_not_honor", late: true, want: instead("expiry locally-inconsistent(passed)")},
		{name: "N5: the bank's word on the expiry weighs more", code: "expired_card", late: true, want: instead("expiry issuer-mismatch")},
		{name: "N5: the bank knows another street", code: "do_not_honor", checks: Checks{Line1: Fail}, want: instead("street issuer-mismatch")},
		{name: "N5: the bank knows the street", code: "insufficient_funds", checks: Checks{Line1: Pass}, want: instead("street ok")},
		{name: "N5: the bank did not look at the street", code: "insufficient_funds", checks: Checks{Line1: Unchecked, Postal: Unavailable}, want: nobody},
		{name: "N5: the bank knows another postal code", code: "do_not_honor", checks: Checks{Postal: Fail}, want: instead("postalCode issuer-mismatch")},
		{name: "N5: the code says so without a check", code: "incorrect_zip", checks: Checks{Postal: Pass}, want: instead("postalCode issuer-mismatch")},
		{name: "N5: the bank knows the postal code", code: "insufficient_funds", checks: Checks{Postal: Pass}, want: instead("postalCode ok")},
		{name: "N5: a wrong security code says nothing of the fields", code: "incorrect_cvc", checks: Checks{CVC: Fail}, want: nobody},
		{name: "N5: state and postal code agree", code: "do_not_honor", local: fits, want: instead("state ok", "postalCode ok")},
		{
			name: "N5: a country of which no states are known", code: "do_not_honor", want: instead("postalCode ok"),
			local: LocalCheck{Grade: postal.FormatOK, HasState: true, HasPostalCode: true},
		},
		{
			name: "N5: an address without a state", code: "do_not_honor", want: instead("postalCode ok"),
			local: LocalCheck{Grade: postal.FormatOK, HasPostalCode: true},
		},
		{
			name: "N5: nothing is said of a state where addresses have none", code: "do_not_honor",
			want:  strings.ReplaceAll(instead("postalCode ok"), "state not-checkable, ", ""),
			local: LocalCheck{Grade: postal.FormatOK, HasPostalCode: true, Stateless: true},
		},
		{
			name: "N5: a country without postal codes", code: "do_not_honor", want: instead("state ok"),
			local: LocalCheck{Grade: postal.RegionConsistent, HasState: true},
		},
		{name: "N5: a country of which nothing is known", code: "do_not_honor", local: LocalCheck{Grade: postal.Unchecked, HasState: true, HasPostalCode: true}, want: nobody},
		{
			name: "N5: a postal code of another state speaks against both", code: "do_not_honor", local: wrong(postal.PostalCode, postal.Elsewhere),
			want: instead("state locally-inconsistent(elsewhere)", "postalCode locally-inconsistent(elsewhere)"),
		},
		{
			name: "N5: when the bank knows the postal code, the state is wrong", code: "do_not_honor", local: wrong(postal.PostalCode, postal.Elsewhere),
			checks: Checks{Postal: Pass}, want: instead("state locally-inconsistent(elsewhere)", "postalCode ok"),
		},
		{
			name: "N5: the bank's no on the postal code weighs more", code: "do_not_honor", local: wrong(postal.PostalCode, postal.Malformed),
			checks: Checks{Postal: Fail}, want: instead("postalCode issuer-mismatch"),
		},
		{name: "N5: no such form of postal code", code: "do_not_honor", local: wrong(postal.PostalCode, postal.Malformed), want: instead("postalCode locally-inconsistent(malformed)")},
		{name: "N5: a postal code where there are none", code: "do_not_honor", local: wrong(postal.PostalCode, postal.Surplus), want: instead("postalCode locally-inconsistent(surplus)")},
		{name: "N5: no such state", code: "do_not_honor", local: wrong(postal.State, postal.Unknown), want: instead("state locally-inconsistent(unknown)")},
		{name: "N5: a city is missing", code: "do_not_honor", local: wrong(postal.City, postal.Missing), want: instead("city locally-inconsistent(missing)")},
		{name: "N5: a street is missing", code: "do_not_honor", local: wrong(postal.Line1, postal.Missing), want: instead("street locally-inconsistent(missing)")},
		{name: "N5: a street that the bank knows is not missing", code: "insufficient_funds", local: wrong(postal.Line1, postal.Missing), checks: Checks{Line1: Pass}, want: instead("street ok")},
		{name: "N5: an erased address is not looked up", code: "do_not_honor", checks: Checks{Line1: Pass, Postal: Fail}, want: instead("street ok", "postalCode issuer-mismatch")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decline(test.code, test.advice, test.checks)
			d.BillToCheck = test.local
			if test.late {
				d.At = d.ValidUntil
			}
			var got []string
			for _, f := range Explain(d) {
				s := string(f.Name) + " " + string(f.Status)
				if f.Fault != "" {
					s += "(" + string(f.Fault) + ")"
				}
				got = append(got, s)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("Explain (-want +got):\n%s", diff)
			}
		})
	}
}

// An unknown expiry cannot be checked, and the fixes are commands.
func TestExplainFixes(t *testing.T) {
	t.Parallel()
	d := decline("do_not_honor", "", Checks{})
	d.ValidUntil = time.Time{}
	fields := Explain(d)
	if fields[1].Status != NotCheckable {
		t.Errorf("an expiry that is not known is %s, want %s", fields[1].Status, NotCheckable)
	}
	for i, f := range fields {
		want := "UpdateCardDetails"
		if i == 0 {
			want = "ReplaceCard"
		}
		if f.Fix != want {
			t.Errorf("fix of %s = %s, want %s", f.Name, f.Fix, want)
		}
	}
}

// Whatever else is known, a masked decline is explained as a generic one.
func TestMaskedIsExplainedAsGeneric(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist"} {
		for _, checks := range []Checks{{}, {Line1: Fail}, {Postal: Fail, CVC: Pass}, {Line1: Pass, Postal: Pass}} {
			for _, local := range []LocalCheck{{}, fits, wrong(postal.State, postal.Unknown)} {
				masked, generic := decline(code, "", checks), decline("generic_decline", "", checks)
				masked.BillToCheck, generic.BillToCheck = local, local
				if diff := cmp.Diff(Explain(generic), Explain(masked)); diff != "" {
					t.Errorf("Explain of %s, %v, %v (-generic +masked):\n%s", code, checks, local, diff)
				}
			}
		}
	}
}

// The check is made when the decline is recorded, and holds nothing of the address.
func TestDeclineLooksAtTheAddress(t *testing.T) {
	t.Parallel()
	home := postal.Address{Line1: "1 Pike Street", City: "Seattle", State: "WA", PostalCode: "90210", Country: "US"}
	m := meta()
	known := domain.Fact[Card](m, cardID)
	known.BillTo = home
	m.Facts = m.Facts.Knows(domain.Of[Card](cardID), known).Knows(home.Need(), postal.Verdict{
		Grade: postal.Unchecked, Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Elsewhere}}, DataVersion: "tables/1",
	})
	cmd := declined()
	if needs := fmt.Sprint(cmd.Needs(m)); !strings.Contains(needs, home.Key()) {
		t.Errorf("Needs = %s, want what is said of the address", needs)
	}
	if needs := fmt.Sprint(paid.Needs(m)); strings.Contains(needs, home.Key()) {
		t.Errorf("Needs of a payment = %s, want nothing of the address", needs)
	}
	got, err := cmd.Decide(Invoice{}, m)
	if err != nil || len(got) == 0 {
		t.Fatalf("Decide = %v, %v, want a decline", got, err)
	}
	want := LocalCheck{
		Grade: postal.Unchecked, Problems: []LocalProblem{{postal.PostalCode, postal.Elsewhere}},
		HasState: true, HasPostalCode: true, DataVersion: "tables/1",
	}
	if diff := cmp.Diff(want, got[0].(ChargeDeclined).BillToCheck); diff != "" {
		t.Errorf("BillToCheck (-want +got):\n%s", diff)
	}
}

// Where addresses have no state, an address without one says so, and one with a
// state has something wrong with it.
func TestDeclineKnowsWhereThereIsNoState(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"": true, "Skåne": false} {
		home := postal.Address{Line1: "Storgatan 1", City: "Umeå", State: state, PostalCode: "903 26", Country: "SE"}
		m := meta()
		known := domain.Fact[Card](m, cardID)
		known.BillTo = home
		m.Facts = m.Facts.Knows(domain.Of[Card](cardID), known).Knows(home.Need(), postal.Verdict{
			Grade: postal.FormatOK, Unused: []postal.Field{postal.DependentLocality, postal.State}, DataVersion: "tables/1",
		})
		got, err := declined().Decide(Invoice{}, m)
		if err != nil || len(got) == 0 {
			t.Fatalf("Decide = %v, %v, want a decline", got, err)
		}
		d := got[0].(ChargeDeclined)
		if d.BillToCheck.Stateless != want {
			t.Errorf("N5: state %q: stateless = %t, want %t", state, d.BillToCheck.Stateless, want)
		}
		parts := Checklist(d)[3].Parts
		if listed := slices.ContainsFunc(parts, func(i Item) bool { return i.Name == "state" }); listed == want || len(parts) < 3 {
			t.Errorf("N5: state %q: the checklist has %v, want the state there = %t", state, parts, !want)
		}
	}
}
