package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"konto/domain"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/envelope"
)

// Each command is carried out by somebody, so that the fuzzer begins with
// bodies that get through to the end.
func TestWorldCarriesOutEveryCommand(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	have := map[string]bool{}
	for i, s := range w.samples {
		have[s.name()] = true
		w.try(t, plan{byte(i)}, nil)
		if w.observed != "accepted" && !slices.Contains(idle, s.name()) && !slices.Contains(w.bare, s.name()) {
			t.Errorf("%s by %s: %s, want it accepted", s.name(), s.by, w.observed)
		}
	}
	if len(w.bare) > 0 {
		t.Logf("fuzzed with an empty body, for want of a sample: %v", w.bare)
	}
	for _, row := range policy.Table.Commands {
		if !have[row.Category+"/"+row.Command] {
			t.Errorf("%s/%s has no sample", row.Category, row.Command)
		}
	}
}

// Who may change an account, but not read it, hears which fields others have
// changed, and nothing of what is in them; the same goes for dry runs.
func TestAnswersAreDiscreet(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	find := func(command string) attempt {
		i := slices.IndexFunc(w.samples, func(s sample) bool { return s.command == command })
		s := w.samples[i]
		return attempt{sample: s, as: w.actor(s.by), raw: []byte(s.body), ifMatch: "current"}
	}
	undo, edit := find("UndoContactChange"), find("UpdateSecurityInfo")
	stale, dry, own := undo, undo, edit
	stale.ifMatch, dry.dryRun, own.ifMatch = `"0"`, true, `"0"`
	for _, c := range []struct {
		name   string
		a      attempt
		status int
		tells  bool
	}{
		{"X1: the identity provider's service is not shown contacts", stale, http.StatusPreconditionFailed, false},
		{"N9: nor by a dry run", dry, http.StatusOK, false},
		{"X1: the person is", own, http.StatusPreconditionFailed, true},
	} {
		w.reset()
		w.now = c.a.at
		status, answer := w.sendAs(c.a)
		if status != c.status || tells(answer) != c.tells {
			t.Errorf("%s: %d %s, want %d and personal data %v", c.name, status, answer, c.status, c.tells)
		}
	}
}

// FuzzCommands sends every command with whatever body, as whoever, to whatever
// account, through the API's handler (those of Konto itself, which have no
// route, to what carries them out). Nothing panics; what is refused leaves no
// event, or only those by which wrong guesses are counted; personal values are
// in no log line, no problem and no record of a refusal, and sealed in every
// event; what is recorded folds to the same state each time, which is also the
// state that is kept in memory.
func FuzzCommands(f *testing.F) {
	w, told := newWorld(f)
	for i := range w.samples {
		f.Add([]byte{byte(i)}, []byte(w.samples[i].body))
		f.Add([]byte{byte(i), 0, 0, 0, 0, 7, 2, 0, 1, 3, 7, 9, 250}, []byte(w.samples[i].body))
		f.Add([]byte{byte(i), 0, 0, 0, 64}, []byte(w.samples[i].body))
	}
	for _, body := range []string{
		"", "{}", "null", "[]", "{", `{"a":1,"a":2}`, "{\"displayName\":\"\xff\"}", strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), `{"expYear":1e400}`,
	} {
		f.Add([]byte{1, 0, 0, 0, 64}, []byte(body))
	}
	count := tally{}
	count.crashes(f)
	f.Cleanup(func() { count.write(f, told) })
	f.Fuzz(func(t *testing.T, p, body []byte) {
		for _, outcome := range w.try(t, p, body) {
			count[outcome]++
			if count[""]++; count[""]%100_000 == 0 {
				count.write(t, told)
			}
		}
		told.mu.Lock()
		defer told.mu.Unlock()
		for _, wrong := range told.wrong {
			t.Errorf("a refusal was recorded as %s", wrong)
		}
		told.wrong = nil
	})
}

// tally counts outcomes; the empty one is all of them.
type tally map[string]int

// write keeps the count where KONTO_FUZZ_TALLY says, a file of each process.
func (c tally) write(tb testing.TB, told *refusals) {
	tb.Helper()
	dir := os.Getenv("KONTO_FUZZ_TALLY")
	if dir == "" || c[""] == 0 {
		return
	}
	told.mu.Lock()
	c["recorded refusals"] = told.recorded
	told.mu.Unlock()
	b, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strconv.Itoa(os.Getpid())+".json"), b, 0o600)
	}
	if err != nil {
		tb.Error(err)
	}
}

