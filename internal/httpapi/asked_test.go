package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAsked(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]any{
		"": false, "?": false,
		"?dry-run=true": true, "?dry-run=1": true, "?dry-run=TRUE": true, "?dry-run=t": true, "?dry-run": true, "?dry-run=": true,
		"?dry-run=false": false, "?dry-run=0": false, "?dry-run=False": false,
		"?dry-run=false&dry-run=true": true,
		"?dry-run=yes":                "malformed-request",
		"?dry-run=2":                  "malformed-request",
		"?dry-run=true&dry-run=maybe": "malformed-request",
		"?dry-run=true;x":             "malformed-request",
		"?dry-run=%zz":                "malformed-request",
		"?dryRun=true":                "unknown-parameter",
		"?Dry-Run=true":               "unknown-parameter",
		"?dry-run=true&force=1":       "unknown-parameter",
		"?note=4242424242424242":      "card-number-not-accepted",
	} {
		got, err := asked(httptest.NewRequest(http.MethodPost, "/v1/cards/1/RemoveCard"+query, nil))
		if err != nil {
			if p := problemOf(err); p.Code != want {
				t.Errorf("asked(%q) = %v, want %v", query, err, want)
			}
			continue
		}
		if got != want {
			t.Errorf("asked(%q) = %v, want %v", query, got, want)
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{ // what the refusal says
		"":                                  "",
		"nytt%20namn%20p%C3%A5%20koncernen": "",
		strings.Repeat("x", maxReason):      "",
		strings.Repeat("x", maxReason+1):    "too long",
		strings.Repeat("%C3%A5", 501):       "too long",
		"%ff":                               "one line of UTF-8",
		"a%0Ab":                             "one line",
		"%1b[31m":                           "one line",
		"a%00":                              "one line",
		"%E2%80%AEtxet":                     "one line",
		"100 %":                             "percent-encoded",
		"card 4242 4242 4242 4242":          "card number",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Konto-Reason", header)
		_, err := reason(r)
		if (err != nil) != (want != "") || err != nil && (problemOf(err).Code != "malformed-reason" || !strings.Contains(problemOf(err).Detail, want)) {
			t.Errorf("reason(%.40q): %v, want %q", header, err, want)
		}
	}
}
