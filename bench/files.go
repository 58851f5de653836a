package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

const gib = 1 << 30

// carrier transfers large files on one account. Rates are bytes a second.
type carrier struct {
	b      *bench
	p      *process
	bearer string
	id     string // of the last upload
}

func (b *bench) carrier(data string) (*carrier, error) {
	p, s, err := b.world(data)
	return &carrier{b: b, p: p, bearer: "Bearer " + s.AccessToken}, err
}

// moved is the sample of one large file's transfer.
func (b *bench) moved(p *process, move func() error) (sample, error) {
	before, begin := p.cpu(), time.Now()
	err := move()
	took := time.Since(begin).Seconds()
	return sample{value: float64(b.size) / took, cpu: (p.cpu() - before) / float64(b.size) * gib}, err
}

// upload is P5: a large upload against the disk, the cipher and servers that store the same
// bytes in clear.
func (b *bench) upload() ([]row, error) {
	c, err := b.carrier("p5")
	if err != nil {
		return nil, err
	}
	idle := c.p.memory("VmRSS")
	const disk, gcm = "write + fsync", "AES-256-GCM, one core"
	beside := []contender{
		{name: disk, limit: true, run: func() (sample, error) {
			defer os.Remove(b.path("dd"))
			rate, err := diskRate(b.path("dd"), b.size)
			return sample{value: rate}, err
		}},
		{name: gcm, run: b.aesRate},
	}
	s3 := contender{name: "versitygw PUT", note: "plain text, no fsync"}
	if g, err := b.gateway(); err != nil {
		s3 = s3.without(err)
	} else {
		s3.run = func() (sample, error) { return b.moved(g.process, func() error { return g.put(b.size) }) }
	}
	tus := contender{name: "tusd", note: "plain text, no fsync"}
	if put, p, err := b.tusd(); err != nil {
		tus = tus.without(err)
	} else {
		tus.run = func() (sample, error) {
			defer empty(b.path("tusd"))
			return b.moved(p, func() error { return put(b.size) })
		}
	}
	by := func(put func() error) func() (sample, error) {
		return func() (sample, error) {
			if err := c.p.resetPeak(); err != nil {
				return sample{}, err
			}
			s, err := b.moved(c.p, put)
			if err != nil {
				return sample{}, err
			}
			s.memory = c.p.memory("VmHWM") - idle
			return s, c.remove()
		}
	}
	return []row{{
		id: "P5", work: fmt.Sprintf("upload %d MiB, multipart, encrypted, durable", b.size>>20), per: "GiB", format: mega,
		ours:   by(c.put),
		beside: append(beside, s3, tus),
		must: []target{{text: "≥70 % of the slower of disk and cipher", of: []string{disk, gcm}, ratio: 0.7},
			{text: "≥1.5× versitygw", of: []string{s3.name}, ratio: 1.5}, {text: "≥ tusd", of: []string{tus.name}, ratio: 1},
			{text: "≤2.0 CPU-s per GiB", cpu: 2}, {text: "≤64 MiB over idle", memory: 64 << 20}},
	}, {
		id: "P5", work: fmt.Sprintf("upload %d MiB by tus, one request, parts of 64 MiB, encrypted, durable", b.size>>20), per: "GiB", format: mega,
		ours:   by(c.putTus),
		beside: []contender{beside[0], tus},
		must:   []target{{text: "≥70 % of the disk", of: []string{disk}, ratio: 0.7}, {text: "≥ tusd", of: []string{tus.name}, ratio: 1}, {text: "≤64 MiB over idle", memory: 64 << 20}},
	}}, nil
}

// empty removes a peer's stored data.
func empty(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		os.RemoveAll(name)
	}
}

