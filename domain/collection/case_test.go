package collection_test

import (
	"strings"
	"testing"

	. "konto/domain/collection"
)

func TestSoftDeclines(t *testing.T) {
	tell(t, []story{
		{Name: "C9: a soft decline opens a regular case with 30 days of grace and plans an attempt", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
		}},
		{Name: "D2: attempts on days 1, 3, 5, 8, 12, 17, 23 and 29, then past due, then suspended on day 30", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, retry p 3d",
			"3d tick -> ask p schedule 3/15", "3d declined p insufficient_funds -> declined, retry p 5d",
			"5d tick -> ask p schedule 4/15", "5d declined p insufficient_funds -> declined, retry p 8d",
			"8d tick -> ask p schedule 5/15", "8d declined p insufficient_funds -> declined, retry p 12d",
			"12d tick -> ask p schedule 6/15", "12d declined p insufficient_funds -> declined, retry p 17d",
			"17d tick -> ask p schedule 7/15", "17d declined p insufficient_funds -> declined, retry p 23d",
			"23d tick -> ask p schedule 8/15", "23d declined p insufficient_funds -> declined, retry p 29d",
			"29d tick -> ask p schedule 9/15", "29d declined p insufficient_funds -> declined, exhausted schedule, past-due 30d",
			"30d tick -> suspended unpaid 120d 210d", "120d tick -> closed canceled", "210d tick -> closed deleted", "300d tick ->",
		}},
		{Name: "D2: nothing is due before its time", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d23h tick ->",
		}},
		{Name: "D2: a late timer makes one attempt, not all that were missed", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"9d tick -> ask p schedule 2/15", "9d declined p insufficient_funds -> declined, retry p 12d",
		}},
		{Name: "D6: the timer comes twice", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d tick ->",
		}},
		{Name: "D6: a timer for an invoice that nobody charged", Lines: []string{"0 tick -> !invoice-not-found"}},
		{Name: "D6: all deadlines are missed at once", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"400d tick -> past-due 30d, suspended unpaid 490d 580d",
		}},
		{Name: "D2: a bank that gives no reason is asked twice again", Lines: []string{
			"0 declined p do_not_honor -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p do_not_honor -> declined, retry p 3d",
			"3d tick -> ask p schedule 3/15", "3d declined p do_not_honor -> declined, exhausted cards, past-due 30d",
		}},
		{Name: "C7: an unknown code is tried once again", Lines: []string{
			"0 declined p brand_new -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p brand_new -> declined, exhausted cards, past-due 30d",
		}},
		{Name: "C7: what time cures is tried within hours", Lines: []string{
			"0 declined p processing_error -> declined, opened regular, grace 30d, retry p 0d1h",
			"0d1h tick -> ask p schedule 2/15", "0d1h declined p processing_error -> declined, retry p 0d7h",
			"0d7h tick -> ask p schedule 3/15", "0d7h declined p processing_error -> declined, retry p 1d",
		}},
		{Name: "C7: advice to try later makes a plain no a temporary one", Lines: []string{
			"0 declined p do_not_honor try_again_later -> declined, opened regular, grace 30d, retry p 0d1h",
		}},
		{Name: "C7: advice never to try again makes the case accelerated", Lines: []string{
			"0 declined p do_not_honor do_not_try_again -> declined, opened accelerated, grace 7d",
		}},
		{Name: "C7: advice to confirm the data waits for the customer", Lines: []string{
			"0 declined p generic_decline confirm_card_data -> declined, opened regular, grace 30d",
			"1d edited p -> allowed p, ask p change 2/15",
		}},
		{Name: "D4: a planned attempt goes on to the backups, in order", Wallet: "p b1 b2", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, ask b1 backup 1/20",
			"1d declined b1 insufficient_funds -> declined, ask b2 backup 1/20",
			"1d declined b2 insufficient_funds -> declined, retry p 3d",
			"3d tick -> ask p schedule 3/15", "3d declined p insufficient_funds -> declined, ask b1 backup 2/20",
		}},
		{Name: "D4: the order is asked for anew at each attempt", Wallet: "p b1 b2", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0 wallet b2 p",
			"1d tick -> ask b2 schedule 1/20", "1d declined b2 insufficient_funds -> declined, ask p backup 2/15",
		}},
		{Name: "D4: a card that was removed, is stopped or has expired is passed over", Wallet: "p b3 b1 b2", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0 removed p", "0 blocked b3", "0 expires b1 1d",
			"1d tick -> ask b2 schedule 1/20",
		}},
		{Name: "D4: a card that expires before the next attempt is not planned for", Lines: []string{
			"0 expires p 0d5h", "0 declined p insufficient_funds -> declined, opened regular, grace 30d, exhausted schedule, past-due 30d",
		}},
		{Name: "D4: a planned attempt is withdrawn if only the customer can help by then", Wallet: "p b1", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d, retry b1 1d", "0 wallet p",
			"1d tick -> withdrawn", "30d tick -> past-due 30d edited, suspended unpaid 120d 210d",
		}},
		{Name: "D4: a planned attempt comes to nothing if no card is left", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0 wallet",
			"1d tick -> exhausted cards, past-due 30d",
		}},
		{Name: "D4: a subscription that is registered nowhere has the card that was charged", Lines: []string{
			"0 unregistered", "0 declined b1 insufficient_funds -> declined, opened regular, grace 30d, retry b1 1d", "1d tick -> ask b1 schedule 2/20",
		}},
		{Name: "D1: a decline after recovery opens nothing", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d paid p -> paid, recovered retrying charge, closed recovered", "2d declined p insufficient_funds -> declined", "30d tick ->",
		}},
		{Name: "D1: a decline when past due plans nothing", Lines: []string{
			"0 declined p brand_new -> declined, opened regular, grace 30d, retry p 1d", "1d tick -> ask p schedule 2/15",
			"1d declined p brand_new -> declined, exhausted cards, past-due 30d", "2d declined p insufficient_funds -> declined",
		}},
	})
}

