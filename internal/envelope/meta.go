package envelope

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	fast "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"

	"konto/domain"
)

// Meta is the metadata of an event.
type Meta struct {
	Correlation string                  `json:"$correlationId,omitempty"`
	Causation   string                  `json:"$causationId,omitempty"` // the command's ID, or the event's that a policy reacted to
	Tenant      string                  `json:"tenant"`                 // that owns the aggregate
	Actor       domain.Actor            `json:"actor"`
	Command     string                  `json:"command"`     // the command's ID
	CommandType string                  `json:"commandType"` // wire name
	At          time.Time               `json:"at"`          // when the command was accepted
	Reason      domain.Personal[string] `json:"reason,omitzero"`
	Source      domain.Personal[Source] `json:"source,omitzero"`
	TraceParent string                  `json:"traceparent,omitempty"` // W3C Trace Context
	// BodyMAC is a keyed hash of the command, so that a retry with another
	// body is noticed.
	BodyMAC string `json:"bodyMac,omitempty"`
	// Body is the command, for back-tests; see [CloseBody]. The first event of
	// a command has it.
	Body domain.Personal[string] `json:"body,omitzero"`
	// PolicyVersions are the versions of the policies that the command was
	// decided under, by the policies' names.
	PolicyVersions map[string]int `json:"policyVersions,omitempty"`
	// Refused is the refusal that came with the events, if the caller was refused.
	Refused *domain.Error `json:"refused,omitempty"`
}

// Source is where a request came from.
type Source struct {
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`
}

// ParseMeta reads the metadata of an event.
func ParseMeta(b []byte) (Meta, error) {
	var m Meta
	if err := fast.Unmarshal(b, &m, v1.DefaultOptionsV1()); err != nil {
		return Meta{}, fmt.Errorf("event metadata: %w", err)
	}
	return m, nil
}

// Head is what folding needs of the metadata: two of a dozen fields, for a
// third of the time.
type Head struct {
	Tenant  string `json:"tenant"`
	Command string `json:"command"`
}

// ParseHead reads the head of the metadata of an event. Of metadata as Konto
// writes it, what comes after the head is not looked at.
func ParseHead(b []byte) (Head, error) {
	if h, ok := writtenHead(b); ok {
		return h, nil
	}
	var h Head
	if err := fast.Unmarshal(b, &h, v1.DefaultOptionsV1()); err != nil {
		return Head{}, fmt.Errorf("event metadata: %w", err)
	}
	return h, nil
}

// writtenHead reads the head as encode wrote it. Replays do this for each event,
// and any decoder would take longer for the metadata than for the event.
func writtenHead(b []byte) (h Head, ok bool) {
	r := written{b, true}
	r.skip("{", true)
	for _, name := range []string{`"$correlationId":"`, `"$causationId":"`} {
		if r.skip(name, false) {
			r.text()
			r.skip(",", true)
		}
	}
	r.skip(`"tenant":"`, true)
	h.Tenant = r.text()
	r.skip(`,"actor":{`, true)
	// An actor holds no object, and its strings no quote that is not escaped,
	// so this cannot be found inside of one.
	const after = `},"command":"`
	at := bytes.Index(r.rest, []byte(after))
	if at < 0 {
		return Head{}, false
	}
	r.rest = r.rest[at+len(after):]
	h.Command = r.text()
	return h, r.ok
}

// written is a reader of JSON without spaces, escapes or surprises. After the
// first thing that it did not expect, ok is false.
type written struct {
	rest []byte
	ok   bool
}

// skip reads s and reports whether it is there, as it must if needed.
func (w *written) skip(s string, needed bool) bool {
	found := len(w.rest) >= len(s) && string(w.rest[:len(s)]) == s
	if found {
		w.rest = w.rest[len(s):]
	} else if needed {
		w.ok = false
	}
	return found
}

// text reads up to and with the closing quote.
func (w *written) text() string {
	end := bytes.IndexByte(w.rest, '"')
	if end < 0 || bytes.IndexByte(w.rest[:end], '\\') >= 0 {
		w.ok = false
		return ""
	}
	s := string(w.rest[:end])
	w.rest = w.rest[end+1:]
	return s
}

