package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"konto/eventstore/node/engine"
)

// The logins that are what their groups are, whatever their groups say.
const (
	adminLogin = "admin"
	opsLogin   = "ops"
)

// Allow returns nil if p may do op with stream, which is "" for operations
// that concern no stream. Errors: [ErrDenied], the store's, ctx's. Who asks
// again and again for one caller may stop asking when [Control.Watch] is silent.
func (c *Control) Allow(ctx context.Context, p Principal, op Operation, stream string) error {
	if c.cfg.Insecure {
		return nil
	}
	if op == ReadAll {
		op, stream = ReadStream, Everyone
	}
	isAdmin := p.Has(Admins) || p.Login == adminLogin
	isOps := isAdmin || p.Has(Ops) || p.Login == opsLogin
	allowed := false
	switch op {
	case ReadGossip, ReadServerFeatures:
		allowed = true
	case Monitor, InspectPersistent:
		allowed = p.Known()
	case Operate, ManagePersistent:
		allowed = isOps
	case ManageUsers:
		allowed = isAdmin
	case ReadUser:
		allowed = isAdmin || p.Known() && p.Login == stream
	case ChangePassword:
		allowed = p.Known() && p.Login == stream
	case ReadPersistent:
		if p.Known() {
			return c.allowStream(ctx, p, isAdmin, ReadStream, stream)
		}
	case ReadStream, WriteStream, DeleteStream, ReadMetadata, WriteMetadata:
		return c.allowStream(ctx, p, isAdmin, op, stream)
	case ReadAll: // above
	}
	if !allowed {
		return ErrDenied
	}
	return nil
}

func (c *Control) allowStream(ctx context.Context, p Principal, isAdmin bool, op Operation, stream string) error {
	if stream == "" {
		stream = Everyone // as EventStoreDB does
	}
	if stream == Everyone && (op == WriteStream || op == DeleteStream) {
		return ErrDenied
	}
	if original, isMeta := strings.CutPrefix(stream, "$$"); isMeta {
		switch op {
		case ReadStream:
			op, stream = ReadMetadata, original
		case WriteStream:
			op, stream = WriteMetadata, original
		case DeleteStream:
			return ErrDenied
		default: // the metadata of a metadata stream
		}
	}
	switch {
	case isAdmin:
		return nil
	case !p.Known() && !c.cfg.AllowAnonymous:
		return ErrDenied
	}
	roles, err := c.roles(ctx, op, stream)
	if err != nil {
		return err
	}
	if slices.Contains(roles, Everyone) || slices.ContainsFunc(roles, p.Has) {
		return nil
	}
	return ErrDenied
}

// roles returns who may do op with stream: what the stream says, else what
// `$settings` says of its kind, else the default of its kind.
func (c *Control) roles(ctx context.Context, op Operation, stream string) ([]string, error) {
	m := c.memory
	list, err := recall(m,
		func() (*engine.ACL, bool) { return m.lists.Get(stream) },
		func() (*engine.ACL, error) {
			meta, err := c.cfg.Store.Metadata(ctx, stream)
			return meta.ACL, err
		},
		func(list *engine.ACL) { m.lists.Add(stream, list) })
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if list != nil {
		if roles := listed(*list, op); roles != nil {
			return roles, nil
		}
	}
	defaults, err := c.defaults(ctx)
	if err != nil {
		return nil, fmt.Errorf("default access: %w", err)
	}
	if strings.HasPrefix(stream, "$") {
		return listed(defaults.system, op), nil
	}
	return listed(defaults.user, op), nil
}

// listed returns what a list says of op, nil if it says nothing.
func listed(acl engine.ACL, op Operation) []string {
	switch op {
	case ReadStream:
		return acl.Read
	case WriteStream:
		return acl.Write
	case DeleteStream:
		return acl.Delete
	case ReadMetadata:
		return acl.MetaRead
	case WriteMetadata:
		return acl.MetaWrite
	default:
		return nil
	}
}
