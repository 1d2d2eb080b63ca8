package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/inlet"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/gateway"
)

func TestOnlyTheGatewaysOwnCallsAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := event("evt_1", "charge.failed", charge(map[string]any{"failure_code": "expired_card"}))
	spaced := append([]byte(" "), good...)
	now := time.Now()
	before := w.head()
	for _, c := range []struct {
		name      string
		body      []byte
		signature string
		status    int
		code      string
	}{
		{"no signature", good, "", 400, "signature-invalid"},
		{"no header of Stripe's", good, "abc", 400, "signature-invalid"},
		{"another secret", good, sign(good, "whsec_other", now), 400, "signature-invalid"},
		{"another body", spaced, sign(good, secret, now), 400, "signature-invalid"},
		{"an old timestamp", good, sign(good, secret, now.Add(-6*time.Minute)), 400, "timestamp-too-old"},
		{"an old timestamp, old secret", good, sign(good, oldSecret, now.Add(-6*time.Minute)), 400, "timestamp-too-old"},
		{"no JSON", []byte("{"), sign([]byte("{"), secret, now), 400, "malformed-event"},
		{"no event", []byte("{}"), sign([]byte("{}"), secret, now), 400, "malformed-event"},
		{"no object", []byte(`{"id":"evt_2","type":"charge.failed"}`), sign([]byte(`{"id":"evt_2","type":"charge.failed"}`), secret, now), 400, "malformed-event"},
		{"too large", bytes.Repeat([]byte(" "), 1<<20+1), "abc", 413, "body-too-large"},
	} {
		if status, code := w.post(c.body, c.signature); status != c.status || code != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, code, c.status, c.code)
		}
	}
	if got := w.head(); got != before {
		t.Errorf("head = %s, want %s: a call that is not verified was recorded", got, before)
	}
	if n := strings.Count(w.log.String(), "gateway call refused"); n != 10 || len(w.seen) != 10 {
		t.Errorf("%d log lines and %d counts, want 10", n, len(w.seen))
	}
	for _, s := range []string{oldSecret, secret} { // either while one is rotated out
		if status, text := w.post(good, sign(good, s, now)); status != http.StatusOK || !strings.Contains(text, `"carried-out"`) {
			t.Errorf("secret %s: %d %s, want carried-out", s, status, text)
		}
	}
	if spacedStatus, _ := w.post(spaced, sign(spaced, secret, now)); spacedStatus != http.StatusOK {
		t.Errorf("the raw body is what is signed: %d, want 200", spacedStatus)
	}
}

func TestDeclines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, c := range []struct {
		name   string
		object map[string]any
		want   collection.ChargeDeclined
	}{
		{
			"the issuer's reason",
			map[string]any{"failure_code": "card_declined", "outcome": map[string]any{"reason": "insufficient_funds", "network_decline_code": "51", "advice_code": "try_again_later"}},
			collection.ChargeDeclined{Code: "insufficient_funds", NetworkCode: "51", AdviceCode: "try_again_later"},
		},
		{"a reason of its own", map[string]any{"failure_code": "expired_card", "outcome": map[string]any{"reason": "x"}}, collection.ChargeDeclined{Code: "expired_card"}},
		{"no reason", map[string]any{"failure_code": "card_declined"}, collection.ChargeDeclined{Code: "card_declined"}},
		{"incorrect_cvc", map[string]any{"failure_code": "incorrect_cvc"}, collection.ChargeDeclined{Code: "incorrect_cvc"}},
		{"incorrect_zip", map[string]any{"failure_code": "incorrect_zip"}, collection.ChargeDeclined{Code: "incorrect_zip"}},
		{"processing_error", map[string]any{"failure_code": "processing_error"}, collection.ChargeDeclined{Code: "processing_error"}},
		{
			"do not try again",
			map[string]any{"failure_code": "card_declined", "outcome": map[string]any{"reason": "do_not_honor", "advice_code": "do_not_try_again"}},
			collection.ChargeDeclined{Code: "do_not_honor", AdviceCode: "do_not_try_again"},
		},
		{
			"checks",
			map[string]any{"failure_code": "card_declined", "outcome": map[string]any{"reason": "generic_decline"}, "payment_method_details": map[string]any{
				"card": map[string]any{"checks": map[string]any{"address_line1_check": "fail", "address_postal_code_check": "pass", "cvc_check": "unavailable"}},
			}},
			collection.ChargeDeclined{Code: "generic_decline", Checks: collection.Checks{Line1: "fail", Postal: "pass", CVC: "unavailable"}},
		},
	} {
		c.object["payment_intent"] = fmt.Sprintf("pi_%d", i)
		status, r := w.deliver(event(fmt.Sprintf("evt_%d", i), "charge.failed", charge(c.object)))
		if status != http.StatusOK || r.Outcome != "carried-out" {
			t.Fatalf("%s: %d %+v, want carried-out", c.name, status, r)
		}
		all := find[collection.ChargeDeclined](w, "ChargeDeclined")
		got := all[len(all)-1]
		if got.Code != c.want.Code || got.NetworkCode != c.want.NetworkCode || got.AdviceCode != c.want.AdviceCode || got.Checks != c.want.Checks {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if got.CardID != visa || got.SubscriptionID != subscription || got.AmountMinor != 14900 || got.Currency != "SEK" || got.Owner != anna || got.Attempt != 1 {
			t.Errorf("%s: %+v, want anna's card and subscription, 14900 SEK, attempt 1", c.name, got)
		}
	}
}

func TestAttemptsOnOneInvoiceAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		w.deliver(event(fmt.Sprintf("evt_%d", i), "charge.failed", charge(map[string]any{"id": fmt.Sprintf("ch_%d", i), "invoice": "in_1", "payment_intent": fmt.Sprintf("pi_%d", i), "failure_code": "expired_card"})))
	}
	w.deliver(event("evt_9", "charge.succeeded", charge(map[string]any{"id": "ch_9", "invoice": "in_1"})))
	all := find[collection.ChargeDeclined](w, "ChargeDeclined")
	if len(all) != 3 || all[2].Attempt != 3 {
		t.Errorf("declines = %+v, want attempts 1 to 3", all)
	}
	if paid := find[collection.ChargeSucceeded](w, "ChargeSucceeded"); len(paid) != 1 || paid[0].Attempt != 4 {
		t.Errorf("paid = %+v, want attempt 4", paid)
	}
}

// A decline is recorded also where the gateway does not say for what.
func TestSubscriptionOfACharge(t *testing.T) {
	t.Parallel()
	const (
		other  = "00000004-0000-7000-8000-000000000002"
		third  = "00000004-0000-7000-8000-000000000003"
		backup = "00000003-0000-7000-8000-000000000002"
	)
	w := newWorld(t)
	n := 0
	declined := func(more map[string]any) string {
		t.Helper()
		n++
		object := charge(map[string]any{"id": fmt.Sprintf("ch_%d", n), "failure_code": "expired_card"})
		maps.Copy(object, more)
		if _, r := w.deliver(event(fmt.Sprintf("evt_%d", n), "charge.failed", object)); r.Outcome != "carried-out" {
			t.Fatalf("%v: %+v, want carried-out", more, r)
		}
		all := find[collection.ChargeDeclined](w, "ChargeDeclined")
		return all[len(all)-1].SubscriptionID
	}
	if got := declined(map[string]any{"invoice": "in_1"}); got != subscription {
		t.Errorf("the only one: %s, want %s", got, subscription)
	}
	w.subscribe(other, visa)
	if got := declined(map[string]any{"invoice": "in_1"}); got != subscription {
		t.Errorf("the invoice's: %s, want %s", got, subscription)
	}
	if got := declined(map[string]any{"invoice": "in_2", "metadata": map[string]string{"konto_subscription": other}}); got != other {
		t.Errorf("what the metadata names: %s, want %s", got, other)
	}
	if got := declined(map[string]any{"invoice": "in_3"}); got != subscription {
		t.Errorf("one of two: %s, want the first, %s", got, subscription)
	}
	w.addCard(backup, "pm_backup")
	w.send(command.System, "card", backup, "AttachCard", card.AttachCard{SubscriptionID: subscription})
	if got := declined(map[string]any{"invoice": "in_5", "payment_method": "pm_backup"}); got != subscription {
		t.Errorf("a backup card: %s, want what it backs up, %s", got, subscription)
	}
	w.subscribe(third, backup)
	if got := declined(map[string]any{"invoice": "in_4", "payment_method": "pm_backup"}); got != third {
		t.Errorf("primary of one, backup of another: %s, want the one that it is primary of", got)
	}
}