// encode is json.Marshal of m, written out because every command pays for it:
// it takes a tenth of the time. A text that is not UTF-8 is an error.
func (m Meta) encode() ([]byte, error) {
	w := members{b: make([]byte, 0, 1024)}
	w.text("$correlationId", m.Correlation, true)
	w.text("$causationId", m.Causation, true)
	w.text("tenant", m.Tenant, false)
	w.actor(m.Actor)
	w.text("command", m.Command, false)
	w.text("commandType", m.CommandType, false)
	w.time("at", m.At)
	if !m.Reason.IsZero() {
		w.personal("reason", m.Reason.Readable(), m.Reason.Subject, m.Reason.Value, m.Reason)
	}
	if !m.Source.IsZero() {
		w.personal("source", m.Source.Readable(), m.Source.Subject, m.Source.Value, m.Source)
	}
	w.text("traceparent", m.TraceParent, true)
	w.text("bodyMac", m.BodyMAC, true)
	if !m.Body.IsZero() {
		w.personal("body", m.Body.Readable(), m.Body.Subject, m.Body.Value, m.Body)
	}
	w.versions("policyVersions", m.PolicyVersions)
	if m.Refused != nil {
		w.other("refused", m.Refused)
	}
	return append(w.b, '}'), w.err
}

// members is a JSON object in the making, without its closing brace. The first
// error stays.
type members struct {
	b   []byte
	err error
}

// name begins a member. Names are the program's own and need no escape.
func (w *members) name(name string) {
	if w.b = append(w.b, ','); len(w.b) == 1 {
		w.b[0] = '{'
	}
	w.b = append(append(append(w.b, '"'), name...), `":`...)
}

func (w *members) quote(s string) {
	b, err := jsontext.AppendQuote(w.b, s)
	if err != nil {
		w.err = err
		return
	}
	w.b = b
}

func (w *members) text(name, s string, omitEmpty bool) {
	if s == "" && omitEmpty {
		return
	}
	w.name(name)
	w.quote(s)
}

func (w *members) time(name string, t time.Time) {
	w.name(name)
	w.b = append(t.AppendFormat(append(w.b, '"'), time.RFC3339Nano), '"')
}

// versions writes versions in the order of their names, as json.Marshal does.
// The names are those of policies and need no escape.
func (w *members) versions(name string, versions map[string]int) {
	if len(versions) == 0 {
		return
	}
	var few [8]string // most decisions are made under fewer
	names := few[:0]
	for n := range versions {
		names = append(names, n)
	}
	slices.Sort(names)
	w.name(name)
	in := members{b: w.b[len(w.b):], err: w.err}
	for _, n := range names {
		in.name(n)
		in.b = strconv.AppendInt(in.b, int64(versions[n]), 10)
	}
	w.b, w.err = append(append(w.b, in.b...), '}'), in.err
}

func (w *members) other(name string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.err = err
		return
	}
	w.name(name)
	w.b = append(w.b, b...)
}

func (w *members) actor(a domain.Actor) {
	w.name("actor")
	in := members{b: w.b[len(w.b):], err: w.err}
	in.text("id", a.ID, false)
	in.text("kind", string(a.Kind), false)
	in.text("tenant", a.Tenant, true)
	for i, r := range a.Roles {
		if i == 0 {
			in.name("roles")
			in.b = append(in.b, '[')
		} else {
			in.b = append(in.b, ',')
		}
		in.quote(string(r))
	}
	if len(a.Roles) > 0 {
		in.b = append(in.b, ']')
	}
	if !a.AuthenticatedAt.IsZero() {
		in.time("authenticatedAt", a.AuthenticatedAt)
	}
	if a.Level != 0 {
		in.name("level")
		in.b = strconv.AppendInt(in.b, int64(a.Level), 10)
	}
	w.b, w.err = append(append(w.b, in.b...), '}'), in.err
}

// personal writes whole, of which subject and value are the parts if it is open.
func (w *members) personal(name string, open bool, subject string, value, whole any) {
	if !open {
		w.other(name, whole)
		return
	}
	w.name(name)
	w.b = append(w.b, `{"$personal":{"subject":`...)
	w.quote(subject)
	w.b = append(w.b, `,"value":`...)
	switch v := value.(type) {
	case string:
		w.quote(v)
	case Source:
		w.source(v)
	}
	w.b = append(w.b, `}}`...)
}

func (w *members) source(s Source) {
	in := members{b: w.b[len(w.b):], err: w.err}
	in.text("address", s.Address, true)
	in.text("agent", s.Agent, true)
	if len(in.b) == 0 {
		in.b = append(in.b, '{')
	}
	w.b, w.err = append(append(w.b, in.b...), '}'), in.err
}
