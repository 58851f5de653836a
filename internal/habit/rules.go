package habit

import "time"

// This file is the policy: every rule, its weight, its threshold, what follows and its
// words. docs/guard.md shows the same table, and a test compares the two.

// The rules. A name appears in the history of an account and in the log of the operator.
const (
	NewDevice        = "new_device"
	NewPlace         = "new_place"
	OddHour          = "odd_hour"
	AfterFailures    = "after_failures"
	LayerFailed      = "layer_failed"
	ImpossibleTravel = "impossible_travel"
	MovedDevice      = "moved_device"
	Stranger         = "stranger"
	Spraying         = "spraying"
	Stuffing         = "stuffing"
)

// Rule says what one rule weighs and what follows.
type Rule struct {
	Name        string
	Score       int // 0 to 100: how much it stands out
	Consequence Consequence
	Words       string // for operators and docs; owners read the words of their language
}

// Rules is the whole policy, in the order in which findings are listed.
var Rules = []Rule{
	{OddHour, 10, Note, "The account hardly ever signs in at this time of the week."},
	{NewPlace, 20, Note, "The account has not signed in from this place before."},
	{NewDevice, 30, Tell, "The device is not remembered, and this kind of client has not been seen on this network."},
	{AfterFailures, 40, Tell, "Three or more wrong answers came before this sign-in."},
	{LayerFailed, 40, Tell, "The password was right, and the answer to a further step was wrong."},
	{MovedDevice, 50, AskAll, "A remembered device shows itself as another kind of client, in a place that is new."},
	{ImpossibleTravel, 60, AskAll, "The last sign-in was so far away that no traveller arrives in that time."},
	{Stranger, 60, Hold, "The account has no further step, and a new device signs in far from every place of the account."},
	{Spraying, 70, Block, "Sign-ins to many accounts failed from this network, and hardly any succeeded."},
	{Stuffing, 80, Block, "This network tries many accounts about once each, and some of its tries succeed."},
}

// The thresholds of one account.
const (
	// NearPlace is how far two places may lie apart and count as one, in kilometres. Databases
	// of addresses name the next town as often as the right one.
	NearPlace = 100
	// FarPlace is the least distance that counts as a journey. The address of a phone is often
	// placed where its provider leaves for the Internet, some hundred kilometres away.
	FarPlace = 500
	// MaxSpeed is the speed of an airliner, in km/h.
	MaxSpeed = 900
	// PlaceError is taken off every distance before the speed is judged, in kilometres.
	PlaceError = 200
	// ClockError is how far the clocks of two nodes may differ. A last sign-in that lies
	// further in the future says nothing about a speed.
	ClockError = 5 * time.Minute

	// ManyFailures is how many wrong answers in a row are told of at a success (ASVS 6.3.5).
	ManyFailures = 3

	// EnoughHours is how many sign-ins (decayed) a habit of hours needs.
	EnoughHours = 20
	// OddShare is the share of an account's sign-ins, within OddReach hours, below which an
	// hour is odd.
	OddShare = 0.01
	// OddReach covers a change of the clocks, and somewhat late evenings.
	OddReach = 2
	// HalfLife is how fast a habit of hours fades.
	HalfLife = 30 * 24 * time.Hour

	// SeenFor is how long a network or a client counts as known after its last use, and
	// PlaceFor how long a place does.
	SeenFor  = 90 * 24 * time.Hour
	PlaceFor = 365 * 24 * time.Hour
)

// Threshold says when the failures of one network are no typing errors any more. An account
// counts as failed when it failed and did not sign in from the network in the same time.
type Threshold struct {
	Window time.Duration
	Failed int     // at least so many accounts failed
	Share  float64 // of all accounts that were tried, at least
}

// The thresholds of networks. People behind one address mistype and then succeed; where a
// password is guessed, hardly any account succeeds.
var (
	// Suspect holds and asks: a success from such a network is judged as the attacker's.
	Suspect = []Threshold{{time.Hour, 15, 0.5}, {24 * time.Hour, 40, 0.5}}
	// Hostile blocks the address.
	Hostile = []Threshold{{time.Hour, 25, 0.8}, {24 * time.Hour, 60, 0.8}}
)

// OnceEach is the most tries for each account at which failures look like a list of stolen
// passwords, and FewHits the least number of successes beside them.
const (
	OnceEach = 1.5
	FewHits  = 1
)
