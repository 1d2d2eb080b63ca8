package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v85/webhook"

	"konto/domain"
	"konto/domain/card"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/identity"
	"konto/internal/mailbox"
)

const crashSecret = "whsec_crash"

// TestCrash runs the program under load, kills it at random moments
// KONTO_CRASH_CYCLES times (default 2), and starts it again on the same
// directory. Callers send again, with the same key, what was not answered.
// In the end nothing that was answered is lost, nothing happened twice, the
// read models are what the events say, and everybody concerned was told of
// each declined charge once.
func TestCrash(t *testing.T) {
	cycles := 2
	if n, err := strconv.Atoi(os.Getenv("KONTO_CRASH_CYCLES")); err == nil {
		cycles = n
	}
	c := newCrash(t)
	c.start()
	c.seed()
	loaded, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for n := range 4 {
		callers.Go(func() { c.load(loaded, n) })
	}
	for i := range cycles {
		// Some starts are interrupted, the others get some work to do first.
		wait := time.Duration(c.random.IntN(150)) * time.Millisecond
		if i%4 != 3 {
			c.ready()
			wait = time.Duration(20+c.random.IntN(400)) * time.Millisecond
		}
		<-time.NewTimer(wait).C
		c.kill()
		c.start()
	}
	c.ready()
	stop()
	callers.Wait()
	c.drain()
	c.stop()
	c.check(cycles)
}

// crash is a program on a directory and what its callers know of it.
type crash struct {
	*testing.T
	data, base string
	env        []string
	issuer     *identity.Issuer
	box        *mailbox.Mailbox
	random     *rand.Rand
	process    *exec.Cmd
	log        *os.File

	mu       sync.Mutex
	answered []acknowledged
	resent   int // requests that had no answer at first
	declines int
}

// acknowledged is a command that the program said is carried out.
type acknowledged struct {
	stream   string
	revision int64
	events   []string // IDs
}

