package social

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/lang"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

const (
	tag  = "Social sign-in"
	page = "/social" // of the web app

	// browserCookie ties transactions and codes to a browser. It comes back with the provider's
	// redirect, which is a top-level navigation of another site: Lax allows that.
	browserCookie = "__Host-coffer-social"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	told := []toldProvider{}
	for _, p := range s.providers {
		told = append(told, toldProvider{p.ID, p.Label})
	}
	rest.TellValue(a, "providers", "The services whose accounts people sign in with, in the order of their buttons.", told)
	s.redirectRoutes(a)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/social/check", ID: "check-social", Tag: tag, Status: http.StatusOK, Rows: "F-O1",
		Summary:     "Look at the code of a callback",
		Description: "Uses nothing up. Needs the cookie of the browser that began.",
		Errors:      []*fault.Error{account.ErrLinkGone, errAltered},
	}, s.postCheck)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/social/exchange", ID: "exchange-social", Tag: tag, Status: http.StatusCreated, Rows: "F-O1",
		Summary: "Open a session with the code of a callback",
		Description: "The answer is 201 with a session, or 202 with the layers that the account asks for. A first sign-in makes an account. " +
			"link_needed says that another account has the address: its owner signs in to it, and confirms the identity with the same code. A refusal leaves the code good.",
		Errors: append([]*fault.Error{account.ErrLinkGone}, entering...),
	}, s.postExchange)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/social/activate", ID: "activate-by-social", Tag: tag, Status: http.StatusAccepted, Rows: "F-A6, F-O1",
		Summary:     "Ask with the code of a callback for a link to activate a deactivated account",
		Description: "Takes a code of a sign-in whose person is known, in the browser that began. The answer is 202; only a deactivated account gets a mail. The code stays good.",
		Errors:      []*fault.Error{account.ErrLinkGone, session.ErrSuspended, errAltered, limit.ErrLimited},
	}, s.postActivate)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/social/google/token", ID: "exchange-google-token", Tag: tag, Status: http.StatusCreated, Rows: "F-O2",
		Summary: "Open a session with a credential of Google",
		Description: "For front ends that hold a Google credential. nonce is a secret of 16 to 64 random bytes in base64url; the nonce claim of the id_token must be b64u(SHA-256(pk ‖ secret)), " +
			"where pk is public_key as octets: an uncompressed point (SEC 1 §2.3.3), of X25519 its 32 bytes. An id_token works once, for ten minutes.",
		Errors: append([]*fault.Error{errNoProvider, errIDToken, errAway, limit.ErrLimited}, entering...),
	}, s.postToken)
	s.ownRoutes(a)
}

// entering are the refusals of a way in.
var entering = []*fault.Error{
	errUnverified, errLinkNeeded, account.ErrUsernameTaken, fault.ErrInvalid, token.ErrPublicKey, session.ErrDeactivated, session.ErrSuspended, errAltered, account.ErrCredentials,
}

func (s *Service) redirectRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/auth/social/{provider}", ID: "begin-social", Tag: tag, Status: http.StatusSeeOther, Rows: "F-O1",
		Summary:     "Begin to sign in with a provider",
		Description: "Redirects to the provider, and sets the cookie of this browser. A browser's fault ends at the page /social#error=CODE. Links of other sites are refused.",
		Errors:      []*fault.Error{errNoProvider, errAway, limit.ErrLimited},
	}, s.getBegin)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/auth/social/{provider}/callback", ID: "end-social", Returns: true, Tag: tag, Status: http.StatusSeeOther, Rows: "F-O1",
		Summary:     "Come back from a provider",
		Description: "Redirects to the page /social#code=CODE. The code works once, in the same browser. A browser's fault ends at /social#error=CODE.",
		Errors:      []*fault.Error{errNoProvider, errState, errRefused, errIDToken, errUnverified, errAway, errAltered},
	}, s.getCallback)
}

