package rules

// The pages that the rules follow from. Titles are those of the English
// originals; what was read are translations of several years.
const (
	contactsPage = "Update your admin phone number and email address"
	cardPage     = "Update credit card information"
	customerPage = "Update customer account info"
)

var (
	contacts = Source{Page: contactsPage, Languages: []string{"sv", "da", "nl"}}
	card     = Source{Page: cardPage, Languages: []string{"sv"}}
	customer = Source{Page: customerPage, Languages: []string{"sv"}}
	proposed = Source{Page: "proposed"}
)

func linked(title string) Source { return Source{Page: title, Languages: []string{"en"}} }

// Sentences are what the pages ask for, in our own words, in the pages' order.
// Their IDs are for ever.
var Sentences = []Sentence{
	{"contacts-1", contacts, "An admin keeps a phone number and an alternate mail address up to date on one page.", []string{"S1", "F1"}},
	{"contacts-2", contacts, "Both are needed to reset the password of the admin account, which is not the computer's.", []string{"S4", "I1"}},
	{"contacts-3", contacts, "The alternate address also gets important messages.", []string{"S5", "I4"}},
	{"contacts-4", contacts, "The alternate address must not be the account's own.", []string{"S3", "E1"}},
	{"contacts-5", contacts, "Choose Add method, then phone, alternate phone or email.", []string{"S2"}},
	{"contacts-6", contacts, "Choose Change to replace what is there.", []string{"S2", "I3"}},
	{"contacts-7", contacts, "A code is sent to the new address and must be entered.", []string{"S6", "I2"}},
	{"contacts-8", contacts, "Save what was changed.", []string{"S7", "X1"}},
	{"contacts-9", contacts, "The organization's own details are on another page.", []string{"S8"}},
	{"contacts-10", contacts, "Billing addresses are on another page.", []string{"S9", "A3"}},
	{"contacts-11", contacts, "Payment methods are on another page.", []string{"S10"}},
	{"contacts-12", contacts, "Related: change a user's name and address.", []string{"S11"}},
	{"contacts-13", contacts, "Related: add an employee.", []string{"S12"}},
	{"contacts-14", contacts, "Related: remove a former employee.", []string{"S13"}},
	{"contacts-15", contacts, "Related: get at a former user's data.", []string{"S14"}},
	{"contacts-16", contacts, "Some steps differ in national clouds and while the admin center changes.", []string{"S15"}},

	{"card-1", card, "Pick the subscription and edit its card: name, address, phone and expiry.", []string{"C1"}},
	{"card-2", card, "No security code is asked for when a known card is edited.", []string{"C2", "K1"}},
	{"card-3", card, "Keep the card current, so that the service is not interrupted.", []string{"C3", "K3"}},
	{"card-4", card, "Whoever did not buy the subscription cannot change its card.", []string{"C4"}},
	{"card-5", card, "If its owner cannot renew a card that is about to expire, add another card.", []string{"C5"}},
	{"card-6", card, "A card with a new number replaces the old one.", []string{"C6", "K2", "K6"}},
	{"card-7", card, "When a card is declined, check number, expiry, name and address first, then call the bank.", []string{"C7", "T1", "D5"}},
	{"card-8", card, "Pay what is owed.", []string{"C8", "C9", "D1"}},
	{"card-9", card, "To pay by invoice instead, call billing support.", []string{"C10"}},
	{"card-10", card, "Cancel the subscription, or get help with bills.", []string{"C11"}},
	{"card-11", card, "Tell us whether the page helped; leave no contact details.", []string{"C12"}},
	{"card-12", card, "The page is for admins of small businesses, in a language of their choice.", []string{"C13"}},

	{"customer-1", customer, "For global admins and sales agents of the partner.", []string{"P1"}},
	{"customer-2", customer, "Pick the customer, choose Update, then Submit.", []string{"P2", "P4", "P5"}},
	{"customer-3", customer, "Company details and billing information can be changed.", []string{"P3", "P6", "P7", "A1"}},
	{"customer-4", customer, "The permission to buy can be given and taken back.", []string{"P8"}},
	{"customer-5", customer, "The customer is one of the partner's own.", []string{"P9", "X6"}},
	{"customer-6", customer, "What was done is found in the activity log.", []string{"P10", "P11", "P12"}},
}
