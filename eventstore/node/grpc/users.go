package grpc

import (
	"context"
	"errors"
	"strings"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"konto/eventstore/node/access"
	"konto/eventstore/node/proto"
)

type usersService struct {
	proto.UnimplementedUsersServer
	*Server
}

// Create adds a user.
func (s *usersService) Create(ctx context.Context, r *proto.CreateReq) (*proto.CreateResp, error) {
	o := r.GetOptions()
	return &proto.CreateResp{}, s.manage(ctx, access.ManageUsers, o.GetLoginName(), func(c *access.Control) error {
		user := access.User{Login: o.GetLoginName(), FullName: o.GetFullName(), Groups: o.GetGroups()}
		return c.CreateUser(ctx, user, o.GetPassword())
	})
}

// Update replaces a user's name and groups. The password in it is not looked
// at, as on EventStoreDB.
func (s *usersService) Update(ctx context.Context, r *proto.UpdateReq) (*proto.UpdateResp, error) {
	o := r.GetOptions()
	return &proto.UpdateResp{}, s.manage(ctx, access.ManageUsers, o.GetLoginName(), func(c *access.Control) error {
		return c.UpdateUser(ctx, o.GetLoginName(), o.GetFullName(), o.GetGroups())
	})
}

// Delete removes a user.
func (s *usersService) Delete(ctx context.Context, r *proto.DeleteReq) (*proto.DeleteResp, error) {
	login := r.GetOptions().GetLoginName()
	return &proto.DeleteResp{}, s.manage(ctx, access.ManageUsers, login, func(c *access.Control) error {
		return c.DeleteUser(ctx, login)
	})
}

// Enable lets a user sign in.
func (s *usersService) Enable(ctx context.Context, r *proto.EnableReq) (*proto.EnableResp, error) {
	login := r.GetOptions().GetLoginName()
	return &proto.EnableResp{}, s.manage(ctx, access.ManageUsers, login, func(c *access.Control) error {
		return c.EnableUser(ctx, login, true)
	})
}

// Disable lets a user no longer sign in.
func (s *usersService) Disable(ctx context.Context, r *proto.DisableReq) (*proto.DisableResp, error) {
	login := r.GetOptions().GetLoginName()
	return &proto.DisableResp{}, s.manage(ctx, access.ManageUsers, login, func(c *access.Control) error {
		return c.EnableUser(ctx, login, false)
	})
}

// ResetPassword gives a user another password.
func (s *usersService) ResetPassword(ctx context.Context, r *proto.ResetPasswordReq) (*proto.ResetPasswordResp, error) {
	o := r.GetOptions()
	return &proto.ResetPasswordResp{}, s.manage(ctx, access.ManageUsers, o.GetLoginName(), func(c *access.Control) error {
		return c.SetPassword(ctx, o.GetLoginName(), o.GetNewPassword())
	})
}

// ChangePassword gives the caller another password.
func (s *usersService) ChangePassword(ctx context.Context, r *proto.ChangePasswordReq) (*proto.ChangePasswordResp, error) {
	o := r.GetOptions()
	return &proto.ChangePasswordResp{}, s.manage(ctx, access.ChangePassword, o.GetLoginName(), func(c *access.Control) error {
		return c.ChangePassword(ctx, o.GetLoginName(), o.GetCurrentPassword(), o.GetNewPassword())
	})
}

// Details sends one user, or all if no login is given.
func (s *usersService) Details(r *proto.DetailsReq, stream rpc.ServerStreamingServer[proto.DetailsResp]) error {
	ctx, login := stream.Context(), r.GetOptions().GetLoginName()
	op := access.ReadUser
	all := strings.TrimSpace(login) == ""
	if all {
		op = access.ManageUsers
	}
	var found []access.User
	err := s.manage(ctx, op, login, func(c *access.Control) (err error) {
		if all {
			found, err = c.Users(ctx)
			return err
		}
		user, err := c.User(ctx, login)
		found = []access.User{user}
		return err
	})
	if err != nil {
		return err
	}
	for _, u := range found {
		err := stream.Send(&proto.DetailsResp{UserDetails: &proto.DetailsResp_UserDetails{
			LoginName: u.Login, FullName: u.FullName, Groups: u.Groups, Disabled: u.Disabled,
			LastUpdated: &proto.DetailsResp_UserDetails_DateTime{TicksSinceEpoch: ticks(u.Updated)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// manage does something with users if the caller may, and translates errors.
func (s *usersService) manage(ctx context.Context, op access.Operation, login string, do func(*access.Control) error) error {
	c := s.config.Access
	if c == nil {
		return &failure{code: codes.Unimplemented, text: "this node has no users"}
	}
	if err := s.allow(ctx, op, login); err != nil {
		return err
	}
	err := do(c)
	switch {
	case errors.Is(err, access.ErrUserNotFound):
		return exception(codes.NotFound, "user-not-found", "The user does not exist.", "login-name", login)
	case errors.Is(err, access.ErrUserConflict):
		return exception(codes.FailedPrecondition, "user-conflict", "The login is taken, or the user was changed meanwhile.", "login-name", login)
	case errors.Is(err, access.ErrInvalid):
		return invalidArgument("%v", err)
	}
	return fail(err, "")
}
