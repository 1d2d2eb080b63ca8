package identity_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	service := identity.Person{ID: "login", Tenant: "tenant-a", Kind: domain.KindIdentity}
	if got, err = w.verifier.Actor(t.Context(), mint(t, w.issuer, service, time.Hour)); err != nil || got.Kind != domain.KindIdentity {
		t.Errorf("Actor() = %+v, %v, want an identity provider", got, err)
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

// TestEverySessionIsAskedAbout shows that a remembered token is asked about
// again, and with the time at which it was issued.
func TestEverySessionIsAskedAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ended, asked := errors.New("ended"), 0
	var issued time.Time
	w.config.Session = func(_ context.Context, actor domain.Actor, at time.Time) error {
		if issued = at; actor.ID != ana.ID {
			t.Errorf("S13: asked about %s, want %s", actor.ID, ana.ID)
		}
		if asked++; asked == 3 {
			return ended
		}
		return nil
	}
	v, token := newVerifier(t, w.config), mint(t, w.issuer, ana, time.Hour)
	for i, want := range []error{nil, nil, ended, nil} {
		actor, err := v.Actor(t.Context(), token)
		if !errors.Is(err, want) || (want != nil) != (actor.ID == "") {
			t.Errorf("S13: use %d = %+v, %v, want %v", i+1, actor, err, want)
		}
	}
	if !issued.Equal(w.clock.Now()) {
		t.Errorf("S13: issued at %v, want %v", issued, w.clock.Now())
	}
}
