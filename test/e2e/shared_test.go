package e2e

import "testing"

// The stories that share a server with others. None may change what is everybody's.
var shared = []struct {
	name  string
	story func(t *testing.T, s *server)
}{
	{"newcomer", newcomer},
	{"somebody who loses the mail", resend},
	{"many files at once", manyFiles},
	{"the authenticator app", authenticator},
	{"a code twenty times at once", codeAtOnce},
	{"guessing codes", guessingCodes},
	{"a device that is remembered", rememberedDevice},
	{"a refresh that is repeated", refreshRepeated},
	{"devices", devices},
	{"nobody learns who has an account", enumeration},
	{"what is not mine", notMine},
	{"without a token", withoutToken},
	{"forged tokens", forgedTokens},
	{"keys that are none", invalidKeys},
	{"guessing passwords", guessingPasswords},
	{"forwarded for somebody else", forwardedFor},
}

func TestShared(t *testing.T) {
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_TOKEN_ALG=RS256")
		for _, c := range shared {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.story(t, s)
			})
		}
	})
}
