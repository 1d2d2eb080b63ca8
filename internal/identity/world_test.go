package identity_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"konto/domain"
	"konto/internal/identity"
)

// clock is a time that tests move.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) Now() time.Time        { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) Move(by time.Duration) { c.micros.Add(by.Microseconds()) }

// server is an issuer over HTTP that can be told to fail, and counts.
type server struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]
	down    atomic.Bool
	asked   atomic.Int64 // for keys
}

func serve(tb testing.TB) *server {
	tb.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "jwks.json") {
			s.asked.Add(1)
		}
		if s.down.Load() {
			http.Error(w, "down", http.StatusInternalServerError)
			return
		}
		(*s.handler.Load()).ServeHTTP(w, r)
	}))
	tb.Cleanup(s.Close)
	return s
}

// world is an issuer with its verifier.
type world struct {
	clock    *clock
	server   *server
	issuer   *identity.Issuer
	verifier *identity.Verifier
	config   identity.Config
}

func newWorld(tb testing.TB) world {
	tb.Helper()
	w := world{clock: newClock(), server: serve(tb)}
	w.config = identity.Config{Issuer: w.server.URL + "/dev", Audience: audience, Now: w.clock.Now, HTTPClient: w.server.Client()}
	w.issuer = openIssuer(tb, w, filepath.Join(tb.TempDir(), "issuer.key"))
	h := w.issuer.Handler()
	w.server.handler.Store(&h)
	w.verifier = newVerifier(tb, w.config)
	return w
}

func openIssuer(tb testing.TB, w world, file string) *identity.Issuer {
	tb.Helper()
	i, err := identity.OpenIssuer(identity.IssuerConfig{URL: w.config.Issuer, Audience: audience, KeyFile: file, Now: w.clock.Now})
	if err != nil {
		tb.Fatal(err)
	}
	return i
}

func newVerifier(tb testing.TB, c identity.Config) *identity.Verifier {
	tb.Helper()
	v, err := identity.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

var ana = identity.Person{ID: "0199a3c0-0000-7000-8000-000000000007", Tenant: "tenant-a", Roles: []domain.Role{domain.GlobalAdmin, "poet"}}

func mint(tb testing.TB, i *identity.Issuer, p identity.Person, ttl time.Duration) string {
	tb.Helper()
	token, err := i.Mint(p, ttl)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func wantErr(tb testing.TB, what string, got, want error) {
	tb.Helper()
	if !errors.Is(got, want) {
		tb.Errorf("%s = %v, want %v", what, got, want)
	}
}

// claims are a good token's.
func (w world) claims() map[string]any {
	now := w.clock.Now().Unix()
	return map[string]any{
		"iss": w.config.Issuer, "aud": []string{"other", audience}, "sub": "7", "tenant": "tenant-a",
		"roles": []string{"auditor"}, "exp": now + 3600, "nbf": now, "iat": now,
	}
}

func sign(tb testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims map[string]any) string {
	tb.Helper()
	options := &jose.SignerOptions{}
	options.WithType("at+jwt")
	for k, v := range header {
		options.WithHeader(k, v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		tb.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		tb.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// signers are keys of each kind, and what is published of them.
type signers struct {
	ed  ed25519.PrivateKey
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func newSigners(tb testing.TB, s *server, issuer string) signers {
	tb.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: ed.Public(), KeyID: "ed", Use: "sig", Algorithm: "EdDSA"},
		{Key: ec.Public(), KeyID: "ec"},
		{Key: r.Public(), KeyID: "rsa"},
		{Key: r.Public(), KeyID: "encryption", Use: "enc"},
		{Key: []byte("a shared secret of 32 bytes here"), KeyID: "shared"},
		{Key: ed.Public(), KeyID: ""},
	}}
	mux := http.NewServeMux()
	publish := func(path string, v any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) })
	}
	publish("/dev/jwks.json", set)
	publish("/dev/.well-known/openid-configuration", map[string]string{"issuer": issuer, "jwks_uri": issuer + "/jwks.json"})
	var h http.Handler = mux
	s.handler.Store(&h)
	return signers{ed, ec, r}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unsigned(claims map[string]any) string {
	payload, _ := json.Marshal(claims)
	return b64([]byte(`{"alg":"none","typ":"at+jwt","kid":"ed"}`)) + "." + b64(payload) + "."
}

func raw(tb testing.TB, key ed25519.PrivateKey, header string, claims map[string]any) string {
	tb.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	text := b64([]byte(header)) + "." + b64(payload)
	return text + "." + b64(ed25519.Sign(key, []byte(text)))
}

func signEmbedded(tb testing.TB, key ed25519.PrivateKey, claims map[string]any) string {
	tb.Helper()
	jwk, err := jose.JSONWebKey{Key: key.Public(), KeyID: "ed"}.MarshalJSON()
	if err != nil {
		tb.Fatal(err)
	}
	return raw(tb, key, fmt.Sprintf(`{"alg":"EdDSA","typ":"at+jwt","kid":"ed","jwk":%s}`, jwk), claims)
}

func critical(tb testing.TB, key ed25519.PrivateKey, claims map[string]any) string {
	tb.Helper()
	return raw(tb, key, `{"alg":"EdDSA","typ":"at+jwt","kid":"ed","crit":["konto"],"konto":1}`, claims)
}
