package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"coffer/internal/account"
	"coffer/internal/drop"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/share"
)

func (s *Service) deskRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/overview", ID: "admin-overview", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "Whether the server is well",
	}, s.getOverview)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/usage", ID: "admin-usage", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "What the server keeps", Description: "A count may be two seconds old.",
	}, s.getUsage)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/events", ID: "admin-list-events", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary:     "What admins did and the server found, the newest first",
		Description: "No operation changes or removes an entry. `coffer admin log verify` checks all of them.",
	}, s.getEvents)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/jobs", ID: "admin-list-jobs", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "Work of a state, the oldest first", Description: "Payloads are not shown.",
	}, s.getJobs)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/admin/jobs/{id}/retry", ID: "admin-retry-job", Tag: tag, Access: rest.Admin, Status: http.StatusNoContent, Rows: "F-X3",
		Summary: "Try a dead job again", Errors: []*fault.Error{errNoJob},
	}, s.postRetry)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/keys", ID: "admin-list-keys", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "The key ring, and how far each walk is that seals everything under the active keys", Description: "No secret is shown.",
	}, s.getKeys)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/admin/keys", ID: "admin-rotate-key", Tag: tag, Access: rest.Admin, Status: http.StatusCreated, Rows: "F-X3",
		Summary: "Make the next key of a purpose the active one", Description: "Values under the old key still open. The server seals them anew within the hour.",
		Errors: []*fault.Error{errKey},
	}, s.postKeys)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/shares/{ref}", ID: "admin-read-share", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "Whose a link is and how it was used", Description: "Nothing of what it leads to. The link is named by its id, or by its address, percent-encoded.",
		Errors: []*fault.Error{errNoLink},
	}, s.getShare)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/admin/shares/{ref}", ID: "admin-update-share", Tag: tag, Access: rest.Admin, Status: http.StatusOK, Rows: "F-X3",
		Summary: "Take a link down, or let it be used again", Errors: []*fault.Error{errNoLink},
	}, s.patchShare)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/admin/drops/{name}", ID: "admin-end-drop", Tag: tag, Access: rest.Admin, Status: http.StatusNoContent, Rows: "F-X3",
		Summary: "Close a drop for everybody", Errors: []*fault.Error{drop.ErrNoDrop},
	}, s.deleteDrop)
}

// AccountNumbers says how many accounts there are of each status, and how many admins.
type AccountNumbers struct {
	Active      int64 `json:"active"`
	Deactivated int64 `json:"deactivated"`
	Suspended   int64 `json:"suspended"`
	Deleting    int64 `json:"deleting"`
	Admins      int64 `json:"admins"`
}

// ShareNumbers says how many links to files there are of each kind, and how many are blocked.
type ShareNumbers struct {
	Read    int64 `json:"read"`
	Request int64 `json:"request"`
	Blocked int64 `json:"blocked"`
}

// ServerUsage is what the server keeps.
type ServerUsage struct {
	Accounts AccountNumbers `json:"accounts"`
	Bytes    int64          `json:"bytes"`
	Reserved int64          `json:"reserved" doc:"Bytes that unfinished uploads may come to."`
	Files    int64          `json:"files"`
	Folders  int64          `json:"folders"`
	Blobs    int64          `json:"blobs" doc:"Stored objects; several files may share one."`
	Drops    int64          `json:"drops"`
	Shares   ShareNumbers   `json:"shares"`
}

func usageOf(t Totals) ServerUsage {
	return ServerUsage{
		Accounts: AccountNumbers(t.Accounts), Bytes: t.Content.Bytes, Reserved: t.Content.Reserved, Files: t.Content.Files, Folders: t.Content.Folders,
		Blobs: t.Objects, Drops: t.Drops, Shares: ShareNumbers(t.Shares),
	}
}

type usageOutput struct{ Body ServerUsage }

func (s *Service) getUsage(ctx context.Context, _ *struct{}) (*usageOutput, error) {
	t, err := s.Totals(ctx)
	return &usageOutput{usageOf(t)}, err
}

// QueueNumbers says how much work waits.
type QueueNumbers struct {
	Waiting       int64 `json:"waiting"`
	Running       int64 `json:"running"`
	Dead          int64 `json:"dead"`
	OldestSeconds int64 `json:"oldest_seconds" doc:"How long the oldest job that is due waits."`
}

// Overview is whether the server is well.
type Overview struct {
	Version string            `json:"version"`
	Time    time.Time         `json:"time" doc:"The server's clock."`
	Checks  map[string]string `json:"checks" doc:"Each dependency: ok or unavailable."`
	Queue   QueueNumbers      `json:"queue"`
	Usage   ServerUsage       `json:"usage"`
}

type overviewOutput struct{ Body Overview }

