package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"coffer/client"
)

// Sign in, with the authenticator app where it is on, and keep a file.
func Example() {
	ctx := context.Background()
	c, err := client.New("http://localhost:8420", client.WithSave(func(_ context.Context, creds client.Credentials) error {
		return nil // write creds to a file that only its owner can read
	}))
	if err != nil {
		log.Fatal(err)
	}
	_, challenge, err := c.SignIn(ctx, client.SignIn{Identifier: "ada", Password: os.Getenv("PASSWORD"), DeviceName: "backup"})
	if err == nil && challenge != nil {
		_, _, err = challenge.Pass(ctx, client.TOTP, client.TOTPCode{Code: os.Getenv("CODE")})
	}
	if err != nil {
		log.Fatal(err)
	}
	stored, err := c.Upload(ctx, "", client.Source{Name: "hello.txt", MediaType: "text/plain", Content: strings.NewReader("Hello.")})
	if err != nil {
		log.Fatal(err)
	}
	content, err := c.Download(ctx, stored[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	defer content.Body.Close()
	if _, err := io.Copy(os.Stdout, content.Body); errors.Is(err, client.ErrDigest) {
		fmt.Println("that is not what was stored")
	}
}
