package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain"
	"konto/domain/rules"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/identity"
	"konto/internal/session"
)

// Problem is what a caller gets instead of an answer: RFC 9457, with what the
// caller needs to act on it as extension members.
type Problem struct {
	Type     string `json:"type" doc:"URI reference of the kind of problem; its last segment is the code"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance,omitempty" doc:"what was asked for"`

	Code      string                `json:"code" doc:"stable, for programs"`
	RequestID string                `json:"requestId,omitempty" doc:"names this request in logs and events"`
	Rule      string                `json:"rule,omitempty" doc:"the rule that refused"`
	Because   *Because              `json:"because,omitempty" doc:"the rule in words, and the page that it comes from"`
	WhoMay    []domain.Role         `json:"whoMay,omitempty" doc:"who could do what was refused: roles; or self, the person whose account it is; owner, whoever added the card; managing-partner"`
	Instead   string                `json:"instead,omitempty" doc:"the command that is allowed instead"`
	InsteadBy []domain.Role         `json:"insteadBy,omitempty" doc:"who may do that"`
	Facts     map[string]any        `json:"facts,omitempty" doc:"what helps to act on the refusal"`
	Errors    []FieldProblem        `json:"errors,omitempty" doc:"everything that is wrong with the request"`
	Trace     []domain.Ruling       `json:"trace,omitempty" doc:"how the authorization got there (dry runs only)"`
	Seen      *int64                `json:"seen,omitempty" doc:"the revision that you named"`
	Current   *int64                `json:"current,omitempty" doc:"the revision that there is"`
	Changes   []command.FieldChange `json:"changes,omitempty" doc:"what changed since the revision that you named"`
	// ViolatedPolicies has its name from draft-ietf-httpapi-ratelimit-headers.
	ViolatedPolicies []string `json:"violated-policies,omitempty" doc:"the quotas that are used up, as the RateLimit-Policy header names them"`
	retry            string   // Retry-After, seconds
	challenge        string   // WWW-Authenticate
}

// Because is a rule in words, and where it comes from.
type Because struct {
	Says      string   `json:"says"`
	Page      string   `json:"page" doc:"the help page's title in English, or another source"`
	Languages []string `json:"languages,omitempty" doc:"of the page's texts that the rule was read from"`
	// Sentence is the first of the page that the rule follows from.
	Sentence *rules.Sentence  `json:"sentence,omitempty" doc:"of the help page, in our own words, and the rules that follow from it"`
	Others   []rules.Sentence `json:"others,omitempty" doc:"more sentences that the rule follows from"`
}

// FieldProblem is one of several things that are wrong.
type FieldProblem struct {
	Pointer   string `json:"pointer,omitempty" doc:"JSON pointer (RFC 6901) into the request body"`
	Parameter string `json:"parameter,omitempty" doc:"the parameter of the query, the path or the header that is wrong"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Rule      string `json:"rule,omitempty"`

	Because   *Because      `json:"because,omitempty" doc:"the rule in words, and the page that it comes from"`
	WhoMay    []domain.Role `json:"whoMay,omitempty" doc:"who could do it; see above"`
	Instead   string        `json:"instead,omitempty" doc:"the command that is allowed instead"`
	InsteadBy []domain.Role `json:"insteadBy,omitempty" doc:"who may do that"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// explain says what the rules are that refused.
func (p *Problem) explain() {
	p.Because = because(p.Rule)
	for i := range p.Errors {
		p.Errors[i].Because = because(p.Errors[i].Rule)
	}
}

func because(id string) *Because {
	rule, ok := rules.Find(id)
	if !ok {
		return nil
	}
	b := &Because{Says: rule.Says, Page: rule.Source.Page, Languages: rule.Source.Languages}
	if from := rules.SentencesOf(id); len(from) > 0 {
		b.Sentence, b.Others = &from[0], from[1:]
	}
	return b
}

// GetStatus implements [huma.StatusError].
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements [huma.ContentTypeFilter].
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "/problems/" + code, Title: title(code), Status: status, Detail: detail, Code: code}
}

// title turns a code into words: "card-in-use" is "Card in use".
func title(code string) string {
	words := strings.ReplaceAll(code, "-", " ")
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

var kindStatus = map[domain.Kind]int{
	domain.KindMalformed: http.StatusBadRequest,
	domain.KindInvalid:   http.StatusUnprocessableEntity,
	domain.KindConflict:  http.StatusConflict,
	domain.KindForbidden: http.StatusForbidden,
	domain.KindNotFound:  http.StatusNotFound,
}

// problemOf is the one place where errors become answers. Faults say nothing of
// their cause; the log has it, under the request's ID.
func problemOf(err error) *Problem {
	var p *Problem
	var rule *domain.Error
	var stale *command.StaleError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &rule):
		return ofRule(rule)
	case errors.As(err, &stale):
		return ofStale(stale)
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "body-too-large", "a request body has at most 1 MiB")
	case errors.Is(err, domain.ErrUnknownType):
		return newProblem(http.StatusInternalServerError, "internal", "the request met something that this version does not know")
	case errors.Is(err, identity.ErrUnavailable):
		return later(newProblem(http.StatusServiceUnavailable, "identity-unavailable", "the issuer of tokens cannot be asked now"))
	case errors.Is(err, identity.ErrExpired):
		return unauthorized("token-expired", "the token has expired")
	case errors.Is(err, session.ErrEnded):
		p := unauthorized("session-ended", "the session was ended: the person has left, or was signed out everywhere; who may still sign in, signs in again")
		p.Rule = "S13"
		return p
	case errors.Is(err, identity.ErrInvalid):
		return unauthorized("token-invalid", "the token is not valid here")
	case errors.Is(err, syscall.ENOSPC):
		return later(newProblem(http.StatusInsufficientStorage, "storage-full", "the store's disk is full; nothing was changed"))
	case errors.Is(err, eventstore.ErrTooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "body-too-large", "what the command leads to is too large to store")
	case errors.Is(err, eventstore.ErrWrongRevision):
		return later(newProblem(http.StatusServiceUnavailable, "busy", "others keep changing the same account; send the command again"))
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrClosed), errors.Is(err, eventstore.ErrUnknownOutcome):
		return later(newProblem(http.StatusServiceUnavailable, "store-unavailable", "the store cannot answer now; send the command again with the same Idempotency-Key"))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return later(newProblem(http.StatusServiceUnavailable, "timeout", "the request took too long; send it again with the same Idempotency-Key"))
	}
	return newProblem(http.StatusInternalServerError, "internal", "the request could not be carried out; the log has the reason")
}

