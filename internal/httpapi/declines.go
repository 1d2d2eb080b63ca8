package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"konto/domain"
	"konto/domain/collection"
	"konto/internal/notify"
	"konto/projections"
)

// Language is in which language what a query says in words is said. It is
// exported because huma reads parameters from exported fields alone.
type Language struct {
	Lang   string `query:"lang" doc:"the language of what is said in words, BCP 47; what you accept, if absent"`
	Accept string `header:"Accept-Language" doc:"the languages that you read, the one you like best first"`
}

// tag returns the language asked for, or the one liked best.
func (l Language) tag() string {
	first, _, _ := strings.Cut(l.Accept, ",")
	first, _, _ = strings.Cut(first, ";")
	return cmp.Or(l.Lang, strings.TrimSpace(first))
}

type declinesQuery struct {
	ListQuery
	Language
	Invoice string `query:"invoice" doc:"only attempts on this invoice"`
	Card    string `query:"card" doc:"only attempts on this card"`
}

func (s *server) declines(ctx context.Context, q *declinesQuery) (answer[Page[projections.DeclineExplanation]], error) {
	a, err := many(s, ctx, collection.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.DeclineExplanation, string, error) {
		f := projections.DeclineFilter{InvoiceID: q.Invoice, CardID: q.Card}
		return projections.DeclineList(ctx, s.Read, tenant, f, q.Cursor, q.Limit)
	})
	for i := range a.body.Items {
		if err == nil {
			err = s.explain(ctx, &a.body.Items[i], a.personal, q.tag())
		}
	}
	return a, err
}

// unknownCodes is how many unknown codes are listed at most.
const unknownCodes = 500

// errUnknownCodes says who looks after the taxonomy. What a code that nobody
// knows means may be what must not be told, so that the organizations do not
// see it.
var errUnknownCodes = domain.Forbidden("unknown-decline-codes-not-allowed", "this is for operators").
	ByRule("C7").Allowed("", domain.Operator)

func (s *server) unknownDeclineCodes(ctx context.Context, _ *Common) (a answer[Page[projections.UnknownDeclineCode]], err error) {
	if !actorOf(ctx).Has(domain.Operator) {
		return a, errUnknownCodes
	}
	a.body.Items, err = projections.UnknownDeclineCodes(ctx, s.Read, unknownCodes)
	return a, err
}

type declineQuery struct {
	OneQuery
	Language
}

func (s *server) decline(ctx context.Context, q *declineQuery) (answer[projections.DeclineExplanation], error) {
	a, err := one(s, ctx, collection.Aggregate.Category(), &q.OneQuery, func(tenant string) (projections.DeclineExplanation, error) {
		return projections.Decline(ctx, s.Read, tenant, q.ID)
	}, func(projections.DeclineExplanation) int64 { return -1 })
	if err == nil {
		err = s.explain(ctx, &a.body, a.personal, q.tag())
	}
	return a, err
}

// explain takes the billing address apart for those who may see it, and says
// in words what is known of each field.
func (s *server) explain(ctx context.Context, d *projections.DeclineExplanation, personal bool, locale string) error {
	if personal {
		typed := [2]projections.Typed{d.Charged, d.Now}
		sealed, err := json.Marshal(typed)
		if err != nil {
			return err
		}
		opened, err := s.Keys.OpenStored(ctx, sealed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(opened, &typed); err != nil {
			return err
		}
		d.Explain(typed[0], typed[1])
	}
	words, err := s.words()
	if err != nil {
		return err
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		said, err := words.Say(locale, notify.Finding{
			Field: string(f.Name), Status: string(f.Status), Fault: string(f.Fault), Step: string(f.NextStep),
		})
		if err != nil {
			return err
		}
		f.Title, f.Meaning, f.ToDo = said.Title, said.Meaning, said.ToDo
	}
	return nil
}
