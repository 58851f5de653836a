package drop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coffer/client"
)

// Join enters a drop with its name and its secret: six digits, or v1. and the key of a
// link ([ParseLink]). ctx is for joining only. Its refusals are [ErrNotFound], [ErrFull],
// [ErrWrongCode], [ErrBurnt], [ErrNotHost], [ErrNoHost], [ErrTooOften] and [ErrSecret];
// with ErrTooOften, the RetryAfter of the [client.Error] in it says how long to wait.
func Join(ctx context.Context, c Config, name, secret string) (*Member, error) {
	name = NormalName(name)
	if !validName(name) {
		return nil, ErrNotFound
	}
	kind, prs, err := readSecret(secret)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, joinTime, ErrNoHost)
	defer cancel()
	m, err := newMember(c)
	if err != nil {
		return nil, err
	}
	m.name = name
	var joined struct {
		GuestToken string `json:"guest_token"`
		RID        rid    `json:"rid"`
	}
	for {
		err := m.call(ctx, "POST", struct{}{}, &joined, "drops", name, "join")
		if err == nil {
			break
		}
		var said *client.Error
		if client.Code(err) != "join_pending" || !errors.As(err, &said) {
			return nil, err
		}
		select { // others are joining just now
		case <-time.After(max(time.Second, said.RetryAfter)):
		case <-ctx.Done():
			return nil, err
		}
	}
	m.token, m.id = joined.GuestToken, joined.RID
	l, welcome, err := dial(ctx, m.http, m.base, name, m.token)
	if err != nil {
		return nil, err
	}
	if welcome.RID != m.id || welcome.HostRID == m.id || welcome.Name != name {
		// The drop was renamed in between, or the server confuses drops. CPace would fail.
		l.farewell(leaveFrame{"leave"})
		return nil, ErrNotFound
	}
	m.hostID = welcome.HostRID
	if err := m.prove(ctx, l, kind, prs, name); err != nil {
		l.farewell(leaveFrame{"leave"})
		if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == ErrNoHost {
			err = ErrNoHost
		}
		return nil, err
	}
	m.arrive(l, welcome)
	go m.run(l)
	return m, nil
}

// prove is the guest's half of CPace. A run is good for one try, so it is never repeated
// after the host has answered.
func (m *Member) prove(ctx context.Context, l *link, kind mode, prs []byte, name string) error {
	end, err := newCPace(prs, joinContext(kind, name), m.id[:])
	if err != nil {
		return err
	}
	share := msgFrame{"msg", m.hostID, body{K: "pake1", Mode: kind, Y: b64(end.share)}}
	if err := l.post(share); err != nil {
		return err
	}
	answer, err := m.fromHost(ctx, l, "pake2", func() { _ = l.post(share) })
	if err != nil {
		return err
	}
	yb, err := fromB64(answer.Y, 32)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotHost, err)
	}
	isk, err := end.intermediateKey(m.id[:], end.share, []byte("guest"), yb, []byte("host"), yb)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotHost, err)
	}
	keys := newJoinKeys(isk, m.id, kind, name, end.share, yb)
	if err := l.post(msgFrame{"msg", m.hostID, body{K: "confirm", Tag: b64(keys.guest)}}); err != nil {
		return err
	}
	answer, err = m.fromHost(ctx, l, "admit", nil)
	if err != nil {
		return err
	}
	tag, err := fromB64(answer.Tag, 32)
	if err != nil || !sameTag(keys.host, tag) {
		return ErrNotHost
	}
	sealed, err := fromB64(answer.Sealed, 32+overhead)
	if err != nil {
		return ErrNotHost
	}
	if m.group, err = keys.openGroup(sealed); err != nil {
		return ErrNotHost
	}
	return nil
}

// fromHost waits for the host's next message of kind k. While the host is away, again
// repeats the last one; nil gives up instead.
func (m *Member) fromHost(ctx context.Context, l *link, k string, again func()) (body, error) {
	for {
		f, err := l.read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return body{}, err
		}
		switch f.T {
		case "msg":
			var b body
			if f.From != m.hostID || json.Unmarshal(f.Body, &b) != nil {
				continue
			}
			if b.K != k {
				return body{}, fmt.Errorf("%w: a message out of order", ErrNotHost)
			}
			return b, nil
		case "error":
			if again == nil {
				return body{}, ErrNoHost
			}
			repeat := time.AfterFunc(time.Second, again)
			defer repeat.Stop()
		case "closed", "reconnect", "replaced":
			return body{}, refusalOf(f)
		}
	}
}
