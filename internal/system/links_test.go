package system_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"konto/internal/system"
)

// A message that leads nowhere helps nobody: there is a resource behind each
// link, and behind the lists that some are cut down to. Who has no token is
// asked for one, but not told that there is nothing. The page that undoes a
// change asks for none: it says in words that a link is no good.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	links := system.Links()
	paths := map[string]string{
		"Card, the list":         strings.TrimSuffix(links.Card, "/{id}"),
		"Subscription, the list": strings.TrimSuffix(links.Subscription, "/{id}"),
		"nothing, for the test":  "/v1/no-such-thing",
	}
	for f, v := range reflect.ValueOf(links).Fields() {
		paths[f.Name] = v.String()
	}
	for name, path := range paths {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL()+strings.ReplaceAll(path, "{id}", "0192"), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close() // nothing of it is read
		want := http.StatusUnauthorized
		switch {
		case path == "" || strings.HasPrefix(name, "nothing"):
			want = http.StatusNotFound
		case name == "Home":
			want = http.StatusOK
		case name == "Undo" && res.Header.Get("Content-Language") != "":
			want = http.StatusNotFound
		}
		if res.StatusCode != want || path == "" {
			t.Errorf("%s: GET %q answers %d, want %d", name, path, res.StatusCode, want)
		}
	}
}
