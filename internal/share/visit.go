package share

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// The refusals that reach a guest. errGone tells no cause from another, and is also the answer
// to a path that leads nowhere.
var (
	errGone     = fault.New(fault.NotFound, "share_not_found", "There is nothing at this link, or the link does not work any more.")
	errPassword = fault.New(fault.Unauthenticated, "share_password_required", "The link wants its password first.")
	errWrong    = fault.New(fault.Forbidden, "wrong_password", "Wrong password.")
)

// gone gives everything that a guest must not tell apart the same answer.
func gone(err error) error {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	if f.Kind == fault.NotFound && f.Code != file.ErrNoThumbnail.Code || f.Code == "is_folder" {
		return errGone.Because(err)
	}
	return err
}

// visit is a guest at a link that stands.
type visit struct {
	link
	key  *keyring.DataKey
	top  file.Entry
	used bool // its downloads are used up: only what was counted goes on
}

// visit returns a guest's link, also beside errPassword. cookies are those of the request.
func (s *Service) visit(ctx context.Context, token string, cookies []*http.Cookie) (visit, error) {
	if !isToken(token) {
		return visit{}, errGone
	}
	r, err := readByToken(ctx, s.DB, digest(token))
	if err != nil {
		return visit{}, gone(err)
	}
	v := visit{}
	if v.link, v.key, err = s.stands(ctx, r); err != nil {
		return visit{}, err
	}
	if v.top, err = s.Files.At(ctx, r.Account, r.Entry, ""); err != nil {
		return visit{}, gone(err)
	}
	if v.used = v.state(s.Now()) == stateUsedUp; v.used && r.Kind == Request {
		return visit{}, errGone
	}
	if !s.passed(v.link, v.key, cookies) {
		if v.used {
			return visit{}, errGone
		}
		return v, errPassword
	}
	return v, nil
}

// stands returns the link of a row that is neither blocked nor expired, and whose owner is
// there and within the quota.
func (s *Service) stands(ctx context.Context, r row) (link, *keyring.DataKey, error) {
	if state := r.state(s.Now()); state == stateBlocked || state == stateExpired {
		return link{}, nil, errGone
	}
	st, err := s.Accounts.State(ctx, r.Account)
	if err != nil {
		return link{}, nil, gone(err)
	}
	if st.Status != account.Active {
		return link{}, nil, errGone
	}
	u, err := s.Contents.Usage(ctx, s.DB, r.Account)
	if err != nil {
		return link{}, nil, err
	}
	if u.Left() < 0 || u.LeftFiles() < 0 {
		return link{}, nil, errGone
	}
	key, err := s.dataKey(ctx, s.DB, r.Account)
	if err != nil {
		return link{}, nil, gone(err)
	}
	l, err := open(key, r)
	if err != nil {
		s.Log.ErrorContext(ctx, "share: a link does not open", "account", r.Account, "share", r.ID, "error", err)
		return link{}, nil, errGone.Because(err)
	}
	return l, key, nil
}

// still refuses a guest whose link does not stand any more, or whose entry is not where the
// path leads.
func (s *Service) still(ctx context.Context, v visit, path, entry string) error {
	r, err := readByID(ctx, s.DB, v.ID)
	if err != nil {
		return gone(err)
	}
	l, _, err := s.stands(ctx, r)
	if err != nil {
		return err
	}
	if l.Password != v.Password {
		return errGone
	}
	e, err := s.Files.At(ctx, r.Account, r.Entry, path)
	if err == nil && e.ID != entry {
		err = errGone
	}
	return gone(err)
}

// silence is how many looks in a row may fail. A store that is briefly away ends nothing.
const silence = 8

// watch runs an answer, and looks again whether it may go on. What may not is cut: the context
// ends, and the deadlines of the connection are in the past.
func (s *Service) watch(w http.ResponseWriter, r *http.Request, still func(context.Context) error, answer func(http.ResponseWriter, *http.Request) error) error {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(s.Look)
		defer tick.Stop()
		over, failed := false, 0
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if !over {
				switch err := still(ctx); {
				case err == nil:
					failed = 0
				case errors.Is(err, errGone), isGone(err):
					over = true
				default:
					failed++
					over = failed > silence
				}
			}
			if over {
				cancel(errGone)
				rc := http.NewResponseController(w)
				past := time.Unix(1, 0)
				_ = rc.SetReadDeadline(past) // fails only without a connection
				_ = rc.SetWriteDeadline(past)
			}
		}
	})
	err := answer(w, r.WithContext(ctx))
	close(done)
	cut := errors.Is(context.Cause(ctx), errGone)
	cancel(nil)
	looking.Wait()
	if err != nil && cut {
		w.Header().Set("Connection", "close")
		err = errGone.Because(err)
	}
	return err
}

func isGone(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Code == errGone.Code
}

// The cookies of a guest. Their path is that of one link.
const (
	passCookie   = "__Secure-coffer-share"
	ticketCookie = "__Secure-coffer-download"
	ticketHeader = "Coffer-Download"
)

// pathOf is the path of a link's operations.
func pathOf(token string) string { return "/v1/public/shares/" + token }

func cookie(token, name, value string, life time.Duration) http.Cookie {
	return http.Cookie{
		Name: name, Value: value, Path: pathOf(token), Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(life / time.Second),
	}
}

// pass proves that a guest gave the password that the link has now.
func pass(l link, key *keyring.DataKey, expires int64) []byte {
	when := binary.BigEndian.AppendUint64(nil, uint64(expires))
	return append(when, key.Index("share.pass", l.ID+"\n"+l.Password+"\n"+string(when))...)
}

