package blob

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/minio/minio-go/v7"
)

// A request that makes an object may do so without an answer: the connection breaks, or the server
// takes longer than [stallTimeout]. The store then looks for the object before it reports a failure.
// Each write has a mark of its own in the object's metadata, so that it takes no other one's object
// for its own.

// markName is the field of an object's metadata that has the mark of its write.
const markName = "Coffer-Put"

// settleFor is how long a completion is asked for. Servers take minutes for very large objects, and the
// client waits.
const settleFor = time.Minute

// making is an object that a write makes.
type making struct {
	key, mark string
	size      int64
	etag      string // "" when it is not known
}

// settle calls do, which makes the object, until the object stands or the server refuses it. It returns
// how often it did. It stops after a few tries, and of one that may take long, of which the server has
// said nothing, after settleFor.
func (s *S3) settle(ctx context.Context, m making, long bool, do func() error) (tried int, err error) {
	began, patient := time.Now(), false
	for tried = 1; ; tried++ {
		if err = do(); err == nil {
			return tried, nil
		}
		answer, refused := refusal(err)
		if refused && tried == 1 {
			return tried, s.absent(ctx, "put", err)
		}
		// From here on the cause of a refusal may be an earlier try.
		stands, away, failed := s.stands(ctx, m)
		if stands || failed != nil {
			return tried, failed
		}
		// An earlier try took the upload, or is at it: its object may appear late.
		gone := answer.Code == minio.NoSuchUpload || answer.Code == "ConditionalRequestConflict"
		if refused && !gone {
			return tried, down(ctx, "put", fmt.Errorf("refused when it was asked again: %d %s %s", answer.StatusCode, answer.Code, answer.Message))
		}
		patient = patient || long && unsaid(answer)
		over := tried >= tries || away
		if patient {
			over = time.Since(began) > s.settleFor
		}
		if over || !wait(ctx, tried) {
			return tried, down(ctx, "put", err)
		}
	}
}

// unsaid reports that a server, or a proxy before it, did not come to an answer.
func unsaid(answer minio.ErrorResponse) bool {
	switch answer.StatusCode {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// stands reports whether the object of a write stands, with the size that was sent, or the store does not
// answer. ErrExists: another write's object stands.
func (s *S3) stands(ctx context.Context, m making) (stands, away bool, err error) {
	info, err := s.bodies.StatObject(ctx, s.bucket, m.key, minio.StatObjectOptions{})
	if err != nil {
		_, answered := refusal(err)
		return false, !answered, nil // the caller has an error already
	}
	switch mark := info.UserMetadata[markName]; {
	case mark == "":
		err = errors.New("the store does not say which write an object is of")
	case mark != m.mark:
		return false, false, ErrExists
	case info.Size != m.size:
		err = fmt.Errorf("the store has %d bytes of %d", info.Size, m.size)
	case m.etag != "" && ofParts.MatchString(info.ETag) && info.ETag != m.etag:
		err = fmt.Errorf("the store has an object of other parts: %s, want %s", info.ETag, m.etag)
	}
	return err == nil, false, down(ctx, "put", err)
}

// ofParts is the form of ETags of objects in parts: that of S3, which other servers follow.
var ofParts = regexp.MustCompile(`^[0-9a-f]{32}-[0-9]+$`)

// etagOf returns the ETag of an object in these parts: the MD5 of theirs, and their number. It returns
// "" when theirs are no MD5.
func etagOf(parts []minio.CompletePart) string {
	h := md5.New()
	for _, p := range parts {
		sum, err := hex.DecodeString(p.ETag)
		if err != nil || len(sum) != md5.Size {
			return ""
		}
		h.Write(sum)
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}
