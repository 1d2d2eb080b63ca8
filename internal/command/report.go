package command

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"konto/domain"
	"konto/internal/envelope"
)

// Observation is what there is to count about a command.
type Observation struct {
	Command  string
	Stream   string
	Outcome  string // "accepted", "replayed", "nothing", "refused", "stale", "failed", "dry-run"
	Code     string // of a refusal
	Duration time.Duration
	Retries  int // conflicts with another writer
	// Events are what the command led to, personal values open. They are not
	// to be changed.
	Events []Event
}

func (h *Handler) report(req Request, res Result, retries int, err error, start time.Time) {
	took := h.Now().Sub(start)
	o := Observation{Command: req.Command, Stream: envelope.Stream(req.Category, req.Target), Duration: took, Retries: retries, Events: res.Events}
	var rule *domain.Error
	var stale *StaleError
	var fault error
	level := zerolog.InfoLevel
	switch {
	case errors.As(err, &rule):
		o.Outcome, o.Code = "refused", rule.Code
		h.Rejections.note(req, rule, res.Versions, start)
	case errors.As(err, &stale):
		o.Outcome = "stale"
	case err != nil:
		o.Outcome, level, fault = "failed", zerolog.WarnLevel, err
	case req.DryRun:
		o.Outcome = "dry-run"
	case res.Replayed:
		o.Outcome = "replayed"
	case len(res.Events) == 0:
		o.Outcome = "nothing"
	default:
		o.Outcome = "accepted"
	}
	if h.Observe != nil {
		h.Observe(o)
	}
	h.Log.WithLevel(level).AnErr(zerolog.ErrorFieldName, fault).
		Str("command", req.Command).Str("command_id", req.ID.String()).
		Str("stream", o.Stream).
		Str("correlation_id", req.Correlation).Str("outcome", o.Outcome).Str("code", o.Code).
		Int64("revision", int64(res.Revision)).Uint64("position", res.Position.Commit).
		Int("events", len(res.Events)).Int("retries", retries).Dur("dur_ms", took).Msg("command")
}
