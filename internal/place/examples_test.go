package place_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bojanz/address"

	"konto/domain/postal"
	"konto/internal/place"
)

// examples are postal codes as they are written in their countries today. Those
// that a public table of address formats gives are in testdata/postalcodes.tsv.
var examples = map[string][]string{
	"SE": {"11455", "12345", "10500", "114 55"},
	"DK": {"8660", "1566"},
	"NL": {"1234 AB", "2490 AA"},

	"AC": {"ASCN 1ZZ"}, "AD": {"AD100", "AD501", "AD700"}, "AF": {"1001", "2601", "3801"}, "AI": {"2640", "AI-2640"},
	"AL": {"1001", "1017", "3501"}, "AM": {"375010", "0002", "0010"}, "AR": {"C1070AAM", "C1000WAM", "X5187XAB", "5187"},
	"AS": {"96799"}, "AT": {"1010", "3741"}, "AU": {"2060", "3171", "6430", "4000", "3001"}, "AX": {"22150", "22550"},
	"AZ": {"1000"}, "BA": {"71000"}, "BB": {"BB23026", "BB22025"}, "BD": {"1340", "1000"}, "BE": {"4000", "1000"},
	"BG": {"1000", "1700"}, "BH": {"317", "1203"}, "BL": {"97100"}, "BM": {"FL 07", "HM GX", "HM 12"},
	"BN": {"BT2328", "KA1131", "BA1511"}, "BR": {"40301-110", "70002-900"}, "BT": {"11001", "31101", "35003"},
	"BY": {"223016", "225860", "220050"}, "CA": {"H3Z 2Y7", "V8X 3X4", "T0L 1K0", "T0H 1A0", "K1A 0B1"}, "CC": {"6799"},
	"CH": {"2544", "1211", "3030"}, "CL": {"8340457", "8720019", "1230000"}, "CN": {"266033", "317204", "100096", "100808"},
	"CO": {"111221", "130001", "760011"}, "CR": {"1000", "2010", "1001"}, "CU": {"10700"}, "CV": {"7600"}, "CX": {"6798"},
	"CY": {"2008", "3304", "1900"}, "CZ": {"100 00", "251 66", "530 87", "110 00"}, "DE": {"26133", "53225"},
	"DO": {"11903", "10101"}, "DZ": {"40304", "16027"}, "EC": {"090105", "092301"}, "EE": {"69501", "11212"},
	"EG": {"12411", "11599"}, "EH": {"70000", "72000"}, "ES": {"28039", "28300", "28070"}, "ET": {"1000"},
	"FI": {"00550", "00011"}, "FK": {"FIQQ 1ZZ"}, "FM": {"96941", "96944"}, "FO": {"100"}, "FR": {"33380", "34092", "33506"},
	"GB": {"EC1Y 8SY", "GIR 0AA", "M2 5BQ", "M34 4AB", "CR0 2YR", "DN16 9AA", "W1A 4ZZ", "EC1A 1HQ", "OX14 4PG", "BS18 8HF", "NR25 7HG", "RH6 0NP", "BH23 6AA", "B6 5BA", "SO23 9AP", "PO1 3AX", "BFPO 61"},
	"GE": {"0101"}, "GF": {"97300"}, "GG": {"GY1 1AA", "GY2 2BT"}, "GI": {"GX11 1AA"}, "GL": {"3900", "3950", "3911"},
	"GN": {"001", "200", "100"}, "GP": {"97100"}, "GR": {"151 24", "151 10", "101 88"}, "GS": {"SIQQ 1ZZ"},
	"GT": {"09001", "01501"}, "GU": {"96910", "96931"}, "GW": {"1000", "1011"}, "HM": {"7050"}, "HN": {"31301"},
	"HR": {"10000", "21001", "10002"}, "HT": {"6120", "5310", "6110", "8510"}, "HU": {"1037", "2380", "1540"},
	"ID": {"40115"}, "IE": {"A65 F4E2", "D02 X285", "D6W XY00"}, "IL": {"9614303", "96143"}, "IM": {"IM2 1AA", "IM99 1PS"},
	"IN": {"110034", "110001"}, "IO": {"BBND 1ZZ"}, "IQ": {"31001"}, "IR": {"11936-12345"}, "IS": {"320", "121", "220", "110"},
	"IT": {"00144", "47037", "39049"}, "JE": {"JE1 1AA", "JE2 2BT"}, "JO": {"11937", "11190"}, "JP": {"154-0023", "350-1106", "951-8073", "112-0001", "208-0032", "231-0012"},
	"KE": {"20100", "00100"}, "KG": {"720001"}, "KH": {"12203", "14206", "120101"}, "KR": {"03051"}, "KW": {"54541", "54551", "54404", "13009"},
	"KY": {"KY1-1100", "KY1-1702", "KY2-2101"}, "KZ": {"040900", "050012"}, "LA": {"01160", "01000"}, "LB": {"2038 3054", "1107 2810", "1000"},
	"LI": {"9496", "9491", "9490", "9485"}, "LK": {"20000", "00100"}, "LR": {"1000"}, "LS": {"100"}, "LT": {"04340", "03500"},
	"LU": {"4750", "2998"}, "LV": {"LV-1073", "LV-1000"}, "MA": {"53000", "10000", "20050", "16052"}, "MC": {"98000", "98020", "98011", "98001"},
	"MD": {"2012", "2019"}, "ME": {"81257", "81258", "81217", "84314", "85366"}, "MF": {"97100"}, "MG": {"501", "101"}, "MH": {"96960", "96970"},
	"MK": {"1314", "1321", "1443", "1062"}, "MM": {"11181"}, "MN": {"65030", "65270"}, "MP": {"96950", "96951", "96952"}, "MQ": {"97220"},
	"MT": {"NXR 01", "ZTN 05", "GPO 01", "BZN 1130", "SPB 6031", "VCT 1753"}, "MU": {"42602"}, "MV": {"20026"}, "MX": {"02860", "77520", "06082"},
	"MY": {"43000", "50754", "88990", "50670"}, "MZ": {"1102", "1119", "3212"}, "NA": {"10001", "10017"}, "NC": {"98814", "98800", "98810"},
	"NE": {"8001"}, "NF": {"2899"}, "NG": {"930283", "300001", "931104"}, "NI": {"52000"}, "NO": {"0025", "0107", "6631"}, "NP": {"44601"},
	"NZ": {"6001", "6015", "6332", "8252", "1030"}, "OM": {"133", "112", "111"}, "PE": {"07001", "15072"}, "PF": {"98709"}, "PG": {"111"},
	"PH": {"1008", "1050", "1135", "1207", "2000", "1000"}, "PK": {"44000"}, "PL": {"00-950", "05-470", "48-300", "32-015", "00-940"}, "PM": {"97500"},
	"PN": {"PCRN 1ZZ"}, "PR": {"00930"}, "PT": {"2725-079", "1250-096", "1201-950", "2860-571", "1208-148"}, "PW": {"96940"}, "PY": {"1536", "1538", "1209"},
	"RE": {"97400"}, "RO": {"060274", "061357", "200716"}, "RS": {"106314", "11000"}, "RU": {"247112", "103375", "188300", "190000"},
	"SA": {"11564", "11187", "11142"}, "SD": {"11042", "11113"}, "SG": {"546080", "308125", "408600"}, "SH": {"STHL 1ZZ"}, "SI": {"4000", "1001", "2500"},
	"SJ": {"9170"}, "SK": {"010 01", "023 14", "972 48", "921 01", "975 99"}, "SM": {"47890", "47891", "47895", "47899"}, "SN": {"12500", "46024", "16556", "10000"},
	"SO": {"JH 09010", "AD 11010"}, "SV": {"CP 1101"}, "SZ": {"H100"}, "TA": {"TDCU 1ZZ"}, "TC": {"TKCA 1ZZ"}, "TH": {"10150", "10210"},
	"TJ": {"735450", "734025"}, "TM": {"744000"}, "TN": {"1002", "8129", "3100", "1030"}, "TR": {"01960", "06101"}, "TW": {"104", "106", "10603", "40867"},
	"TZ": {"6090", "34413"}, "UA": {"15432", "01055", "01001"}, "UM": {"96898"}, "US": {"95014", "22162-1010"}, "UY": {"11600"}, "UZ": {"702100", "700000"},
	"VA": {"00120"}, "VC": {"VC0100", "VC0110", "VC0400"}, "VE": {"1010", "3001", "8011", "1020"}, "VG": {"VG1110", "VG1150", "VG1160"},
	"VI": {"00802-1222", "00850-9802"}, "VN": {"70010", "55999"}, "WF": {"98600"}, "XK": {"10000"}, "YT": {"97600"}, "ZA": {"0083", "1451", "0001"}, "ZM": {"50100", "50101"},
}