// put uploads one file.
func (c *carrier) put() error {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	if _, err := form.CreateFormFile("file", fmt.Sprintf("large-%d.bin", time.Now().UnixNano())); err != nil {
		return err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	req, err := http.NewRequest("POST", "http://"+c.p.addr+"/v1/files", io.MultiReader(&head, newSource(c.b.size), bytes.NewReader([]byte(tail))))
	if err != nil {
		return err
	}
	req.ContentLength = int64(head.Len()) + c.b.size + int64(len(tail))
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", c.bearer)
	var answer stored
	if err := do(req, http.StatusCreated, &answer); err != nil {
		return err
	}
	if len(answer.Items) != 1 || answer.Items[0].Size != c.b.size {
		return fmt.Errorf("upload: %+v", answer)
	}
	c.id = answer.Items[0].ID
	return nil
}

// putTus uploads one file by tus: creation with upload.
func (c *carrier) putTus() error {
	req, err := http.NewRequest(http.MethodPost, "http://"+c.p.addr+"/v1/uploads", newSource(c.b.size))
	if err != nil {
		return err
	}
	req.ContentLength = c.b.size
	name := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "large-%d.bin", time.Now().UnixNano()))
	for k, v := range map[string]string{
		"Authorization": c.bearer, "Tus-Resumable": "1.0.0", "Upload-Length": fmt.Sprint(c.b.size), "Upload-Metadata": "filename " + name,
		"Content-Type": "application/offset+octet-stream",
	} {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if c.id = res.Header.Get("Coffer-File"); res.StatusCode != http.StatusCreated || c.id == "" {
		raw, _ := io.ReadAll(res.Body) // for the message only
		return fmt.Errorf("tus: %s %s", res.Status, raw)
	}
	return nil
}

// stored is the answer to an upload.
type stored struct {
	Items []struct {
		ID   string `json:"id"`
		Size int64  `json:"size"`
	} `json:"items"`
}

// remove deletes the last upload, so the disk does not fill.
func (c *carrier) remove() error {
	return c.p.call("DELETE", "/v1/files/"+c.id+"?permanent=true", c.bearer, nil, nil)
}

func (c *carrier) content() error {
	return c.b.fetch("http://"+c.p.addr+"/v1/files/"+c.id+"/content", c.bearer)
}

// fetch downloads the large file from an address.
func (b *bench) fetch(address, authorization string) error {
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		return err
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	n, err := discard(res)
	if err != nil || res.StatusCode != http.StatusOK || n != b.size {
		return fmt.Errorf("GET %s: %s, %d bytes, %v", req.URL.Path, res.Status, n, err)
	}
	return nil
}

// discard reads an answer to its end and returns its length.
func discard(res *http.Response) (int64, error) {
	defer res.Body.Close()
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, make([]byte, 1<<20))
}

// download is P6: warm, first after an upload, and a range.
func (b *bench) download() ([]row, error) {
	c, err := b.carrier("p6")
	if err != nil {
		return nil, err
	}
	if err := c.put(); err != nil {
		return nil, err
	}
	warm := func() (sample, error) { return b.moved(c.p, c.content) }
	if _, err := warm(); err != nil {
		return nil, err
	}
	const gcm = "AES-256-GCM, one core"
	files := b.path("nginx", "files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return nil, err
	}
	if _, err := diskRate(filepath.Join(files, "large.bin"), b.size); err != nil {
		return nil, err
	}
	send := contender{name: "nginx", note: "plain text, sendfile"}
	if n, err := b.nginx(b.path("nginx")); err != nil {
		send = send.without(err)
	} else {
		send.run = func() (sample, error) {
			// Its workers do the work, so their time counts, not the first process's.
			s, err := b.moved(n, func() error { return b.fetch("http://"+n.addr+"/large.bin", "") })
			s.cpu = 0
			return s, err
		}
	}
	s3 := contender{name: "versitygw GET", note: "plain text"}
	if g, err := b.gateway(); err != nil {
		s3 = s3.without(err)
	} else if err := g.put(b.size); err != nil {
		return nil, err
	} else {
		s3.run = func() (sample, error) {
			u, err := g.address(http.MethodGet, "large.bin")
			if err != nil {
				return sample{}, err
			}
			return b.moved(g.process, func() error { return b.fetch(u.String(), "") })
		}
	}
	return []row{
		{
			id: "P6", work: fmt.Sprintf("download %d MiB, decrypted, warm", b.size>>20), per: "GiB", format: mega, ours: warm,
			beside: []contender{{name: gcm, run: b.aesRate}, send, s3},
			must:   []target{{text: "≥60 % of AES-256-GCM", of: []string{gcm}, ratio: 0.6}, {text: "≥70 % of nginx", of: []string{"nginx"}, ratio: 0.7}, {text: "≤0.8 CPU-s per GiB", cpu: 0.8}},
		},
		{
			id: "P6", work: "the first download after an upload", per: "GiB", format: mega,
			ours: func() (sample, error) {
				if err := c.remove(); err != nil {
					return sample{}, err
				}
				if err := c.put(); err != nil {
					return sample{}, err
				}
				return warm()
			},
			beside: []contender{{name: "a warm one", run: warm}},
			must:   []target{{text: "≥80 % of a warm one", of: []string{"a warm one"}, ratio: 0.8}},
		},
		{id: "P6", work: "1 MiB at a random offset, 200 times, one after the other", format: millis, ours: c.ranges},
	}, nil
}

