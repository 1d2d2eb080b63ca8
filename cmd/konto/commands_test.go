package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"konto/internal/client"
	"konto/internal/demo"
)

// demoNames are what scripts call the demo company's accounts.
func demoNames() map[string]string {
	ids := map[string]string{
		"NORRSKEN": demo.Norrsken, "NORDVIND": demo.Nordvind, "SUBSCRIPTION": demo.Subscription,
		"CARD": demo.AnnasCard, "MIKKELSCARD": demo.MikkelsCard, "RELATIONSHIP": demo.Relationship,
		"TOKEN": demo.AnnasToken, "MIKKELSTOKEN": demo.MikkelsToken,
	}
	for _, p := range demo.People() {
		ids[strings.ToUpper(p.Name)] = p.ID
	}
	return ids
}

// caller calls the server at $URL as a person of the demo company; as nobody
// if the name is empty.
func caller(ts *testscript.TestScript, name string) *client.Client {
	c := &client.Client{Base: ts.Getenv("URL")}
	if name != "" {
		token, err := os.ReadFile(filepath.Join(ts.Getenv("KONTO_DATA"), "tokens", name))
		ts.Check(err)
		c.Token = string(token)
	}
	return c
}

// httpRequest sends a request, by anna unless -as names another, and checks
// the status. The answer's body is in stdout, its header in stderr:
//
//	http STATUS METHOD PATH [-as NAME] [-H 'NAME: VALUE']... [-d BODY]
//
// A query that is to find something waits first until everything has settled,
// so that it finds what the commands before it did.
func httpRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: http STATUS METHOD PATH [-as NAME] [-H 'NAME: VALUE']... [-d BODY]")
	}
	as, body, header := "anna", "", http.Header{}
	for i := 3; i+1 < len(args); i += 2 {
		switch value := args[i+1]; args[i] {
		case "-as":
			as = strings.TrimPrefix(value, "nobody")
		case "-d":
			body = value
			header.Set("Content-Type", "application/json")
		case "-H":
			name, text, _ := strings.Cut(value, ": ")
			header.Add(name, text)
		default:
			ts.Fatalf("http: unknown flag %s", args[i])
		}
	}
	if args[0] == "200" && args[1] == http.MethodGet && strings.HasPrefix(args[2], "/v1/") {
		settled(ts, false, nil)
	}
	status, header, answer := send(ts, as, args[1], args[2], header, []byte(body))
	_, _ = ts.Stdout().Write(answer)
	_ = header.Write(ts.Stderr())
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("%s %s answers %d, want %s:\n%s", args[1], args[2], status, args[0], answer)
	}
}

// send returns every answer, whatever its status.
func send(ts *testscript.TestScript, as, method, path string, header http.Header, body []byte) (int, http.Header, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := caller(ts, as)
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	ts.Check(err)
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := once.Do(req)
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	return res.StatusCode, res.Header, answer
}

// jsonIs checks a value in the JSON document in stdout (or in stderr, with -2):
//
//	json [-2] PATH VALUE     the value there, strings without quotes
//	json [-2] -len PATH N    how many elements there are
//	json [-2] -on PATH DATE  the time there is on that day, UTC
//	! json [-2] PATH         there is nothing there
//
// A PATH is a JSON pointer, whose segments may also be * (any element) or
// [NAME=VALUE] (the elements that have it).
func jsonIs(ts *testscript.TestScript, neg bool, args []string) {
	document := documentOf(ts, &args)
	length, day := len(args) > 0 && args[0] == "-len", len(args) > 0 && args[0] == "-on"
	if length || day {
		args = args[1:]
	}
	if neg != (len(args) == 1) || len(args) > 2 || len(args) == 0 {
		ts.Fatalf("usage: [!] json [-2] [-len|-on] PATH [VALUE]")
	}
	found := lookUp(document, args[0])
	switch {
	case neg && len(found) > 0:
		ts.Fatalf("%s is %s, want nothing there", args[0], shown(found[0]))
	case neg:
		return
	case length:
		n := len(found)
		if len(found) == 1 {
			if list, ok := found[0].([]any); ok {
				n = len(list)
			}
		}
		if strconv.Itoa(n) != args[1] {
			ts.Fatalf("%s has %d elements, want %s", args[0], n, args[1])
		}
		return
	}
	var all []string
	for _, v := range found {
		if shown(v) == args[1] || day && strings.HasPrefix(shown(v), args[1]+"T") {
			return
		}
		all = append(all, shown(v))
	}
	ts.Fatalf("%s is %q, want %s", args[0], all, args[1])
}

// keep sets a variable to a value in the JSON document in stdout:
//
//	keep [-2] NAME PATH
func keep(ts *testscript.TestScript, neg bool, args []string) {
	document := documentOf(ts, &args)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATH")
	}
	found := lookUp(document, args[1])
	if len(found) != 1 {
		ts.Fatalf("%s is there %d times, want once", args[1], len(found))
	}
	ts.Setenv(args[0], shown(found[0]))
}

func documentOf(ts *testscript.TestScript, args *[]string) any {
	from := "stdout"
	if len(*args) > 0 && (*args)[0] == "-2" {
		from, *args = "stderr", (*args)[1:]
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(from)))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		ts.Fatalf("%s is not JSON: %v", from, err)
	}
	return document
}

// lookUp returns the values at a path.
func lookUp(v any, path string) []any {
	found := []any{v}
	if path == "/" {
		return found // all of it
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		var next []any
		for _, v := range found {
			next = append(next, inside(v, segment)...)
		}
		found = next
	}
	return found
}

