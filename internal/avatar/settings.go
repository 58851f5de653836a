package avatar

import (
	"errors"
	"net/url"
	"strings"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Max int64  `name:"avatar-max" env:"COFFER_AVATAR_MAX" default:"10485760" group:"Limits" help:"Bytes of the largest picture that an account may be given."`
	CDN string `name:"avatar-cdn" env:"COFFER_AVATAR_CDN" placeholder:"https://CDN/BASE" group:"Where it keeps things" help:"Address at which a CDN serves the root of COFFER_BLOBS, for pictures of accounts: BASE/avatars/ID/SIZE.webp. Empty: Coffer serves them."`
}

// AfterApply refuses what no picture can be or come from. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.Max < 1 || s.Max > maxMax {
		return errors.New("COFFER_AVATAR_MAX: must lie between 1 and 67108864")
	}
	if s.CDN == "" {
		return nil
	}
	u, err := url.Parse(s.CDN)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(s.CDN, " ;,'\"") {
		return errors.New("COFFER_AVATAR_CDN: must be an address such as https://cdn.example.com/base")
	}
	return nil
}

const maxMax = 64 << 20
