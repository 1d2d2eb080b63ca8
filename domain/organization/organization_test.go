package organization_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/organization"
	"konto/domain/postal"
)

// A world is what surrounds a decision about the profile of contoso, in Sweden.
type world struct {
	tenant  Tenant
	verdict postal.Verdict
}

func usual() world {
	return world{Tenant{Exists: true, Country: "SE"}, postal.Verdict{Grade: postal.RegionConsistent, DataVersion: "v1"}}
}

func (w world) says(v postal.Verdict) world { w.verdict = v; return w }

// meta returns what the decision of cmd may know, asking for facts as the
// command handler does.
func (w world) meta(cmd any) Meta {
	m := Meta{ID: "contoso", Tenant: "contoso", Command: "c", Actor: domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso"}}
	return domaintest.Gather(m, cmd, w.fact)
}

func (w world) fact(n domain.Need) any {
	switch n.Type {
	case reflect.TypeFor[Tenant]():
		return w.tenant
	case reflect.TypeFor[postal.Verdict]():
		return w.verdict
	case reflect.TypeFor[Phone]():
		return Phone{OK: strings.HasPrefix(n.Key, "SE 08"), Number: "+46" + strings.TrimPrefix(n.Key, "SE 0"), Data: "plans/1"}
	case reflect.TypeFor[Locale]():
		return Locale{OK: n.Key != "und", Tag: n.Key}
	}
	return MailAddress{OK: strings.Contains(n.Key, "@"), Normalized: strings.ToLower(n.Key), Reason: "no @"}
}

type row struct {
	name  string
	world world
	given []Event
	when  domain.Command[Profile]
	then  []Event
	err   error
}

func run(t *testing.T, rows []row) {
	t.Helper()
	t.Parallel()
	var cases []domaintest.Case[Profile]
	for _, r := range rows {
		cases = append(cases, domaintest.Case[Profile]{Name: r.name, Given: r.given, When: r.when, Meta: r.world.meta(r.when), Then: r.then, Err: r.err})
	}
	domaintest.Run(t, Aggregate, cases)
}

func then(given []Event, more ...Event) []Event {
	return append(slices.Clip(given), more...)
}

func its(v string) domain.Personal[string] { return domain.About("contoso", v) }

func at(a postal.Address) domain.Personal[postal.Address] { return domain.About("contoso", a) }

var (
	street = postal.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}
	avenue = postal.Address{Line1: "Avenyn 2", City: "Göteborg", PostalCode: "411 36", Country: "SE"}
	fine   = postal.Checked{Grade: postal.RegionConsistent, DataVersion: "v1"}
)

func without(a postal.Address, f postal.Field) postal.Address { return a.With(f, "") }

func saved() []Event {
	return []Event{
		OrganizationProfileUpdated{Changed: []string{"name", "phone"}, Name: "Contoso AB", Phone: its("+468123456"), PhoneData: "plans/1"},
		SoldToAddressChanged{New: at(street), Changed: []postal.Field{postal.Line1, postal.City, postal.PostalCode, postal.Country}, Checked: fine},
		TechnicalContactChanged{New: its("it@contoso.se")},
		PreferredLanguageChanged{New: "sv-SE"},
	}
}

// page is the whole page, filled in, but for what change makes of it.
func page(change func(*UpdateOrganizationProfile)) UpdateOrganizationProfile {
	name, address, phone, contact, language := " Contoso AB ", street, "08123456", "IT@contoso.se", "sv-SE"
	c := UpdateOrganizationProfile{Name: &name, Address: &address, Phone: &phone, TechnicalContact: &contact, Language: &language}
	if change != nil {
		change(&c)
	}
	return c
}