// A chargeback names a charge only; the charge leads to its invoice.
func TestChargebacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(event("evt_1", "charge.succeeded", charge(map[string]any{"id": "ch_1", "invoice": "in_1", "currency": "isk"})))
	for _, r := range policy.Reactions {
		if r.Name != "keep-charges" {
			continue
		}
		for _, paid := range find[collection.ChargeSucceeded](w, "ChargeSucceeded") {
			invoice := w.invoiceOf("ChargeSucceeded")
			step := r.Steps[reflect.TypeOf(paid)]
			for _, e := range step.Then(step.New(), domain.Recorded[any]{Data: paid, ID: invoice, Tenant: company}) {
				d := e.(domain.Dispatch)
				w.send(command.System, "resv", d.To, reflect.TypeOf(d.Command).Name(), d.Command)
			}
		}
	}
	dispute := func(id, kind, ch, status string) string {
		t.Helper()
		_, r := w.deliver(event(id, kind, map[string]any{"id": "du_1", "charge": ch, "amount": 14900, "currency": "isk", "status": status}))
		return r.Outcome
	}
	for _, c := range []struct{ id, kind, charge, status, want string }{
		{"evt_2", "charge.dispute.created", "ch_other", "needs_response", "unknown-charge"},
		{"evt_3", "charge.dispute.created", "", "needs_response", "malformed"},
		{"evt_4", "charge.dispute.created", "ch_1", "needs_response", "carried-out"},
		{"evt_5", "charge.dispute.updated", "ch_1", "under_review", "ignored"},
		{"evt_6", "charge.dispute.closed", "ch_1", "won", "carried-out"},
		{"evt_7", "charge.dispute.created", "ch_1", "needs_response", "carried-out"},
		{"evt_8", "charge.dispute.closed", "ch_1", "lost", "carried-out"},
	} {
		if got := dispute(c.id, c.kind, c.charge, c.status); got != c.want {
			t.Errorf("%s %s %s: %s, want %s", c.kind, c.charge, c.status, got, c.want)
		}
	}
	opened, won, lost := find[collection.ChargebackOpened](w, "ChargebackOpened"), find[collection.ChargebackWon](w, "ChargebackWon"), find[collection.ChargebackAccepted](w, "ChargebackAccepted")
	if len(opened) != 2 || len(won) != 1 || len(lost) != 1 || lost[0].CardID != visa || lost[0].SubscriptionID != subscription || lost[0].AmountMinor != 149 || opened[0].AmountMinor != 149 {
		t.Errorf("opened %+v, won %+v, lost %+v, want 2, 1 and 1 of anna's card, of 149 ISK", opened, won, lost)
	}
}

// The answer to a request names it.
func TestAnswerNamesItsRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(event("evt_1", "charge.failed", charge(map[string]any{"failure_code": "expired_card", "metadata": map[string]string{"konto_request": "req-1"}})))
	if all := find[collection.ChargeDeclined](w, "ChargeDeclined"); len(all) != 1 || all[0].RequestID != "req-1" || all[0].ChargeID != "ch_1" {
		t.Errorf("declines = %+v, want one that names req-1 and ch_1", all)
	}
}

func TestCardIsUpdatedByTheNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.deliver(event("evt_1", "payment_method.automatically_updated", map[string]any{
		"id": token, "card": map[string]any{"brand": "visa", "last4": "1881", "exp_month": 11, "exp_year": time.Now().Year() + 4, "fingerprint": "fp_new"},
	}))
	all := find[card.CardAutomaticallyUpdated](w, "CardAutomaticallyUpdated")
	if r.Outcome != "carried-out" || len(all) != 1 || all[0].Last4 != "1881" || all[0].ExpMonth != 11 {
		t.Errorf("%+v, events = %+v, want one update to 1881", r, all)
	}
	if len(all) == 1 && (all[0].Fingerprint == "" || all[0].OldFingerprint == "" || strings.Contains(all[0].Fingerprint, "fp_new") || all[0].Fingerprint == all[0].OldFingerprint) {
		t.Errorf("K2: fingerprint %q instead of %q, want a keyed hash of the new one", all[0].Fingerprint, all[0].OldFingerprint)
	}
}

