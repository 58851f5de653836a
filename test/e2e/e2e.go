// Package e2e is the stories of people, operators and attackers, told to the built program over HTTP.
//
// TestMain builds cmd/coffer once. A story starts servers of its own, or runs on one that
// it shares with others where they cannot meet: everybody has an address of 127.0.0.0/8
// of their own, so that limits of one are not spent by another. Nothing here reaches into
// the program: tests know what a client, a mailbox, the printed lines, the data folder
// and the stores show.
//
// With COFFER_TEST_POSTGRES_URL, COFFER_TEST_REDIS_URL and COFFER_TEST_S3_URL the shared
// stories run a second time on those. COFFER_TEST_LONG=1 kills more often.
package e2e
