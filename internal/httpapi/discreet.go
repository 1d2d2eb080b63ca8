package httpapi

import (
	"context"
	"errors"
	"slices"

	"konto/domain"
	"konto/internal/command"
	"konto/internal/envelope"
	"konto/internal/history"
	"konto/internal/privacy"
)

// Who may change an account need not be one who may read it: the service of an
// identity provider undoes changes of contacts that it is never shown. What an
// answer to a command tells of the account is for those who may see personal
// values there; others are told which fields it is about.

// seesPersonal reports whether the sender of req may see the personal values of
// its account. Of one that is not there, there is nothing to hide.
func (s *server) seesPersonal(ctx context.Context, req command.Request) (bool, error) {
	owner, err := s.history.Owner(ctx, envelope.Stream(req.Category, req.Target))
	switch {
	case errors.Is(err, history.ErrNoAccount):
		return true, nil
	case err != nil:
		return false, err
	}
	sight, err := s.Commands.Look(ctx, s.Reading, domain.Look{Category: req.Category, ID: req.Target, Owner: owner, Actor: req.Actor, At: s.Now()})
	if _, hidden := errors.AsType[*domain.Error](err); hidden {
		return false, nil // may not read it at all
	}
	return sight.Personal, err
}

// discreetly returns err as the sender of req may hear it.
func (s *server) discreetly(ctx context.Context, req command.Request, err error) error {
	var stale *command.StaleError
	if !errors.As(err, &stale) || len(stale.Changes) == 0 {
		return err
	}
	sees, failed := s.seesPersonal(ctx, req)
	if failed != nil {
		return failed
	}
	if sees {
		return err
	}
	told := *stale
	told.Changes = withoutValues(stale.Changes)
	return &told
}

// discreet returns res as the sender of req may see it.
func (s *server) discreet(ctx context.Context, req command.Request, res command.Result) (command.Result, error) {
	if len(res.Merged) == 0 && !req.DryRun {
		return res, nil
	}
	sees, err := s.seesPersonal(ctx, req)
	if err != nil || sees {
		return res, err
	}
	res.Merged = withoutValues(res.Merged)
	res.Events = slices.Clone(res.Events)
	for i := range res.Events {
		res.Events[i].Data = privacy.Redact(res.Events[i].Data, "")
	}
	return res, nil
}

// withoutValues returns changes that say no more than which fields, who and when.
func withoutValues(changes []command.FieldChange) []command.FieldChange {
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i].Before, changes[i].After, changes[i].Yours = nil, nil, nil
	}
	return changes
}
