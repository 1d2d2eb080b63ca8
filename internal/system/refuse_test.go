package system_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"konto/eventstore"
	"konto/eventstore/storetest"
	"konto/internal/demo"
	"konto/internal/system"
)

// ask is a request that is not as it should be.
type ask struct {
	method, path, body string
	as                 string // nobody if empty
	token              string // instead of one of as
	header             map[string]string
}

func (r *running) do(a ask) (int, map[string]any) {
	r.Helper()
	if a.method == "" {
		a.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(r.Context(), a.method, r.URL()+a.path, strings.NewReader(a.body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if a.as != "" {
		a.token = r.token(a.as, time.Hour)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for name, value := range a.header {
		req.Header.Set(name, value)
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	problem := map[string]any{}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(raw, &problem); err != nil {
			r.Fatal(err)
		}
	}
	return res.StatusCode, problem
}

// Test numbers that payment networks publish.
var testNumbers = []string{"4242424242424242", "5555555555554444", "378282246310005", "6011111111111117"}

func badInput(r *running) map[string]struct {
	ask
	status int
	code   string
} {
	type row = struct {
		ask
		status int
		code   string
	}
	card := "/v1/cards/" + demo.AnnasCard
	number := testNumbers[0]
	rows := map[string]row{
		"malformed JSON":                {ask{as: "anna", path: card + "/RemoveCard", body: `{"a":`}, 400, "malformed-json"},
		"two values":                    {ask{as: "anna", path: card + "/RemoveCard", body: `{} {}`}, 400, "malformed-json"},
		"no object":                     {ask{as: "anna", path: card + "/RemoveCard", body: `[]`}, 400, "malformed-json"},
		"a name twice":                  {ask{as: "anna", path: card + "/RemoveCard", body: `{"a":1,"a":2}`}, 400, "malformed-json"},
		"too deep":                      {ask{as: "anna", path: card + "/RemoveCard", body: strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)}, 400, "malformed-json"},
		"unknown field":                 {ask{as: "anna", path: card + "/RemoveCard", body: `{"force":true}`}, 400, "malformed-command"},
		"wrong type":                    {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"expMonth":"nine"}`}, 400, "malformed-command"},
		"10 MB":                         {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"holderName":"` + strings.Repeat("x", 10<<20) + `"}`}, 413, "body-too-large"},
		"wrong content type":            {ask{as: "anna", path: card + "/RemoveCard", body: `{}`, header: map[string]string{"Content-Type": "text/plain"}}, 415, "unsupported-media-type"},
		"wrong method":                  {ask{as: "anna", method: http.MethodPut, path: card + "/RemoveCard"}, 405, "method-not-allowed"},
		"no such command":               {ask{as: "anna", path: card + "/FreezeCard"}, 404, "no-such-route"},
		"an internal command":           {ask{as: "anna", path: card + "/AttachCard", body: `{"subscriptionId":"x"}`}, 404, "no-such-route"},
		"no ID":                         {ask{as: "anna", path: "/v1/cards/mine/RemoveCard"}, 404, "not-found"},
		"no token":                      {ask{path: card + "/RemoveCard"}, 401, "token-missing"},
		"no JWT":                        {ask{token: "abc", path: card + "/RemoveCard"}, 401, "token-invalid"},
		"expired token":                 {ask{token: r.token("anna", -time.Hour), path: card + "/RemoveCard"}, 401, "token-expired"},
		"somebody else's key":           {ask{token: forged(r.token("anna", time.Hour)), path: card + "/RemoveCard"}, 401, "token-invalid"},
		"another tenant's":              {ask{as: "bo", path: card + "/RemoveCard", body: `{}`}, 404, "card-not-found"},
		"missing":                       {ask{as: "bo", path: "/v1/cards/01930000-0000-7000-8000-00000000dead/RemoveCard", body: `{}`}, 404, "card-not-found"},
		"not this role":                 {ask{as: "eva", path: card + "/RemoveCard", body: `{}`}, 403, "not-allowed"},
		"not this person":               {ask{as: "mikkel", path: card + "/UpdateCardDetails", body: `{"expYear":2031}`, header: map[string]string{"If-Match": r.tag(card)}}, 403, "card-owned-by-other-admin"},
		"nothing seen":                  {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"expYear":2031}`}, 428, "revision-required"},
		"stale":                         {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"expYear":2031}`, header: map[string]string{"If-Match": `"0"`}}, 412, "stale-revision"},
		"no entity tag":                 {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"expYear":2031}`, header: map[string]string{"If-Match": `W/"0"`}}, 400, "malformed-if-match"},
		"long key":                      {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}}, 400, "malformed-idempotency-key"},
		"a preview that is no boolean":  {ask{as: "anna", path: card + "/RemoveCard?dry-run=yes"}, 400, "malformed-request"},
		"a preview that is misspelt":    {ask{as: "anna", path: card + "/RemoveCard?dryRun=true"}, 400, "unknown-parameter"},
		"a query that is none":          {ask{as: "anna", path: card + "/RemoveCard?dry-run=%zz"}, 400, "malformed-request"},
		"a preview by header":           {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Dry-Run": "yes"}}, 400, "malformed-request"},
		"a reason that is no UTF-8":     {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "%ff"}}, 400, "malformed-reason"},
		"a reason of two lines":         {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "x%0A  9  CardRemoved  by ann"}}, 400, "malformed-reason"},
		"a reason that commands":        {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "%1b[31mred"}}, 400, "malformed-reason"},
		"a reason with a NUL":           {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "a%00b"}}, 400, "malformed-reason"},
		"a reason from right to left":   {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "%E2%80%AEtxet"}}, 400, "malformed-reason"},
		"a reason that is too long":     {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": strings.Repeat("x", 1001)}}, 400, "malformed-reason"},
		"a reason that is half encoded": {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "100 %"}}, 400, "malformed-reason"},

		"a cursor that is none": {ask{as: "anna", method: http.MethodGet, path: "/v1/cards?cursor=garbage"}, 400, "cursor-malformed"},
		"a limit that is none":  {ask{as: "anna", method: http.MethodGet, path: "/v1/cards?limit=-1"}, 422, "malformed-request"},

		"unsigned webhook": {ask{path: "/v1/gateways/stripe", body: `{}`}, 400, "signature-invalid"},

		"card number in a key":    {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Idempotency-Key": number}}, 400, "malformed-idempotency-key"},
		"card number in a reason": {ask{as: "anna", path: card + "/RemoveCard", header: map[string]string{"Konto-Reason": "card " + number}}, 400, "malformed-reason"},
		"card number in a query":  {ask{as: "anna", path: card + "/RemoveCard?dry-run=" + number}, 422, "card-number-not-accepted"},
		"card number as a name":   {ask{as: "anna", path: card + "/RemoveCard", body: `{"` + number + `":1}`}, 422, "card-number-not-accepted"},
		"card number, a number":   {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"expYear":` + number + `}`}, 422, "card-number-not-accepted"},
		"card number in a path":   {ask{as: "anna", path: "/v1/cards/" + number + "/RemoveCard"}, 404, "not-found"},
		"security code":           {ask{as: "anna", path: card + "/UpdateCardDetails", body: `{"cvv":"123"}`}, 422, "sensitive-field-not-accepted"},
	}
	for i, number := range testNumbers {
		for j, field := range []string{"holderName", "phone", "gatewayToken", "brand", "unknown"} {
			spaced := number[:4] + " " + number[4:8] + " " + number[8:12] + " " + number[12:]
			for k, text := range []string{number, spaced, strings.ReplaceAll(spaced, " ", "-"), "my card is " + spaced + "!"} {
				rows[fmt.Sprintf("card number %d in field %d in form %d", i, j, k)] = row{
					ask{as: "anna", path: card + "/UpdateCardDetails", body: fmt.Sprintf(`{"%s":"%s"}`, field, text)}, 422, "card-number-not-accepted",
				}
			}
		}
	}
	return rows
}

