package httpapi

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"konto/domain/policy"
)

func TestIsCardNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want bool
	}{
		{"4242424242424242", true},
		{"4242 4242 4242 4242", true},
		{"4242-4242-4242-4242", true},
		{"my card is 5555555555554444, thanks", true},
		{"378282246310005", true},
		{"6011111111111117", true},
		{"30569309025904", true},
		{"3530111333300000", true},
		{"4242424242424241", false},                     // wrong check digit
		{"+46701740605", false},                         // a phone number
		{"+447400123456", false},                        // a phone number of twelve digits
		{"556012-5790", false},                          // a registration number
		{"1763769600000", false},                        // a time in milliseconds
		{"01930000-0000-7000-8000-000000000030", false}, // an ID
		{"", false},
		{"4242", false},
	} {
		if got := isCardNumber(c.in); got != c.want {
			t.Errorf("isCardNumber(%q) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       string // code of the problem; empty if there is none
	}{
		{"nothing", "", ""},
		{"an object", `{"a":{"b":[1,"x"]}}`, ""},
		{"a check result is no security code", `{"checks":{"cvc":"pass"}}`, ""},
		{"not JSON", `{"a":`, "malformed-json"},
		{"no object", `[1]`, "malformed-json"},
		{"two values", `{} {}`, "malformed-json"},
		{"a name twice", `{"a":1,"a":2}`, "malformed-json"},
		{"too deep", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "malformed-json"},
		{"a card number as text", `{"note":"4242 4242 4242 4242"}`, "card-number-not-accepted"},
		{"a card number as number", `{"a":[{"b":4242424242424242}]}`, "card-number-not-accepted"},
		{"a card number as name", `{"4242424242424242":1}`, "card-number-not-accepted"},
		{"a security code by name", `{"security_code":"123"}`, "sensitive-field-not-accepted"},
		{"a security code", `{"cvc":"123"}`, "sensitive-field-not-accepted"},
		{"too large", `{"a":"` + strings.Repeat("x", maxBody) + `"}`, "body-too-large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			_, err := readBody(httptest.NewRecorder(), r, nil)
			got := ""
			if err != nil {
				got = problemOf(err).Code
			}
			if got != c.want {
				t.Errorf("readBody(%.40q) = problem %q, want %q", c.body, got, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "4242") {
				t.Errorf("readBody(%.40q) repeats what it refuses: %v", c.body, err)
			}
		})
	}
}

// What stands where a field's name should is not repeated.
func TestRefusalNamesFieldsAlone(t *testing.T) {
	t.Parallel()
	fields := fieldNames(policy.Contracts)
	for _, c := range []struct{ name, body, want string }{
		{"K1: the field that holds a card number is named", `{"billTo":{"line2":["4242424242424242"]}}`, "/billTo/line2/0"},
		{"K1: what is no field's name is not", `{"ann@privat.example":"4242424242424242"}`, ""},
		{"C2: nor what it is in", `{"Ann Ek":{"cvv":"123"}}`, ""},
	} {
		_, err := readBody(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body)), fields)
		if err == nil {
			t.Errorf("%s: no refusal", c.name)
			continue
		}
		if p := problemOf(err); len(p.Errors) != 1 || p.Errors[0].Pointer != c.want {
			t.Errorf("%s: %+v, want the pointer %q", c.name, p.Errors, c.want)
		}
	}
}

// A field has one way of writing, so that it cannot be there twice.
func TestFieldNamesAreExact(t *testing.T) {
	t.Parallel()
	fields := fieldNames(policy.Contracts)
	for body, ok := range map[string]bool{
		`{"holderName":"x"}`:                      true,
		`{"holdername":"x"}`:                      false,
		`{"holderName":"x","HolderName":"y"}`:     false,
		`{"holderName":"x","billTo":{"ſtate":1}}`: false,
		`{"somethingElse":"x"}`:                   true, // for the command to refuse
	} {
		_, err := readBody(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), fields)
		if (err == nil) != ok || err != nil && problemOf(err).Code != "malformed-json" {
			t.Errorf("readBody(%s): err = %v, want it taken %v", body, err, ok)
		}
	}
}

func FuzzReadBody(f *testing.F) {
	f.Add(`{"a":{"b":[1,"4242 4242 4242 4242"]}}`)
	f.Add(`{"cvc":123,"checks":{"cvc":"pass"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := readBody(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), nil)
		if err == nil && got[0] != '{' {
			t.Errorf("readBody(%q) = %q, want an object", body, got)
		}
		if err != nil && problemOf(err).Status >= 500 {
			t.Errorf("readBody(%q) = %v, want the caller's mistake", body, err)
		}
	})
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag  string
		want int64 // -1: refused; -2: none
	}{
		{"", -2}, {`"0"`, 0}, {`"12"`, 12}, {`12`, -1}, {`W/"12"`, -1}, {`"-1"`, -1}, {`"x"`, -1}, {`""`, -1}, {`*`, -1},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("If-Match", c.tag)
		got, err := ifMatch(r)
		switch {
		case c.want == -1 && err == nil:
			t.Errorf("ifMatch(%s) = %v, want a refusal", c.tag, got)
		case c.want == -2 && (got != nil || err != nil):
			t.Errorf("ifMatch(%s) = %v, %v, want none", c.tag, got, err)
		case c.want >= 0 && (err != nil || int64(*got) != c.want):
			t.Errorf("ifMatch(%s) = %v, %v, want %d", c.tag, got, err, c.want)
		}
	}
}

// Callers' IDs must not be taken for card numbers.
func TestIDsAreNoCardNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want bool
	}{
		{"9a4f2b1c-4242-4242-8424-242424242424", false},
		{"order 9a4f2b1c-4242-4242-8424-242424242424, 1", false},
		{"9a4f2b1c-4242-4242-8424-242424242424-9a4f2b1c-4242-4242-8424-242424242424", false},
		{"9a4f2b1c-4242-4242-8424-242424242424 4242424242424242", true},
		{"4242-4242-4242-4242", true},
	} {
		if got := isCardNumber(c.in); got != c.want {
			t.Errorf("isCardNumber(%q) = %v, want %v", c.in, got, c.want)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var id uuid.UUID
		binary.BigEndian.PutUint64(id[:8], random.Uint64())
		binary.BigEndian.PutUint64(id[8:], random.Uint64())
		if isCardNumber(id.String()) {
			t.Fatalf("isCardNumber(%s) = true, want false", id)
		}
	}
}
