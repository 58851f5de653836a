package content

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// byteRange is a part of a content of known size.
type byteRange struct{ start, length int64 }

// last returns the offset of the last byte, as Content-Range wants it.
func (r byteRange) last() int64 { return r.start + r.length - 1 }

// maxRanges bounds the parts of one answer. A request for more gets the whole.
const maxRanges = 64

// errNoRange means that every range asked for begins behind the end: 416.
var errNoRange = errors.New("no range overlaps the content")

// parseRanges reads a Range header (RFC 9110 §14.1.2, §14.2). No ranges and no error
// means to send the whole: a unit or a syntax that is not understood is ignored, and so
// is a request that costs more than the whole.
func parseRanges(header string, size int64) ([]byteRange, error) {
	unit, set, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return nil, nil
	}
	var ranges []byteRange
	var total int64
	some := false
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue // empty list elements are legal (RFC 9110 §5.6.1)
		}
		r, overlaps, ok := parseRange(spec, size)
		if !ok {
			return nil, nil
		}
		some = true
		if overlaps {
			ranges = append(ranges, r)
			total += r.length
		}
	}
	switch {
	case !some:
		return nil, nil
	case len(ranges) == 0:
		return nil, errNoRange
	case len(ranges) > maxRanges || total > size:
		return nil, nil
	}
	return ranges, nil
}

// parseRange reads one range: first-last, first- or -suffix.
func parseRange(spec string, size int64) (r byteRange, overlaps, ok bool) {
	from, to, ok := strings.Cut(spec, "-")
	if !ok {
		return r, false, false
	}
	if from == "" {
		n, ok := parseOffset(to)
		if !ok {
			return r, false, false
		}
		n = min(n, size)
		return byteRange{size - n, n}, n > 0, true
	}
	start, ok := parseOffset(from)
	if !ok {
		return r, false, false
	}
	end := size - 1
	if to != "" {
		last, ok := parseOffset(to)
		if !ok || last < start {
			return r, false, false
		}
		end = min(end, last)
	}
	return byteRange{start, end - start + 1}, start < size, true
}

// parseOffset reads 1*DIGIT. What is too long for 64 bits is as good as the greatest.
func parseOffset(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 1<<63 - 1, true
	}
	return n, true
}

// verdict is what the preconditions of a request ask for.
type verdict uint8

const (
	proceed     verdict = iota
	notModified         // 304
	failed              // 412
)

// precondition evaluates the conditional headers of a GET or HEAD in the order of
// RFC 9110 §13.2.2. Times count in whole seconds, as the headers do.
func precondition(h http.Header, etag string, stored time.Time) verdict {
	stored = stored.Truncate(time.Second)
	if match := h.Values("If-Match"); len(match) > 0 {
		if !matches(match, etag, false) {
			return failed
		}
	} else if at, ok := httpTime(h, "If-Unmodified-Since"); ok && stored.After(at) {
		return failed
	}
	if match := h.Values("If-None-Match"); len(match) > 0 {
		if matches(match, etag, true) {
			return notModified
		}
	} else if at, ok := httpTime(h, "If-Modified-Since"); ok && !stored.After(at) {
		return notModified
	}
	return proceed
}

// rangeHolds evaluates If-Range (RFC 9110 §13.1.5): a strong tag or the exact time.
func rangeHolds(h http.Header, etag string, stored time.Time) bool {
	condition := h.Get("If-Range")
	if condition == "" {
		return true
	}
	if strings.HasPrefix(condition, `"`) || strings.HasPrefix(condition, "W/") {
		return condition == etag
	}
	at, err := http.ParseTime(condition)
	return err == nil && at.Equal(stored.Truncate(time.Second))
}

func httpTime(h http.Header, name string) (time.Time, bool) {
	at, err := http.ParseTime(h.Get(name))
	return at, err == nil
}

// matches reports whether one of the entity tags in a header's lines is etag, or is "*".
// weak lets W/ tags match too. Our own tags are strong and have no comma in them.
func matches(lines []string, etag string, weak bool) bool {
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.Trim(tag, " \t")
			if weak {
				tag = strings.TrimPrefix(tag, "W/")
			}
			if tag == "*" || tag == etag {
				return true
			}
		}
	}
	return false
}
