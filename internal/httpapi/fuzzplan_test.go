package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/policy"
)

// plan is what to send, drawn from bytes: zeros are what the world carries
// out, and each other byte changes one thing about it. When the bytes end,
// zeros follow.
type plan []byte

func (p *plan) next() int {
	if len(*p) == 0 {
		return 0
	}
	b := (*p)[0]
	*p = (*p)[1:]
	return int(b)
}

// pick returns usual for zero, and one of others for any other byte.
func pick[T any](p *plan, usual T, others []T) T {
	n := p.next()
	if n == 0 || len(others) == 0 {
		return usual
	}
	return others[(n-1)%len(others)]
}

// attempt is one command as it is sent.
type attempt struct {
	sample
	as      domain.Actor
	raw     []byte
	ifMatch string // "current" is the tag that there is
	key     string
	dryRun  bool
	lenient bool
}

// most is how many commands follow each other in one plan.
const most = 4

// attempts draws what to send. The bytes of body stand for a body where the
// plan says so.
func (w *world) attempts(p plan, body []byte) []attempt {
	var all []attempt
	for len(all) == 0 || len(p) > 0 && len(all) < most {
		s := w.samples[p.next()%len(w.samples)]
		a := attempt{sample: s, as: w.actor(s.by), ifMatch: "current"}
		a.as = pick(&p, a.as, w.actors)
		a.target = pick(&p, s.target, w.targets[s.category])
		a.at = s.at.Add(pick(&p, 0, waits))
		how := p.next()
		a.ifMatch = []string{"current", "current", "", `"0"`, `"1"`, "x"}[how%8%6]
		a.dryRun, a.lenient = how&8 != 0, how&16 != 0
		if how&32 != 0 {
			a.key = "key"
		}
		if how&192 == 64 {
			a.raw = body
		} else {
			a.raw = w.mutate(&p, s)
		}
		if s.misplaced(a.raw) {
			a.raw = unmark(bytes.Clone(a.raw))
		}
		all = append(all, a)
	}
	return all
}

// waits are what passes between the world's end and a command.
var waits = []time.Duration{
	-time.Minute, time.Minute, 11 * time.Minute, time.Hour, 61 * time.Minute, 25 * time.Hour, 73 * time.Hour,
	8 * 24 * time.Hour, 31 * 24 * time.Hour, 91 * 24 * time.Hour, 181 * 24 * time.Hour, 400 * 24 * time.Hour,
}

// ids are the accounts of each category, and some that are not there.
func (w *world) allTargets() map[string][]string {
	all := map[string][]string{}
	for _, s := range w.samples {
		all[s.category] = append(all[s.category], s.target)
	}
	persons := []string{ann, bert, bea, id(2, 4), paul, eva, per, lea, lou, lena, leo, lars, lisa, pga, psa, oga}
	for category, more := range map[string][]string{
		"admin": persons, "secinfo": persons, "subject": persons, "offboard": persons, "audit": {eva, eve, ann}, "tenant": {home, partner, other},
		"org": {home, partner, other}, "customer": {home, other, id(1, 7), id(1, 8)}, "rel": {rel, asked, second, third},
		"card":       {cardID(1), cardID(2), cardID(3), cardID(4), cardID(5), cardID(6), cardID(7), cardID(8), cardID(22)},
		"billing":    {subID(1), subID(2), subID(3), subID(4), subID(5), subID(6), subID(9), subID(10)},
		"collection": {invID(1), invID(2)}, "invswitch": {caseID(1), caseID(2), caseID(3)},
		"policy": {"dunning", "card-edit", "recovery-codes", "customer-editors", "erasure", "no-such-policy"},
	} {
		all[category] = append(all[category], more...)
	}
	for category, ids := range all {
		slices.Sort(ids)
		all[category] = append(slices.Compact(ids), id(99, 1), "x", "%00", strings.Repeat("a", 300))
	}
	return all
}

