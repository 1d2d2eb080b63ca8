package command

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/domain/rejection"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Rejections records refused commands, as well as it can: what it has no time
// for is lost, and so is what somebody is refused more than a few times a
// minute. It never makes a command wait. Its methods are safe for concurrent use.
type Rejections struct {
	Store eventstore.Store
	Keys  *privacy.Keys
	Now   func() time.Time
	Log   zerolog.Logger

	mu      sync.Mutex
	minute  time.Time
	told    map[string]int // by actor, in this minute
	waiting chan refused
}

const (
	// rejectionsEach is how many refusals of one actor are recorded in a minute.
	rejectionsEach = 30
	// rejectionActors bounds the actors that are counted in a minute.
	rejectionActors = 10_000
	// rejectionsWaiting is how many refusals wait to be recorded.
	rejectionsWaiting = 1024
)

// refused is a command that a rule refused.
type refused struct {
	req      Request
	rule     *domain.Error
	versions map[string]int // of the policies that it was refused under
	at       time.Time
}

// NewRejections returns a recorder that is idle until Run is called.
func NewRejections(store eventstore.Store, keys *privacy.Keys, now func() time.Time, log zerolog.Logger) *Rejections {
	return &Rejections{Store: store, Keys: keys, Now: now, Log: log, waiting: make(chan refused, rejectionsWaiting)}
}

// note takes a refusal if it is one to record: a rule's, of somebody who was
// authenticated. It does not block.
func (r *Rejections) note(req Request, rule *domain.Error, versions map[string]int, at time.Time) {
	if r == nil || req.DryRun || rule.Kind == domain.KindMalformed || req.Actor.Kind == domain.KindSystem || req.Actor.Tenant == "" {
		return
	}
	if !r.allow(req.Actor.ID, at) {
		return
	}
	select {
	case r.waiting <- refused{req, rule, versions, at}:
	default:
	}
}

func (r *Rejections) allow(actor string, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := at.Truncate(time.Minute); !minute.Equal(r.minute) {
		r.minute, r.told = minute, map[string]int{}
	}
	if r.told[actor] >= rejectionsEach || len(r.told) >= rejectionActors && r.told[actor] == 0 {
		return false
	}
	r.told[actor]++
	return true
}

// Run records refusals until ctx ends.
func (r *Rejections) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-r.waiting:
			if err := r.record(ctx, w); err != nil && ctx.Err() == nil {
				r.Log.Debug().Err(err).Str("command", w.req.Command).Msg("rejection not recorded")
			}
		}
	}
}

// record appends to the stream of the tenant that was refused, whoever's the
// account is: what others have is nobody else's to know.
func (r *Rejections) record(ctx context.Context, w refused) error {
	tenant := w.req.Actor.Tenant
	raw, err := rejection.Aggregate.Encode(rejection.CommandRejected{
		Category: w.req.Category, CommandType: w.req.Command, RuleID: w.rule.Rule, RuleIDs: causes(w.rule), ProblemType: w.rule.Code,
	})
	if err != nil {
		return err
	}
	e := eventstore.Event{ID: eventstore.ID(uuid.NewSHA1(w.req.ID, []byte("rejection"))), Type: raw.Type, Data: raw.Data}
	stream := envelope.Stream(rejection.Aggregate.Category(), tenant)
	if e, err = envelope.Seal(ctx, r.Keys, stream, tenant, e, envelope.Meta{
		Correlation: w.req.Correlation, Causation: w.req.ID.String(), Tenant: tenant, Actor: w.req.Actor,
		Command: w.req.ID.String(), CommandType: w.req.Command, At: w.at.UTC().Truncate(time.Microsecond),
		PolicyVersions: w.versions,
	}); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if _, err := r.Store.Append(ctx, stream, eventstore.Any, e); err != nil {
		return fmt.Errorf("append to %s: %w", stream, err)
	}
	return nil
}

// causes returns the rules of a refusal that sums several up.
func causes(rule *domain.Error) []string {
	if len(rule.Causes) == 0 {
		return nil
	}
	return rule.Rules()
}
