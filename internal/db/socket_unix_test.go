//go:build unix

package db

import (
	"net"
	"testing"
	"time"
)

// pgx may leave a reader waiting on a socket. quiet must not wait with it.
func TestQuietBesideAReader(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = c.Read(make([]byte, 1))
	}()
	answer := make(chan bool)
	for range 100 { // some of them after the reader has begun to wait
		go func() { answer <- quiet(c) }()
		select {
		case got := <-answer:
			if !got {
				t.Fatal("an open connection without data is not quiet")
			}
		case <-time.After(20 * time.Second):
			t.Fatal("quiet waits behind a reader")
		}
		time.Sleep(time.Millisecond / 10)
	}
	server.Close()
	<-read
	if quiet(c) {
		t.Error("a connection whose other end is closed is quiet")
	}
	c.Close()
}
