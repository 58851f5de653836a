package pinning

import (
	"errors"
	"net/url"
	"strings"

	"coffer/internal/outbound"
)

// The defaults of Pinata's addresses, of which two also stand in the tags. The gateway is
// everyone's: an account's own has a name that only the account knows.
const (
	pinataURL     = "https://api.pinata.cloud"
	pinataUpload  = "https://uploads.pinata.cloud"
	pinataGateway = "https://gateway.pinata.cloud"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	PinataJWT        string `name:"pinata-jwt" env:"COFFER_PINATA_JWT" secret:"all" group:"IPFS" help:"Key (JWT) of a Pinata account, to pin there. Empty: none. docs/pins.md explains each step."`
	PinataURL        string `name:"pinata-url" env:"COFFER_PINATA_URL" default:"https://api.pinata.cloud" group:"IPFS" help:"Pinata's API, or one that stands in for it."`
	PinataUploadURL  string `name:"pinata-upload-url" env:"COFFER_PINATA_UPLOAD_URL" default:"https://uploads.pinata.cloud" group:"IPFS" help:"Its address for uploads. Where COFFER_PINATA_URL names another than Pinata, that one is the default."`
	PinataGateway    string `name:"pinata-gateway" env:"COFFER_PINATA_GATEWAY" placeholder:"https://NAME.mypinata.cloud" group:"IPFS" help:"Gateway of that account, through which blocks are read back. Empty: the public one of Pinata, which has narrow limits, or what COFFER_PINATA_URL names."`
	PinataGatewayKey string `name:"pinata-gateway-key" env:"COFFER_PINATA_GATEWAY_KEY" secret:"all" group:"IPFS" help:"Gateway key from its access controls. Without one that gateway serves roots only: a public file of up to 1 MiB can be verified, and an encrypted pin never."`
	IPFSRPC          string `name:"ipfs-rpc" env:"COFFER_IPFS_RPC" secret:"url" placeholder:"http://127.0.0.1:5001" group:"IPFS" help:"RPC of a Kubo node, to pin there, and from which the pinning service of COFFER_PSA_URL fetches. USER:PASSWORD@ before the host where the node asks for them. Empty: none."`
	PSAURL           string `name:"psa-url" env:"COFFER_PSA_URL" placeholder:"https://HOST/PATH" group:"IPFS" help:"Provider of the IPFS Pinning Service API 1.0.0, the address before /pins. Empty: none."`
	PSAToken         string `name:"psa-token" env:"COFFER_PSA_TOKEN" secret:"all" group:"IPFS" help:"Its access token."`
	PSAGateway       string `name:"psa-gateway" env:"COFFER_PSA_GATEWAY" placeholder:"https://HOST" group:"IPFS" help:"The provider's own trustless gateway, through which blocks are read back. Empty: the host of COFFER_PSA_URL."`
}

// AfterApply fills in what follows from other settings, and refuses settings that cannot work,
// by name. Package kong calls it, and [Open].
func (s *Settings) AfterApply() error {
	s.complete()
	for _, f := range []struct{ name, text string }{
		{"COFFER_PINATA_URL", s.PinataURL}, {"COFFER_PINATA_UPLOAD_URL", s.PinataUploadURL}, {"COFFER_PINATA_GATEWAY", s.PinataGateway},
		{"COFFER_PSA_URL", s.PSAURL}, {"COFFER_PSA_GATEWAY", s.PSAGateway},
	} {
		if f.text == "" {
			continue
		}
		if _, err := base(f.name, f.text, false); err != nil {
			return err
		}
	}
	if s.IPFSRPC != "" {
		if _, err := base("COFFER_IPFS_RPC", s.IPFSRPC, true); err != nil {
			return err
		}
	}
	for _, f := range []struct{ name, value, with, other string }{
		{"COFFER_PINATA_URL", s.PinataURL, "COFFER_PINATA_JWT", s.PinataJWT},
		{"COFFER_PINATA_UPLOAD_URL", s.PinataUploadURL, "COFFER_PINATA_JWT", s.PinataJWT},
		{"COFFER_PINATA_JWT", s.PinataJWT, "COFFER_PINATA_GATEWAY", s.PinataGateway},
		{"COFFER_PINATA_GATEWAY", s.PinataGateway, "COFFER_PINATA_GATEWAY_KEY", s.PinataGatewayKey},
		{"COFFER_PSA_TOKEN", s.PSAToken, "COFFER_PSA_URL", s.PSAURL},
		{"COFFER_PSA_URL", s.PSAURL, "COFFER_PSA_TOKEN", s.PSAToken},
		{"COFFER_PSA_URL", s.PSAURL, "COFFER_PSA_GATEWAY", s.PSAGateway},
	} {
		if f.value == "" && f.other != "" {
			return errors.New(f.name + ": it is missing, and " + f.with + " is set")
		}
	}
	for _, f := range []struct{ name, secret string }{
		{"COFFER_PINATA_JWT", s.PinataJWT}, {"COFFER_PINATA_GATEWAY_KEY", s.PinataGatewayKey}, {"COFFER_PSA_TOKEN", s.PSAToken},
	} {
		if strings.ContainsFunc(f.secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New(f.name + ": it holds a character that no token has, such as a space or a line break")
		}
	}
	return nil
}