// passed reports whether one of the cookies is the proof that the link wants.
func (s *Service) passed(l link, key *keyring.DataKey, cookies []*http.Cookie) bool {
	if l.Password == "" {
		return true
	}
	for _, c := range cookies {
		b, err := base64.RawURLEncoding.Strict().DecodeString(c.Value)
		if c.Name != passCookie || err != nil || len(b) < 8 {
			continue
		}
		expires := int64(binary.BigEndian.Uint64(b))
		if hmac.Equal(b, pass(l, key, expires)) && expires > s.Now().UnixMilli() {
			return true
		}
	}
	return false
}

// The limits of wrong passwords: of a link from one address, of all links from one address, and
// of a link from all addresses.
var (
	passwordLimit = limit.Rule{Name: "share-password", Limit: 10, Window: 15 * time.Minute}
	addressLimit  = limit.Rule{Name: "share-password-address", Limit: 100, Window: 15 * time.Minute}
	linkLimit     = limit.Rule{Name: "share-password-link", Limit: 200, Window: time.Hour}
)

// unlock returns the cookie for a password; nil for a link without one.
func (s *Service) unlock(ctx context.Context, token, password string, client rest.Client) ([]http.Cookie, error) {
	v, err := s.visit(ctx, token, nil)
	if err == nil {
		return nil, nil
	}
	if !errors.Is(err, errPassword) {
		return nil, err
	}
	addr := limit.AddrKey(client.Addr)
	calls := []limit.Call{{Rule: passwordLimit, Key: v.ID + " " + addr}, {Rule: addressLimit, Key: addr}, {Rule: linkLimit, Key: v.ID}}
	if err := s.Limit.TakeAll(ctx, calls...); err != nil {
		return nil, err
	}
	ok, err := s.Accounts.MatchSecret(ctx, v.Password, normal(password))
	if err == nil && !ok {
		return nil, errWrong
	}
	if refund := s.Limit.RefundAll(ctx, calls...); err == nil {
		err = refund
	}
	if err != nil {
		return nil, err
	}
	if err := s.note(ctx, v, use{Action: "unlock"}, client); err != nil {
		return nil, err
	}
	value := base64.RawURLEncoding.EncodeToString(pass(v.link, v.key, s.Now().Add(unlockTTL).UnixMilli()))
	return []http.Cookie{cookie(token, passCookie, value, unlockTTL)}, nil
}

// Item is an entry as a guest sees it: without an id.
type Item struct {
	Name       string    `json:"name"`
	Kind       file.Kind `json:"kind" enum:"file,folder"`
	Size       int64     `json:"size" doc:"Bytes of content; 0 for a folder."`
	MediaType  string    `json:"media_type,omitempty" doc:"Of a file."`
	ModifiedAt time.Time `json:"modified_at"`
	Thumbnail  bool      `json:"thumbnail" doc:"There is a small picture of it."`
}

func itemOf(e file.Entry) Item {
	return Item{Name: e.Name, Kind: e.Kind, Size: e.Size, MediaType: e.MediaType, ModifiedAt: e.ModifiedAt, Thumbnail: e.Thumbnail}
}

// Visit is what a guest learns of a link.
type Visit struct {
	Kind          Kind       `json:"kind" enum:"read,request"`
	Name          string     `json:"name" doc:"Of what is shared, or of the folder that takes files."`
	Note          string     `json:"note" doc:"The owner's message."`
	Owner         string     `json:"owner" doc:"Who made the link: first name or username."`
	ExpiresAt     *time.Time `json:"expires_at" nullable:"true"`
	NeedsPassword bool       `json:"needs_password" doc:"Always false: without its password a link answers share_password_required."`
	DownloadsLeft *int64     `json:"downloads_left" nullable:"true" doc:"null without a bound."`
	Entry         *Item      `json:"entry,omitempty" doc:"What path leads to; absent for a link that takes files."`
	Items         []Item     `json:"items" doc:"One page of what is in it, by name; empty for a file, and for a link that takes files."`
	NextCursor    string     `json:"next_cursor,omitempty" doc:"Give it as cursor for the next page; absent on the last."`
	FilesLeft     *int64     `json:"files_left" nullable:"true" doc:"How many files the link still takes; null without a bound."`
	MaxFileBytes  *int64     `json:"max_file_bytes" nullable:"true" doc:"Most bytes of one file; null without a bound."`
	Accept        []string   `json:"accept" doc:"Endings that names of files may have; empty for any."`
}

// look returns what a guest learns of a link, and of what a path leads to.
func (s *Service) look(ctx context.Context, v visit, path, cursor string, limit int) (Visit, error) {
	p, err := s.Accounts.Profile(ctx, v.Account)
	if err != nil {
		return Visit{}, gone(err)
	}
	shown := s.show(v.link)
	out := Visit{Kind: v.Kind, Name: v.top.Name, Note: v.Note, Owner: p.FirstName, ExpiresAt: shown.ExpiresAt, Items: []Item{}, MaxFileBytes: v.MaxFileBytes, Accept: shown.Accept}
	if out.Owner == "" {
		out.Owner = p.Username
	}
	left := func(most *int64, used int64) *int64 {
		if most == nil {
			return nil
		}
		n := max(*most-used, 0)
		return &n
	}
	out.DownloadsLeft, out.FilesLeft = left(v.MaxDownloads, v.Downloads), left(v.MaxFiles, v.Files)
	if v.Kind == Request {
		if path != "" || cursor != "" {
			return Visit{}, errGone
		}
		return out, nil
	}
	e, items, next, err := s.Files.ListAt(ctx, v.Account, v.Entry, path, cursor, limit)
	if err != nil {
		return Visit{}, gone(err)
	}
	item := itemOf(e)
	out.Entry, out.NextCursor = &item, next
	for _, one := range items {
		out.Items = append(out.Items, itemOf(one))
	}
	return out, nil
}
