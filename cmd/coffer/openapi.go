package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"coffer/internal/rest"
)

// openAPICmd prints the OpenAPI document of the code.
type openAPICmd struct{ Settings }

// Run builds the program on a temporary folder, so printing needs no data and leaves none.
func (openAPICmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	document, err := openAPI(ctx, *s, log)
	if err != nil {
		return err
	}
	_, err = k.Stdout.Write(document)
	return err
}

func openAPI(ctx context.Context, s Settings, log *slog.Logger) ([]byte, error) {
	dir, err := os.MkdirTemp("", "coffer-openapi-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s.moveTo(dir) // the document does not depend on these places
	a, err := openApp(ctx, &s, log)
	if err != nil {
		return nil, err
	}
	defer a.close()
	return rest.OpenAPI(a.api)
}
