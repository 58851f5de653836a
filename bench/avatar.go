package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The sides of an account's picture, in the order in which each is made of the one before.
var sides = []string{"512", "256", "128", "64"}

// avatar is P11: a picture of 12 megapixels becomes an account's picture, in all sizes and
// durable, beside libvips.
func (b *bench) avatar() ([]row, error) {
	p, s, err := b.world("p11")
	if err != nil {
		return nil, err
	}
	picture, err := camera()
	if err != nil {
		return nil, err
	}
	file := b.path("camera.jpg")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		return nil, err
	}
	const name = "libvips"
	vips := contender{name: name, note: "its processes' starts are taken off; no server, no fsync"}
	if tool, err := exec.LookPath("vipsthumbnail"); err != nil {
		vips.missing = "libvips-tools is not installed"
	} else {
		version, err := exec.Command(tool, "--vips-version").Output()
		if err != nil {
			return nil, err
		}
		b.peers = append(b.peers, strings.TrimSpace(string(version)))
		vips.run = func() (sample, error) { return b.thumbnails(tool, file) }
	}
	return []row{{
		id: "P11", work: "a JPEG of 12 megapixels becomes an account's picture in four sizes, 1 connection", per: "picture", format: perSecond,
		ours:   func() (sample, error) { return p.portraits("Bearer "+s.AccessToken, picture) },
		beside: []contender{vips},
		must:   []target{{text: "≤4× libvips' time", of: []string{name}, ratio: 0.25}, {text: "≤128 MiB over idle", memory: 128 << 20}},
	}}, nil
}

// portraits sends the picture a few times; an account may send 60 in an hour.
func (p *process) portraits(bearer string, picture []byte) (sample, error) {
	const times = 5
	idle := p.memory("VmRSS")
	if err := p.resetPeak(); err != nil {
		return sample{}, err
	}
	before, begin := p.cpu(), time.Now()
	for range times {
		req, err := http.NewRequest(http.MethodPut, "http://"+p.addr+"/v1/account/avatar", bytes.NewReader(picture))
		if err != nil {
			return sample{}, err
		}
		req.Header.Set("Authorization", bearer)
		req.Header.Set("Content-Type", "image/jpeg")
		if err := do(req, http.StatusOK, nil); err != nil {
			return sample{}, err
		}
	}
	took := time.Since(begin)
	return sample{value: times / took.Seconds(), cpu: (p.cpu() - before) / times, memory: p.memory("VmHWM") - idle}, nil
}

// thumbnails is the same by libvips: the largest size of the picture, each other of the one
// before.
func (b *bench) thumbnails(tool, file string) (sample, error) {
	run := func(args ...string) (time.Duration, error) {
		begin := time.Now()
		out, err := exec.Command(tool, args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %s", tool, lastLine(out, err))
		}
		return time.Since(begin), err
	}
	var all time.Duration
	for _, side := range sides {
		to := b.path(side + ".webp")
		took, err := run("--size", side+"x"+side, "--smartcrop", "centre", "--output", to+"[Q=80,strip]", file)
		if err != nil {
			return sample{}, err
		}
		start, err := run("--vips-version")
		if err != nil {
			return sample{}, err
		}
		all, file = all+took-start, to
	}
	return sample{value: 1 / all.Seconds()}, nil
}
