package collection_test

import "testing"

const softOpen = "0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d"

func TestSettleBalance(t *testing.T) {
	tell(t, []story{
		{Name: "C8: the adder settles with the declined card", Lines: []string{
			softOpen, "0d5h settle p ann -> ask p settle 2/15",
			"0d5h paid p -> paid, settled p [], recovered retrying settlement, closed recovered", "1d tick ->",
		}},
		{Name: "C8: another admin cannot settle with the declined card", Lines: []string{
			softOpen, "0d5h settle p bob -> !card-owned-by-other-admin",
		}},
		{Name: "C8: another admin settles with a card of their own, which takes over", Lines: []string{
			softOpen, "0d5h settle b1 bob -> ask b1 settle 1/20",
			"0d5h paid b1 -> paid, settled b1 [p], recovered retrying settlement, closed recovered",
		}},
		{Name: "C8: the adder settles with another card of theirs", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20",
		}},
		{Name: "C4: nobody pays with a card of somebody else", Lines: []string{softOpen, "0d5h settle b1 ann -> !card-owned-by-other-admin"}},
		{Name: "C8: an invoice manager pays with the declined card", Lines: []string{softOpen, "0d5h settle p payer -> ask p settle 2/15"}},
		{Name: "C8: so does the owner of the billing profile", Lines: []string{softOpen, "0d5h settle p profile -> ask p settle 2/15"}},
		{Name: "C8: and a contributor to it", Lines: []string{softOpen, "0d5h settle b1 helper -> ask b1 settle 1/20"}},
		{Name: "C8: the settling card is declined, and the plan stands", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20", "0d5h declined b2 insufficient_funds -> declined",
			"1d tick -> ask p schedule 2/15",
		}},
		{Name: "C8: the settling card is declined for good, and the others are tried", Wallet: "p b1", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20", "0d5h declined b2 stolen_card -> declined, ask p backup 2/15",
		}},
		{Name: "C8: settled after all cards failed, all of them are replaced", Wallet: "p b1", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d, ask b1 backup 1/20", "0 declined b1 expired_card -> declined",
			"1d settle b2 ann -> ask b2 settle 1/20", "1d paid b2 -> paid, settled b2 [b1 p], recovered accelerated settlement, closed recovered",
		}},
		{Name: "C8: nothing is owed", Lines: []string{"0 paid p -> paid", "0 settle p ann -> !nothing-owed"}},
		{Name: "C8: nothing is owed any more", Lines: []string{
			softOpen, "1d paid p -> paid, recovered retrying charge, closed recovered", "2d settle p ann -> !nothing-owed",
		}},
		{Name: "C8: one request at a time", Lines: []string{
			softOpen, "0d5h settle p ann -> ask p settle 2/15", "0d6h settle p ann -> !charge-under-way", "1d tick ->",
			"1d5h tick -> lapsed p, retry p 3d",
		}},
		{Name: "C8: a request that lapsed may be repeated", Lines: []string{
			softOpen, "0d5h settle p ann -> ask p settle 2/15", "1d5h tick -> lapsed p, retry p 3d", "1d6h settle p ann -> ask p settle 3/15",
		}},
		{Name: "C8: what is paid when its request lapsed settles the balance all the same", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "1d settle b2 ann -> ask b2 settle 1/20", "2d1h tick -> lapsed b2, reminded 2d",
			"2d2h paid b2 late -> paid, settled b2 [p], recovered accelerated settlement, closed recovered",
		}},
		{Name: "C8: also when the next attempt is planned already", Wallet: "p b1", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20", "1d6h tick -> lapsed b2, retry p 3d", "1d7h paid b2 late -> paid, settled b2 [p], recovered retrying settlement, closed recovered",
		}},
		{Name: "C8: also when the bank has begun to decide on a dispute", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20", "0d6h disputed p -> disputed", "0d7h paid b2 late -> paid, settled b2 [p], recovered retrying settlement, closed recovered",
		}},
		{Name: "C8: a planned attempt that is answered late settles nothing", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "2d1h tick -> lapsed p, retry p 3d", "2d2h paid p late -> paid, recovered retrying charge, closed recovered",
		}},
		{Name: "C8: when another card has paid, a late one settles nothing", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20", "1d6h tick -> lapsed b2, retry p 3d",
			"1d7h paid p unasked -> paid, recovered retrying charge, closed recovered", "1d8h paid b2 late -> paid",
		}},
		{Name: "C8: no such card", Lines: []string{softOpen, "0d5h settle none ann -> !card-not-found"}},
		{Name: "C8: another tenant's card is as good as none", Lines: []string{softOpen, "0d5h settle theirs ann -> !card-not-found"}},
		{Name: "C8: a removed card", Lines: []string{softOpen, "0 removed b2", "0d5h settle b2 ann -> !card-not-found"}},
		{Name: "C8: a card that the bank has stopped", Lines: []string{softOpen, "0 blocked b2", "0d5h settle b2 ann -> !card-refused"}},
		{Name: "K3: an expired card", Lines: []string{softOpen, "0 expires b2 0", "0d5h settle b2 ann -> !card-expired"}},
		{Name: "D2: a card that was declined for good", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "1d settle p ann -> !card-refused",
		}},
		{Name: "C8: a card whose details were wrong may be tried by its adder", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d", "1d settle p ann -> ask p settle 2/15",
		}},
		{Name: "C8: an invoice that nobody charged", Lines: []string{"0 settle p ann -> !invoice-not-found"}},
		{Name: "C9: settled while suspended", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"96d settle b2 ann -> ask b2 settle 1/20", "96d paid b2 -> paid, settled b2 [p], recovered suspended settlement, closed recovered",
			"97d tick ->", "187d tick ->",
		}},
		{Name: "C9: too late to settle", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"97d settle b2 ann -> !too-late-to-settle", "97d tick -> closed canceled", "98d settle b2 ann -> !too-late-to-settle",
		}},
	})
}

