package rest

import (
	"fmt"
	"reflect"
	"strings"
)

// checkShape refuses misleading types when the program starts. The document and the
// validation ignore the fields of an embedded unexported type. The server would refuse a
// body with such fields and never send such a header.
func checkShape(op Op, t reflect.Type, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if f.Anonymous && !f.IsExported() && name == "" && hasFields(f.Type) {
			panic(fmt.Sprintf("internal error: operation %s: %s embeds %s: export that type, or its fields are unknown to the API", op.ID, t, f.Type))
		}
		if f.IsExported() {
			checkShape(op, f.Type, seen)
		}
	}
}

func hasFields(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t.NumField() > 0
}