func TestHardDeclines(t *testing.T) {
	tell(t, []story{
		{Name: "C9: a hard decline opens an accelerated case with 7 days of grace", Lines: []string{
			"0 declined p expired_card -> declined, opened accelerated, grace 7d",
		}},
		{Name: "C9: so does one that is masked", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d",
		}},
		{Name: "D2: no retry on a card that was declined for good", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "1d tick ->", "3d tick -> reminded 2d", "5d tick -> reminded 5d",
			"7d tick -> past-due 7d, suspended unpaid 97d 187d",
		}},
		{Name: "D2: the backups are tried in order at once, each once", Wallet: "p b1 b2", Lines: []string{
			"0 declined p lost_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 declined b1 insufficient_funds -> declined, ask b2 backup 1/20",
			"0 declined b2 insufficient_funds -> declined", "1d tick ->",
		}},
		{Name: "D2: a backup pays", Wallet: "p b1", Lines: []string{
			"0 declined p expired_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 paid b1 -> paid, recovered accelerated charge, closed recovered",
		}},
		{Name: "D4: the backup has been promoted meanwhile", Wallet: "p b1 b2", Lines: []string{
			"0 declined p expired_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20", "0 wallet b1 b2",
			"0 primary b1 ->", "0 declined b1 expired_card -> declined, ask b2 backup 1/20",
		}},
		{Name: "D2: a hard decline of a planned attempt bars the card and goes on", Wallet: "p b1", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p stolen_card -> declined, ask b1 backup 1/20",
			"1d declined b1 insufficient_funds -> declined, retry b1 3d",
			"3d tick -> ask b1 schedule 2/20",
		}},
		{Name: "D2: a hard decline of the last card ends the attempts", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p pickup_card -> declined, exhausted cards, past-due 30d",
		}},
		{Name: "D4: an expired card is edited", Lines: []string{
			"0 declined p expired_card -> declined, opened accelerated, grace 7d", "1d edited p -> allowed p, ask p change 2/15",
			"1d paid p -> paid, recovered accelerated charge, closed recovered",
		}},
		{Name: "D2: editing a stolen card changes nothing", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "1d edited p ->", "1d updated p ->",
		}},
		{Name: "D2: nor does it lift a revocation", Lines: []string{
			"0 declined p revocation_of_authorization -> declined, opened accelerated, grace 7d", "1d edited p ->",
		}},
		{Name: "D2: a softer decline later does not lift the bar", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d1h declined p stolen_card -> declined",
			"0d2h declined p insufficient_funds -> declined", "0d3h declined p expired_card -> declined",
			"0d4h edited p ->", "1d tick -> exhausted cards, past-due 30d",
		}},
		{Name: "D4: a card that is allowed again has no hours to wait", Wallet: "b1", Lines: []string{
			"0 declined b1 insufficient_funds -> declined, opened regular, grace 30d, retry b1 1d", "0d1h declined b1 expired_card -> declined",
			"0d1h declined b1 processing_error -> declined", "0d2h edited b1 -> allowed b1, ask b1 change 4/20", "1d2h tick -> lapsed b1, retry b1 3d",
		}},
		{Name: "D2: a duplicate is looked at first", Lines: []string{
			"0 declined p duplicate_transaction -> declined, opened regular, grace 30d, exhausted cards, past-due 30d",
		}},
		{Name: "D2: an accelerated case does not retry what time cures", Wallet: "p b1", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 declined b1 processing_error -> declined", "1d tick ->",
		}},
	})
}

