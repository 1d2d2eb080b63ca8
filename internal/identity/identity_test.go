package identity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const audience = "konto"

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

func TestActor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := w.verifier.Actor(t.Context(), mint(t, w.issuer, ana, time.Hour))
	want := domain.Actor{
		ID: ana.ID, Kind: domain.KindPerson, Tenant: "tenant-a", Roles: []domain.Role{domain.GlobalAdmin},
		AuthenticatedAt: w.clock.Now(),
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("Actor() = %v (-want +got):\n%s", err, d)
	}
	later := ana
	later.AuthenticatedAt = w.clock.Now().Add(-time.Hour)
	if got, err = w.verifier.Actor(t.Context(), mint(t, w.issuer, later, time.Hour)); err != nil || !got.AuthenticatedAt.Equal(later.AuthenticatedAt) {
		t.Errorf("Actor() = %+v, %v, want it authenticated at %v", got, err, later.AuthenticatedAt)
	}
	if n := w.server.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times for its keys, want 1", n)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := mint(t, w.issuer, ana, time.Minute)
	for _, tt := range []struct {
		move time.Duration
		want error
	}{
		{0, nil},
		{2 * time.Minute, nil}, // from memory, at the end of the skew
		{time.Second, identity.ErrExpired},
		{time.Hour, identity.ErrExpired},
	} {
		w.clock.Move(tt.move)
		_, err := w.verifier.Actor(t.Context(), token)
		wantErr(t, "Actor() at "+w.clock.Now().String(), err, tt.want)
		w.clock.Move(0)
		_, err = newVerifier(t, w.config).Actor(t.Context(), token)
		wantErr(t, "Actor() of another verifier", err, tt.want)
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

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := newSigners(t, w.server, w.config.Issuer)
	for _, tt := range []struct {
		alg jose.SignatureAlgorithm
		key crypto.Signer
		kid string
	}{{jose.EdDSA, k.ed, "ed"}, {jose.ES256, k.ec, "ec"}, {jose.RS256, k.rsa, "rsa"}, {jose.PS256, k.rsa, "rsa"}} {
		a, err := w.verifier.Actor(t.Context(), sign(t, tt.alg, tt.key, map[jose.HeaderKey]any{"kid": tt.kid}, w.claims()))
		if err != nil || a.ID != "7" || !a.Has(domain.Auditor) || !a.AuthenticatedAt.IsZero() {
			t.Errorf("Actor(%s) = %+v, %v, want the auditor 7", tt.alg, a, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := newSigners(t, w.server, w.config.Issuer)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid := map[jose.HeaderKey]any{"kid": "ed"}
	with := func(name string, v any) string {
		c := w.claims()
		if c[name] = v; v == nil {
			delete(c, name)
		}
		return sign(t, jose.EdDSA, k.ed, kid, c)
	}
	header := func(h map[jose.HeaderKey]any) string { return sign(t, jose.EdDSA, k.ed, h, w.claims()) }
	good := header(kid)
	if _, err := w.verifier.Actor(t.Context(), good); err != nil {
		t.Fatalf("Actor() of the good token = %v", err)
	}
	now := w.clock.Now().Unix()
	rsaPublic, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	keyServer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a URL in a token's header was read")
	}))
	t.Cleanup(keyServer.Close)

	parts := strings.Split(good, ".")
	for _, tt := range []struct {
		name, token string
		want        error
	}{
		{"empty", "", identity.ErrInvalid},
		{"no token", "x.y.z", identity.ErrInvalid},
		{"too long", good + strings.Repeat("x", 16<<10), identity.ErrInvalid},
		{"alg none", unsigned(w.claims()), identity.ErrInvalid},
		{"alg none, signed", strings.Join(append(strings.Split(unsigned(w.claims()), ".")[:2], parts[2]), "."), identity.ErrInvalid},
		{"no signature", parts[0] + "." + parts[1] + ".", identity.ErrInvalid},
		{"HS256 with the Ed25519 public key", sign(t, jose.HS256, []byte(k.ed.Public().(ed25519.PublicKey)), kid, w.claims()), identity.ErrInvalid},
		{"HS256 with the RSA public key", sign(t, jose.HS256, rsaPublic, map[jose.HeaderKey]any{"kid": "rsa"}, w.claims()), identity.ErrInvalid},
		{"HS256 with a published secret", sign(t, jose.HS256, []byte("a shared secret of 32 bytes here"), map[jose.HeaderKey]any{"kid": "shared"}, w.claims()), identity.ErrInvalid},
		{"ES256 with the RSA key's ID", sign(t, jose.ES256, k.ec, map[jose.HeaderKey]any{"kid": "rsa"}, w.claims()), identity.ErrInvalid},
		{"an algorithm not allowed", sign(t, jose.RS512, k.rsa, map[jose.HeaderKey]any{"kid": "rsa"}, w.claims()), identity.ErrInvalid},
		{"a key for encryption", sign(t, jose.RS256, k.rsa, map[jose.HeaderKey]any{"kid": "encryption"}, w.claims()), identity.ErrInvalid},
		{"no key ID", header(nil), identity.ErrInvalid},
		{"unknown key ID", header(map[jose.HeaderKey]any{"kid": "unknown"}), identity.ErrInvalid},
		{"a stranger's signature", sign(t, jose.EdDSA, stranger, kid, w.claims()), identity.ErrInvalid},
		{"a key in the header", signEmbedded(t, stranger, w.claims()), identity.ErrInvalid},
		{"a key URL in the header", sign(t, jose.EdDSA, stranger, map[jose.HeaderKey]any{"kid": "ed", "jku": keyServer.URL, "x5u": keyServer.URL}, w.claims()), identity.ErrInvalid},
		{"unknown critical header", critical(t, k.ed, w.claims()), identity.ErrInvalid},
		{"an ID token", header(map[jose.HeaderKey]any{"kid": "ed", "typ": "JWT"}), identity.ErrInvalid},
		{"tampered payload", parts[0] + "." + strings.Split(with("sub", "8"), ".")[1] + "." + parts[2], identity.ErrInvalid},
		{"tampered header", strings.Split(header(map[jose.HeaderKey]any{"kid": "ed", "x": 1}), ".")[0] + "." + parts[1] + "." + parts[2], identity.ErrInvalid},
		{"another issuer", with("iss", w.server.URL), identity.ErrInvalid},
		{"the issuer with a slash", with("iss", w.config.Issuer+"/"), identity.ErrInvalid},
		{"another audience", with("aud", "other"), identity.ErrInvalid},
		{"no audience", with("aud", nil), identity.ErrInvalid},
		{"expired", with("exp", now-61), identity.ErrExpired},
		{"no expiry", with("exp", nil), identity.ErrInvalid},
		{"expiry is a text", with("exp", "tomorrow"), identity.ErrInvalid},
		{"not yet", with("nbf", now+61), identity.ErrInvalid},
		{"no subject", with("sub", nil), identity.ErrInvalid},
		{"a long subject", with("sub", strings.Repeat("x", 256)), identity.ErrInvalid},
		{"no tenant", with("tenant", nil), identity.ErrInvalid},
		{"tenant is a list", with("tenant", []string{"tenant-a"}), identity.ErrInvalid},
		{"Konto itself", with("kind", "system"), identity.ErrInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := w.verifier.Actor(t.Context(), tt.token)
			wantErr(t, "Actor()", err, tt.want)
			if a.ID != "" {
				t.Errorf("Actor() = %+v, want nobody", a)
			}
			if err != nil && (strings.Contains(err.Error(), "tenant-a") || len(tt.token) > 20 && strings.Contains(err.Error(), tt.token[:20])) {
				t.Errorf("Actor() = %v, tells of the token", err)
			}
		})
	}
	for _, tt := range []struct{ name, token string }{
		{"within the skew before", with("nbf", now+59)},
		{"within the skew after", with("exp", now-59)},
		{"one audience", with("aud", audience)},
		{"no roles", with("roles", nil)},
		{"roles are a text", with("roles", "auditor")},
		{"a gateway", with("kind", "gateway")},
	} {
		if _, err := w.verifier.Actor(t.Context(), tt.token); err != nil {
			t.Errorf("%s: Actor() = %v, want an actor", tt.name, err)
		}
	}
	c := w.config
	c.AnyType = true
	if _, err := newVerifier(t, c).Actor(t.Context(), header(map[jose.HeaderKey]any{"kid": "ed", "typ": "JWT"})); err != nil {
		t.Errorf("Actor() with AnyType = %v", err)
	}
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

func TestIssuerKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "issuer.key")
	h := openIssuer(t, w, file).Handler()
	w.server.handler.Store(&h)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Stat() = %v, %v, want mode 0600", info, err)
	}
	// After a restart it is the same key.
	if _, err := w.verifier.Actor(t.Context(), mint(t, openIssuer(t, w, file), ana, time.Hour)); err != nil {
		t.Errorf("Actor() after the issuer's restart = %v", err)
	}
	config := identity.IssuerConfig{URL: w.config.Issuer, Audience: audience, KeyFile: file, Now: w.clock.Now}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.OpenIssuer(config); err == nil || !strings.Contains(err.Error(), "mode 0644") {
		t.Errorf("OpenIssuer() of a readable key = %v, want the mode in it", err)
	}
	for _, text := range []string{"", "{}", `{"kty":"oct","k":"AAAA"}`, `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`} {
		config.KeyFile = filepath.Join(t.TempDir(), "odd.key")
		if err := os.WriteFile(config.KeyFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := identity.OpenIssuer(config); err == nil {
			t.Errorf("OpenIssuer() of %q = nil, want an error", text)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := identity.Config{Issuer: "https://id.example.test", Audience: audience, Now: time.Now}
	if err := good.Validate(); err != nil {
		t.Errorf("Validate() = %v", err)
	}
	for _, tt := range []struct {
		set  func(*identity.Config)
		want string
	}{
		{func(c *identity.Config) { c.Issuer = "" }, "Issuer"},
		{func(c *identity.Config) { c.Issuer = "http://id.example.test" }, "https"},
		{func(c *identity.Config) { c.Issuer = "https:// id" }, "no URL"},
		{func(c *identity.Config) { c.JWKSURL = "http://id.example.test/keys" }, "JWKSURL"},
		{func(c *identity.Config) { c.Audience = "" }, "Audience"},
		{func(c *identity.Config) { c.Now = nil }, "Now"},
		{func(c *identity.Config) { c.CacheSize = -1 }, "CacheSize = -1"},
	} {
		c := good
		tt.set(&c)
		if _, err := identity.New(c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v) = %v, want %q in it", c.Issuer, err, tt.want)
		}
	}
}

func BenchmarkActor(b *testing.B) {
	w := newWorld(b)
	token := mint(b, w.issuer, ana, time.Hour)
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.verifier.Actor(context.Background(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		c := w.config
		c.CacheSize = 1
		v := newVerifier(b, c)
		tokens := []string{token, mint(b, w.issuer, ana, time.Hour)}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := v.Actor(context.Background(), tokens[i%2]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzActor looks for panics, and for tokens that are believed by accident.
func FuzzActor(f *testing.F) {
	w := newWorld(f)
	good := mint(f, w.issuer, ana, time.Hour)
	f.Add(good)
	f.Add(unsigned(w.claims()))
	f.Fuzz(func(t *testing.T, token string) {
		if a, err := w.verifier.Actor(context.Background(), token); err == nil && token != good {
			t.Errorf("Actor(%q) = %+v, want an error", token, a)
		}
	})
}
