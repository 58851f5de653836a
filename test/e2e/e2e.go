// Package e2e is the stories of people, operators and attackers, told to the built program over HTTP.
//
// TestMain builds cmd/coffer once. A story starts its own servers, or shares one with
// stories that it cannot disturb. Each person there has their own address of 127.0.0.0/8,
// so that stories do not use up each other's limits. Tests do not reach into the program.
// They see a client, a mailbox, the printed lines, the data folder and the stores.
//
// With COFFER_TEST_POSTGRES_URL, COFFER_TEST_REDIS_URL and COFFER_TEST_S3_URL the shared
// stories run a second time on those. COFFER_TEST_LONG=1 kills more often.
package e2e
