package admin

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

const tag = "Administration"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/accounts", ID: "admin-list-accounts", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "Find an account, or list all",
		Description: "With q the page has the account whose address or username is exactly that, or nothing: the server finds names by keyed hashes, so it cannot search in them. " +
			"Without q the accounts come page by page, the newest first.",
	}, s.getAccounts)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/accounts/{id}", ID: "admin-read-account", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "An account's state", Description: "Nothing of its files but their number and size.",
		Errors: []*fault.Error{account.ErrNotFound},
	}, s.getAccount)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/admin/accounts/{id}", ID: "admin-update-account", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "Suspend or lock an account, give it a role, change its quota",
		Description: "What is absent stays. A quota of null is that of the settings, 0 no bound. A suspension ends every session at once. Only an admin lifts it, by status active. " +
			"A role counts at the next request. The last active admin stays.",
		Errors: []*fault.Error{account.ErrNotFound, account.ErrLastAdmin, errYourself, errOwner},
	}, s.patchAccount)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/admin/accounts/{id}/sessions", ID: "admin-end-sessions", Tag: tag, Access: rest.Admin, Status: http.StatusNoContent, Rows: "F-X3",
		Summary: "End every session of an account", Description: "Remembered devices, open sign-ins and outstanding links end too.",
		Errors: []*fault.Error{account.ErrNotFound},
	}, s.deleteSessions)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/admin/accounts/{id}/reset", ID: "admin-start-reset", Tag: tag, Access: rest.Admin, Status: http.StatusAccepted, Rows: "F-X3",
		Summary: "Mail the owner a link to set a new password", Description: "Only the mailbox gets the link. The password stays until the owner sets another.",
		Errors: []*fault.Error{account.ErrNotFound, limit.ErrLimited},
	}, s.postReset)
	s.deskRoutes(a)
}

// AccountSummary is an account in the list.
type AccountSummary struct {
	ID         account.ID `json:"id"`
	Username   string     `json:"username"`
	Email      string     `json:"email"`
	Status     string     `json:"status" enum:"active,deactivated,suspended,deleting"`
	Role       string     `json:"role" enum:"user,admin"`
	CreatedAt  time.Time  `json:"created_at"`
	SignedInAt *time.Time `json:"signed_in_at" nullable:"true" doc:"The last sign-in; null for none yet."`
}

