package contact_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/customer"
	"konto/domain/invoiceswitch"
	"konto/domain/organization"
	"konto/domain/postal"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/internal/contact"
	"konto/internal/place"
)

func TestPhone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, region, raw string
		want              securityinfo.PhoneNumber
	}{
		{"reserved for fiction", "SE", "070-174 06 05", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"country code wins over region", "US", "+46 701740605", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"international prefix", "SE", "0046701740605", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"redundant zero", "SE", "+46 (0)70-174 06 05", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"URI", "SE", "tel:+46-70-174-06-05", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"direction marks", "SE", "\u202a+46 70-174 06 05\u202c", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"no-break spaces", "SE", "070\u00a0174\u00a006\u00a005", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"Arabic digits", "SE", "٠٧٠١٧٤٠٦٠٥", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"region in lower case", "se", "070-174 06 05", valid("+46701740605", securityinfo.Mobile, "SE")},
		{"Swedish landline", "SE", "08-12 34 56", valid("+468123456", securityinfo.FixedLine, "SE")},
		{"Danish", "DK", "20 12 34 56", valid("+4520123456", securityinfo.FixedLineOrMobile, "DK")},
		{"Danish example", "DK", "+45 34 41 23 45", valid("+4534412345", securityinfo.Mobile, "DK")},
		{"Dutch mobile", "NL", "06 12345678", valid("+31612345678", securityinfo.Mobile, "NL")},
		{"Dutch landline", "NL", "010 123 4567", valid("+31101234567", securityinfo.FixedLine, "NL")},
		{"British", "GB", "07400 123456", valid("+447400123456", securityinfo.Mobile, "GB")},
		{"American", "US", "(201) 555-0123", valid("+12015550123", securityinfo.FixedLineOrMobile, "US")},
		{"toll-free", "US", "1-800-356-9377", valid("+18003569377", securityinfo.TollFree, "US")},
		{"premium", "SE", "0900-123 45 67", valid("+469001234567", securityinfo.PremiumRate, "SE")},
		{"Microsoft's example", "US", "+1 4251234567", possible("+14251234567", "")},
		{"Microsoft's example with extension", "US", "+1 5555551234x123", possible("+15555551234", "123")},
		{"capital extension", "SE", "+1 5555551234X123", possible("+15555551234", "123")},
		{"RFC 3966 extension", "US", "+15555551234;ext=123", possible("+15555551234", "123")},
		{"extension of a valid number", "SE", "08-12 34 56 ext. 12", withExt(valid("+468123456", securityinfo.FixedLine, "SE"), "12")},
		{"no region", "", "0701740605", impossible()},
		{"unknown region", "ZZ", "0701740605", impossible()},
		{"emergency", "SE", "112", impossible()},
		{"reads as another number", "SE", "+46 00000000", impossible()},
		{"too long", "SE", "070 174 06 05 / 070 1", impossible()},
		{"empty", "SE", "", impossible()},
		{"vanity", "US", "1-800-FLOWERS", impossible()},
		{"sentence", "SE", "call +46701740605 now", impossible()},
		{"extension without number", "SE", "x123", impossible()},
		{"not text", "SE", "070-174\xff", impossible()},
		{"very long", "SE", strings.Repeat("0", 100), impossible()},
		{"phone context", "SE", "tel:0701740605;phone-context=+46", impossible()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := contact.Phone(test.region, test.raw); got != test.want {
				t.Errorf("Phone(%q, %q) = %+v, want %+v", test.region, test.raw, got, test.want)
			}
		})
	}
}

func valid(e164 string, typ securityinfo.PhoneType, region string) securityinfo.PhoneNumber {
	return securityinfo.PhoneNumber{
		Possible: true, Valid: true, E164: e164, Type: typ, Region: region, MetadataVersion: contact.MetadataVersion,
	}
}

func possible(e164, ext string) securityinfo.PhoneNumber {
	return securityinfo.PhoneNumber{
		Possible: true, E164: e164, Ext: ext, Type: securityinfo.UnknownType, MetadataVersion: contact.MetadataVersion,
	}
}

func withExt(n securityinfo.PhoneNumber, ext string) securityinfo.PhoneNumber {
	n.Ext = ext
	return n
}

func impossible() securityinfo.PhoneNumber {
	return securityinfo.PhoneNumber{Type: securityinfo.UnknownType, MetadataVersion: contact.MetadataVersion}
}

func TestF4MetadataVersionIsTheOneInUse(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := "github.com/nyaruka/" + strings.Replace(contact.MetadataVersion, "/", " ", 1) + " "
	if !strings.Contains(string(mod), want) {
		t.Errorf("MetadataVersion = %q, but go.mod does not require %q", contact.MetadataVersion, want)
	}
}

func TestE1Mail(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, raw, want, domain string }{
		{"plain", "ann@example.com", "ann@example.com", "example.com"},
		{"white space around", " \tann@example.com\n", "ann@example.com", "example.com"},
		{"case", "Ann.Berg@Example.COM", "Ann.Berg@example.com", "example.com"},
		{"tag kept", "ann+konto@example.com", "ann+konto@example.com", "example.com"},
		{"final dot", "ann@example.com.", "ann@example.com", "example.com"},
		{"international domain", "ann@Bücher.example", "ann@xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"A-label", "ann@XN--bcher-kva.example", "ann@xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"sharp s", "ann@straße.example", "ann@xn--strae-oqa.example", "xn--strae-oqa.example"},
		{"full width", "ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com", "example.com"},
		{"ideographic dot", "ann@例え。example", "ann@xn--r8jz45g.example", "xn--r8jz45g.example"},
		{"combining", "ren\u0065\u0301@example.com", "ren\u00e9@example.com", "example.com"},
		{"right to left", "אבא@example.com", "אבא@example.com", "example.com"},
		{"apostrophe", "o'neil@example.com", "o'neil@example.com", "example.com"},
		{"longest local part", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com", "example.com"},

		{"empty", "", "", ""},
		{"no at", "ann.example.com", "", ""},
		{"two ats", "ann@b@example.com", "", ""},
		{"no local part", "@example.com", "", ""},
		{"no domain", "ann@", "", ""},
		{"one label", "ann@localhost", "", ""},
		{"address literal", "ann@[192.0.2.1]", "", ""},
		{"bare address", "ann@192.0.2.1", "", ""},
		{"quoted", `"ann b"@example.com`, "", ""},
		{"display name", "Ann <ann@example.com>", "", ""},
		{"two addresses", "ann@example.com,bo@example.com", "", ""},
		{"inner space", "ann berg@example.com", "", ""},
		{"dot first", ".ann@example.com", "", ""},
		{"dot last", "ann.@example.com", "", ""},
		{"two dots", "ann..berg@example.com", "", ""},
		{"line break", "ann\r\nBcc: bo@example.com", "", ""},
		{"control", "an\x00n@example.com", "", ""},
		{"zero width space", "an\u200bn@example.com", "", ""},
		{"direction override", "ann\u202e@example.com", "", ""},
		{"soft hyphen", "an\u00adn@example.com", "", ""},
		{"filler", "an\u3164n@example.com", "", ""},
		{"mixed directions", "אבa@example.com", "", ""},
		{"emoji", "❤@example.com", "", ""},
		{"emoji domain", "ann@❤.example", "", ""},
		{"emoji domain as A-label", "ann@xn--53h.example", "", ""},
		{"mixed directions in domain", "ann@אבa.example", "", ""},
		{"underscore in domain", "ann@ex_ample.com", "", ""},
		{"hyphen first in domain", "ann@-example.com", "", ""},
		{"empty label", "ann@example..com", "", ""},
		{"broken A-label", "ann@xn--zzzz.example", "", ""},
		{"digits last", "ann@example.123", "", ""},
		{"long local part", strings.Repeat("a", 65) + "@example.com", "", ""},
		{"long label", "ann@" + strings.Repeat("a", 64) + ".com", "", ""},
		{"long address", strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 4) + "com", "", ""},
		{"very long", strings.Repeat("a", 5000), "", ""},
		{"not text", "ann\xff@example.com", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := contact.Mail(test.raw)
			if got.Normalized != test.want || got.Domain != test.domain || got.OK != (test.want != "") || got.OK == (got.Reason != "") {
				t.Errorf("Mail(%q) = %+v, want %q in %q", test.raw, got, test.want, test.domain)
			}
		})
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		of   func(string) (string, bool)
		in   string
		want string // empty: not ok
	}{
		{"country", contact.Country, "SE", "SE"},
		{"country", contact.Country, " se ", "SE"},
		{"country", contact.Country, "GB", "GB"},
		{"country", contact.Country, "UK", ""},
		{"country", contact.Country, "EU", ""},
		{"country", contact.Country, "SU", ""},
		{"country", contact.Country, "ZZ", ""},
		{"country", contact.Country, "SWE", ""},
		{"country", contact.Country, "752", ""},
		{"country", contact.Country, "", ""},
		{"locale", contact.Locale, "sv-SE", "sv-SE"},
		{"locale", contact.Locale, "sv_se", "sv-SE"},
		{"locale", contact.Locale, "EN", "en"},
		{"locale", contact.Locale, "iw", "he"},
		{"locale", contact.Locale, "und", ""},
		{"locale", contact.Locale, "xx-SE", ""},
		{"locale", contact.Locale, "", ""},
		{"locale", contact.Locale, "en-x-" + strings.Repeat("a-", 40) + "b", ""},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.in, func(t *testing.T) {
			t.Parallel()
			got, ok := test.of(test.in)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("%s(%q) = %q, %v, want %q", test.name, test.in, got, ok, test.want)
			}
		})
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	const plans = contact.MetadataVersion
	home := postal.Address{Line1: "Storgatan 1", City: "Stockholm", PostalCode: "114 55", Country: "SE"}
	want := map[reflect.Type]struct {
		key  string
		fact any
	}{
		reflect.TypeFor[postal.Verdict]():            {home.Key(), place.NewBook().Verdict(home)},
		reflect.TypeFor[securityinfo.PhoneNumber]():  {securityinfo.PhoneKey("SE", "070-174 06 05"), valid("+46701740605", securityinfo.Mobile, "SE")},
		reflect.TypeFor[securityinfo.MailAddress]():  {"ann@Example.com", securityinfo.MailAddress{OK: true, Normalized: "ann@example.com", Domain: "example.com"}},
		reflect.TypeFor[admin.Address]():             {"ann@Example.com", admin.Address{OK: true, Normalized: "ann@example.com", Domain: "example.com"}},
		reflect.TypeFor[admin.Locale]():              {"sv-se", admin.Locale{OK: true, Tag: "sv-SE"}},
		reflect.TypeFor[organization.Phone]():        {"SE 070-174 06 05", organization.Phone{OK: true, Number: "+46701740605", Data: plans}},
		reflect.TypeFor[organization.MailAddress]():  {"ann@Example.com", organization.MailAddress{OK: true, Normalized: "ann@example.com"}},
		reflect.TypeFor[organization.Locale]():       {"sv-se", organization.Locale{OK: true, Tag: "sv-SE"}},
		reflect.TypeFor[admin.Phone]():               {"SE 070-174 06 05", admin.Phone{OK: true, Number: "+46701740605", Data: plans}},
		reflect.TypeFor[tenant.Locale]():             {"sv-se", tenant.Locale{OK: true, Tag: "sv-SE"}},
		reflect.TypeFor[customer.Locale]():           {"sv-se", customer.Locale{OK: true, Tag: "sv-SE"}},
		reflect.TypeFor[customer.Country]():          {"SE", customer.Country{OK: true}},
		reflect.TypeFor[customer.PhoneNumber]():      {"SE 070-174 06 05", customer.PhoneNumber{Possible: true, Valid: true, Number: "+46701740605", Data: plans}},
		reflect.TypeFor[customer.MailAddress]():      {"ann@Bücher.Example", customer.MailAddress{OK: true, Normalized: "ann@xn--bcher-kva.example"}},
		reflect.TypeFor[customer.DomainName]():       {"Bücher.Example", customer.DomainName{OK: true, Name: "xn--bcher-kva.example"}},
		reflect.TypeFor[card.PhoneNumber]():          {"SE 08-12 34 56 x7", card.PhoneNumber{OK: true, Number: "+468123456;ext=7", Data: plans}},
		reflect.TypeFor[billing.PhoneNumber]():       {"DK 20 12 34 56", billing.PhoneNumber{OK: true, Number: "+4520123456", Data: plans}},
		reflect.TypeFor[invoiceswitch.PhoneNumber](): {"SE nonsense", invoiceswitch.PhoneNumber{Data: plans}},
		reflect.TypeFor[invoiceswitch.Currency]():    {"SEK", invoiceswitch.Currency{OK: true}},
		reflect.TypeFor[relationship.Currency]():     {"sek", relationship.Currency{}},
		reflect.TypeFor[tenant.Country]():            {"se", tenant.Country{OK: true, Code: "SE"}},
		reflect.TypeFor[tenant.Currency]():           {"sek", tenant.Currency{OK: true, Code: "SEK"}},
		reflect.TypeFor[tenant.DomainName]():         {"Example.com", tenant.DomainName{OK: true, Name: "example.com"}},
	}
	sources := contact.Sources()
	for _, s := range sources {
		w, ok := want[s.Type]
		if !ok {
			t.Errorf("unexpected source of %v", s.Type)
			continue
		}
		if got := s.Input(w.key); !reflect.DeepEqual(got, w.fact) {
			t.Errorf("%v of %q = %+v, want %+v", s.Type, w.key, got, w.fact)
		}
	}
	if len(sources) != len(want) {
		t.Errorf("%d sources, want %d", len(sources), len(want))
	}
}

// The numbering plans come with an example of every kind of number in every
// country; each must be read, in its international form, from anywhere.
func TestPhoneReadsTheExampleOfEveryCountry(t *testing.T) {
	t.Parallel()
	read := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for _, typ := range []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.TOLL_FREE} {
			n := phonenumbers.GetExampleNumberForType(region, typ)
			if n == nil {
				continue
			}
			raw := phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
			e164 := phonenumbers.Format(n, phonenumbers.E164)
			got := contact.Phone("SE", raw)
			if !got.Possible || !got.Valid || got.E164 != e164 {
				t.Errorf("Phone(SE, %q) = %+v, want %s", raw, got, e164)
			}
			read++
		}
	}
	if read < 600 {
		t.Errorf("%d examples, want those of all countries", read)
	}
}