// Whatever a verified event is about, it leaves one trace, however often it is
// delivered, and a second delivery changes nothing else.
func TestEveryEventLeavesOneTrace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		body    []byte
		outcome string
	}{
		{"a decline", event("evt_1", "charge.failed", charge(map[string]any{"failure_code": "expired_card"})), "carried-out"},
		{"an unknown type", event("evt_1", "customer.created", map[string]any{"id": "cus_1"}), "ignored"},
		{"an unknown card", event("evt_1", "charge.failed", charge(map[string]any{"payment_method": "pm_other"})), "unknown-card"},
		{"no card", event("evt_1", "charge.failed", charge(map[string]any{"payment_method": ""})), "unknown-card"},
		{"an unknown card's update", event("evt_1", "payment_method.automatically_updated", map[string]any{"id": "pm_other"}), "unknown-card"},
		{"no charge", event("evt_1", "charge.failed", map[string]any{"object": "charge"}), "malformed"},
		{"a charge of another shape", event("evt_1", "charge.failed", charge(map[string]any{"amount": "much"})), "malformed"},
		{"a refused one", event("evt_1", "charge.failed", charge(map[string]any{"failure_code": "expired_card", "currency": "crowns"})), "refused: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			status, first := w.deliver(c.body)
			if status != http.StatusOK || !strings.HasPrefix(first.Outcome, c.outcome) || first.Event != "evt_1" {
				t.Fatalf("first = %d %+v, want 200 %s", status, first, c.outcome)
			}
			before := w.head()
			status, second := w.deliver(c.body)
			if d := cmp.Diff(first, second); status != http.StatusOK || d != "" {
				t.Errorf("second = %d (-first +second):\n%s", status, d)
			}
			if got := w.head(); got != before {
				t.Errorf("head = %s, want %s: the second delivery was recorded", got, before)
			}
			traces := find[inlet.GatewayEventReceived](w, "GatewayEventReceived")
			if len(traces) != 1 || traces[0].GatewayEventID != "evt_1" || traces[0].Provider != "stripe" || !strings.HasPrefix(traces[0].Outcome, c.outcome) {
				t.Errorf("traces = %+v, want one: %s", traces, c.outcome)
			}
		})
	}
}

// What Stripe says of a card's end, and the name that an update once had.
func TestCardEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	object := map[string]any{"id": token, "card": map[string]any{"brand": "visa", "last4": "1881", "exp_month": 1, "exp_year": time.Now().Year() + 4}}
	for i, c := range []struct {
		kind   string
		object map[string]any
		want   string
	}{
		{"customer.source.expiring", map[string]any{"id": token, "object": "card"}, "carried-out"},
		{"customer.source.expiring", map[string]any{"id": token, "object": "card"}, "nothing"}, // said before
		{"customer.source.expiring", map[string]any{"id": "card_other"}, "unknown-card"},
		{"customer.source.expiring", map[string]any{"object": "card"}, "malformed"},
		{"payment_method.card_automatically_updated", object, "carried-out"},
		{"payment_method.card_automatically_updated", object, "nothing"},
	} {
		if status, r := w.deliver(event(fmt.Sprintf("evt_%d", i), c.kind, c.object)); status != http.StatusOK || r.Outcome != c.want {
			t.Errorf("%d, %s: %d %+v, want %s", i, c.kind, status, r, c.want)
		}
	}
	soon := find[card.CardExpiringSoon](w, "CardExpiringSoon")
	if len(soon) != 1 || soon[0].Source != "stripe" || soon[0].Days == 0 {
		t.Errorf("expiring = %+v, want one that Stripe said", soon)
	}
	if updated := find[card.CardAutomaticallyUpdated](w, "CardAutomaticallyUpdated"); len(updated) != 1 || updated[0].Last4 != "1881" {
		t.Errorf("updated = %+v, want the new number once", updated)
	}
}

// A store that cannot write now makes the gateway deliver again; what was
// stored before it broke is found then.
func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := event("evt_1", "charge.failed", charge(map[string]any{"failure_code": "expired_card"}))
	w.down.Store(true)
	if status, _ := w.deliver(body); status != http.StatusServiceUnavailable {
		t.Errorf("status = %d, want 503", status)
	}
	w.down.Store(false)
	broken := errors.New("broken")
	fault := w.store.Fault
	w.store.Fault = func(stream string, stored bool) error {
		if strings.HasPrefix(stream, "inlet-") {
			return broken // the charge is recorded, its trace is not
		}
		return fault(stream, stored)
	}
	if status, _ := w.deliver(body); status != http.StatusServiceUnavailable {
		t.Errorf("without a trace: status = %d, want 503", status)
	}
	w.store.Fault = fault
	if status, r := w.deliver(body); status != http.StatusOK || r.Outcome != "carried-out" {
		t.Errorf("delivered again: %d %+v, want carried-out", status, r)
	}
	if n := len(find[collection.ChargeDeclined](w, "ChargeDeclined")); n != 1 {
		t.Errorf("%d declines, want 1", n)
	}
	if n := len(find[inlet.GatewayEventReceived](w, "GatewayEventReceived")); n != 1 {
		t.Errorf("%d traces, want 1", n)
	}
}

// Views fail with the store as commands do.
type deadViews struct{ gateway.Commands }

func (deadViews) View(context.Context, string, string, func(any, eventstore.Revision, string)) error {
	return eventstore.ErrUnavailable
}

func TestStoreCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stripe.Commands = deadViews{w.stripe.Commands}
	if status, _ := w.deliver(event("evt_1", "charge.failed", charge(nil))); status != http.StatusServiceUnavailable {
		t.Errorf("status = %d, want 503: an unread card is not an unknown one", status)
	}
}
