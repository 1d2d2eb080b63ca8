package identity_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"konto/internal/identity"
)

// The issuer may come up after Konto, and go down for a while.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := mint(t, w.issuer, ana, 24*time.Hour)
	w.server.down.Store(true)
	for range 3 {
		_, err := w.verifier.Actor(t.Context(), token)
		wantErr(t, "Actor() while the issuer is down", err, identity.ErrUnavailable)
	}
	w.server.down.Store(false)
	w.clock.Move(time.Second)
	if _, err := w.verifier.Actor(t.Context(), token); err != nil {
		t.Errorf("Actor() when the issuer is up = %v", err)
	}
	w.server.down.Store(true)
	w.clock.Move(59 * time.Minute)
	if _, err := w.verifier.Actor(t.Context(), mint(t, w.issuer, ana, time.Hour)); err != nil {
		t.Errorf("Actor() with keys of 59 minutes = %v", err)
	}
	w.clock.Move(2 * time.Minute)
	_, err := w.verifier.Actor(t.Context(), mint(t, w.issuer, ana, time.Hour))
	wantErr(t, "Actor() with keys of 61 minutes", err, identity.ErrUnavailable)
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := mint(t, w.issuer, ana, time.Hour)
	w.server.Close()
	_, err := w.verifier.Actor(t.Context(), token)
	wantErr(t, "Actor()", err, identity.ErrUnavailable)
}

func TestOddIssuers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, discovery, keys string }{
		{"another name", `{"issuer":"https://other.test","jwks_uri":"ISSUER/jwks.json"}`, ``},
		{"keys in clear text elsewhere", `{"issuer":"ISSUER","jwks_uri":"http://other.test/jwks.json"}`, ``},
		{"no keys", `{"issuer":"ISSUER"}`, ``},
		{"no JSON", `{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks.json"}`, `<html>`},
		{"too many keys", `{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks.json"}`, `{"keys":[` + strings.Repeat(`{},`, 100) + `{}]}`},
		{"too large", `{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks.json"}`, `{"x":"` + strings.Repeat(`x`, 1<<20) + `","keys":[]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var h http.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				text := tt.discovery
				if strings.HasSuffix(r.URL.Path, "jwks.json") {
					text = tt.keys
				}
				_, _ = rw.Write([]byte(strings.ReplaceAll(text, "ISSUER", w.config.Issuer)))
			})
			w.server.handler.Store(&h)
			_, err := w.verifier.Actor(t.Context(), mint(t, w.issuer, ana, time.Hour))
			wantErr(t, "Actor()", err, identity.ErrUnavailable)
		})
	}
}

// A new key is believed as soon as a token names it, an old one for no more
// than 15 minutes after it is withdrawn.
func TestKeyChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := mint(t, w.issuer, ana, 24*time.Hour)
	if _, err := w.verifier.Actor(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	next := openIssuer(t, w, filepath.Join(t.TempDir(), "next.key"))
	h := next.Handler()
	w.server.handler.Store(&h)
	w.clock.Move(30 * time.Second)
	if _, err := w.verifier.Actor(t.Context(), mint(t, next, ana, time.Hour)); err != nil {
		t.Errorf("Actor() of the new key = %v", err)
	}
	w.clock.Move(15 * time.Minute)
	_, err := w.verifier.Actor(t.Context(), old)
	wantErr(t, "Actor() of the withdrawn key", err, identity.ErrInvalid)
}

// Invented key IDs do not become load on the issuer.
func TestUnknownKeysAskSeldom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 50 {
		token := sign(t, jose.EdDSA, stranger, map[jose.HeaderKey]any{"kid": strconv.Itoa(i)}, w.claims())
		all.Go(func() {
			if _, err := w.verifier.Actor(context.Background(), token); !errors.Is(err, identity.ErrInvalid) {
				t.Errorf("Actor() = %v, want %v", err, identity.ErrInvalid)
			}
		})
	}
	all.Wait()
	if n := w.server.asked.Load(); n > 2 {
		t.Errorf("the issuer was asked %d times, want 2 at most", n)
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hold := make(chan struct{})
	var h http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold })
	w.server.handler.Store(&h)
	t.Cleanup(func() { close(hold) })
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the caller is gone")
	cancel(gone)
	_, err := w.verifier.Actor(ctx, mint(t, w.issuer, ana, time.Hour))
	wantErr(t, "Actor()", err, gone)
}
