package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"konto/domain"
)

// dryRun is the name of the query parameter, and of the header, that asks for a
// preview. It is the only parameter of a command.
const dryRun = "dry-run"

// asked reads what a command's query asks for: whether it is a preview. A
// parameter that there is not is refused, and so is a value that is none:
// somebody who misspelt a preview wanted nothing to be written.
func asked(r *http.Request) (preview bool, err error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return false, newProblem(http.StatusBadRequest, "malformed-request", "the query cannot be read; a command takes the parameter dry-run, and no other")
	}
	if err := inspectQuery(query); err != nil {
		return false, err
	}
	for name := range query {
		if name != dryRun {
			// The name is not repeated: it may be anything.
			return false, newProblem(http.StatusBadRequest, "unknown-parameter", "the query has an unknown parameter; a command takes dry-run, and no other")
		}
	}
	for _, value := range slices.Concat(query[dryRun], r.Header.Values(dryRun)) {
		wanted, err := strconv.ParseBool(value)
		if value != "" && err != nil {
			p := newProblem(http.StatusBadRequest, "malformed-request", "dry-run is true or false; without a value it is true")
			p.Errors = []FieldProblem{{Parameter: dryRun, Code: "malformed", Detail: p.Detail}}
			return false, p
		}
		preview = preview || wanted || value == ""
	}
	return preview, nil
}

// inspectQuery refuses card numbers in the query, which proxies write down.
func inspectQuery(query url.Values) error {
	for name, values := range query {
		if isCardNumber(name) || slices.ContainsFunc(values, isCardNumber) {
			p := newProblem(http.StatusUnprocessableEntity, "card-number-not-accepted", "card numbers are never accepted; send the gateway's token")
			p.Rule = "K1"
			return p
		}
	}
	return nil
}

// maxReason is how long a reason may be, in bytes.
const maxReason = 1000

// reason returns why the caller makes the change: Konto-Reason, percent-encoded
// where it is not ASCII. It stands on one line of a history.
func reason(r *http.Request) (string, error) {
	text, err := url.PathUnescape(r.Header.Get("Konto-Reason"))
	var detail string
	switch {
	case err != nil:
		detail = "Konto-Reason is percent-encoded UTF-8"
	case len(text) > maxReason:
		detail = "the reason is too long: at most 1,000 bytes"
	case isCardNumber(text):
		detail = "the reason holds a card number, which is never accepted"
	case !domain.Line(text, maxReason):
		detail = "the reason must be one line of UTF-8 without control characters and without invisible ones"
	default:
		return text, nil
	}
	return "", newProblem(http.StatusBadRequest, "malformed-reason", detail)
}
