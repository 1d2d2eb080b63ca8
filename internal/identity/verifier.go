package identity

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	lru "github.com/hashicorp/golang-lru/v2"

	"konto/domain"
)

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	cfg   Config
	keys  *keySet
	known *lru.Cache[[sha256.Size]byte, belief]
}

// belief is a token that was checked.
type belief struct {
	actor   domain.Actor
	issued  time.Time // zero: the token does not say
	expires time.Time // of the token
	until   time.Time // then it is checked again
}

// New returns a verifier. It does not speak to the issuer yet.
func New(c Config) (*Verifier, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.TenantClaim = cmp.Or(c.TenantClaim, "tenant")
	c.RolesClaim = cmp.Or(c.RolesClaim, "roles")
	known, err := lru.New[[sha256.Size]byte, belief](cmp.Or(c.CacheSize, defaultCacheSize))
	if err != nil {
		return nil, fmt.Errorf("token cache: %w", err)
	}
	return &Verifier{cfg: c, keys: newKeySet(c), known: known}, nil
}

// Actor returns who raw, a token in compact form, speaks for. Its errors are
// [ErrExpired], [ErrInvalid] and [ErrUnavailable], none of which holds the token
// or what it says of a person, those of [Config].Session, or why ctx ended. It blocks on the issuer when
// its keys are needed. The actor's roles are shared and must not be changed.
func (v *Verifier) Actor(ctx context.Context, raw string) (domain.Actor, error) {
	b, err := v.believe(ctx, raw)
	if err != nil {
		return domain.Actor{}, err
	}
	if v.cfg.Session != nil {
		if err := v.cfg.Session(ctx, b.actor, b.issued); err != nil {
			return domain.Actor{}, err
		}
	}
	return b.actor, nil
}

// believe returns what a token says, if it is good by itself.
func (v *Verifier) believe(ctx context.Context, raw string) (belief, error) {
	if len(raw) > maxToken {
		return belief{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxToken)
	}
	name := sha256.Sum256([]byte(raw))
	now := v.cfg.Now()
	if b, ok := v.known.Get(name); ok && now.Before(b.until) {
		if now.After(b.expires.Add(skew)) {
			return belief{}, ErrExpired
		}
		return b, nil
	}
	token, err := v.verify(ctx, raw)
	if err != nil {
		return belief{}, err
	}
	b, err := v.read(token, now)
	if err != nil {
		return belief{}, err
	}
	b.until = now.Add(believed)
	v.known.Add(name, b)
	return b, nil
}

// verify checks the token's form, signature, issuer and audience.
func (v *Verifier) verify(ctx context.Context, raw string) (*oidc.IDToken, error) {
	parsed, err := jose.ParseSignedCompact(raw, algorithms())
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, fmt.Errorf("%w: not a signed token of an allowed algorithm", ErrInvalid)
	}
	header := parsed.Signatures[0].Protected
	if err := v.checkType(header); err != nil {
		return nil, err
	}
	key, err := v.keys.find(ctx, header.KeyID)
	if err != nil {
		return nil, err
	}
	if !fits(key, header.Algorithm) {
		return nil, fmt.Errorf("%w: algorithm is not the key's", ErrInvalid)
	}
	names := make([]string, 0, 4)
	for _, a := range algorithms() {
		names = append(names, string(a))
	}
	checker := oidc.NewVerifier(v.cfg.Issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Key}}, &oidc.Config{
		ClientID: v.cfg.Audience, SupportedSigningAlgs: names,
		SkipExpiryCheck: true, // its leeways are not ours; see read
	})
	token, err := checker.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: signature, issuer or audience", ErrInvalid)
	}
	if token.Issuer != v.cfg.Issuer { // the checker makes exceptions for Google
		return nil, fmt.Errorf("%w: another issuer", ErrInvalid)
	}
	return token, nil
}

func (v *Verifier) checkType(h jose.Header) error {
	typ, _ := h.ExtraHeaders[jose.HeaderType].(string)
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "at+jwt":
		return nil
	case "jwt", "":
		if v.cfg.AnyType {
			return nil
		}
	}
	return fmt.Errorf("%w: type is not at+jwt", ErrInvalid)
}

// read checks the times in a token and says whom it stands for.
func (v *Verifier) read(token *oidc.IDToken, now time.Time) (belief, error) {
	var times struct {
		Expires       *jwt.NumericDate `json:"exp"`
		NotBefore     *jwt.NumericDate `json:"nbf"`
		Issued        *jwt.NumericDate `json:"iat"`
		Authenticated *jwt.NumericDate `json:"auth_time"`
		Kind          domain.ActorKind `json:"kind"`
	}
	claims := make(map[string]any)
	if err := errors.Join(token.Claims(&times), token.Claims(&claims)); err != nil {
		return belief{}, fmt.Errorf("%w: claims cannot be read", ErrInvalid)
	}
	switch {
	case times.Expires == nil:
		return belief{}, fmt.Errorf("%w: no time of expiry", ErrInvalid)
	case now.After(times.Expires.Time().Add(skew)):
		return belief{}, ErrExpired
	case times.NotBefore != nil && times.NotBefore.Time().After(now.Add(skew)):
		return belief{}, fmt.Errorf("%w: not valid yet", ErrInvalid)
	}
	actor := domain.Actor{ID: token.Subject, Kind: cmp.Or(times.Kind, domain.KindPerson)}
	actor.Tenant, _ = claims[v.cfg.TenantClaim].(string)
	switch {
	case actor.ID == "" || len(actor.ID) > maxID:
		return belief{}, fmt.Errorf("%w: subject", ErrInvalid)
	case actor.Tenant == "" || len(actor.Tenant) > maxID:
		return belief{}, fmt.Errorf("%w: claim %s", ErrInvalid, v.cfg.TenantClaim)
	case actor.Kind != domain.KindPerson && actor.Kind != domain.KindGateway && actor.Kind != domain.KindIdentity:
		// Konto itself has no token.
		return belief{}, fmt.Errorf("%w: claim kind", ErrInvalid)
	}
	actor.Roles = roles(claims[v.cfg.RolesClaim])
	if times.Authenticated != nil {
		actor.AuthenticatedAt = times.Authenticated.Time().UTC()
	}
	actor.Level = level(claims["acr"], claims["amr"])
	b := belief{actor: actor, expires: times.Expires.Time()}
	if times.Issued != nil {
		b.issued = times.Issued.Time().UTC()
	}
	return b, nil
}

// roles returns the known roles in a claim. Others belong to other programs.
func roles(claim any) []domain.Role {
	var rs []domain.Role
	list, _ := claim.([]any)
	for _, c := range list {
		name, _ := c.(string)
		if r := domain.Role(name); slices.Contains(domain.Roles(), r) && !slices.Contains(rs, r) {
			rs = append(rs, r)
		}
	}
	return rs
}
