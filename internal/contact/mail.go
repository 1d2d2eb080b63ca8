package contact

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Address is what the rules of mail addresses say of an input.
type Address struct {
	OK         bool
	Normalized string // the local part as written, the domain as A-label
	Domain     string // A-label
	Reason     string // for people, if not OK; does not repeat the input
}

// What can be wrong with an address or a domain. None repeats the input.
var (
	errTooLong     = errors.New("longer than a mail server takes")
	errNotText     = errors.New("not valid text")
	errNoAt        = errors.New("not of the form name@domain")
	errLocalPart   = errors.New("the part before the @ has characters, spaces or dots where none may be")
	errDomainForm  = errors.New("the domain is not a valid internet name")
	errDomainLabel = errors.New("the domain has no dot, or only digits after its last one")
)

// Lengths that mail servers take, in bytes (RFC 5321 §4.5.3.1, RFC 3696
// erratum 1690).
const (
	maxAddress = 254
	maxLocal   = 64
)

// dotAtom is an unquoted local part (RFC 5322 §3.2.3) with the characters
// beyond ASCII that RFC 6531 §3.3 adds. Which of those are safe to show and
// compare is PRECIS's to say.
var dotAtom = regexp.MustCompile("^(?:[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]|[^\\x00-\\x7f])+(?:\\.(?:[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]|[^\\x00-\\x7f])+)*$")

// Mail returns what the rules of mail addresses say of raw: white space around
// it is dropped, compatibility forms are unified (NFKC), the domain becomes an
// A-label in lower case, and the local part keeps its letter case and its
// "+tag". Quoted local parts and address literals are refused, since people
// have none.
func Mail(raw string) Address {
	normalized, domainName, err := mail(raw)
	if err != nil {
		return Address{Reason: err.Error()}
	}
	return Address{OK: true, Normalized: normalized, Domain: domainName}
}

func mail(raw string) (normalized, domainName string, err error) {
	switch {
	case len(raw) > 4*maxAddress:
		return "", "", errTooLong
	case !utf8.ValidString(raw):
		return "", "", errNotText
	}
	local, host, ok := strings.Cut(norm.NFKC.String(strings.TrimSpace(raw)), "@")
	if !ok || local == "" || host == "" || strings.Contains(host, "@") {
		return "", "", errNoAt
	}
	if !dotAtom.MatchString(local) {
		return "", "", errLocalPart
	}
	// The profile refuses control and invisible characters, symbols, and text
	// that mixes directions (RFC 8265 §3.4, RFC 5893).
	if local, err = precis.UsernameCasePreserved.String(local); err != nil {
		return "", "", errLocalPart
	}
	if domainName, err = Domain(host); err != nil {
		return "", "", err
	}
	normalized = local + "@" + domainName
	if len(local) > maxLocal || len(normalized) > maxAddress {
		return "", "", errTooLong
	}
	return normalized, domainName, nil
}

// lookup is IDNA2008 as UTS #46 applies it to names that people type.
var lookup = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.ValidateLabels(true),
	idna.CheckHyphens(true), idna.CheckJoiners(true), idna.StrictDomainName(true), idna.VerifyDNSLength(true),
)

// Domain returns the A-label of an internet name of two labels or more, in
// lower case and without a final dot. Its errors do not repeat the input.
func Domain(name string) (string, error) {
	const longest = 253 // RFC 1035 §2.3.4, in the form that people write
	if len(name) > 4*longest || !utf8.ValidString(name) {
		return "", errDomainForm
	}
	name = strings.TrimSuffix(norm.NFKC.String(strings.TrimSpace(name)), ".")
	ascii, err := lookup.ToASCII(name)
	if err != nil || ascii == "" || strings.HasSuffix(ascii, ".") {
		return "", errDomainForm
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", errDomainLabel
	}
	// UTS #46 lets symbols through that IDNA2008 forbids (RFC 5892 §2);
	// PRECIS derives its letters and digits in the same way.
	shown, err := lookup.ToUnicode(ascii)
	if err != nil {
		return "", errDomainForm
	}
	for label := range strings.SplitSeq(shown, ".") {
		if _, err := precis.UsernameCasePreserved.String(label); err != nil {
			return "", errDomainForm
		}
	}
	return ascii, nil
}
