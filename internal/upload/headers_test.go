package upload

import (
	"math"
	"testing"
)

// An offset and a length that overflow together do not fit.
func TestFits(t *testing.T) {
	for _, tc := range []struct {
		at, more, length int64
		want             bool
	}{
		{0, 0, 0, true}, {2, 3, 5, true}, {2, 4, 5, false}, {2, math.MaxInt64, 5, false}, {math.MaxInt64, 1, math.MaxInt64, false}, {0, math.MaxInt64, math.MaxInt64, true},
	} {
		if got := fits(tc.at, tc.more, tc.length); got != tc.want {
			t.Errorf("fits(%d, %d, %d) = %v", tc.at, tc.more, tc.length, got)
		}
	}
}
