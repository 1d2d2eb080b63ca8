package notify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"konto/domain"
)

// page is what the layouts lay out: one message, in words, without markup.
// Both layouts show the same page, so the two parts of a mail say the same.
type page struct {
	Lang, Product string
	Subject       string
	Greeting      string
	Heading       string
	Lead          []string // what happened and what to do
	Code          string
	Facts         []fact
	ListTitle     string
	Ordered       bool
	List          []item
	Action        action
	CopyLink      string // introduces the action's address, for those who cannot press it
	NoticeTitle   string
	Notice        []string // what to do if this was not you
	Footer        string
	SMS, Voice    string
}

type (
	fact struct{ Label, Value string }
	item struct {
		Number int // from 1
		Text   string
		Start  string // marks where to begin; empty on the others
	}
	action struct{ Label, URL string }
)

// writer fills a page. The first string that cannot be written is remembered
// in err, so that templates read as what they say.
type writer struct {
	r *Renderer
	request
	style style
	err   error
}

type values = map[string]any

// t returns the string for key.
func (w *writer) t(key string, v values) string {
	all := values{"Product": w.r.cfg.Product}
	maps.Copy(all, v)
	s, err := w.r.catalog.text(w.locale, key, all)
	if err != nil && w.err == nil {
		w.err = err
	}
	return s
}

// frame returns a page with what every message has.
func (w *writer) frame() page {
	p := page{
		Lang: w.locale, Product: w.r.cfg.Product,
		Greeting: w.t("common.greeting", nil),
		CopyLink: w.t("common.copy_link", nil),
		Footer:   w.t("common.footer", nil),
	}
	if name := strings.Join(strings.Fields(w.name), " "); name != "" {
		p.Greeting = w.t("common.greeting_name", values{"Name": name})
	}
	return p
}

// role returns the name of a role, which comes from its code.
func (w *writer) role(r domain.Role) string { return w.t("role."+string(r), nil) }

// anyRole names roles of which one is enough, as a part of a sentence.
func (w *writer) anyRole(roles []domain.Role) string {
	var names []string
	for _, r := range roles {
		names = append(names, w.role(r))
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return w.t("common.any_of", values{"List": strings.Join(names[:last], ", "), "Last": names[last]})
}

// securityNotice adds what to do for somebody who did not do this.
func (w *writer) securityNotice(p *page, key string) {
	p.NoticeTitle = w.t("common.not_you", nil)
	p.Notice = []string{w.t(key, values{"GlobalAdmin": w.role(domain.GlobalAdmin)})}
}

// notExpected adds what to do for somebody who did not expect what the message
// tells of, which others are free to do.
func (w *writer) notExpected(p *page, key string) {
	w.securityNotice(p, key)
	p.NoticeTitle = w.t("common.not_expected", nil)
}

// head fills what every message has: the strings subject, heading (the subject,
// if there is none) and sms of a template.
func (w *writer) head(p *page, template string, v values) {
	p.Subject = w.t(template+".subject", v)
	p.Heading = p.Subject
	if key := template + ".heading"; w.r.catalog.has(w.locale, key) {
		p.Heading = w.t(key, v)
	}
	p.SMS = w.t(template+".sms", v)
}

// act sets the page that the message leads to.
func (w *writer) act(p *page, label, pattern, id string) {
	p.Action = action{w.t(label, nil), w.r.link(pattern, id)}
}

// card names a card by what may be shown of it.
func (w *writer) card(c cardData) string {
	brand := c.Brand
	if brand == "" {
		brand = "card"
	}
	if key := "brand." + strings.ToLower(brand); w.r.catalog.has(w.locale, key) {
		brand = w.t(key, nil)
	}
	v := values{"Brand": brand, "Last4": c.Last4}
	if c.ExpYear == 0 {
		return w.t("common.card", v)
	}
	v["Expiry"] = expiry(c)
	return w.t("common.card_expiry", v)
}

// expiry writes an expiry date as it is printed on a card.
func expiry(c cardData) string {
	return fmt.Sprintf("%02d/%02d", c.ExpMonth, c.ExpYear%100)
}

// add appends a fact unless it is empty. What has a name is called by it, and
// its ID follows.
func (w *writer) add(p *page, key, value string) {
	if name := w.called[value]; name != "" {
		value = name + " (" + value + ")"
	}
	if value != "" {
		p.Facts = append(p.Facts, fact{w.t("fact."+key, nil), value})
	}
}

// addTime appends a moment as a fact, unless it is zero.
func (w *writer) addTime(p *page, key string, t time.Time) {
	if !t.IsZero() {
		w.add(p, key, w.style.moment(t))
	}
}

// addDay appends a day as a fact, unless it is zero.
func (w *writer) addDay(p *page, key string, t time.Time) {
	if !t.IsZero() {
		w.add(p, key, w.style.day(t))
	}
}

// addAmount appends an amount as a fact.
func (w *writer) addAmount(p *page, key string, minor int64, currency string) error {
	amount, err := w.style.amount(minor, currency)
	if err != nil {
		return err
	}
	w.add(p, key, amount)
	return nil
}

// list sets the page's list, unless it is empty.
func (w *writer) list(p *page, title string, texts ...string) {
	if len(texts) == 0 {
		return
	}
	p.ListTitle = title
	for i, t := range texts {
		p.List = append(p.List, item{Number: i + 1, Text: t})
	}
}

// choice returns key.value, or an error if no template says that value.
func (w *writer) choice(key, value string) (string, error) {
	full := key + "." + value
	if value == "" || strings.Contains(value, ".") || !w.r.catalog.has(w.locale, full) {
		return "", fmt.Errorf("template data: nothing to say about %s %q", key, value)
	}
	return full, nil
}

// spoken spells a code for a call.
func spoken(code string) string { return strings.Join(strings.Split(code, ""), ", ") }

// names returns what values are called, in the order given, each once: the
// strings of key, or key.other for what is newer than they are. A value may be
// a path, of which the last part counts.
func (w *writer) names(key string, values []string) []string {
	var out []string
	for _, v := range values {
		full := key + "." + v[strings.LastIndexAny(v, "./")+1:]
		if !w.r.catalog.has(w.locale, full) {
			full = key + ".other"
		}
		if name := w.t(full, nil); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// changed lists the names of what was changed, if there is any.
func (w *writer) changed(p *page, labels []string) {
	w.list(p, w.t("common.changed", values{"Count": len(labels)}), labels...)
}

func ordinal(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}