// words are values for the fields of bodies, by the fields' names.
func (w *world) allWords() map[string][]any {
	words := map[string][]any{}
	for _, s := range w.samples {
		var body any
		if json.Unmarshal([]byte(s.body), &body) == nil {
			each(body, "", func(name string, v any) {
				if !slices.ContainsFunc(words[name], func(w any) bool { return fmt.Sprint(w) == fmt.Sprint(v) }) {
					words[name] = append(words[name], v)
				}
			})
		}
	}
	slots := []any{"mobile", "alternateMobile", "office", "alternateEmail"}
	roles := make([]any, 0, len(domain.Roles()))
	for _, r := range domain.Roles() {
		roles = append(roles, string(r))
	}
	countries := []any{"SE", "DK", "NL", "US", "GB", "IN", "HU", "KZ", "JP", "IE", "HK", "XX", "se"}
	for name, more := range map[string][]any{
		"slot": slots, "role": roles, "country": countries, "issuerCountry": countries, "state": {"WA", "CA", "Zealand"},
		"scope": {"all", "subscription"}, "outcome": {"succeeded", "declined", "chargeback-opened", "chargeback-won", "chargeback-accepted"},
		"code":   {"insufficient_funds", "stolen_card", "expired_card", "do_not_honor", "authentication_required", "never_heard_of", "000000"},
		"status": {"expiring", "expired", "reported-lost"}, "type": {"reseller", "advisor", "syndication", "support"},
		"expMonth": {1, 12}, "expYear": {2026, 2027, 2045, 2047}, "cvcCheck": {"pass", "fail"}, "number": numbers, "mobile": numbers,
		"alternateMobile": numbers, "office": numbers, "phone": numbers, "email": mails, "alternateEmail": mails, "userName": mails,
		"signInName": mails, "technicalContact": mails, "adviceCode": {"confirm_card_data", "do_not_try_again", "try_again_later"},
		"postalCode": {"90210", "1566", "1234 AB", "SE-903 26"}, "secondPerson": {true}, "confirmAddress": {true}, "brand": {"visa", "amex", "unionpay"},
		"cardId":                         {cardID(1), cardID(2), cardID(3), cardID(4), cardID(5), cardID(6), cardID(7), cardID(8)},
		"organizationRegistrationNumber": {"556012-5790", ""}, "variant": {"worldwide", "germany"}, "kind": {"card", "invoice"},
	} {
		words[name] = append(words[name], more...)
	}
	return words
}

var (
	numbers = []any{
		"", "070-174 06 60", "+46 701740661", "701740662", "+1 5555551234x123", "112", "+45 20 12 34 56", "+46701740663x9", "٠٧٠١٧٤٠٦٦٠", "08-123 456 00",
	}
	mails = []any{
		"", "zqxwvmrk.0@home.example", "Zqxwvmrk.0@HOME.example", "zqxwvmrk.5@privat.example", "zqxwvmrk@bücher.example", "zqxwvmrk+x@privat.example",
		"zqxwvmrk@", "@zqxwvmrk", "zqxwvmrk\u202e@privat.example", "zqxwvmrk@" + strings.Repeat("a", 70) + ".example", "zqxwvmrk@xn--zz.example", "zqxwvmrk.@privat.example",
	}
	// odd are values that no field is for. Those with a mark are for fields
	// that take personal values.
	odd = []any{
		"", " ", "\x00", "zqxwvmrk\x00", "zqxwvmrk\u202e\u2066", strings.Repeat("zqxwvmrk ", 60), "zqxwvmrk\n\tzqxwvmrk", "Zqxwvmrk 070-174 06 65", "<zqxwvmrk>&\"'",
		"4242 4242 4242 4242", "\ufeffzqxwvmrk", "é" + strings.Repeat("\u0301", 40), "' OR 1=1 --", "${jndi:x}", "../../x", "zqxwvmrk@home.example",
		0, -1, 1, 1.5, 13, 1 << 40, json.RawMessage("1e999"), json.RawMessage("-0"), json.RawMessage("9223372036854775808"), json.RawMessage("701740660123456789012"),
		nil, true, false,
		[]any{},
		map[string]any{},
		[]any{nil, "zqxwvmrk", 1},
		[]any{"mobile", "mobile"},
		map[string]any{"$sealed": map[string]any{}},
		map[string]any{"$personal": map[string]any{"subject": "s", "value": "zqxwvmrk"}},
		json.RawMessage(strings.Repeat("[", 40) + strings.Repeat("]", 40)),
		"2027-13-45T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999+14:00", "2026-10-09T09:00:00Z",
	}
)

// personalFields are those whose values are about people in every command. Others
// are so in some, whose samples show it.
var personalFields = []string{
	"signInName", "displayName", "email", "userName", "phone", "technicalContact", "line1", "line2", "city", "postalCode", "dependentLocality",
	"mobile", "alternateMobile", "office", "alternateEmail", "holderName", "firstName", "lastName",
}

// takes reports whether a field of the command takes personal values. What
// Konto itself sends has none.
func (s sample) takes(field string) (personal bool) {
	if s.by == "" {
		return false
	}
	var body any
	if json.Unmarshal([]byte(s.body), &body) == nil {
		each(body, "", func(name string, v any) {
			text, ok := v.(string)
			personal = personal || ok && name == field && tells([]byte(text))
		})
	}
	return personal || slices.Contains(personalFields, field)
}

