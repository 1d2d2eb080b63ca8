package command_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"konto/domain"
	"konto/internal/command"
)

const (
	proposes = `{"resource":"azure-reserved-instances","action":"purchase","secondPerson":true,
		"acknowledge":["partner-pays-for-every-purchase","only-partner-can-change-or-cancel"]`
	capped   = proposes + `,"capMinor":100000,"currency":"SEK"}`
	uncapped = proposes + `}`
	thing    = `{"resource":"azure-reserved-instances","action":"purchase"}`
)

// Who approves has seen what they approve, and all of it: also where they let a
// command through that touches nothing of what others changed.
func TestNobodyApprovesWhatTheyHaveNotSeen(t *testing.T) {
	t.Parallel()
	type step struct {
		by         domain.Actor
		name, body string
	}
	ann, ben := person(id(2, 31), borg, domain.AdminAgent), person(id(2, 32), borg, domain.AdminAgent)
	asks := func(as string) step { return step{bob, "RequestRelationship", `{"type":"` + as + `"}`} }
	accept := step{alice, "AcceptRelationship", `{}`}
	reseller := []step{asks("reseller"), accept, {bob, "RecordPartnerSubscription", `{"subscriptionId":"sub-1","active":true,"ownerRole":true}`}}
	grant, revoke := func(body string) step { return step{ann, "GrantPurchasePermission", body} }, step{ann, "RevokePurchasePermission", thing}
	approve := step{ben, "ApprovePurchasePermission", thing}
	sells := step{bob, "RecordPartnerReservation", `{"reservationId":"res-1","open":true}`}
	for _, test := range []struct {
		name       string
		seen       []step
		meanwhile  []step
		then       step
		merge      bool
		conflicts  []string // fields of the refusal for what was not seen; nil if it is accepted
		relaxes    bool     // accepted, and told what others changed
		withoutTag bool     // the caller names no revision
	}{
		{name: "P9: a request is accepted as it was read", seen: []step{asks("advisor")}, then: accept},
		{name: "X1, P9: without a word of what was read, none is", seen: []step{asks("advisor")}, then: accept, withoutTag: true},
		{name: "X1, P9: the partner asked for more meanwhile", seen: []step{asks("advisor")}, meanwhile: []step{asks("reseller")}, then: accept, conflicts: []string{"/since", "/type"}},
		{name: "X1, P9: nor is it let through leniently", seen: []step{asks("advisor")}, meanwhile: []step{asks("reseller")}, then: accept, merge: true, conflicts: []string{"/since", "/type"}},
		{name: "N17: a proposal is approved as it was read", seen: append(reseller, grant(capped)), then: approve},
		{name: "X1, N17: without a word of what was read, none is", seen: append(reseller, grant(capped)), then: approve, withoutTag: true},
		{
			name: "X1, N17: it was proposed anew without a cap", seen: append(reseller, grant(capped)), meanwhile: []step{revoke, grant(uncapped)}, then: approve,
			conflicts: []string{"/permissions/0/capMinor", "/permissions/0/currency"},
		},
		{
			name: "X1, N17: nor is that let through leniently", seen: append(reseller, grant(capped)), meanwhile: []step{revoke, grant(uncapped)}, then: approve, merge: true,
			conflicts: []string{"/permissions/0/capMinor", "/permissions/0/currency"},
		},
		{
			name: "X1, N17: what is not about the proposal is let through", seen: append(reseller, grant(capped)), meanwhile: []step{sells}, then: approve, merge: true,
			relaxes: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fresh(t))
			h, rel, at := w.handler(0), borg+"-"+acme, -1
			carry := func(steps []step) {
				for _, s := range steps {
					req := w.request(s.by, "rel", rel, s.name, s.body)
					if s.name == accept.name {
						req = seeing(req, at)
					}
					at = int(w.handled(h, req).Revision)
				}
			}
			carry(test.seen)
			req := seeing(w.request(test.then.by, "rel", rel, test.then.name, test.then.body), at)
			carry(test.meanwhile)
			if req.Merge = test.merge; test.withoutTag {
				req.Expected = nil
			}
			before := w.head()
			res, err := h.Handle(t.Context(), req)
			stale, _ := errors.AsType[*command.StaleError](err)
			switch {
			case test.withoutTag:
				if !errors.Is(err, command.ErrMustMatch) || w.head() != before {
					t.Errorf("err = %v, want %v and nothing written", err, command.ErrMustMatch)
				}
			case test.conflicts != nil:
				if stale == nil || !slices.Equal(stale.Conflicts(), test.conflicts) || w.head() != before {
					t.Errorf("err = %v in conflict over %v, want a StaleError over %v and nothing written", err, stale, test.conflicts)
				}
			case err != nil || len(res.Events) != 1 || (res.Merged != nil) != test.relaxes:
				got, _ := json.Marshal(res.Merged)
				t.Errorf("%d events, merged %s, err = %v, want one", len(res.Events), got, err)
			}
		})
	}
}
