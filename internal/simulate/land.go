package simulate

import (
	"fmt"
	"math/rand/v2"
)

// land is what companies of a country are made of.
type land struct {
	country, locale, currency string
	given, family             []string
	company                   []string
	trades                    []string // what companies do, as it stands in their names
	legal                     string
	streets                   []string
	places                    []place
	phone                     func(n int) string // mobile, as people there write it
}

type place struct{ city, postalCode string }

func lands() []land {
	return []land{
		{
			country: "SE", locale: "sv-SE", currency: "SEK", legal: "AB",
			given:   []string{"Anna", "Lars", "Karin", "Erik", "Ingrid", "Nils", "Elsa", "Olof", "Maja", "Sven"},
			family:  []string{"Lindqvist", "Bergström", "Åkesson", "Öberg", "Nyström", "Ek", "Hellgren", "Sjöberg"},
			company: []string{"Björkskog", "Havsvik", "Fjällripa", "Tallbacken", "Norrljus"},
			trades:  []string{"Bygg", "Måleri", "Redovisning", "Åkeri", "Snickeri", "Elteknik", "Bageri"},
			streets: []string{"Storgatan", "Kungsgatan", "Skolgatan", "Ängsvägen"},
			places:  []place{{"Umeå", "903 26"}, {"Malmö", "211 20"}, {"Uppsala", "753 20"}, {"Göteborg", "411 04"}},
			phone:   func(n int) string { return fmt.Sprintf("070-174 06 %02d", 5+n%95) },
		},
		{
			country: "DK", locale: "da-DK", currency: "DKK", legal: "ApS",
			given:   []string{"Mikkel", "Freja", "Søren", "Ida", "Jens", "Karen", "Bo", "Signe"},
			family:  []string{"Sørensen", "Holm", "Friis", "Kjær", "Nygaard", "Østergaard"},
			company: []string{"Klitgården", "Sundbro", "Lyngvig", "Bøgelund"},
			trades:  []string{"Byg", "Malerfirma", "Regnskab", "Transport", "Tømrerfirma", "Elteknik", "Bageri"},
			streets: []string{"Nørregade", "Havnegade", "Skovvej", "Østergade"},
			places:  []place{{"Aarhus C", "8000"}, {"Odense C", "5000"}, {"Skanderborg", "8660"}, {"København V", "1566"}},
			phone:   func(n int) string { return fmt.Sprintf("34 41 23 %02d", n%100) },
		},
		{
			country: "NL", locale: "nl-NL", currency: "EUR", legal: "B.V.",
			given:   []string{"Eva", "Daan", "Sanne", "Bram", "Femke", "Joost", "Lotte", "Thijs"},
			family:  []string{"Jansen", "de Vries", "van den Berg", "Bakker", "Visser", "Mulder"},
			company: []string{"Duinzicht", "Waterlinie", "Molenhof", "Veenkade"},
			trades:  []string{"Bouw", "Schilders", "Administratie", "Transport", "Timmerwerken", "Elektrotechniek", "Bakkerij"},
			streets: []string{"Dorpsstraat", "Kerklaan", "Stationsweg", "Havenkade"},
			places:  []place{{"Den Haag", "2490 AA"}, {"Amsterdam", "1012 JS"}, {"Utrecht", "3511 LN"}},
			phone:   func(n int) string { return fmt.Sprintf("06 123456 %02d", n%100) },
		},
	}
}

// called is what a company is called that does the nth trade.
func (l land) called(name string, n int) string {
	return name + " " + l.trades[n%len(l.trades)] + " " + l.legal
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// declines are why charges fail, in the proportions of everyday life: money
// first, then banks that say nothing, then what has to be corrected.
var declines = []struct {
	code   string
	weight int
}{
	{"insufficient_funds", 40},
	{"generic_decline", 14},
	{"do_not_honor", 12},
	{"expired_card", 8},
	{"card_velocity_exceeded", 4},
	{"try_again_later", 4},
	{"issuer_not_available", 3},
	{"authentication_required", 3},
	{"incorrect_zip", 2},
	{"processing_error", 2},
	{"lost_card", 2},
	{"stolen_card", 1},
	{"card_not_supported", 1},
	{"revocation_of_authorization", 1},
	{"fraudulent", 1},
}

func declineCode(rng *rand.Rand) string {
	sum := 0
	for _, d := range declines {
		sum += d.weight
	}
	n := rng.IntN(sum)
	for _, d := range declines {
		if n -= d.weight; n < 0 {
			return d.code
		}
	}
	return declines[0].code
}
