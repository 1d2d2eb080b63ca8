package identity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"konto/domain"
)

// IssuerConfig describes an issuer for development. All fields are required.
type IssuerConfig struct {
	// URL is the issuer's name. Its path is the base of what Handler serves.
	URL      string
	Audience string // of the tokens
	KeyFile  string // of the signing key; made with mode 0600 if missing
	Now      func() time.Time
}

// Issuer signs tokens for whoever asks it, so it is for development only. The
// tokens are real: the verifier has no other way in for them. It is safe for
// concurrent use.
type Issuer struct {
	cfg    IssuerConfig
	key    jose.JSONWebKey
	signer jose.Signer
}

// Person is whom a token is for.
type Person struct {
	ID     string
	Tenant string
	Roles  []domain.Role
	Kind   domain.ActorKind // empty means a person
	// AuthenticatedAt is when they signed in; zero means now.
	AuthenticatedAt time.Time
	ACR             string   // how surely they did; see [ACR]; empty is not said
	Methods         []string // by which they did, of RFC 8176
}

// OpenIssuer returns an issuer with the key in its file, a new one on the
// first start. A file that others may read is refused.
func OpenIssuer(c IssuerConfig) (*Issuer, error) {
	if c.Audience == "" || c.KeyFile == "" || c.Now == nil {
		return nil, errors.New("identity: issuer: Audience, KeyFile or Now is missing")
	}
	if err := safeURL(c.URL); err != nil {
		return nil, fmt.Errorf("identity: issuer: URL: %w", err)
	}
	key, err := signingKey(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("issuer's key: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return nil, fmt.Errorf("issuer's key: %w", err)
	}
	return &Issuer{cfg: c, key: key, signer: signer}, nil
}

// Mint returns a token for p that expires after ttl.
func (i *Issuer) Mint(p Person, ttl time.Duration) (string, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return "", fmt.Errorf("mint: %w", err)
	}
	now := i.cfg.Now()
	if p.AuthenticatedAt.IsZero() {
		p.AuthenticatedAt = now
	}
	token, err := jwt.Signed(i.signer).Claims(jwt.Claims{
		Issuer: i.cfg.URL, Subject: p.ID, Audience: jwt.Audience{i.cfg.Audience}, ID: base64.RawURLEncoding.EncodeToString(id),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(ttl)),
	}).Claims(struct {
		Tenant        string           `json:"tenant"`
		Roles         []domain.Role    `json:"roles"`
		Kind          domain.ActorKind `json:"kind,omitempty"`
		Authenticated *jwt.NumericDate `json:"auth_time"`
		ACR           string           `json:"acr,omitempty"`
		Methods       []string         `json:"amr,omitempty"`
	}{p.Tenant, p.Roles, p.Kind, jwt.NewNumericDate(p.AuthenticatedAt), p.ACR, p.Methods}).Serialize()
	if err != nil {
		return "", fmt.Errorf("mint: %w", err)
	}
	return token, nil
}

// Handler serves the discovery document and the public key, under the path of
// the issuer's URL.
func (i *Issuer) Handler() http.Handler {
	base := ""
	if u, err := url.Parse(i.cfg.URL); err == nil {
		base = strings.TrimSuffix(u.Path, "/")
	}
	issuer := strings.TrimSuffix(i.cfg.URL, "/")
	mux := http.NewServeMux()
	mux.Handle("GET "+base+"/.well-known/openid-configuration", document(map[string]any{
		"issuer":                                i.cfg.URL,
		"jwks_uri":                              issuer + "/jwks.json",
		"response_types_supported":              []string{},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(jose.EdDSA)},
	}))
	mux.Handle("GET "+base+"/jwks.json", document(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}}))
	return mux
}

func document(v any) http.HandlerFunc {
	body, err := json.Marshal(v)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			http.Error(w, "document cannot be written", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // the client is gone; nobody is left to tell
	}
}

// signingKey reads the key in path, or makes it.
func signingKey(path string) (jose.JSONWebKey, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newSigningKey(path)
	case err != nil:
		return jose.JSONWebKey{}, err
	case info.Mode().Perm()&0o077 != 0:
		return jose.JSONWebKey{}, fmt.Errorf("%s has mode %04o and others may read it, want 0600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	var key jose.JSONWebKey
	if key.UnmarshalJSON(text) != nil { // its error may quote the key
		return jose.JSONWebKey{}, fmt.Errorf("%s does not hold a JSON Web Key", path)
	}
	if _, ok := key.Key.(ed25519.PrivateKey); !ok {
		return jose.JSONWebKey{}, fmt.Errorf("%s does not hold a private Ed25519 key", path)
	}
	return key, nil
}

func newSigningKey(path string) (jose.JSONWebKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.EdDSA), Use: "sig"}
	thumb, err := key.Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
	text, err := key.MarshalJSON()
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator's own file
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	_, err = f.Write(append(text, '\n'))
	return key, errors.Join(err, f.Sync(), f.Close())
}