func ofRule(e *domain.Error) *Problem {
	p := newProblem(kindStatus[e.Kind], e.Code, e.Detail)
	p.Rule, p.WhoMay, p.Instead, p.InsteadBy, p.Facts = e.Rule, e.WhoMay, e.Instead, e.InsteadBy, e.Facts
	if e.Is(command.ErrMustMatch) {
		p.Status = http.StatusPreconditionRequired
	}
	p.challenge = stepUp(e)
	for _, c := range e.Causes {
		p.Errors = append(p.Errors, ofCause(c))
	}
	if e.Pointer != "" {
		p.Errors = append(p.Errors, ofCause(e))
	}
	return p
}

// stepUp is what a client takes to the issuer to sign the person in again as the
// rule asks (RFC 9470 section 3). The token is good, so the answer stays 403,
// which may carry a challenge, too (RFC 9110 section 11.6.1).
func stepUp(e *domain.Error) string {
	if !e.Is(securityinfo.ErrOldSession) && !e.Is(securityinfo.ErrWeakSession) {
		return ""
	}
	challenge := `Bearer realm="konto", error="insufficient_user_authentication"`
	if l, ok := e.Facts["minLevel"].(domain.Level); ok {
		challenge += fmt.Sprintf(`, acr_values=%q`, identity.ACR(l))
	}
	if minutes, ok := e.Facts["maxAgeMinutes"].(int); ok {
		challenge += fmt.Sprintf(`, max_age="%d"`, minutes*60)
	}
	return challenge
}

func ofCause(e *domain.Error) FieldProblem {
	return FieldProblem{
		Pointer: e.Pointer, Code: e.Code, Detail: e.Detail, Rule: e.Rule, WhoMay: e.WhoMay, Instead: e.Instead, InsteadBy: e.InsteadBy,
	}
}

func ofStale(e *command.StaleError) *Problem {
	p := newProblem(http.StatusPreconditionFailed, "stale-revision", "the account has changed since the revision that you named")
	if n := len(e.Conflicts()); n > 0 {
		p.Detail += "; you and somebody else changed the same fields: " + strings.Join(e.Conflicts(), ", ")
	}
	seen, current := int64(e.Seen), int64(e.Current)
	p.Rule, p.Seen, p.Current, p.Changes = "X1", &seen, &current, e.Changes
	return p
}

func unauthorized(code, detail string) *Problem {
	p := newProblem(http.StatusUnauthorized, code, detail)
	p.challenge = `Bearer realm="konto", error="invalid_token"`
	return p
}

func later(p *Problem) *Problem {
	p.retry = "1"
	return p
}

// writeProblem answers r with err. Faults are logged here, where they stop.
func (s *server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), r.Pattern, err)
	w.Header().Del("ETag")
	if p.retry != "" {
		w.Header().Set("Retry-After", p.retry)
	}
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", p.challenge)
	}
	send(w, r, p)
}

// problem is what a request hears of err. A fault is logged.
func (s *server) problem(ctx context.Context, route string, err error) *Problem {
	p := *problemOf(err)
	p.RequestID = requestID(ctx)
	p.explain()
	if p.Status >= http.StatusInternalServerError {
		s.Log.Warn().Err(err).Str("request_id", p.RequestID).Str("route", route).Int("status", p.Status).Msg("request failed")
	}
	return &p
}

func send(w http.ResponseWriter, r *http.Request, p *Problem) {
	p.RequestID, p.Instance = requestID(r.Context()), r.URL.Path
	p.explain()
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller has gone if this fails
}

// asProblem gives what huma found wrong with a query the shape of our problems,
// and every problem of a query what it was about.
func asProblem(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if m, huma := v.(*huma.ErrorModel); huma {
		p, ok = newProblem(m.Status, "malformed-request", m.Detail), true
		for _, e := range m.Errors {
			_, name, _ := strings.Cut(e.Location, ".") // "query.limit"
			p.Errors = append(p.Errors, FieldProblem{Parameter: name, Code: "malformed", Detail: e.Message})
		}
	}
	if !ok {
		return v, nil
	}
	asked := ctx.URL()
	p.RequestID, p.Instance = requestID(ctx.Context()), asked.Path
	return p, nil
}

// WriteProblem answers r with a problem, for handlers outside this package
// that are served beside it.
func WriteProblem(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	send(w, r, newProblem(status, code, detail))
}
