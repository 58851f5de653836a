package rest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/go-json-experiment/json"

	"coffer/internal/fault"
)

// Problem is the body of every refusal: a problem document of RFC 9457.
type Problem struct {
	Type      string         `json:"type" doc:"Address of the page that explains the code."`
	Title     string         `json:"title" doc:"The status in words."`
	Status    int            `json:"status" doc:"The HTTP status."`
	Detail    string         `json:"detail" doc:"One sentence for a person."`
	Code      string         `json:"code" doc:"Stable and machine-readable; the errors page lists them all."`
	RequestID string         `json:"request_id" doc:"Names this request in the server's log."`
	Errors    []ProblemField `json:"errors,omitempty" doc:"Each value that was refused."`
}

// ProblemField is one refused value. It never repeats the value.
type ProblemField struct {
	Pointer string `json:"pointer" doc:"JSON pointer (RFC 6901) into the body, or query.NAME, path.NAME, header.NAME."`
	Detail  string `json:"detail" doc:"Which rule was broken."`
	Code    string `json:"code" doc:"Stable and machine-readable."`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// statuses is the only mapping from kinds to statuses.
var statuses = [...]int{
	fault.Internal:         http.StatusInternalServerError,
	fault.Malformed:        http.StatusBadRequest,
	fault.Invalid:          http.StatusUnprocessableEntity,
	fault.Unauthenticated:  http.StatusUnauthorized,
	fault.Forbidden:        http.StatusForbidden,
	fault.NotFound:         http.StatusNotFound,
	fault.MethodNotAllowed: http.StatusMethodNotAllowed,
	fault.Conflict:         http.StatusConflict,
	fault.Gone:             http.StatusGone,
	fault.Precondition:     http.StatusPreconditionFailed,
	fault.TooLarge:         http.StatusRequestEntityTooLarge,
	fault.UnsupportedMedia: http.StatusUnsupportedMediaType,
	fault.BadRange:         http.StatusRequestedRangeNotSatisfiable,
	fault.Limited:          http.StatusTooManyRequests,
	fault.Unavailable:      http.StatusServiceUnavailable,
	fault.Checksum:         statusChecksum,
	fault.NotAcceptable:    http.StatusNotAcceptable,
}

// statusChecksum is of tus 1.0 and not of IANA's list, so net/http has no words for it.
const statusChecksum = 460

func statusText(status int) string {
	if status == statusChecksum {
		return "Checksum Mismatch"
	}
	return http.StatusText(status)
}

// statusOf is the HTTP status of a kind.
func statusOf(k fault.Kind) int {
	if int(k) >= len(statuses) {
		return http.StatusInternalServerError
	}
	return statuses[k]
}

// The refusals of rest itself, beside those of bodies.
var (
	errUnauthenticated = fault.New(fault.Unauthenticated, "unauthenticated", "Sign in: the request has no valid access token.")
	errNotFound        = fault.New(fault.NotFound, "not_found", "Not found.")
	errMethod          = fault.New(fault.MethodNotAllowed, "method_not_allowed", "This address does not support the method. The Allow header lists those it supports.")
	errMalformed       = fault.New(fault.Malformed, "malformed_request", "The request is malformed.")
	errRepairOnly      = fault.New(fault.Forbidden, "recovery_session", "This session may only repair the account. Set a new password, or turn a layer on, and it becomes an ordinary one.")
	errNotAdmin        = fault.New(fault.Forbidden, "admin_only", "Only an admin may do this.")
)

// muxRefusal translates a mux's plain-text answer.
func muxRefusal(status int) *fault.Error {
	switch status {
	case http.StatusNotFound:
		return errNotFound
	case http.StatusMethodNotAllowed:
		return errMethod
	}
	return errMalformed
}

// problem builds the document of err and sets its header fields.
func (x *exchange) problem(err error) *Problem {
	f := fault.Of(err)
	x.cause = f
	if d := x.declared; d != nil {
		if kind, ok := d.codes[f.Code]; !ok || kind != f.Kind {
			x.api.cfg.Undeclared(d.operation, f)
		}
	}
	status := statusOf(f.Kind)
	p := &Problem{
		Type: x.api.guard.base + "/docs/errors#" + f.Code, Title: statusText(status), Status: status,
		Detail: f.Detail, Code: f.Code, RequestID: x.id,
	}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{Pointer: cut(field.Pointer), Detail: field.Detail, Code: field.Code})
	}
	h := x.w.Header()
	h.Set("Cache-Control", "no-store")
	for _, name := range []string{"Content-Encoding", "Content-Length", "Etag", "Last-Modified", "Content-Disposition", "Accept-Ranges"} {
		h.Del(name)
	}
	if status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		challenge := "Bearer"
		if x.declared != nil {
			challenge = cmp.Or(x.declared.challenge, challenge)
		}
		h.Set("WWW-Authenticate", challenge)
	}
	if f.RetryAfter > 0 {
		h.Set("Retry-After", seconds(f.RetryAfter))
	}
	if f.Policy != nil {
		setRateLimit(h, *f.Policy, f.RetryAfter)
	} else { // what a call that failed leaves is shown to none: others may have caused it
		h.Del("RateLimit-Policy")
		h.Del("RateLimit")
	}
	return p
}

// ShowLimit sets the fields of a limit that a request passed. Its answer has them if it is a
// success. Outside of a request it does nothing.
func ShowLimit(ctx context.Context, p fault.Policy, reset time.Duration) {
	if x, _ := ctx.Value(exchangeKey{}).(*exchange); x != nil && x.status == 0 {
		setRateLimit(x.w.Header(), p, reset)
	}
}

// setRateLimit writes the fields of draft-ietf-httpapi-ratelimit-headers.
func setRateLimit(h http.Header, p fault.Policy, reset time.Duration) {
	name := strconv.QuoteToASCII(p.Name)
	h.Set("RateLimit-Policy", name+";q="+strconv.Itoa(p.Limit)+";w="+seconds(p.Window))
	h.Set("RateLimit", name+";r="+strconv.Itoa(p.Remaining)+";t="+seconds(reset))
}

// seconds rounds up, so that a client that waits that long is admitted.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10)
}

// refuse answers with the problem document of err. After an answer has begun it cuts the
// connection.
func (x *exchange) refuse(err error) {
	if x.status != 0 {
		x.cause = fault.Of(err)
		panic(http.ErrAbortHandler)
	}
	p := x.problem(err)
	x.w.Header()["Content-Type"] = problemTypes
	buf := buffers.Get().(*bytes.Buffer)
	defer putBuffer(buf)
	if err := json.MarshalWrite(buf, p); err != nil {
		panic("internal error: a problem document has no JSON: " + err.Error())
	}
	x.send(p.Status, buf.Bytes())
}

var problemTypes = []string{problemType}

// newHumaError replaces huma's own, which repeats refused values.
func newHumaError(status int, _ string, _ ...error) huma.StatusError {
	return &Problem{Status: status, Title: http.StatusText(status)}
}

// newHumaErrorWithContext makes every refusal inside an operation: huma's own, with
// rewritten details, and the errors of handlers.
func newHumaErrorWithContext(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	c, ok := ctx.(*call)
	if !ok {
		return newHumaError(status, msg, errs...)
	}
	return c.x.problem(humaRefusal(status, errs))
}

func humaRefusal(status int, errs []error) error {
	if status == http.StatusInternalServerError {
		return errors.Join(errs...)
	}
	var fields, unknown []fault.Field
	for _, err := range errs {
		d, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			return err
		}
		f := humaField(d)
		if f.Code == codeUnknown {
			unknown = append(unknown, f)
		}
		fields = append(fields, f)
	}
	refusal := fault.InvalidFields(fields...)
	if len(unknown) > 0 {
		refusal = errUnknown.Because(nil)
		refusal.Fields = unknown
	}
	slices.SortFunc(refusal.Fields, func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
	const most = 50
	refusal.Fields = refusal.Fields[:min(len(refusal.Fields), most)]
	return refusal
}

// codeUnknown is the field code of a name missing from the schema.
const codeUnknown = "unknown_field"

// A rule describes a violation. An empty say takes huma's text, which names the bound and
// not the value.
type rule struct{ code, say string }

// rules are keyed by huma's message. Any other message becomes code invalid.
var rules = func() map[string]rule {
	all := map[string]rule{
		validation.MsgUnexpectedProperty:       {codeUnknown, "There is no such name here."},
		validation.MsgExpectedRequiredProperty: {codeRequired, sayRequired},
		validation.MsgExpectedMatchPattern:     {"pattern", "The value does not have the form that is asked for."},
		// huma appends its parser's error to these five, and that error repeats the value.
		// The server answers with the message alone.
		validation.MsgExpectedRFC5322Email: {"format", "Expected string to be RFC 5322 email."},
		validation.MsgExpectedRFC3986URI:   {"format", "Expected string to be RFC 3986 uri."},
		validation.MsgExpectedRFC4122UUID:  {"format", "Expected string to be RFC 4122 uuid."},
		validation.MsgExpectedRegexp:       {"format", "Expected string to be regex."},
		validation.MsgExpectedDuration:     {"format", "Expected duration."},
	}
	for code, messages := range map[string][]string{
		codeRequired: {validation.MsgExpectedDependentRequiredProperty},
		"too_short":  {validation.MsgExpectedMinLength}, "too_long": {validation.MsgExpectedMaxLength},
		"too_few":        {validation.MsgExpectedMinItems, validation.MsgExpectedMinProperties},
		"too_many":       {validation.MsgExpectedMaxItems, validation.MsgExpectedMaxProperties},
		"not_unique":     {validation.MsgExpectedArrayItemsUnique},
		"too_small":      {validation.MsgExpectedMinimumNumber, validation.MsgExpectedExclusiveMinimumNumber},
		"too_big":        {validation.MsgExpectedMaximumNumber, validation.MsgExpectedExclusiveMaximumNumber},
		"not_a_multiple": {validation.MsgExpectedNumberBeMultipleOf},
		"not_allowed":    {validation.MsgExpectedOneOf, validation.MsgExpectedConst},
		"pattern":        {validation.MsgExpectedBePattern},
		"format": {
			validation.MsgExpectedRFC3339DateTime, validation.MsgExpectedRFC1123DateTime, validation.MsgExpectedRFC3339Date, validation.MsgExpectedRFC3339Time,
			validation.MsgExpectedRFC5890Hostname, validation.MsgExpectedRFC2673IPv4, validation.MsgExpectedRFC2373IPv6, validation.MsgExpectedRFCIPAddr,
			validation.MsgExpectedRFC6570URITemplate, validation.MsgExpectedRFC6901JSONPointer, validation.MsgExpectedRFC6901RelativeJSONPointer,
			validation.MsgExpectedBase64String,
		},
		"wrong_type": {
			validation.MsgExpectedBoolean, validation.MsgExpectedNumber, validation.MsgExpectedInteger, validation.MsgExpectedString,
			validation.MsgExpectedArray, validation.MsgExpectedObject,
		},
	} {
		for _, m := range messages {
			all[m] = rule{code: code}
		}
	}
	return all
}()

