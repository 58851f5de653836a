package rest

import "net/http"

func (a *API) routeDocs() {
	_ = http.MethodGet
}
