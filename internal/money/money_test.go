package money_test

import (
	"strings"
	"testing"

	"konto/internal/money"
)

func TestCodesOfMoneyInUse(t *testing.T) {
	t.Parallel()
	for code := range strings.FieldsSeq("SEK DKK EUR USD GBP CHF JPY KWD XAF XOF XPF XCD MRU VES VED UYW UYU SLE XCG ZWG BYN STN SVC CUP") {
		if got, ok := money.Code(" " + strings.ToLower(code)); !ok || got != code {
			t.Errorf("Code(%s) = %q, %t, want it", code, got, ok)
		}
	}
	for what, codes := range map[string]string{
		"withdrawn":       "DEM FRF ITL HRK BGN SLL ANG CUC MRO VEF ZWL ZWD BYR LTL USS STD",
		"a metal":         "XAU XAG XPT XPD",
		"a fund":          "BOV CHE CHW CLF COU MXV USN UYI XUA XSU XDR",
		"a bond market's": "XBA XBB XBC XBD",
		"no money":        "XXX XTS ABC XQZ",
		"misshapen":       "S SE SEKK 123 S-K SÉK 752",
	} {
		for _, code := range append(strings.Fields(codes), "") {
			if got, ok := money.Code(code); ok {
				t.Errorf("Code(%s) = %q, want none: it is %s", code, got, what)
			}
		}
	}
}

func TestDecimalsAreISOs(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"SEK": 2, "JPY": 0, "ISK": 0, "UGX": 0, "KWD": 3, "UYW": 4, "XCG": 2, "QQQ": 2,
		// CLDR says none of these, as people write them.
		"COP": 2, "IDR": 2, "ALL": 2, "PKR": 2, "MGA": 2, "IQD": 3,
	} {
		if got := money.Decimals(code); got != want {
			t.Errorf("Decimals(%s) = %d, want %d", code, got, want)
		}
	}
}
