package command_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/command"
)

func TestCallerMustNameWhatItSaw(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h, c := w.handler(0), id(3, 1)
	if res := w.must(h, alice, "card", c, "AddCard", newCard(1)); res.Revision != 0 {
		t.Fatalf("revision = %d, want 0", res.Revision)
	}
	_, err := w.send(h, alice, "card", c, "UpdateCardDetails", `{"phone":"070-174 06 05"}`)
	var refused *domain.Error
	if !errors.As(err, &refused) || !errors.Is(err, command.ErrMustMatch) || refused.Facts["revision"] != int64(0) {
		t.Errorf("err = %v, want %v with revision 0", err, command.ErrMustMatch)
	}
	if _, err := w.send(h, alice, "card", c, "RemoveCard", `{}`); err != nil {
		t.Errorf("a command that replaces nothing seen: err = %v, want none", err)
	}
}

// edits is a card at revision 3: the holder was changed by alice, then back,
// then the street, so that revision 0 differs in the street alone.
func edits(t *testing.T) (w *world, h *command.Handler, c string) {
	t.Helper()
	w = newWorld(t, fresh(t))
	h, c = w.handler(0), id(3, 1)
	w.must(h, alice, "card", c, "AddCard", newCard(1))
	for i, body := range []string{
		`{"holderName":"A. Ek"}`,
		`{"holderName":"Alice Ek","billingAddress":{"line1":"Storgatan 2","city":"Umeå","postalCode":"903 26","country":"SE"}}`,
		`{"billingAddress":{"line1":"Storgatan 3","city":"Umeå","postalCode":"903 26","country":"SE"}}`,
	} {
		w.handled(h, seeing(w.request(alice, "card", c, "UpdateCardDetails", body), i))
	}
	return w, h, c
}

func TestStaleCommandIsToldWhatChanged(t *testing.T) {
	t.Parallel()
	w, h, c := edits(t)
	events := w.stream("card-" + c)
	change := func(field string, at int, yours string) command.FieldChange {
		f := command.FieldChange{
			By: alice.ID, Revision: eventstore.Revision(at), Event: "CardDetailsUpdated", Conflict: yours != "",
		}
		if f.Field = field; yours != "" {
			f.Yours = json.RawMessage(yours)
		}
		return f
	}
	for _, test := range []struct {
		name      string
		seen      int
		body      string
		want      []command.FieldChange
		conflicts []string
	}{
		{"other fields", 0, `{"phone":"070-174 06 05"}`, []command.FieldChange{change("/billTo/line1", 3, "")}, nil},
		{
			"the same field", 0, `{"billingAddress":{"line1":"Nygatan 9","city":"Umeå","postalCode":"903 26","country":"SE"}}`,
			[]command.FieldChange{change("/billTo/line1", 3, `"Nygatan 9"`)},
			[]string{"/billTo/line1"},
		},
		{
			"one of two", 1, `{"holderName":"Alice E."}`,
			[]command.FieldChange{change("/billTo/line1", 3, ""), change("/holder", 2, `"Alice E."`)},
			[]string{"/holder"},
		},
		{"would have been refused", 0, `{"holderName":""}`, []command.FieldChange{change("/billTo/line1", 3, "")}, nil},
		{"never was", 9, `{"phone":"070-174 06 05"}`, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := h.Handle(t.Context(), seeing(w.request(alice, "card", c, "UpdateCardDetails", test.body), test.seen))
			var stale *command.StaleError
			if !errors.As(err, &stale) {
				t.Fatalf("err = %v, want a StaleError", err)
			}
			if stale.Seen != eventstore.Revision(test.seen) || stale.Current != 3 || stale.Stream != "card-"+c {
				t.Errorf("stale = %+v, want from %d to 3", stale, test.seen)
			}
			for i, got := range stale.Changes {
				if skew := got.At.Sub(events[got.Revision].At).Abs(); skew > 365*24*time.Hour && got.At.IsZero() {
					t.Errorf("%s: at = %s", got.Field, got.At)
				}
				stale.Changes[i].At, stale.Changes[i].Before, stale.Changes[i].After = time.Time{}, nil, nil
			}
			if d := cmp.Diff(test.want, stale.Changes); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			if got := stale.Conflicts(); !slices.Equal(got, test.conflicts) {
				t.Errorf("conflicts = %v, want %v", got, test.conflicts)
			}
		})
	}
}

func TestChangesSayFromWhatToWhatAndWhen(t *testing.T) {
	t.Parallel()
	w, h, c := edits(t)
	_, err := h.Handle(t.Context(), seeing(w.request(alice, "card", c, "UpdateCardDetails", `{"expYear":2030}`), 2))
	var stale *command.StaleError
	if !errors.As(err, &stale) || len(stale.Changes) != 1 {
		t.Fatalf("err = %v, want a StaleError with one change", err)
	}
	got := stale.Changes[0]
	var meta struct {
		At time.Time `json:"at"`
	}
	if err := json.Unmarshal(w.stream("card-" + c)[3].Meta, &meta); err != nil {
		t.Fatal(err)
	}
	if string(got.Before) != `"Storgatan 2"` || string(got.After) != `"Storgatan 3"` || !got.At.Equal(meta.At) {
		t.Errorf("change = %s -> %s at %s, want Storgatan 2 -> 3 at %s", got.Before, got.After, got.At, meta.At)
	}
}