func TestChangesOfCards(t *testing.T) {
	tell(t, []story{
		{Name: "D4: a backup that is added is tried at once", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d5h wallet p b1",
			"0d5h added b1 -> ask b1 change 1/20", "0d5h declined b1 insufficient_funds -> declined", "1d tick -> ask p schedule 2/15",
		}},
		{Name: "D4: a card that is edited is tried at once", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d5h edited p -> ask p change 2/15",
		}},
		{Name: "D4: a card that the network updates is tried at once", Lines: []string{
			"0 declined p incorrect_number -> declined, opened accelerated, grace 7d", "1d updated p -> allowed p, ask p change 2/15",
		}},
		{Name: "D4: a new primary card is tried at once", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "1d wallet b1", "1d primary b1 -> ask b1 change 1/20",
		}},
		{Name: "D4: a card that was tried and becomes primary waits for its turn", Wallet: "p b1", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 declined b1 insufficient_funds -> declined", "1d wallet b1", "1d primary b1 ->",
		}},
		{Name: "D4: a card of another subscription is left alone", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d5h edited b1 ->",
		}},
		{Name: "D4: one request at a time", Wallet: "p b1", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d edited b1 ->",
		}},
		{Name: "D4: past due, a backup is tried", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0 wallet",
			"1d tick -> exhausted cards, past-due 30d", "2d wallet p b1", "2d added b1 -> ask b1 change 1/20",
			"2d paid b1 -> paid, recovered past_due charge, closed recovered",
		}},
		{Name: "D4: suspended, a backup is tried", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"8d wallet p b1", "8d added b1 -> ask b1 change 1/20", "8d paid b1 -> paid, recovered suspended charge, closed recovered",
		}},
		{Name: "D4: an expired card is not tried", Wallet: "p b1", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 declined b1 expired_card -> declined", "0 expires b1 0", "1d edited b1 -> allowed b1",
		}},
		{Name: "D4: nothing is tried for an invoice that nobody charged", Lines: []string{"0 edited p -> !invoice-not-found"}},
		{Name: "D4: nothing is tried when all is paid", Lines: []string{"0 paid p -> paid", "1d edited p ->"}},
		{Name: "D4: nothing is tried when it is too late", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"97d wallet p b1", "97d added b1 ->",
		}},
	})
}