func (s *Service) ownRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/identities", ID: "list-identities", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-O3",
		Summary: "List the connected accounts of other services",
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/identities/{provider}", ID: "begin-identity", Tag: tag, Access: rest.StepUp, Status: http.StatusOK, Rows: "F-O3",
		Summary:     "Begin to connect an account of a provider",
		Description: "The browser goes to url, and comes back to /social#code=CODE.",
		Errors:      []*fault.Error{errNoProvider, errAway, limit.ErrLimited},
	}, s.postBegin(link))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/identities/{provider}/confirm", ID: "confirm-identity", Tag: tag, Access: rest.StepUp, Status: http.StatusCreated, Rows: "F-O3",
		Summary:     "Connect the account of a code",
		Description: "Takes a code that this session began, or one of a sign-in that was refused with link_needed. Every verified address is told.",
		Errors:      []*fault.Error{errNoProvider, account.ErrLinkGone, errUnverified, errTaken, errLinked},
	}, s.postLink)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/identities/{provider}", ID: "delete-identity", Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-O3",
		Summary:     "Disconnect an account of a provider",
		Description: "Every verified address is told. The last way into the account stays.",
		Errors:      []*fault.Error{errNotLinked, account.ErrLastWayIn},
	}, s.deleteOne)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/reauthenticate/social/{provider}", ID: "begin-reauthenticate-social", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-A14",
		Summary:     "Begin a fresh proof with a provider",
		Description: "The browser goes to url, and comes back to /social#code=CODE. An OpenID Connect provider is asked to let the person sign in anew.",
		Errors:      []*fault.Error{errNoProvider, errAway, limit.ErrLimited},
	}, s.postBegin(renew))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/reauthenticate/social/{provider}/confirm", ID: "reauthenticate-social", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-A14",
		Summary:     "Re-authenticate with the code of a provider",
		Description: "The answer is 201 with a new access token of the same session, or 202 with layers that the session has not passed.",
		Errors:      []*fault.Error{errNoProvider, account.ErrLinkGone, errOther, errAltered},
	}, s.postRenew)
}

// toldProvider is a provider as everybody may know it.
type toldProvider struct {
	ID    string `json:"id" doc:"As in the paths."`
	Label string `json:"label"`
}

// Cookied is the part of a request that ties it to a browser.
type Cookied struct {
	Cookie string `cookie:"__Host-coffer-social" doc:"Set by the server."`
}

// browser returns the request's browser, or makes one. Tabs of one browser share it.
func (s *Service) browser(c Cookied) (string, error) {
	if isSecret(c.Cookie) {
		return c.Cookie, nil
	}
	return s.secretText()
}

func newCookie(browser string, life time.Duration) []http.Cookie {
	return []http.Cookie{{
		Name: browserCookie, Value: browser, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: max(1, int(life/time.Second)),
	}}
}

// RedirectInput is the part that both ends of a redirect share.
type RedirectInput struct {
	rest.Request
	Cookied
	Provider string `path:"provider" maxLength:"32"`
	Accept   string `header:"Accept"`
}