// forged changes a token's signature.
func forged(token string) string {
	i := strings.LastIndex(token, ".") + 5
	flipped := byte('A')
	if token[i] == 'A' {
		flipped = 'B'
	}
	return token[:i] + string(flipped) + token[i+1:]
}

// tag returns the ETag of a resource.
func (r *running) tag(path string) string {
	r.Helper()
	res, err := r.as("anna").Open(r.Context(), http.MethodGet, path, nil, nil)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.Header.Get("ETag")
}

func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	before := r.settled()
	for name, c := range badInput(r) {
		status, problem := r.do(c.ask)
		if status != c.status || problem["code"] != c.code {
			t.Errorf("%s: %d %v (%v), want %d %s", name, status, problem["code"], problem["detail"], c.status, c.code)
		}
		if problem["status"] != float64(status) || problem["title"] == "" || problem["requestId"] == nil || problem["instance"] == nil || problem["type"] != "/problems/"+c.code {
			t.Errorf("%s: problem = %v, want all members", name, problem)
		}
	}
	r.settled()
	// That a rule refused is recorded; nothing else is, and nobody's account.
	for e, err := range r.Store().ReadAll(t.Context(), eventstore.ReadAll{From: before}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Position != before && !strings.HasPrefix(e.Stream, "rejections-") {
			t.Errorf("%s was written to %s", e.Type, e.Stream)
		}
		for _, number := range testNumbers {
			if bytes.Contains(e.Data, []byte(number)) || bytes.Contains(e.Meta, []byte(number)) {
				t.Errorf("%s in %s holds card number %s…", e.Type, e.Stream, number[:6])
			}
		}
	}
	for _, number := range testNumbers {
		if bytes.Contains(r.log.Bytes(), []byte(number)) {
			t.Errorf("the log holds card number %s…", number[:6])
		}
	}
}

