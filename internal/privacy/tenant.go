package privacy

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
)

const (
	// maxTenants is how many tenants' keyed functions are held in memory.
	maxTenants = 1 << 14
	macSize    = 16 // bytes of a MAC that are kept
	codes      = 1_000_000
)

// Tenant is a tenant's keyed functions: pure, the same for ever, and safe for
// concurrent use.
type Tenant struct {
	key      []byte
	purposes sync.Map // purpose to key; purposes are a program's constants, so they are few
}

// MAC returns 32 hex digits that stand for value: equal values have equal ones
// within the tenant and purpose, and nobody finds the value without the key.
func (t *Tenant) MAC(purpose, value string) string {
	sum := t.sum("mac", purpose, value)
	return hex.EncodeToString(sum[:macSize])
}

// Code returns the 6 digits that prove a verification. Who does not know the
// key can only guess. It is a truncated HMAC, as in RFC 4226 section 5.3, but
// of 64 bits, so that no code is likelier than another by more than 1 in 10^13.
func (t *Tenant) Code(verification string) string {
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(t.sum("code", "verification", verification))%codes)
}

// Secret returns 32 bytes that nobody finds without the key: the same for ever
// for a name within the tenant and purpose. It is for keys that must be shown
// to somebody once and stored nowhere.
func (t *Tenant) Secret(purpose, name string) []byte { return t.sum("secret", purpose, name) }

func (t *Tenant) sum(use, purpose, value string) []byte {
	name := use + "/" + purpose
	key, ok := t.purposes.Load(name)
	if !ok {
		derived, err := hkdf.Key(sha256.New, t.key, nil, "konto-index/1 "+name, keySize)
		if err != nil {
			panic("privacy: derive 32 bytes: " + err.Error()) // RFC 5869 allows 8,160
		}
		key, _ = t.purposes.LoadOrStore(name, derived)
	}
	m := hmac.New(sha256.New, key.([]byte))
	m.Write([]byte(value))
	return m.Sum(nil)
}

// Tenant returns the tenant's keyed functions, and makes their key on the first
// use. It blocks on the key file if the tenant was not used lately.
func (k *Keys) Tenant(ctx context.Context, tenant string) (*Tenant, error) {
	if t, ok := k.tenants.Get(tenant); ok {
		return t, nil
	}
	key, err := k.tenantKey(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("index key of tenant %s: %w", tenant, k.closed(err))
	}
	t := &Tenant{key: key}
	if earlier, ok, _ := k.tenants.PeekOrAdd(tenant, t); ok {
		return earlier, nil
	}
	return t, nil
}

// MAC is [Tenant.MAC] of tenant. It panics if the tenant's key cannot be read:
// no other answer would be safe. Call Tenant first to have an error instead.
func (k *Keys) MAC(tenant, purpose, value string) string {
	return k.mustTenant(tenant).MAC(purpose, value)
}

// Proves reports whether mac is what MAC returns. It is for what strangers send:
// unlike MAC it makes no key for a tenant that has none, and it takes as long
// for a wrong mac as for one that is almost right.
func (k *Keys) Proves(ctx context.Context, tenant, purpose, value, mac string) (bool, error) {
	t, ok := k.tenants.Get(tenant)
	if !ok {
		key, err := k.loadTenantKey(ctx, k.read, tenant)
		if err != nil {
			return false, fmt.Errorf("index key of tenant %s: %w", tenant, k.closed(err))
		}
		if key == nil {
			return false, nil
		}
		t = &Tenant{key: key}
	}
	return hmac.Equal([]byte(t.MAC(purpose, value)), []byte(mac)), nil
}

// Code is [Tenant.Code] of tenant. It panics as MAC does.
func (k *Keys) Code(tenant, verification string) string {
	return k.mustTenant(tenant).Code(verification)
}

func (k *Keys) mustTenant(tenant string) *Tenant {
	t, err := k.Tenant(context.Background(), tenant)
	if err != nil {
		panic("privacy: " + err.Error())
	}
	return t
}

// tenantKey reads or makes a tenant's index key.
func (k *Keys) tenantKey(ctx context.Context, tenant string) ([]byte, error) {
	if tenant == "" {
		return nil, fmt.Errorf("%w: tenant is empty", ErrMalformed)
	}
	key, err := k.loadTenantKey(ctx, k.read, tenant)
	if err != nil || key != nil {
		return key, err
	}
	tx, err := k.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if key, err = k.loadTenantKey(ctx, tx, tenant); err != nil || key != nil {
		return key, err
	}
	g, err := k.generation(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	key = make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO tenant_key (tenant, kek_gen, wrapped, created_at) VALUES (?, ?, ?, ?)`,
		tenant, g.gen, g.box.seal(nil, key, tenantKeyData(tenant, g.gen)), micros(k.now()))
	if err != nil {
		return nil, err
	}
	return key, tx.Commit()
}

func (k *Keys) loadTenantKey(ctx context.Context, q querier, tenant string) ([]byte, error) {
	var gen int64
	var wrapped, wrappedKEK []byte
	err := q.QueryRowContext(ctx, `SELECT t.kek_gen, t.wrapped, k.wrapped
		FROM tenant_key t LEFT JOIN kek k ON k.tenant = t.tenant AND k.gen = t.kek_gen WHERE t.tenant = ?`, tenant).Scan(&gen, &wrapped, &wrappedKEK)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	g, err := k.unwrapKEK(tenant, gen, wrappedKEK)
	if err != nil {
		return nil, err
	}
	key, err := g.box.open(wrapped, tenantKeyData(tenant, gen))
	if err != nil {
		return nil, ErrForged
	}
	return key, nil
}
