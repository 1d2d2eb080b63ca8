package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"konto/domain"
	"konto/domain/exposure"
	"konto/domain/policyversion"
	"konto/domain/recovery"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Accepted is the answer to a command.
type Accepted struct {
	Stream   string          `json:"stream" doc:"the account that the command was for"`
	Revision int64           `json:"revision" doc:"of the account after the command; name it in If-Match"`
	Position string          `json:"position,omitempty" doc:"pass it as after= to a query to read your own write"`
	Events   []AcceptedEvent `json:"events" doc:"what was recorded; empty if there was nothing to do"`
	Replayed bool            `json:"replayed,omitempty" doc:"the same command had been carried out before"`
	// RecoveryAssertion is the identity provider's proof that a person may choose
	// a new password. A replayed answer has none: it is given once.
	RecoveryAssertion string `json:"recoveryAssertion,omitempty" doc:"of CompletePasswordReset: a signed token for the identity provider, given once"`
	// WebhookSecret signs an endpoint's calls. A replayed answer has none: it is
	// given once.
	WebhookSecret string `json:"webhookSecret,omitempty" doc:"of RegisterWebhookEndpoint and RotateWebhookSecret: what signs the calls (Standard Webhooks), given once"`
	// Merged is what others changed since the revision in If-Match.
	Merged []command.FieldChange `json:"merged,omitempty" doc:"what others changed since the revision in If-Match, if the command was carried out all the same (Prefer: handling=lenient)"`

	Cautions []domain.Caution `json:"cautions,omitempty" doc:"consequences that people should know of"`

	PolicyVersions map[string]int `json:"policyVersions,omitempty" doc:"the versions of the policies that it was decided under"`

	DryRun  bool            `json:"dryRun,omitempty"`
	Effects []Effect        `json:"effects,omitempty" doc:"what would follow (dry runs only)"`
	Trace   []domain.Ruling `json:"trace,omitempty" doc:"how the authorization got there (dry runs only)"`
}

// AcceptedEvent is an event that a command led to.
type AcceptedEvent struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data,omitempty" doc:"dry runs only"`
}

// Effect is something that would follow from a command's events.
type Effect struct {
	Kind     string `json:"kind" enum:"notice,command"`
	To       string `json:"to" doc:"the person or the account"`
	Name     string `json:"name" doc:"the message's template or the command"`
	Channel  string `json:"channel,omitempty"`
	AfterSec int64  `json:"afterSeconds,omitempty"`
}

// commands registers a route for every command that callers may send. Adding
// a command to a contract is all that it takes.
func (s *server) commands(mux *http.ServeMux, api huma.API) {
	for _, c := range s.Contracts {
		for _, info := range c.Commands() {
			if info.Internal || info.NoRoute {
				continue
			}
			path := "/v1/" + c.Collection() + "/{id}/" + info.Name
			mux.Handle("POST "+path, s.command(c.Category(), info))
			api.OpenAPI().AddOperation(commandOperation(api, c, info, path))
		}
	}
}

// command is the handler of one command's route.
func (s *server) command(category string, info domain.CommandInfo) http.Handler {
	cautions := cautionsOf(info)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := s.request(w, r, category, info.Name)
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		res, err := s.Commands.Handle(r.Context(), req)
		if err != nil {
			err = s.discreetly(r.Context(), req, err)
			if p := problemOf(err); req.DryRun {
				p.Trace = res.Trace
				err = p
			}
			s.writeProblem(w, r, err)
			return
		}
		assertion, err := s.assertRecovery(req, res)
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		secret, err := s.webhookSecret(r.Context(), req, res)
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		if res, err = s.discreet(r.Context(), req, res); err != nil {
			s.writeProblem(w, r, err)
			return
		}
		s.writeAccepted(w, req, res, Accepted{RecoveryAssertion: assertion, WebhookSecret: secret, Cautions: cautions})
	})
}

// ids are what may stand in a path: UUIDs, or two of them for a relationship.
var ids = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$`)

// names are what may stand in a path for a policy.
var names = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*$`)

func isID(category, id string) bool {
	switch category {
	case policyversion.Aggregate.Category():
		return len(id) <= 64 && names.MatchString(id)
	case exposure.Aggregate.Category():
		return slices.Contains(recovery.Shards(), id)
	}
	return ids.MatchString(id)
}

func (s *server) request(w http.ResponseWriter, r *http.Request, category, name string) (command.Request, error) {
	actor, err := s.actor(r)
	if err != nil {
		return command.Request{}, err
	}
	if limited(category) {
		if err := s.count(w, actor); err != nil {
			return command.Request{}, err
		}
	}
	id := r.PathValue("id")
	if !isID(category, id) {
		return command.Request{}, newProblem(http.StatusNotFound, "not-found", "there is no such account")
	}
	req := command.Request{
		Category: category, Target: id, Command: name, Actor: actor,
		Correlation: correlation(r), Source: Source(r),
	}
	if req.DryRun, err = asked(r); err != nil {
		return req, err
	}
	if req.ID, err = s.commandID(r, actor, envelope.Stream(category, id)); err != nil {
		return req, err
	}
	if req.Expected, err = ifMatch(r); err != nil {
		return req, err
	}
	req.Merge = lenient(r)
	if req.Reason, err = reason(r); err != nil {
		return req, err
	}
	req.Body, err = readBody(w, r, s.fields)
	return req, err
}