func TestRecovery(t *testing.T) {
	tell(t, []story{
		{Name: "D1: recovered while retrying", Lines: []string{softOpen, "1d paid p -> paid, recovered retrying charge, closed recovered"}},
		{Name: "D1: recovered past due", Lines: []string{
			"0 declined p brand_new -> declined, opened regular, grace 30d, retry p 1d", "1d tick -> ask p schedule 2/15",
			"1d declined p brand_new -> declined, exhausted cards, past-due 30d", "20d paid p -> paid, recovered past_due charge, closed recovered",
		}},
		{Name: "D1: recovered while suspended", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"90d paid b2 -> paid, recovered suspended charge, closed recovered", "97d tick ->",
		}},
		{Name: "C9: paid when it is too late", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"97d paid b2 -> paid", "97d tick -> closed canceled",
		}},
		{Name: "C9: paid when it was cancelled", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"97d tick -> closed canceled", "98d paid b2 -> paid", "187d tick -> closed deleted",
		}},
		{Name: "C10: the balance goes on the next invoice", Lines: []string{
			softOpen, "1d cover -> recovered retrying invoice-switch, closed recovered", "1d cover ->", "1d tick ->",
		}},
		{Name: "C10: a cover waits for a charge under way, which pays", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d1h cover -> cover waits 2d", "1d1h cover ->",
			"1d2h paid p -> paid, recovered retrying charge, invoiced true, closed recovered", "2d tick ->", "2d cover ->",
		}},
		{Name: "C10: or settles", Lines: []string{
			softOpen, "0d5h settle b2 ann -> ask b2 settle 1/20", "0d6h cover -> cover waits 1d5h",
			"0d7h paid b2 -> paid, settled b2 [p], recovered retrying settlement, invoiced true, closed recovered",
		}},
		{Name: "C10: or is declined, and no other card is tried", Wallet: "p b1", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d1h cover -> cover waits 2d", "1d1h edited b1 ->", "1d1h settle b2 ann -> !charge-under-way",
			"1d2h declined p insufficient_funds -> declined, recovered retrying invoice-switch, closed recovered", "3d tick ->",
		}},
		{Name: "C10: or lapses", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d1h cover -> cover waits 2d", "1d23h tick ->",
			"2d tick -> lapsed p, recovered retrying invoice-switch, closed recovered", "3d tick ->",
		}},
		{Name: "C10: a charge that is reported after that was paid twice", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d1h cover -> cover waits 2d",
			"2d tick -> lapsed p, recovered retrying invoice-switch, closed recovered", "2d1h paid p late -> paid twice",
		}},
		{Name: "C10: so was one that nobody asked for", Lines: []string{
			softOpen, "1d cover -> recovered retrying invoice-switch, closed recovered", "2d paid p -> paid twice",
		}},
		{Name: "C10: a decline of another card leaves the cover waiting", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d1h cover -> cover waits 2d", "1d2h declined b1 insufficient_funds -> declined",
			"1d3h declined p insufficient_funds -> declined, recovered retrying invoice-switch, closed recovered",
		}},
		{Name: "C10: the service goes on while the cover waits", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "6d23h settle b2 ann -> ask b2 settle 1/20", "6d23h cover -> cover waits 7d23h",
			"7d tick ->", "7d23h tick -> lapsed b2, recovered accelerated invoice-switch, closed recovered",
		}},
		{Name: "C10: and what came in time is not cancelled", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"96d23h settle b2 ann -> ask b2 settle 1/20", "96d23h cover -> cover waits 97d23h", "97d tick ->",
			"97d1h declined b2 insufficient_funds -> declined, recovered suspended invoice-switch, closed recovered",
		}},
		{Name: "C10: paid on the last day, it is not cancelled either", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"96d23h settle b2 ann -> ask b2 settle 1/20", "96d23h cover -> cover waits 97d23h",
			"97d1h paid b2 -> paid, settled b2 [p], recovered suspended settlement, invoiced true, closed recovered",
		}},
		{Name: "C10: a dispute ends the waiting: a disputed balance stays where it is", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d1h cover -> cover waits 2d", "1d2h disputed p -> disputed", "2d tick ->",
			"3d won p -> won, retry p 5d",
		}},
		{Name: "C10: nothing to put on the next invoice", Lines: []string{"0 paid p -> paid", "1d cover ->"}},
		{Name: "C10: a disputed balance stays where it is", Lines: []string{softOpen, "0d5h disputed p -> disputed", "1d cover ->"}},
	})
}