func newCrash(t *testing.T) *crash {
	t.Helper()
	c := &crash{T: t, data: filepath.Join(t.TempDir(), "data"), random: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))}
	var err error
	if c.box, err = mailbox.Start(t.Context(), mailbox.Config{Now: time.Now, MaxMessages: 1 << 20, MaxBytes: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	c.issuer, err = identity.OpenIssuer(identity.IssuerConfig{
		URL: server.URL, Audience: "konto", KeyFile: filepath.Join(t.TempDir(), "issuer.key"), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", c.issuer.Handler())
	if c.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	c.base = "http://" + freeAddress(t)
	c.env = append(os.Environ(),
		"KONTO_IDENTITY__ISSUER="+server.URL, "KONTO_MAIL__ADDR="+c.box.Addr(), "KONTO_MAIL__TLS=none",
		"KONTO_MAIL__FROM=Konto <konto@konto.example>", "KONTO_MAIL__SMS_DOMAIN=sms.example",
		"KONTO_MAIL__VOICE_DOMAIN=voice.example", "KONTO_STRIPE__SECRETS="+crashSecret)
	t.Cleanup(func() {
		if c.process != nil {
			_ = c.process.Process.Kill() // it has ended if all went well
			_ = c.process.Wait()
		}
		server.Close()
		_ = c.box.Close()
		_ = c.log.Close()
	})
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (c *crash) start() {
	c.Helper()
	p := exec.Command("konto", "serve", "--data", c.data, "--addr", strings.TrimPrefix(c.base, "http://")) // it is killed on purpose
	p.Env, p.Stderr = c.env, c.log
	if err := p.Start(); err != nil {
		c.Fatal(err)
	}
	c.process = p
}

func (c *crash) kill() {
	_ = c.process.Process.Kill() // SIGKILL: nothing is written any more
	_ = c.process.Wait()
}

// stop ends the program as an operator does.
func (c *crash) stop() {
	c.Helper()
	_ = c.process.Process.Signal(os.Interrupt)
	if err := c.process.Wait(); err != nil {
		c.Errorf("stop: %v\n%s", err, c.lastLines())
	}
}

func (c *crash) lastLines() []byte {
	b, _ := os.ReadFile(c.log.Name())
	return b[max(0, len(b)-4000):]
}

// poll asks until done is satisfied with the answer of /readyz.
func (c *crash) poll(what string, done func(status int, body []byte) bool) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
		if err != nil {
			c.Fatal(err)
		}
		var body bytes.Buffer
		if res, err := http.DefaultClient.Do(req); err == nil {
			_, err = body.ReadFrom(res.Body)
			_ = res.Body.Close()
			if err == nil && done(res.StatusCode, body.Bytes()) {
				return
			}
		}
		select {
		case <-ctx.Done():
			c.Fatalf("not %s: %s\n%s", what, body.Bytes(), c.lastLines())
		case <-tick.C:
		}
	}
}

func (c *crash) ready() {
	c.Helper()
	c.poll("ready", func(status int, _ []byte) bool { return status == http.StatusOK })
}

// drain waits until all read models and the outbox are done.
func (c *crash) drain() {
	c.Helper()
	c.poll("drained", func(status int, body []byte) bool {
		var ready struct {
			Checks struct {
				Outbox struct {
					Facts struct{ Waiting, LagEvents, Dead int }
				}
				Projections struct {
					Facts map[string]struct{ LagEvents int }
				}
			}
		}
		if err := json.Unmarshal(body, &ready); err != nil || status != http.StatusOK {
			return false
		}
		outbox := ready.Checks.Outbox.Facts
		for _, p := range ready.Checks.Projections.Facts {
			if p.LagEvents > 0 {
				return false
			}
		}
		return outbox.Waiting == 0 && outbox.LagEvents == 0
	})
}

func (c *crash) as(p demo.Person) (*client.Client, error) {
	token, err := c.issuer.Mint(p.Identity(), 2*time.Hour)
	return &client.Client{Base: c.base, Token: token}, err
}

func (c *crash) seed() {
	c.Helper()
	c.ready()
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	err := demo.World{As: c.as, Code: func(ctx context.Context, recipient string) (string, error) {
		m, err := c.box.Wait(ctx, func(m mailbox.Message) bool {
			return m.Template == "contact_code" && strings.HasPrefix(strings.Join(m.Recipients, " "), recipient)
		})
		return codes.FindString(m.Text), err
	}}.Make(ctx)
	if err != nil {
		c.Fatalf("%v\n%s", err, c.lastLines())
	}
}

// load sends one request after another, each until it is answered.
func (c *crash) load(ctx context.Context, n int) {
	random := rand.New(rand.NewPCG(uint64(n), 2))
	anna, _ := demo.Find("anna")
	eva, _ := demo.Find("eva")
	caller, err := c.as(anna)
	if err != nil {
		c.Error(err)
		return
	}
	// A role of its own, of which no alert depends.
	role := []domain.Role{domain.SalesAgent, domain.AdminAgent, domain.HelpdeskAgent, domain.Auditor}[n]
	pay := "" // a card of this caller's own: that of the declines pays for one subscription
	for i := 0; ctx.Err() == nil; i++ {
		key := fmt.Sprintf("%d-%d", n, i)
		fresh := uuid.NewSHA1(uuid.NameSpaceOID, []byte(key)).String()
		switch k := random.IntN(10); {
		case k < 4:
			c.decline(key, fresh)
		case k < 6:
			name := []string{"AssignRole", "RemoveRole"}[random.IntN(2)]
			c.send(caller, client.Command{Collection: "admins", ID: eva.ID, Name: name, Key: key, Body: map[string]any{"role": role}})
		case k < 8 && pay != "":
			c.send(caller, client.Command{Collection: "subscriptions", ID: fresh, Name: "RegisterSubscription", Body: map[string]any{"product": "P", "cardId": pay}, Key: key})
		default:
			pay = fresh
			c.send(caller, client.Command{Collection: "cards", ID: fresh, Name: "AddCard", Key: key, Body: card.AddCard{
				GatewayToken: "pm_" + key, Brand: "visa", Last4: "4242", ExpMonth: 9, ExpYear: 2029, IssuerCountry: "SE",
				Fingerprint: "fp_" + key, HolderName: "Anna Lindqvist", BillTo: card.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"},
			}})
		}
		pause := time.NewTimer(15 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// again calls try until it is answered.
func (c *crash) again(what string, try func(ctx context.Context) error) {
	for attempt := 0; ; attempt++ {
		ctx, cancel := context.WithTimeout(c.Context(), 10*time.Second)
		err := try(ctx)
		cancel()
		var problem *client.Problem
		switch {
		case err == nil:
			return
		case errors.As(err, &problem) && problem.Status < http.StatusInternalServerError:
			c.Errorf("%s: %v", what, err)
			return
		case errors.As(err, &problem) && problem.Status == http.StatusInternalServerError || c.Context().Err() != nil || attempt > 2000:
			c.Errorf("%s: no answer: %v", what, err)
			return
		}
		if attempt == 0 {
			c.mu.Lock()
			c.resent++
			c.mu.Unlock()
		}
		<-time.NewTimer(10 * time.Millisecond).C
	}
}

func (c *crash) send(as *client.Client, cmd client.Command) {
	c.again(cmd.Name, func(ctx context.Context) error {
		accepted, err := as.Send(ctx, cmd)
		if err != nil || len(accepted.Events) == 0 {
			return err
		}
		done := acknowledged{stream: accepted.Stream, revision: accepted.Revision}
		for _, e := range accepted.Events {
			done.events = append(done.events, e.ID)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answered = append(c.answered, done)
		return nil
	})
}

// decline reports a declined charge as the gateway does.
func (c *crash) decline(key, invoice string) {
	h := happening{method: demo.AnnasToken, code: "insufficient_funds", amount: 149_00, currency: "sek", invoice: invoice, eventID: "evt_" + key}
	body, err := h.event("charge.failed", time.Now())
	if err != nil {
		c.Error(err)
		return
	}
	gateway := &client.Client{Base: c.base}
	c.again("decline", func(ctx context.Context) error {
		signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: crashSecret})
		answer, err := gateway.Do(ctx, http.MethodPost, "/v1/gateways/stripe", http.Header{"Stripe-Signature": {signed.Header}}, body)
		if err != nil {
			return err
		}
		if !bytes.Contains(answer, []byte(`"carried-out"`)) {
			c.Errorf("decline %s: %s", key, answer)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.declines++
		return nil
	})
}
