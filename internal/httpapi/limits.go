package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain"
	"konto/domain/customer"
	"konto/domain/relationship"
	"konto/internal/envelope"
	"konto/internal/quota"
)

// CustomerRequests is how many requests a minute a tenant may send about
// customers unless it is configured (rule P12): what Partner Center allows on
// its customer resource.
const CustomerRequests = 500

// customerQuota is the name of the quota in headers.
const customerQuota = "customers"

// limited reports whether requests about an account of that category are
// counted: a partner's customers, and what ties the two together.
func limited(category string) bool {
	return category == customer.Aggregate.Category() || category == relationship.Aggregate.Category()
}

// limitedQuery is limited for a query's route, and for the history of an account.
func limitedQuery(op *huma.Operation, stream string) bool {
	if category, _, ok := envelope.Split(stream); ok {
		return limited(category)
	}
	return slices.Contains(op.Tags, customer.Aggregate.Collection()) || slices.Contains(op.Tags, relationship.Aggregate.Collection())
}

// count holds the caller's tenant to its quota (rule P12). Every request with a
// valid token counts, also one that is refused, a dry run, an answer that is
// not sent again (304), and a command that is sent again with the same
// Idempotency-Key: it is work all the same. What is refused here is in no
// account's history, so that a flood fills no disk.
//
// The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
func (s *server) count(w http.ResponseWriter, a domain.Actor) error {
	v := s.quota.Take(a.Tenant)
	h := w.Header()
	h.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%d`, customerQuota, v.Limit, int(quota.Window.Seconds())))
	h.Set("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%d`, customerQuota, v.Remaining, seconds(v.Full)))
	if v.Allowed {
		return nil
	}
	p := newProblem(http.StatusTooManyRequests, "quota-exceeded",
		fmt.Sprintf("your organization has sent more than %d requests about customers in a minute; wait before you send the next", v.Limit))
	p.Rule, p.retry = "P12", strconv.Itoa(max(1, seconds(v.Retry)))
	p.Facts = map[string]any{"limit": v.Limit, "windowSeconds": int(quota.Window.Seconds())}
	p.ViolatedPolicies = []string{customerQuota}
	return p
}

// seconds rounds up: who waits so long does not come too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
