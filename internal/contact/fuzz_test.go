package contact_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"konto/internal/contact"
)

// FuzzPhone checks that what counts as a number can be dialled from anywhere
// and reads as itself again, in any country.
func FuzzPhone(f *testing.F) {
	for _, raw := range []string{"070-174 06 05", "+1 5555551234x123", "tel:+46-8-123456;ext=1", "112", "+46 (0)8 12", "x", ";ext=5"} {
		f.Add("SE", raw)
	}
	dialable := regexp.MustCompile(`^\+[1-9][0-9]{5,14}$`)
	f.Fuzz(func(t *testing.T, region, raw string) {
		n := contact.Phone(region, raw)
		if !n.Possible {
			if n.Valid || n.E164 != "" || n.Ext != "" {
				t.Fatalf("Phone(%q, %q) = %+v, which is not possible and yet a number", region, raw, n)
			}
			return
		}
		if !dialable.MatchString(n.E164) || strings.Trim(n.Ext, "0123456789") != "" {
			t.Fatalf("Phone(%q, %q) = %+v, which cannot be dialled", region, raw, n)
		}
		text := n.E164
		if n.Ext != "" {
			text += ";ext=" + n.Ext
		}
		if again := contact.Phone("NL", text); again != n {
			t.Fatalf("Phone(NL, %q) = %+v, want %+v", text, again, n)
		}
	})
}

// FuzzMail checks that what counts as an address is safe to put into a
// message's header, and that normalizing it again changes nothing.
func FuzzMail(f *testing.F) {
	for _, raw := range []string{"ann@example.com", "Ann+x@Bücher.example", "ａ＠ｂ．ｃｏ", "אב@example.com", "a@b", "a\r\n@b.co", "\"a\"@b.co"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a := contact.Mail(raw)
		if !a.OK {
			if a.Reason == "" || a.Normalized != "" || a.Domain != "" {
				t.Fatalf("Mail(%q) = %+v, want a reason and nothing else", raw, a)
			}
			return
		}
		local, host, _ := strings.Cut(a.Normalized, "@")
		switch {
		case local == "" || host != a.Domain || strings.Contains(host, "@"):
			t.Fatalf("Mail(%q) = %+v, which is not local@domain", raw, a)
		case len(a.Normalized) > 254 || len(local) > 64:
			t.Fatalf("Mail(%q) = %+v, which is too long", raw, a)
		case host != strings.ToLower(host) || strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }):
			t.Fatalf("Mail(%q) = %+v, whose domain is no A-label in lower case", raw, a)
		case strings.ContainsFunc(a.Normalized, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }):
			t.Fatalf("Mail(%q) = %+q, which has invisible characters", raw, a.Normalized)
		case !norm.NFC.IsNormalString(a.Normalized):
			t.Fatalf("Mail(%q) = %+q, which is not normal", raw, a.Normalized)
		}
		if again := contact.Mail(a.Normalized); again != a {
			t.Fatalf("Mail(%q) = %+v, want %+v", a.Normalized, again, a)
		}
	})
}

// FuzzDomain checks that normalizing a domain again changes nothing.
func FuzzDomain(f *testing.F) {
	for _, name := range []string{"example.com", "Bücher.example.", "xn--53h.example", "a.b", "1.2.3.4", "例え。テスト"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := contact.Domain(name)
		if err != nil {
			return
		}
		if len(got) > 253 || !strings.Contains(got, ".") || strings.HasSuffix(got, ".") {
			t.Fatalf("Domain(%q) = %q", name, got)
		}
		if again, err := contact.Domain(got); again != got || err != nil {
			t.Fatalf("Domain(%q) = %q, %v, want itself", got, again, err)
		}
	})
}
