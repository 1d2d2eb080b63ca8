package contact

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"konto/domain/securityinfo"
)

// MetadataVersion says which numbering plans [Phone] reads by: the release of
// the library, whose change log names libphonenumber's. A test compares it
// with go.mod.
const MetadataVersion = "phonenumbers/v1.8.1"

// maxPhone is the longest input that is looked at, in bytes: fifteen digits
// (ITU-T E.164 §6) and an extension, generously grouped.
const maxPhone = 64

// written is what a phone number may look like: letters only in "tel:" before
// it and in the mark of an extension after it. The library would read any
// other letter as the digit on its key.
var written = regexp.MustCompile(`^(?i:tel:)?[^\p{L}]+(?i:(?:;ext=|ext\.?|x)[^\p{L}]+)?$`)

// Phone returns what the numbering plans say of raw. A number without a
// country code is read in region, an ISO 3166-1 alpha-2 code. Microsoft's form
// "+CC number[xEXT]" is one of many that are understood.
func Phone(region, raw string) securityinfo.PhoneNumber {
	unknown := securityinfo.PhoneNumber{Type: securityinfo.UnknownType, MetadataVersion: MetadataVersion}
	// Address books wrap numbers in invisible direction marks.
	raw = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.TrimSpace(raw))
	if len(raw) > maxPhone || !utf8.ValidString(raw) || !written.MatchString(raw) {
		return unknown
	}
	n, err := phonenumbers.Parse(raw, strings.ToUpper(region))
	// A number that can be dialled only locally cannot be called from here.
	if err != nil || phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		return unknown
	}
	known := securityinfo.PhoneNumber{
		Possible: true,
		Valid:    phonenumbers.IsValidNumber(n),
		E164:     phonenumbers.Format(n, phonenumbers.E164),
		Ext:      n.GetExtension(),
		Type:     phoneType(phonenumbers.GetNumberType(n)),
		Region:   phonenumbers.GetRegionCodeForNumber(n),

		MetadataVersion: MetadataVersion,
	}
	if !dialable.MatchString(known.E164) || !stable(n) {
		return unknown
	}
	return known
}

// stable reports whether the E.164 form of n reads as n again. Where it does
// not, as with "+46 00000000", a leading zero would be taken for the country's
// trunk prefix, and the number that is called would not be the one stored.
func stable(n *phonenumbers.PhoneNumber) bool {
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	again, err := phonenumbers.Parse(e164, phonenumbers.UNKNOWN_REGION)
	return err == nil && phonenumbers.Format(again, phonenumbers.E164) == e164
}

// dialable is the form of a number that works from anywhere: a country code,
// which never starts with zero, and at most fifteen digits (ITU-T E.164 §6).
var dialable = regexp.MustCompile(`^\+[1-9][0-9]{5,14}$`)

func phoneType(t phonenumbers.PhoneNumberType) securityinfo.PhoneType {
	switch t {
	case phonenumbers.MOBILE:
		return securityinfo.Mobile
	case phonenumbers.FIXED_LINE:
		return securityinfo.FixedLine
	case phonenumbers.FIXED_LINE_OR_MOBILE:
		return securityinfo.FixedLineOrMobile
	case phonenumbers.TOLL_FREE:
		return securityinfo.TollFree
	case phonenumbers.PREMIUM_RATE:
		return securityinfo.PremiumRate
	case phonenumbers.SHARED_COST:
		return securityinfo.SharedCost
	case phonenumbers.VOIP:
		return securityinfo.VoIP
	case phonenumbers.PERSONAL_NUMBER:
		return securityinfo.PersonalNumber
	case phonenumbers.PAGER:
		return securityinfo.Pager
	case phonenumbers.UAN:
		return securityinfo.CompanyNumber
	case phonenumbers.VOICEMAIL:
		return securityinfo.Voicemail
	default:
		return securityinfo.UnknownType
	}
}

func hasNumberingPlan(country string) bool { return phonenumbers.GetSupportedRegions()[country] }