// A list that comes, grows and shrinks is several fields on its way; whoever
// touched it last is named.
func TestChangedListNamesWhoWasLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	w.must(h, alice, "admin", albert.ID, "AddEmployee", `{"signInName":"albert@acme.example","displayName":"Albert"}`)
	w.must(h, alice, "admin", albert.ID, "AssignRole", `{"role":"auditor"}`)
	w.must(h, staff, "admin", albert.ID, "AssignRole", `{"role":"billing-admin"}`)
	_, err := h.Handle(t.Context(), seeing(w.request(alice, "admin", albert.ID, "ChangeDisplayName", `{"displayName":"Al"}`), 0))
	var stale *command.StaleError
	if !errors.As(err, &stale) {
		t.Fatalf("err = %v, want a StaleError", err)
	}
	for _, f := range stale.Changes {
		if f.By != staff.ID || f.Revision != 2 || f.Conflict {
			t.Errorf("%s = by %s at revision %d (conflict %t), want by %s at 2", f.Field, f.By, f.Revision, f.Conflict, staff.ID)
		}
	}
	if len(stale.Changes) == 0 {
		t.Error("no change is listed")
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	var told []domain.Recorded[any]
	h := w.tuned(func(c *command.Config) {
		c.Preview = func(_ contextOf, events []domain.Recorded[any]) ([]domain.Effect, error) {
			told = append(told, events...)
			return []domain.Effect{domain.Notice{To: alice.ID, Template: "card_changed"}}, nil
		}
	})
	before := w.head()
	add := w.request(alice, "card", id(3, 1), "AddCard", newCard(1))
	add.DryRun = true
	for range 2 {
		told = nil
		res := w.handled(h, add)
		if len(res.Events) != 1 || res.Events[0].Type != "CardAdded" || !json.Valid(res.Events[0].Data) || res.Replayed {
			t.Errorf("events = %+v, want CardAdded", res.Events)
		}
		if len(res.Effects) != 1 || len(res.Trace) == 0 || !res.Trace[len(res.Trace)-1].Passed {
			t.Errorf("effects = %v, trace = %v, want one and a grant", res.Effects, res.Trace)
		}
		if last := told[len(told)-1]; last.Type != "CardAdded" || last.Revision != 0 || last.Tenant != acme {
			t.Errorf("preview was told %+v", last)
		}
	}
	denied := add
	denied.Actor = person(id(2, 5), acme, domain.Auditor)
	res, err := h.Handle(t.Context(), denied)
	if err == nil || len(res.Trace) < 2 || res.Trace[len(res.Trace)-1].Passed {
		t.Errorf("denied: err = %v, trace = %v, want a refusal that shows why", err, res.Trace)
	}
	if got := w.head(); got != before {
		t.Errorf("head = %s, want %s: a dry run has written", got, before)
	}
	add.DryRun = false
	if res := w.handled(h, add); res.Replayed || res.Revision != 0 {
		t.Errorf("in earnest = %+v, want revision 0", res)
	}
}

// X1: disjoint edits merge by themselves where the caller allows it.
func TestDisjointEditsMerge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		seen   int
		body   string
		merges []string // fields of others; none: refused as stale
	}{
		{"X1: another field", 0, `{"phone":"070-174 06 05"}`, []string{"/billTo/line1"}},
		{"X1: another field than two", 1, `{"expYear":2031}`, []string{"/billTo/line1", "/holder"}},
		{"X1: the same field", 1, `{"holderName":"Alice E."}`, nil},
		{"X1: a form that would undo what it left alone", 1, `{"holderName":"A. Ek","expYear":2031}`, nil},
		{"X1: refused at what the caller saw", 0, `{"holderName":""}`, nil},
		{"X1: never was", 9, `{"phone":"070-174 06 05"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, h, c := edits(t)
			req := seeing(w.request(alice, "card", c, "UpdateCardDetails", test.body), test.seen)
			strict, merging := req, req
			merging.Merge = true
			var stale *command.StaleError
			if _, err := h.Handle(t.Context(), strict); !errors.As(err, &stale) {
				t.Fatalf("without Merge: %v, want a StaleError", err)
			}
			res, err := h.Handle(t.Context(), merging)
			if test.merges == nil {
				if !errors.As(err, &stale) || len(w.stream("card-"+c)) != 4 {
					t.Fatalf("Handle = %+v, %v, want a StaleError and nothing stored", res, err)
				}
				return
			}
			if err != nil || res.Revision != 4 {
				t.Fatalf("Handle = %+v, %v, want revision 4", res, err)
			}
			var merged []string
			for _, f := range res.Merged {
				if merged = append(merged, f.Field); f.By != alice.ID || f.Conflict {
					t.Errorf("merged %+v, want alice's change, not in conflict", f)
				}
			}
			if !slices.Equal(merged, test.merges) {
				t.Errorf("merged = %v, want %v", merged, test.merges)
			}
			if again, err := h.Handle(t.Context(), merging); err != nil || !again.Replayed {
				t.Errorf("sent again: %+v, %v, want a replay", again, err)
			}
		})
	}
}
