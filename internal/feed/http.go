package feed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"coffer/internal/account"
	"coffer/internal/rest"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/changes", ID: "watch-changes", Tag: "Account", Access: rest.Session, Status: http.StatusOK, Rows: "F-F1", Waits: true,
		Summary: "Stream changes made elsewhere",
		Description: "Server-sent events, each with a kind and `{\"id\": …}`. `files` names a folder whose children changed (empty: the root). `trash` says that the trash changed, `account` that the picture of the account did. `anything` says that " +
			"the caller may have missed events. An event carries no content: the caller asks for it. The stream ends with its session, and when the server stops.",
	}, rest.RawDoc{Produces: "text/event-stream"}, s.getChanges)
}

// getChanges sends events (WHATWG HTML §9.2) until the client disconnects, the session ends
// or the server stops.
func (s *Service) getChanges(w http.ResponseWriter, r *http.Request) error {
	c, end := s.open(account.ID(rest.CallerOf(r).Account))
	defer end()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // tells a proxy to pass each event on at once
	pulse := time.NewTicker(s.Pulse)
	defer pulse.Stop()
	for text := ": open\n\n"; ; {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		select {
		case <-s.closed:
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		case <-pulse.C:
			text = ": still here\n\n"
		case <-c.wake:
			text = ""
			for what := range c.take() {
				id, err := json.Marshal(what.id)
				if err != nil {
					return err
				}
				text += fmt.Sprintf("event: %s\ndata: {\"id\":%s}\n\n", what.kind, id)
			}
			// Events during the pause go out together.
			select {
			case <-time.After(s.Pause):
			case <-s.closed:
			case <-r.Context().Done():
			}
		}
	}
}
