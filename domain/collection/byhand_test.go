package collection_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	. "konto/domain/collection"
)

// The stories' invoices are of 12500 in the smallest unit of SEK.
func TestPaymentByHand(t *testing.T) {
	const opened = "declined, opened regular, grace 30d"
	tell(t, []story{
		{Name: "K5: above the limit nothing is tried by itself, and somebody is asked to pay", Lines: []string{
			"0 limit p 12499 SEK ->", "0 declined p insufficient_funds -> " + opened + ", by-hand p",
			"1d tick ->", "2d tick -> reminded 2d presented", "5d tick -> reminded 5d presented", "29d tick ->", "30d tick -> past-due 30d presented, suspended unpaid 120d 210d",
		}},
		{Name: "K5: the owner pays by hand, and the expiry need not be known", Lines: []string{
			"0 limit p 12499 SEK ->", "0 declined p insufficient_funds -> " + opened + ", by-hand p",
			"1d settle p ann -> ask p settle 2/15", "1d paid p -> paid, settled p [], recovered retrying settlement, closed recovered",
		}},
		{Name: "C8: nobody else pays with it", Lines: []string{
			"0 limit p 12499 SEK ->", "0 declined p insufficient_funds -> " + opened + ", by-hand p", "1d settle p bob -> !card-owned-by-other-admin",
		}},
		{Name: "K5: exactly the limit is charged by itself", Lines: []string{
			"0 limit p 12500 SEK ->", "0 declined p insufficient_funds -> " + opened + ", retry p 1d", "1d tick -> ask p schedule 2/15",
		}},
		{Name: "K5: a limit in another currency says nothing", Lines: []string{
			"0 limit p 1 INR ->", "0 declined p insufficient_funds -> " + opened + ", retry p 1d",
		}},
		{Name: "K5: a card without such a limit steps in by itself", Wallet: "p b1", Lines: []string{
			"0 limit p 12499 SEK ->", "0 declined p insufficient_funds -> " + opened + ", retry b1 1d", "1d tick -> ask b1 schedule 1/20",
		}},
		{Name: "K5: when that is spent, somebody is asked", Wallet: "p b1", Lines: []string{
			"0 limit p 12499 SEK ->", "0 declined p insufficient_funds -> " + opened + ", retry b1 1d", "1d tick -> ask b1 schedule 1/20",
			"1d declined b1 incorrect_zip -> declined, by-hand p",
		}},
		{Name: "K5: a backup with a limit waits for its owner, too", Wallet: "p b2", Lines: []string{
			"0 limit b2 100 SEK ->", "0 declined p stolen_card -> declined, opened accelerated, grace 7d, by-hand b2", "1d settle b2 ann -> ask b2 settle 1/20",
		}},
		{Name: "K5: what the bank has taken back is not asked for", Lines: []string{
			"0 limit p 100 SEK ->", "0 declined p stolen_card -> declined, opened accelerated, grace 7d", "1d settle p ann -> !card-refused",
		}},
		{Name: "K5: what the holder must confirm is asked for", Lines: []string{
			"0 limit p 100 SEK ->", "0 declined p authentication_required -> " + opened + ", by-hand p",
		}},
		{Name: "K5: an edit lifts the bar, and changes nothing of the limit", Lines: []string{
			"0 limit p 100 SEK ->", "0 declined p incorrect_zip -> " + opened + ", by-hand p", "1d edited p -> allowed p",
		}},
		{Name: "K5: a card with a limit that is added later is asked for, once", Lines: []string{
			"0 declined p incorrect_zip -> " + opened, "1d limit b2 100 SEK ->", "1d wallet p b2 ->", "1d added b2 -> by-hand b2", "1d added b2 ->",
		}},
		{Name: "K5: a case that is open anew asks anew", Lines: []string{
			"0 limit p 100 SEK ->", "0 declined p insufficient_funds -> " + opened + ", by-hand p", "1d settle p ann -> ask p settle 2/15",
			"1d declined p insufficient_funds -> declined", "2d settle p ann -> ask p settle 3/15",
			"2d paid p -> paid, settled p [], recovered retrying settlement, closed recovered",
		}},
		{Name: "D4: a card whose expiry is not known is tried again after a change", Wallet: "p", Lines: []string{
			"0 limit p 99999 SEK ->", "0 declined p incorrect_zip -> " + opened, "1d edited p -> allowed p, ask p change 2/15",
		}},
		{Name: "D7: a dispute asks for nothing", Lines: []string{
			"0 limit p 100 SEK ->", "0 declined p insufficient_funds -> " + opened + ", by-hand p", "1d disputed p -> disputed", "2d tick ->",
		}},
	})
}

// What is asked for says what the message needs.
func TestManualPaymentRequested(t *testing.T) {
	t.Parallel()
	w := newWorld("")
	w.do(t, []string{"0", "limit", "p", "100", "SEK"})
	cmd, actor := w.command(t, "declined", []string{"p", "insufficient_funds"})
	events, err := w.decide(t, cmd, actor)
	if err != nil || len(events) != 4 {
		t.Fatalf("Decide = %v, %v, want four events", events, err)
	}
	want := ManualPaymentRequested{
		SubscriptionID: sub, CardID: "p", AmountMinor: 12500, Currency: "SEK", LimitMinor: 100,
		GraceUntil: day0.AddDate(0, 0, 30), At: day0, Face: Face{Owner: ann, Last4: "4242", Brand: "visa"},
	}
	if diff := cmp.Diff(want, events[3]); diff != "" {
		t.Errorf("K5: asked for (-want +got):\n%s", diff)
	}
}