// crashes has what ends the process written beside its tally: the fuzzer says
// only that a process has ended.
func (tally) crashes(tb testing.TB) {
	tb.Helper()
	dir := os.Getenv("KONTO_FUZZ_TALLY")
	if dir == "" {
		return
	}
	file, err := os.Create(filepath.Join(dir, strconv.Itoa(os.Getpid())+".crash"))
	if err == nil {
		err = errors.Join(debug.SetCrashOutput(file, debug.CrashOptions{}), file.Close())
	}
	if err != nil {
		tb.Error(err)
	}
}

// answered is a command and what came of it, for messages.
type answered struct {
	attempt
	status int
	answer []byte
}

func (a answered) String() string {
	return fmt.Sprintf("%s of %s by %s, %s: %d %s", a.name(), a.target, a.as.ID, a.raw, a.status, a.answer)
}

// try sends what a plan says, and returns how each command ended.
func (w *world) try(t *testing.T, p plan, body []byte) (outcomes []string) {
	t.Helper()
	w.reset()
	for _, a := range w.attempts(p, body) {
		w.now, w.observed, w.store.appended = a.at, "", nil
		before := len(w.store.appended)
		status, answer := w.sendAs(a)
		appended := w.store.appended[before:]
		what := answered{a, status, answer}
		if status >= http.StatusInternalServerError {
			t.Fatalf("%s\n%s", what, w.log.take())
		}
		if status == http.StatusOK && tells(answer) {
			w.checkSight(t, what, a)
		}
		if refused := status >= http.StatusBadRequest; refused {
			if status == http.StatusPreconditionFailed {
				answer = w.withoutChanges(t, what, a, answer)
			}
			w.checkRefusal(t, what, a, answer, appended)
		} else {
			w.checkAccepted(t, what, a, appended)
		}
		for _, e := range appended {
			if tells(e.Data) || tells(e.Meta) || tells([]byte(e.Stream)) || tells([]byte(e.Type)) {
				t.Fatalf("%s\n%s in %s holds personal data in clear: %s %s", what, e.Type, e.Stream, e.Data, e.Meta)
			}
		}
		if log := w.log.take(); tells(log) {
			t.Fatalf("%s\nthe log holds personal data: %s", what, log)
		}
		outcomes = append(outcomes, outcome(status, w.observed))
	}
	return outcomes
}

func outcome(status int, observed string) string {
	switch {
	case status == http.StatusBadRequest:
		return "malformed"
	case observed == "": // before the command was understood
		return "turned away"
	}
	return observed
}

// sendAs sends a over HTTP, or to what carries commands out if it has no route.
func (w *world) sendAs(a attempt) (status int, answer []byte) {
	contract := w.handler.Contracts[a.category]
	info := contract.Commands()[slices.IndexFunc(contract.Commands(), func(c domain.CommandInfo) bool { return c.Name == a.command })]
	if info.Internal || info.NoRoute || a.as.Kind == domain.KindSystem {
		if !info.NoRoute {
			a.as = command.System
		}
		return w.sendInside(a)
	}
	r, err := http.NewRequest(http.MethodPost, "http://konto.example/v1/"+contract.Collection()+"/"+a.target+"/"+a.command, bytes.NewReader(a.raw))
	if err != nil {
		return http.StatusBadRequest, nil // no path
	}
	r.RemoteAddr = "192.0.2.7:1"
	r.Header = http.Header{
		"Authorization": {"Bearer " + w.tokens[a.as.ID]}, "Content-Type": {"application/json"},
		"User-Agent": {"Zqxwvmrk/1"}, "Konto-Reason": {"Zqxwvmrk%20asked"},
	}
	switch at := w.revision(a.category, a.target); {
	case a.ifMatch == "current" && at >= 0:
		r.Header.Set("If-Match", strconv.Quote(strconv.Itoa(int(at))))
	case a.ifMatch != "current" && a.ifMatch != "":
		r.Header.Set("If-Match", a.ifMatch)
	}
	if a.key != "" {
		r.Header.Set("Idempotency-Key", a.key)
	}
	if a.dryRun {
		r.Header.Set("Dry-Run", "true")
	}
	if a.lenient {
		r.Header.Set("Prefer", "handling=lenient")
	}
	w.store.appended, w.observed = nil, ""
	got := w.call(r)
	return got.Code, got.Body.Bytes()
}