func TestNetworkLimit(t *testing.T) {
	three := DunningPolicy.First
	three.Limits = []Limit{{Network: "visa", Attempts: 3, Days: 30}}
	short := three
	short.Limits = []Limit{{Network: "visa", Attempts: 2, Days: 4}}
	tell(t, []story{
		{Name: "D3: no attempt beyond what the network allows", Rules: &three, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/3", "1d declined p insufficient_funds -> declined, retry p 3d",
			"3d tick -> ask p schedule 3/3", "3d declined p insufficient_funds -> declined, exhausted network-limit, past-due 30d",
			"4d edited p ->", "4d settle p ann -> !network-limit-reached",
		}},
		{Name: "D3: another network's card is still tried", Wallet: "p b1", Rules: &three, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"0 declined p insufficient_funds -> declined", "0 declined p insufficient_funds -> declined",
			"1d tick -> ask b1 schedule 1/20",
		}},
		{Name: "D3: the limit is the network's, not the card's", Wallet: "p v2", Rules: &three, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/3", "1d declined p insufficient_funds -> declined, ask v2 backup 3/3",
			"1d declined v2 insufficient_funds -> declined, exhausted network-limit, past-due 30d",
		}},
		{Name: "N14: what others charge counts as well", Rules: &three, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"0d1h declined p insufficient_funds -> declined", "0d2h declined p insufficient_funds -> declined",
			"1d tick -> exhausted network-limit, past-due 30d",
		}},
		{Name: "D3: the window moves on", Rules: &short, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/2", "1d declined p insufficient_funds -> declined, retry p 5d",
			"5d tick -> ask p schedule 1/2",
		}},
		{Name: "N14: a request that is not answered counts from its last moment", Rules: &short, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/2", "2d tick -> lapsed p, retry p 5d", "5d tick -> ask p schedule 2/2",
		}},
		{Name: "N14: a late answer to a lapsed request is counted once", Rules: &three, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/3", "2d tick -> lapsed p, retry p 3d",
		}},
		{Name: "D3: the limit is today's, the schedule the case's own", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d1h rules 2",
			"1d tick -> ask p schedule 2/2", "1d declined p insufficient_funds -> declined, exhausted network-limit, past-due 30d",
		}},
		{Name: "D2: a case keeps the schedule that it was opened under", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d1h rules 15",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, retry p 3d",
		}},
		{Name: "D2: also when other rules are dated back to before it", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "0d1h rules 15 0",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, retry p 3d",
		}},
		{Name: "D2: which hold for a case that is opened after they were", Lines: []string{
			"0d1h rules 15 0", "0d1h declined p insufficient_funds -> declined, opened regular, grace 10d1h, retry p 2d1h",
		}},
		{Name: "D3: an edit does not lift the limit", Rules: &three, Lines: []string{
			"0 declined p expired_card -> declined, opened accelerated, grace 7d",
			"1d edited p -> allowed p, ask p change 2/3", "1d declined p expired_card -> declined",
			"2d edited p -> allowed p, ask p change 3/3", "2d declined p expired_card -> declined",
			"3d edited p -> allowed p", "4d edited p ->",
		}},
	})
}

func TestUnanswered(t *testing.T) {
	tell(t, []story{
		{Name: "D6: a request lapses after a day and no other card is tried in its place", Wallet: "p b1", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d23h tick ->", "2d tick -> lapsed p, retry p 3d",
		}},
		{Name: "D6: the answer comes late", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "2d tick -> lapsed p, retry p 3d", "2d5h paid p -> paid, recovered retrying charge, closed recovered",
		}},
		{Name: "C7: a charge that nobody asked for is no answer", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined b1 insufficient_funds -> declined", "1d declined p insufficient_funds -> declined, retry p 3d",
		}},
		{Name: "C7: an answer without the request's ID is one if the card is the same", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds unasked -> declined, retry p 3d",
		}},
		{Name: "D1: the service is suspended although a request is open", Wallet: "p b1", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 declined b1 stolen_card -> declined", "6d12h settle b2 ann -> ask b2 settle 1/20",
			"7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"7d1h paid b2 -> paid, settled b2 [b1 p], recovered suspended settlement, closed recovered",
		}},
	})
}

