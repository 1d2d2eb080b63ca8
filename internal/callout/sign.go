package callout

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"konto/internal/privacy"
)

// secretPrefix marks a signing secret (Standard Webhooks, "Signature scheme").
const secretPrefix = "whsec_"

// Secret returns a signing secret as receivers are given it: whsec_ and 32
// bytes in base64. It is a keyed function of the tenant, the endpoint and the
// secret's ID, and stored nowhere.
func Secret(ctx context.Context, keys *privacy.Keys, tenant, endpoint, id string) (string, error) {
	t, err := keys.Tenant(ctx, tenant)
	if err != nil {
		return "", err
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(t.Secret("webhook", endpoint+"\x00"+id)), nil
}

// Sign returns the webhook-signature header of a message: for each secret,
// v1 and the HMAC-SHA256 of "id.timestamp.body" (Standard Webhooks,
// "Signature scheme"). A secret that is not one signs nothing.
func Sign(secrets []string, id string, at time.Time, body []byte) string {
	var signatures []string
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, secretPrefix))
		if err != nil || len(key) == 0 {
			continue
		}
		m := hmac.New(sha256.New, key)
		m.Write([]byte(id + "." + timestamp(at) + "."))
		m.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	}
	return strings.Join(signatures, " ")
}

// timestamp is the time of an attempt, in seconds since 1970 UTC.
func timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
