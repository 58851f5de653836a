package blobtest

import (
	"os/exec"
	"runtime"
	"testing"
)

// SmallDisk mounts a disk of a few MiB and returns its folder. It skips where the test may
// not mount one.
func SmallDisk(t testing.TB, mebibytes string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("mounts a small disk in memory, which only Linux has")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+mebibytes+"m", "small", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v %s", err, out)
		}
	})
	return dir
}
