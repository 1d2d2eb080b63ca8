package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// hooks is the key of a script's webhook receivers by name.
type hooks struct{}

// hook is somebody else's system that is called.
type hook struct {
	mu       sync.Mutex
	statuses []int // of the answers; the last stays
	calls    []hooked
	grown    chan struct{}
}

// hooked is a call as it came.
type hooked struct {
	id, timestamp, signature string
	body                     []byte
}

// ServeHTTP implements [http.Handler].
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the caller has gone
	}
	h.mu.Lock()
	h.calls = append(h.calls, hooked{r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), r.Header.Get("Webhook-Signature"), body})
	status := h.statuses[min(len(h.calls), len(h.statuses))-1]
	close(h.grown)
	h.grown = make(chan struct{})
	h.mu.Unlock()
	w.WriteHeader(status)
}

func (h *hook) wait(ts *testscript.TestScript, n int) []hooked {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		h.mu.Lock()
		calls, grown := append([]hooked(nil), h.calls...), h.grown
		h.mu.Unlock()
		if len(calls) >= n {
			return calls
		}
		select {
		case <-grown:
		case <-timeout.C:
			ts.Fatalf("%d calls came in time, want %d", len(calls), n)
		}
	}
}

// startHook starts a system that is called, and sets $NAME to its URL. It
// answers with the statuses, one after the other, and then with the last:
//
//	receiver NAME STATUS...
func startHook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: receiver NAME STATUS...")
	}
	h := &hook{grown: make(chan struct{})}
	for _, arg := range args[1:] {
		status, err := strconv.Atoi(arg)
		ts.Check(err)
		h.statuses = append(h.statuses, status)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // until it is closed
	}()
	ts.Defer(func() {
		_ = server.Close() // what is still open ends with the script
		<-ended
	})
	ts.Value(hooks{}).(map[string]*hook)[args[0]] = h
	ts.Setenv(args[0], "http://"+l.Addr().String())
}

// calledHook waits until a receiver was called so often, and checks what the
// last call was about and that a secret signed it, as the Standard Webhooks
// specification says. With "again", the last two calls have one ID:
//
//	called NAME COUNT TYPE SECRET [again]
func calledHook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: called NAME COUNT TYPE SECRET [again]")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	calls := ts.Value(hooks{}).(map[string]*hook)[args[0]].wait(ts, n)
	last := calls[n-1]
	var body struct{ Type, ID string }
	ts.Check(json.Unmarshal(last.body, &body))
	if body.Type != args[2] || body.ID != last.id {
		ts.Fatalf("the call is %s with ID %s, want %s", last.body, last.id, args[2])
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(args[3], "whsec_"))
	ts.Check(err)
	sum := hmac.New(sha256.New, key)
	_, _ = io.WriteString(sum, last.id+"."+last.timestamp+"."+string(last.body))
	if want := "v1," + base64.StdEncoding.EncodeToString(sum.Sum(nil)); last.signature != want {
		ts.Fatalf("the signature is %s, want %s", last.signature, want)
	}
	if len(args) > 4 && (n < 2 || calls[n-2].id != last.id) {
		ts.Fatalf("the call has another ID than the one before")
	}
}