func TestChargebacks(t *testing.T) {
	tell(t, []story{
		{Name: "D7: a dispute stops the attempts", Lines: []string{softOpen, "0d5h disputed p -> disputed", "1d tick ->", "3d tick ->"}},
		{Name: "D7: a dispute withdraws the open request", Wallet: "p b1", Lines: []string{
			softOpen, "1d tick -> ask p schedule 2/15", "1d disputed p -> disputed", "1d declined p insufficient_funds -> declined", "2d tick ->",
		}},
		{Name: "D7: an edit of a card does not lead around it", Lines: []string{softOpen, "0d5h disputed p -> disputed", "0d6h edited p ->"}},
		{Name: "D7: nothing is settled while the bank decides", Lines: []string{
			softOpen, "0d5h disputed p -> disputed", "0d6h settle p ann -> !invoice-disputed",
		}},
		{Name: "D7: the service goes on while the bank decides", Lines: []string{softOpen, "0d5h disputed p -> disputed", "31d tick ->"}},
		{Name: "D7: a dispute that is won lets the attempts go on", Lines: []string{
			softOpen, "0d5h disputed p -> disputed", "4d won p -> won, retry p 5d", "5d tick -> ask p schedule 2/15",
		}},
		{Name: "D7: won after grace is over", Lines: []string{
			softOpen, "0d5h disputed p -> disputed", "40d won p -> won, exhausted schedule, past-due 30d", "40d tick -> suspended unpaid 130d 220d",
		}},
		{Name: "D7: a dispute of a paid invoice that is won changes nothing", Lines: []string{
			"0 paid p -> paid", "20d disputed p -> disputed", "40d won p -> won", "41d tick ->", "41d settle p ann -> !nothing-owed",
		}},
		{Name: "C9: an accepted chargeback ends the service in a day", Lines: []string{
			"0 paid p -> paid", "20d disputed p -> disputed", "40d lost p -> lost, opened chargeback, grace 41d chargeback",
			"40d23h tick ->", "41d tick -> suspended chargeback 131d 221d", "131d tick -> closed canceled",
		}},
		{Name: "C9: of a recovered invoice as well", Lines: []string{
			softOpen, "1d paid p -> paid, recovered retrying charge, closed recovered", "20d lost p -> lost, opened chargeback, grace 21d chargeback",
			"21d tick -> suspended chargeback 111d 201d",
		}},
		{Name: "C9: and of one that is still retried", Lines: []string{
			softOpen, "5d lost p -> lost, opened chargeback, grace 6d chargeback", "5d tick ->", "6d tick -> suspended chargeback 96d 186d",
		}},
		{Name: "C9: grace that ends sooner ends sooner", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "6d12h lost p -> lost, opened chargeback, grace 7d chargeback",
			"7d tick -> suspended chargeback 97d 187d",
		}},
		{Name: "C9: a suspended service stays suspended", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "7d tick -> past-due 7d, suspended unpaid 97d 187d",
			"8d lost p -> lost", "97d tick -> closed canceled",
		}},
		{Name: "D7: no card is tried after an accepted chargeback", Lines: []string{
			"0 paid p -> paid", "20d lost p -> lost, opened chargeback, grace 21d chargeback", "20d edited p ->", "20d wallet p b1", "20d added b1 ->",
		}},
		{Name: "C8: a charged-back balance can be settled", Lines: []string{
			"0 paid p -> paid", "20d lost p -> lost, opened chargeback, grace 21d chargeback",
			"20d settle p bob -> !card-owned-by-other-admin", "20d settle b1 bob -> ask b1 settle 1/20",
			"20d paid b1 -> paid, settled b1 [p], recovered chargeback settlement, closed recovered", "21d tick ->",
		}},
		{Name: "C9: a second chargeback reopens a recovered case", Lines: []string{
			"0 paid p -> paid", "20d lost p -> lost, opened chargeback, grace 21d chargeback", "20d settle b1 bob -> ask b1 settle 1/20",
			"20d paid b1 -> paid, settled b1 [p], recovered chargeback settlement, closed recovered",
			"30d lost b1 -> lost, opened chargeback, grace 31d chargeback", "31d tick -> suspended chargeback 121d 211d",
		}},
		{Name: "D7: a chargeback of an invoice that nobody charged", Lines: []string{"0 disputed p -> !invoice-not-charged"}},
	})
}
