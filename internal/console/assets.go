package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
)

//go:embed pages
var ownFiles embed.FS

// own are the assets of the pages that work without a bundle, by their name in the templates.
var own = func() map[string]asset {
	assets := make(map[string]asset)
	for _, name := range []string{"plain.css", "icon.svg"} {
		body, err := ownFiles.ReadFile("pages/" + name)
		if err != nil {
			panic("console: " + err.Error())
		}
		assets[name] = newAsset(name, body)
	}
	return assets
}()

// ownAsset is the address of an own asset; its name changes with its content.
func ownAsset(name string) string { return "/assets/" + own[name].name }

// asset is a file as it is sent.
type asset struct {
	name string // with a hash of the content
	kind string
	body []byte
	gzip []byte
}

func newAsset(name string, body []byte) asset {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return asset{
		name: strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:4]) + ext,
		kind: contentType(name), body: body, gzip: compressed(body),
	}
}

func compressed(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic("console: " + err.Error())
	}
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func contentType(name string) string {
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// bundle is what `npm --prefix web run build` left in web/dist.
type bundle struct {
	manifest manifest
	assets   map[string]asset
}

// manifest.json names the files of the page; their names hold a hash of their content.
type manifest struct {
	Script   string `json:"script"`
	Style    string `json:"style"`
	Licenses string `json:"licenses"`
	// Parts are files that the script loads when it needs them.
	Parts []string `json:"parts"`
}

// loadBundle reads the built pages. Nil: they are not built (web/dist holds only its placeholder), or not whole.
func loadBundle(dist fs.FS) *bundle {
	if dist == nil {
		return nil
	}
	raw, err := fs.ReadFile(dist, "manifest.json")
	if err != nil {
		return nil
	}
	b := &bundle{assets: make(map[string]asset)}
	if err := json.Unmarshal(raw, &b.manifest); err != nil {
		return nil
	}
	names := append([]string{b.manifest.Script, b.manifest.Style, b.manifest.Licenses}, b.manifest.Parts...)
	for _, name := range names {
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return nil
		}
		zipped, err := fs.ReadFile(dist, name+".gz")
		if err != nil {
			zipped = compressed(body)
		}
		b.assets[name] = asset{name: name, kind: contentType(name), body: body, gzip: zipped}
	}
	return b
}

func (c *console) findAsset(name string) (asset, bool) {
	if c.bundle != nil {
		if a, ok := c.bundle.assets[name]; ok {
			return a, true
		}
	}
	for _, a := range own {
		if a.name == name {
			return a, true
		}
	}
	return asset{}, false
}

// asset serves a file whose name changes with its content, so a browser may keep it for ever. It needs no session: the
// sign-in page has a style too.
func (c *console) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := c.findAsset(r.PathValue("name"))
	if !ok {
		http.Error(w, "no such asset", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := a.body
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzip
	}
	_, _ = w.Write(body) // a browser that left is no error
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3) as far as we need it: gzip named, and not with q=0.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q := strings.TrimSpace(weight)
		return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
	}
	return false
}
