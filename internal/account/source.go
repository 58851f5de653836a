package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"coffer/internal/fault"
	"coffer/internal/limit"
)

// Limits on the mails that a stranger causes by typing a newcomer's address.
//
// Each source has a share of its own of each recipient, so one source's mails never keep
// another's from being sent. Over their sum, sources that have sent already are refused
// first; a source that has not is refused only over a second, higher sum. Not held: a
// stranger with as many networks as that sum has mails in its window silences an address
// for sign-ups while it lasts. Mails of accounts (notices) are not counted here and never
// refused.

// Source is where a request came from, as limits count it.
type Source struct {
	Addr string `json:"addr"` // [limit.AddrKey]
	Net  string `json:"net"`  // [limit.NetKey]
}

// SourceOf returns the source of a client's address.
func SourceOf(a netip.Addr) Source { return Source{limit.AddrKey(a), limit.NetKey(a)} }

// Address is the address of a source, as far as it is known: of IPv6 the first one of the /64.
func (s Source) Address() netip.Addr {
	text, _, _ := strings.Cut(s.Addr, "/")
	addr, _ := netip.ParseAddr(text)
	return addr
}

// sourceIndex is how a source stands beside a sign-up. It is made with the address, so
// that the rows of one source at several addresses are not seen to be of one.
func (s *Service) sourceIndex(ctx context.Context, a address, from Source) ([]byte, error) {
	return s.Ring.Index(ctx, "account.sign-up-source", from.Addr+" "+a.Canonical)
}

// MayMail is mayMail for a mail to the address of an account that a stranger caused by typing
// that address, or a caller without a session.
func (s *Service) MayMail(ctx context.Context, email string, from Source) (bool, error) {
	a, ok := parseEmail(email)
	if !ok {
		return false, fmt.Errorf("account: a mail to no address")
	}
	return s.mayMail(ctx, a, from)
}

// mayMail takes one mail from what a source may cause to a recipient. When it may not,
// nothing is sent and nothing changes, and the caller cannot tell.
func (s *Service) mayMail(ctx context.Context, a address, from Source) (bool, error) {
	var taken []limit.Call
	take := func(rule limit.Rule, key string) (bool, error) {
		ok, err := s.within(ctx, rule, key)
		if ok {
			taken = append(taken, limit.Call{Rule: rule, Key: key})
		}
		return ok, err
	}
	recipient := "mail:" + a.Canonical
	first := limit.Rule{Name: "mail-first", Limit: 1, Window: s.MailRepeatLimit.Window}
	pair, err := take(s.MailRecipientLimit, recipient+" "+from.Addr)
	if err != nil {
		return false, err
	}
	fresh, err := take(first, recipient+" "+from.Net)
	if err != nil {
		return false, err
	}
	repeat, err := take(s.MailRepeatLimit, recipient)
	if err != nil {
		return false, err
	}
	total, err := take(s.MailTotalLimit, recipient)
	if err != nil {
		return false, err
	}
	if pair && (fresh || repeat) && total {
		return true, nil
	}
	// A mail that the server does not send counts against no share.
	if err := s.Limit.RefundAll(ctx, taken...); err != nil {
		return false, err
	}
	s.Log.InfoContext(ctx, "account: a mail was not sent, too many were asked for", "source", pair, "repeat", fresh || repeat, "total", total)
	return false, nil
}

// within takes one call and says whether the rule allowed it.
func (s *Service) within(ctx context.Context, rule limit.Rule, key string) (bool, error) {
	err := s.Limit.Take(ctx, rule, key)
	if refused := new(fault.Error); errors.As(err, &refused) && refused.Kind == fault.Limited {
		return false, nil
	}
	return err == nil, err
}

// takeSignUp takes a sign-up from the share of a source, and one mail with it.
func (s *Service) takeSignUp(ctx context.Context, from Source) error {
	return s.Limit.TakeAll(ctx, limit.Call{Rule: s.SignUpLimit, Key: from.Addr}, limit.Call{Rule: s.MailAddressLimit, Key: from.Addr})
}
