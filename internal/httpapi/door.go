package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"konto/domain"
)

// Limits of a request body.
const (
	maxBody  = 1 << 20 // bytes
	maxDepth = 32      // of nesting
	// usualBody is how much room a body gets before it is there.
	usualBody = 16 << 10
)

// readBody returns the JSON object in r's body, or {} if there is none. It
// refuses what is not JSON, what is too large or too deep, names that occur
// twice, and anything that looks like a card number or a security code, so
// that neither can reach a log, an event or a bus. A refusal names no field but
// those that commands have.
func readBody(w http.ResponseWriter, r *http.Request, fields map[string]bool) ([]byte, error) {
	if t := r.Header.Get("Content-Type"); t != "" && !strings.HasPrefix(t, "application/json") {
		return nil, newProblem(http.StatusUnsupportedMediaType, "unsupported-media-type", "a command is sent as application/json")
	}
	var read bytes.Buffer
	read.Grow(int(max(0, min(r.ContentLength, usualBody))) + bytes.MinRead)
	if _, err := read.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return nil, err
	}
	body := bytes.TrimSpace(read.Bytes())
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	return body, inspect(body, fields)
}

func inspect(body []byte, fields map[string]bool) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(body)) // reads a buffer in place
	if d.PeekKind() != '{' {
		return malformed("the body must be a JSON object")
	}
	for closed := false; ; {
		token, err := d.ReadToken()
		if closed && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || closed {
			return malformed("the body is not one valid JSON object")
		}
		closed = d.StackDepth() == 0
		if d.StackDepth() > maxDepth {
			return malformed("the body is nested too deeply")
		}
		if k := token.Kind(); k != '"' && k != '0' {
			continue
		}
		if problem := sensitive(d, token, fields); problem != nil {
			return problem
		}
	}
}

func malformed(detail string) *Problem {
	return newProblem(http.StatusBadRequest, "malformed-json", detail)
}

// sensitive refuses a token that no caller may send: rule K1 and the rule that
// no security code is asked for on an edit (C2).
func sensitive(d *jsontext.Decoder, token jsontext.Token, fields map[string]bool) error {
	text := token.String()
	if isCardNumber(text) {
		return refuseAt(d, fields, "card-number-not-accepted", "K1", "card numbers are never accepted; send the gateway's token")
	}
	kind, length := d.StackIndex(d.StackDepth())
	isName := kind == '{' && length%2 == 1
	if isName && !fields[text] && fields[sameLetters(text)] {
		return malformed("a field's name is written with other letters than its own: capitals count")
	}
	if isName && secretNames[fold(text)] {
		return refuseAt(d, fields, "sensitive-field-not-accepted", "C2", "this field is never accepted; it goes from the browser to the gateway")
	}
	if !isName && kind == '{' && fold(d.StackPointer().LastToken()) == "cvc" && isDigits(text) {
		return refuseAt(d, fields, "sensitive-field-not-accepted", "C2", "a security code is never accepted; send the gateway's check result")
	}
	return nil
}

func refuseAt(d *jsontext.Decoder, fields map[string]bool, code, rule, detail string) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, code, detail)
	p.Rule = rule
	pointer := string(d.StackPointer())
	for name := range d.StackPointer().Tokens() {
		if !fields[name] && !isDigits(name) {
			pointer = "" // what is no field's name is not repeated: it may be anything
		}
	}
	if isCardNumber(pointer) {
		pointer = ""
	}
	p.Errors = []FieldProblem{{Pointer: pointer, Code: code, Detail: detail, Rule: rule}}
	return p
}

// sameLetters is the same for names that encoding/json takes for the same: a
// name that occurs twice in two ways of writing would pass for two names. No
// field's name begins so.
func sameLetters(name string) string {
	return "=" + strings.Map(func(r rune) rune {
		for {
			next := unicode.SimpleFold(r)
			if next <= r {
				return next
			}
			r = next
		}
	}, name)
}

// fieldNames are the names of all fields of commands, also inside others, and
// their letters.
func fieldNames(contracts []domain.Contract) map[string]bool {
	names := map[string]bool{}
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for _, f := range reflect.VisibleFields(t) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
				names[name], names[sameLetters(name)] = true, true
				add(f.Type)
			}
		}
	}
	for _, c := range contracts {
		for _, info := range c.Commands() {
			add(info.Type)
		}
	}
	return names
}

// secretNames are names of fields that hold what must not be sent here. "cvc"
// is not among them, since a gateway's check result has that name.
var secretNames = map[string]bool{
	"cvv": true, "cvv2": true, "cvn": true, "cvc2": true, "cid": true, "securitycode": true,
	"cardnumber": true, "pan": true, "track1": true, "track2": true, "pinblock": true,
}

func fold(s string) string {
	s = strings.ToLower(s)
	if !strings.ContainsAny(s, "_- ") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return r
	}, s)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isCardNumber reports whether s contains what could be a card number: 12 to
// 19 digits (ISO/IEC 7812-1), perhaps in groups, of a range that payment
// networks use (2 to 6), with a right check digit. A leading "+" makes it a
// phone number of at most 15 digits (E.164). One of 600 random UUIDs has such
// digits by chance: what a UUID is made of does not count.
func isCardNumber(s string) bool {
	if len(s) >= uuidLen && strings.Count(s, "-") >= 4 {
		s = uuids.ReplaceAllLiteralString(s, "x")
	}
	return holdsCardNumber(s)
}

const uuidLen = 36

var uuids = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func holdsCardNumber(s string) bool {
	var room [24]byte // more digits than a card number has
	digits, phone := room[:0], false
	for i := 0; i <= len(s); i++ {
		switch {
		case i < len(s) && s[i] >= '0' && s[i] <= '9':
			if len(digits) == 0 {
				phone = i > 0 && s[i-1] == '+'
			}
			digits = append(digits, s[i]-'0')
			continue
		case i < len(s) && (s[i] == ' ' || s[i] == '-') && len(digits) > 0 && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			continue // a separator between groups
		}
		if (!phone || len(digits) > 15) && couldBeCard(digits) {
			return true
		}
		digits = digits[:0]
	}
	return false
}

func couldBeCard(digits []byte) bool {
	if len(digits) < 12 || len(digits) > 19 || digits[0] < 2 || digits[0] > 6 {
		return false
	}
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