// What is wrong with a query is named as its parameter: it has no body.
func TestQueryProblemNamesTheParameter(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.seed()
	for path, want := range map[string]string{"/v1/cards?cursor=garbage": "cursor", "/v1/cards?limit=-1": "limit", "/v1/can-i?target=x": "command"} {
		_, problem := r.do(ask{as: "anna", method: http.MethodGet, path: path})
		errs, _ := problem["errors"].([]any)
		if len(errs) != 1 {
			t.Errorf("%s: problem = %v, want one error", path, problem)
			continue
		}
		if first := errs[0].(map[string]any); first["parameter"] != want || first["pointer"] != nil {
			t.Errorf("%s: %v, want the parameter %s", path, first, want)
		}
		if asked, _, _ := strings.Cut(path, "?"); problem["instance"] != asked {
			t.Errorf("%s: instance %v", path, problem["instance"])
		}
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	if !storetest.Embedded() {
		t.Skip("the disk of a store elsewhere is not this system's")
	}
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose {
			return syscall.ENOSPC
		}
		return nil
	}))
	data := t.TempDir()
	r := start(t, data, func(c *system.Config) { c.FS = fs })
	r.seed()
	before := r.settled()
	full.Store(true)
	for range 3 {
		status, problem := r.do(ask{as: "anna", path: "/v1/admins/" + demo.People()[2].ID + "/AssignRole", body: `{"role":"sales-agent"}`})
		if status != http.StatusInsufficientStorage || problem["code"] != "storage-full" {
			t.Errorf("answer = %d %v, want 507 storage-full", status, problem)
		}
	}
	if status, _ := r.do(ask{as: "anna", method: http.MethodGet, path: "/v1/cards/" + demo.AnnasCard}); status != http.StatusOK {
		t.Errorf("a query = %d, want 200: reading needs no space", status)
	}
	full.Store(false)
	if err := r.stop(); err != nil {
		t.Logf("stop: %v", err) // the store says that it could not write
	}
	r = start(t, data, nil)
	if got := r.settled(); got != before {
		t.Errorf("head = %s, want %s", got, before)
	}
}
