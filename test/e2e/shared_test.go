package e2e

import (
	"slices"
	"testing"
)

// story shares a server with other stories. It may not change shared state.
type story struct {
	name  string
	story func(t *testing.T, s *server)
}

var shared = []story{
	{"newcomer", newcomer},
	{"somebody who loses the mail", resend},
	{"a stranger signs up with the same address", strangerFirst},
	{"many files at once", manyFiles},
	{"searching by words of a name", searching},
	{"a folder and a choice as a zip", zipping},
	{"pictures and their thumbnails", pictures},
	{"a picture of myself", portrait},
	{"a body that is refused", refusedBodies},
	{"a refresh that is repeated", refreshRepeated},
	{"devices", devices},
	{"a sign-in from a new device", newDevice},
	{"nobody learns who has an account", enumeration},
	{"what is not mine", notMine},
	{"deleted, replaced and copied", undone},
	{"links for people without an account", sharing},
	{"without a token", withoutToken},
	{"the rules of the server", rules},
	{"forged tokens", forgedTokens},
	{"keys that are none", invalidKeys},
	{"guessing passwords", guessingPasswords},
	{"forwarded for somebody else", forwardedFor},
	{"taking my data along", export},
	{"a forgotten password", forgotten},
	{"a trusted address", trustedAddress},
	{"backup codes", backupLife},
	{"a backup code without the password", backupMailed},
	{"a backup code twenty times at once", backupAtOnce},
	{"a recovery that the owner stops", recoveryStopped},
	{"a reset twenty times at once", resetAtOnce},
	{"a change of password", changePassword},
	{"deactivated and activated again", deactivated},
	{"what another device changes", changes},
	{"requests that are signed", proven},
	{"a copy of a signed request", provenOnce},
	{"another address", changeEmail},
	{"an address of somebody else", changeEmailToAnothers},
	{"ending a new device from its mail", endDevice},
	{"the history of sign-ins", signIns},
	{"deleting the account", deleteAccount},
	{"a resource server asks about a token", resourceServer},
}

func TestShared(t *testing.T) {
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_TOKEN_ALG=RS256")
		all := slices.Clone(shared)
		for _, l := range layers {
			all = append(all, l.stories...)
		}
		for _, c := range all {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.story(t, s)
			})
		}
	})
}
