package directory

import (
	"fmt"
	"strings"
	"testing"
)

// paths makes a document of one operation around a schema of its body.
func withBody(schema string, components string) string {
	return `{"openapi":"3.0.3","info":{"title":"T","version":"1"},"servers":[{"url":"https://api.example.com/v1"}],
		"paths":{"/things/{id}":{"post":{"operationId":"makeThing","requestBody":{"content":{"application/json":
		{"schema":` + schema + `}}},"responses":{"200":{"description":"ok","content":{"application/json":
		{"schema":` + schema + `}}}}}}},"components":{"schemas":{` + components + `}}}`
}

func readDocument(t *testing.T, text string) *Document {
	t.Helper()
	doc, err := ReadDocument([]byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func referenceOf(t *testing.T, text, method, path string) *Reference {
	t.Helper()
	ref, found := readDocument(t, text).Reference(method, path)
	if !found {
		t.Fatalf("no %s %s", method, path)
	}
	return ref
}

func TestDocumentsThatCannotBeRead(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'l'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for text, want := range map[string]string{
		"":                                 "is empty",
		"<html>":                           "web page",
		"{":                                "is not JSON",
		"[1,2]":                            "is no JSON object",
		"hello":                            "is no JSON object",
		"\tx: [":                           "neither JSON nor YAML",
		`{"a":1}`:                          "neither openapi nor swagger",
		`{"openapi":"4.0.0"}`:              "of OpenAPI 4.0.0",
		`{"swagger":"1.2"}`:                "of OpenAPI 1.2",
		`{"openapi":"3.0.0"}`:              "no operation",
		`{"openapi":1e999,"paths":1}`:      "",
		deep:                               "inside each other",
		bomb:                               "grows beyond",
		strings.Repeat(" ", MaxDocument+1): "larger than 20 MB",
	} {
		_, err := ReadDocument([]byte(text), "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestALargeDocumentIsReadInParts(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.0","info":{"title":"L","version":"1"},"paths":{`)
	for i := 0; b.Len() < MaxDocument-4096; i++ {
		fmt.Fprintf(&b, `"/p%d":{"get":{"summary":"%s","responses":{}}},`, i, strings.Repeat("x", 500))
	}
	b.WriteString(`"/last":{"get":{"responses":{}}}}}`)
	doc := readDocument(t, b.String()+strings.Repeat(" ", MaxDocument-b.Len()))
	if _, found := doc.Reference("get", "/last"); !found {
		t.Error("the last operation is not there")
	}
}

func TestYAML(t *testing.T) {
	ref := referenceOf(t, `
openapi: 3.1.0
info: {title: Pets, version: 1.0}
servers: [{url: https://pets.example.com}]
paths:
  /pets:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [born]
              properties:
                name: {type: [string, 'null'], example: yes please}
                born: {type: string, example: 2020-01-31}
                size: {type: number, minimum: 0x10}
      responses: {200: {description: ok}}
`, "POST", "/pets")
	p := ref.Body.Content[0].Schema.Properties
	if p[0].Name != "born" || !p[0].Required || string(p[0].Schema.Examples[0]) != `"2020-01-31"` ||
		!p[1].Schema.Nullable ||
		string(p[2].Schema.Limits["minimum"]) != "16" || ref.API.Version != "1.0" || ref.Responses[0].Status != "200" {
		t.Errorf("%s", encoded(ref))
	}
}

func TestBrokenPartsLoseNothingElse(t *testing.T) {
	ref := referenceOf(t, withBody(`{"type":"object","required":["a","b"],"properties":{
		"a":{"$ref":"#/components/schemas/No"},
		"b":{"$ref":"other.json#/X"},"c":{"$ref":"#/components/schemas/Loop"},"d":{"type":"string"},
		"e":{"allOf":[{"$ref":"#/components/schemas/Self"},{"type":"object"}]},"f":7,"g":{"properties":9,"type":{}}}}`,
		`"Loop":{"$ref":"#/components/schemas/Loop"},"Self":{"allOf":[{"$ref":"#/components/schemas/Self"}]}`),
		"post", "/things/{id}")
	if len(ref.Body.Content[0].Schema.Properties) != 7 || len(ref.Problems) < 3 || len(ref.Responses) != 1 {
		t.Errorf("%s", encoded(ref))
	}
	if got := Prepare(ref, ""); !strings.Contains(string(got.Example), `"d":"string"`) {
		t.Errorf("%s", got.Example)
	}
}

// TestSchemasThatGrow holds schemas that refer to each other from everywhere to a bounded size.
func TestSchemasThatGrow(t *testing.T) {
	var all []string
	for i := range 20 {
		var members []string
		for j := range 20 {
			members = append(members, fmt.Sprintf(
				`"p%d":{"allOf":[{"$ref":"#/components/schemas/S%d"},{"$ref":"#/components/schemas/S%d"}]}`, j, j, (i+j)%20))
		}
		all = append(all, fmt.Sprintf(`"S%d":{"type":"object","properties":{%s}}`, i, strings.Join(members, ",")))
	}
	ref := referenceOf(t, withBody(`{"$ref":"#/components/schemas/S0"}`, strings.Join(all, ",")), "post", "/things/{id}")
	if size := len(encoded(ref)); size > 10<<20 {
		t.Errorf("the reference has %d bytes", size)
	}
	if p := Prepare(ref, ""); len(p.Example) > 2*maxExampleBytes {
		t.Errorf("the example has %d bytes", len(p.Example))
	}
}

func TestSwagger(t *testing.T) {
	text := `{"swagger":"2.0","info":{"title":"Old","version":"1"},"host":"old.example.com",
		"basePath":"/api","schemes":["http","https"],
		"consumes":["application/json"],"securityDefinitions":{
		"key":{"type":"apiKey","in":"query","name":"k"},"b":{"type":"basic"}},
		"security":[{"b":[]}],"definitions":{
		"Pet":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}},
		"paths":{"/pets/{id}":{"parameters":[{"in":"path","name":"id","required":true,"type":"integer","minimum":1}],
		"put":{"parameters":[{"in":"body","name":"x","required":true,"schema":{"$ref":"#/definitions/Pet"}}],
		"responses":{"200":{"description":"","schema":{"$ref":"#/definitions/Pet"}}}},
		"post":{"security":[{"key":[]}],
		"parameters":[{"in":"formData","name":"photo","type":"string","required":true}],"responses":{}}}}}`
	put := referenceOf(t, text, "put", "/pets/{id}")
	p := Prepare(put, "")
	if p.URL != "https://old.example.com/api/pets/{id}" || string(p.Body) != `{"name":"string"}` ||
		p.Headers[0].Value != "Basic ${workflow.secrets.old_example_b}" || p.Path[0].Value != "1" ||
		put.Responses[0].Content[0].Schema.Ref != "Pet" || string(put.Parameters[0].Schema.Limits["minimum"]) != "1" {
		t.Errorf("%s\n%s", encoded(put), encoded(p))
	}
	post := Prepare(referenceOf(t, text, "post", "/pets/{id}"), "")
	if !post.Form || post.ContentType != "application/x-www-form-urlencoded" || post.Auth[0].In != "query" ||
		!strings.Contains(string(post.Task), `?k=${workflow.secrets.old_example_key}`) ||
		!strings.Contains(string(post.Task), `"body":"photo=string"`) {
		t.Errorf("%s", encoded(post))
	}
}

func TestReferenceShowsAllThatSchemasHave(t *testing.T) {
	ref := referenceOf(t, withBody(`{"$ref":"#/components/schemas/Node"}`, `"Node":{"type":"object","required":["kind"],
		"discriminator":{"propertyName":"kind","mapping":{"leaf":"#/components/schemas/Leaf"}},
		"allOf":[{"$ref":"#/components/schemas/Base"}],"oneOf":[{"$ref":"#/components/schemas/Leaf"}],
		"properties":{"children":{"type":"array","items":{"$ref":"#/components/schemas/Node"},"maxItems":3},
		"kind":{"type":"string","enum":["leaf","tree"]},
		"size":{"type":"integer","minimum":1,"exclusiveMinimum":true,"default":2}},
		"additionalProperties":false},
		"Base":{"type":"object","required":["id"],"properties":{"id":{"type":"string","readOnly":true},
		"note":{"type":"string","nullable":true,"deprecated":true,"pattern":"^a"}}},
		"Leaf":{"type":"object","properties":{"color":{"type":"string","writeOnly":true}}}`), "post", "/things/{id}")
	node := ref.Schemas["Node"]
	var names []string
	for _, p := range node.Properties {
		names = append(names, fmt.Sprint(p.Name, p.Required))
	}
	if got := strings.Join(names, " "); got != "kindtrue idtrue childrenfalse sizefalse notefalse" {
		t.Errorf("members %s", got)
	}
	if node.Properties[2].Schema.Items.Ref != "Node" || node.OneOf[0].Ref != "Leaf" || !node.NoMore ||
		node.Discriminator.Mapping["leaf"] != "Leaf" || string(node.Properties[3].Schema.Limits["exclusiveMinimum"]) != "1" ||
		!node.Properties[1].Schema.ReadOnly || !node.Properties[4].Schema.Nullable ||
		!ref.Schemas["Leaf"].Properties[0].Schema.WriteOnly {
		t.Errorf("%s", encoded(node))
	}
}

func TestMarkdownIsHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"**a** `b`":                    "<p><strong>a</strong> <code>b</code></p>",
		"[x](https://example.com)":     `<p><a href="https://example.com">x</a></p>`,
		"[x](javascript:alert(1))":     "<p>x</p>",
		"[x](/relative)":               "<p>x</p>",
		"<javascript:alert(1)>":        "<p>javascript:alert(1)</p>",
		"![x](https://example.com/i)":  "<p>x</p>",
		"<script>alert(1)</script>":    "<!-- raw HTML omitted -->",
		"a <b onclick=x>c</b>":         "<p>a <!-- raw HTML omitted -->c<!-- raw HTML omitted --></p>",
		"[x](mailto:ada@example.com)":  `<p><a href="mailto:ada@example.com">x</a></p>`,
		"[x](DATA:text/html;base64,x)": "<p>x</p>",
	} {
		if got := markdown(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := markdown(strings.Repeat("x", maxMarkdown+10)); len(got) > maxMarkdown+20 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestExampleValues(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"string","example":"e","default":"d"}`:                                 `"e"`,
		`{"type":"integer","example":"7"}`:                                              `7`,
		`{"type":"integer","example":"seven","default":5}`:                              `5`,
		`{"type":"string","enum":["x","y"],"example":"z"}`:                              `"x"`,
		`{"type":"string","pattern":"^[A-Z]{3}-\\d{2,}$"}`:                              `"AAA-11"`,
		`{"type":"string","pattern":"^(?=x)y"}`:                                         `""`,
		`{"type":"string","format":"date"}`:                                             `"2026-01-31"`,
		`{"type":"string","minLength":8}`:                                               `"stringxx"`,
		`{"type":"string","maxLength":3}`:                                               `"str"`,
		`{"type":"integer","minimum":10,"exclusiveMinimum":true}`:                       `11`,
		`{"type":"number","maximum":0.5}`:                                               `0.5`,
		`{"type":"integer","multipleOf":5}`:                                             `5`,
		`{"type":"array","items":{"type":"integer"},"minItems":2}`:                      `[1,1]`,
		`{"type":"array","items":{"enum":["a","b"]},"minItems":2,"uniqueItems":true}`:   `["a","b"]`,
		`{"oneOf":[{"type":"integer"},{"type":"string"}]}`:                              `1`,
		`{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1}`: `{"key":1}`,
		`{"type":"object","required":["b"],"properties":{"a":{"type":"string"},"b":{"type":"boolean"},
			"c":{"type":"string","readOnly":true}}}`: `{"b":false,"a":"string"}`,
	} {
		ref := referenceOf(t, withBody(schema, ""), "post", "/things/{id}")
		p := Prepare(ref, "")
		if string(p.Example) != want {
			t.Errorf("%s: %s, want %s", schema, p.Example, want)
		}
		if (want == `""`) != (len(p.Unfilled) == 1) {
			t.Errorf("%s: unfilled %v", schema, p.Unfilled)
		}
	}
}

func TestPreparedTask(t *testing.T) {
	text := withBody(`{"type":"object","required":["name"],
		"properties":{"name":{"type":"string"},"note":{"type":"string"}}}`, "")
	text = strings.Replace(text, `"operationId"`, `"security":[{"token":[]}],"parameters":[
		{"in":"query","name":"dry-run","required":true,"schema":{"type":"boolean"}},
		{"in":"query","name":"page","schema":{"type":"integer"}},
		{"in":"header","name":"X-Trace","required":true,"schema":{"type":"string"}}],"operationId"`, 1)
	text = strings.Replace(text, `"components":{`, `"components":{"securitySchemes":{
		"token":{"type":"http","scheme":"bearer"}},`, 1)
	p := Prepare(referenceOf(t, text, "post", "/things/{id}"), "")
	want := `{"name":"makeThing","taskReferenceName":"makeThing","type":"HTTP","inputParameters":{"http_request":{` +
		`"uri":"https://api.example.com/v1/things/${workflow.input.id}?dry-run=${workflow.input.dry_run}","method":"POST",` +
		`"headers":{"Authorization":"Bearer ${workflow.secrets.example_token}","X-Trace":"${workflow.input.X_Trace}"},` +
		`"accept":"application/json","contentType":"application/json","body":{"name":"string"}}}}`
	if string(p.Task) != want {
		t.Errorf("got  %s\nwant %s", p.Task, want)
	}
	if string(p.Example) != `{"name":"string","note":"string"}` {
		t.Errorf("%s", p.Example)
	}
}
