package httpapi

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"konto/eventstore"
	"konto/internal/privacy"
)

// Common is what every query takes. It is exported because huma reads parameters
// from exported fields alone, embedded ones included.
type Common struct {
	After       string `query:"after" doc:"a position from an earlier answer: wait until the read model has seen it"`
	IfNoneMatch string `header:"If-None-Match" doc:"the ETag of what you have; 304 if it is still that"`
}

func (c *Common) base() *Common { return c }

// answer is what a query found.
type answer[T any] struct {
	body     T
	revision *int64 // of the account, if the answer is about one: its ETag
	personal bool   // whether the caller sees personal values; see [server.show]
}

type output struct {
	Status int
	ETag   string `header:"ETag"`
	Body   json.RawMessage
}

// get registers a query. What it finds is opened or masked, tagged, and not
// sent again to a caller who has it.
func get[In, Out any, PIn interface {
	*In
	base() *Common
}](s *server, api huma.API, path, summary, tag string, find func(context.Context, PIn) (answer[Out], error), models ...string,
) {
	types := api.OpenAPI().Components.Schemas
	op := huma.Operation{
		OperationID: operationID(path), Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{tag},
		Responses: map[string]*huma.Response{"200": {Description: "found", Content: map[string]*huma.MediaType{
			"application/json": {Schema: types.Schema(reflect.TypeFor[Out](), true, operationID(path))},
		}}},
	}
	addProblems(api, &op, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusServiceUnavailable)
	if limitedQuery(&op, "") {
		addProblems(api, &op, http.StatusTooManyRequests)
	}
	huma.Register(api, op, func(ctx context.Context, in *In) (*output, error) {
		c := PIn(in).base()
		if err := s.catchUp(ctx, c.After, models); err != nil {
			return nil, s.queryProblem(ctx, op.Path, err)
		}
		found, err := find(ctx, in)
		if errors.Is(err, sql.ErrNoRows) {
			err = newProblem(http.StatusNotFound, "not-found", "there is no such resource")
		}
		if err != nil {
			return nil, s.queryProblem(ctx, op.Path, err)
		}
		out, err := render(s, ctx, found)
		if err != nil {
			return nil, s.queryProblem(ctx, op.Path, err)
		}
		if matches(c.IfNoneMatch, out.ETag) {
			return &output{Status: http.StatusNotModified, ETag: out.ETag}, nil
		}
		return out, nil
	})
}

// catchUp waits until the read models have seen a position.
func (s *server) catchUp(ctx context.Context, after string, models []string) error {
	if after == "" || len(models) == 0 {
		return nil
	}
	position, err := eventstore.ParsePosition(after)
	if err != nil {
		return newProblem(http.StatusBadRequest, "malformed-position", "after takes a position that you were given, such as C:120/P:120")
	}
	ctx, cancel := context.WithTimeout(ctx, s.WaitLimit)
	defer cancel()
	ctx, end := s.untilEnding(ctx)
	defer end()
	if err := s.Read.Wait(ctx, position, models...); err != nil {
		if ctx.Err() != nil {
			return later(newProblem(http.StatusServiceUnavailable, "read-model-behind", "the read model has not seen that position yet; ask again"))
		}
		return err
	}
	return nil
}

func render[T any](s *server, ctx context.Context, a answer[T]) (*output, error) { //nolint:revive // ctx follows the receiver that a generic function cannot have
	body, err := json.Marshal(a.body)
	if err != nil {
		return nil, err
	}
	if body, err = s.show(ctx, body, a.personal); err != nil {
		return nil, err
	}
	out := &output{Status: http.StatusOK, Body: body}
	if a.revision != nil {
		out.ETag = etag(*a.revision)
		return out, nil
	}
	sum := sha256.Sum256(body)
	out.ETag = `W/"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
	return out, nil
}

// show opens sealed values for those who may see them, and masks them for others.
func (s *server) show(ctx context.Context, body []byte, personal bool) ([]byte, error) {
	if !personal {
		return privacy.Plain(body), nil
	}
	opened, err := s.Keys.OpenStored(ctx, body)
	if err != nil {
		return nil, err
	}
	return privacy.Plain(opened), nil
}

// matches reports whether one of the tags in an If-None-Match header is tag
// (RFC 9110 section 13.1.2: weak comparison).
func matches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if t = strings.TrimSpace(t); t != "" && (t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/")) {
			return true
		}
	}
	return false
}

// queryProblem is [server.writeProblem] for queries: huma writes the answer.
func (s *server) queryProblem(ctx context.Context, path string, err error) error {
	p := s.problem(ctx, path, err)
	for i, e := range p.Errors { // a query has no body
		p.Errors[i].Pointer, p.Errors[i].Parameter = "", strings.TrimPrefix(e.Pointer, "/")
	}
	h := http.Header{}
	if p.retry != "" {
		h.Set("Retry-After", p.retry)
	}
	return huma.ErrorWithHeaders(p, h)
}

func operationID(path string) string {
	var words []string
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/v1/"), "/") {
		words = append(words, strings.Trim(part, "{}"))
	}
	return "get-" + strings.Join(words, "-")
}

func typeName(v any) string { return reflect.TypeOf(v).Name() }