func (s *Service) getOverview(ctx context.Context, _ *struct{}) (*overviewOutput, error) {
	out := &overviewOutput{Overview{Version: s.Version, Time: s.Now().UTC(), Checks: map[string]string{}}}
	for name, ok := range s.Health(ctx) {
		out.Body.Checks[name] = map[bool]string{true: "ok", false: "unavailable"}[ok]
	}
	n, err := s.Jobs.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	out.Body.Queue = QueueNumbers{Waiting: n.Waiting, Running: n.Running, Dead: n.Dead}
	if !n.Oldest.IsZero() {
		out.Body.Queue.OldestSeconds = int64(max(0, s.Now().Sub(n.Oldest)) / time.Second)
	}
	t, err := s.Totals(ctx)
	out.Body.Usage = usageOf(t)
	return out, err
}

// EventAccount names an account; one that is deleted has no username.
type EventAccount struct {
	ID       account.ID `json:"id"`
	Username string     `json:"username"`
}

// EventActor is the one who acted.
type EventActor struct {
	Kind    string        `json:"kind" enum:"admin,console,server" doc:"console is a person at the server, server what the server found by itself."`
	Account *EventAccount `json:"account,omitempty" doc:"Of an admin."`
	Address string        `json:"address" doc:"Network address of an admin's request."`
	Console string        `json:"console" doc:"User of the operating system, at the console."`
}

// AdminEvent is an entry of the log.
type AdminEvent struct {
	ID      int64             `json:"id"`
	At      time.Time         `json:"at"`
	Action  string            `json:"action" doc:"Such as account.suspend, key.rotate, share.block, found.refresh-reuse; damaged for an entry that was altered in the database."`
	Actor   EventActor        `json:"actor"`
	Account *EventAccount     `json:"account,omitempty" doc:"The account that it was about."`
	Target  string            `json:"target" doc:"The id of a link, a drop, a job, or a key's purpose."`
	Data    map[string]string `json:"data"`
}

type pageInput struct{ rest.Paging }

type eventsOutput struct{ Body rest.Page[AdminEvent] }

func (s *Service) getEvents(ctx context.Context, in *pageInput) (*eventsOutput, error) {
	before := int64(0)
	if in.Cursor != "" {
		n, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || n < 1 {
			return nil, fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")
		}
		before = n
	}
	entries, err := s.Entries(ctx, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventsOutput{rest.Page[AdminEvent]{Items: []AdminEvent{}}}
	names := map[account.ID]*EventAccount{}
	for _, e := range entries {
		ev := AdminEvent{ID: e.Seq, At: e.At, Action: e.Action, Target: e.Target, Data: e.Data, Actor: EventActor{Kind: "server", Address: e.By.Address, Console: e.By.Console}}
		if ev.Data == nil {
			ev.Data = map[string]string{}
		}
		if e.By.Console != "" {
			ev.Actor.Kind = "console"
		}
		if ev.Account, err = s.nameOf(ctx, names, e.Account); err != nil {
			return nil, err
		}
		if e.By.Account != "" {
			ev.Actor.Kind = "admin"
			if ev.Actor.Account, err = s.nameOf(ctx, names, e.By.Account); err != nil {
				return nil, err
			}
		}
		out.Body.Items = append(out.Body.Items, ev)
	}
	if len(entries) == in.Limit {
		out.Body.NextCursor = strconv.FormatInt(entries[len(entries)-1].Seq, 10)
	}
	return out, nil
}

// nameOf returns the account of an id, nil for "".
func (s *Service) nameOf(ctx context.Context, known map[account.ID]*EventAccount, id account.ID) (*EventAccount, error) {
	if id == "" {
		return nil, nil
	}
	if a := known[id]; a != nil {
		return a, nil
	}
	a := &EventAccount{ID: id}
	l, err := s.Accounts.Look(ctx, id)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return nil, err
	}
	a.Username = l.Username
	known[id] = a
	return a, nil
}

// AdminJob is a piece of work.
type AdminJob struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	State     string     `json:"state" enum:"waiting,running,dead"`
	Attempts  int64      `json:"attempts"`
	Failure   string     `json:"failure" doc:"Class of the last error; empty before the first."`
	CreatedAt time.Time  `json:"created_at"`
	RunAt     *time.Time `json:"run_at" nullable:"true" doc:"When a waiting job is due."`
	DeadAt    *time.Time `json:"dead_at" nullable:"true" doc:"When a dead job gave up."`
}

type jobsInput struct {
	rest.Paging
	State string `query:"state" enum:"dead,waiting,running" default:"dead"`
}

type jobsOutput struct{ Body rest.Page[AdminJob] }

func (s *Service) getJobs(ctx context.Context, in *jobsInput) (*jobsOutput, error) {
	if in.Cursor != "" && known(account.ID(in.Cursor)) != nil {
		return nil, fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")
	}
	all, err := s.Jobs.List(ctx, in.State, in.Cursor, in.Limit)
	out := &jobsOutput{rest.Page[AdminJob]{Items: []AdminJob{}}}
	for _, j := range all {
		out.Body.Items = append(out.Body.Items, AdminJob{j.ID, j.Kind, j.State, j.Attempts, j.Failure, j.CreatedAt, orNull(j.RunAt), orNull(j.DeadAt)})
	}
	if len(all) == in.Limit {
		out.Body.NextCursor = all[len(all)-1].ID
	}
	return out, err
}

