// Package money knows what is money: which codes of ISO 4217 are those of
// currencies in use, and how many decimals each has.
//
// The list of currencies is x/text's (from Unicode's CLDR), corrected by the
// amendments to ISO 4217 that its release does not hold. The decimals are ISO's
// and not CLDR's, which says how many decimals people write: an amount in minor
// units means what payment networks and gateways mean by it, and to them
// 149.00 COP is 14900, although nobody in Colombia writes the centavos.
//
// Answers are pure functions of the code. A code that is not in use any more
// still has its decimals, so that what was recorded in it stays readable.
package money

import (
	"strings"

	"golang.org/x/text/currency"
)

// Code returns code in upper case, and whether it is the ISO 4217 code of money
// in use: of no withdrawn currency, metal, unit of account or fund, and neither
// the code for tests nor the one for no currency.
func Code(code string) (string, bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if !Shaped(code) || !inUse(code) {
		return "", false
	}
	return code, true
}

// Shaped reports whether code looks like one of ISO 4217's: three capital
// letters.
func Shaped(code string) bool {
	return len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// inUse reports whether code, in upper case, is that of a currency in use.
func inUse(code string) bool {
	switch code {
	// What x/text's CLDR 32 does not know, with the amendment that brought it.
	case "MRU", // 165
		"VES",        // 167
		"UYW",        // 169
		"VED",        // 170
		"SLE",        // 171
		"XCG", "ZWG", // 176 and 177
		"SVC": // in the list of current codes, though CLDR says that the dollar has replaced it
		return true
	// What has been withdrawn since, with the amendment that did it.
	case "MRO", // 165
		"VEF",        // 167
		"HRK",        // 174
		"SLL",        // 175
		"ANG", "CUC", // 176 and 178
		"BGN": // 180
		return false
	}
	for it := currency.Query(); it.Next(); {
		if it.Unit().String() == code {
			return true
		}
	}
	return false
}

// Decimals returns how many decimals the currency has, 0 to 4, by the column
// "minor unit" of ISO 4217's list of current codes: 1 unit is 10 to their power
// of minor units. It is 2 for a code that is not known. code is in upper case.
func Decimals(code string) int {
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF",
		"UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}
