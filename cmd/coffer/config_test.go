package main

import (
	"strings"
	"testing"
)

func TestMaskedURL(t *testing.T) {
	for value, want := range map[string]string{
		"/srv/blobs":                        "/srv/blobs",
		"./blobs":                           "./blobs",
		"sqlite:/srv/coffer.db":             "sqlite:/srv/coffer.db",
		"sqlite:coffer.db":                  "sqlite:coffer.db",
		"redis://cache:6379/0":              "redis://cache:6379/0",
		"smtps://mail.example:465":          "smtps://mail.example:465",
		"postgres://ada:hunter2@db/coffer":  "postgres://" + mask + "@db/coffer",
		"postgres://db/coffer?password=h2":  "postgres://db/coffer?" + mask,
		"s3://key:hunter2@host/b?region=eu": "s3://" + mask + "@host/b?" + mask,
		"twilio://AC1:hunter2@/?from=%2B1":  "twilio://" + mask + "@/?" + mask,
	} {
		if got := maskedURL(value); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
	for _, value := range []string{
		"postgres://ada:8/hunter2@db/coffer", // an unescaped slash: host ada, port 8
		"postgres://ada:8#hunter2@db/coffer",
		"postgres:ada:hunter2@db/coffer",
		"ada:hunter2",
		"ada:hunter2@db",
		"//ada:8/hunter2@db",
		"host=db user=ada password=hunter2",
		"postgres://ada:hun%zzter2@db/coffer",
		"postgres://ada:hun ter2@db/coffer",
	} {
		if got := maskedURL(value); strings.Contains(got, "ter2") {
			t.Errorf("%s is shown as %s", value, got)
		}
	}
}