// state is where an example lies, for countries whose addresses say that.
func state(country, code string) string {
	switch country {
	case "US":
		return map[byte]string{'9': "CA", '2': "VA"}[code[0]]
	case "CA":
		return map[byte]string{'H': "QC", 'V': "BC", 'T': "AB", 'K': "ON"}[code[0]]
	case "AU":
		return map[byte]string{'2': "NSW", '3': "VIC", '4': "QLD", '6': "WA"}[code[0]]
	case "ES":
		return "M"
	}
	if f := address.GetFormat(country); f.IsRequired(address.FieldRegion) {
		if f.Regions.Len() > 0 {
			return f.Regions.Keys()[0]
		}
		return "Region"
	}
	return ""
}

func TestExamplesPass(t *testing.T) {
	t.Parallel()
	book, n := place.NewBook(), 0
	for country, codes := range examples {
		for _, code := range codes {
			a := in(country, state(country, code), "City", code)
			v := book.Verdict(a)
			if v.Grade == postal.Unchecked || inShort(a, v) != "" {
				t.Errorf("Verdict(%s %s) = %s, %q, want neither problems nor suggestions", country, code, v.Grade, inShort(a, v))
			}
			n++
		}
	}
	if len(examples) < 150 {
		t.Errorf("examples of %d countries, want at least 150", len(examples))
	}
	t.Logf("%d postal codes of %d countries are accepted", n, len(examples))
}

