package place

import (
	"regexp"
	"slices"
	"strings"

	"konto/domain"
	"konto/domain/postal"
)

// check is one look at an address.
type check struct {
	format
	verdict *postal.Verdict
	typed   postal.Address
	better  postal.Address // as it would better be written
	region  string         // the code of the state, if it is a known one
	others  []string       // states in which the postal code does lie, if not in this one
}

func (c *check) run() {
	for _, f := range c.required {
		if domain.Blank(c.typed.Get(f)) {
			c.fault(f, postal.Missing)
		}
	}
	c.tidy()
	c.checkState()
	c.checkPostalCode()
	c.checkBoth()
	c.suggest()
}

func (c *check) fault(f postal.Field, fault postal.Fault) {
	c.verdict.Problems = append(c.verdict.Problems, postal.Problem{Field: f, Fault: fault})
	c.verdict.Grade = postal.Unchecked
}

// tidy takes away spaces that nobody sees. How a street or a city is written
// is not for a table to say.
func (c *check) tidy() {
	for _, f := range []postal.Field{postal.State, postal.PostalCode} {
		c.better = c.better.With(f, strings.Join(strings.Fields(c.typed.Get(f)), " "))
	}
}

// checkState knows a state by its code and by its names. Where addresses show
// the code, that is the better spelling. One that is not on a country's list
// is a mistake where addresses must have one; elsewhere people write what the
// list does not know.
func (c *check) checkState() {
	state := c.better.State
	if state == "" || len(c.codes) == 0 {
		return
	}
	code, ok := c.codes[fold(state)]
	if !ok {
		if slices.Contains(c.required, postal.State) {
			c.fault(postal.State, postal.Unknown)
		}
		return
	}
	c.region = code
	if c.ShowRegionID || strings.EqualFold(state, code) {
		c.better.State = code
	}
}

// checkPostalCode refuses a code that no spelling makes one of the country's.
func (c *check) checkPostalCode() {
	code := c.better.PostalCode
	switch {
	case code == "":
	case slices.Contains(c.unused, postal.PostalCode):
		c.fault(postal.PostalCode, postal.Surplus)
		c.better.PostalCode = ""
	case c.postal == nil:
	default:
		for _, spelling := range spellings(c.better.Country, code) {
			if c.postal.MatchString(spelling) {
				c.better.PostalCode = spelling
				return
			}
		}
		c.fault(postal.PostalCode, postal.Malformed)
	}
}

// spellings returns ways to write a postal code, the likeliest first: as it
// is, without the country before it (as labels have it) or with it, and with
// its only gap elsewhere or nowhere.
func spellings(country, code string) []string {
	code = strings.ToUpper(code)
	all := []string{code}
	bare := code
	for _, mark := range []string{country + "-", country + " ", country} {
		if rest, ok := strings.CutPrefix(code, mark); ok && rest != "" {
			bare = strings.TrimSpace(rest)
			all = append(all, bare)
			break
		}
	}
	const longest = 16 // longer ones are no codes anywhere
	closed := gaps.ReplaceAllString(bare, "")
	if len(closed) > longest {
		return all
	}
	all = append(all, closed, country+"-"+closed) // some countries' codes begin with it
	for _, gap := range []string{" ", "-"} {
		for i := 2; i < len(closed)-1; i++ {
			all = append(all, closed[:i]+gap+closed[i:])
		}
	}
	return all
}

var gaps = regexp.MustCompile(`[ \-]+`)

// checkBoth asks whether the postal code lies in the state.
func (c *check) checkBoth() {
	if len(c.verdict.Problems) > 0 || c.region == "" {
		return
	}
	lies, known := c.zips[c.region]
	code := strings.ToUpper(c.better.PostalCode)
	if known && code != "" && !lies.MatchString(code) {
		c.fault(postal.PostalCode, postal.Elsewhere)
		for _, region := range c.Regions.Keys() {
			if in := c.zips[region]; in != nil && in.MatchString(code) {
				c.others = append(c.others, region)
			}
		}
		return
	}
	if c.known {
		c.verdict.Grade = postal.RegionConsistent
	}
}

// suggest offers the better spelling, in each state that the postal code can
// be of. With something missing there is nothing whole to suggest.
func (c *check) suggest() {
	var all []postal.Address
	if c.others == nil {
		all = []postal.Address{c.better}
	}
	for _, region := range c.others {
		all = append(all, c.better.With(postal.State, region))
	}
	for _, a := range all {
		if a != c.typed && len(c.verdict.Suggestions) < 3 && !c.incomplete() {
			c.verdict.Suggestions = append(c.verdict.Suggestions, a)
		}
	}
}

func (c *check) incomplete() bool {
	return slices.ContainsFunc(c.verdict.Problems, func(p postal.Problem) bool {
		return p.Fault != postal.Surplus && p.Fault != postal.Elsewhere
	})
}
