package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/audit"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/history"
)

// logForm is the form in which a caller wants the log: as a file up to now, or
// "" to follow it.
func logForm(r *http.Request) (string, error) {
	switch form := r.URL.Query().Get("format"); form {
	case "csv", "jsonl":
		return form, nil
	case "":
	default:
		return "", newProblem(http.StatusBadRequest, "malformed-format", "format is csv or jsonl; without it, events come as they are recorded")
	}
	accept := r.Header.Get("Accept")
	switch {
	case strings.Contains(accept, "text/csv"):
		return "csv", nil
	case strings.Contains(accept, "application/jsonl"), strings.Contains(accept, "application/x-ndjson"):
		return "jsonl", nil
	}
	return "", nil
}

// copyLog sends what the caller may read of the log as a file, from a position
// to what had been recorded when the request came. It is written while the
// store is read. What breaks off is resumed after the last position in it.
func (s *server) copyLog(ctx context.Context, w http.ResponseWriter, form string, after eventstore.Position) error {
	until, err := eventstore.Head(ctx, s.Store)
	if err != nil {
		return err
	}
	w.Header().Set("Konto-Position", until.String())
	var lines *history.Writer
	if form == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		w.Header().Set("Content-Disposition", `attachment; filename="events.csv"`)
		if lines, err = history.CSV(w); err != nil {
			return nil // the caller has gone
		}
	} else {
		w.Header().Set("Content-Type", "application/jsonl")
		w.Header().Set("Content-Disposition", `attachment; filename="events.jsonl"`)
		lines = history.JSONLines(w)
	}
	f := &follower{server: s, after: after, sights: map[string]*domain.Sight{}}
	for l, err := range f.lines(ctx, after, until) {
		if err != nil {
			s.breakOff(ctx, err)
		}
		if lines.Write(l) != nil {
			return nil // the caller has gone
		}
	}
	return nil
}

// breakOff ends an answer that has begun, so that the caller sees that it is
// not whole.
func (s *server) breakOff(ctx context.Context, err error) {
	s.Log.Warn().Err(err).Str("request_id", requestID(ctx)).Msg("export broken off")
	panic(http.ErrAbortHandler)
}

