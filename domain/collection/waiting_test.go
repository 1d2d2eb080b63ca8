package collection_test

import (
	"testing"

	. "konto/domain/collection"
)

func TestWaitingForTheCustomer(t *testing.T) {
	once, oneOfAny := DunningPolicy.First, DunningPolicy.First
	once.Limits = []Limit{{Network: "visa", Attempts: 1, Days: 30}}
	oneOfAny.Limits = []Limit{{Network: "visa", Attempts: 2, Days: 30}, {Network: "mastercard", Attempts: 1, Days: 30}}
	tell(t, []story{
		{Name: "C7: a wrong postal code waits for an edit", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d",
			"2d tick -> reminded 2d edited", "3d edited p -> allowed p, ask p change 2/15", "3d paid p -> paid, recovered retrying charge, closed recovered",
		}},
		{Name: "K5: a payment that the holder must confirm is not retried", Lines: []string{
			"0 declined p authentication_required -> declined, opened regular, grace 30d", "1d tick ->",
		}},
		{Name: "K5: nor when the card is edited or its network updates it, but its holder settles with it", Lines: []string{
			"0 declined p authentication_required -> declined, opened regular, grace 30d", "1d edited p ->", "1d updated p ->", "1d presented p ->",
			"1d settle p ann -> ask p settle 2/15",
		}},
		{Name: "K5: nor when advice asks to confirm the card's data", Lines: []string{
			"0 declined p authentication_required confirm_card_data -> declined, opened regular, grace 30d", "1d edited p ->", "1d settle p ann -> ask p settle 2/15",
		}},
		{Name: "K5: it stays so when something was wrong with the address, too", Lines: []string{
			"0 declined p authentication_required -> declined, opened regular, grace 30d", "0d1h declined p incorrect_zip unasked -> declined",
			"1d edited p ->", "1d settle p ann -> ask p settle 3/15",
		}},
		{Name: "C7: a number that the bank does not know cannot be edited, but its network updates it", Lines: []string{
			"0 declined p incorrect_number -> declined, opened accelerated, grace 7d", "1d edited p ->", "1d updated p -> allowed p, ask p change 2/15",
		}},
		{Name: "C7: its owner may settle with it all the same", Lines: []string{
			"0 declined p incorrect_number -> declined, opened accelerated, grace 7d", "1d settle p ann -> ask p settle 2/15",
		}},
		{Name: "C7: a new number corrects no address", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d", "1d updated p ->", "1d edited p -> allowed p, ask p change 2/15",
		}},
		{Name: "C7: a security code is entered again in an edit", Lines: []string{
			"0 declined p incorrect_cvc -> declined, opened regular, grace 30d", "1d updated p ->", "1d edited p -> allowed p, ask p change 2/15",
		}},
		{Name: "C7: an edit makes no card fit for what it cannot pay, has no PIN for, or has paid already", Wallet: "p b1 b2", Lines: []string{
			"0 declined p card_not_supported -> declined, opened accelerated, grace 7d, ask b1 backup 1/20",
			"0 declined b1 incorrect_pin -> declined, ask b2 backup 1/20", "0 declined b2 duplicate_transaction -> declined",
			"1d edited p ->", "1d edited b1 ->", "1d edited b2 ->", "1d updated p ->",
		}},
		{Name: "K4: new account details wait for the updater", Lines: []string{
			"0 declined p new_account_information_available -> declined, opened regular, grace 30d",
			"1d edited p ->", "1d updated p -> allowed p, ask p change 2/15",
		}},
		{Name: "D2: reminders on days 2 and 5 if no attempt is planned", Lines: []string{
			"0 declined p incorrect_cvc -> declined, opened regular, grace 30d", "1d tick ->",
			"2d tick -> reminded 2d edited", "2d tick ->", "5d tick -> reminded 5d edited", "6d tick ->",
		}},
		{Name: "D2: of two reminders that were missed one is sent", Lines: []string{
			"0 declined p incorrect_cvc -> declined, opened regular, grace 30d", "6d tick -> reminded 5d edited", "7d tick ->",
		}},
		{Name: "K5: a reminder says that a card waits for its holder", Lines: []string{
			"0 declined p authentication_required -> declined, opened regular, grace 30d", "2d tick -> reminded 2d presented",
		}},
		{Name: "K4: or for its network", Lines: []string{
			"0 declined p new_account_information_available -> declined, opened regular, grace 30d", "2d tick -> reminded 2d updated",
		}},
		{Name: "D2: or that it waits for nothing", Lines: []string{
			"0 declined p stolen_card -> declined, opened accelerated, grace 7d", "2d tick -> reminded 2d",
		}},
		{Name: "D2: as does one that the bank has stopped", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d", "0 blocked p", "2d tick -> reminded 2d",
		}},
		{Name: "D2: one that the subscription no longer has waits for its holder alone", Wallet: "p b1", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d, retry b1 1d", "0 wallet b1", "0 limit b1 100 SEK",
			"1d tick -> withdrawn, by-hand b1", "2d tick -> reminded 2d presented",
		}},
		{Name: "D3: one that its network allows no more waits for nothing", Rules: &once, Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d", "2d tick -> reminded 2d",
		}},
		{Name: "D5: past due, a card that is declined for its address waits for an edit all the same", Wallet: "p b1", Rules: &oneOfAny, Lines: []string{
			"0 declined b1 insufficient_funds -> declined, opened regular, grace 30d, retry p 1d", "1d tick -> ask p schedule 1/2",
			"1d declined p incorrect_zip -> declined, exhausted network-limit, past-due 30d edited", "2d edited p -> allowed p, ask p change 2/2",
		}},
		{Name: "D2: no reminder while an attempt is planned", Lines: []string{
			"0 declined p insufficient_funds -> declined, opened regular, grace 30d, retry p 1d",
			"1d tick -> ask p schedule 2/15", "1d declined p insufficient_funds -> declined, retry p 3d", "2d tick ->",
		}},
		{Name: "D1: grace ends while the customer is waited for", Lines: []string{
			"0 declined p incorrect_zip -> declined, opened regular, grace 30d", "30d tick -> past-due 30d edited, suspended unpaid 120d 210d",
		}},
	})
}