type redirectOutput struct {
	Status    int
	Location  string        `header:"Location"`
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

// failed sends a person's browser to the page that explains a fault. Programs get the problem.
func (in RedirectInput) failed(err error) (*redirectOutput, error) {
	f := fault.Of(err)
	if !strings.Contains(in.Accept, "text/html") || f.Kind == fault.NotFound {
		return nil, err
	}
	fragment := url.Values{"error": {f.Code}, "provider": {in.Provider}}
	return &redirectOutput{Status: http.StatusSeeOther, Location: page + "#" + fragment.Encode()}, nil
}

// getBegin is for links of our own pages: rest refuses those of other sites (ASVS 7.6.2).
func (s *Service) getBegin(ctx context.Context, in *RedirectInput) (*redirectOutput, error) {
	to, browser, err := s.begin(ctx, in.Provider, in.Cookied, signIn, in.Request)
	if err != nil {
		return in.failed(err)
	}
	return &redirectOutput{http.StatusSeeOther, to, newCookie(browser, transactionFor)}, nil
}

func (s *Service) begin(ctx context.Context, provider string, c Cookied, purpose string, r rest.Request) (to, browser string, err error) {
	if _, err := s.provider(provider); err != nil {
		return "", "", err
	}
	if err := s.Limit.Take(ctx, s.SocialLimit, limit.AddrKey(r.Client.Addr)); err != nil {
		return "", "", err
	}
	if browser, err = s.browser(c); err != nil {
		return "", "", err
	}
	to, err = s.Begin(ctx, provider, browser, purpose, r.Caller)
	return to, browser, err
}

type callbackInput struct {
	RedirectInput
	State  string `query:"state" maxLength:"200"`
	Code   string `query:"code" maxLength:"4096"`
	Error  string `query:"error" maxLength:"200"`
	Issuer string `query:"iss" maxLength:"1000"`
}

func (s *Service) getCallback(ctx context.Context, in *callbackInput) (*redirectOutput, error) {
	code, err := s.Arrive(ctx, in.Provider, in.Cookie, in.State, answer{Code: in.Code, Error: in.Error, Issuer: in.Issuer})
	if err != nil {
		return in.failed(err)
	}
	return &redirectOutput{http.StatusSeeOther, page + "#code=" + code, newCookie(in.Cookie, max(transactionFor, s.Accounts.CodeTTL))}, nil
}

type codeInput struct {
	rest.Request
	Cookied
	Body socialCode
}

type socialCode struct {
	Code string `json:"code" maxLength:"100" doc:"Of the page /social#code=CODE."`
}

type checkOutput struct{ Body Seen }

func (s *Service) postCheck(ctx context.Context, in *codeInput) (*checkOutput, error) {
	seen, err := s.Check(ctx, in.Body.Code, in.Cookie)
	return &checkOutput{seen}, err
}

func (s *Service) postActivate(ctx context.Context, in *codeInput) (*account.Accepted, error) {
	// A code works often here, and each use is a job.
	if err := s.Limit.Take(ctx, s.SocialLimit, limit.AddrKey(in.Client.Addr)); err != nil {
		return nil, err
	}
	if err := s.Activate(ctx, in.Body.Code, in.Cookie, in.Client); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}

type exchangeInput struct {
	rest.Request
	session.Browser
	Cookied
	AcceptLanguage string `header:"Accept-Language" doc:"Chooses the language of mails."`
	Body           ExchangeBody
}

// ExchangeBody is the body of an exchange. It is exported because the schema of a body leaves
// out embedded types that are not.
type ExchangeBody struct {
	Code string `json:"code" maxLength:"100" doc:"Of the page /social#code=CODE."`
	Newcomer
	session.SessionRequest
}

func (s *Service) postExchange(ctx context.Context, in *exchangeInput) (*session.Answer, error) {
	return session.Respond(s.Exchange(ctx, in.Body.Code, in.Cookie, in.Body.speaking(in.AcceptLanguage), in.Browser.With(in.Body.SessionRequest), in.Client))
}

func (n Newcomer) speaking(acceptLanguage string) Newcomer {
	n.Lang = lang.Accepted(acceptLanguage)
	return n
}

type tokenInput struct {
	rest.Request
	session.Browser
	AcceptLanguage string `header:"Accept-Language" doc:"Chooses the language of mails."`
	Body           TokenBody
}

// TokenBody is the body of an exchange of a credential.
type TokenBody struct {
	IDToken string `json:"id_token" maxLength:"8192"`
	Nonce   string `json:"nonce" maxLength:"100" doc:"The secret, in base64url without padding."`
	Newcomer
	session.SessionRequest
}

func (s *Service) postToken(ctx context.Context, in *tokenInput) (*session.Answer, error) {
	if _, err := s.provider(google); err != nil {
		return nil, err
	}
	if err := s.Limit.Take(ctx, s.SocialLimit, limit.AddrKey(in.Client.Addr)); err != nil {
		return nil, err
	}
	if in.Body.PublicKey == nil {
		return nil, fault.InvalidField("/public_key", "required", "The credential is bound to the client's public key.")
	}
	key, err := token.ParseKey(in.Body.PublicKey)
	if err != nil {
		return nil, err
	}
	proof := TokenProof{IDToken: in.Body.IDToken, Nonce: in.Body.Nonce, Key: key}
	return session.Respond(s.Token(ctx, proof, in.Body.speaking(in.AcceptLanguage), in.Browser.With(in.Body.SessionRequest), in.Client))
}

type listInput struct{ rest.Request }

type listOutput struct {
	Body struct {
		Items []Identity `json:"items"`
	}
}

func (s *Service) getList(ctx context.Context, in *listInput) (*listOutput, error) {
	var out listOutput
	var err error
	out.Body.Items, err = s.Identities(ctx, account.ID(in.Caller.Account))
	return &out, err
}

// OwnInput is the part that the operations on one's own identities share.
type OwnInput struct {
	rest.Request
	Cookied
	Provider string `path:"provider" maxLength:"32"`
}

type goOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		URL string `json:"url" doc:"Where the browser goes."`
	}
}

func (s *Service) postBegin(purpose string) func(context.Context, *OwnInput) (*goOutput, error) {
	return func(ctx context.Context, in *OwnInput) (*goOutput, error) {
		to, browser, err := s.begin(ctx, in.Provider, in.Cookied, purpose, in.Request)
		if err != nil {
			return nil, err
		}
		out := &goOutput{SetCookie: newCookie(browser, transactionFor)}
		out.Body.URL = to
		return out, nil
	}
}

type ownCodeInput struct {
	OwnInput
	Body socialCode
}

type linkOutput struct{ Body Identity }

func (s *Service) postLink(ctx context.Context, in *ownCodeInput) (*linkOutput, error) {
	linked, err := s.Link(ctx, in.Caller, in.Provider, in.Body.Code, in.Cookie)
	return &linkOutput{linked}, err
}

func (s *Service) postRenew(ctx context.Context, in *ownCodeInput) (*session.Answer, error) {
	return session.Respond(s.Renew(ctx, in.Caller, in.Provider, in.Body.Code, in.Cookie))
}

func (s *Service) deleteOne(ctx context.Context, in *OwnInput) (*struct{}, error) {
	return nil, s.Unlink(ctx, in.Caller, in.Provider)
}