// lines yields what the reader may see of the log, after a position and up to
// another.
func (f *follower) lines(ctx context.Context, after, until eventstore.Position) iter.Seq2[history.Line, error] {
	return func(yield func(history.Line, error) bool) {
		for rec, err := range f.Store.ReadAll(ctx, eventstore.ReadAll{From: after}) {
			if err != nil {
				yield(history.Line{}, err)
				return
			}
			if rec.Position.Commit > until.Commit {
				return
			}
			l, ok, err := f.line(ctx, rec)
			if err == nil && !ok {
				continue
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

func (f *follower) line(ctx context.Context, rec eventstore.Recorded) (history.Line, bool, error) {
	category, _, ok := envelope.Split(rec.Stream)
	if rec.System() || !ok {
		return history.Line{}, false, nil
	}
	head, err := envelope.ParseHead(rec.Meta)
	if err != nil {
		return history.Line{}, false, err
	}
	sight, err := f.sightOf(ctx, rec, head.Tenant)
	if err != nil || sight == nil {
		return history.Line{}, false, err
	}
	if f.only != nil && sight.Session == "" && !f.only.Covers(category, rec.Stream) {
		return history.Line{}, false, nil // the reader's own, and not of the session
	}
	l, err := f.history.Line(ctx, rec, *sight)
	return l, err == nil, err
}

// BundleHead is the first line of an audit bundle.
type BundleHead struct {
	Bundle     string      `json:"bundle" doc:"konto-audit/1"`
	Tenant     string      `json:"tenant"`
	Auditor    string      `json:"auditor"`
	Session    string      `json:"session"`
	Scope      audit.Scope `json:"scope"`
	Since      time.Time   `json:"since"`
	Until      time.Time   `json:"until"`
	Checkpoint string      `json:"checkpoint" doc:"the position up to which the bundle is whole"`
}

// BundleEnd is the last line of an audit bundle. A bundle without it is not whole.
type BundleEnd struct {
	End    bool             `json:"end"`
	Events int64            `json:"events"`
	Kinds  map[string]int64 `json:"kinds" doc:"events by kind of account"`
	SHA256 string           `json:"sha256" doc:"of all lines before this one, in hexadecimal"`
}

// bundle sends everything that the caller's audit session covers, up to now.
// The store is read twice: first to know what the bundle will be, which is
// recorded, then to send it. So nothing is kept in memory, there is no bundle
// that nobody recorded, and one that is not as it was recorded breaks off.
func (s *server) bundle(w http.ResponseWriter, r *http.Request) {
	actor, err := s.actor(r)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	ctx, cancel := s.untilEnding(identified(r.Context(), actor, r))
	defer cancel()
	p, err := s.packer(ctx)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	recorded, err := p.pack(ctx, io.Discard)
	if err == nil {
		err = s.audited(ctx, audit.ExportAuditBundle{
			Checkpoint: p.until.String(), Events: recorded.Events, Kinds: recorded.Kinds, Digest: recorded.SHA256,
		})
	}
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", `attachment; filename="audit-`+p.session.ID+`.jsonl"`)
	w.Header().Set("Konto-Position", p.until.String())
	sent, err := p.pack(ctx, w)
	if err == nil && sent.SHA256 != recorded.SHA256 {
		err = errors.New("what the bundle holds has changed since it was recorded")
	}
	if err != nil {
		s.breakOff(ctx, err)
	}
	_ = json.NewEncoder(w).Encode(sent) // the caller has gone if this fails
}

// packer writes an audit bundle.
type packer struct {
	*server
	actor   domain.Actor
	session audit.Session
	until   eventstore.Position
}

// packer returns what packs the caller's bundle, up to now. Without an open
// session the refusal is recorded.
func (s *server) packer(ctx context.Context) (p packer, err error) {
	p.server, p.actor = s, actorOf(ctx)
	category := audit.Aggregate.Category()
	if isID(category, p.actor.ID) {
		err = s.Commands.View(ctx, category, p.actor.ID, func(state any, _ eventstore.Revision, _ string) {
			p.session = state.(*audit.Access).Session
			p.session.Scope.Kinds, p.session.Scope.Accounts = slices.Clone(p.session.Scope.Kinds), slices.Clone(p.session.Scope.Accounts)
		})
	}
	if err != nil {
		return p, err
	}
	if !p.actor.Has(domain.Auditor) || !p.session.Open(s.Now()) {
		if err = s.audited(ctx, audit.ExportAuditBundle{}); err == nil {
			err = audit.ErrNoSession
		}
		return p, err
	}
	p.until, err = eventstore.Head(ctx, s.Store)
	return p, err
}

// pack writes the bundle's lines but its last, which it returns.
func (p packer) pack(ctx context.Context, w io.Writer) (BundleEnd, error) {
	end := BundleEnd{End: true, Kinds: map[string]int64{}}
	sum := sha256.New()
	out := io.MultiWriter(sum, w)
	if err := json.NewEncoder(out).Encode(BundleHead{
		Bundle: "konto-audit/1", Tenant: p.actor.Tenant, Auditor: p.actor.ID, Session: p.session.ID, Scope: p.session.Scope,
		Since: p.session.Since, Until: p.session.Until, Checkpoint: p.until.String(),
	}); err != nil {
		return end, err
	}
	auditor := p.actor
	auditor.Roles = []domain.Role{domain.Auditor} // what somebody may read for other reasons is no part of it
	ctx = context.WithValue(ctx, actorKey, auditor)
	f := &follower{server: p.server, sights: map[string]*domain.Sight{}, session: p.session.ID, only: &p.session.Scope}
	lines := history.JSONLines(out)
	for l, err := range f.lines(ctx, eventstore.Position{}, p.until) {
		if err != nil {
			return end, err
		}
		if err := lines.Write(l); err != nil {
			return end, fmt.Errorf("bundle: %w", err)
		}
		kind, _, _ := envelope.Split(l.Stream)
		end.Kinds[kind]++
		end.Events++
	}
	end.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return end, nil
}
