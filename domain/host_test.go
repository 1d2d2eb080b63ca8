package domain_test

import (
	"testing"

	"konto/domain"
)

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host, name string
		want       bool
	}{
		{"contoso.se", "contoso.se", true},
		{"mail.contoso.se", "contoso.se", true},
		{"mycontoso.se", "contoso.se", false},
		{"se", "contoso.se", false},
		{"", "contoso.se", false},
		{"contoso.se", "", false},
		{"", "", false},
	} {
		if got := domain.Within(c.host, c.name); got != c.want {
			t.Errorf("S3: Within(%q, %q) = %v, want %v", c.host, c.name, got, c.want)
		}
	}
}