func TestEditions(t *testing.T) {
	two, four, seven := TwoWeeks(), FourRetries(), SevenDeclines()
	slow := DunningPolicy.First
	slow.Accelerated, slow.SoftRetries = nil, 0
	tell(t, []story{
		{Name: "D2: two weeks, eight attempts", Rules: &two, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 14d, retry p 1d",
			"11d tick -> ask p schedule 2/15", "11d declined p insufficient_funds -> declined, exhausted schedule, past-due 14d",
			"14d tick -> suspended unpaid 104d 194d",
		}},
		{Name: "D2: four retries, suspended on day 14, cancelled on day 21", Rules: &four, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 14d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, retry p 9d",
			"9d tick -> ask p schedule 3/15", "9d declined p insufficient_funds -> declined, retry p 13d",
			"13d tick -> ask p schedule 4/15", "13d declined p insufficient_funds -> declined, exhausted schedule, past-due 14d",
			"14d tick -> suspended unpaid 21d 194d", "21d tick -> closed canceled",
		}},
		{Name: "D3: seven declines and no more", Rules: &seven, Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, retry p 3d",
			"3d tick -> ask p schedule 3/15", "3d declined p insufficient_funds -> declined, retry p 5d",
			"5d tick -> ask p schedule 4/15", "5d declined p insufficient_funds -> declined, retry p 8d",
			"8d tick -> ask p schedule 5/15", "8d declined p insufficient_funds -> declined, retry p 12d",
			"12d tick -> ask p schedule 6/15", "12d declined p insufficient_funds -> declined, retry p 17d",
			"17d tick -> ask p schedule 7/15", "17d declined p insufficient_funds -> declined, exhausted schedule, past-due 30d",
		}},
		{Name: "D2: rules without acceleration still accelerate fraud", Rules: &slow, Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d",
		}},
		{Name: "D2: rules without acceleration wait for an edit of an expired card", Rules: &slow, Lines: []string{
			"0 declined p expired_card -> declined, opened regular, grace 30d",
		}},
		{Name: "C7: rules may forbid to retry a plain no", Rules: &slow, Lines: []string{
			"0 declined p do_not_honor -> declined, opened regular, grace 30d, exhausted cards, past-due 30d",
		}},
	})
}

// A case that was stored without the version of its rules keeps to the day on
// which it was opened, as it always did.
func TestCaseWithoutVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rules, want string }{
		{"D2: rules from before it was opened", "0d1h rules 15 0", "declined, retry p 2d"},
		{"D2: rules from after it was opened", "0d1h rules 15", "declined, retry p 3d"},
	} {
		w := newWorld("")
		w.do(t, []string{"0", "declined", "p", "insufficient_funds"})
		w.i.Case.PolicyVersion = 0
		w.do(t, strings.Fields(c.rules))
		w.do(t, []string{"1d", "tick"})
		if got := w.do(t, []string{"1d", "declined", "p", "insufficient_funds"}); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The message of a recovery goes to those who were told, reminders included.
func TestRecoveredAfterReminder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{"D5: nobody was reminded", []string{"0 declined p incorrect_zip", "1d paid p"}, false},
		{"D5: somebody was", []string{"0 declined p incorrect_zip", "2d tick", "3d paid p"}, true},
		{"D5: in a case before", []string{"0 declined p incorrect_zip", "2d tick", "3d paid p", "4d lost p", "4d settle b1 bob", "4d paid b1"}, false},
	} {
		w, last := newWorld(""), AccountRecovered{}
		for _, line := range c.lines {
			words := strings.Fields(line)
			w.now = day0.Add(since(t, words[0]))
			cmd, actor := w.command(t, words[1], words[2:])
			events, err := w.decide(t, cmd, actor)
			if err != nil {
				t.Fatalf("%s: %s: %v", c.name, line, err)
			}
			for _, e := range events {
				if r, ok := e.(AccountRecovered); ok {
					last = r
				}
			}
		}
		if last.By == "" || last.Reminded != c.want {
			t.Errorf("%s: %+v, want reminded %v", c.name, last, c.want)
		}
	}
}
