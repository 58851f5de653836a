//go:build !unix

package e2e

import "os/exec"

// inGroup returns what ends a command. Where there are no process groups its children go on.
func inGroup(cmd *exec.Cmd) (end func()) {
	return func() { _ = cmd.Process.Kill() }
}
