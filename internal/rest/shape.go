package rest

import (
	"fmt"
	"reflect"
	"strings"
)

// checkShape refuses, when the program starts, types that would not mean what they say:
// of an embedded type that is not exported, neither the document nor the validation sees
// the fields, so a body that uses them is refused and a header never sent.
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
