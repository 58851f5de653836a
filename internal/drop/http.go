package drop

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

const tag = "Drops"

// subprotocol is the protocol of the socket (docs/drop-protocol.md §4).
const subprotocol = "coffer.drop.v1"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/drops", ID: "open-drop", Tag: tag, Status: http.StatusCreated, Rows: "F-D1",
		Summary: "Open a drop",
		Description: "A drop hands files live from device to device, end-to-end encrypted: docs/drop-protocol.md. No account is needed. " +
			"A host that sends the token of its live drop as `Authorization: Drop <host_token>` closes that one.",
		Errors: []*fault.Error{limit.ErrLimited},
	}, s.postDrop)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/drops/{name}", ID: "look-at-drop", Tag: tag, Status: http.StatusOK, Rows: "F-D1",
		Summary: "Ask whether a drop exists and has a place",
		Errors:  []*fault.Error{ErrNoDrop, limit.ErrLimited},
	}, s.getDrop)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/drops/{name}/join", ID: "join-drop", Tag: tag, Status: http.StatusCreated, Rows: "F-D2",
		Summary:     "Take a place in a drop",
		Description: "The guest proves the code to the host through the socket, within a minute. At most four joins of an address wait at a time.",
		Errors:      []*fault.Error{ErrNoDrop, errFull, errJoining, limit.ErrLimited},
	}, s.postJoin)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/drops/{name}", ID: "change-drop", Tag: tag, Access: rest.DropMember, Status: http.StatusOK, Rows: "F-D1",
		Summary: "Rename or prolong a drop",
		Errors:  []*fault.Error{limit.ErrLimited, ErrNoDrop, errToken, errNotHost, errTaken},
	}, s.patchDrop)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/drops/{name}", ID: "close-drop", Tag: tag, Access: rest.DropMember, Status: http.StatusNoContent, Rows: "F-D1",
		Summary: "Close a drop for everybody",
		Errors:  []*fault.Error{limit.ErrLimited, ErrNoDrop, errToken, errNotHost},
	}, s.deleteDrop)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/drops/{name}/tickets", ID: "make-drop-ticket", Tag: tag, Access: rest.DropMember, Status: http.StatusCreated, Rows: "F-D3",
		Summary:     "Get a ticket for a socket or a stream",
		Description: "For browsers, which cannot set a header there. It works once, as `?ticket=`.",
		Errors:      []*fault.Error{limit.ErrLimited, ErrNoDrop, errToken},
	}, s.postTicket)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/drops/{name}/transfers", ID: "ask-drop-transfer", Tag: tag, Access: rest.DropMember, Status: http.StatusCreated, Rows: "F-D4",
		Summary:     "Ask a member for an item",
		Description: "The receiver opens the transfer's stream next, within a minute.",
		Errors:      []*fault.Error{limit.ErrLimited, ErrNoDrop, errToken, errOutside, errNoFile, errTooMany},
	}, s.postTransfer)
	ticket := rest.RawParam{In: "query", Name: "ticket", Doc: "In place of the Authorization header."}
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/drops/{name}/socket", ID: "connect-drop", Tag: tag, Access: rest.DropMember, Status: http.StatusSwitchingProtocols,
		Rows: "F-D2, F-D3, F-D6", Waits: true, Socket: true,
		Summary:     "The socket of a member",
		Description: "A WebSocket with the subprotocol `coffer.drop.v1`: docs/drop-protocol.md §4.",
		Errors:      []*fault.Error{limit.ErrLimited, errCrowd, ErrNoDrop, errToken, errUpgrade},
	}, rest.RawDoc{Params: []rest.RawParam{ticket}}, s.getSocket)
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/drops/{name}/transfers/{id}/stream", ID: "stream-drop-transfer", Tag: tag, Access: rest.DropMember, Status: http.StatusOK,
		Rows:        "F-D4, F-D7",
		Summary:     "The bytes of a transfer",
		Description: "Framed octets, or server-sent events if `Accept` names text/event-stream: docs/drop-protocol.md §7. A stream is opened once.",
		Errors:      []*fault.Error{limit.ErrLimited, ErrNoDrop, errToken, errOutside, errNoTransfer, errStreamed},
	}, rest.RawDoc{Params: []rest.RawParam{ticket, {In: "header", Name: "Accept", Doc: "application/octet-stream or text/event-stream."}}}, s.getStream)
}

