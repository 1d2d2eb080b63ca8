package httpapi

import (
	"encoding/json"
	"net/http"

	"konto/domain/subject"
	"konto/eventstore"
	"konto/internal/history"
)

// errNoExport says that nobody recorded that a copy is taken.
func errNoExport() *Problem {
	p := newProblem(http.StatusConflict, "export-not-recorded", "a copy is taken for an hour after ExportSubjectData, by whoever sent that")
	p.Rule, p.Instead = "N4", "ExportSubjectData"
	return p
}

// SubjectExport is the head of a copy of what is kept about a person; the
// events follow in its member events, a line each.
type SubjectExport struct {
	Subject string            `json:"subject"`
	Tenant  string            `json:"tenant"`
	At      string            `json:"at"`
	Events  []history.Mention `json:"events"`
}

// subjectExport sends everything that is kept about a person (GDPR Art. 15), as
// one JSON document that is written while the store is read. If it ends early
// it is no JSON.
func (s *server) subjectExport(w http.ResponseWriter, r *http.Request) {
	actor, err := s.actor(r)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	id := r.PathValue("id")
	category := subject.Aggregate.Category()
	if !isID(category, id) {
		s.writeProblem(w, r, newProblem(http.StatusNotFound, "not-found", "there is no such person"))
		return
	}
	var may bool
	var owner string
	err = s.Commands.View(r.Context(), category, id, func(state any, _ eventstore.Revision, tenant string) {
		may, owner = state.(*subject.Subject).MayFetch(actor.ID, s.Now()), tenant
	})
	if err == nil && (!may || owner != actor.Tenant) {
		err = errNoExport()
	}
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+id+`.json"`)
	out := json.NewEncoder(w)
	first := true
	for m, err := range s.history.About(r.Context(), owner, id) {
		if err != nil {
			s.Log.Error().Err(err).Str("request_id", requestID(r.Context())).Msg("export broken off")
			panic(http.ErrAbortHandler) // the caller has to see that it is not whole
		}
		if first {
			_, _ = w.Write([]byte(s.exportHead(id, owner))) //nolint:gosec // an ID that was checked, as JSON
		} else {
			_, _ = w.Write([]byte{','})
		}
		first = false
		if out.Encode(m) != nil {
			return // the caller has gone
		}
	}
	_, _ = w.Write([]byte("]}\n"))
}

// exportHead is a [SubjectExport] up to where its events begin. There is at
// least one: that the copy was asked for.
func (s *server) exportHead(id, tenant string) string {
	b, err := json.Marshal(SubjectExport{id, tenant, s.Now().UTC().Format("2006-01-02T15:04:05Z"), []history.Mention{}})
	if err != nil {
		panic("httpapi: an export without events is no JSON: " + err.Error())
	}
	return string(b[:len(b)-2]) + "\n"
}
