package command_test

import (
	"errors"
	"slices"
	"testing"

	"konto/domain"
)

// A field that the schema requires is not taken for false, none or nothing.
func TestRequiredFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek"}`)
	w.must(h, alice, "card", id(3, 1), "AddCard", newCard(1))
	w.must(h, alice, "billing", id(6, 1), "RegisterSubscription", `{"product":"Suite","cardId":"`+id(3, 1)+`"}`)
	by := person(alice.ID, acme, domain.GlobalAdmin, domain.AdminAgent)
	w.must(h, alice, "rel", acme+"-"+borg, "RequestRelationship", `{"type":"reseller"}`)
	for _, c := range []struct {
		name                            string
		category, target, command, body string
		missing                         []string // pointers
	}{
		{"no answer", "feedback", id(5, 1), "SubmitFeedback", `{}`, []string{"/helpful"}},
		{"an answer that is null", "feedback", id(5, 1), "SubmitFeedback", `{"helpful":null}`, []string{"/helpful"}},
		{"no is an answer", "feedback", id(5, 1), "SubmitFeedback", `{"helpful":false}`, nil},
		{"no language", "admin", alice.ID, "SwitchLanguage", `{}`, []string{"/locale"}},
		{"a language that is null", "admin", alice.ID, "SwitchLanguage", `{"locale":null}`, []string{"/locale"}},
		{"no card", "billing", id(6, 1), "RemoveBackupCard", `{}`, []string{"/cardId"}},
		{"no order", "billing", id(6, 1), "ReorderBackupCards", `{}`, []string{"/cardIds"}},
		{"a list that Go writes as null", "billing", id(6, 1), "ReorderBackupCards", `{"cardIds":null}`, nil},
		{"two fields", "billing", id(6, 2), "RegisterSubscription", `{"licences":1}`, []string{"/product", "/cardId"}},
		{"fields of an embedded struct", "rel", acme + "-" + borg, "GrantPurchasePermission", `{"resource":"x"}`, []string{"/action", "/acknowledge"}},
	} {
		req := w.request(by, c.category, c.target, c.command, c.body)
		if c.target == id(6, 1) {
			req = seeing(req, 0)
		}
		_, err := h.Handle(t.Context(), req)
		var got []string
		if rule, ok := errors.AsType[*domain.Error](err); ok {
			for _, e := range append(rule.Causes, rule) {
				if e.Code == "field-required" && e.Kind == domain.KindInvalid {
					got = append(got, e.Pointer)
				}
			}
		}
		if !slices.Equal(got, c.missing) {
			t.Errorf("%s: %s %s: %v, want it to name %v", c.name, c.command, c.body, err, c.missing)
		}
	}
}
