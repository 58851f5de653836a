package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"
)

// transfer is P5 and P6: a large file up and down, against the disk, the cipher and
// servers that store or send the same bytes in clear.
func (b *bench) transfer() error {
	p, _, err := b.coffer("p5")
	if err != nil {
		return err
	}
	defer p.stop()
	if err := b.newcomer(p, "p5"); err != nil {
		return err
	}
	s, err := p.signIn()
	if err != nil {
		return err
	}
	c := &carrier{b: b, p: p, bearer: "Bearer " + s.AccessToken}
	if c.aes, err = aesRate(); err != nil {
		return err
	}
	if err := c.upload(); err != nil {
		return err
	}
	if err := c.download(); err != nil {
		return err
	}
	return c.ranges()
}

// carrier moves files over one signed-in connection. Rates are bytes a second.
type carrier struct {
	b      *bench
	p      *process
	bearer string
	aes    float64
	id     string // of the last upload
}

const rounds = 3 // of each large transfer; the median counts

func (c *carrier) upload() error {
	idle := c.p.memory("VmRSS")
	if err := c.p.resetPeak(); err != nil {
		return err
	}
	var ours, disk []float64
	// In turn, so that both see the same moments of a shared disk.
	for range rounds {
		d, err := diskRate(c.b.path("dd"), c.b.size)
		if err != nil {
			return err
		}
		o, err := c.put()
		if err != nil {
			return err
		}
		disk, ours = append(disk, d), append(ours, o)
	}
	peak := c.p.memory("VmHWM") - idle
	got, limit := middle(ours), min(middle(disk), c.aes)
	c.b.add(result{"P5", fmt.Sprintf("upload %d MiB, multipart, encrypted, durable", c.b.size>>20), mega(got),
		fmt.Sprintf("write + fsync %s, AES-256-GCM %s a core", mega(middle(disk)), mega(c.aes)), percent(got, limit), "≥70 % of the slower", got >= 0.7*limit})
	c.b.add(result{"P5", "memory over idle meanwhile", fmt.Sprintf("%d MiB", peak>>20), "—", "—", "≤64 MiB", peak <= 64<<20})
	return c.tusd(got)
}

// put uploads one file of zeros, which no part of the way compresses.
func (c *carrier) put() (float64, error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	if _, err := form.CreateFormFile("file", fmt.Sprintf("large-%d.bin", time.Now().UnixNano())); err != nil {
		return 0, err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	begin := time.Now()
	req, err := http.NewRequest("POST", "http://"+c.p.addr+"/v1/files", io.MultiReader(&head, newSource(c.b.size), bytes.NewReader([]byte(tail))))
	if err != nil {
		return 0, err
	}
	req.ContentLength = int64(head.Len()) + c.b.size + int64(len(tail))
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", c.bearer)
	var answer struct {
		Items []struct {
			ID   string `json:"id"`
			Size int64  `json:"size"`
		} `json:"items"`
	}
	if err := do(req, http.StatusCreated, &answer); err != nil {
		return 0, err
	}
	if len(answer.Items) != 1 || answer.Items[0].Size != c.b.size {
		return 0, fmt.Errorf("upload: %+v", answer)
	}
	c.id = answer.Items[0].ID
	return float64(c.b.size) / time.Since(begin).Seconds(), nil
}

// tusd is the peer of P5 where there is one: it stores plain text and never fsyncs.
func (c *carrier) tusd(ours float64) error {
	name, err := exec.LookPath("tusd")
	if err != nil {
		return nil
	}
	addr := freeAddr()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	t, _, err := launch(addr, "/", nil, name, "-host", host, "-port", port, "-upload-dir", c.b.path("tusd"), "-behind-proxy=false")
	if err != nil {
		return err
	}
	defer t.stop()
	peer, err := median(rounds, func() (float64, error) {
		req, err := http.NewRequest("POST", "http://"+addr+"/files/", newSource(c.b.size))
		if err != nil {
			return 0, err
		}
		req.ContentLength = c.b.size
		for k, v := range map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": fmt.Sprint(c.b.size), "Content-Type": "application/offset+octet-stream"} {
			req.Header.Set(k, v)
		}
		begin := time.Now()
		if err := do(req, http.StatusCreated, nil); err != nil {
			return 0, err
		}
		return float64(c.b.size) / time.Since(begin).Seconds(), nil
	})
	if err != nil {
		return err
	}
	c.b.add(result{"P5", "the same against tusd (plain text, no fsync)", mega(ours), "tusd, creation with upload, " + mega(peer), percent(ours, peer), "≥ tusd", ours >= peer})
	return nil
}

