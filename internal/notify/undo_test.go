package notify_test

import (
	"strings"
	"testing"

	"konto/internal/notify"
)

func TestUndoToken(t *testing.T) {
	t.Parallel()
	token := notify.UndoToken{
		Tenant: "01930000-0000-7000-8000-000000000001", Person: "01930000-0000-7000-8000-000000000010",
		Change: "0195c1a2-7f3e-7aaa-8bbb-0123456789ab", Proof: "00112233445566778899aabbccddeeff",
	}
	text := token.String()
	if got, ok := notify.ParseUndoToken(text); !ok || got != token || len(text) != 86 {
		t.Errorf("ParseUndoToken(%q) = %+v, %t, want %+v", text, got, ok, token)
	}
	for _, wrong := range []string{"", text[:85], text + "A", text[:85] + "_", strings.Repeat("=", 86), "%" + text[1:], text + "\n"} {
		if got, ok := notify.ParseUndoToken(wrong); ok {
			t.Errorf("ParseUndoToken(%q) = %+v, want none", wrong, got)
		}
	}
	nobody, ok := notify.ParseUndoToken(notify.UndoToken{Person: "ann", Proof: "zz"}.String())
	if !ok || nobody.Person != "00000000-0000-0000-0000-000000000000" || nobody.Proof != strings.Repeat("0", 32) {
		t.Errorf("a token of what is no ID is %+v, %t", nobody, ok)
	}
}
