package identity

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A recovery assertion is how Konto tells a tenant's identity provider that a
// person proved who they are: a signed token (RFC 7519) that names the person,
// the reset and how it was proved. It is no access token: its type and its
// audience are others, so that neither is taken for the other. It lives for
// ten minutes or less. Its ID is the reset's, of which there is one assertion
// ever; the identity provider remembers it until it expires, and so accepts it
// once.

// recoveryType is the header typ of an assertion (RFC 8725 section 3.11).
const recoveryType = "recovery+jwt"

// maxRecovery is the longest life of an assertion.
const maxRecovery = 10 * time.Minute

// Recovery is what an assertion says.
type Recovery struct {
	Person    string // the account's ID
	Tenant    string
	Reset     string   // its ID, and the assertion's
	Gate      string   // how many proofs it took: "one" or "two"
	Methods   []string // the slots whose control was proved
	At        time.Time
	ExpiresAt time.Time
}

// recoveryClaims are the claims that are not registered.
type recoveryClaims struct {
	Tenant  string   `json:"tenant"`
	Gate    string   `json:"gate"`
	Methods []string `json:"methods"`
}

// RecoveryConfig describes who signs assertions for whom. All fields are
// required.
type RecoveryConfig struct {
	Issuer   string // Konto's own URL
	Audience string // the identity provider's issuer name
	KeyFile  string // of the signing key; made with mode 0600 if missing
}

// RecoverySigner signs assertions. It is safe for concurrent use.
type RecoverySigner struct {
	cfg    RecoveryConfig
	key    jose.JSONWebKey
	signer jose.Signer
}

// OpenRecoverySigner returns a signer with the key in its file, a new one on
// the first start. A file that others may read is refused.
func OpenRecoverySigner(c RecoveryConfig) (*RecoverySigner, error) {
	if c.Issuer == "" || c.Audience == "" || c.KeyFile == "" {
		return nil, errors.New("identity: recovery: Issuer, Audience or KeyFile is missing")
	}
	key, err := signingKey(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("recovery key: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType(recoveryType))
	if err != nil {
		return nil, fmt.Errorf("recovery key: %w", err)
	}
	return &RecoverySigner{cfg: c, key: key, signer: signer}, nil
}

// Sign returns the assertion that r is true.
func (s *RecoverySigner) Sign(r Recovery) (string, error) {
	if r.Person == "" || r.Tenant == "" || r.Reset == "" || !r.ExpiresAt.After(r.At) || r.ExpiresAt.Sub(r.At) > maxRecovery {
		return "", errors.New("identity: recovery: incomplete, or longer than ten minutes")
	}
	token, err := jwt.Signed(s.signer).Claims(jwt.Claims{
		Issuer: s.cfg.Issuer, Audience: jwt.Audience{s.cfg.Audience}, Subject: r.Person, ID: r.Reset,
		IssuedAt: jwt.NewNumericDate(r.At), NotBefore: jwt.NewNumericDate(r.At), Expiry: jwt.NewNumericDate(r.ExpiresAt),
	}).Claims(recoveryClaims{r.Tenant, r.Gate, r.Methods}).Serialize()
	if err != nil {
		return "", fmt.Errorf("recovery assertion: %w", err)
	}
	return token, nil
}

// Keys are the public keys that assertions are checked with.
func (s *RecoverySigner) Keys() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.key.Public()}}
}

// Handler serves the public keys.
func (s *RecoverySigner) Handler() http.Handler { return document(s.Keys()) }

// VerifyRecovery returns what an assertion says, as an identity provider
// checks it that trusts the keys of issuer and is called audience. Errors are
// [ErrInvalid] and [ErrExpired]. That it was not used before is the caller's
// to remember, by its Reset.
func VerifyRecovery(raw string, keys jose.JSONWebKeySet, issuer, audience string, now time.Time) (Recovery, error) {
	if len(raw) > maxToken {
		return Recovery{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxToken)
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(token.Headers) != 1 {
		return Recovery{}, fmt.Errorf("%w: not a signed token of an allowed algorithm", ErrInvalid)
	}
	if typ, _ := token.Headers[0].ExtraHeaders[jose.HeaderType].(string); typ != recoveryType {
		return Recovery{}, fmt.Errorf("%w: type is not %s", ErrInvalid, recoveryType)
	}
	var std jwt.Claims
	var own recoveryClaims
	if err := token.Claims(keys, &std, &own); err != nil {
		return Recovery{}, fmt.Errorf("%w: signature", ErrInvalid)
	}
	if std.Expiry == nil || std.IssuedAt == nil || std.ID == "" || std.Subject == "" || own.Tenant == "" {
		return Recovery{}, fmt.Errorf("%w: a claim is missing", ErrInvalid)
	}
	r := Recovery{
		Person: std.Subject, Tenant: own.Tenant, Reset: std.ID, Gate: own.Gate, Methods: own.Methods,
		At: std.IssuedAt.Time().UTC(), ExpiresAt: std.Expiry.Time().UTC(),
	}
	switch {
	case std.Issuer != issuer, !std.Audience.Contains(audience):
		return Recovery{}, fmt.Errorf("%w: issuer or audience", ErrInvalid)
	case now.Before(r.At.Add(-skew)), r.ExpiresAt.Sub(r.At) > maxRecovery:
		return Recovery{}, fmt.Errorf("%w: times", ErrInvalid)
	case !now.Before(r.ExpiresAt):
		return Recovery{}, ErrExpired
	}
	return r, nil
}
