package contact_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/customer"
	"konto/domain/domaintest"
	"konto/domain/invoiceswitch"
	"konto/domain/postal"
	"konto/domain/relationship"
	"konto/internal/contact"
)

// street is where the people of these tests are.
var street = postal.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}

// typed decides cmd of an admin in Sweden, on a state in which nothing but the
// input stands in the way, with what this package's sources say of it.
func typed[S any](s S, cmd domain.Command[S]) ([]domain.Event[S], error) {
	m := domain.Meta{
		ID: "id", Tenant: "t", At: noon, Command: "c",
		Actor: domain.Actor{ID: "ann", Kind: domain.KindPerson, Tenant: "t", Roles: []domain.Role{domain.GlobalAdmin}},
	}
	f := card.EditPolicy.Known(card.ExpiryPolicy.Known(invoiceswitch.Policy.Known(relationship.Limits.Known(customer.RegistrationNumbers.Known(m.Facts)))))
	m.Facts = f.
		Knows(domain.Of[card.Organization]("t"), card.Organization{Country: "SE"}).
		Knows(domain.Of[card.Replacement]("id"), card.Replacement{Exists: true, Tenant: "t", Owner: "ann"}).
		Knows(domain.Of[invoiceswitch.Subscription]("sub"), invoiceswitch.Subscription{Exists: true, BoughtBy: "ann"}).
		Knows(domain.Of[invoiceswitch.Buyer]("ann"), invoiceswitch.Buyer{Tenant: "t"}).
		Knows(domain.Of[customer.Relationship]("t-id"), customer.Relationship{Type: "reseller", Active: true}).
		Knows(domain.Of[customer.Current]("id"), customer.Current{Country: "SE", Address: street})
	m = domaintest.Gather(m, cmd, func(n domain.Need) any {
		for _, source := range contact.Sources() {
			if source.Type == n.Type {
				return source.Input(n.Key)
			}
		}
		return nil
	})
	return cmd.Decide(s, m)
}

// TestNumbersAndMoneyThatPeopleType shows that each field in which a person
// types a number, an address or money is read by a library, and how what may
// be kept is kept.
func TestNumbersAndMoneyThatPeopleType(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		decide  func(input string) (kept string, err error)
		input   string
		want    string
		refused error
	}{
		{"F1: a card's phone number", cardPhone, "090-10 00 00", "+4690100000", nil},
		{"F1: a card's phone number abroad", cardPhone, "+45 20 12 34 56", "+4520123456", nil},
		{"F2: four zeros for a card's phone number", cardPhone, "0000", "", card.ErrField},
		{"F2: words for a card's phone number", cardPhone, "call me", "", card.ErrField},
		{"F1: a phone number on the bill", billPhone, "090-10 00 00 x12", "+4690100000;ext=12", nil},
		{"F2: any line for a phone number on the bill", billPhone, "the red one", "", billing.ErrPhone},
		{"F1: an invoice's phone number", switchPhone, "070-174 06 05", "+46701740605", nil},
		{"F2: nonsense for an invoice's phone number", switchPhone, "nonsense", "", invoiceswitch.ErrField},
		{"C10: an invoice in Norwegian crowns", switchCurrency, "NOK", "NOK", nil},
		{"C10: an invoice in a currency of this year", switchCurrency, "XCG", "XCG", nil},
		{"C10: an invoice in a withdrawn currency", switchCurrency, "DEM", "", invoiceswitch.ErrField},
		{"C10: an invoice in gold", switchCurrency, "XAU", "", invoiceswitch.ErrField},
		{"C10: an invoice in money that there is not", switchCurrency, "XQZ", "", invoiceswitch.ErrField},
		{"N17: a cap in euros", capCurrency, "EUR", "EUR", nil},
		{"N17: a cap in money that there is not", capCurrency, "XQZ", "", relationship.ErrBounds},
		{"N17: a cap in what is for tests only", capCurrency, "XTS", "", relationship.ErrBounds},
		{"F1: a customer's phone number", customerPhone, "070-174 06 05", "+46701740605", nil},
		{"F2: a customer's emergency number", customerPhone, "112", "", customer.ErrField},
		{"E1: the domain as A-label", customerMail, "Bo+faktura@Blåbär.Example", "Bo+faktura@xn--blbr-noae.example", nil},
		{"E1: compatibility forms", customerMail, "ｂｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "bo@example.com", nil},
		{"E1: white space around it", customerMail, " bo@example.com ", "bo@example.com", nil},
		{"E1: an invisible character", customerMail, "b\u200bo@example.com", "", customer.ErrField},
		{"E1: mixed directions", customerMail, "אבa@example.com", "", customer.ErrField},
		{"E1: two addresses", customerMail, "bo@example.com,ida@example.com", "", customer.ErrField},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.decide(test.input)
			if got != test.want || !errors.Is(err, test.refused) {
				t.Errorf("%q is kept as %q, %v, want %q, %v", test.input, got, err, test.want, test.refused)
			}
		})
	}
}

