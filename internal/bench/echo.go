package bench

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
)

// echo runs the load of a command cell on a bare server that decodes the same
// body and answers as many bytes: what HTTP and JSON leave of this machine.
func (b *bench) echo(ctx context.Context, w *world, callers, length int) (_ Rate, err error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Rate{}, err
	}
	server := &http.Server{Handler: echoer(length), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}()
	accounts := make([]*account, len(w.accounts)) // copies: the echo changes nothing
	for i, a := range w.accounts {
		clone := *a
		accounts[i] = &clone
	}
	loops, done, err := w.callers(ctx, l.Addr().String(), accounts, callers, func(reply) {})
	if err != nil {
		return Rate{}, err
	}
	defer done()
	return b.closed(ctx, b.Duration/3, loops)
}

func echoer(length int) http.Handler {
	frame := len(`{"displayName":""}` + "\n")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/admins/{id}/ChangeDisplayName", func(w http.ResponseWriter, r *http.Request) {
		var v struct {
			DisplayName string `json:"displayName"`
		}
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		v.DisplayName += strings.Repeat("x", max(0, length-frame-len(v.DisplayName)))
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the caller has gone if this fails
	})
	return mux
}
