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
var Sentences = []Sentence{
	{contactsPage, "An admin keeps a phone number and an alternate mail address up to date on one page.", []string{"S1", "F1"}},
	{contactsPage, "Both are needed to reset the password of the admin account, which is not the computer's.", []string{"S4", "I1"}},
	{contactsPage, "The alternate address also gets important messages.", []string{"S5", "I4"}},
	{contactsPage, "The alternate address must not be the account's own.", []string{"S3", "E1"}},
	{contactsPage, "Choose Add method, then phone, alternate phone or email.", []string{"S2"}},
	{contactsPage, "Choose Change to replace what is there.", []string{"S2", "I3"}},
	{contactsPage, "A code is sent to the new address and must be entered.", []string{"S6", "I2"}},
	{contactsPage, "Save what was changed.", []string{"S7", "X1"}},
	{contactsPage, "The organization's own details are on another page.", []string{"S8"}},
	{contactsPage, "Billing addresses are on another page.", []string{"S9", "A3"}},
	{contactsPage, "Payment methods are on another page.", []string{"S10"}},
	{contactsPage, "Related: change a user's name and address.", []string{"S11"}},
	{contactsPage, "Related: add an employee.", []string{"S12"}},
	{contactsPage, "Related: remove a former employee.", []string{"S13"}},
	{contactsPage, "Related: get at a former user's data.", []string{"S14"}},
	{contactsPage, "Some steps differ in national clouds and while the admin center changes.", []string{"S15"}},

	{cardPage, "Pick the subscription and edit its card: name, address, phone and expiry.", []string{"C1"}},
	{cardPage, "No security code is asked for when a known card is edited.", []string{"C2", "K1"}},
	{cardPage, "Keep the card current, so that the service is not interrupted.", []string{"C3", "K3"}},
	{cardPage, "Whoever did not buy the subscription cannot change its card.", []string{"C4"}},
	{cardPage, "If its owner cannot renew a card that is about to expire, add another card.", []string{"C5"}},
	{cardPage, "A card with a new number replaces the old one.", []string{"C6", "K2", "K6"}},
	{cardPage, "When a card is declined, check number, expiry, name and address first, then call the bank.", []string{"C7", "T1", "D5"}},
	{cardPage, "Pay what is owed.", []string{"C8", "C9", "D1"}},
	{cardPage, "To pay by invoice instead, call billing support.", []string{"C10"}},
	{cardPage, "Cancel the subscription, or get help with bills.", []string{"C11"}},
	{cardPage, "Tell us whether the page helped; leave no contact details.", []string{"C12"}},
	{cardPage, "The page is for admins of small businesses, in a language of their choice.", []string{"C13"}},

	{customerPage, "For global admins and sales agents of the partner.", []string{"P1"}},
	{customerPage, "Pick the customer, choose Update, then Submit.", []string{"P2", "P4", "P5"}},
	{customerPage, "Company details and billing information can be changed.", []string{"P3", "P6", "P7", "A1"}},
	{customerPage, "The permission to buy can be given and taken back.", []string{"P8"}},
	{customerPage, "The customer is one of the partner's own.", []string{"P9", "X6"}},
	{customerPage, "What was done is found in the activity log.", []string{"P10", "P11", "P12"}},
}