// ranges reads 1 MiB at random offsets; the value is the median time.
func (c *carrier) ranges() (sample, error) {
	const length = 1 << 20
	if c.b.size <= length {
		return sample{}, fmt.Errorf("-size %d: more than 1 MiB for this row", c.b.size)
	}
	var times []time.Duration
	for range 200 {
		off := mathrand.Int64N(c.b.size - length)
		req, err := http.NewRequest("GET", "http://"+c.p.addr+"/v1/files/"+c.id+"/content", nil)
		if err != nil {
			return sample{}, err
		}
		req.Header.Set("Authorization", c.bearer)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+length-1))
		begin := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return sample{}, err
		}
		n, err := discard(res)
		if err != nil || n != length || res.StatusCode != http.StatusPartialContent {
			return sample{}, fmt.Errorf("range: %s, %d bytes, %v", res.Status, n, err)
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	return sample{value: float64(times[100].Microseconds()) / 1000, p99: times[198]}, nil
}

// folder is P9: the first page of a large folder and of a small one, and the search.
func (b *bench) folder() ([]row, error) {
	p, s, err := b.world("p9")
	if err != nil {
		return nil, err
	}
	page := func(name string, files int) (func() (sample, error), error) {
		var f struct {
			ID string `json:"id"`
		}
		if err := p.call("POST", "/v1/files/folders", "Bearer "+s.AccessToken, map[string]any{"name": name}, &f); err != nil {
			return nil, err
		}
		if err := b.fillFolder(p, s, f.ID, files); err != nil {
			return nil, err
		}
		request := get("/v1/files?parent="+f.ID, s.AccessToken)
		return func() (sample, error) {
			one, err := b.rate(p, 1, 200, always(request), nil)
			return one, err
		}, nil
	}
	few, err := page("small", 1000)
	if err != nil {
		return nil, err
	}
	many, err := page("large", b.files)
	if err != nil {
		return nil, err
	}
	return []row{{
		id: "P9", work: fmt.Sprintf("first page of a folder of %d files, 1 connection", b.files), per: "1,000 requests", format: perSecond, ours: many,
		beside: []contender{{name: "of 1,000 files", run: few}},
		must:   []target{{text: "p99 ≤50 ms", p99: 50 * time.Millisecond}},
	}}, nil
}

// fillFolder uploads empty files, a thousand per request.
func (b *bench) fillFolder(p *process, s signedIn, folder string, files int) error {
	for done := 0; done < files; done += 1000 {
		if err := b.fillFrom(p, s, folder, done, min(files, done+1000)); err != nil {
			return err
		}
	}
	return nil
}

// fillFrom uploads the empty files of these numbers in one request.
func (b *bench) fillFrom(p *process, s signedIn, folder string, from, to int) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for n := from; n < to; n++ {
		if _, err := form.CreateFormFile("file", fmt.Sprintf("file %07d.txt", n)); err != nil {
			return err
		}
	}
	form.Close()
	req, err := http.NewRequest("POST", "http://"+p.addr+"/v1/files?parent="+folder, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+s.AccessToken)
	return do(req, http.StatusCreated, nil)
}