// commandSpace is the namespace of command IDs that derive from a caller's key.
var commandSpace = uuid.MustParse("5e7c2f3a-6d0b-5b1e-9c55-0d5b0b6f1a77")

// commandID derives the command's ID from the Idempotency-Key, or draws one.
// The key is the actor's own and for one account: the account's stream is
// where a repeat is recognized.
func (s *server) commandID(r *http.Request, a domain.Actor, stream string) (uuid.UUID, error) {
	key := r.Header.Get("Idempotency-Key")
	switch {
	case key == "":
		return s.NewID(), nil
	case len(key) > 255 || isCardNumber(key):
		return uuid.UUID{}, newProblem(http.StatusBadRequest, "malformed-idempotency-key", "an Idempotency-Key has 1 to 255 characters and is no card number")
	}
	return uuid.NewSHA1(commandSpace, []byte(a.Tenant+"\x00"+a.ID+"\x00"+stream+"\x00"+key)), nil
}

// ifMatch returns the revision that the caller saw: a strong entity tag
// (RFC 9110 section 8.8.3) that holds a number.
func ifMatch(r *http.Request) (*eventstore.Revision, error) {
	tag := r.Header.Get("If-Match")
	if tag == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || n < 0 || len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return nil, newProblem(http.StatusBadRequest, "malformed-if-match", `If-Match takes the ETag that you were given, such as "12"`)
	}
	revision := eventstore.Revision(n)
	return &revision, nil
}

// lenient reports whether the caller lets a command be carried out although
// others changed what it does not touch (RFC 7240 section 4.4).
func lenient(r *http.Request) bool {
	for _, line := range r.Header.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
			if strings.EqualFold(name, "handling") && strings.EqualFold(strings.Trim(value, `"`), "lenient") {
				return true
			}
		}
	}
	return false
}

// Source says where r comes from, for who looks into a history.
func Source(r *http.Request) envelope.Source {
	host, _, ok := strings.Cut(r.RemoteAddr, "]:")
	if host = strings.TrimPrefix(host, "["); !ok {
		host, _, _ = strings.Cut(r.RemoteAddr, ":")
	}
	agent := r.UserAgent()
	if isCardNumber(agent) {
		agent = "" // nothing is kept of a card number, not even sealed
	}
	return envelope.Source{Address: host, Agent: agent[:min(len(agent), 200)]}
}

// cautionsOf returns what people should know of a command's consequences; they
// are the same whatever it says.
func cautionsOf(info domain.CommandInfo) []domain.Caution {
	if c, ok := reflect.TypeAssert[domain.Cautioner](reflect.New(info.Type).Elem()); ok {
		return c.Cautions()
	}
	return nil
}

// writeAccepted answers with what came of req, and with what stands in also.
func (s *server) writeAccepted(w http.ResponseWriter, req command.Request, res command.Result, also Accepted) {
	out := Accepted{
		Stream: res.Stream, Revision: int64(res.Revision), Replayed: res.Replayed,
		Events: make([]AcceptedEvent, len(res.Events)), DryRun: req.DryRun, Trace: res.Trace, PolicyVersions: res.Versions,
		Merged: res.Merged, RecoveryAssertion: also.RecoveryAssertion, WebhookSecret: also.WebhookSecret,
	}
	if len(res.Events) > 0 {
		out.Cautions = also.Cautions
	}
	for i, e := range res.Events {
		out.Events[i] = AcceptedEvent{ID: e.ID.String(), Type: e.Type}
		if req.DryRun {
			out.Events[i].Data = privacy.Plain(e.Data)
		}
	}
	for _, e := range res.Effects {
		out.Effects = append(out.Effects, effect(e))
	}
	h := w.Header()
	if res.Position != (eventstore.Position{}) {
		out.Position = res.Position.String()
		h.Set("Konto-Position", out.Position)
	}
	if res.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if res.Merged != nil {
		h.Set("Preference-Applied", "handling=lenient") // RFC 7240 section 3
	}
	if res.Revision >= 0 {
		h.Set("ETag", etag(int64(res.Revision)))
	}
	h.Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // the caller has gone if this fails
}

func effect(e domain.Effect) Effect {
	switch e := e.(type) {
	case domain.Notice:
		return Effect{Kind: "notice", To: e.To, Name: e.Template, Channel: string(e.Channel)}
	case domain.Dispatch:
		return Effect{Kind: "command", To: e.To, Name: typeName(e.Command), AfterSec: int64(e.After.Seconds())}
	}
	return Effect{}
}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }
