package contact_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"konto/domain/securityinfo"
	"konto/internal/contact"
)

// kinds are all kinds of line that there are examples of, and whether a mobile
// and another slot take them (rules S2 and F2).
var kinds = []struct {
	typ           phonenumbers.PhoneNumberType
	mobile, other bool
}{
	{phonenumbers.MOBILE, true, true},
	{phonenumbers.FIXED_LINE, false, true},
	{phonenumbers.TOLL_FREE, false, true},
	{phonenumbers.UAN, false, true},
	{phonenumbers.PREMIUM_RATE, false, false},
	{phonenumbers.SHARED_COST, false, false},
	{phonenumbers.VOIP, false, false},
	{phonenumbers.PERSONAL_NUMBER, false, false},
	{phonenumbers.PAGER, false, false},
	{phonenumbers.VOICEMAIL, false, false},
}

// TestSlotsTakeTheExamplesOfEveryCountry saves libphonenumber's example of every
// kind of number of every country in the mobile and in the office slot, in
// international form, and in national form in its own country.
func TestSlotsTakeTheExamplesOfEveryCountry(t *testing.T) {
	t.Parallel()
	read, taken, refused, regions := 0, 0, 0, map[string]bool{}
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		for _, kind := range kinds {
			n := phonenumbers.GetExampleNumberForType(region, kind.typ)
			if n == nil {
				continue
			}
			regions[region] = true
			mobile, other := kind.mobile, kind.other
			if phonenumbers.GetNumberType(n) == phonenumbers.FIXED_LINE_OR_MOBILE {
				mobile, other = true, true // where the plan does not tell, the code will
			}
			refusal := securityinfo.ErrPhoneType
			if phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
				mobile, other, refusal = false, false, securityinfo.ErrPhoneNotPossible // dialled locally only
			}
			e164 := phonenumbers.Format(n, phonenumbers.E164)
			for _, form := range []struct {
				country, raw string
			}{
				{"SE", phonenumbers.Format(n, phonenumbers.INTERNATIONAL)},
				{region, e164},
			} {
				for _, slot := range []struct {
					name string
					cmd  securityinfo.UpdateSecurityInfo
					ok   bool
				}{
					{"mobile", securityinfo.UpdateSecurityInfo{Mobile: &form.raw}, mobile},
					{"office", securityinfo.UpdateSecurityInfo{Office: &form.raw}, other},
				} {
					read++
					events, err := decide(form.country, slot.cmd)
					if slot.ok {
						taken++
						if err != nil || events[0].(securityinfo.PhoneMethodAdded).Phone.Value.E164 != e164 {
							t.Errorf("F2: %s %q as %s: %v, want %s", region, form.raw, slot.name, err, e164)
						}
						continue
					}
					refused++
					if !errors.Is(err, refusal) {
						t.Errorf("F2: %s %q as %s: %v, want %v", region, form.raw, slot.name, err, refusal)
					}
				}
			}
		}
	}
	t.Logf("%d regions, %d examples in slots: %d taken, %d refused", len(regions), read, taken, refused)
	if len(regions) < 240 || taken < 1500 || refused < 1000 {
		t.Errorf("%d regions, %d taken, %d refused: want those of all countries", len(regions), taken, refused)
	}
}

// TestNationalFormBelongsToItsCountry reads each example as it is dialled at
// home: there it is the number, and abroad it is refused or some number of the
// country that it is read in, never a guess at another country's.
func TestNationalFormBelongsToItsCountry(t *testing.T) {
	t.Parallel()
	home, refused, other, misprinted := 0, 0, 0, 0
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		n := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if n == nil {
			continue
		}
		raw, e164 := phonenumbers.Format(n, phonenumbers.NATIONAL), phonenumbers.Format(n, phonenumbers.E164)
		if again, err := phonenumbers.Parse(raw, region); err != nil || phonenumbers.Format(again, phonenumbers.E164) != e164 {
			misprinted++ // the library writes it in a form that it reads as another number
			continue
		}
		if got := contact.Phone(region, raw); got.E164 != e164 {
			t.Errorf("F1: %q in %s = %+v, want %s", raw, region, got, e164)
		}
		home++
		for _, abroad := range []string{"SE", "DK", "NL", "GB", "US"} {
			code := int32(phonenumbers.GetCountryCodeForRegion(abroad))
			if code == n.GetCountryCode() {
				continue
			}
			got := contact.Phone(abroad, raw)
			if !got.Possible {
				refused++
				continue
			}
			other++
			parsed, err := phonenumbers.Parse(got.E164, phonenumbers.UNKNOWN_REGION)
			if err != nil || parsed.GetCountryCode() != code {
				t.Errorf("F1: %q of %s in %s = %s, want a number of %s or none", raw, region, abroad, got.E164, abroad)
			}
		}
	}
	t.Logf("%d examples at home; abroad %d refused, %d read as the country's own", home, refused, other)
	if home < 200 || refused < 400 || misprinted > 1 {
		t.Errorf("%d at home, %d refused abroad, %d misprinted: want those of all countries", home, refused, misprinted)
	}
}
