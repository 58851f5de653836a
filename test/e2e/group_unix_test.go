//go:build unix

package e2e

import (
	"os/exec"
	"syscall"
)

// inGroup gives a command a process group of its own, and returns what ends all of it: `go
// run` has the program for a child and passes no signal on.
func inGroup(cmd *exec.Cmd) (end func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
