package arch

// place is a package's position in internal/.
type place struct {
	floor int
	// charter is the package doc's first sentence, after "Package NAME" and perhaps a verb.
	charter string
}

// plan is the house. Imports go to lower floors only. A test package for another one
// (dbtest) has that one's floor, and only tests import it. Floor 8 is for packages on the
// rooms of 7, floor 9 for admin.
var plan = map[string]place{
	"arch": {0, "holds the plan of the house as tests"},

	"fault": {0, "the one error type a room may show the world: kind, code, detail, cause"},
	"lang":  {0, "the one list of languages that Coffer speaks, and the choice of one"},
	"text":  {0, "what may be shown of a text"},

	"argon": {0, "computes Argon2id (RFC 9106) in memory that it keeps"},

	"metric": {0, "counts what the process does and writes it as Prometheus reads it"},

	"outbox": {0, "a folder into which messages are written whole, the newest sorting last"},

	"seal": {0, "authenticated encryption over io.Reader and io.Writer in segments, and key wrapping; no storage of its own"},

	"zipstream": {0, "writes zips while they are sent: no temporary file, no seek, zip64 where it is needed"},

	"ipfs": {0, "IPFS without a network: identifiers, blocks of files and folders, and CAR archives"},

	"treelog": {0, "entries, trees, checkpoints and proofs of a log that its keeper cannot rewrite unnoticed"},

	"habit": {0, "decides which sign-ins stand out from an account's own habit, and which networks guess at many accounts"},

	"parcel": {1, "the form of what is pinned encrypted: its keys, its manifest, its link, and how it is opened"},

	"db":            {1, "opens and migrates SQLite or PostgreSQL; every statement is written once"},
	"db/dbtest":     {1, "gives tests fresh, migrated databases of every engine"},
	"blob":          {1, "opaque immutable objects: directory, S3"},
	"blob/blobtest": {1, "the contract kit of blob"},
	"rest":          {1, "what every HTTP room shares: errors to problem documents, authentication state, decoding, operations to OpenAPI"},
	"mail/mailtest": {1, "checks what every mail must be, whoever wrote its words"},
	"mail":          {1, "renders and sends the handful of messages Coffer sends; outbox, SMTP"},

	"outbound": {1, "the one guarded HTTP client for outgoing calls"},

	"kv":        {2, "short-lived values with expiry and counters, and carries messages between nodes: memory, SQL, Redis/Valkey"},
	"kv/kvtest": {2, "the contracts of kv.Store and kv.Bus as tests"},
	"keyring":   {2, "named keys by purpose, rotation, field encryption and blind indexes"},
	"jobs":      {2, "work that must happen later, enqueued in the transaction that asked for it; periodic work; one node at a time"},

	"picture": {2, "decodes, crops, resizes and encodes pictures, within bounds of time and memory"},

	"pinning":             {2, "clients of services that keep IPFS content: Pinata, Kubo, and any provider of the IPFS Pinning Service API"},
	"pinning/pinningtest": {2, "gives tests providers of pins that keep real blocks and misbehave on demand"},

	"sms": {2, "writes and sends the few text messages that Coffer sends; outbox, Twilio, webhook"},

	"event":           {3, "what happened to an account, recorded in the transaction in which it happened"},
	"limit":           {3, "sliding-window limits over kv"},
	"limit/limittest": {3, "gives tests everything that lies below the accounts"},

	"block": {4, "refuses addresses and networks before a request costs anything"},

	"account":             {4, "who exists: sign-up, e-mail, password, profile, lifecycle, deletion"},
	"account/accounttest": {4, "gives the tests of rooms the world below them: real accounts"},
	"account/gen":         {0, "makes common.bloom"},

	"token":           {5, "sealed access tokens and their records (open, mint, read, end, JWKS)"},
	"token/tokentest": {5, "gives tests the client's side of tokens"},

	"content": {5, "stored objects of accounts: store, settle, mark for deletion, open, serve, quota"},

	"code": {5, "makes short codes that are sent to a person, and judges what comes back"},

	"feed": {5, "tells the open pages of a person what changed: one event stream for each"},

	"session": {6, "who is asking and how sure we are: sign-in, layers, refresh, step-up, devices; owns the interface Layer"},

	"recovery": {7, "the ways back in: a forgotten password, a deactivated account, backup codes and the trusted address"},

	"social":            {7, "sign-in with an account of another service: Google, GitHub and other OpenID Connect providers"},
	"social/socialtest": {7, "gives tests an OpenID Connect provider and a GitHub that lie on demand"},

	"totp":     {7, "the layer of one-time codes from an authenticator app"},
	"mailcode": {7, "the layer of codes that are mailed to the account's primary address"},
	"smscode":  {7, "the layer of codes that are sent to a telephone"},
	"question": {7, "the layer of a security question, which sign-in asks last"},
	"passkey":  {7, "passkeys: discoverable WebAuthn credentials that sign in, confirm and pass every layer"},
	"file":     {7, "an account's tree of folders and files: upload, list, rename, move, delete, download"},

	"avatar": {7, "the picture of an account: chosen by its owner, kept in every size, public"},

	"guard": {7, "what happened at the doors of an account: its sign-in history"},

	"ledger": {7, "the permanent, chronological ledger of pins, and the proofs that it was not rewritten"},

	"introspect": {7, "answers resource servers that ask about access tokens (RFC 7662)"},

	"pin": {8, "publishes files and folders on IPFS through pinning services, and serves their blocks"},

	"search": {8, "finds an account's files and folders by words of their names"},
	"share":  {8, "lets people without an account read an entry, or hand files in to a folder, by a link"},
	"upload": {8, "takes resumable uploads by tus 1.0, whose bytes survive broken connections and killed servers"},

	"drop": {8, "forwards files live between devices that share a code, end-to-end encrypted"},

	"admin": {9, "the operator's operations: find and stop accounts, jobs, keys, links, drops, and a log of every such act"},

	"server": {10, "all rooms as one handler and one set of jobs"},
}

// neighbours are the folders outside internal/, each with its allowed imports of this
// module. Their tests may also use the kits.
var neighbours = map[string][]string{
	"cmd":    {"internal", "client", "web"},
	"client": {"client"},                                                                                                 // knows only the API
	"web":    {},                                                                                                         // files
	"bench":  {"client"},                                                                                                 // measures the built program from outside
	"test":   {"client", "internal/blob", "internal/ipfs", "internal/pinning/pinningtest", "internal/social/socialtest"}, // drives the built program; blob tells whether S3 is there, the kits are the providers, ipfs computes their identifiers
}

// excuse lets one file break one rule.
type excuse struct{ rule, file, reason string }

// excused are all excuses. The test refuses an unneeded one.
var excused = []excuse{
	{"budgets", "internal/db/db_test.go", "the one list of cases that both engines run"},
	{"budgets", "test/e2e/outage_test.go", "one story: what works, what does not, and what works again"},
	{"callers", "internal/kv/memory.go", "the plainest store: every case of the contract runs on it"},
	{"interfaces", "internal/db/db.go", "engine is closed: two implementations in one package, and two of its methods are those of notifier"},
}

// The budgets.
const (
	maxFileLines    = 600
	maxFuncLines    = 100
	maxMethods      = 5
	maxDependencies = 45
)
