package node

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"konto/eventstore/node/access"
)

// pages are what the node tells over HTTP: whether it lives, and statistics.
func (n *Node) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", n.live)
	mux.HandleFunc("GET /stats", n.statsPage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			n.others.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// live answers 204 to everybody as EventStoreDB does, or 503 if only a restart
// can let the node write again.
func (n *Node) live(w http.ResponseWriter, _ *http.Request) {
	if n.failed.Load() != nil {
		http.Error(w, "the store is read-only since a write failed", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *Node) statsPage(w http.ResponseWriter, r *http.Request) {
	if status := n.mayMonitor(r); status != http.StatusOK {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="konto node", charset="UTF-8"`)
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(n.stats()); err != nil {
		n.cfg.Log.Debug().Err(err).Msg("statistics were not taken")
	}
}

func (n *Node) mayMonitor(r *http.Request) int {
	p, err := n.access.Authenticate(r.Context(), r.Header.Get("Authorization"))
	if err == nil {
		err = n.access.Allow(r.Context(), p, access.Monitor, "")
	}
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, access.ErrBadCredentials), errors.Is(err, access.ErrDenied) && !p.Known():
		return http.StatusUnauthorized
	case errors.Is(err, access.ErrDenied):
		return http.StatusForbidden
	}
	return http.StatusServiceUnavailable
}