func inside(v any, segment string) []any {
	segment = strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
	switch v := v.(type) {
	case map[string]any:
		if e, ok := v[segment]; ok {
			return []any{e}
		}
	case []any:
		if segment == "*" {
			return v
		}
		if name, value, ok := strings.Cut(strings.Trim(segment, "[]"), "="); ok {
			var found []any
			for _, e := range v {
				if at := lookUp(e, strings.ReplaceAll(name, ".", "/")); len(at) == 1 && shown(at[0]) == value {
					found = append(found, e)
				}
			}
			return found
		}
		i, err := strconv.Atoi(segment)
		if err == nil && i < 0 {
			i += len(v) // from the end
		}
		if err == nil && i >= 0 && i < len(v) {
			return []any{v[i]}
		}
	}
	return nil
}

func shown(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// settled waits until everything that follows from what has happened has
// happened: read models have seen it, and messages and commands have gone out.
func settled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: settled")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ts.Check(caller(ts, "").Settle(ctx))
}

// mail is what a script looks at of a mail in the mailbox.
type mail struct {
	ID         string   `json:"id"`
	Recipients []string `json:"recipients"`
	Subject    string   `json:"subject"`
	Language   string   `json:"language"`
	Template   string   `json:"template"`
	Channel    string   `json:"channel"`
	Arrivals   int      `json:"arrivals"`
	Text       string   `json:"text"`
}

func (m mail) to(address string) bool {
	return strings.Contains(strings.Join(m.Recipients, " "), address)
}

// inbox returns the mails that want wants, oldest first.
func inbox(ts *testscript.TestScript, want func(mail) bool) []mail {
	var box struct {
		Messages []mail `json:"messages"`
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ts.Check(caller(ts, "").Get(ctx, "/-/mail.json", &box))
	var found []mail
	for _, m := range box.Messages {
		if want(m) {
			found = append([]mail{m}, found...)
		}
	}
	return found
}

// code waits until everything has settled and sets a variable to the newest
// one-time code that was sent to a recipient, to verify a contact unless
// another template is named:
//
//	code NAME RECIPIENT [TEMPLATE]
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: code NAME RECIPIENT [TEMPLATE]")
	}
	m := newest(ts, append(args, "contact_code")[2], args[1])
	if m.Channel == "voice" {
		m.Text = strings.ReplaceAll(m.Text, ", ", "") // a call spells it out
	}
	found := codes.FindString(m.Text)
	if found == "" {
		ts.Fatalf("there is no code in what was sent to %s", args[1])
	}
	ts.Setenv(args[0], found)
}

// link waits until everything has settled and sets a variable to where the
// newest message of a template to a recipient leads, below $URL:
//
//	link NAME RECIPIENT TEMPLATE
func link(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: link NAME RECIPIENT TEMPLATE")
	}
	_, rest, ok := strings.Cut(newest(ts, args[2], args[1]).Text, ts.Getenv("URL"))
	if !ok {
		ts.Fatalf("what was sent to %s does not lead to %s", args[1], ts.Getenv("URL"))
	}
	ts.Setenv(args[0], strings.Fields(rest)[0])
}

// newest waits until everything has settled and returns the newest message of
// a template to a recipient.
func newest(ts *testscript.TestScript, template, recipient string) mail {
	settled(ts, false, nil)
	found := inbox(ts, func(m mail) bool { return m.Template == template && m.to(recipient) })
	if len(found) == 0 {
		ts.Fatalf("no %s was sent to %s", template, recipient)
	}
	return found[len(found)-1]
}

// countMails waits until everything has settled and counts mails:
//
//	mails COUNT [-to ADDRESS] [-template NAME] [-lang LANGUAGE] [-text TEXT]... [-channel NAME]
//
// A TEXT is in the subject or in the text. The mails are in stdout.
func countMails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args)%2 != 1 {
		ts.Fatalf("usage: mails COUNT [-to ADDRESS] [-template NAME] [-lang LANGUAGE] [-text TEXT]... [-channel NAME]")
	}
	settled(ts, false, nil)
	found := inbox(ts, func(m mail) bool {
		for i := 1; i < len(args); i += 2 {
			want := args[i+1]
			ok := map[string]func() bool{
				"-to":       func() bool { return m.to(want) },
				"-template": func() bool { return m.Template == want },
				"-lang":     func() bool { return m.Language == want },
				"-channel":  func() bool { return m.Channel == want },
				"-text":     func() bool { return strings.Contains(m.Subject+"\n"+m.Text, want) },
			}[args[i]]
			if ok == nil {
				ts.Fatalf("mails: unknown flag %s", args[i])
			}
			if !ok() {
				return false
			}
		}
		return true
	})
	for _, m := range found {
		_, _ = fmt.Fprintf(ts.Stdout(), "To: %s\nLanguage: %s\nSubject: %s\n\n%s\n\n", strings.Join(m.Recipients, ", "), m.Language, m.Subject, m.Text)
	}
	if strconv.Itoa(len(found)) != args[0] {
		ts.Fatalf("there are %d such mails, want %s", len(found), args[0])
	}
	for _, m := range found {
		if m.Arrivals != 1 {
			ts.Fatalf("the mail %q came %d times", m.Subject, m.Arrivals)
		}
	}
}

// now is the time that webhooks are signed at.
func now() time.Time { return time.Now() }

// codes finds a one-time code in a message.
var codes = regexp.MustCompile(`\b\d{6}\b`)
