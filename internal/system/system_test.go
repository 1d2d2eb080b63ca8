package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/domain/tenant"
	"konto/eventstore"
	"konto/eventstore/storetest"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/identity"
	"konto/internal/mailbox"
	"konto/internal/system"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
	}))
}

const stripeSecret = "whsec_test"

// running is a system with a log that tests read.
type running struct {
	*testing.T
	*system.System
	data   string
	log    *safeBuffer
	client *http.Client
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// start starts a system on a directory; it is stopped with the test.
func start(t *testing.T, data string, tune func(*system.Config)) *running {
	t.Helper()
	r := &running{T: t, data: data, log: &safeBuffer{}, client: &http.Client{Transport: &http.Transport{}}}
	cfg := system.Config{
		Data: data, Addr: "127.0.0.1:0", Dev: true, Now: time.Now, Log: zerolog.New(r.log).Level(zerolog.DebugLevel),
		Stripe:    system.Stripe{Secrets: []string{stripeSecret}},
		OpenStore: storetest.Opener(filepath.Join(data, "events")),
	}
	if tune != nil {
		tune(&cfg)
	}
	var err error
	if r.System, err = system.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.stop() }) // the test looks at the error where it matters
	return r
}

func (r *running) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r.client.CloseIdleConnections()
	return r.Stop(ctx)
}

// token returns an access token of a person of the demo world.
func (r *running) token(name string, life time.Duration) string {
	r.Helper()
	p, ok := demo.Find(name)
	if !ok {
		r.Fatalf("nobody is called %s", name)
	}
	token, err := r.Issuer().Mint(identity.Person{ID: p.ID, Tenant: p.Tenant, Roles: p.Roles}, life)
	if err != nil {
		r.Fatal(err)
	}
	return token
}

func (r *running) as(name string) *client.Client {
	r.Helper()
	return &client.Client{Base: r.URL(), Token: r.token(name, time.Hour), HTTP: r.client}
}

var codes = regexp.MustCompile(`\b\d{6}\b`)

func (r *running) seed() {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	err := demo.World{
		As: func(p demo.Person) (*client.Client, error) { return r.as(p.Name), nil },
		Code: func(ctx context.Context, recipient string) (string, error) {
			m, err := r.Mailbox().Wait(ctx, func(m mailbox.Message) bool {
				return m.Template == "contact_code" && strings.HasPrefix(strings.Join(m.Recipients, " "), recipient)
			})
			return codes.FindString(m.Text), err
		},
	}.Make(ctx)
	if err != nil {
		r.Fatalf("%v\n%s", err, r.log.Bytes())
	}
}

func (r *running) head() eventstore.Position {
	r.Helper()
	p, err := eventstore.Head(r.Context(), r.Store())
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// settled waits until nothing is left to do, and returns the store's head.
func (r *running) settled() eventstore.Position {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var ready struct {
			Ready  bool
			Checks struct {
				Outbox struct {
					Facts struct{ Waiting, LagEvents int }
				}
			}
		}
		before := r.head()
		err := (&client.Client{Base: r.URL(), HTTP: r.client}).Get(ctx, "/readyz", &ready)
		if o := ready.Checks.Outbox.Facts; err == nil && ready.Ready && o.Waiting == 0 && o.LagEvents == 0 && r.head() == before {
			return before
		}
		select {
		case <-ctx.Done():
			r.Fatalf("not settled: %v %+v\n%s", err, ready, r.log.Bytes())
		case <-tick.C:
		}
	}
}

func TestStopAndStartAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := start(t, data, nil)
	r.seed()
	before := r.settled()
	for range 2 {
		if err := r.stop(); err != nil {
			t.Fatalf("stop: %v", err)
		}
	}
	if err := system.Idle(data); err != nil {
		t.Errorf("Idle = %v, want none", err)
	}
	r = start(t, data, nil)
	r.seed() // every command is a repeat
	if got := r.settled(); got != before {
		t.Errorf("head = %s, want %s: something was done twice", got, before)
	}
	var state struct{ State json.RawMessage }
	if err := r.as("anna").Get(t.Context(), "/v1/accounts/card-"+demo.AnnasCard+"/state", &state); err != nil || !bytes.Contains(state.State, []byte("Anna Lindqvist")) {
		t.Errorf("state = %s, %v: not what was there before", state.State, err)
	}
	if err := r.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestWhatIsTakenIsNotTakenAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := start(t, data, nil)
	again := func(data, addr string) error {
		s, err := system.Start(t.Context(), system.Config{Data: data, Addr: addr, Dev: true, Now: time.Now, Log: zerolog.Nop()})
		if err == nil {
			_ = s.Stop(t.Context())
		}
		return err
	}
	if err := again(data, "127.0.0.1:0"); !errors.Is(err, system.ErrInUse) || !strings.Contains(err.Error(), "pid ") {
		t.Errorf("the same directory: err = %v, want %v and who has it", err, system.ErrInUse)
	}
	if err := system.Idle(data); !errors.Is(err, system.ErrInUse) {
		t.Errorf("Idle = %v, want %v", err, system.ErrInUse)
	}
	other := t.TempDir()
	if err := again(other, strings.TrimPrefix(r.URL(), "http://")); err == nil || !strings.Contains(err.Error(), "start listener") {
		t.Errorf("the same port: err = %v, want one that names the listener", err)
	}
	if err := again(other, "127.0.0.1:0"); err != nil {
		t.Errorf("after a start that failed: %v", err)
	}
}

func TestPartThatFailsEndsTheSystem(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	if err := r.Store().Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.Failed():
	case <-time.NewTimer(10 * time.Second).C:
		t.Fatal("the system goes on without its store")
	}
	if err := r.stop(); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("stop = %v, want %v", err, eventstore.ErrClosed)
	}
}

// A stop in the middle of the load: whoever got an answer got the truth.
func TestStopLosesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := start(t, data, nil)
	operator := r.as("operator")
	follower, err := operator.Open(t.Context(), http.MethodGet, "/v1/events", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = follower.Body.Close() }()
	var answered sync.Map
	var count atomic.Int64
	enough := make(chan struct{})
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%08d-0000-7000-8000-%012d", n, i)
				_, err := operator.Send(t.Context(), client.Command{Collection: "tenants", ID: id, Name: "RegisterTenant", Body: tenant.RegisterTenant{
					Name: "T", Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: fmt.Sprintf("t%d-%d.example", n, i),
				}})
				var problem *client.Problem
				var gone *net.OpError
				switch {
				case err == nil:
					answered.Store(id, true)
					if count.Add(1) == 100 {
						close(enough)
					}
					continue
				case errors.As(err, &problem):
					t.Errorf("caller %d: %v, want an answer or none", n, err)
				case !errors.As(err, &gone) && !strings.Contains(err.Error(), "EOF"):
					t.Logf("caller %d: %v", n, err)
				}
				return
			}
		})
	}
	<-enough
	if err := r.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	callers.Wait()
	s := start(t, data, nil)
	answered.Range(func(id, _ any) bool {
		for _, err := range s.Store().Read(t.Context(), "tenant-"+id.(string), eventstore.ReadStream{}) {
			if err != nil {
				t.Errorf("tenant %s: %v, but it was answered", id, err)
			}
		}
		return true
	})
}

// A dry run of a system that carries out no effect cannot say what would
// follow, and says so.
func TestDryRunWithoutAReactor(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), func(c *system.Config) { c.WriteOnly = true })
	status, problem := r.do(ask{
		as: "operator", path: "/v1/tenants/" + demo.Norrsken + "/RegisterTenant?dry-run=true",
		body: `{"name":"N","country":"SE","currency":"SEK","locale":"sv","domain":"n.example"}`,
	})
	if status != http.StatusServiceUnavailable || problem["code"] != "store-unavailable" {
		t.Errorf("answer = %d %v, want 503 store-unavailable", status, problem)
	}
}
