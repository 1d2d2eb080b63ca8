package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain/collection"
	"konto/projections"
)

// Codes that no list has are counted over all tenants; no other code is there,
// and nobody's decline shows one.
func TestUnknownDeclineCodes(t *testing.T) {
	t.Parallel()
	db := open(t, projections.DeclineExplanations)
	for i, tenant := range []string{northwind, contoso} {
		h := startHistory(tenant)
		for n, code := range []string{"new_a", "new_b", "new_a", "stolen_card", "do_not_honor"} {
			e := declinedWith(code, "", collection.Checks{}, n+1, start.Add(time.Duration(10*i+n)*time.Hour))
			e.UnknownCode = n < 3
			if i == 1 && code == "new_b" {
				e.Code, e.UnknownCode = "lost_card", false
			}
			h.then(invoice, e)
		}
		db.apply(h.events...)
		rows, _, err := projections.DeclineList(t.Context(), db, tenant, projections.DeclineFilter{}, "", 0)
		if err != nil || len(rows) != 5 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, d := range rows {
			if d.Code != "generic_decline" {
				t.Errorf("an organization is shown %s", d.Code)
			}
		}
	}
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	want := []projections.UnknownDeclineCode{
		{Code: "new_a", Declines: 4, Organizations: 2, FirstAt: hour(0), LastAt: hour(12)},
		{Code: "new_b", Declines: 1, Organizations: 1, FirstAt: hour(1), LastAt: hour(1)},
	}
	got, err := projections.UnknownDeclineCodes(t.Context(), db, 10)
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("(-want +got):\n%s, %v", cmp.Diff(want, got), err)
	}
	if got, err = projections.UnknownDeclineCodes(t.Context(), db, 1); err != nil || !cmp.Equal(got, want[:1]) {
		t.Errorf("the last one alone = %+v, %v", got, err)
	}
}
