package rules

var cardRules = []Rule{
	{ID: "C1", Says: "Of a card that is known, its holder's name, billing address, phone and expiry can change, its number never.", Source: card, Commands: []string{"UpdateCardDetails", "RegisterSubscription"}, Messages: []string{"card_changed"}},
	{ID: "C2", Says: "No security code is ever sent here. From 2024 on, the browser gives it to the gateway before an edit counts, and the result of its check comes with the edit.", Source: card, Policy: "card-edit", Commands: []string{"UpdateCardDetails"}},
	{ID: "C3", Says: "A card is valid until the end of its month everywhere on earth. Before that its owner is reminded.", Source: card, Policy: "card-expiry", Commands: []string{"AddCard"}, Messages: []string{"card_expiring", "card_expired"}},
	{ID: "C4", Says: "Only the admin who added a card edits it, or who looks after the billing profile that holds it. No other role counts.", Source: card, Policy: "card-edit", Commands: []string{"UpdateCardDetails", "ReplaceCard", "RemoveCard"}},
	{ID: "C5", Says: "Any global or billing admin adds a backup card to a subscription; it takes over when the first fails or expires.", Source: card, Policy: "card-use", Commands: []string{"AddBackupCard", "PromoteBackupCard"}, Messages: []string{"backup_card_requested"}},
	{ID: "C6", Says: "A new number is a new card. It takes the old one's place in one subscription or in all; a card that pays for something is not removed.", Source: card, Commands: []string{"AddCard", "ReplaceCard", "RemoveCard", "ApplyCardReplacement"}, Messages: []string{"card_changed"}},
	{ID: "C7", Says: "A declined charge is explained: number, expiry, name, address with city, state and postal code, then the bank. Every attempt that fails is told.", Source: card, Commands: []string{"RecordChargeResult"}, Messages: []string{"card_declined", "card_declined_final"}},
	{ID: "C8", Says: "The admin who added a declined card settles what is owed with it; the card that pays takes over all that the declined one paid for.", Source: linked("Pay for your subscription"), Commands: []string{"SettleBalance", "ReplaceDeclinedCard"}},
	{ID: "C9", Says: "A charge is tried again every few days for 30 days, while the service goes on; then it is suspended and, if nobody pays, cancelled and deleted, subscription and all.", Source: linked("Billing and dunning policies"), Policy: "dunning", Messages: []string{"card_declined_final", "service_suspended", "service_restored", "subscription_cancelled"}},
	{ID: "C10", Says: "An admin asks to pay by invoice, or calls billing support, which asks for them and alone decides, after what is owed is paid and the credit was checked.", Source: card, Policy: "card-to-invoice", Commands: []string{"RequestSwitchToInvoice", "RecordCreditCheck", "ApproveSwitchToInvoice", "DenySwitchToInvoice", "ChangePaymentMethodKind"}, Messages: []string{"invoice_switch_status"}},
	{ID: "C11", Says: "Admins cancel a subscription of less than 25 licences themselves, larger ones through support. They keep access for 90 days, data goes within 180, and days not used are credited in the next cycle.", Source: linked("Cancel your subscription"), Policy: "subscription-cancel", Commands: []string{"CancelSubscription", "ReactivateSubscription"}, Messages: []string{"subscription_cancelled", "subscription_reactivated"}},
	{ID: "C12", Says: "Feedback on a page has 255 characters at most and holds no address, phone or card number. It is not kept with an account.", Source: card, Commands: []string{"SubmitFeedback"}},
	{ID: "C13", Says: "A person's language is their own and changes nothing for the organization.", Source: card, Commands: []string{"SwitchLanguage"}},

	{ID: "K1", Says: "No card number and no security code is accepted, logged, stored or published; a card is the gateway's token.", Source: Source{Page: "PCI DSS v4.0.1 requirement 3"}, Commands: []string{"AddCard"}},
	{ID: "K2", Says: "A card is there once for each owner; the gateway's fingerprint tells, kept as a keyed hash.", Source: proposed, Commands: []string{"AddCard"}},
	{ID: "K3", Says: "The month is 1 to 12, the year neither past nor over 20 years ahead. A card that has expired is no first card.", Source: Source{Page: "ISO/IEC 7813"}, Commands: []string{"AddCard", "UpdateCardDetails"}},
	{ID: "K4", Says: "The networks renew cards by themselves; that is recorded and told.", Source: linked("Card account updater"), Commands: []string{"RecordCardAutoUpdate"}, Messages: []string{"card_changed"}},
	{ID: "K5", Says: "Where card data may not be stored, its expiry is not known; what asks for the customer is not tried without them, and what is above the limit for automatic payments is paid by hand.", Source: linked("Pay for your subscription"), Policy: "card-issuer-countries", Commands: []string{"AddCard", "SettleBalance"}, Messages: []string{"payment_by_hand"}},
	{ID: "K6", Says: "A card is issued in the organization's country.", Source: linked("Manage payment methods"), Commands: []string{"AddCard"}},

	{ID: "T1", Says: "Each decline code has a class that says whether to try again, who can fix it, which item of the checklist it is, and whether it may be shown. What hints at fraud is shown as a general decline.", Source: Source{Page: "Stripe decline codes"}, Commands: []string{"RecordChargeResult"}},

	{ID: "D1", Says: "An unpaid invoice goes from current to retrying, past due, suspended, canceled and deleted, and back by payment until then.", Source: linked("Billing and dunning policies")},
	{ID: "D2", Says: "When charges are tried again, and when the service is suspended, is a policy: one schedule for soft declines, a short one for hard ones.", Source: proposed, Policy: "dunning"},
	{ID: "D3", Says: "A payment is tried no more often in 30 days than its card network allows.", Source: Source{Page: "Visa rules on excessive retries"}, Policy: "dunning"},
	{ID: "D4", Says: "The first card is tried first, then the backups by priority, looked up anew each time.", Source: proposed, Commands: []string{"PromoteBackupCard"}},
	{ID: "D5", Says: "The first failure is told at once, and so is recovery.", Source: linked("Pay for your subscription"), Messages: []string{"card_declined", "service_restored"}},
	{ID: "D6", Says: "Deadlines are events of their own; a replay reads no clock.", Source: proposed},
	{ID: "D7", Says: "A dispute stops the attempts; an accepted chargeback suspends within a day.", Source: linked("Billing and dunning policies"), Messages: []string{"service_suspended"}},
}
