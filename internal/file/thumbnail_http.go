package file

import (
	"net/http"
	"strconv"
	"strings"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

func (s *Service) thumbnailRoutes(a *rest.API) {
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/thumbnail", ID: "read-thumbnail", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F8",
		Summary: "A small picture of a picture",
		Description: "WebP of at most 512 by 512 pixels, which keeps the picture's proportions. The server makes it shortly after the upload; `thumbnail` of an entry says whether it is ready, and the event " +
			"stream names the folder then. The server makes one of JPEG, PNG, GIF and WebP up to 32 MiB.",
		Errors: []*fault.Error{errNotFound, ErrNoThumbnail},
	}, thumbnailDoc, s.getThumbnail)
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/trash/{id}/thumbnail", ID: "read-trash-thumbnail", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F8",
		Summary:     "A small picture of a picture in the trash",
		Description: "As `GET /files/{id}/thumbnail`, of an entry that the trash lists.",
		Errors:      []*fault.Error{errNotFound, ErrNoThumbnail},
	}, thumbnailDoc, s.getTrashThumbnail)
}

var thumbnailDoc = rest.RawDoc{
	Params: []rest.RawParam{
		{In: "query", Name: "v", Doc: "The entry's sha256. While it is the file's, a browser may keep the answer for a day without asking again."},
		{In: "header", Name: "If-None-Match", Doc: "304 when the thumbnail has this ETag."},
	},
	Produces: "image/webp",
	Headers: []rest.RawParam{
		{Name: "ETag", Doc: "Strong: the thumbnail's hash."},
		{Name: "Cache-Control", Doc: "Private; without asking again only for an address that names the content."},
	},
	Statuses: map[int]string{http.StatusNotModified: "The client has it already."},
}

// getThumbnail serves GET and HEAD of a file's thumbnail.
func (s *Service) getThumbnail(w http.ResponseWriter, r *http.Request) error {
	return s.serveThumbnail(w, r, s.row)
}

// getTrashThumbnail is getThumbnail of an entry of the trash.
func (s *Service) getTrashThumbnail(w http.ResponseWriter, r *http.Request) error {
	return s.serveThumbnail(w, r, s.trashedRow)
}

func (s *Service) serveThumbnail(w http.ResponseWriter, r *http.Request, find finding) error {
	e, webp, etag, err := s.thumbnail(r.Context(), account.ID(rest.CallerOf(r).Account), r.PathValue("id"), find)
	if err != nil {
		return err
	}
	cache := "private, no-cache"
	if v := r.URL.Query().Get("v"); v != "" && v == e.SHA256 {
		cache = "private, max-age=86400, immutable" // signing out clears the browser's cache
	}
	ServeThumbnail(w, r, webp, etag, cache)
	return nil
}

// ServeThumbnail answers GET and HEAD with a thumbnail under a Cache-Control.
func ServeThumbnail(w http.ResponseWriter, r *http.Request, webp []byte, etag, cache string) {
	h := w.Header()
	h.Set("Content-Type", "image/webp")
	h.Set("Content-Security-Policy", content.Sandbox)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", cache)
	h.Set("ETag", etag)
	if asked := r.Header.Get("If-None-Match"); asked == "*" || strings.Contains(asked, etag) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(webp)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(webp) // a client that is gone needs none
	}
}
