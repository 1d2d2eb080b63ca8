package system

import (
	"context"

	"konto/domain/subject"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/session"
)

// startWatch keeps what this process has in memory true to what others on the
// same event store do: whose sessions were ended, and whose keys are gone. It
// begins before the first request is taken.
func (s *System) startWatch(context.Context) error {
	sessions, err := session.New(session.Config{Accounts: s.commands, Now: s.cfg.Now})
	if err != nil {
		return err
	}
	s.sessions = sessions
	s.run("watch", s.onStore(s.watch))
	return nil
}

// watch follows the store until ctx ends or the store is away. What happened
// before it began, this process may have missed.
func (s *System) watch(ctx context.Context) error {
	head, err := eventstore.Head(ctx, s.store)
	if err != nil {
		return err
	}
	s.keys.ForgetAll()
	s.commands.Forget()
	s.sessions.Heard()
	defer s.sessions.Unheard()
	for batch, err := range s.store.Subscribe(ctx, head) {
		if err != nil {
			return err
		}
		for _, r := range batch {
			s.heed(r)
		}
	}
	return ctx.Err()
}

// heed drops what an event makes untrue.
func (s *System) heed(r eventstore.Recorded) {
	s.sessions.Forget(r.Stream)
	category, person, ok := envelope.Split(r.Stream)
	if !ok || category != subject.Aggregate.Category() {
		return
	}
	switch r.Type {
	case "SubjectKeyDestroyed", "ErasureCertified":
		// The first is the decision, the second comes when the keys are gone.
		// A key that is loaded between the two goes with the second.
		if head, err := envelope.ParseHead(r.Meta); err == nil {
			s.keys.Forget(head.Tenant, person)
		} else {
			s.keys.ForgetAll() // whosever they are
		}
		s.commands.Forget()
	}
}