type postDropInput struct {
	rest.Request
	Body struct{}
}

// DropCaller is what a request says of the member that sends it.
type DropCaller struct {
	rest.Request
	Name string `path:"name" maxLength:"64"`
}

func (c *DropCaller) token() string {
	token, _ := rest.Credentials(c.Sent.Authorization, "Drop")
	return token
}

type openedDrop struct {
	Name      string    `json:"name" doc:"Two words. Public; people type it."`
	HostToken string    `json:"host_token" doc:"The host's credential. Shown once."`
	ExpiresAt time.Time `json:"expires_at"`
}

type openedOutput struct{ Body openedDrop }

func (s *Service) postDrop(ctx context.Context, in *postDropInput) (*openedOutput, error) {
	token, _ := rest.Credentials(in.Sent.Authorization, "Drop")
	o, err := s.Open(ctx, in.Client.Addr, token)
	return &openedOutput{openedDrop{o.Name, o.Token, o.Expires}}, err
}

type dropInput struct{ DropCaller }

type dropOutput struct {
	Body struct {
		Name      string    `json:"name"`
		OpenSlots int       `json:"open_slots" doc:"Guests that may still join."`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *Service) getDrop(ctx context.Context, in *dropInput) (*dropOutput, error) {
	f, err := s.Look(ctx, in.Client.Addr, in.Name)
	if err != nil {
		return nil, err
	}
	out := &dropOutput{}
	out.Body.Name, out.Body.OpenSlots, out.Body.ExpiresAt = f.Name, max(0, s.DropGuests-f.Guests), time.UnixMilli(f.Expires).UTC()
	return out, nil
}

type joinInput struct {
	DropCaller
	Body struct{}
}

type joinOutput struct {
	Body struct {
		GuestToken string `json:"guest_token" doc:"The guest's credential. Shown once."`
		RID        string `json:"rid" doc:"Names the guest in this drop."`
	}
}

func (s *Service) postJoin(ctx context.Context, in *joinInput) (*joinOutput, error) {
	token, rid, err := s.Join(ctx, in.Client.Addr, in.Name)
	out := &joinOutput{}
	out.Body.GuestToken, out.Body.RID = token, rid
	return out, err
}

type patchInput struct {
	DropCaller
	Body struct {
		Name      *string    `json:"name,omitempty" doc:"3 to 40 letters a to z and digits, in words joined by hyphens."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"At most 7 days from now."`
	}
}

type patchOutput struct {
	Body struct {
		Name      string    `json:"name"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *Service) patchDrop(ctx context.Context, in *patchInput) (*patchOutput, error) {
	m, err := s.Member(ctx, in.Name, in.token())
	if err != nil {
		return nil, err
	}
	name, expires, err := s.Change(ctx, m, in.Body.Name, in.Body.ExpiresAt)
	out := &patchOutput{}
	out.Body.Name, out.Body.ExpiresAt = name, expires
	return out, err
}

func (s *Service) deleteDrop(ctx context.Context, in *dropInput) (*struct{}, error) {
	m, err := s.Member(ctx, in.Name, in.token())
	if err != nil {
		return nil, err
	}
	return nil, s.Close(ctx, m)
}

type ticketOutput struct {
	Body struct {
		Ticket    string `json:"ticket"`
		ExpiresIn int    `json:"expires_in" doc:"In seconds."`
	}
}

func (s *Service) postTicket(ctx context.Context, in *dropInput) (*ticketOutput, error) {
	m, err := s.Member(ctx, in.Name, in.token())
	if err != nil {
		return nil, err
	}
	out := &ticketOutput{}
	out.Body.ExpiresIn = int(ticketTime.Seconds())
	out.Body.Ticket, err = s.Ticket(ctx, m)
	return out, err
}

type transferInput struct {
	DropCaller
	Body struct {
		FileID    string    `json:"file_id" pattern:"^[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{22}$" doc:"As the sender offered it: its rid, a point, 16 random bytes."`
		PublicKey publicKey `json:"public_key" doc:"A fresh ECDH key of the receiver, as JWK."`
		Sealed    string    `json:"sealed" maxLength:"2048" doc:"What the receiver holds, sealed for the sender."`
	}
}

type transferOutput struct {
	Body struct {
		ID string `json:"id"`
	}
}

func (s *Service) postTransfer(ctx context.Context, in *transferInput) (*transferOutput, error) {
	m, err := s.Member(ctx, in.Name, in.token())
	if err != nil {
		return nil, err
	}
	out := &transferOutput{}
	out.Body.ID, err = s.Ask(ctx, m, request{FileID: in.Body.FileID, PublicKey: in.Body.PublicKey, Sealed: in.Body.Sealed})
	return out, err
}

// caller returns the member of a raw request: by the header, or by a ticket.
func (s *Service) caller(r *http.Request) (member, error) {
	name := r.PathValue("name")
	if header := r.Header["Authorization"]; len(header) == 1 {
		token, _ := rest.Credentials(header[0], "Drop")
		return s.Member(r.Context(), name, token)
	}
	ticket := r.URL.Query().Get("ticket")
	if ticket == "" {
		return member{}, errToken
	}
	return s.memberByTicket(r.Context(), name, ticket)
}

// getSocket upgrades to a WebSocket. Its handler ends with the upgrade, so that the memory of
// the request is free; a goroutine of its own reads the socket.
func (s *Service) getSocket(w http.ResponseWriter, r *http.Request) error {
	if !upgrades(r) {
		return errUpgrade
	}
	if s.drained.Err() != nil {
		return errDraining
	}
	m, err := s.caller(r)
	if err != nil {
		return err
	}
	if !m.Admitted && m.Sockets >= maxSockets {
		return errToken // the guest joins anew
	}
	client, _ := rest.ClientIn(r.Context())
	network := limit.AddrKey(client.Addr)
	if err := s.crowd.enter(network, m.RID, !m.Admitted, s.DropSockets); err != nil {
		return err
	}
	leaves := true
	defer func() {
		if leaves {
			s.crowd.leave(network, m.RID)
		}
	}()
	if m.Sockets > 0 { // the first one was counted as an opening or a join
		if err := s.countAsk(r.Context(), m); err != nil {
			return err
		}
	}
	place, err := s.enter(r.Context(), m.Drop)
	if err != nil {
		return err
	}
	h := &hijacker{ResponseWriter: w}
	conn, err := websocket.Accept(h, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, InsecureSkipVerify: true}) // rest checked the origin
	if err != nil {
		s.leave(place)
		return nil // upgrades missed something; the answer is written
	}
	conn.SetReadLimit(maxChunk + overhead + 4)
	ctx := context.WithoutCancel(r.Context())
	c, err := s.open(ctx, place, m, network, conn, h.wire)
	if c == nil {
		s.leave(place)
		_ = conn.Close(closeRestart, "") // the end reconnects, and then hears why
		return nil
	}
	if err != nil {
		s.Log.Warn("drops: a socket could not be opened", "error", err)
		c.spare(reconnectFrame, closeRestart)
	}
	leaves = false
	go c.read()
	return nil
}

// upgrades reports whether r asks for a WebSocket of this protocol (RFC 6455 §4.2.1).
func upgrades(r *http.Request) bool {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-Websocket-Key"))
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && names(r.Header["Connection"], "upgrade") && names(r.Header["Upgrade"], "websocket") &&
		r.Header.Get("Sec-Websocket-Version") == "13" && err == nil && len(key) == 16 && len(r.Header["Sec-Websocket-Key"]) == 1 &&
		names(r.Header["Sec-Websocket-Protocol"], subprotocol)
}

// names reports whether a list in header fields has a name, in any case.
func names(fields []string, name string) bool {
	for _, field := range fields {
		for one := range strings.SplitSeq(field, ",") {
			if strings.EqualFold(strings.TrimSpace(one), name) {
				return true
			}
		}
	}
	return false
}

// getStream sends a transfer to its receiver.
func (s *Service) getStream(w http.ResponseWriter, r *http.Request) error {
	m, err := s.caller(r)
	if err != nil {
		return err
	}
	if !m.Admitted {
		return errOutside
	}
	out := &outlet{w: w, events: names(r.Header["Accept"], "text/event-stream")}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if out.events {
		h.Set("Content-Type", "text/event-stream")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // tells a proxy to pass each frame on at once
	if r.Method != http.MethodGet {
		return nil // HEAD takes no stream
	}
	id := r.PathValue("id")
	sender, err := s.take(r.Context(), m, id)
	if err != nil {
		return err
	}
	rest.Patience(r, s.DropStall)
	return s.forward(r.Context(), m, id, sender, out)
}
