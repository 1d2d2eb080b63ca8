package notify

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/goodsign/monday"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"konto/internal/money"
)

// style is how a language writes money and moments. Numbers come from x/text;
// where the currency goes is a table of ours, from CLDR's standard currency
// patterns, because x/text puts it in front in every language.
type style struct {
	tag        language.Tag
	months     monday.Locale
	point      string            // between units and decimals
	before     bool              // the currency comes before the number
	symbols    map[string]string // CLDR symbols that need no explanation; else the ISO code
	date, hour string            // layouts
	join       string            // between date and hour
}

const nbsp = "\u00a0"

func styleOf(locale string) style {
	switch locale {
	case "sv":
		return style{
			tag: language.Swedish, point: ",", months: monday.LocaleSvSE,
			symbols: map[string]string{"SEK": "kr", "EUR": "€", "GBP": "£", "USD": "US$"},
			date:    "2 January 2006", hour: "15:04", join: " kl. ",
		}
	case "da":
		return style{
			tag: language.Danish, point: ",", months: monday.LocaleDaDK,
			symbols: map[string]string{"DKK": "kr.", "EUR": "€", "GBP": "£", "USD": "$"},
			date:    "2. January 2006", hour: "15.04", join: " kl. ",
		}
	case "nl":
		return style{
			tag: language.Dutch, point: ",", months: monday.LocaleNlNL, before: true,
			symbols: map[string]string{"EUR": "€", "GBP": "£", "USD": "US$"},
			date:    "2 January 2006", hour: "15:04", join: " om ",
		}
	}
	return style{
		tag: language.English, point: ".", months: monday.LocaleEnGB, before: true,
		symbols: map[string]string{"EUR": "€", "GBP": "£", "USD": "$"},
		date:    "2 January 2006", hour: "15:04", join: " at ",
	}
}

// amount writes minor units of an ISO 4217 currency: 123450 SEK is 1 234,50 kr
// in Swedish and SEK 1,234.50 in English. Spaces in it do not break. Any three
// letters do: an amount in a currency that no list has heard of is no reason to
// leave somebody untold.
func (s style) amount(minor int64, code string) (string, error) {
	code = strings.ToUpper(code)
	switch {
	case !money.Shaped(code):
		return "", fmt.Errorf("currency: %q is no code of three letters", code)
	case minor < 0:
		return "", fmt.Errorf("amount: %d is below zero", minor)
	}
	// The number of decimals is the currency's, not the language's: none in
	// JPY, three in KWD.
	scale := money.Decimals(code)
	whole, rest := minor, ""
	if scale > 0 {
		one := int64(math.Pow10(scale))
		whole, rest = minor/one, fmt.Sprintf("%s%0*d", s.point, scale, minor%one)
	}
	digits := message.NewPrinter(s.tag).Sprint(number.Decimal(whole)) + rest
	symbol, known := s.symbols[code]
	if !known {
		symbol = code
	}
	switch {
	case !s.before:
		return digits + nbsp + symbol, nil
	case known && s.tag == language.English:
		return symbol + digits, nil
	}
	return symbol + nbsp + digits, nil
}

// day writes the date of t in UTC.
func (s style) day(t time.Time) string { return monday.Format(t.UTC(), s.date, s.months) }

// clock writes the time of day of t in UTC, and says that it is UTC.
func (s style) clock(t time.Time) string { return t.UTC().Format(s.hour) + nbsp + "UTC" }

// moment writes date and time of day.
func (s style) moment(t time.Time) string { return s.day(t) + s.join + s.clock(t) }