// complete fills in gateways and the address for uploads. A gateway key goes to no address
// that the operator has not named.
func (s *Settings) complete() {
	if s.PinataJWT != "" && s.PinataURL != "" {
		gateway := pinataGateway
		if strings.TrimRight(s.PinataURL, "/") != pinataURL { // what stands in for Pinata serves all three
			gateway = s.PinataURL
			if s.PinataUploadURL == "" || s.PinataUploadURL == pinataUpload {
				s.PinataUploadURL = s.PinataURL
			}
		}
		if s.PinataGateway == "" && s.PinataGatewayKey == "" {
			s.PinataGateway = gateway
		}
	}
	if u, err := base("", s.PSAURL, false); err == nil && s.PSAGateway == "" {
		s.PSAGateway = u.Scheme + "://" + u.Host
	}
}

// base reads the address of a provider. Without TLS only this machine is asked. An error does
// not repeat the text, which may hold a password.
func base(name, text string, user bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil && !user:
		return nil, errors.New(name + ": not of the form https://HOST or https://HOST/PATH")
	case u.Scheme != "https" && (u.Scheme != "http" || !outbound.Here(u.Hostname())):
		return nil, errors.New(name + ": https:// is required, unless the host is this machine")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// Config configures [Open].
type Config struct {
	Settings
	// Origin is the public address of this server, whose /ipfs/ serves what it pins. Empty: none.
	Origin string
	// Shard is the longest upload in bytes, at which content is cut; zero: 50 MiB.
	Shard int64
}

// The kinds of targets, which are their names as well.
const (
	KindPinata = "pinata"
	KindKubo   = "kubo"
	KindPSA    = "psa"
)

// Named is a target with its name.
type Named struct {
	Name    string // in links, settings and records
	Kind    string
	Target  Target
	Gateway string // for people, without a slash at the end; empty: none that is public
	// Fetches says that the provider fetches from this server's own gateway, which must serve
	// the blocks from Put until the pin is removed or pinned.
	Fetches bool
	// Warning is what the operator had better set; empty: nothing.
	Warning string
}

// Open returns the targets that the settings name, in the order of pages.
func Open(c Config) ([]Named, error) {
	if err := c.AfterApply(); err != nil {
		return nil, err
	}
	if c.Shard <= 0 {
		c.Shard = shardSize
	}
	var all []Named
	if c.PinataJWT != "" {
		n := Named{Name: KindPinata, Kind: KindPinata, Target: newPinata(c), Gateway: strings.TrimRight(c.PinataGateway, "/")}
		if n.Gateway == pinataGateway {
			n.Warning = "COFFER_PINATA_GATEWAY: it does not name the account's gateway: the public one has narrow limits, and may serve what others hold"
		} else if c.PinataGatewayKey != "" {
			n.Gateway = "" // it refuses people, who have no key
		} else if u, err := url.Parse(n.Gateway); err == nil && strings.HasSuffix(u.Hostname(), ".mypinata.cloud") {
			n.Warning = "COFFER_PINATA_GATEWAY_KEY: without it that gateway serves no blocks, and no encrypted pin is ever verified"
		}
		all = append(all, n)
	}
	var node *kubo
	if c.IPFSRPC != "" {
		node = newKubo(c)
		all = append(all, Named{Name: KindKubo, Kind: KindKubo, Target: node})
	}
	if c.PSAURL != "" {
		service := newPSA(c, node)
		n := Named{Name: KindPSA, Kind: KindPSA, Target: service, Gateway: strings.TrimRight(c.PSAGateway, "/")}
		if n.Fetches = node == nil; n.Fetches {
			var ok bool
			if service.origin, ok = webOrigin(c.Origin); !ok {
				n.Warning = "COFFER_PSA_URL: the provider is told nowhere to fetch from: set COFFER_IPFS_RPC, or a COFFER_URL that begins with https://"
			}
		}
		all = append(all, n)
	}
	return all, nil
}
