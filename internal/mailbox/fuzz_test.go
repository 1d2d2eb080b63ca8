package mailbox

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse is inside the package because a mail server in between would
// refuse most of what the parser has to withstand.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "Subject: x\r\n\r\nbody", "no header", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--",
		"Content-Type: text/plain; charset=latin1\r\n\r\n\xe5", "Message-ID: <a@b>\r\nSubject: =?utf-8?q?=FF?=\r\n\r\nhttp://x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		x := parse(raw)
		if x.Size != len(raw) {
			t.Errorf("Size = %d, want %d", x.Size, len(raw))
		}
		if !utf8.ValidString(x.Text) || !utf8.ValidString(x.HTML) {
			t.Error("a part is not UTF-8")
		}
		for _, l := range x.Links {
			if !strings.HasPrefix(l, "http://") && !strings.HasPrefix(l, "https://") {
				t.Errorf("link %q", l)
			}
		}
	})
}
