package rest

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"coffer/internal/fault"
)

// formType is the media type of forms that are no uploads (WHATWG URL §5). OAuth 2.0 asks
// for it (RFC 6749 Appendix B).
const formType = "application/x-www-form-urlencoded"

var (
	errNotForm = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send the body as "+formType+".")
	errBadForm = fault.New(fault.Malformed, "malformed_request", "The form is malformed, is not UTF-8, or names a field twice.")
)

// maxForm bounds a form in bytes. It holds tokens, and no token has more than 4 KiB.
const maxForm = smallBody

// readForm reads r's form into buf as the JSON object of its fields, so that the typed
// operation checks it as it checks JSON. It drops fields that the operation does not define,
// and refuses a field that comes twice (RFC 6749 §3.2).
func (x *exchange) readForm(r *http.Request, _ bool, buf *bytes.Buffer) error {
	values := r.Header["Content-Type"]
	if len(values) != 1 {
		return errNotForm
	}
	if mediaType, _, err := mime.ParseMediaType(values[0]); err != nil || mediaType != formType {
		return errNotForm
	}
	if r.ContentLength > maxForm {
		return errBodyLarge
	}
	var raw bytes.Buffer
	n, err := raw.ReadFrom(http.MaxBytesReader(x.w, r.Body, maxForm))
	switch {
	case n >= maxForm:
		return errBodyLarge
	case err != nil:
		return errBodyCut.Because(err)
	}
	fields, err := url.ParseQuery(raw.String())
	if err != nil {
		return errBadForm.Because(err)
	}
	defined := x.call.op.RequestBody.Content[formType].Schema
	if defined.Ref != "" {
		defined = x.api.huma.OpenAPI().Components.Schemas.SchemaFromRef(defined.Ref)
	}
	object := map[string]string{}
	for name, all := range fields {
		if len(all) > 1 || !utf8.ValidString(all[0]) {
			return errBadForm
		}
		if defined.Properties[name] != nil {
			object[name] = all[0]
		}
	}
	return json.MarshalWrite(buf, object, json.Deterministic(true))
}