// sendInside sends a as Konto itself does, or for a person, which never sends what is no JSON.
// Its answer is the error.
func (w *world) sendInside(a attempt) (status int, answer []byte) {
	if !jsontext.Value(a.raw).IsValid() {
		return http.StatusBadRequest, nil
	}
	req := command.Request{
		ID: w.newID(), Category: a.category, Target: a.target, Command: a.command, Body: json.RawMessage(a.raw), Actor: a.as,
		Tenant: w.tenantOf(a.category, a.target), Correlation: w.newID().String(), DryRun: a.dryRun,
	}
	w.store.appended, w.observed = nil, ""
	_, err := w.handler.Handle(context.Background(), req)
	var rule *domain.Error
	switch {
	case err == nil:
		return http.StatusOK, nil
	case errors.As(err, &rule) && rule.Kind == domain.KindMalformed:
		return http.StatusBadRequest, []byte(err.Error())
	case errors.As(err, &rule):
		return http.StatusConflict, []byte(err.Error())
	}
	return http.StatusInternalServerError, []byte(err.Error())
}

// checkRefusal checks what a refused command said and left.
func (w *world) checkRefusal(t *testing.T, what answered, a attempt, answer []byte, appended []eventstore.Recorded) {
	t.Helper()
	if tells(answer) {
		t.Fatalf("%s\nthe problem holds personal data", what)
	}
	for _, e := range appended {
		category, _, _ := strings.Cut(e.Stream, "-")
		guess := slices.Contains([]string{"ContactVerificationFailed", "RecoveryProofRejected"}, e.Type) && category == a.category
		if !guess && category != "resv" {
			t.Fatalf("%s\nwas refused, but left %s in %s", what, e.Type, e.Stream)
		}
	}
}

// checkSight fails if the sender of a may not see the account's personal values.
func (w *world) checkSight(t *testing.T, what answered, a attempt) {
	t.Helper()
	if w.revision(a.category, a.target) < 0 {
		return // they made them up
	}
	sight, err := w.handler.Look(context.Background(), policy.Table, domain.Look{
		Category: a.category, ID: a.target, Owner: w.tenantOf(a.category, a.target), Actor: a.as, At: w.now,
	})
	if err != nil || !sight.Personal {
		t.Fatalf("%s\nshows personal data to somebody who may not read it (%v)", what, err)
	}
}

// withoutChanges returns a problem without what others have changed, which is
// shown to those who may read it alone.
func (w *world) withoutChanges(t *testing.T, what answered, a attempt, answer []byte) []byte {
	t.Helper()
	var p map[string]json.RawMessage
	if err := json.Unmarshal(answer, &p); err != nil {
		t.Fatalf("%s\nis no problem: %v", what, err)
	}
	if tells(p["changes"]) {
		w.checkSight(t, what, a)
	}
	delete(p, "changes")
	answer, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// checkAccepted folds what the command's account is by now, twice.
func (w *world) checkAccepted(t *testing.T, what answered, a attempt, appended []eventstore.Recorded) {
	t.Helper()
	if a.dryRun && len(appended) > 0 {
		t.Fatalf("%s\nwas a dry run, but left %s", what, appended[0].Type)
	}
	seen := map[string]bool{}
	for _, e := range appended {
		category, id, _ := strings.Cut(e.Stream, "-")
		if seen[e.Stream] {
			continue
		}
		seen[e.Stream] = true
		contract := w.handler.Contracts[category]
		states := [2]any{contract.New(), contract.New()}
		for raw, err := range w.open(e.Stream) {
			for i := range states {
				var event any
				if err == nil {
					event, err = contract.DecodeEvent(raw)
				}
				if err == nil {
					err = contract.Evolve(states[i], event)
				}
				if err != nil {
					t.Fatalf("%s\n%s does not fold: %v", what, e.Stream, err)
				}
			}
		}
		if !reflect.DeepEqual(states[0], states[1]) {
			t.Fatalf("%s\n%s folds to\n%+v and to\n%+v", what, e.Stream, states[0], states[1])
		}
		err := w.handler.View(context.Background(), category, id, func(kept any, _ eventstore.Revision, _ string) {
			a, errA := json.Marshal(kept)
			b, errB := json.Marshal(states[0])
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Fatalf("%s\n%s is kept as\n%s but folds to\n%s (%v)", what, e.Stream, a, b, errors.Join(errA, errB))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// open yields a stream's events, with personal values open.
func (w *world) open(stream string) iter.Seq2[domain.Raw, error] {
	return func(yield func(domain.Raw, error) bool) {
		for r, err := range w.store.Read(context.Background(), stream, eventstore.ReadStream{}) {
			var m envelope.Head
			if err == nil {
				m, err = envelope.ParseHead(r.Meta)
			}
			if err == nil {
				r.Data, err = envelope.OpenData(context.Background(), w.keys, r, m.Tenant)
			}
			if !yield(domain.Raw{Type: r.Type, Data: r.Data}, err) || err != nil {
				return
			}
		}
	}
}
