package mail

import "errors"

// isPermanent reports whether no other attempt to send the mail can succeed.
func isPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}
