package httpapi

import (
	"context"
	"net/http"
)

// Check is one thing that must be well for requests to be served.
type Check struct {
	Name string
	// Run returns what there is to know (a lag, a depth), and an error if
	// requests should go elsewhere. It must return at once.
	Run func(ctx context.Context) (map[string]any, error)
}

// Health is the answer of /readyz: ready if every check is well and no stop has begun.
type Health struct {
	Ready  bool                   `json:"ready"`
	Checks map[string]CheckResult `json:"checks"`
}

// CheckResult is how one check went.
type CheckResult struct {
	OK      bool           `json:"ok"`
	Problem string         `json:"problem,omitempty"`
	Facts   map[string]any `json:"facts,omitempty"`
}

func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	out, status := Health{Ready: true, Checks: map[string]CheckResult{}}, http.StatusOK
	select {
	case <-s.Ending:
		out.Ready, status = false, http.StatusServiceUnavailable
		out.Checks["system"] = CheckResult{Problem: "stopping"}
	default:
	}
	for _, c := range s.Checks {
		facts, err := c.Run(r.Context())
		result := CheckResult{OK: err == nil, Facts: facts}
		if err != nil {
			result.Problem = err.Error()
			out.Ready, status = false, http.StatusServiceUnavailable
		}
		out.Checks[c.Name] = result
	}
	writeJSON(w, status, out)
}
