package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/identity"
)

// local is what a running `konto dev` leaves in its data directory for the
// other commands on this machine. It holds a secret: mode 0600.
type local struct {
	URL          string `json:"url"`
	Issuer       string `json:"issuer"`
	Audience     string `json:"audience"`
	StripeSecret string `json:"stripeSecret"`
	Clock        bool   `json:"clock,omitempty"` // it runs on a test clock
}

const (
	localFile = "dev.json"
	tokenLife = 12 * time.Hour
)

// errNoDev: there is nothing to call.
var errNoDev = errors.New("no konto dev has run here")

func readLocal(data string) (local, error) {
	var l local
	b, err := os.ReadFile(filepath.Join(data, localFile)) //nolint:gosec // the directory is the caller's choice
	if errors.Is(err, fs.ErrNotExist) {
		return l, fmt.Errorf("%w: %s is empty; start konto dev, or name a Konto with --url and --token-file", errNoDev, data)
	}
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(b, &l)
}

func (l local) write(data string) error {
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, localFile), append(b, '\n'), 0o600)
}

// newSecret returns a webhook signing secret in Stripe's form.
func newSecret() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return "whsec_" + hex.EncodeToString(b)
}

// mint returns a token for a person of the demo company, signed with the key
// of the local issuer, at the time of its clock.
func (l local) mint(data string, p demo.Person) (string, error) {
	now, err := l.now()
	if err != nil {
		return "", err
	}
	issuer, err := identity.OpenIssuer(identity.IssuerConfig{
		URL: l.Issuer, Audience: l.Audience, Now: now, KeyFile: filepath.Join(data, "issuer.key"),
	})
	if err != nil {
		return "", err
	}
	return mintBy(issuer, p)
}

// client returns a client that calls as the flags say: with the token of
// --token-file, else as a person of the demo company. A token of the local
// issuer goes to the konto dev on this machine and nowhere else, unless --as
// asks for it.
func (a *app) client() (*client.Client, error) {
	base, file := cmp.Or(a.url, a.getenv("KONTO_URL")), cmp.Or(a.token, a.getenv("KONTO_TOKEN_FILE"))
	if base != "" && a.as == "" {
		return remote(base, file)
	}
	l, err := readLocal(a.devData)
	if err != nil {
		return nil, err
	}
	base = cmp.Or(base, l.URL)
	if file != "" && a.as == "" {
		return remote(base, file)
	}
	name := cmp.Or(a.as, "anna")
	person, ok := demo.Find(name)
	if !ok {
		return nil, usage(fmt.Errorf("--as %s: nobody is called so%s; konto token lists who there is", name, didYouMean(name, names())))
	}
	token, err := l.mint(a.devData, person)
	if err != nil {
		return nil, err
	}
	return &client.Client{Base: base, Token: token}, nil
}

// remote returns a client for a Konto anywhere; without a token it reads what
// everybody may, such as /readyz.
func remote(base, tokenFile string) (*client.Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, usage(fmt.Errorf("--url %s: want http://HOST:PORT or https://HOST", base))
	}
	c := &client.Client{Base: strings.TrimSuffix(base, "/")}
	if tokenFile == "" {
		return c, nil
	}
	token, err := os.ReadFile(tokenFile) //nolint:gosec // the caller names the file
	c.Token = trimSpace(token)
	return c, err
}

// names are what the people of the demo company are called.
func names() []string {
	var all []string
	for _, p := range demo.People() {
		all = append(all, p.Name)
	}
	return all
}
