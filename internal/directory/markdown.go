package directory

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxMarkdown bounds a text that is rendered, in bytes; of a longer one the beginning is shown.
const maxMarkdown = 64 << 10

// renderer turns Markdown into HTML. HTML in the text is left out; links lead to web addresses and mailboxes only.
var renderer = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(outward{}, 100))),
)

// markdown renders a document's text; "" stays "".
func markdown(from string) string {
	if strings.TrimSpace(from) == "" {
		return ""
	}
	if len(from) > maxMarkdown {
		from = strings.ToValidUTF8(from[:maxMarkdown], "") + " ..."
	}
	var out bytes.Buffer
	if err := renderer.Convert([]byte(from), &out); err != nil {
		return "" // a bytes.Buffer takes everything
	}
	return strings.TrimSpace(out.String())
}

// outward takes links away that lead to anything but the web, and all images: those would tell others who reads.
type outward struct{}

// Transform implements parser.ASTTransformer.
func (outward) Transform(node *ast.Document, reader text.Reader, _ parser.Context) {
	var wrong []ast.Node
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Image:
			wrong = append(wrong, n)
		case *ast.Link:
			if safeLink(string(n.Destination)) == "" {
				wrong = append(wrong, n)
			}
		case *ast.AutoLink:
			if at := string(n.URL(reader.Source())); n.AutoLinkType == ast.AutoLinkURL && safeLink(at) == "" {
				wrong = append(wrong, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range wrong {
		parent := n.Parent()
		if auto, ok := n.(*ast.AutoLink); ok {
			parent.ReplaceChild(parent, n, ast.NewString(auto.Label(reader.Source())))
			continue
		}
		for child := n.FirstChild(); child != nil; child = n.FirstChild() {
			parent.InsertBefore(parent, n, child)
		}
		parent.RemoveChild(parent, n)
	}
}
