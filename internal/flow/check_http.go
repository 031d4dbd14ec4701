package flow

import "strings"

// methods are the HTTP methods that an HTTP task may use.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}

// http checks the request of an HTTP or HTTP_POLL task: the member http_request of its input, or all of the input.
func (c *checker) http(p *place) {
	if p.task.InputExpression != nil {
		return
	}
	request, path := p.task.Input, p.path+"/inputParameters"
	if whole, _ := c.input(p, "http_request"); whole != nil {
		path += "/http_request"
		switch whole := whole.(type) {
		case Map:
			request = whole
		case string:
			if !strings.Contains(whole, "${") {
				c.bad(path, "must be an object")
			}
			return
		default:
			c.bad(path, "must be an object")
			return
		}
	}
	template := c.templateOf(p.task)
	for _, name := range []string{"uri", "method"} {
		if v := request[name]; (v == nil || v == "") && template[name] == nil {
			c.bad(path+"/"+name, "is missing")
		}
	}
	if uri, ok := request["uri"].(string); ok && uri != "" && !strings.HasPrefix(uri, "${") {
		if scheme, _, found := strings.Cut(uri, "://"); !found || !isHTTP(scheme) {
			c.bad(path+"/uri", "must begin with http:// or https://")
		}
	} else if request["uri"] != nil && !ok {
		c.bad(path+"/uri", "must be text")
	}
	c.method(path+"/method", request["method"])
	c.members(path, request)
	if p.task.Type == TypeHTTPPoll {
		c.poll(p, path, request)
	}
}

func isHTTP(scheme string) bool {
	scheme = strings.ToLower(scheme)
	return scheme == "http" || scheme == "https" || strings.Contains(scheme, "${")
}

func (c *checker) method(path string, v Value) {
	method, ok := v.(string)
	switch {
	case v == nil:
	case !ok:
		c.bad(path, "must be text")
	case method != "" && !strings.Contains(method, "${"):
		c.oneOf(path, strings.ToUpper(method), methods...)
	}
}

// members checks the kinds of what a request may have besides; what a run fills in is left to it.
func (c *checker) members(path string, request Map) {
	for _, name := range sortedKeys(request) {
		v := request[name]
		if s, ok := v.(string); v == nil || ok && strings.Contains(s, "${") {
			continue
		}
		at := path + "/" + pointer(name)
		switch name {
		case "headers", "hedgingConfig":
			if _, ok := v.(Map); !ok {
				c.bad(at, "must be an object")
			}
		case "accept":
			if _, ok := v.(string); !ok && !allTexts(v) {
				c.bad(at, "must be text or a list of texts")
			}
		case "contentType":
			if _, ok := v.(string); !ok {
				c.bad(at, "must be text")
			}
		case "connectionTimeOut", "readTimeOut", "pollingInterval", "maxPollCount":
			if n, ok := asFloat(v); !ok || n < 0 {
				c.bad(at, "must be a number, 0 or more")
			}
		case "encode", "idempotencyKey":
			if _, ok := v.(bool); !ok {
				c.bad(at, "must be true or false")
			}
		}
	}
}

func allTexts(v Value) bool {
	list, ok := v.([]any)
	for _, member := range list {
		if _, isText := member.(string); !isText {
			return false
		}
	}
	return ok
}

// poll checks what ends an HTTP_POLL task.
func (c *checker) poll(p *place, path string, request Map) {
	condition := request["terminationCondition"]
	if condition == nil || condition == "" {
		c.bad(path+"/terminationCondition", "is missing")
		return
	}
	c.script(p, strings.TrimPrefix(path, p.path)+"/terminationCondition", JavaScript, condition)
	if strategy, ok := fixed(request["pollingStrategy"]); ok {
		c.oneOf(path+"/pollingStrategy", strategy, RetryFixed, RetryLinear, RetryExponential)
	}
}
