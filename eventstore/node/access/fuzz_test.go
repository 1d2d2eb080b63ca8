package access_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"konto/eventstore/node/access"
)

// FuzzAuthenticate lets nobody in who does not know the password.
func FuzzAuthenticate(f *testing.F) {
	c := open(f, access.Config{})
	for _, header := range []string{"", basic("admin", "changeit"), basic("admin", ""), "Basic ", "Basic =", "Bearer x", basic("", ""), basic("$admins", "x"), "Basic YWRtaW46Y2hhbmdlaXQ=0"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		p, err := c.Authenticate(t.Context(), header)
		scheme, encoded, _ := strings.Cut(header, " ")
		plain, err64 := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		good := err64 == nil && strings.EqualFold(scheme, "Basic") && (string(plain) == "admin:changeit" || string(plain) == "ops:changeit")
		switch {
		case header == "" && (p.Known() || err != nil):
			t.Errorf("Authenticate(nothing) = %v, %v, want nobody", p, err)
		case header != "" && !good && (p.Known() || !errors.Is(err, access.ErrBadCredentials)):
			t.Errorf("Authenticate(%q) = %v, %v, want ErrBadCredentials", header, p, err)
		case good && err != nil:
			t.Errorf("Authenticate(%q) = %v, want nil", header, err)
		}
	})
}

// FuzzSettings never lets in who is named nowhere when the rest is restricted,
// and never locks out admins.
func FuzzSettings(f *testing.F) {
	s := openStore(f)
	c := open(f, access.Config{Store: s})
	for _, data := range []string{"", "{}", "null", `{"$userStreamAcl":{"$r":"a"}}`, `{"$systemStreamAcl":{"$r":["a",null]}}`, `{"$systemStreamAcl":[]}`, `{"$systemStreamAcl":{"$r":{"$r":"$all"}}}`} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) {
		write(t, s, "$settings", "update-default-acl", data)
		if err := c.Allow(t.Context(), admin, access.ReadStream, "$any"); err != nil {
			t.Errorf("with %q: Allow(admin) = %v, want nil", data, err)
		}
		if !strings.Contains(data, "$systemStreamAcl") && !strings.Contains(data, `\`) {
			if err := c.Allow(t.Context(), greta, access.ReadStream, "$any"); !errors.Is(err, access.ErrDenied) {
				t.Errorf("with %q: Allow(greta) = %v, want ErrDenied", data, err)
			}
		}
	})
}