func TestPage(t *testing.T) {
	str := func(s string) *string { return &s }
	of := func(c UpdateOrganizationProfile) UpdateOrganizationProfile { return c }
	nobody := usual()
	nobody.tenant = Tenant{}
	moved := func(a postal.Address, checked postal.Checked, changed ...postal.Field) []Event {
		return []Event{SoldToAddressChanged{Old: at(street), New: at(a), Changed: changed, Checked: checked}}
	}
	erased := then(saved(), SoldToAddressChanged{New: domain.Personal[postal.Address]{Subject: "contoso", Erased: true}})
	run(t, []row{
		{"S8: the first save", usual(), nil, page(nil), saved(), nil},
		{"S8: the same again", usual(), saved(), page(nil), nil, nil},
		{"S8: an organization that is none", nobody, nil, UpdateOrganizationProfile{}, nil, ErrTenant},
		{"S8: nothing to save", usual(), saved(), UpdateOrganizationProfile{}, nil, nil},
		{"S8: nothing in the first save", usual(), nil, UpdateOrganizationProfile{}, nil, ErrRequired},
		{"S8: a first save without a name", usual(), nil, page(func(c *UpdateOrganizationProfile) { c.Name = nil }), nil, ErrRequired},
		{"S8: a first save without an address", usual(), nil, page(func(c *UpdateOrganizationProfile) { c.Address = nil }), nil, ErrRequired},
		{"S8: a first save without a phone", usual(), nil, page(func(c *UpdateOrganizationProfile) { c.Phone = nil }), nil, ErrRequired},
		{"S8: a first save without a technical contact", usual(), nil, page(func(c *UpdateOrganizationProfile) { c.TechnicalContact = nil }), nil, ErrRequired},
		{"S8: a first save without a language", usual(), nil, page(func(c *UpdateOrganizationProfile) { c.Language = nil }), nil, ErrRequired},
		{"S8: an empty name", usual(), saved(), of(UpdateOrganizationProfile{Name: str(" ")}), nil, ErrRequired},
		{"S8: an empty address", usual(), saved(), of(UpdateOrganizationProfile{Address: &postal.Address{}}), nil, ErrRequired},
		{"S8: an empty phone", usual(), saved(), of(UpdateOrganizationProfile{Phone: str("")}), nil, ErrRequired},
		{"S8: an empty technical contact", usual(), saved(), of(UpdateOrganizationProfile{TechnicalContact: str("")}), nil, ErrRequired},
		{"S8: an empty language", usual(), saved(), of(UpdateOrganizationProfile{Language: str("")}), nil, ErrRequired},
		{"S8: another name", usual(), saved(), of(UpdateOrganizationProfile{Name: str("Contoso")}), []Event{OrganizationProfileUpdated{Changed: []string{"name"}, Name: "Contoso", OldName: "Contoso AB"}}, nil},
		{"S8: a name that is too long", usual(), saved(), of(UpdateOrganizationProfile{Name: str(strings.Repeat("å", 257))}), nil, ErrName},
		{"S8: a name with a line break", usual(), saved(), of(UpdateOrganizationProfile{Name: str("Contoso\nAB")}), nil, ErrName},
		{"S8: a name that turns what follows", usual(), saved(), of(UpdateOrganizationProfile{Name: str("Contoso\u202e")}), nil, ErrName},
		{"S8: a name that nobody sees", usual(), saved(), of(UpdateOrganizationProfile{Name: str("\u3164")}), nil, ErrRequired},
		{"S8, F4: another phone, read by plans that are named", usual(), saved(), of(UpdateOrganizationProfile{Phone: str("08654321")}), []Event{OrganizationProfileUpdated{Changed: []string{"phone"}, Phone: its("+468654321"), OldPhone: its("+468123456"), PhoneData: "plans/1"}}, nil},
		{"F4: another name takes no plans", usual(), saved(), of(UpdateOrganizationProfile{Name: str("Fabrikam AB")}), []Event{OrganizationProfileUpdated{Changed: []string{"name"}, Name: "Fabrikam AB", OldName: "Contoso AB"}}, nil},
		{"S8: a number that cannot be called", usual(), saved(), of(UpdateOrganizationProfile{Phone: str("112")}), nil, ErrPhone},
		{"S8: another technical contact", usual(), saved(), of(UpdateOrganizationProfile{TechnicalContact: str("ops@contoso.se")}), []Event{TechnicalContactChanged{Old: its("it@contoso.se"), New: its("ops@contoso.se")}}, nil},
		{"S8: a technical contact that is no address", usual(), saved(), of(UpdateOrganizationProfile{TechnicalContact: str("ops")}), nil, ErrMail},
		{"S8: another language", usual(), saved(), of(UpdateOrganizationProfile{Language: str("da-DK")}), []Event{PreferredLanguageChanged{Old: "sv-SE", New: "da-DK"}}, nil},
		{"S8: a language that is none", usual(), saved(), of(UpdateOrganizationProfile{Language: str("und")}), nil, ErrLanguage},

		{"S9: another address", usual(), saved(), of(UpdateOrganizationProfile{Address: &avenue}), moved(avenue, fine, postal.Line1, postal.City, postal.PostalCode), nil},
		{"S8: the country goes without saying", usual(), saved(), of(UpdateOrganizationProfile{Address: new(without(avenue, postal.Country))}), moved(avenue, fine, postal.Line1, postal.City, postal.PostalCode), nil},
		{"S8: another country", usual(), saved(), of(UpdateOrganizationProfile{Address: new(avenue.With(postal.Country, "DK"))}), nil, ErrCountry},
		{"S8: another country in a first save", usual(), nil, page(func(c *UpdateOrganizationProfile) { c.Address = new(street.With(postal.Country, "DK")) }), nil, ErrCountry},
		{"A1: an address that the country has not", usual().says(postal.Verdict{Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Malformed}}}), saved(), of(UpdateOrganizationProfile{Address: &avenue}), nil, postal.ErrAddress},
		{"A2: an address for which there is a better spelling", usual().says(postal.Verdict{Grade: postal.FormatOK, Suggestions: []postal.Address{street}}), saved(), of(UpdateOrganizationProfile{Address: &avenue}), nil, postal.ErrConfirm},
		{
			"A2: an address that is meant so", usual().says(postal.Verdict{Grade: postal.FormatOK, Suggestions: []postal.Address{street}, DataVersion: "v1"}), saved(),
			of(UpdateOrganizationProfile{Address: &avenue, AddressConfirmed: true}),
			moved(avenue, postal.Checked{Grade: postal.FormatOK, DataVersion: "v1", Confirmed: true}, postal.Line1, postal.City, postal.PostalCode), nil,
		},
		{
			"A2: the grade of an address about which nothing is known", usual().says(postal.Verdict{Grade: postal.Unchecked}), saved(), of(UpdateOrganizationProfile{Address: &avenue}),
			moved(avenue, postal.Checked{Grade: postal.Unchecked}, postal.Line1, postal.City, postal.PostalCode), nil,
		},
		{
			"S9: an address in the place of one that was erased", usual(), erased, of(UpdateOrganizationProfile{Address: &avenue}),
			[]Event{SoldToAddressChanged{
				Old: domain.Personal[postal.Address]{Subject: "contoso", Erased: true}, New: at(avenue),
				Changed: []postal.Field{postal.Line1, postal.City, postal.PostalCode, postal.Country}, Checked: fine,
			}},
			nil,
		},
	})
}