const (
	codeRequired = "required"
	sayRequired  = "This value is required."
	ruleMark     = "\x00" // separates the message, its formatted text and its first argument
)

// markRule formats huma's messages. It keeps the unformatted message, the key of rules, and
// the first argument.
func markRule(message string, args ...any) string {
	return message + ruleMark + fmt.Sprintf(message, args...) + ruleMark + fmt.Sprint(args[:min(len(args), 1)]...)
}

func humaField(d *huma.ErrorDetail) fault.Field {
	message, said, _ := strings.Cut(d.Message, ruleMark)
	said, first, formatted := strings.Cut(said, ruleMark)
	if !formatted {
		said = message
	}
	f := fault.Field{Pointer: pointer(d.Location), Code: "invalid", Detail: "The value is not valid here."}
	r, known := rules[message]
	switch {
	case known && r.say == "":
		f.Code, f.Detail = r.code, strings.ToUpper(said[:1])+said[1:]+"."
	case known:
		f.Code, f.Detail = r.code, r.say
	case inBody(d.Location):
	case d.Value == "": // huma has no identifiers for its texts on parameters
		f.Code, f.Detail = codeRequired, sayRequired
	default:
		f.Code, f.Detail = "wrong_type", "The value is not of the type that is asked for."
	}
	if message == validation.MsgExpectedRequiredProperty {
		f.Pointer = cut(f.Pointer + "/" + escape(first))
	}
	return f
}

// inBody reports whether huma's location is in the body.
func inBody(location string) bool {
	rest, ok := strings.CutPrefix(location, "body")
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// pointer turns huma's location into a JSON pointer for the body. It leaves other
// locations.
func pointer(location string) string {
	if !inBody(location) {
		return cut(location)
	}
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(location[len("body"):], "."), ".") {
		name, indexes, _ := strings.Cut(part, "[")
		if name != "" {
			b.WriteString("/" + escape(name))
		}
		for index := range strings.SplitSeq(strings.TrimSuffix(indexes, "]"), "][") {
			if index != "" {
				b.WriteString("/" + escape(index))
			}
		}
	}
	return cut(b.String())
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

func escape(name string) string { return escaper.Replace(name) }

// report logs the request in one line: always for a failure or a change, at debug level for
// a read. It logs the pattern, because a path may hold secrets.
func (x *exchange) report() {
	x.api.measures.count(x)
	level := slog.LevelInfo
	switch {
	case x.cause != nil && x.cause.Kind == fault.Internal && !x.gone():
		level = slog.LevelError
	case x.cause != nil && x.cause.Kind == fault.Unavailable:
		level = slog.LevelWarn
	case x.status < 400 && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead), x.gone(), x.cause != nil && x.cause.Code == errAddressBlocked.Code:
		level = slog.LevelDebug
	}
	log := x.api.cfg.Log
	ctx := x.r.Context()
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := [8]slog.Attr{
		slog.String("method", x.methodForLog()), slog.String("route", x.r.Pattern), slog.Int("status", x.status),
		slog.Duration("took", time.Since(x.start)), slog.Int64("bytes", x.bytes), slog.String("request_id", x.id),
	}
	n := 6
	if x.cause != nil {
		attrs[n] = slog.String("code", x.cause.Code)
		n++
		if x.cause.Err != nil && x.cause.Kind == fault.Internal || x.cause.Kind == fault.Unavailable {
			attrs[n] = slog.String("cause", printable(x.cause.Error()))
			n++
		}
	}
	log.LogAttrs(ctx, level, "request", attrs[:n]...)
}

// gone reports whether the client hung up. Then every error counts as the client's.
func (x *exchange) gone() bool {
	if x.cause == nil || x.cause.Err == nil {
		return false
	}
	return x.lost != nil && errors.Is(x.cause.Err, x.lost) || errors.Is(x.cause.Err, context.Canceled) && x.r.Context().Err() != nil
}
