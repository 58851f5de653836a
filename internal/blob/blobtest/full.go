package blobtest

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// SmallDisk mounts a disk of a few MiB and returns its folder. Where the test may not mount one
// it skips, or fails when COFFER_TEST_REQUIRE=1.
func SmallDisk(t testing.TB, mebibytes string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("mounts a small disk in memory, which only Linux has")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+mebibytes+"m", "small", dir).CombinedOutput(); err != nil {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatalf("a small disk cannot be mounted: %v %s", err, out)
		}
		t.Skipf("a small disk needs the right to mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v %s", err, out)
		}
	})
	return dir
}