// allFields are the names of the fields that each command has.
func (w *world) allFields() map[string][]string {
	all := map[string][]string{}
	for _, c := range policy.Contracts {
		for _, info := range c.Commands() {
			for _, f := range reflect.VisibleFields(info.Type) {
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
					all[c.Category()+"/"+info.Name] = append(all[c.Category()+"/"+info.Name], name)
				}
			}
		}
	}
	return all
}

// each calls f with every member in v, inside out, in order.
func each(v any, name string, f func(name string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			each(v[k], k, f)
			f(k, v[k])
		}
	case []any:
		for _, e := range v {
			each(e, name, f)
		}
	}
}

// spot is a member of an object in a body.
type spot struct {
	in   map[string]any
	name string
}

func spots(v any) (all []spot) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(append(all, spot{v, k}), spots(v[k])...)
		}
	case []any:
		for _, e := range v {
			all = append(all, spots(e)...)
		}
	}
	return all
}

// misplaced reports whether a body has personal values in fields that are for
// others, which people may do, and nobody can find out.
func (s sample) misplaced(raw []byte) (wrong bool) {
	var body any
	if !tells(raw) || json.Unmarshal(raw, &body) != nil {
		return false
	}
	each(body, "", func(name string, v any) {
		switch v.(type) {
		case map[string]any, []any:
		default:
			b, err := json.Marshal(v)
			wrong = wrong || err != nil || tells(b) && !s.takes(name)
		}
	})
	return wrong
}

// unmark makes the personal values in a body into others that are not looked for.
func unmark(raw []byte) []byte {
	for _, form := range []string{mark[1:], "701740", "70-174 0", "70 174 0"} {
		raw = bytes.ReplaceAll(raw, []byte(form), bytes.Repeat([]byte("9"), len(form)))
	}
	return raw
}

// mutate changes a body as the plan says, first what it means, then its text.
func (w *world) mutate(p *plan, s sample) []byte {
	n, text := p.next(), []byte(s.body)
	if n == 0 {
		return text
	}
	var body map[string]any
	if json.Unmarshal(text, &body) != nil {
		return text
	}
	for range n % 4 {
		w.change(p, s, body)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return []byte(`{`)
	}
	if n >= 224 {
		text = garble(p, text)
	}
	return text
}

// change changes one member of a body.
func (w *world) change(p *plan, of sample, body map[string]any) {
	all := append(spots(body), spot{body, ""})
	s := all[p.next()%len(all)]
	how, with := p.next(), p.next()
	if s.name == "" { // one more
		names := w.fields[of.name()]
		if how >= 224 || len(names) == 0 {
			names = []string{"zqxwvmrk@home.example", "Zqxwvmrk Ann", "__proto__", "$personal", "cvv", "HOLDERNAME", "unknown", ""}
		}
		s.name = names[how%len(names)]
		how = 0
	}
	fits := w.words[s.name]
	switch {
	case how%8 < 5 && len(fits) > 0:
		s.in[s.name] = of.fit(s.name, fits[with%len(fits)])
	case how%8 == 5:
		delete(s.in, s.name)
	case how%8 == 6 && how >= 128:
		v := s.in[s.name]
		delete(s.in, s.name)
		s.in[strings.ToUpper(s.name)] = v
	default:
		s.in[s.name] = of.fit(s.name, odd[with%len(odd)])
	}
}

// fit returns a copy of v, or nothing if it is personal and the field is for
// other values.
func (s sample) fit(field string, v any) (fits any) {
	b, err := json.Marshal(v)
	if err != nil || tells(b) && !s.takes(field) {
		return nil
	}
	if _, odd := v.(json.RawMessage); odd || json.Unmarshal(b, &fits) != nil {
		return v
	}
	return fits
}

// garble breaks a body's text.
func garble(p *plan, text []byte) []byte {
	how, at, with := p.next(), p.next(), byte(p.next())
	at = at * len(text) / 256
	switch how % 6 {
	case 0:
		return text[:at]
	case 1:
		text[at] = with
		return text
	case 2:
		return slices.Insert(text, at, with)
	case 3: // a name twice
		if first, _, ok := bytes.Cut(text[1:], []byte(",")); ok {
			return slices.Concat([]byte("{"), first, []byte(","), text[1:])
		}
		return append(text, text...)
	case 4:
		return bytes.Replace(text, []byte("Zqx"), []byte("Zqxwvmrk\xff\xfe"), 1)
	default:
		return slices.Delete(text, at, min(at+1+int(with)%8, len(text)))
	}
}
