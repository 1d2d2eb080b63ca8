package httpapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain"
	"konto/domain/audit"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/history"
)

// HistoryPage is a page of an account's history.
type HistoryPage struct {
	Stream string          `json:"stream"`
	Events []history.Entry `json:"events"`
	// Next is the revision to read on from; absent on the last page.
	Next *int64 `json:"next,omitempty"`
}

// accounts registers what auditors read: it comes from the event store alone.
func (s *server) accounts(api huma.API) {
	get(s, api, "/v1/accounts/{stream}/history", "Every event of an account, with who, why and the state it led to", "accounts", s.accountHistory)
	get(s, api, "/v1/accounts/{stream}/state", "The state of an account at a moment", "accounts", s.accountState)
	get(s, api, "/v1/accounts/{stream}/diff", "What differs between two moments of an account", "accounts", s.accountDiff)
}

// Account names the account that is read; exported, like [Common].
type Account struct {
	Common
	Stream string `path:"stream" doc:"the account's stream, such as card-0192…"`
	Case   string `query:"case" doc:"of billing support: the open case that the account is a part of, such as collection-0192…"`
}

type historyQuery struct {
	Account
	From  int64 `query:"from" minimum:"0" doc:"the revision to begin with"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" doc:"events on a page" default:"100"`
}

func (s *server) accountHistory(ctx context.Context, q *historyQuery) (answer[HistoryPage], error) {
	query := audit.Query{Kind: audit.ReadHistory, Account: q.Stream}
	if q.From > 0 {
		query.From = strconv.FormatInt(q.From, 10)
	}
	sight, err := s.sightOf(ctx, q.Account, query)
	if err != nil {
		return answer[HistoryPage]{}, err
	}
	page := HistoryPage{Stream: q.Stream, Events: []history.Entry{}}
	for e, err := range s.history.Entries(ctx, q.Stream, sight, eventstore.Revision(q.From)) {
		if err != nil {
			return answer[HistoryPage]{}, err
		}
		if len(page.Events) == q.Limit {
			page.Next = &e.Revision
			break
		}
		page.Events = append(page.Events, e)
	}
	return answer[HistoryPage]{body: page}, nil
}

type stateQuery struct {
	Account
	AsOf string `query:"as-of" doc:"a revision, an RFC 3339 time or a date; now if absent"`
}

func (s *server) accountState(ctx context.Context, q *stateQuery) (answer[history.Snapshot], error) {
	at, err := history.ParseMoment(q.AsOf)
	if err != nil {
		return answer[history.Snapshot]{}, err
	}
	sight, err := s.sightOf(ctx, q.Account, audit.Query{Kind: audit.ReadState, Account: q.Stream, To: q.AsOf})
	if err != nil {
		return answer[history.Snapshot]{}, err
	}
	snapshot, err := s.history.At(ctx, q.Stream, sight, at)
	return answer[history.Snapshot]{body: snapshot, revision: &snapshot.Revision}, err
}

type diffQuery struct {
	Account
	From string `query:"from" required:"true" doc:"a revision, an RFC 3339 time or a date"`
	To   string `query:"to" doc:"the same; now if absent"`
}

func (s *server) accountDiff(ctx context.Context, q *diffQuery) (answer[history.Difference], error) {
	from, err := history.ParseMoment(q.From)
	if err != nil {
		return answer[history.Difference]{}, err
	}
	to, err := history.ParseMoment(q.To)
	if err != nil {
		return answer[history.Difference]{}, err
	}
	sight, err := s.sightOf(ctx, q.Account, audit.Query{Kind: audit.ReadDiff, Account: q.Stream, From: q.From, To: q.To})
	if err != nil {
		return answer[history.Difference]{}, err
	}
	d, err := s.history.Diff(ctx, q.Stream, sight, from, to)
	return answer[history.Difference]{body: d}, err
}

// sightOf says how much the caller may see of an account's history, and records
// the reading if it has to be. What the caller may not read at all does not exist.
func (s *server) sightOf(ctx context.Context, a Account, q audit.Query) (domain.Sight, error) {
	category, id, ok := envelope.Split(a.Stream)
	if !ok || !isID(category, id) {
		return domain.Sight{}, history.ErrNoAccount
	}
	owner, err := s.history.Owner(ctx, a.Stream)
	if err != nil {
		return domain.Sight{}, err
	}
	l := domain.Look{Category: category, ID: id, Owner: owner, Case: a.Case}
	if q.Kind == audit.ReadState && q.To == "" {
		if _, err := s.lookBack(ctx, l); err != nil { // as it is now is no history
			sight, err := s.sight(ctx, category, id, owner)
			return sight, missingAccount(err)
		}
	}
	sight, err := s.past(ctx, l, q)
	return sight, missingAccount(err)
}

// missingAccount gives the same answer for an account that is not there for
// the caller as for one that is not there.
func missingAccount(err error) error {
	if problemOf(err).Status == http.StatusNotFound {
		return history.ErrNoAccount
	}
	return err
}

// sight says how much the caller may see of what is so now.
func (s *server) sight(ctx context.Context, category, id, owner string) (domain.Sight, error) {
	return s.Commands.Look(ctx, s.Reading, domain.Look{Category: category, ID: id, Owner: owner, Actor: actorOf(ctx), At: s.Now()})
}
