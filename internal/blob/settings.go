package blob

import (
	"fmt"
	"strings"
)

// Settings are the operator's settings of this package.
type Settings struct {
	Blobs string `env:"COFFER_BLOBS" secret:"url" placeholder:"DATA/blobs" group:"Where it keeps things" help:"Folder, or s3://KEY:SECRET@HOST/BUCKET?region=… for file contents."`
}

// AfterApply refuses what is neither a folder nor a bucket. Package kong calls it.
func (s *Settings) AfterApply() error {
	scheme, _, isURL := strings.Cut(s.Blobs, "://")
	switch {
	case scheme == "s3" && isURL:
		if _, err := newS3(s.Blobs); err != nil {
			return fmt.Errorf("COFFER_BLOBS: %w", err)
		}
	case isURL && scheme != "file":
		return fmt.Errorf("COFFER_BLOBS: %q is neither a folder nor s3://", scheme+"://")
	}
	return nil
}