func (c *carrier) download() error {
	got, err := median(rounds, func() (float64, error) { return c.fetch(c.p.addr, "/v1/files/"+c.id+"/content") })
	if err != nil {
		return err
	}
	c.b.add(result{"P6", fmt.Sprintf("download %d MiB, decrypted", c.b.size>>20), mega(got), fmt.Sprintf("AES-256-GCM %s on one core", mega(c.aes)), percent(got, c.aes), "≥60 %", got >= 0.6*c.aes})
	return c.nginx(got)
}

func (c *carrier) fetch(addr, path string) (float64, error) {
	req, err := http.NewRequest("GET", "http://"+addr+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", c.bearer)
	begin := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET %s: %s", path, res.Status)
	}
	n, err := discard(res)
	if err == nil && n != c.b.size {
		err = fmt.Errorf("GET %s: %d bytes", path, n)
	}
	return float64(n) / time.Since(begin).Seconds(), err
}

// nginx shows what the way itself costs: the same bytes, in clear, by sendfile.
func (c *carrier) nginx(ours float64) error {
	name, err := exec.LookPath("nginx")
	if err != nil {
		return nil
	}
	dir := c.b.path("nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(c.b.dir, 0o755); err != nil {
		return err
	}
	if _, err := diskRate(dir+"/large.bin", c.b.size); err != nil {
		return err
	}
	addr := freeAddr()
	config := fmt.Sprintf("daemon off; pid %s/pid; error_log %s/error.log; worker_processes 1; events {} http { access_log off; sendfile on; server { listen %s; root %s; } }", dir, dir, addr, dir)
	if err := os.WriteFile(dir+"/nginx.conf", []byte(config), 0o600); err != nil {
		return err
	}
	n, _, err := launch(addr, "/nothing", nil, name, "-c", dir+"/nginx.conf", "-p", dir)
	if err != nil {
		return err
	}
	defer n.stop()
	peer, err := median(rounds, func() (float64, error) { return c.fetch(addr, "/large.bin") })
	if err != nil {
		return err
	}
	c.b.add(result{"P6", "the same beside nginx (plain text, sendfile)", mega(ours), "nginx " + mega(peer), percent(ours, peer), "—", true})
	return nil
}

// ranges reads 1 MiB at random offsets.
func (c *carrier) ranges() error {
	const length = 1 << 20
	var times []time.Duration
	for range 200 {
		off := mathrand.Int64N(c.b.size - length)
		req, err := http.NewRequest("GET", "http://"+c.p.addr+"/v1/files/"+c.id+"/content", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", c.bearer)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+length-1))
		begin := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		n, err := discard(res)
		if err != nil || n != length || res.StatusCode != http.StatusPartialContent {
			return fmt.Errorf("range: %s, %d bytes, %v", res.Status, n, err)
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	c.b.add(result{"P6", "1 MiB at a random offset, 200 times", fmt.Sprintf("median %s, p99 %s", times[100].Round(10*time.Microsecond), times[198].Round(10*time.Microsecond)),
		"2 extra segments of 64 KiB, held by TestOpenRange in internal/seal", "—", "≤2 extra segments", true})
	return nil
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

// source yields size bytes that do not repeat within a mebibyte.
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

// diskRate writes a file as a durable store must: all of it, then fsync.
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
func aesRate() (float64, error) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return 0, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return 0, err
	}
	nonce, plain, out := make([]byte, 12), make([]byte, 64<<10-16), make([]byte, 0, 64<<10)
	var n int64
	begin := time.Now()
	for time.Since(begin) < 2*time.Second {
		aead.Seal(out, nonce, plain, nil)
		n += int64(len(plain))
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func mega(rate float64) string { return fmt.Sprintf("%.0f MB/s", rate/1e6) }
