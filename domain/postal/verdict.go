package postal

import "konto/domain"

// Verdict is the fact of what a library says of an address. Its key is
// [Address.Key].
type Verdict struct {
	Grade    Grade
	Problems []Problem // why it cannot be kept; none if it can
	Required []Field   // that the country's addresses must have
	Unused   []Field   // that the country's addresses do not have
	// Suggestions are better spellings of the whole address, at most three,
	// the best first. None of them is the address itself.
	Suggestions []Address
	Library     string // whose tables answered, such as "bojanz/address"
	DataVersion string // of these tables
}

// Grade is how far an address was checked (rule A2).
type Grade string

// The grades, from the least to the best.
const (
	// Unchecked says that nothing is known of the country's addresses but that
	// there is such a country.
	Unchecked Grade = "unchecked"
	// FormatOK says that every field is as the country writes it.
	FormatOK Grade = "format-ok"
	// RegionConsistent says in addition that there is such a state, and that
	// the postal code, if the tables know where it is, lies in it.
	RegionConsistent Grade = "region-consistent"
	// Deliverable says that somebody outside found the very address. No table
	// here does.
	Deliverable Grade = "deliverable"
)

// Grades returns all grades, from the least to the best.
func Grades() []Grade { return []Grade{Unchecked, FormatOK, RegionConsistent, Deliverable} }

// Problem is what is wrong with a field.
type Problem struct {
	Field Field
	Fault Fault
}

// Fault is a kind of mistake.
type Fault string

// The faults.
const (
	Missing    Fault = "missing"    // the country's addresses must have it
	Surplus    Fault = "surplus"    // the country's addresses do not have it
	Malformed  Fault = "malformed"  // it is not as the country writes it
	Unknown    Fault = "unknown"    // there is no such one
	Elsewhere  Fault = "elsewhere"  // it is a postal code of another state
	Unreadable Fault = "unreadable" // it is not one line of text
)

// says tells what a fault means, without repeating the value.
func (f Fault) says() string {
	switch f {
	case Missing:
		return "an address in this country must have it"
	case Surplus:
		return "addresses in this country have none"
	case Malformed:
		return "it is not written as in this country"
	case Unknown:
		return "there is none of that name or code"
	case Elsewhere:
		return "it lies in another state"
	case Unreadable:
	}
	return "it must be one line of at most 200 letters without control characters and invisible ones"
}

// Checked is what an event keeps of a verdict: how far the address was
// checked, by which tables, and whether the caller insisted on a spelling for
// which they knew a better one. The suggestions are not kept, since the same
// tables make the same ones of the same address. Nor is what somebody typed
// who took one of them: nothing here changes an address, so it was refused,
// and what was refused is kept nowhere (see package rejection).
type Checked struct {
	Grade       Grade  `json:"grade,omitzero"`
	DataVersion string `json:"dataVersion,omitzero"`
	Confirmed   bool   `json:"confirmed,omitzero"`
}

// IsZero reports whether nothing was checked, as in events older than the check.
func (c Checked) IsZero() bool { return c == Checked{} }

// Correction is a suggestion as a refusal shows it: the fields to change and
// what to, empty to leave one out. It never names a street or a person.
type Correction map[Field]string

func (v Verdict) corrections(a Address) []Correction {
	var all []Correction
	for _, s := range v.Suggestions[:min(3, len(v.Suggestions))] {
		c := Correction{}
		for _, f := range s.Differs(a) {
			c[f] = s.Get(f)
		}
		all = append(all, c)
	}
	return all
}

func verdict(m domain.Meta, a Address) Verdict { return domain.Fact[Verdict](m, a.Key()) }
