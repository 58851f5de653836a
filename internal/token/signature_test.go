package token_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"coffer/internal/token"
)

// RFC 9421 appendix B.2.5: hmac-sha256 over a request, with the shared secret of B.1.5.
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
	if err != nil {
		t.Fatal(err)
	}
	const params = `("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`
	base := token.SignatureBase([][2]string{{"date", "Tue, 20 Apr 2021 02:07:55 GMT"}, {"@authority", "example.com"}, {"content-type", "application/json"}}, params)
	want := `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@authority": example.com
"content-type": application/json
"@signature-params": ` + params
	if base != want {
		t.Errorf("the signature base is\n%s\nwant\n%s", base, want)
	}
	if !token.SignatureIs(key, base, "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=") {
		t.Error("the signature of RFC 9421 is refused")
	}
	if token.SignatureIs(key, base+" ", "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=") {
		t.Error("a signature of another text is taken")
	}
}

// FuzzSignature: what the parser takes is the one spelling of what it read.
func FuzzSignature(f *testing.F) {
	mac := "a=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":"
	for _, input := range []string{
		`a=("@method" "@target-uri");created=1700000000;nonce="n";keyid="k";alg="hmac-sha256"`, `a=();created=1`, `a=("@method"`, "", "=", `a=("@method");created`,
		`a=("@method");created=1;nonce="\"";keyid="k";alg="x"`, `a=("@method";req);created=1;nonce="n";keyid="k";alg="x"`, `a=("@method"  "@target-uri")`,
	} {
		f.Add(input, mac)
		f.Add(input, strings.Replace(mac, "A", "-", 1))
	}
	f.Fuzz(func(t *testing.T, input, value string) {
		if again, ok := token.Respell(input, value); ok && again != input+"\n"+value {
			t.Fatalf("%q is another spelling of\n%q", input+"\n"+value, again)
		}
	})
}
