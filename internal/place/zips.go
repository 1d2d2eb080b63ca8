package place

// zips says with which digits or letters the postal codes of a state begin,
// by the codes of states that the formats use. It is there for countries that
// deliver by state and whose post publishes the beginnings: the sectional
// centers of the United States (USPS Publication 65), the forward sortation
// areas of Canada (Canada Post, Addressing Guidelines §5), Australia's
// postcode ranges (Australia Post) and Spain's provinces, whose number is the
// code's beginning (Correos).
var zips = map[string]map[string]string{
	"US": {
		"AL": "3[56]", "AK": "99[5-9]", "AS": "96799", "AZ": "8[56]", "AR": "71[6-9]|72|75502",
		"AA": "340", "AE": "09", "AP": "96[2-6]",
		"CA": "9[0-5]|960|961", "CO": "8[01]", "CT": "06", "DE": "19[789]", "DC": "20[02-5]|569",
		"FL": "3[23]|34[1-9]", "GA": "3[01]|398|39901", "GU": "969[123]", "HI": "967|968", "ID": "83[2-8]",
		"IL": "6[012]", "IN": "4[67]", "IA": "5[012]", "KS": "6[67]", "KY": "4[012]", "LA": "70|71[0-5]",
		"ME": "039|04", "MH": "969[67]", "MD": "20[6-9]|21", "MA": "01|02[0-7]|05501|05544", "MI": "4[89]",
		"FM": "9694", "MN": "55|56[0-7]", "MS": "38[6-9]|39[0-7]", "MO": "6[345]", "MT": "59", "NE": "6[89]",
		"NV": "889|89", "NH": "03[0-8]", "NJ": "0[78]", "NM": "87|88[0-4]", "NY": "1[0-4]|06390|00501|00544",
		"NC": "27|28", "ND": "58", "MP": "9695", "OH": "4[345]", "OK": "7[34]", "OR": "97", "PW": "969[34]",
		"PA": "1[5-8]|19[0-6]", "PR": "00[679]", "RI": "02[89]", "SC": "29", "SD": "57", "TN": "37|38[0-5]",
		"TX": "7[5-9]|885|73301|73344", "UT": "84", "VT": "05", "VI": "008", "VA": "201|2[23]|24[0-6]",
		"WA": "98|99[0-4]", "WV": "24[789]|25|26", "WI": "5[34]", "WY": "82|83[01]|83414",
	},
	"CA": {
		"AB": "T", "BC": "V", "MB": "R", "NB": "E", "NL": "A", "NT": "X", "NS": "B", "NU": "X", "ON": "[KLMNP]",
		"PE": "C", "QC": "[GHJ]|K1A", "SK": "S|R8A", "YT": "Y",
	},
	"AU": {
		"ACT": "29|2540|260|261[0-8]|02|2620", "NSW": "1|2[0-57-8]|26[2-9]|261[189]|3500|358[56]|3644|3707",
		"NT": "0[89]", "QLD": "[49]", "SA": "5|0872", "TAS": "7", "VIC": "[38]", "WA": "6|0872",
	},
	"ES": {
		"VI": "01", "AB": "02", "A": "03", "AL": "04", "AV": "05", "BA": "06", "PM": "07", "B": "08", "BU": "09",
		"CC": "10", "CA": "11", "CS": "12", "CR": "13", "CO": "14", "C": "15", "CU": "16", "GI": "17", "GR": "18",
		"GU": "19", "SS": "20", "H": "21", "HU": "22", "J": "23", "LE": "24", "L": "25", "LO": "26", "LU": "27",
		"M": "28", "MA": "29", "MU": "30", "NA": "31", "OR": "32", "O": "33", "P": "34", "GC": "35", "PO": "36",
		"SA": "37", "TF": "38", "S": "39", "SG": "40", "SE": "41", "SO": "42", "T": "43", "TE": "44", "TO": "45",
		"V": "46", "VA": "47", "BI": "48", "ZA": "49", "Z": "50", "CE": "51", "ML": "52",
	},
}