func TestOneByOne(t *testing.T) {
	attached := then(saved(), InvoiceAttachmentSet{On: true})
	mailed := then(saved(), OrganizationContactEmailChanged{New: its("bills@contoso.se")})
	run(t, []row{
		{"S9: the sold-to address", usual(), saved(), ChangeSoldToAddress{Address: avenue}, []Event{SoldToAddressChanged{Old: at(street), New: at(avenue), Changed: []postal.Field{postal.Line1, postal.City, postal.PostalCode}, Checked: fine}}, nil},
		{"S9: the address that it is", usual(), saved(), ChangeSoldToAddress{Address: street}, nil, nil},
		{"S9: an address in another country", usual(), saved(), ChangeSoldToAddress{Address: avenue.With(postal.Country, "NL")}, nil, ErrCountry},
		{"A1: an address that the country has not", usual().says(postal.Verdict{Problems: []postal.Problem{{Field: postal.City, Fault: postal.Missing}}}), saved(), ChangeSoldToAddress{Address: without(avenue, postal.City)}, nil, postal.ErrAddress},
		{"A2: an address for which there is a better spelling", usual().says(postal.Verdict{Suggestions: []postal.Address{street}}), saved(), ChangeSoldToAddress{Address: avenue}, nil, postal.ErrConfirm},
		{"A2: an address that is meant so", usual().says(postal.Verdict{Suggestions: []postal.Address{street}}), saved(), ChangeSoldToAddress{Address: avenue, Confirmed: true}, []Event{SoldToAddressChanged{Old: at(street), New: at(avenue), Changed: []postal.Field{postal.Line1, postal.City, postal.PostalCode}, Checked: postal.Checked{Confirmed: true}}}, nil},
		{"S9: an address before the profile", usual(), nil, ChangeSoldToAddress{Address: street}, nil, ErrNotFound},

		{"S8: the technical contact", usual(), saved(), ChangeTechnicalContact{"Ops@contoso.se"}, []Event{TechnicalContactChanged{Old: its("it@contoso.se"), New: its("ops@contoso.se")}}, nil},
		{"S8: the technical contact that it is", usual(), saved(), ChangeTechnicalContact{"it@contoso.se"}, nil, nil},
		{"S8: no technical contact", usual(), saved(), ChangeTechnicalContact{}, nil, ErrRequired},
		{"S8: a technical contact that is no address", usual(), saved(), ChangeTechnicalContact{"ops"}, nil, ErrMail},
		{"S8: a technical contact before the profile", usual(), nil, ChangeTechnicalContact{"it@contoso.se"}, nil, ErrNotFound},

		{"S8: the preferred language", usual(), saved(), ChangePreferredLanguage{"nl"}, []Event{PreferredLanguageChanged{Old: "sv-SE", New: "nl"}}, nil},
		{"S8: the language that it is", usual(), saved(), ChangePreferredLanguage{"sv-SE"}, nil, nil},
		{"S8: a language that is none", usual(), saved(), ChangePreferredLanguage{"und"}, nil, ErrLanguage},
		{"S8: a language before the profile", usual(), nil, ChangePreferredLanguage{"nl"}, nil, ErrNotFound},

		{"S8: the contact address", usual(), saved(), ChangeOrganizationContactEmail{"bills@contoso.se"}, []Event{OrganizationContactEmailChanged{New: its("bills@contoso.se")}}, nil},
		{"S8: the contact address that it is", usual(), mailed, ChangeOrganizationContactEmail{"Bills@contoso.se"}, nil, nil},
		{"S8: no contact address any more", usual(), mailed, ChangeOrganizationContactEmail{}, []Event{OrganizationContactEmailChanged{Old: its("bills@contoso.se")}}, nil},
		{"S8: no contact address anyway", usual(), saved(), ChangeOrganizationContactEmail{}, nil, nil},
		{"S8: a contact address that is none", usual(), saved(), ChangeOrganizationContactEmail{"bills"}, nil, ErrMail},
		{"S8: a contact address before the profile", usual(), nil, ChangeOrganizationContactEmail{"bills@contoso.se"}, nil, ErrNotFound},

		{"S8: invoices are attached", usual(), saved(), SetInvoiceAttachment{On: true}, []Event{InvoiceAttachmentSet{On: true}}, nil},
		{"S8: invoices are attached already", usual(), attached, SetInvoiceAttachment{On: true}, nil, nil},
		{"S8: invoices are attached no more", usual(), attached, SetInvoiceAttachment{}, []Event{InvoiceAttachmentSet{}}, nil},
		{"S8: invoices before the profile", usual(), nil, SetInvoiceAttachment{On: true}, nil, ErrNotFound},
	})
}

func TestEverythingWrongIsListed(t *testing.T) {
	t.Parallel()
	c := page(func(c *UpdateOrganizationProfile) {
		*c.Name, *c.Phone, *c.TechnicalContact, *c.Language = "a\nb", "112", "it", "und"
		c.Address = new(street.With(postal.Country, "DK"))
	})
	events, err := c.Decide(Profile{}, usual().meta(c))
	for _, want := range []error{ErrName, ErrPhone, ErrMail, ErrLanguage, ErrCountry} {
		if !errors.Is(err, want) {
			t.Errorf("Decide = %v, want it to include %v", err, want)
		}
	}
	if events != nil {
		t.Errorf("Decide = %v, want nothing: all is accepted or nothing", events)
	}
}

func TestCountryRefusalNamesTheWayOut(t *testing.T) {
	t.Parallel()
	if ErrCountry.Code != "country-immutable" || ErrCountry.Instead != "RegisterTenant" || len(ErrCountry.InsteadBy) == 0 {
		t.Errorf("%+v, want who may register another organization", ErrCountry)
	}
}