// A code of one country is refused in each country that writes none like it.
func TestSwapsAreRefused(t *testing.T) {
	t.Parallel()
	book := place.NewBook()
	refused, alike := 0, 0
	for country := range examples {
		pattern := regexp.MustCompile("^(?:" + address.GetFormat(country).PostalCodePattern + ")$")
		for from, codes := range examples {
			code := codes[0]
			v := book.Verdict(in(country, state(country, examples[country][0]), "City", code))
			bad := slices.ContainsFunc(v.Problems, func(p postal.Problem) bool { return p.Field == postal.PostalCode })
			written := code
			if len(v.Suggestions) > 0 && !bad {
				written = v.Suggestions[0].PostalCode
			}
			elsewhere := slices.Contains(v.Problems, postal.Problem{Field: postal.PostalCode, Fault: postal.Elsewhere})
			switch {
			case bad && !elsewhere && pattern.MatchString(code):
				t.Errorf("%s refuses %s's %s, which is one of its own", country, from, code)
			case !bad && !pattern.MatchString(written):
				t.Errorf("%s accepts %s's %s as %s, which is none of its own", country, from, code, written)
			case !bad && strings.TrimPrefix(bare(written), country) != strings.TrimPrefix(bare(code), country):
				t.Errorf("%s reads %s's %s as %s, which is another code", country, from, code, written)
			}
			if bad {
				refused++
			} else {
				alike++
			}
		}
	}
	if refused < alike {
		t.Errorf("%d swaps refused and %d accepted, want most of them refused", refused, alike)
	}
	t.Logf("%d swaps are refused, %d are of countries with codes of one form", refused, alike)
}

func bare(code string) string { return strings.NewReplacer(" ", "", "-", "").Replace(code) }

// Swaps that no table needs to say anything about.
func TestKnownSwaps(t *testing.T) {
	t.Parallel()
	book := place.NewBook()
	for _, test := range []struct{ country, code string }{
		{"SE", "8660"},
		{"SE", "2490 AA"},
		{"SE", "EC1Y 8SY"},
		{"SE", "H3Z 2Y7"},
		{"SE", "154-0023"},
		{"DK", "11455"},
		{"DK", "1234 AB"},
		{"DK", "M2 5BQ"},
		{"DK", "070"},
		{"NL", "8660"},
		{"NL", "114 55"},
		{"NL", "53225"},
		{"DE", "8660"},
		{"DE", "2490 AA"},
		{"GB", "11455"},
		{"GB", "K1A 0B1"},
		{"CA", "90210"},
		{"CA", "EC1Y 8SY"},
		{"US", "1234"},
		{"US", "K1A 0B1"},
		{"FR", "1010"},
		{"FI", "8660"},
		{"NO", "00550"},
		{"PL", "1234"},
		{"PT", "28039"},
		{"JP", "11455"},
		{"IN", "11455"},
		{"IE", "11455"},
		{"LV", "11455"},
		{"AD", "08001"},
		{"BB", "23026"},
	} {
		v := book.Verdict(in(test.country, state(test.country, examples[test.country][0]), "City", test.code))
		if !slices.ContainsFunc(v.Problems, func(p postal.Problem) bool { return p.Field == postal.PostalCode }) {
			t.Errorf("%s accepts %s", test.country, test.code)
		}
	}
}