func cardPhone(input string) (string, error) {
	events, err := typed(card.Card{Owner: "ann"}, domain.Command[card.Card](card.UpdateCardDetails{Phone: &input}))
	if err != nil {
		return "", err
	}
	e := events[0].(card.CardDetailsUpdated)
	return e.Phone.Value, read(e.PhoneData)
}

func billPhone(input string) (string, error) {
	s := billing.Subscription{BoughtBy: "ann", Product: "Suite", Invoiced: true}
	events, err := typed(s, domain.Command[billing.Subscription](billing.ChangeBillToAddress{Name: "Ann", Phone: input, Address: street}))
	if err != nil {
		return "", err
	}
	e := events[0].(billing.BillToAddressChanged)
	return e.BillTo.Value.Phone, read(e.PhoneData)
}

// asked decides a wish for invoices.
func asked(phone, currency string) (invoiceswitch.InvoiceSwitchRequested, error) {
	events, err := typed(invoiceswitch.Case{}, domain.Command[invoiceswitch.Case](invoiceswitch.RequestSwitchToInvoice{
		SubscriptionID: "sub", Reason: invoiceswitch.AmountRises, AmountMinor: 1, Currency: currency, Name: "Ann", Phone: phone, Address: street, CaseRef: "C",
	}))
	if err != nil {
		return invoiceswitch.InvoiceSwitchRequested{}, err
	}
	e := events[0].(invoiceswitch.InvoiceSwitchRequested)
	return e, read(e.PhoneData)
}

func switchPhone(input string) (string, error) {
	e, err := asked(input, "SEK")
	return e.Contact.Value.Phone, err
}

func switchCurrency(input string) (string, error) {
	e, err := asked("070-174 06 05", input)
	return e.Currency, err
}

func capCurrency(input string) (string, error) {
	r := relationship.Relationship{
		PartnerID: "t", CustomerID: "c", Type: relationship.Reseller, Status: relationship.StatusActive,
		Subscriptions: []relationship.Subscription{{ID: "sub", OwnerRole: true}},
	}
	events, err := typed(r, domain.Command[relationship.Relationship](relationship.GrantPurchasePermission{
		Allowance:   relationship.Allowance{Resource: "azure-reserved-instances", Action: "purchase", CapMinor: 1, Currency: input},
		Acknowledge: relationship.Consequences(),
	}))
	if err != nil {
		return "", err
	}
	return events[0].(relationship.PurchasePermissionGranted).Currency, nil
}

// updated decides an update of a customer's billing profile.
func updated(b customer.BillingInfoUpdate) (customer.CustomerBillingInfoUpdated, error) {
	s := customer.Customer{
		PartnerID: "t", Country: "SE",
		BillingInfo: customer.BillingInfo{DefaultAddress: domain.About("id", customer.Address{Address: street})},
	}
	events, err := typed(s, domain.Command[customer.Customer](customer.UpdateCustomerAccount{BillingInfo: &b}))
	if err != nil {
		return customer.CustomerBillingInfoUpdated{}, err
	}
	return events[0].(customer.CustomerBillingInfoUpdated), nil
}

func customerPhone(input string) (string, error) {
	e, err := updated(customer.BillingInfoUpdate{DefaultAddress: &customer.AddressUpdate{Phone: &input}})
	if err != nil {
		return "", err
	}
	return e.Address.Value.Phone, read(e.PhoneData)
}

func customerMail(input string) (string, error) {
	e, err := updated(customer.BillingInfoUpdate{Email: &input})
	return e.Contact.Value.Email, err
}

// read fails unless an event names the numbering plans of this program.
func read(by string) error {
	if by != contact.MetadataVersion {
		return errors.New("read by the plans " + by)
	}
	return nil
}

// TestAllThatIsWrongIsTold: a refusal names the money and the number at once.
func TestAllThatIsWrongIsTold(t *testing.T) {
	t.Parallel()
	_, err := asked("nonsense", "XQZ")
	var refused *domain.Error
	if !errors.As(err, &refused) {
		t.Fatalf("err = %v, want a refusal", err)
	}
	var got []string
	for _, cause := range refused.Causes {
		got = append(got, cause.Pointer)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"/currency", "/phone"}, got); diff != "" {
		t.Errorf("pointers (-want +got):\n%s", diff)
	}
}
