package avatar

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/picture"
	"coffer/internal/rest"
)

const tag = "Account"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	a.Tell("avatar_max", "Bytes of the largest picture that an account may be given.", s.Max)
	rest.Raw(a, rest.Op{
		Method: http.MethodPut, Path: "/account/avatar", ID: "set-avatar", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-U3",
		Summary: "Give my account a picture",
		Description: "The body is a JPEG, PNG, GIF or WebP; of a moving one the server takes the first frame. x, y and side choose a square in pixels of the upright picture; without them the server takes the " +
			"largest one around the centre. It keeps the square in 64, 128, 256 and 512 pixels as WebP without metadata, under new public addresses.",
		Errors: []*fault.Error{picture.ErrUnsupported, picture.ErrTooLarge, picture.ErrDamaged, picture.ErrCrop, errTooLarge, errBusy, limit.ErrLimited, account.ErrNotFound},
	}, setDoc, s.putAvatar)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/avatar", ID: "remove-avatar", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-U3",
		Summary:     "Remove my account's picture",
		Description: "The server stops serving it at once. Without a picture the answer is 204 too.",
		Errors:      []*fault.Error{account.ErrNotFound},
	}, s.deleteAvatar)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/avatars/{id}/{file}", ID: "read-avatar", Tag: tag, Access: rest.Public, Embeds: true, Status: http.StatusOK, Rows: "F-U3", Produces: mediaType,
		Summary:     "An account's picture",
		Description: "The file is 64.webp, 128.webp, 256.webp or 512.webp. A picture never changes under its address. HEAD gets the same answer without the bytes.",
		Errors:      []*fault.Error{errNotFound},
	}, s.getAvatar)
}

const mediaType = "image/webp"

var setDoc = rest.RawDoc{
	Params: []rest.RawParam{
		{In: "query", Name: "x", Doc: "Left edge of the square, in pixels."},
		{In: "query", Name: "y", Doc: "Upper edge of the square, in pixels."},
		{In: "query", Name: "side", Doc: "Side of the square, in pixels; x, y and side come together."},
	},
	Consumes: "image/*",
	Response: avatarBody{},
}

type avatarBody struct {
	Avatar account.Avatar `json:"avatar"`
}

// square reads x, y and side: all of them or none.
func square(r *http.Request) (Square, error) {
	q := r.URL.Query()
	if !q.Has("x") && !q.Has("y") && !q.Has("side") {
		return Square{}, nil
	}
	var part Square
	for _, v := range []struct {
		name  string
		least int
		to    *int
	}{{"x", 0, &part.X}, {"y", 0, &part.Y}, {"side", 1, &part.Side}} {
		n, err := strconv.ParseInt(q.Get(v.name), 10, 32)
		if err != nil || int(n) < v.least {
			return Square{}, fault.InvalidField("query."+v.name, "invalid", "x, y and side are whole numbers of pixels, and come together.")
		}
		*v.to = int(n)
	}
	return part, nil
}

// body is what a client sends.
type body struct {
	io.Reader
	rc *http.ResponseController
}

// Cut ends a Read that waits.
func (b body) Cut() { _ = b.rc.SetReadDeadline(time.Unix(1, 0)) } // fails only without a connection

func (s *Service) putAvatar(w http.ResponseWriter, r *http.Request) error {
	part, err := square(r)
	if err != nil {
		return err
	}
	if r.ContentLength > s.Max {
		return errTooLarge
	}
	a, err := s.Set(r.Context(), account.ID(rest.CallerOf(r).Account), body{r.Body, http.NewResponseController(w)}, part)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(avatarBody{*a}, json.Deterministic(true))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(answer)
	return err
}

type deleteInput struct{ rest.Request }

func (s *Service) deleteAvatar(ctx context.Context, in *deleteInput) (*struct{}, error) {
	return nil, s.Remove(ctx, account.ID(in.Caller.Account))
}

type getInput struct {
	rest.Request
	ID          string `path:"id"`
	File        string `path:"file"`
	IfNoneMatch string `header:"If-None-Match" doc:"304 when the picture has this ETag."`
}

type getOutput struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	ContentType  string `header:"Content-Type"`
	Policy       string `header:"Content-Security-Policy"`
	Resource     string `header:"Cross-Origin-Resource-Policy"`
	Body         []byte
}

// getAvatar answers GET and HEAD.
func (s *Service) getAvatar(ctx context.Context, in *getInput) (*getOutput, error) {
	name, ok := strings.CutSuffix(in.File, ".webp")
	size, err := strconv.Atoi(name)
	if !ok || err != nil || strconv.Itoa(size) != name {
		return nil, errNotFound
	}
	b, err := s.Read(ctx, in.ID, size)
	if err != nil {
		return nil, err
	}
	out := &getOutput{
		Status: http.StatusOK, ETag: `"` + in.ID + "-" + name + `"`, ContentType: mediaType, Body: b,
		CacheControl: "public, max-age=31536000, immutable",
		Policy:       "sandbox; default-src 'none'",
		Resource:     "cross-origin",
	}
	for tag := range strings.SplitSeq(in.IfNoneMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == out.ETag {
			out.Status, out.ContentType, out.Body = http.StatusNotModified, "", nil
			break
		}
	}
	return out, nil
}
