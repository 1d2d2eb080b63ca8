package notify

import (
	"context"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"konto/domain"
)

// recipient is where a message goes, or why it goes nowhere.
type recipient struct {
	name      string
	locale    string
	addresses []string // as the envelope names them; all belong to one person
	kind      Kind     // with refused
	refused   string
}

// phone is E.164 (ITU-T E.164: at most 15 digits), with RFC 3966's extension.
var phone = regexp.MustCompile(`^\+([1-9][0-9]{6,14})(?:;ext=([0-9]{1,11}))?$`)

// recipient resolves whom m is for. An explicit address is the only recipient
// then; the person still gives the name and the language.
func (n *Notifier) recipient(ctx context.Context, m Message) (recipient, error) {
	var p Person
	if m.To != "" {
		find := n.cfg.Directory.Person
		if tellsLeavers(m.Template) {
			find = n.cfg.Directory.Leaver
		}
		var err error
		if p, err = find(ctx, m.Tenant, m.To); err != nil {
			return recipient{}, fmt.Errorf("look up person %s: %w", m.To, err)
		}
	}
	tenantLocale, err := n.cfg.Directory.TenantLocale(ctx, m.Tenant)
	if err != nil {
		return recipient{}, fmt.Errorf("look up the language of tenant %s: %w", m.Tenant, err)
	}
	to := recipient{name: p.Name, locale: Locale(p.Locale, tenantLocale)}
	var raw []string
	switch {
	case m.Address != "":
		raw = []string{m.Address}
	case m.Channel == domain.Mail:
		raw = without(p.Addresses, m.Without)
	case p.Mobile != "":
		raw = []string{p.Mobile}
	}
	if to = n.address(to, m.Channel, raw); to.refused != "" || len(m.Besides) == 0 {
		return to, nil
	}
	return n.apart(ctx, m, to)
}

// without returns addresses, which stay as they are, less one. Letter case is
// the only difference there can be between two readings of an address.
func without(addresses []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return strings.EqualFold(a, one) })
}

// apart leaves out of to the addresses of those who get the same mail. Each of
// them has one, so nobody reads it twice, and nobody misses it.
func (n *Notifier) apart(ctx context.Context, m Message, to recipient) (recipient, error) {
	told := map[string]bool{}
	for _, id := range m.Besides {
		p, err := n.cfg.Directory.Person(ctx, m.Tenant, id)
		if err != nil {
			return recipient{}, fmt.Errorf("look up person %s: %w", id, err)
		}
		for _, a := range p.Addresses {
			told[strings.ToLower(a)] = true
		}
	}
	to.addresses = slices.DeleteFunc(to.addresses, func(a string) bool { return told[strings.ToLower(a)] })
	if len(to.addresses) == 0 {
		to.kind, to.refused = Suppressed, ReasonToldBeside
	}
	return to, nil
}

// address turns what a person is reached at into envelope addresses.
func (n *Notifier) address(to recipient, c domain.Channel, raw []string) recipient {
	gateway := ""
	switch c {
	case domain.Mail:
	case domain.SMS:
		gateway = n.cfg.SMSDomain
	case domain.Voice:
		gateway = n.cfg.VoiceDomain
	}
	if gateway == "" && c != domain.Mail {
		to.kind, to.refused = Suppressed, ReasonNoChannel
		return to
	}
	if len(raw) == 0 {
		to.kind, to.refused = Suppressed, ReasonNoAddress
		return to
	}
	seen := map[string]bool{}
	for _, r := range raw {
		a, ok := envelope(r, gateway)
		if ok && !seen[strings.ToLower(a)] {
			seen[strings.ToLower(a)] = true
			to.addresses = append(to.addresses, a)
		}
	}
	if len(to.addresses) == 0 {
		to.kind, to.refused = Failed, ReasonBadAddress
	}
	return to
}

// envelope returns raw as an address that SMTP can carry: a bare mail address,
// or a phone number at the gateway.
func envelope(raw, gateway string) (string, bool) {
	if gateway == "" {
		a, err := mail.ParseAddress(raw)
		if err != nil || a.Address != raw || strings.ContainsAny(raw, "\r\n \t") {
			return "", false
		}
		return a.Address, true
	}
	number := phone.FindStringSubmatch(raw)
	switch {
	case number == nil:
		return "", false
	case number[2] != "":
		return number[1] + "x" + number[2] + "@" + gateway, true
	}
	return number[1] + "@" + gateway, true
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
