package rest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"coffer/internal/fault"
)

// format decodes all JSON. The defaults of go-json-experiment refuse duplicate names and
// invalid UTF-8, and match names exactly.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
	Unmarshal: func(data []byte, v any) error {
		return json.Unmarshal(data, v, rejectUnknown)
	},
}

var rejectUnknown = json.RejectUnknownMembers(true)

// The refusals of bodies.
var (
	errBodiesBusy = &fault.Error{Kind: fault.Unavailable, Code: "busy", RetryAfter: 5 * time.Second, Detail: "The server is busy with other large requests. Try again in a few seconds."}
	errNotJSON    = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send the body as application/json, in UTF-8.")
	errBodyLarge  = fault.New(fault.TooLarge, "body_too_large", "The body exceeds the server's size limit.")
	errBodyCut    = fault.New(fault.Malformed, "body_unreadable", "The server could not read the whole body.")
	errNoBody     = fault.New(fault.Malformed, "invalid_json", "This operation needs a JSON body.")
	errBadJSON    = fault.New(fault.Malformed, "invalid_json", "The body is not valid, unambiguous JSON.")
	errUnknown    = fault.New(fault.Malformed, "invalid_json", "The body has names that this operation does not define. Names are case-sensitive.")
)

// The server always reads a body of up to smallBody bytes. It reads only a few longer ones at
// once, such as the thousand ids of an archive: longLimits bounds them as streams are bounded.
const smallBody = 16 << 10

var longLimits = StreamLimits{All: 16, Account: 2, Address: 2}

// readJSON reads r's body into buf and refuses what is not exactly one JSON value.
func (x *exchange) readJSON(r *http.Request, required bool, buf *bytes.Buffer) error {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		if !required {
			return nil
		}
		if err := checkJSONType(r.Header["Content-Type"]); err != nil {
			return err
		}
		return errNoBody
	}
	if err := checkJSONType(r.Header["Content-Type"]); err != nil {
		return err
	}
	if r.ContentLength > x.api.cfg.MaxBody {
		return errBodyLarge
	}
	if err := x.readBody(buf, http.MaxBytesReader(x.w, r.Body, x.api.cfg.MaxBody)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return errBodyLarge
		}
		if err == errBodiesBusy {
			return errBodiesBusy
		}
		return errBodyCut.Because(err)
	}
	x.sent.read, x.sent.body = true, buf.Bytes() // who decodes buf drains it
	if err := x.sent.check(); err != nil {
		return err
	}
	if buf.Len() == 0 {
		if required {
			return errNoBody
		}
		return nil
	}
	return checkJSON(buf.Bytes())
}

// readBody reads body to its end into buf.
func (x *exchange) readBody(buf *bytes.Buffer, body io.Reader) error {
	_, err := io.CopyN(buf, body, smallBody)
	if err == io.EOF {
		return nil
	} else if err != nil {
		return err
	}
	who := x.sender()
	if x.api.longBodies.join(who, longLimits) != nil {
		return errBodiesBusy
	}
	defer x.api.longBodies.leave(who)
	_, err = buf.ReadFrom(body)
	return err
}

func checkJSONType(values []string) error {
	if len(values) != 1 {
		return errNotJSON
	}
	if values[0] == "application/json" {
		return nil
	}
	mediaType, params, err := mime.ParseMediaType(values[0])
	if err != nil || mediaType != "application/json" {
		return errNotJSON
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return errNotJSON
		}
	}
	return nil
}

// The limits of a body's content. Parsed, a mebibyte of "{},{},…" takes up to 500 and
// seconds of work, before the server has checked rights or limits. No operation needs a
// tenth of this.
const (
	maxTokens = 4096 // names, values and ends of objects and arrays
	maxDepth  = 64
)

// skipValue reads one value within those limits.
func skipValue(d *jsontext.Decoder) error {
	for range maxTokens {
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		switch depth := d.StackDepth(); {
		case depth == 0:
			return nil
		case depth > maxDepth:
			return errComplex
		}
	}
	return errComplex
}

// checkJSON refuses anything but exactly one JSON value of RFC 8259 with unique names in
// UTF-8, within the limits. The refusal names the place and never repeats its text.
func checkJSON(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	err := skipValue(d)
	if err == nil {
		if _, err = d.ReadToken(); err == io.EOF {
			return nil
		}
		if err == nil {
			err = errTrailing
		}
	}
	refusal := errBadJSON.Because(nil)
	field := fault.Field{Code: "malformed", Detail: "This is not JSON."}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		field.Pointer = string(s.JSONPointer)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		field.Code, field.Detail = "duplicate", "The name stands twice in one object."
	case errors.Is(err, errComplex):
		field.Code, field.Detail = "too_complex", "The JSON has more values, or deeper ones, than any operation takes."
	case errors.Is(err, errTrailing):
		field.Code, field.Detail = "trailing", "Something follows the JSON value."
	case errors.Is(err, io.ErrUnexpectedEOF):
		field.Code, field.Detail = "truncated", "The JSON value has no end."
	}
	field.Pointer = cut(field.Pointer)
	refusal.Fields = []fault.Field{field}
	return refusal
}

var (
	errTrailing = errors.New("trailing data")
	errComplex  = errors.New("too many values")
)

// cut shortens a name that the client chose, so it cannot fill an answer.
func cut(s string) string {
	const longest = 200
	if len(s) > longest {
		s = s[:longest] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