// small is P13: 1,000 files of 4 KiB over 8 connections.
func (b *bench) small() ([]row, error) {
	p, s, err := b.world("p13")
	if err != nil {
		return nil, err
	}
	pocket := contender{name: "PocketBase", note: "plain text; its SQLite commits without a sync, and it syncs no file"}
	if pb, err := b.pocketBase(); err != nil {
		pocket = pocket.without(err)
	} else {
		pocket.run = func() (sample, error) { return smallFiles(pb.process, "/api/collections/docs/records", pb.token, 200) }
	}
	s3 := contender{name: "versitygw PUT", note: "plain text, no fsync; it ends each connection after a PUT"}
	if g, err := b.gateway(); err != nil {
		s3 = s3.without(err)
	} else {
		s3.run = g.small
	}
	return []row{{
		id: "P13", work: "1,000 files of 4 KiB, 8 connections, durable", per: "1,000 files", format: perSecond,
		ours:   func() (sample, error) { return smallFiles(p, "/v1/files", s.AccessToken, 201) },
		beside: []contender{pocket, s3},
		must:   []target{{text: "≥ PocketBase", of: []string{pocket.name}, ratio: 1}, {text: "≥ versitygw", of: []string{s3.name}, ratio: 1}},
	}}, nil
}

// P13's files.
const (
	manySmall = 1000
	smallSize = 4 << 10
)

// smallFiles uploads the files, one per request.
func smallFiles(p *process, path, token string, want int) (sample, error) {
	content := make([]byte, smallSize)
	rand.Read(content)
	run := time.Now().UnixNano()
	var begun atomic.Int64
	before, begin := p.cpu(), time.Now()
	l, err := drive(p.addr, 8, time.Hour, func(int) []byte {
		n := begun.Add(1)
		if n > manySmall {
			return nil
		}
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		w, err := form.CreateFormFile("file", fmt.Sprintf("%d-%d.bin", run, n))
		if err != nil {
			panic("internal error: " + err.Error())
		}
		w.Write(content)
		form.Close()
		head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, token, form.FormDataContentType(), body.Len())
		return append(head, body.Bytes()...)
	}, nil)
	if err != nil {
		return sample{}, err
	}
	if l.n != manySmall {
		return sample{}, fmt.Errorf("%d files stored, want %d", l.n, manySmall)
	}
	return sample{value: manySmall / time.Since(begin).Seconds(), cpu: (p.cpu() - before) * 1000 / manySmall, p99: l.p99}, l.only(want)
}

// do sends a request and decodes its answer.
func do(req *http.Request, want int, out any) error {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s %s: %s %s", req.Method, req.URL.Path, res.Status, raw)
	}
	return decode(raw, out)
}

// source yields size bytes without repetition within a mebibyte.
type source struct {
	block []byte
	left  int64
	at    int
}

func newSource(size int64) *source {
	block := make([]byte, 1<<20)
	rand.Read(block)
	return &source{block: block, left: size}
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), s.left)], s.block[s.at:])
	s.at = (s.at + n) % len(s.block)
	s.left -= int64(n)
	return n, nil
}

// diskRate writes a file as a durable store must: the whole file, then fsync.
func diskRate(path string, size int64) (float64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	begin := time.Now()
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, newSource(size), make([]byte, 1<<20)); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	return float64(size) / time.Since(begin).Seconds(), nil
}

// aesRate is AES-256-GCM over segments of 64 KiB on one core.
func (b *bench) aesRate() (sample, error) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return sample{}, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sample{}, err
	}
	nonce, plain, out := make([]byte, 12), make([]byte, 64<<10-16), make([]byte, 0, 64<<10)
	var n int64
	begin := time.Now()
	for time.Since(begin) < b.span {
		aead.Seal(out, nonce, plain, nil)
		n += int64(len(plain))
	}
	return sample{value: float64(n) / time.Since(begin).Seconds()}, nil
}
