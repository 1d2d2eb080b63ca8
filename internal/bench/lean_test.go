package bench

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLean(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ok", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Konto-Position", "C:7/P:7")
		_, _ = w.Write([]byte("hello"))
	})
	mux.HandleFunc("GET /no", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "because", http.StatusConflict) })
	mux.HandleFunc("GET /chunked", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write([]byte("hello"))
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	l, err := dial(t.Context(), strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	get := func(path string) (reply, error) {
		return l.send([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"))
	}
	for range 2 { // the connection is as good as new after each answer
		r, err := get("/ok")
		if err != nil || r.status != http.StatusOK || r.length != 5 || string(r.position) != "C:7/P:7" {
			t.Errorf("send = %+v (%s), %v, want 200 with 5 bytes at C:7/P:7", r, r.position, err)
		}
		if _, err = get("/no"); err == nil || !strings.Contains(err.Error(), "409: because") {
			t.Errorf("send = %v, want answer 409: because", err)
		}
	}
	if _, err := get("/chunked"); !errors.Is(err, errReply) {
		t.Errorf("send = %v, want %v", err, errReply)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	var took []time.Duration
	for i := 100; i > 0; i-- {
		took = append(took, time.Duration(i)*time.Millisecond)
	}
	if got, want := spread(took), (Spread{P50: 50, P99: 99, Max: 100, N: 100}); got != want {
		t.Errorf("spread = %+v, want %+v", got, want)
	}
	if got, want := spread(nil), (Spread{}); got != want {
		t.Errorf("spread of nothing = %+v, want %+v", got, want)
	}
}

func TestPrepared(t *testing.T) {
	t.Parallel()
	a := &account{id: "a1", org: &org{token: "t"}, changes: 120}
	got := string(prepare("host:1", a).next())
	for _, want := range []string{"POST /v1/admins/a1/ChangeDisplayName HTTP/1.1\r\n", "If-Match: \"120\"\r\n", "Idempotency-Key: a1-n120\r\n", "Content-Length: 41\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if _, body, _ := strings.Cut(got, "\r\n\r\n"); body != `{"displayName":"Anna Lindqvist 00000120"}` {
		t.Errorf("body = %s", body)
	}
}
