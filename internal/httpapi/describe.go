package httpapi

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/customer"
	"konto/internal/gateway"
)

// schemas names and shapes the types of the OpenAPI document. A type of an
// aggregate is named after the aggregate, too, since several have a Checks or
// an Address; a command's name is unique by itself. A personal value is
// described as what callers see of it.
func schemas() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		aggregate, ok := strings.CutPrefix(t.PkgPath(), "konto/domain/")
		if !ok || t.Name() == hint {
			return huma.DefaultSchemaNamer(t, hint)
		}
		return title(aggregate) + huma.DefaultSchemaNamer(t, hint)
	})
	r.RegisterTypeAlias(reflect.TypeFor[domain.Personal[string]](), reflect.TypeFor[string]())
	r.RegisterTypeAlias(reflect.TypeFor[domain.Personal[card.Address]](), reflect.TypeFor[card.Address]())
	r.RegisterTypeAlias(reflect.TypeFor[domain.Personal[customer.Address]](), reflect.TypeFor[customer.Address]())
	r.RegisterTypeAlias(reflect.TypeFor[domain.Personal[customer.BillingContact]](), reflect.TypeFor[customer.BillingContact]())
	return r
}

// commandOperation describes a command's route in the OpenAPI document.
func commandOperation(api huma.API, c domain.Contract, info domain.CommandInfo, path string) *huma.Operation {
	types := api.OpenAPI().Components.Schemas
	header := func(name, doc string, required bool) *huma.Param {
		return &huma.Param{Name: name, In: "header", Description: doc, Required: required, Schema: &huma.Schema{Type: "string"}}
	}
	op := &huma.Operation{
		OperationID: info.Name + "-" + c.Category(), Method: http.MethodPost, Path: path,
		Summary: info.Summary, Tags: []string{c.Collection()},
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Description: "the account's ID", Schema: &huma.Schema{Type: "string"}},
			{Name: "dry-run", In: "query", Description: "decide and preview, but write nothing; without a value it is true", Schema: &huma.Schema{Type: "boolean"}},
			header("Idempotency-Key", "1-255 characters; with the same key, the command is carried out once on the account", false),
			header("If-Match", "the ETag that you saw; 412 with the differences if the account has moved on", info.CallerSaw),
			header("Prefer", "handling=lenient carries the command out also if others changed what it does not touch since the ETag in If-Match, and says what", false),
			header("Konto-Reason", "why, for auditors: one line of percent-encoded UTF-8, at most 1,000 bytes", false),
			header("Correlation-Id", "a UUID that ties this to other requests", false),
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: types.Schema(info.Type, true, info.Name)},
		}},
		Responses: map[string]*huma.Response{
			"200": {Description: "carried out, or nothing to do", Content: map[string]*huma.MediaType{
				"application/json": {Schema: types.Schema(reflect.TypeFor[Accepted](), true, "Accepted")},
			}},
		},
	}
	addProblems(api, op, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	if info.CallerSaw {
		addProblems(api, op, http.StatusPreconditionRequired)
	}
	if limited(c.Category()) {
		addProblems(api, op, http.StatusTooManyRequests)
	}
	return op
}

// describeOthers describes the routes that are neither commands nor queries.
func (s *server) describeOthers(api huma.API) {
	types := api.OpenAPI().Components.Schemas
	for _, o := range []struct {
		method, path, tag, summary, content string
		answer                              reflect.Type
		open                                bool
	}{
		{http.MethodGet, "/v1/events", "accounts", "Follow events as they are recorded (server-sent events; ?after= or Last-Event-ID resumes), or take them as a file up to now (?format=csv or jsonl)", "text/event-stream", reflect.TypeFor[TailEvent](), false},
		{http.MethodGet, "/v1/audit-bundle", "audit-access", "All that your audit session covers, as JSON lines: a head, the events, and an end with their count and digest", "application/jsonl", reflect.TypeFor[BundleHead](), false},
		{http.MethodGet, "/v1/subjects/{id}/export", "subjects", "Everything that is kept about a person, once ExportSubjectData was sent", "application/json", reflect.TypeFor[SubjectExport](), false},
		{http.MethodPost, "/v1/gateways/stripe", "gateways", "Stripe's webhook: signed with Stripe-Signature, taken once per event", "application/json", reflect.TypeFor[gateway.Receipt](), true},
		{http.MethodGet, "/livez", "system", "Whether the process is alive", "application/json", reflect.TypeFor[map[string]string](), true},
		{http.MethodGet, "/readyz", "system", "Whether requests can be served: each part, each projection with its lag", "application/json", reflect.TypeFor[Health](), true},
		{http.MethodGet, "/version", "system", "Which build is running", "application/json", reflect.TypeFor[Version](), true},
	} {
		op := &huma.Operation{
			OperationID: strings.ToLower(o.method) + strings.ReplaceAll(strings.TrimPrefix(o.path, "/v1"), "/", "-"),
			Method:      o.method, Path: o.path, Summary: o.summary, Tags: []string{o.tag},
			Responses: map[string]*huma.Response{"200": {Description: "found", Content: map[string]*huma.MediaType{
				o.content: {Schema: types.Schema(o.answer, true, o.tag+"Answer")},
			}}},
		}
		if o.open {
			op.Security = []map[string][]string{}
		}
		api.OpenAPI().AddOperation(op)
	}
}

func addProblems(api huma.API, op *huma.Operation, statuses ...int) {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
		}
	}
}