func summary(l account.Listed) AccountSummary {
	return AccountSummary{ID: l.ID, Username: l.Username, Email: l.Email, Status: l.Status, Role: l.Role, CreatedAt: l.CreatedAt, SignedInAt: orNull(l.SignedInAt)}
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// AccountUsage is what an account keeps and may keep.
type AccountUsage struct {
	Bytes         int64  `json:"bytes"`
	Files         int64  `json:"files" doc:"With versions, unfinished uploads and the trash."`
	Folders       int64  `json:"folders"`
	Reserved      int64  `json:"reserved" doc:"Bytes that unfinished uploads may come to."`
	QuotaBytes    *int64 `json:"quota_bytes" nullable:"true" doc:"null without a bound."`
	QuotaFiles    *int64 `json:"quota_files" nullable:"true" doc:"null without a bound."`
	OwnQuotaBytes bool   `json:"own_quota_bytes" doc:"Whether the bound is the account's own and not that of the settings."`
	OwnQuotaFiles bool   `json:"own_quota_files"`
}

// AccountDetail is an account's state.
type AccountDetail struct {
	AccountSummary
	FirstName string       `json:"first_name"`
	LastName  string       `json:"last_name"`
	Layers    []string     `json:"layers" doc:"Layers that a sign-in asks for."`
	Passkeys  int          `json:"passkeys"`
	Sessions  int64        `json:"sessions"`
	Links     int64        `json:"links" doc:"Links to files, whatever their state."`
	Suspended bool         `json:"suspended"`
	Locked    bool         `json:"locked" doc:"From devices that are not remembered the password opens nothing until the owner has confirmed by mail: an admin locked it, or too many guesses did."`
	Usage     AccountUsage `json:"usage"`
}

func detail(a Account) AccountDetail {
	bound := func(n int64) *int64 {
		if n == 0 {
			return nil
		}
		return &n
	}
	return AccountDetail{
		AccountSummary: summary(a.Listed), FirstName: a.FirstName, LastName: a.LastName, Layers: slices.Concat([]string{}, a.Layers),
		Passkeys: a.Passkeys, Sessions: a.Sessions, Links: a.Links, Suspended: a.Status == account.Suspended, Locked: a.Locked,
		Usage: AccountUsage{
			Bytes: a.Usage.Bytes, Files: a.Usage.Files, Folders: a.Usage.Folders, Reserved: a.Usage.Reserved, QuotaBytes: bound(a.Usage.QuotaBytes),
			QuotaFiles: bound(a.Usage.QuotaFiles), OwnQuotaBytes: a.OwnQuota.Bytes != nil, OwnQuotaFiles: a.OwnQuota.Files != nil,
		},
	}
}

type accountsInput struct {
	rest.Paging
	Q string `query:"q" maxLength:"320" doc:"An address or a username, whole."`
}

type accountsOutput struct{ Body rest.Page[AccountSummary] }

func (s *Service) getAccounts(ctx context.Context, in *accountsInput) (*accountsOutput, error) {
	out := &accountsOutput{rest.Page[AccountSummary]{Items: []AccountSummary{}}}
	if in.Q != "" {
		l, found, err := s.Find(ctx, in.Q)
		if found {
			out.Body.Items = append(out.Body.Items, summary(l))
		}
		return out, err
	}
	if in.Cursor != "" && known(account.ID(in.Cursor)) != nil {
		return nil, fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")
	}
	all, err := s.Accounts.All(ctx, account.ID(in.Cursor), in.Limit)
	for _, l := range all {
		out.Body.Items = append(out.Body.Items, summary(l))
	}
	if len(all) == in.Limit {
		out.Body.NextCursor = string(all[len(all)-1].ID)
	}
	return out, err
}

// AccountRef is a request about an account.
type AccountRef struct {
	rest.Request
	ID account.ID `path:"id" maxLength:"64"`
}

type accountOutput struct{ Body AccountDetail }

func (s *Service) getAccount(ctx context.Context, in *AccountRef) (*accountOutput, error) {
	a, err := s.Look(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &accountOutput{detail(a)}, nil
}

// newQuota is a quota in a body: absent, null or a number.
type newQuota struct {
	Given bool
	Value *int64
}

// UnmarshalJSON implements json.Unmarshaler: only an absent member leaves Given false.
func (q *newQuota) UnmarshalJSON(b []byte) error {
	q.Given = true
	return json.Unmarshal(b, &q.Value)
}

// Schema implements huma.SchemaProvider.
func (newQuota) Schema(r huma.Registry) *huma.Schema {
	schema := *r.Schema(reflect.TypeFor[int64](), false, "")
	least := 0.0
	schema.Nullable, schema.Minimum = true, &least
	return &schema
}

func (q newQuota) change() *Quota {
	if !q.Given {
		return nil
	}
	return &Quota{q.Value}
}

type patchAccountInput struct {
	AccountRef
	Body struct {
		Status     string   `json:"status,omitempty" enum:"active,suspended" doc:"active lifts a suspension."`
		Role       string   `json:"role,omitempty" enum:"user,admin"`
		Locked     *bool    `json:"locked,omitempty" doc:"Whether the password opens nothing from devices that are not remembered until the owner has confirmed by mail."`
		QuotaBytes newQuota `json:"quota_bytes" required:"false" doc:"null for the settings', 0 for no bound."`
		QuotaFiles newQuota `json:"quota_files" required:"false" doc:"null for the settings', 0 for no bound."`
	}
}

func (s *Service) patchAccount(ctx context.Context, in *patchAccountInput) (*accountOutput, error) {
	c := Change{Locked: in.Body.Locked, QuotaBytes: in.Body.QuotaBytes.change(), QuotaFiles: in.Body.QuotaFiles.change()}
	if in.Body.Status != "" {
		suspended := in.Body.Status == account.Suspended
		c.Suspended = &suspended
	}
	if in.Body.Role != "" {
		c.Role = &in.Body.Role
	}
	if err := s.Change(ctx, byCaller(in.Request), in.ID, c); err != nil {
		return nil, err
	}
	return s.getAccount(ctx, &in.AccountRef)
}

func (s *Service) deleteSessions(ctx context.Context, in *AccountRef) (*struct{}, error) {
	return nil, s.EndSessions(ctx, byCaller(in.Request), in.ID)
}

func (s *Service) postReset(ctx context.Context, in *AccountRef) (*account.Accepted, error) {
	if err := s.StartReset(ctx, byCaller(in.Request), in.ID); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}
