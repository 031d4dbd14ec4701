package directory

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	yaml "github.com/oasdiff/yaml3"
)

// maxFromYAML bounds what YAML may grow to as JSON: aliases repeat what they name.
const maxFromYAML = 2 * MaxDocument

var errYAMLGrows = fmt.Errorf("grows beyond %d MB when its aliases are written out", maxFromYAML>>20)

// fromYAML turns YAML into JSON, in the same order.
func fromYAML(content []byte) (_ []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil { // the parser's, on input that it did not think of
			err = fmt.Errorf("is neither JSON nor YAML: %v", cause)
		}
	}()
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("is neither JSON nor YAML: %w", err)
	}
	c := &converter{}
	if len(document.Content) == 0 {
		return nil, errors.New("is empty")
	}
	if err := c.node(document.Content[0], 0); err != nil {
		return nil, err
	}
	return c.out, nil
}

// converter writes a YAML tree as JSON.
type converter struct{ out []byte }

func (c *converter) node(n *yaml.Node, depth int) error {
	switch {
	case depth > MaxDepth:
		return errDeep
	case len(c.out) > maxFromYAML:
		return errYAMLGrows
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.node(n.Alias, depth+1)
	case yaml.SequenceNode:
		c.out = append(c.out, '[')
		for i, item := range n.Content {
			if i > 0 {
				c.out = append(c.out, ',')
			}
			if err := c.node(item, depth+1); err != nil {
				return err
			}
		}
		c.out = append(c.out, ']')
		return nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	}
	c.scalar(n)
	return nil
}

func (c *converter) mapping(n *yaml.Node, depth int) error {
	c.out = append(c.out, '{')
	first := true
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.Tag == "!!merge" {
			continue // what it adds to names and schemas is nothing that documents use
		}
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		c.out = append(append(c.out, quoted(name.Value)...), ':')
		if err := c.node(value, depth+1); err != nil {
			return err
		}
	}
	c.out = append(c.out, '}')
	return nil
}

// scalar writes a text, number, truth value or null. Dates stay the text that they are.
func (c *converter) scalar(n *yaml.Node) {
	switch n.Tag {
	case "!!null":
		c.out = append(c.out, "null"...)
		return
	case "!!bool":
		var truth bool
		if n.Decode(&truth) == nil {
			c.out = strconv.AppendBool(c.out, truth)
			return
		}
	case "!!int", "!!float":
		if raw := jsontext.Value(n.Value); raw.IsValid() && strings.IndexByte(n.Value, '"') < 0 {
			c.out = append(c.out, raw...)
			return
		}
		var number float64
		if n.Decode(&number) == nil && !math.IsNaN(number) && !math.IsInf(number, 0) {
			c.out = strconv.AppendFloat(c.out, number, 'g', -1, 64)
			return
		}
	}
	c.out = append(c.out, quoted(n.Value)...)
}
