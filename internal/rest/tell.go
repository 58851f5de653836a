package rest

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// told are the rules that pages and programs must know before anybody has signed in, such as
// the least length of a password. Each room tells its own.
type told struct {
	values map[string]any
	schema *huma.Schema // of the answer
}

// toldBody is the answer; its schema has a property for each value that was told.
type toldBody map[string]any

// Schema implements huma.SchemaProvider.
func (toldBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
}

type toldOutput struct{ Body toldBody }

// Tell adds a number to the answer of GET /settings, which everybody may read. The first
// call adds the operation. A name that is told twice panics.
func (a *API) Tell(name, doc string, value int64) { TellValue(a, name, doc, value) }

// TellValue is [API.Tell] for a value that is no number.
func TellValue[T any](a *API, name, doc string, value T) {
	if a.told.values == nil {
		a.routeTold()
	}
	if _, taken := a.told.values[name]; taken {
		panic("internal error: " + name + " is told twice")
	}
	a.told.values[name] = value
	schema := *a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, camel(name))
	schema.Description = doc
	a.told.schema.Properties[name] = &schema
	a.told.schema.Required = slices.Sorted(maps.Keys(a.told.values))
}

func (a *API) routeTold() {
	a.told.values = map[string]any{}
	op := Op{
		Method: http.MethodGet, Path: "/settings", ID: "read-settings", Tag: "Server", Status: http.StatusOK, Rows: "F-A1",
		Summary:     "The rules of this server",
		Description: "Public: what a page must know before anybody has signed in. The values change only when the server starts.",
	}
	Register(a, op, func(context.Context, *struct{}) (*toldOutput, error) { return &toldOutput{a.told.values}, nil })
	good := a.huma.OpenAPI().Paths[op.Path].Get.Responses[strconv.Itoa(op.Status)]
	a.told.schema = good.Content["application/json"].Schema
}
