package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
)

// How many pictures wait for their thumbnails in the other part of P11.
const queued = 500

// queue is the other part of P11: sign-ins while pictures wait for their thumbnails, beside
// the same without them.
func (b *bench) queue() ([]row, error) {
	p, _, err := b.world("p11-queue")
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"identifier": benchMail, "password": benchPassword, "refresh_in": "body"})
	if err != nil {
		return nil, err
	}
	picture, err := camera()
	if err != nil {
		return nil, err
	}
	idle := "nothing waits"
	signIns := func() (sample, error) {
		s, err := b.rate(p, 1, http.StatusCreated, always(post("/v1/auth/sign-in", body)), nil)
		s.cpu = 0 // that of thumbnails is in it
		return s, err
	}
	return []row{{
		id: "P11", work: fmt.Sprintf("sign-ins, one after the other, while %d pictures of 12 megapixels wait for thumbnails", queued), per: "1,000 requests", format: perSecond,
		ours: func() (s sample, err error) {
			folder, err := p.fill(picture)
			if err != nil {
				return s, err
			}
			s, err = signIns()
			// An account has so many sessions at most: the album's is among those that ended.
			if again := folder.signIn(); again != nil {
				return s, errors.Join(err, again)
			}
			if err == nil {
				err = folder.waits()
			}
			return s, errors.Join(err, folder.remove())
		},
		beside: []contender{{name: idle, run: signIns}},
		must:   []target{{text: "≥50 % of the rate without", of: []string{idle}, ratio: 0.5}},
	}}, nil
}

// camera returns a JPEG of 12 megapixels.
func camera() ([]byte, error) {
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i/4000 + i%4000*i%251/16)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = uint8(i%2000/8), uint8(i/2000/8)
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 70})
	return b.Bytes(), err
}

// album is a folder of pictures.
type album struct {
	p      *process
	bearer string
	id     string
}

func (a *album) signIn() error {
	s, err := a.p.signIn()
	a.bearer = "Bearer " + s.AccessToken
	return err
}

// fill uploads pictures into a new folder.
func (p *process) fill(picture []byte) (*album, error) {
	a := &album{p: p}
	if err := a.signIn(); err != nil {
		return nil, err
	}
	var folder struct{ ID string }
	if err := p.call("POST", "/v1/files/folders", a.bearer, map[string]any{"name": "album"}, &folder); err != nil {
		return nil, err
	}
	a.id = folder.ID
	const atOnce = 50
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for n := range atOnce {
		part, err := w.CreateFormFile("file", fmt.Sprintf("%d.jpg", n))
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(picture); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	for range queued / atOnce {
		req, err := http.NewRequest("POST", "http://"+p.addr+"/v1/files?parent="+a.id, bytes.NewReader(form.Bytes()))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Authorization", a.bearer)
		if err := do(req, http.StatusCreated, nil); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// waits refuses a measurement during which the last thumbnail was made.
func (a *album) waits() error {
	var page struct{ Items []struct{ Thumbnail bool } }
	if err := a.p.call("GET", "/v1/files?limit=1&sort=-created&parent="+a.id, a.bearer, nil, &page); err != nil {
		return err
	}
	if len(page.Items) != 1 || page.Items[0].Thumbnail {
		return errors.New("no picture waited any more")
	}
	return nil
}

func (a *album) remove() error {
	return a.p.call("DELETE", "/v1/files/"+a.id+"?permanent=true", a.bearer, nil, nil)
}