type jobInput struct {
	rest.Request
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) postRetry(ctx context.Context, in *jobInput) (*struct{}, error) {
	return nil, s.Retry(ctx, byCaller(in.Request), in.ID)
}

// RingKey is a key of the ring, without its secret.
type RingKey struct {
	Purpose     string     `json:"purpose"`
	ID          string     `json:"id"`
	State       string     `json:"state" enum:"pending,active,open-only,destroyed"`
	Alg         string     `json:"alg"`
	CreatedAt   time.Time  `json:"created_at"`
	ActiveAt    *time.Time `json:"active_at" nullable:"true"`
	RetiredAt   *time.Time `json:"retired_at" nullable:"true"`
	DestroyedAt *time.Time `json:"destroyed_at" nullable:"true"`
}

func ringKey(k keyring.Key) RingKey {
	return RingKey{string(k.Purpose), k.ID, string(k.State), k.Alg, k.Created, orNull(k.NotBefore), orNull(k.Retired), orNull(k.Destroyed)}
}

// RingWalk is how far a table is sealed under the active key.
type RingWalk struct {
	Name       string     `json:"name"`
	Purpose    string     `json:"purpose"`
	KeyID      string     `json:"key_id" doc:"The active key when the walk began."`
	Done       int64      `json:"done" doc:"Rows that it looked at."`
	Damaged    int64      `json:"damaged" doc:"Values that open under no key."`
	Waiting    int64      `json:"waiting" doc:"Values whose key the ring lacks."`
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at" nullable:"true"`
}

// KeyRing is the key ring as its operator sees it.
type KeyRing struct {
	Keys  []RingKey  `json:"keys"`
	Walks []RingWalk `json:"walks"`
}

type keysOutput struct{ Body KeyRing }

func (s *Service) getKeys(ctx context.Context, _ *struct{}) (*keysOutput, error) {
	keys, err := s.Ring.List(ctx)
	if err != nil {
		return nil, err
	}
	walks, err := s.Ring.Walks(ctx)
	out := &keysOutput{KeyRing{Keys: []RingKey{}, Walks: []RingWalk{}}}
	for _, k := range keys {
		out.Body.Keys = append(out.Body.Keys, ringKey(k))
	}
	for _, w := range walks {
		out.Body.Walks = append(out.Body.Walks, RingWalk{w.Name, string(w.Purpose), w.KeyID, w.Done, w.Damaged, w.Waiting, w.StartedAt, orNull(w.FinishedAt)})
	}
	return out, err
}

type rotateInput struct {
	rest.Request
	Body struct {
		Purpose string `json:"purpose" enum:"token,session,field,blob,index,pepper,refresh,code,ledger"`
	}
}

type keyOutput struct{ Body RingKey }

func (s *Service) postKeys(ctx context.Context, in *rotateInput) (*keyOutput, error) {
	k, err := s.RotateKey(ctx, byCaller(in.Request), keyring.Purpose(in.Body.Purpose))
	return &keyOutput{ringKey(k)}, err
}

// SharedLink is a link as its operator sees it: nothing of what it leads to.
type SharedLink struct {
	ID        string       `json:"id"`
	Account   EventAccount `json:"account"`
	Kind      string       `json:"kind" enum:"read,request"`
	State     string       `json:"state" enum:"open,expired,used_up,blocked"`
	Blocked   bool         `json:"blocked"`
	Downloads int64        `json:"downloads"`
	Files     int64        `json:"files" doc:"That came in."`
	CreatedAt time.Time    `json:"created_at"`
}

func shownLink(f share.Found) SharedLink {
	return SharedLink{f.ID, EventAccount{f.Account, f.Owner}, string(f.Kind), f.State, f.State == "blocked", f.Downloads, f.Files, f.CreatedAt}
}

// ShareRef is a request about a link.
type ShareRef struct {
	rest.Request
	Ref string `path:"ref" maxLength:"512" doc:"Id, or address."`
}

type shareOutput struct{ Body SharedLink }

func (s *Service) getShare(ctx context.Context, in *ShareRef) (*shareOutput, error) {
	f, err := s.FindLink(ctx, in.Ref)
	return &shareOutput{shownLink(f)}, err
}

type patchShareInput struct {
	ShareRef
	Body struct {
		Blocked bool `json:"blocked"`
	}
}

func (s *Service) patchShare(ctx context.Context, in *patchShareInput) (*shareOutput, error) {
	f, err := s.BlockLink(ctx, byCaller(in.Request), in.Ref, in.Body.Blocked)
	return &shareOutput{shownLink(f)}, err
}

type dropInput struct {
	rest.Request
	Name string `path:"name" maxLength:"64"`
}

func (s *Service) deleteDrop(ctx context.Context, in *dropInput) (*struct{}, error) {
	return nil, s.EndDrop(ctx, byCaller(in.Request), in.Name)
}
