package privacy_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"konto/domain"
	"konto/internal/privacy"
)

// T11: a value is shown without any key, and none but the one that was sealed.
func TestDisclose(t *testing.T) {
	t.Parallel()
	k := open(t, config(t.TempDir()))
	sealed := mustSeal(t, k, place, marshal(t, employee{SignInName: domain.About("7", "ana"), Old: domain.About("8", "bo")}))
	d, err := k.Disclose(t.Context(), place, sealed, "/signInName")
	if err != nil || string(d.Value) != `"ana"` {
		t.Fatalf("Disclose() = %s, %v, want ana", d.Value, err)
	}
	if err := unmarshal[privacy.Disclosure](t, marshal(t, d)).Verify(place, sealed); err != nil {
		t.Errorf("Verify() = %v, want it to hold", err)
	}
	for _, tt := range []struct {
		name   string
		change func(*privacy.Disclosure, *privacy.Context)
		want   error
	}{
		{"another value", func(d *privacy.Disclosure, _ *privacy.Context) { d.Value = json.RawMessage(`"bo"`) }, privacy.ErrForged},
		{"another blind", func(d *privacy.Disclosure, _ *privacy.Context) { d.Blind = bytes.Repeat([]byte{1}, 32) }, privacy.ErrForged},
		{"a longer blind", func(d *privacy.Disclosure, _ *privacy.Context) { d.Blind = append(bytes.Clone(d.Blind), 0) }, privacy.ErrForged},
		{"another place", func(d *privacy.Disclosure, _ *privacy.Context) { d.Path = "/old" }, privacy.ErrForged},
		{"no such place", func(d *privacy.Disclosure, _ *privacy.Context) { d.Path = "/x" }, privacy.ErrMalformed},
		{"another event", func(_ *privacy.Disclosure, c *privacy.Context) {
			c.EventID = strings.Replace(c.EventID, "1", "2", 1)
		}, privacy.ErrForged},
		{"another tenant", func(_ *privacy.Disclosure, c *privacy.Context) { c.Tenant = "tenant-b" }, privacy.ErrForged},
	} {
		d, c := d, place
		tt.change(&d, &c)
		wantErr(t, "Verify() of "+tt.name, d.Verify(c, sealed), tt.want)
	}
	_, err = k.Disclose(t.Context(), place, sealed, "/locale")
	wantErr(t, "Disclose() of a clear value", err, privacy.ErrMalformed)
	if _, err := k.Destroy(t.Context(), place.Tenant, "7"); err != nil {
		t.Fatal(err)
	}
	_, err = k.Disclose(t.Context(), place, sealed, "/signInName")
	wantErr(t, "Disclose() of an erased value", err, privacy.ErrErased)
	if err := d.Verify(place, sealed); err != nil {
		t.Errorf("Verify() after the erasure = %v, want it to hold", err)
	}
}
